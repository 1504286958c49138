//! What will be done, before it is done.

use askama::Template;
use axum::{http::StatusCode, response::Response};

use super::{
    Fields, Layout, Nav, Problem, Visitor,
    command::{Asked, Command},
    page,
    page::shown,
};

/// What will be done, and the form that asked for it, hidden.
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

/// What must be said to begin it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Confirm<'a> {
    /// No more than the button.
    Button,
    /// This sentence, by a mark.
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
    /// Of what a command said that only looked.
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

    /// The same for another form.
    pub(super) fn of(self, path: String, button: &'static str, confirm: Confirm<'a>) -> Self {
        Self { path, button, confirm, ..self }
    }

    /// The same, sent before without what confirms it.
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
    /// Whether the form says what must be said.
    pub(super) fn is_given(self, fields: &Fields) -> bool {
        match self {
            Self::Button => true,
            Self::Mark(_) => fields.has("confirm"),
            Self::Name(name) => fields.get("confirm") == name,
        }
    }
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
