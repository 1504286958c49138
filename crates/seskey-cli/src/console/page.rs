//! The layout of all pages, and the visitor of a page.

use std::{convert::Infallible, ops::Deref, sync::Arc};

use askama::Template;
use axum::{
    extract::{FromRequestParts, Request},
    http::{StatusCode, request::Parts},
    response::{Html, IntoResponse, Response},
};
use jiff::Timestamp;

use super::Console;
use crate::{
    exit::Exit,
    explain::Failure,
    output::{bare, printable},
};

/// The person who asks for a page.
pub(super) struct Visitor {
    pub(super) console: Arc<Console>,
    /// Whether the visitor may see secrets and send forms.
    pub(super) has_session: bool,
}

/// The heading that a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nav {
    Settings,
    Credentials,
    Mailbox,
    None,
}

/// The parts around each page.
pub(super) struct Layout {
    pub(super) title: String,
    pub(super) nav: Nav,
    /// The token of the forms; absent without a session.
    pub(super) form_token: Option<String>,
    /// Whether the account is in a local SES.
    pub(super) is_local: bool,
}

/// A problem, at the top of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) hint: String,
    /// The field that it is about.
    pub(super) field: Option<String>,
}

/// A page with nothing but a problem.
#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    layout: Layout,
    problem: Problem,
}

impl Visitor {
    pub(super) fn of(request: &Request, console: &Arc<Console>) -> Self {
        Self { console: console.clone(), has_session: console.session.is_open(request.headers()) }
    }

    pub(super) fn layout(&self, title: impl Into<String>, nav: Nav) -> Layout {
        Layout {
            title: title.into(),
            nav,
            form_token: self.has_session.then(|| self.session.form_token().to_owned()),
            is_local: self.place.local.is_some(),
        }
    }

    /// Returns the time in the account.
    pub(super) fn now(&self) -> Timestamp {
        self.place.local.as_ref().map_or_else(Timestamp::now, |local| local.inbox.now())
    }

    /// Answers with a page that shows only a problem.
    pub(super) fn problem(&self, status: StatusCode, problem: Problem) -> Response {
        let layout = self.layout("This did not work", Nav::None);
        page(status, &ProblemPage { layout, problem })
    }

    pub(super) fn failed(&self, failure: &Failure) -> Response {
        self.problem(status(failure), Problem::of(failure))
    }
}

impl Deref for Visitor {
    type Target = Console;

    fn deref(&self) -> &Console {
        &self.console
    }
}

impl FromRequestParts<Arc<Console>> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        console: &Arc<Console>,
    ) -> Result<Self, Infallible> {
        let has_session = console.session.is_open(&parts.headers);
        Ok(Self { console: console.clone(), has_session })
    }
}

impl Problem {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into(), field: None }
    }

    /// Words a failure as the command line does. A field has the name of its option.
    pub(super) fn of(failure: &Failure) -> Self {
        let (message, hint) = bare(failure, &[]);
        let field = match failure.about.as_deref() {
            Some("NAME") => Some("user"),
            about => about.and_then(|option| option.strip_prefix("--")),
        };
        Self { field: field.map(str::to_owned), ..Self::new(shown(&message), shown(&hint)) }
    }
}

/// Returns the HTTP status of a failure.
pub(super) fn status(failure: &Failure) -> StatusCode {
    match failure.exit {
        Exit::Usage => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::BAD_GATEWAY,
    }
}

/// Returns the response that shows a page.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Response {
    let html =
        template.render().expect("the templates write to a string, and their values are texts");
    (status, Html(html)).into_response()
}

pub(super) async fn not_found(visitor: Visitor) -> Response {
    let problem =
        Problem::new("there is no such page", "the headings above lead to those that there are");
    visitor.problem(StatusCode::NOT_FOUND, problem)
}

/// Returns a text for a page. A mark that changes the direction of writing is replaced by a visible one.
pub(super) fn shown(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    printable(text).replace(turns, "\u{fffd}")
}
