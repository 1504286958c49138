//! `/mailbox`: the messages that the local SES has accepted and refused. It is asked directly, as it is in this
//! process.

use askama::Template;
use axum::{
    extract::{Path, RawQuery},
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use form_urlencoded::Serializer;
use jiff::tz::TimeZone;
use seskey_local::{
    CommitFailed,
    inbox::{Inbox, Kind, Listed, Row, Search, Show},
};

use super::{Fields, Form, Layout, Nav, Problem, Visitor, page, page::shown};

pub(super) mod attempt;
pub(super) mod message;
mod units;

#[derive(Template)]
#[template(path = "mailbox.html")]
struct Mailbox {
    layout: Layout,
    problem: Option<Problem>,
    query: String,
    show: &'static str,
    listed: Listed,
    /// The numbers of the first and the last row, from 1.
    first: usize,
    last: usize,
    newer: Option<String>,
    older: Option<String>,
    /// The query of this page.
    here: String,
}

/// The number of rows of a page.
const PAGE: usize = 50;

/// The parameters of its query.
pub(super) const PARAMETERS: &[&str] = &["query", "show", "start"];

/// Lists messages and refused attempts, the newest first.
pub(super) async fn list(visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let fields = Fields::parse(&query.unwrap_or_default());
    let query = fields.get("query").to_owned();
    let (show, named) = match fields.get("show") {
        "accepted" => (Show::Accepted, "accepted"),
        "refused" => (Show::Refused, "refused"),
        _ => (Show::All, ""),
    };
    let start: usize = fields.get("start").parse().unwrap_or(0);
    let (search, problem) = match Search::parse(&query) {
        Ok(search) => (search, None),
        Err(bad) => {
            let hint =
                "such as from:ann subject:\"your order\" has:attachment is:unread after:2026-01-31";
            let mut problem = Problem::new(bad.to_string(), hint);
            problem.field = Some("query".to_owned());
            (Search::default(), Some(problem))
        }
    };
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let Some(inbox) = inbox(&visitor) else { return page::not_found(visitor).await };
    // the search may read every message
    let list = tokio::task::spawn_blocking(move || inbox.list(&search, show, start, PAGE));
    let listed = list.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    let at = |start: usize| {
        let mut query_string = Serializer::new(String::new());
        let start = (start > 0).then(|| start.to_string());
        for (name, value) in
            [("query", &*query), ("show", named), ("start", start.as_deref().unwrap_or(""))]
        {
            if !value.is_empty() {
                query_string.append_pair(name, value);
            }
        }
        query_string.finish()
    };
    let last = start + listed.rows.len();
    let mailbox = Mailbox {
        layout: visitor.layout("Mailbox", Nav::Mailbox),
        problem,
        first: if listed.rows.is_empty() { last } else { start + 1 },
        last,
        newer: (start > 0).then(|| at(start.saturating_sub(PAGE))),
        older: (last < listed.found).then(|| at(last)),
        here: at(start),
        query,
        show: named,
        listed,
    };
    page(status, &mailbox)
}

impl Mailbox {
    fn counts(&self) -> String {
        let Listed { messages, unread, attempts, .. } = &self.listed;
        format!("{}, {unread} unread; {}", units::messages(messages), units::attempts(attempts))
    }

    fn to(&self, row: &Row) -> String {
        match row.to.as_slice() {
            [] => String::new(),
            [one] => shown(one),
            [first, others @ ..] => format!("{} and {} more", shown(first), others.len()),
        }
    }
}

/// Deletes a message or an attempt, or marks a message as read or unread.
pub(super) async fn change(visitor: Visitor, Form(fields): Form) -> Response {
    let Some(inbox) = inbox(&visitor) else { return page::not_found(visitor).await };
    let (id, attempt) = (fields.get("id"), fields.get("attempt").parse());
    match (fields.get("do"), attempt) {
        ("delete", Ok(attempt)) => inbox.delete_attempt(attempt),
        ("delete", Err(_)) if !id.is_empty() => {
            if let Err(CommitFailed) = inbox.delete(id).await {
                return not_kept(&visitor);
            }
        }
        ("read", _) => inbox.set_read(id, true),
        ("unread", _) => inbox.set_read(id, false),
        _ => {}
    }
    back(fields.get("back"))
}

#[derive(Template)]
#[template(path = "mailbox_delete.html")]
struct Delete {
    layout: Layout,
    messages: usize,
    attempts: usize,
}

/// Asks for confirmation before everything is deleted.
pub(super) async fn ask(visitor: Visitor) -> Response {
    let Some(inbox) = inbox(&visitor) else { return page::not_found(visitor).await };
    let Listed { messages, attempts, .. } = inbox.list(&Search::default(), Show::All, 0, 0);
    let layout = visitor.layout("Delete all", Nav::Mailbox);
    page(StatusCode::OK, &Delete { layout, messages, attempts })
}

pub(super) async fn delete_all(visitor: Visitor, _: Form) -> Response {
    let Some(inbox) = inbox(&visitor) else { return page::not_found(visitor).await };
    match inbox.delete_all().await {
        Ok(()) => back(""),
        Err(CommitFailed) => not_kept(&visitor),
    }
}

/// Returns the mailbox, if the account is in a local SES.
fn inbox(visitor: &Visitor) -> Option<Inbox> {
    Some(visitor.place.local.as_ref()?.inbox.clone())
}

/// Redirects to the list as it was.
fn back(query: &str) -> Response {
    let fields = Fields::parse(query);
    let mut query = Serializer::new(String::new());
    for (name, value) in fields.again() {
        query.append_pair(name, value);
    }
    (StatusCode::SEE_OTHER, [(LOCATION, format!("/mailbox?{}", query.finish()))]).into_response()
}

fn gone(visitor: &Visitor) -> Response {
    let hint = "it was deleted, or had to make room for newer ones; the mailbox has what there is";
    visitor.problem(StatusCode::NOT_FOUND, Problem::new("there is no such message", hint))
}

fn not_kept(visitor: &Visitor) -> Response {
    let problem = Problem::new("it was not deleted", "the directory of --data cannot be written");
    visitor.problem(StatusCode::SERVICE_UNAVAILABLE, problem)
}

/// A line of a dialogue, as a table shows it.
struct Said {
    at: String,
    by: &'static str,
    text: String,
}

fn said(dialogue: &seskey_local::mailbox::Dialogue) -> Vec<Said> {
    use seskey_local::mailbox::By;
    let lines = dialogue.lines().map(|line| Said {
        at: line.at.to_zoned(TimeZone::UTC).strftime("%H:%M:%S%.3f").to_string(),
        by: match line.by {
            By::Client => "client",
            By::Server => "server",
            By::Note => "note",
        },
        text: shown(line.text),
    });
    lines.collect()
}

/// The ID in the path of a page.
type Id = Path<String>;
