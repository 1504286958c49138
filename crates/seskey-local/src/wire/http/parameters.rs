//! The parameters in the query of a URL. An unknown one is refused: if it were ignored, the assertions of a test would
//! hold for nothing.

use std::str::FromStr;

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};

use super::plain_text;

/// Parameters by name.
pub(super) struct Parameters(Vec<(String, String)>);

/// The error of a parameter: one sentence for the client.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadParameter(pub(super) String);

impl Parameters {
    /// Parses the parameters of a query; each may occur once.
    pub(super) fn of(query: Option<&str>, known: &[&str]) -> Result<Self, BadParameter> {
        let mut parameters = vec![];
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if !known.contains(&&*name) {
                let known = match known {
                    [] => "no parameter".to_owned(),
                    known => known.join(", "),
                };
                return Err(BadParameter(format!("{name} is not known here, which takes {known}")));
            }
            if parameters.iter().any(|(there, _)| *there == name) {
                return Err(BadParameter(format!("{name} is there twice")));
            }
            parameters.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(parameters))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(there, _)| there == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// Parses a parameter that is not text. `form` describes it in a word or two.
    pub(super) fn parsed<T: FromStr>(
        &self,
        name: &str,
        form: &str,
    ) -> Result<Option<T>, BadParameter> {
        let bad = |_| BadParameter(format!("{name} is {form}"));
        self.get(name).map(str::parse).transpose().map_err(bad)
    }
}

impl IntoResponse for BadParameter {
    fn into_response(self) -> Response {
        plain_text(StatusCode::BAD_REQUEST, &self.0)
    }
}

/// The parameters of a path that takes none.
pub(super) struct NoParameters;

impl<S: Sync> FromRequestParts<S> for NoParameters {
    type Rejection = BadParameter;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, BadParameter> {
        Parameters::of(parts.uri.query(), &[]).map(|_| Self)
    }
}
