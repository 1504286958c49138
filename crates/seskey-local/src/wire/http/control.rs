//! The paths of seskey itself: health, certificates, the clock, metrics and faults.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde::Deserialize;
use serde_json::json;
use tracing::info;

use super::{Refused, json_response, parameters::NoParameters};
use crate::{
    clock::Clock,
    service::{LocalSes, faults::Plan, metrics},
};

pub(super) async fn health(_: NoParameters) -> Response {
    json_response(&json!({"status": "ok"}))
}

/// Returns the certificate that TLS clients must trust.
pub(super) async fn authority(_: NoParameters, State(ses): State<Arc<LocalSes>>) -> Response {
    ([(CONTENT_TYPE, "application/x-pem-file")], ses.authority_pem().to_owned()).into_response()
}

/// Returns the certificate that notifications are signed with.
pub(super) async fn certificate(
    _: NoParameters,
    State(ses): State<Arc<LocalSes>>,
    Path(name): Path<String>,
) -> Response {
    match ses.outbox().certificate(&name) {
        Some(pem) => ([(CONTENT_TYPE, "application/x-pem-file")], pem.to_owned()).into_response(),
        None => Refused(StatusCode::NOT_FOUND, "there is no such certificate").into_response(),
    }
}

pub(super) async fn clock(_: NoParameters, State(ses): State<Arc<LocalSes>>) -> Response {
    time(ses.state().clock())
}

pub(super) async fn move_clock(
    _: NoParameters,
    State(ses): State<Arc<LocalSes>>,
    body: Bytes,
) -> Response {
    let Some(ahead) =
        serde_json::from_slice(&body).ok().and_then(|to: Move| to.ahead(ses.state().clock()))
    else {
        return Refused(
            StatusCode::BAD_REQUEST,
            "the body is one of {\"advance\":\"90d\"}, {\"now\":\"2027-01-01T00:00:00Z\"}, {\"reset\":true}",
        )
        .into_response();
    };
    if ses.state().move_clock(ahead).await.is_err() {
        return NOT_KEPT.into_response();
    }
    info!(ahead_seconds = ahead.as_secs(), "the clock was moved");
    time(ses.state().clock())
}

pub(super) async fn metrics(_: NoParameters, State(ses): State<Arc<LocalSes>>) -> Response {
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], ses.metrics_text()).into_response()
}

/// Returns the plan of faults in force.
pub(super) async fn faults(_: NoParameters, State(ses): State<Arc<LocalSes>>) -> Response {
    ([(CONTENT_TYPE, "application/toml")], ses.faults()).into_response()
}

/// Puts a plan of faults in force.
pub(super) async fn set_faults(
    _: NoParameters,
    State(ses): State<Arc<LocalSes>>,
    toml: String,
) -> Response {
    match Plan::parse(&toml) {
        Ok(plan) => {
            ses.set_faults(plan);
            info!("a plan of faults is in force");
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => {
            let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
            (StatusCode::BAD_REQUEST, headers, error.to_string()).into_response()
        }
    }
}

/// Ends all faults.
pub(super) async fn no_faults(_: NoParameters, State(ses): State<Arc<LocalSes>>) -> StatusCode {
    ses.set_faults(Plan::default());
    StatusCode::NO_CONTENT
}

/// The refusal of a change that is not on disk: the disk is full, or worse; the log has the reason.
pub(super) const NOT_KEPT: Refused =
    Refused(StatusCode::INTERNAL_SERVER_ERROR, "it could not be kept on disk, and is not done");

/// The new time of the clock.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Move {
    /// The time to move the clock by; a day has 24 hours, and a month has no length.
    Advance(String),
    /// The time to set the clock to.
    Now(Timestamp),
    /// A move back to the machine's time.
    Reset(bool),
}

impl Move {
    /// Returns how far ahead of the machine's clock it will be; `None` if there is no such time.
    fn ahead(self, clock: &Clock) -> Option<SignedDuration> {
        let machine = Timestamp::now();
        let ahead = match self {
            Self::Advance(span) => {
                let span: Span = span.parse().ok()?;
                let by = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
                clock.ahead().checked_add(by)?
            }
            // the clock is moved by whole milliseconds, and must not be before that time
            Self::Now(now) => now.duration_since(machine) + SignedDuration::from_millis(1),
            Self::Reset(reset) => reset.then_some(SignedDuration::ZERO)?,
        };
        machine.checked_add(ahead).is_ok().then_some(ahead)
    }
}

fn time(clock: &Clock) -> Response {
    json_response(&json!({
        "now": clock.now().to_string(),
        "ahead_seconds": clock.ahead().as_secs(),
    }))
}
