//! The review of a change before it is made.

use askama::Template;
use axum::{http::StatusCode, response::Response};

use super::{
    Fields, Layout, Nav, Problem, Visitor,
    command::{Asked, Command},
    page,
    page::shown,
};

/// The page with the plan, and the hidden form that asked for it.
#[derive(Template)]
#[template(path = "review.html")]
pub(super) struct Review<'a> {
    layout: Layout,
    problem: Option<Problem>,
    plan: Vec<Planned>,
    notes: Vec<String>,
    command: String,
    fields: &'a Fields,
    path: String,
    button: &'static str,
    confirm: Confirm<'a>,
}

/// The confirmation that begins the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Confirm<'a> {
    /// The button alone.
    Button,
    /// A ticked box beside this sentence.
    Mark(&'static str),
    /// The name of the user, typed.
    Name(&'a str),
}

/// A line of a plan, and the document in it, if there is one.
#[derive(Debug, PartialEq, Eq)]
struct Planned {
    text: String,
    document: Option<String>,
}

impl<'a> Review<'a> {
    /// Makes the review from the output of a dry run.
    pub(super) fn new(
        visitor: &Visitor,
        asked: &Asked,
        command: &Command,
        fields: &'a Fields,
    ) -> Self {
        Self {
            layout: visitor.layout("Review what will be done", Nav::Credentials),
            problem: None,
            plan: planned(&asked.answer),
            notes: asked.lines.iter().map(|line| shown(line.text())).collect(),
            command: command.shown(),
            fields,
            path: "/credentials/new".to_owned(),
            button: "Create user",
            confirm: Confirm::Button,
        }
    }

    /// Sets another form.
    pub(super) fn of(self, path: String, button: &'static str, confirm: Confirm<'a>) -> Self {
        Self { path, button, confirm, ..self }
    }

    /// Adds the problem of a missing confirmation.
    pub(super) fn not_confirmed(self) -> Self {
        let (message, hint) = match self.confirm {
            Confirm::Name(_) => (
                "this is not the name of the user",
                "type it as it stands there: what is deleted does not come back",
            ),
            _ => ("the box is not ticked", "tick it, if you mean it"),
        };
        let problem = Problem { field: Some("confirm".to_owned()), ..Problem::new(message, hint) };
        Self { problem: Some(problem), ..self }
    }

    pub(super) fn answer(&self) -> Response {
        let status =
            if self.problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        page(status, self)
    }
}

impl Confirm<'_> {
    /// Whether the form has the confirmation.
    pub(super) fn is_given(self, fields: &Fields) -> bool {
        match self {
            Self::Button => true,
            Self::Mark(_) => fields.has("confirm"),
            Self::Name(name) => fields.get("confirm") == name,
        }
    }
}

/// Splits a plan into lines. A document begins after a colon, and ends with a brace on a line of its own.
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
