//! The credential that a verb made: it is shown once, and written into the files of the programs that read it.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::Path,
    http::{
        StatusCode,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Redirect, Response},
};
use seskey::render::Target;

use super::{
    Form, Layout, Nav, Problem, Visitor, credentials,
    job::{Job, gone},
    kept::{Made, Standing, WHILE, target},
    page,
};

#[derive(Template)]
#[template(path = "credential.html")]
struct Shown {
    layout: Layout,
    id: u64,
    made: Made,
    ticket: String,
    minutes: u64,
}

/// Answers with the only page that has the password in it.
pub(super) async fn show(visitor: Visitor, Path(id): Path<u64>, _: Form) -> Response {
    let Some(job) = visitor.jobs.find(id) else { return gone(&visitor) };
    let Some((made, ticket)) = job.kept.show() else { return was_taken(&visitor, &job) };
    let (later, of_page) = (job.clone(), ticket.clone());
    tokio::spawn(async move {
        tokio::time::sleep(WHILE).await;
        later.kept.forget(of_page.expose());
    });
    let shown = Shown {
        layout: visitor.layout("SMTP credentials", Nav::Credentials),
        id,
        made,
        ticket: ticket.expose().to_owned(),
        minutes: WHILE.as_secs() / 60,
    };
    page(StatusCode::OK, &shown)
}

/// Redirects from an address that only a form leads to: a tab was restored, or a bookmark opened.
pub(super) async fn back(Path(id): Path<u64>) -> Redirect {
    Redirect::to(&format!("/jobs/{id}"))
}

/// Answers with the credential as a file, which a browser saves and does not show.
pub(super) async fn file(visitor: Visitor, Path(id): Path<u64>, Form(fields): Form) -> Response {
    let Some(job) = visitor.jobs.find(id) else { return gone(&visitor) };
    let target = match target(fields.get("target")) {
        Ok(target) => target,
        Err(failure) => return visitor.failed(&failure),
    };
    let (ticket, from) = (fields.get("ticket"), Some(fields.get("from")));
    let from = from.filter(|from| !from.is_empty());
    // a target that has no place for the credential must not take it
    if let Some(Err(failure)) = job.kept.peek(|made| made.render(target, from).map(drop)) {
        return visitor.failed(&failure);
    }
    let Some(made) = job.kept.file(ticket) else { return was_taken(&visitor, &job) };
    let text = match target {
        Target::Csv => Ok(made.csv()),
        target => made.render(target, from),
    };
    match text {
        Ok(text) => as_file(&made, target, text),
        Err(failure) => visitor.failed(&failure),
    }
}

fn as_file(made: &Made, target: Target, text: String) -> Response {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let user: String = made.told.user_name.chars().map(plain).collect();
    let (name, kind) = match target {
        Target::Csv => (format!("{user}.csv"), "text/csv; charset=utf-8"),
        target => (format!("{user}.{target}.txt"), "text/plain; charset=utf-8"),
    };
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, disposition)], text).into_response()
}

/// Forgets the credential, and redirects to its user.
pub(super) async fn leave(visitor: Visitor, Path(id): Path<u64>, Form(fields): Form) -> Response {
    let Some(job) = visitor.jobs.find(id) else { return gone(&visitor) };
    job.kept.forget(fields.get("ticket"));
    Redirect::to(&credentials::path(&job.user)).into_response()
}

fn was_taken(visitor: &Visitor, job: &Arc<Job>) -> Response {
    if job.kept.standing() == Standing::None {
        let problem = Problem::new("this made no SMTP password", "its page shows how it ended");
        return visitor.problem(StatusCode::NOT_FOUND, problem);
    }
    let problem = Problem::new(
        "the SMTP password was shown or downloaded before, and it is not shown again",
        format!(
            "if nobody has it, rotate {} or delete it: AWS cannot show the secret again either",
            page::shown(&job.user)
        ),
    );
    visitor.problem(StatusCode::GONE, problem)
}
