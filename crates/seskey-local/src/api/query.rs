//! The Query protocol, which IAM, STS, SNS and version 1 of the SES API use: parameters in, XML out.
//!
//! Source: IAM API Reference, "Making query requests".

pub use members::Members;
pub use xml::Xml;

use super::Response;
use crate::{refusal::ApiRefusal, sigv4::HttpRequest};

pub(crate) mod members;
pub(crate) mod shapes;
pub mod xml;

/// An API that uses it.
#[derive(Debug, Clone, Copy)]
pub struct Query {
    /// The namespace of every answer.
    pub namespace: &'static str,
    /// The one version of the API.
    pub version: &'static str,
}

impl Query {
    /// Returns the operation that the parameters ask for; `find` finds an operation by its name.
    pub(super) fn operation<T>(
        &self,
        members: &Members,
        find: impl Fn(&str) -> Option<&'static T>,
    ) -> Result<&'static T, ApiRefusal> {
        let action = members.get("Action").ok_or(ApiRefusal::MissingAction)?;
        let version = members.get("Version").unwrap_or("NO_VERSION_SPECIFIED");
        find(action).filter(|_| version == self.version).ok_or_else(|| ApiRefusal::InvalidAction {
            action: action.to_owned(),
            version: version.to_owned(),
        })
    }

    /// Returns the document of an answer. An operation without output has no `…Result` element.
    pub(super) fn answer(
        &self,
        operation: &str,
        has_result: bool,
        result: impl FnOnce(&mut Xml),
        request_id: &str,
    ) -> String {
        xml::document(&format!("{operation}Response"), self.namespace, |xml| {
            match has_result {
                true => xml.element(&format!("{operation}Result"), result),
                false => result(xml),
            }
            xml.element("ResponseMetadata", |xml| xml.text("RequestId", request_id));
        })
    }

    /// Returns the document of an error. Source: IAM API Reference, "Common Errors".
    pub(super) fn error(&self, status: u16, code: &str, message: &str, request_id: &str) -> String {
        xml::document("ErrorResponse", self.namespace, |xml| {
            xml.element("Error", |xml| {
                xml.text("Type", if status < 500 { "Sender" } else { "Receiver" });
                xml.text("Code", code);
                xml.text("Message", message);
            });
            xml.text("RequestId", request_id);
        })
    }
}

/// Returns a response with a document.
pub(super) fn response(status: u16, request_id: String, body: String) -> Response {
    Response { status, content_type: "text/xml", error_type: None, request_id, body }
}

/// Returns the `Action` parameter of a request, served or not.
pub(super) fn named_action(request: &HttpRequest<'_>) -> Option<String> {
    let named = |form| members::value_of(form, "Action");
    named(request.query.as_bytes()).or_else(|| named(request.body))
}

/// Reads the parameters: from the query string of a GET, from the body of a POST.
pub(super) fn members(request: &HttpRequest<'_>) -> Result<Members, ApiRefusal> {
    match request.method {
        // a plus sign is signed as itself, but a form would decode it to a blank
        "GET" => Members::parse(request.query.replace('+', "%2B").as_bytes()),
        "POST" if is_form(request.header("content-type")) => Members::parse(request.body),
        _ => Err(ApiRefusal::MissingAction),
    }
}

fn is_form(content_type: Option<&str>) -> bool {
    let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
