//! `/credentials`: the users that may send, as `seskey list` lists them.

use askama::Template;
use axum::{extract::RawQuery, http::StatusCode, response::Response};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::{Fields, Layout, Nav, Problem, Visitor, command::Command, page};
use crate::explain::{Failure, Result};

/// A user in the answer of `seskey list --json`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct User {
    pub(super) user_name: String,
    pub(super) style: Option<String>,
    pub(super) region: Option<String>,
    pub(super) access_keys: Vec<Key>,
    pub(super) worst_finding: Option<Finding>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Key {
    pub(super) access_key_id: String,
    pub(super) status: String,
    created: Option<Timestamp>,
    last_used: Option<LastUsed>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Finding {
    pub(super) id: String,
    pub(super) severity: String,
}

#[derive(Debug, Clone, Deserialize)]
struct LastUsed {
    date: Timestamp,
    region: Option<String>,
    service: Option<String>,
}

#[derive(Template)]
#[template(path = "credentials.html")]
struct Credentials {
    layout: Layout,
    now: Timestamp,
    problem: Option<Problem>,
    users: Vec<User>,
    name: String,
    status: String,
    older: String,
    all: bool,
}

/// The parameters of its query.
pub(super) const PARAMETERS: &[&str] = &["name", "status", "older", "all"];

pub(super) async fn show(visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let fields = Fields::parse(&query.unwrap_or_default());
    let (name, older) = (fields.get("name"), fields.get("older"));
    let mut filters = vec![];
    if !name.is_empty() {
        filters.push(format!("user=*{name}*"));
    }
    if fields.has("status") {
        filters.push(format!("status={}", fields.get("status")));
    }
    if !older.is_empty() {
        filters.push(format!("age>{older}"));
    }
    let (problem, users) = match list(&visitor, &filters, fields.has("all")).await {
        Ok(users) => (None, users),
        Err(failure) => (Some(Problem::of(&failure)), vec![]),
    };
    let status = if problem.is_some() { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
    let credentials = Credentials {
        layout: visitor.layout("SMTP credentials", Nav::Credentials),
        now: visitor.now(),
        problem,
        users,
        name: name.to_owned(),
        status: fields.get("status").to_owned(),
        older: older.to_owned(),
        all: fields.has("all"),
    };
    page(status, &credentials)
}

/// Returns the answer of `seskey list`.
pub(super) async fn list(visitor: &Visitor, filters: &[String], all: bool) -> Result<Vec<User>> {
    let command = Command::new("list")
        .flag("json", true)
        .flag("all", all)
        .options("filter", filters.iter().map(String::as_str));
    let asked = visitor.ask(&command).await;
    asked.end?;
    serde_json::from_str(&asked.answer).map_err(|error| {
        Failure::new(format!("the list cannot be read: {error}"), "this is a fault of the program")
    })
}

impl User {
    /// Returns the path of the user's page.
    pub(super) fn path(&self) -> String {
        path(&self.user_name)
    }

    /// Whether the user sends by a policy of its own.
    pub(super) fn is_inline(&self) -> bool {
        self.style.as_deref() == Some("inline")
    }
}

impl Key {
    pub(super) fn age(&self, now: &Timestamp) -> String {
        self.created.map_or_else(|| "unknown".to_owned(), |created| days(created, *now))
    }

    pub(super) fn used(&self, now: &Timestamp) -> String {
        let Some(LastUsed { date, region, service }) = &self.last_used else {
            return "never".to_owned();
        };
        let place = [service, region].into_iter().flatten().map(String::as_str);
        let place = place.collect::<Vec<_>>().join(", ");
        format!("{} ago{}{place}", days(*date, *now), if place.is_empty() { "" } else { ": " })
    }
}

/// Returns the path of the page of a user.
pub(super) fn path(user: &str) -> String {
    // a user may have the name of the page of the form
    match user {
        "new" => "/credentials/%6Eew".to_owned(),
        user => format!("/credentials/{}", utf8_percent_encode(user, NON_ALPHANUMERIC)),
    }
}

fn days(from: Timestamp, to: Timestamp) -> String {
    match to.duration_since(from).as_hours() {
        hours @ ..24 => format!("{} h", hours.max(0)),
        hours @ 24..48 => format!("{} day", hours / 24),
        hours => format!("{} days", hours / 24),
    }
}
