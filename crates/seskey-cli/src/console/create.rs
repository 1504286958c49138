//! `/credentials/new`: the form of the SES console, what will be made, and the making of it.

use askama::Template;
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
    settings::{Choice, choices},
};
use crate::explain::Failure;

/// What is filled in.
#[derive(Template)]
#[template(path = "new.html")]
struct New {
    layout: Layout,
    problem: Option<Problem>,
    fields: Fields,
    regions: Vec<Choice>,
}

/// What will be made, and the same form hidden.
#[derive(Template)]
#[template(path = "review.html")]
struct Review<'a> {
    layout: Layout,
    plan: Vec<Planned>,
    notes: Vec<String>,
    command: String,
    fields: &'a Fields,
    path: &'static str,
    button: &'static str,
}

/// A line of a plan, and the document in it, if there is one.
#[derive(Debug, PartialEq, Eq)]
struct Planned {
    text: String,
    document: Option<String>,
}

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

/// As the SES console names it.
fn proposed() -> String {
    UserName::proposed(Timestamp::now()).to_string()
}

/// Says what will be made; if that is what was asked for, makes it.
pub(super) async fn submit(visitor: Visitor, Form(fields): Form) -> Response {
    let fields = fields.or("user", proposed());
    if fields.get("step") == "change" {
        return filled_in(&visitor, fields, None);
    }
    if fields.get("step") == "create" {
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
    let review = Review {
        layout: visitor.layout("Review what will be made", Nav::Credentials),
        plan: planned(&asked.answer),
        notes: asked.lines.iter().map(|line| shown(line.text())).collect(),
        command: command.shown(),
        fields: &fields,
        path: "/credentials/new",
        button: "Create user",
    };
    page(StatusCode::OK, &review)
}

/// The command line that the form stands for.
fn command(fields: &Fields) -> Command {
    let command = Command::new("create");
    let command = ["region", "style", "path", "permissions-boundary"]
        .iter()
        .fold(command, |command, name| command.option(name, fields.get(name)));
    ["from", "identity", "configuration-set", "recipient", "source-ip", "tag"]
        .iter()
        .fold(command, |command, name| command.options(name, fields.lines(name)))
        .about(fields.get("user"))
}

/// The lines of a plan. A document begins behind a colon, and ends with the brace that stands alone.
fn planned(plan: &str) -> Vec<Planned> {
    let (mut planned, mut lines) = (vec![], plan.lines());
    while let Some(line) = lines.next() {
        let (text, document) = match line.strip_suffix(": {") {
            None => (line, None),
            Some(text) => {
                let mut document = "{".to_owned();
                for line in lines.by_ref() {
                    document += &format!("\n{line}");
                    if line == "}" {
                        break;
                    }
                }
                (text, Some(shown(&document)))
            }
        };
        planned.push(Planned { text: shown(text), document });
    }
    planned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_told_from_its_line() {
        let lines =
            planned("make it\ngive it the policy P: {\n  \"Id\": {\n  }\n}\nlog in to host: 587\n");
        let line = |text: &str| Planned { text: text.to_owned(), document: None };
        let document = Some("{\n  \"Id\": {\n  }\n}".to_owned());
        let policy = Planned { document, ..line("give it the policy P") };
        assert_eq!(lines, [line("make it"), policy, line("log in to host: 587")]);
    }
}
