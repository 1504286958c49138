//! `/credentials/{user}`: a user, and the actions on it.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, RawQuery},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use jiff::Timestamp;
use serde::Deserialize;
use seskey::store::{Kubectl, Store, StoreKind};

use super::{
    Fields, Form, Layout, Nav, Problem, Visitor,
    command::Command,
    credentials::{self, User, list, path},
    job::Job,
    page,
    page::{shown, status},
    review::{Confirm, Review},
};
use crate::explain::{Failure, Result};

#[derive(Template)]
#[template(path = "user.html")]
struct UserPage {
    layout: Layout,
    now: Timestamp,
    problem: Option<Problem>,
    name: String,
    user: Option<User>,
    jobs: Vec<Arc<Job>>,
    fields: Fields,
    verdict: Option<Verdict>,
    report: Option<String>,
}

/// The answer of `seskey policy check --json`.
#[derive(Debug, Deserialize)]
struct Verdict {
    decision: String,
    reason: String,
}

/// The actions on a user: the verb, the text of its button, and the confirmation.
const DEEDS: [(&str, &str, &str); 5] = [
    ("rotate", "Rotate", ""),
    ("undo", "Activate the old key", ""),
    ("revoke", "Deactivate every key", "Mail that is sent by these keys stops now"),
    ("migrate", "Move it to the group", ""),
    ("delete", "Delete the user", "its name"),
];

/// The parameters of its query.
pub(super) const PARAMETERS: &[&str] = &["check", "diagnose", "from", "to", "region", "error"];

pub(super) async fn show(
    visitor: Visitor,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    look(&visitor, &name, Fields::parse(&query.unwrap_or_default()), None).await
}

/// Redirects from an address that only a form leads to.
pub(super) async fn back(Path((name, _)): Path<(String, String)>) -> Redirect {
    Redirect::to(&path(&name))
}

/// Answers with the page, with the result of a form on it, or the fault in one.
async fn look(visitor: &Visitor, name: &str, fields: Fields, failure: Option<Failure>) -> Response {
    let filter = [format!("user={name}")];
    let found = list(visitor, &filter, true).await;
    let found = found.map(|users| users.into_iter().find(|user| user.user_name == name));
    let jobs = visitor.jobs.of_user(name);
    let mut code = failure.as_ref().map_or(StatusCode::OK, status);
    let mut problem = failure.as_ref().map(Problem::of);
    let mut user = None;
    match found {
        Ok(Some(found)) => user = Some(found),
        Ok(None) => {
            code = StatusCode::NOT_FOUND;
            let hint = "it may have been deleted; the list shows the users that there are";
            problem = Some(Problem::new(format!("there is no user {}", shown(name)), hint));
        }
        Err(failure) => {
            code = status(&failure);
            problem = Some(Problem::of(&failure));
        }
    }
    let (mut verdict, mut report) = (None, None);
    if user.is_some() && fields.has("check") {
        match check(visitor, name, &fields).await {
            Ok(told) => verdict = Some(told),
            Err(failure) => problem = Some(Problem::of(&failure)),
        }
    }
    if let (Some(user), true) = (&user, fields.has("diagnose")) {
        match diagnose(visitor, user, &fields).await {
            Ok(told) => report = Some(told),
            Err(failure) => problem = Some(Problem::of(&failure)),
        }
    }
    let layout = visitor.layout(shown(name), Nav::Credentials);
    let (name, now) = (name.to_owned(), visitor.now());
    page(code, &UserPage { layout, now, problem, name, user, jobs, fields, verdict, report })
}

/// Checks whether the user may send from this address to these.
async fn check(visitor: &Visitor, name: &str, fields: &Fields) -> Result<Verdict> {
    let command = Command::new("policy")
        .verb("check")
        .option("user", name)
        .option("from", fields.get("from"))
        .options("to", fields.lines("to"))
        .option("region", fields.get("region"))
        .flag("json", true);
    let asked = visitor.ask(&command).await;
    asked.end?;
    serde_json::from_str(&asked.answer)
        .map_err(|error| Failure::new(error.to_string(), "this is a fault of the program"))
}

/// Diagnoses why the user does not send.
async fn diagnose(visitor: &Visitor, user: &User, fields: &Fields) -> Result<String> {
    let key = user.access_keys.iter().find(|key| key.status == "Active");
    let key = key.or_else(|| user.access_keys.first()).ok_or_else(|| {
        Failure::new(
            format!("{} has no access key", user.user_name),
            "rotate makes one, and delivers it",
        )
    })?;
    let command = Command::new("diagnose")
        .option("user-name", &key.access_key_id)
        .option("from", fields.get("from"))
        .option("to", fields.lines("to").next().unwrap_or_default())
        .option("error", fields.get("error"))
        .option("region", user.region.as_deref().unwrap_or_default());
    let asked = visitor.ask(&command).await;
    asked.end.map(|_| shown(asked.answer.trim_end()))
}

/// Shows what an action will do, or begins it once it is confirmed.
pub(super) async fn submit(
    visitor: Visitor,
    Path((name, deed)): Path<(String, String)>,
    Form(fields): Form,
) -> Response {
    let Some((_, button, confirm)) = DEEDS.iter().find(|(verb, ..)| *verb == deed) else {
        return page::not_found(visitor).await;
    };
    let command = match command(&name, &deed, &fields) {
        Ok(command) if fields.get("step") != "change" => command,
        Ok(_) => return look(&visitor, &name, fields, None).await,
        Err(failure) => return look(&visitor, &name, fields, Some(failure)).await,
    };
    let confirm = match *confirm {
        "" => Confirm::Button,
        "its name" => Confirm::Name(&name),
        sentence => Confirm::Mark(sentence),
    };
    let begins = fields.get("step") == "begin";
    if begins && confirm.is_given(&fields) {
        let title = format!("{button}: {}", shown(&name));
        let command = command.flag("yes", deed == "delete");
        return Redirect::to(&visitor.begin(title, &name, &command)).into_response();
    }
    let asked = visitor.ask(&command.clone().flag("dry-run", true)).await;
    if let Err(failure) = asked.end {
        return look(&visitor, &name, fields, Some(failure)).await;
    }
    let review = Review::new(&visitor, &asked, &command, &fields);
    let review = review.of(format!("{}/{deed}", path(&name)), button, confirm);
    let review = if begins { review.not_confirmed() } else { review };
    review.answer()
}

/// Whether a store names a program to run. A kubeconfig may name one too.
fn runs_a_program(store: &str) -> bool {
    match store.parse::<Store>().map(|store| store.kind) {
        Ok(StoreKind::Exec { .. }) => true,
        Ok(StoreKind::Kubernetes(Kubectl { program, kubeconfig, .. })) => {
            program.is_some() || kubeconfig.is_some()
        }
        Ok(StoreKind::File { .. } | StoreKind::SecretsManager(_) | StoreKind::Ssm(_)) => false,
        // the verb explains the error
        Err(_) => false,
    }
}

/// Returns the command line of an action.
fn command(name: &str, deed: &str, fields: &Fields) -> Result<Command> {
    if fields.lines("to").any(runs_a_program) {
        return Err(Failure::usage(
            "--to: a page runs no commands",
            "an exec: store, a kubectl of its own and its kubeconfig are named on the command line, or take another store",
        ));
    }
    Ok(match deed {
        "rotate" => ["max-age", "grace", "quarantine"]
            .iter()
            .fold(Command::new("rotate"), |command, name| command.option(name, fields.get(name)))
            .options("to", fields.lines("to"))
            .flag("now", fields.has("now"))
            .flag("force", fields.has("force")),
        "undo" => Command::new("rotate").flag("undo", true),
        "revoke" => {
            let replaces = fields.lines("to").next().is_some();
            Command::new("revoke").flag("replace", replaces).options("to", fields.lines("to"))
        }
        "migrate" => Command::new("migrate").flag("widen", fields.has("widen")),
        _ => Command::new("delete"),
    }
    .about(name))
}
