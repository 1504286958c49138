//! The refused attempts, and the dialogues of the sessions.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    Refused, json_response,
    parameters::{BadParameter, NoParameters, Parameters},
    wait::{NO_MESSAGE, Since},
};
use crate::{
    mailbox::{Attempt, Dialogue},
    service::LocalSes,
};

/// Lists the attempts that the parameters select, the oldest first.
pub(super) async fn list(
    State(ses): State<Arc<LocalSes>>,
    RawQuery(query): RawQuery,
) -> Result<Response, BadParameter> {
    let known = ["step", "from", "to", "user", "access_key_id", "since", "limit"];
    let parameters = Parameters::of(query.as_deref(), &known)?;
    let limit = parameters.parsed("limit", "a number")?.unwrap_or(usize::MAX);
    let wanted = Wanted::of(&parameters)?;
    let found: Vec<Arc<Attempt>> = {
        let mailbox = ses.state().mailbox();
        mailbox.attempts().filter(|attempt| wanted.is(attempt)).take(limit).cloned().collect()
    };
    Ok(json_response(&json!({"attempts": found.iter().map(|it| json!(**it)).collect::<Vec<_>>()})))
}

/// The conditions on an attempt; an absent condition holds.
struct Wanted<'a> {
    texts: Vec<(&'a str, &'static str)>,
    since: Option<Since>,
}

const STEPS: [&str; 6] = ["login", "mail", "rcpt", "data", "end-of-data", "api"];

impl<'a> Wanted<'a> {
    fn of(parameters: &'a Parameters) -> Result<Self, BadParameter> {
        if let Some(step) = parameters.get("step").filter(|step| !STEPS.contains(step)) {
            return Err(BadParameter(format!("step is one of {}: {step}", STEPS.join(", "))));
        }
        let named = ["step", "from", "to", "user", "access_key_id"];
        let texts = named.into_iter().filter_map(|name| Some((parameters.get(name)?, name)));
        Ok(Self { texts: texts.collect(), since: Since::of(parameters, "an attempt")? })
    }

    fn is(&self, attempt: &Attempt) -> bool {
        let is_since =
            self.since.as_ref().is_none_or(|since| since.is(attempt.timestamp, attempt.number));
        let same = |it: &Option<String>, wanted: &str| {
            it.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(wanted))
        };
        is_since
            && self.texts.iter().all(|(wanted, name)| match *name {
                "step" => attempt.step.name() == *wanted,
                "from" => same(&attempt.source, wanted),
                "to" => attempt.recipients.iter().any(|it| it.eq_ignore_ascii_case(wanted)),
                "user" => attempt.user.as_ref().is_some_and(|arn| is_user(arn, wanted)),
                _ => same(&attempt.access_key_id, wanted),
            })
    }
}

/// Whether a user is meant, by the ARN or by the name at its end.
fn is_user(arn: &str, wanted: &str) -> bool {
    arn == wanted || arn.rsplit_once('/').is_some_and(|(_, name)| name == wanted)
}

/// Deletes all attempts.
pub(super) async fn delete(_: NoParameters, State(ses): State<Arc<LocalSes>>) -> StatusCode {
    ses.state().delete_attempts(None);
    StatusCode::NO_CONTENT
}

/// Returns the dialogue up to a refusal.
pub(super) async fn dialogue(
    _: NoParameters,
    State(ses): State<Arc<LocalSes>>,
    Path(id): Path<String>,
) -> Response {
    let found = {
        let mailbox = ses.state().mailbox();
        mailbox.attempts().find(|attempt| attempt.number.to_string() == id).cloned()
    };
    match found {
        Some(attempt) => said(attempt.dialogue.as_ref()),
        None => Refused(StatusCode::NOT_FOUND, "there is no attempt of that ID").into_response(),
    }
}

/// Returns the dialogue up to a message, and for it.
pub(super) async fn dialogue_of_message(
    _: NoParameters,
    State(ses): State<Arc<LocalSes>>,
    Path(id): Path<String>,
) -> Response {
    match ses.state().message(&id) {
        Some(message) => said(message.dialogue()),
        None => NO_MESSAGE.into_response(),
    }
}

fn said(dialogue: Option<&Dialogue>) -> Response {
    let left_out = dialogue.map_or(0, Dialogue::left_out);
    let lines: Value = dialogue.map_or(Value::Null, |dialogue| json!(dialogue));
    json_response(&json!({"dialogue": lines, "left_out": left_out}))
}
