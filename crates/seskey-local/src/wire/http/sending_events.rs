//! The events of accepted messages, which a test waits for.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    json_response,
    parameters::{BadParameter, NoParameters, Parameters},
    wait::{NO_MESSAGE, Since, in_time},
};
use crate::{
    event::{Event, EventType},
    service::LocalSes,
};

/// Waits for the oldest event that the parameters select; 204 if none comes in time.
pub(super) async fn wait(
    State(ses): State<Arc<LocalSes>>,
    RawQuery(query): RawQuery,
) -> Result<Response, BadParameter> {
    let known = ["type", "message", "to", "from", "since", "timeout"];
    let parameters = Parameters::of(query.as_deref(), &known)?;
    let newest = ses.state().events().newest();
    let wanted = Wanted::of(&parameters, newest)?;
    in_time(&ses, &parameters, arrival(&ses, &wanted), |event| json_response(&shown(&event))).await
}

async fn arrival(ses: &LocalSes, wanted: &Wanted<'_>) -> Arc<Event> {
    // subscribes before the search, or an event between the two would be missed
    let mut changes = ses.state().changes();
    let mut seen = 0;
    loop {
        {
            let events = ses.state().events();
            for event in events.behind(seen) {
                if wanted.is(event) {
                    return event.clone();
                }
                seen = event.number;
            }
        }
        // the state is not dropped before this
        let _ = changes.changed().await;
    }
}

/// The conditions on an event; an absent condition holds.
struct Wanted<'a> {
    event_type: Option<EventType>,
    message: Option<&'a str>,
    to: Option<&'a str>,
    from: Option<&'a str>,
    since: Option<Since>,
}

impl<'a> Wanted<'a> {
    fn of(parameters: &'a Parameters, newest: u64) -> Result<Self, BadParameter> {
        let event_type = parameters.get("type").map(|name| {
            EventType::named(name).filter(|it| TOLD.contains(it)).ok_or_else(|| {
                let known = TOLD.map(EventType::name).join(", ");
                BadParameter(format!("type is one of {known}: {name}"))
            })
        });
        let since = match parameters.get("since") {
            Some("latest") => Some(Since::Behind(newest)),
            _ => Since::of(parameters, "an event")?,
        };
        Ok(Self {
            event_type: event_type.transpose()?,
            message: parameters.get("message"),
            to: parameters.get("to"),
            from: parameters.get("from"),
            since,
        })
    }

    fn is(&self, event: &Event) -> bool {
        self.event_type.is_none_or(|wanted| wanted == event.event_type())
            && self.message.is_none_or(|wanted| wanted == event.mail.message_id)
            && self
                .to
                .is_none_or(|to| event.recipients.iter().any(|it| it.eq_ignore_ascii_case(to)))
            && self.from.is_none_or(|from| from.eq_ignore_ascii_case(event.mail.sender()))
            && self.since.as_ref().is_none_or(|since| since.is(event.timestamp, event.number))
    }
}

/// The types of events that occur here.
const TOLD: [EventType; 6] = [
    EventType::Send,
    EventType::Delivery,
    EventType::Bounce,
    EventType::Complaint,
    EventType::DeliveryDelay,
    EventType::Reject,
];

/// Returns an event with its ID, which is for `since`. SNS would get the same event.
fn shown(event: &Event) -> Value {
    json!({"Id": event.number.to_string(), "Event": event.published()})
}

/// Returns all events of a message, the oldest first: `{"events":[…]}`.
pub(super) async fn of_message(
    _: NoParameters,
    State(ses): State<Arc<LocalSes>>,
    Path(id): Path<String>,
) -> Response {
    let message = ses.state().message(&id);
    let id = message.as_ref().map_or(&id, |message| &message.id);
    let events = ses.state().events().of_message(id);
    if message.is_none() && events.is_empty() {
        return NO_MESSAGE.into_response();
    }
    let events: Vec<Value> = events.iter().map(|event| shown(event)).collect();
    json_response(&json!({"events": events}))
}

/// Deletes all events.
pub(super) async fn delete(_: NoParameters, State(ses): State<Arc<LocalSes>>) -> StatusCode {
    ses.state().events().clear();
    StatusCode::NO_CONTENT
}
