//! The next message to a recipient, which a test waits for, and the links and codes in it.

use std::{str::FromStr, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::json;
use tokio::time::timeout;

use super::{
    Refused, json_response,
    listing::Listing,
    parameters::{BadParameter, NoParameters, Parameters},
};
use crate::{mailbox::Message, message::Parsed, service::LocalSes};

/// Waits for the oldest message that the parameters select; 204 if none comes in time.
pub(super) async fn wait(
    State(ses): State<Arc<LocalSes>>,
    RawQuery(query): RawQuery,
) -> Result<Response, BadParameter> {
    let parameters =
        Parameters::of(query.as_deref(), &["to", "from", "subject", "since", "timeout"])?;
    let wanted = Wanted::of(&parameters, &ses)?;
    in_time(&ses, &parameters, arrival(&ses, &wanted), |message| {
        let body = Body::new(Listing::of_one(&message));
        ([(CONTENT_TYPE, "application/json")], body).into_response()
    })
    .await
}

/// Answers with what arrives before `timeout` is over, or with 204.
pub(super) async fn in_time<T>(
    ses: &LocalSes,
    parameters: &Parameters,
    arrival: impl Future<Output = T>,
    answer: impl FnOnce(T) -> Response,
) -> Result<Response, BadParameter> {
    let seconds = parameters.parsed("timeout", "a whole number of seconds")?.unwrap_or(30);
    if seconds > LONGEST {
        return Err(BadParameter(format!("timeout is at most {LONGEST} seconds")));
    }
    let Ok(_waits) = ses.waits().try_acquire() else {
        return Ok(TOO_MANY.into_response());
    };
    let arrived = timeout(Duration::from_secs(seconds), arrival).await;
    Ok(arrived.map_or_else(|_| StatusCode::NO_CONTENT.into_response(), answer))
}

pub(super) const TOO_MANY: Refused =
    Refused(StatusCode::SERVICE_UNAVAILABLE, "too many clients wait for messages and events");

/// The longest time-out, in seconds; a proxy between gives up earlier.
const LONGEST: u64 = 600;

async fn arrival(ses: &LocalSes, wanted: &Wanted) -> Arc<Message> {
    // subscribes before the search, or a message between the two would be missed
    let mut changes = ses.state().changes();
    let mut seen = wanted.behind;
    loop {
        for (number, message) in ses.state().behind(seen) {
            if wanted.is(&message) {
                return message;
            }
            seen = number;
        }
        // the mailbox is not dropped before this
        let _ = changes.changed().await;
    }
}

/// The conditions on a message; an absent condition holds.
struct Wanted {
    to: Option<String>,
    from: Option<String>,
    subject: Option<String>,
    /// The number of the last message that is not meant.
    behind: u64,
    not_before: Option<Timestamp>,
}

impl Wanted {
    fn of(parameters: &Parameters, ses: &LocalSes) -> Result<Self, BadParameter> {
        let (mut behind, mut not_before) = (0, None);
        if let Some(since) = parameters.get("since") {
            match (time(since), ses.state().number(since)) {
                (Some(time), _) => not_before = Some(time),
                (None, Some(number)) => behind = number,
                (None, None) => {
                    return Err(BadParameter(format!(
                        "since is a time such as 2026-01-31T12:00:00Z, or the ID of a message that \
                         is there: {since}"
                    )));
                }
            }
        }
        Ok(Self {
            to: parameters.text("to"),
            from: parameters.text("from"),
            subject: parameters.text("subject").map(|subject| subject.to_lowercase()),
            behind,
            not_before,
        })
    }

    fn is(&self, message: &Message) -> bool {
        let is = |wanted: &str, address: &str| wanted.eq_ignore_ascii_case(address);
        let to = |to: &String| message.destination.all().any(|address| is(to, address));
        self.not_before.is_none_or(|since| message.timestamp >= since)
            && self.to.as_ref().is_none_or(to)
            && ((self.from.is_none() && self.subject.is_none()) || self.is_said_by(message))
    }

    /// Whether the conditions hold that need the message itself.
    fn is_said_by(&self, message: &Message) -> bool {
        let parsed = Parsed::of(&message.raw_data);
        let subject = parsed.subject().unwrap_or_default().to_lowercase();
        let from = |from: &String| {
            from.eq_ignore_ascii_case(&message.source)
                || parsed.message().from().is_some_and(|it| it.contains(from))
        };
        self.from.as_ref().is_none_or(from)
            && self.subject.as_ref().is_none_or(|wanted| subject.contains(wanted))
    }
}

/// The attempts or events that are meant: from a time on, or after one of them by its number.
pub(super) enum Since {
    Time(Timestamp),
    Behind(u64),
}

impl Since {
    pub(super) fn of(parameters: &Parameters, what: &str) -> Result<Option<Self>, BadParameter> {
        let read = |since: &str| {
            let number = since.parse().ok().map(Self::Behind);
            number.or_else(|| time(since).map(Self::Time)).ok_or_else(|| {
                let form = format!("a time such as 2026-01-31T12:00:00Z, or the ID of {what}");
                BadParameter(format!("since is {form}: {since}"))
            })
        };
        parameters.get("since").map(read).transpose()
    }

    pub(super) fn is(&self, at: Timestamp, number: u64) -> bool {
        match self {
            Self::Time(time) => at >= *time,
            Self::Behind(known) => number > *known,
        }
    }
}

/// Parses a time to the second, as messages have it. Without a zone it is in UTC, as they show it.
fn time(text: &str) -> Option<Timestamp> {
    let in_utc = || Some(DateTime::from_str(text).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp());
    let time = Timestamp::from_str(text).ok().or_else(in_utc)?;
    Timestamp::from_second(time.as_second()).ok()
}

/// Returns the links of a message: `{"links":["https://…"]}`.
pub(super) async fn links(
    _: NoParameters,
    State(ses): State<Arc<LocalSes>>,
    Path(id): Path<String>,
) -> Response {
    found(&ses, &id, |parsed| json!({"links": parsed.links()}))
}

/// Returns the codes of a message: `{"codes":["123456"]}`.
pub(super) async fn codes(
    _: NoParameters,
    State(ses): State<Arc<LocalSes>>,
    Path(id): Path<String>,
) -> Response {
    found(&ses, &id, |parsed| json!({"codes": parsed.codes()}))
}

fn found(ses: &LocalSes, id: &str, find: fn(&Parsed<'_>) -> serde_json::Value) -> Response {
    match ses.state().message(id) {
        Some(message) => json_response(&find(&Parsed::of(&message.raw_data))),
        None => NO_MESSAGE.into_response(),
    }
}

pub(super) const NO_MESSAGE: Refused =
    Refused(StatusCode::NOT_FOUND, "there is no message of that ID");
