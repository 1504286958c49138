//! `/mailbox/attempts/N`: a refused attempt, and why it was refused.

use std::sync::Arc;

use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use seskey_local::mailbox::{Attempt, Statement, Step, Verdict};

use super::{
    super::{Layout, Nav, Visitor, command::Command, page, page::shown},
    Said, gone, inbox, said, units,
};

#[derive(Template)]
#[template(path = "mailbox_attempt.html")]
struct AttemptPage {
    layout: Layout,
    attempt: Arc<Attempt>,
    step: &'static str,
    decision: Option<(String, Option<Statement>)>,
    said: Vec<Said>,
    left_out: u32,
    command: String,
}

pub(in super::super) async fn show(visitor: Visitor, Path(number): Path<u64>) -> Response {
    let found = inbox(&visitor).and_then(|inbox| inbox.attempt(number));
    let Some(attempt) = found else { return gone(&visitor) };
    let dialogue = attempt.dialogue.as_ref();
    let attempt_page = AttemptPage {
        layout: visitor.layout(format!("Refused {}", step(&attempt.step)), Nav::Mailbox),
        step: step(&attempt.step),
        decision: attempt.decision.as_ref().map(decision),
        said: dialogue.map(said).unwrap_or_default(),
        left_out: dialogue.map_or(0, |dialogue| dialogue.left_out()),
        command: command(&attempt),
        attempt,
    };
    page(StatusCode::OK, &attempt_page)
}

pub(super) fn step(step: &Step) -> &'static str {
    match step {
        Step::Login => "at AUTH",
        Step::Mail => "at MAIL",
        Step::Rcpt => "at RCPT",
        Step::Data => "at DATA",
        Step::EndOfData => "at the end of the message",
        Step::Api => "by the API",
    }
}

/// Returns the decision of the policies in a sentence, and its statement.
fn decision(verdict: &Verdict) -> (String, Option<Statement>) {
    let named = |it: &Statement| match &it.sid {
        Some(sid) => {
            format!("statement {} ({}) of the {}", it.number, shown(sid), shown(&it.policy))
        }
        None => format!("statement {} of the {}", it.number, shown(&it.policy)),
    };
    match verdict {
        Verdict::ExplicitDeny { by } => (format!("Denied by {}.", named(by)), Some(by.clone())),
        Verdict::ImplicitDeny { policies } if policies.is_empty() => {
            ("Denied, as the user has no policy at all.".to_owned(), None)
        }
        Verdict::ImplicitDeny { policies } => {
            let policies: Vec<String> = policies.iter().map(|it| shown(it)).collect();
            let sentence = "Denied, as no statement allows it. These policies were looked at: ";
            (format!("{sentence}{}.", policies.join(", ")), None)
        }
        Verdict::Bounded { boundary, allowed_by } => (
            format!(
                "Allowed by {}, and not by the {}, which bounds it.",
                named(allowed_by),
                shown(boundary)
            ),
            Some(allowed_by.clone()),
        ),
    }
}

/// Returns the command line that explains more.
fn command(attempt: &Attempt) -> String {
    let recipient = attempt.recipients.first().map(String::as_str).unwrap_or_default();
    Command::new("diagnose")
        .option("user-name", attempt.access_key_id.as_deref().unwrap_or_default())
        .option("from", attempt.source.as_deref().unwrap_or_default())
        .option("to", recipient)
        .option("error", &attempt.reply)
        .shown()
}
