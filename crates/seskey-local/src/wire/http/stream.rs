//! Arrivals and deletions as they happen: server-sent events (HTML Living Standard, section 9.2).

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response, sse::Event},
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    events::{UNREAD, events},
    parameters::NoParameters,
    wait::TOO_MANY,
};
use crate::{
    mailbox::{Entry, Message},
    message::Letter,
    service::LocalSes,
};

/// Sends each message and each attempt from now on, or after the one that `Last-Event-ID` names, and a note of each
/// deletion.
pub(super) async fn stream(
    _: NoParameters,
    State(ses): State<Arc<LocalSes>>,
    headers: HeaderMap,
) -> Response {
    let Ok(place) = ses.waits().clone().try_acquire_owned() else {
        return TOO_MANY.into_response();
    };
    let last = headers.get("last-event-id").and_then(|last| last.to_str().ok()?.parse().ok());
    let (newest, deletions) = ses.state().mailbox().progress();
    // an ID from before the last start may be greater
    let seen = last.map_or(newest, |last: u64| last.min(newest));
    events(async move |listener| {
        let _place = place;
        tell(&ses, &listener, seen, deletions).await;
    })
}

async fn tell(ses: &LocalSes, listener: &mpsc::Sender<Event>, mut seen: u64, mut deletions: u64) {
    let mut changes = ses.state().changes();
    let mut told = listener.send(Event::default().retry(Duration::from_secs(1))).await;
    while told.is_ok() {
        let (news, gone) = {
            let mailbox = ses.state().mailbox();
            let news: Vec<_> = mailbox.entries_behind(seen).take(UNREAD).collect();
            (news, mailbox.progress().1)
        };
        if news.is_empty() && gone == deletions {
            // the mailbox is not dropped before this
            let _ = changes.changed().await;
            continue;
        }
        // no entry is kept while the listener does not read
        let mut events: Vec<Event> =
            news.into_iter().map(|(number, entry)| event(number, entry, &mut seen)).collect();
        if gone != deletions {
            deletions = gone;
            events.push(Event::default().event("deleted").data("{}"));
        }
        for event in events {
            told = listener.send(event).await;
            if told.is_err() {
                break;
            }
        }
    }
}

fn event(number: u64, entry: Entry, seen: &mut u64) -> Event {
    *seen = number;
    let (name, data) = match entry {
        Entry::Message(message, _) => ("message", summary(&message)),
        Entry::Attempt(attempt) => ("attempt", json!(*attempt)),
    };
    Event::default().event(name).id(number.to_string()).data(data.to_string())
}

/// Returns the fields of a message that a list shows.
fn summary(message: &Message) -> Value {
    let (author, subject) = Letter::author_and_subject(&message.raw_data);
    let short = |text: String| text.chars().take(SHORT).collect::<String>();
    json!({
        "Id": message.id,
        "Timestamp": message.timestamp,
        "Region": message.region,
        "From": short(author),
        "Source": message.source,
        "Destination": message.destination,
        "Subject": short(subject),
        "Size": message.raw_data.len(),
    })
}

/// The longest author and subject, in characters: a subject may be as long as a header.
const SHORT: usize = 1000;
