//! `/credentials/new`: the form of the SES console, its review, and the creation of the user.

use askama::{Template, filters::Safe};
use axum::{
    extract::RawQuery,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use jiff::Timestamp;
use seskey::{
    Region,
    user::{SENDING_GROUP, UserName},
};

use super::{
    Fields, Form, Layout, Nav, Problem, Visitor,
    command::Command,
    page,
    page::{shown, status},
    review::Review,
    settings::{Choice, choices},
};
use crate::explain::Failure;

/// The page with the form.
#[derive(Template)]
#[template(path = "new.html")]
struct New {
    layout: Layout,
    problem: Option<Problem>,
    fields: Fields,
    regions: Vec<Choice>,
}

impl New {
    /// Returns the attribute that marks the faulty field.
    fn invalid(&self, field: &str) -> Safe<&'static str> {
        let wrong = self.problem.as_ref().and_then(|problem| problem.field.as_deref());
        Safe(if wrong == Some(field) { " aria-invalid=\"true\"" } else { "" })
    }
}

/// The fields of the form: the name of the user, and options of `create`. The query may fill in each.
pub(super) const FIELDS: &[&str] = &[
    "user",
    "region",
    "style",
    "path",
    "permissions-boundary",
    "from",
    "identity",
    "configuration-set",
    "recipient",
    "source-ip",
    "tag",
];

pub(super) async fn form(visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let fields = Fields::parse(&query.unwrap_or_default()).or("user", proposed());
    filled_in(&visitor, fields, None)
}

fn filled_in(visitor: &Visitor, fields: Fields, failure: Option<&Failure>) -> Response {
    let chosen = Region::parse_unknown(fields.get("region")).ok();
    let new = New {
        layout: visitor.layout("Create user for SMTP", Nav::Credentials),
        problem: failure.map(Problem::of),
        regions: choices(chosen.as_ref().or(visitor.place.region.as_ref())),
        fields,
    };
    page(failure.map_or(StatusCode::OK, status), &new)
}

/// Returns a user name like the ones of the SES console.
fn proposed() -> String {
    UserName::proposed(Timestamp::now()).to_string()
}

/// Shows what will be made, or begins to make it once it was reviewed.
pub(super) async fn submit(visitor: Visitor, Form(fields): Form) -> Response {
    let fields = fields.or("user", proposed());
    if fields.get("step") == "change" {
        return filled_in(&visitor, fields, None);
    }
    if fields.get("step") == "begin" {
        let user = fields.get("user");
        let command = command(&fields).flag("json", true);
        let path = visitor.begin(format!("Creating {}", shown(user)), user, &command);
        return Redirect::to(&path).into_response();
    }
    let command = command(&fields);
    let asked = visitor.ask(&command.clone().flag("dry-run", true)).await;
    if let Err(failure) = &asked.end {
        return filled_in(&visitor, fields, Some(failure));
    }
    Review::new(&visitor, &asked, &command, &fields).answer()
}

/// Returns the command line that the form stands for.
fn command(fields: &Fields) -> Command {
    let options = FIELDS.iter().filter(|name| **name != "user");
    options
        .fold(Command::new("create"), |command, name| command.options(name, fields.lines(name)))
        .about(fields.get("user"))
}
