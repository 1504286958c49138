//! The fields of a form.

use std::sync::Arc;

use axum::{
    body::to_bytes,
    extract::{FromRequest, Request, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{Console, Problem, Visitor, page::shown, session::TOKEN};

/// The names and values of a query or a form.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(super) fn parse(encoded: &str) -> Self {
        Self(form_urlencoded::parse(encoded.as_bytes()).into_owned().collect())
    }

    /// Returns the value without blanks around it; empty if there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(there, _)| there == name).map_or("", |(_, value)| value.trim())
    }

    /// Returns the lines of all fields of the name, without blank ones.
    pub(super) fn lines<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let values = self.0.iter().filter(move |(there, _)| there == name);
        values.flat_map(|(_, value)| value.lines()).map(str::trim).filter(|line| !line.is_empty())
    }

    /// Sets a field that has no value.
    pub(super) fn or(mut self, name: &str, value: impl Into<String>) -> Self {
        if !self.has(name) {
            self.0.retain(|(there, _)| there != name);
            self.0.push((name.to_owned(), value.into()));
        }
        self
    }

    pub(super) fn has(&self, name: &str) -> bool {
        !self.get(name).is_empty()
    }

    /// Returns the fields to send once more, without the token, the step and the confirmation.
    pub(super) fn again(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        pairs.filter(|(name, value)| {
            ![FORM_TOKEN, "step", "confirm"].contains(name) && !value.is_empty()
        })
    }
}

/// Refuses a query with a parameter that is not known: ignored, it would seem to have had an effect.
pub(super) async fn known_parameters(
    State((console, known)): State<(Arc<Console>, &'static [&'static str])>,
    request: Request,
    next: Next,
) -> Response {
    let Fields(parameters) = Fields::parse(request.uri().query().unwrap_or_default());
    let is_known = |name: &str| name == TOKEN || known.contains(&name);
    let Some((unknown, _)) = parameters.iter().find(|(name, _)| !is_known(name)) else {
        return next.run(request).await;
    };
    let problem = Problem::new(
        format!("this page has no parameter {}", shown(unknown)),
        match known {
            [] => "it takes none".to_owned(),
            known => format!("it takes {}", known.join(", ")),
        },
    );
    Visitor::of(&request, &console).problem(StatusCode::BAD_REQUEST, problem)
}

/// A form of a page of this console, sent within its session.
pub(super) struct Form(pub(super) Fields);

pub(super) const FORM_TOKEN: &str = "form_token";

impl FromRequest<Arc<Console>> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Arc<Console>) -> Result<Self, Response> {
        let visitor = Visitor::of(&request, console);
        let is_form = is_form(request.headers());
        let body = to_bytes(request.into_body(), MAX_FORM).await.unwrap_or_default();
        let fields = Fields::parse(str::from_utf8(&body).unwrap_or_default());
        if visitor.has_session && is_form && console.session.is_of_form(fields.get(FORM_TOKEN)) {
            return Ok(Self(fields));
        }
        let problem = Problem::new(
            "this form is not of a page that this console has just shown",
            "open the page again, and send it from there: the console was restarted, or another page sent it",
        );
        Err(visitor.problem(StatusCode::FORBIDDEN, problem).into_response())
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim() == "application/x-www-form-urlencoded")
}

/// The greatest size of a form in bytes, far more than any has.
const MAX_FORM: usize = 256 * 1024;
