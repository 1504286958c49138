//! What comes and goes, while it happens: server-sent events (HTML Living Standard, section 9.2).

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{
        HeaderMap,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::timeout,
};

use super::{parameters::NoParameters, wait::TOO_MANY};
use crate::{
    mailbox::{Entry, Message},
    message::Letter,
    service::LocalSes,
};

/// Each message and each attempt from now on, or behind the one that `Last-Event-ID` names; and that something was deleted.
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
    // one of before the last start may be greater
    let seen = last.map_or(newest, |last: u64| last.min(newest));
    let (sender, receiver) = mpsc::channel(EVENTS);
    tokio::spawn(async move {
        let gone = sender.clone();
        tokio::select! {
            () = gone.closed() => {}
            () = tell(&ses, &sender, seen, deletions) => {}
        }
    });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    (headers, Body::new(Stream(receiver, place))).into_response()
}

/// Events that are made before they are read.
const EVENTS: usize = 16;

/// Longer than nothing is told, and less than what is between gives up.
const SILENCE: Duration = Duration::from_secs(10);

async fn tell(ses: &LocalSes, listener: &mpsc::Sender<Bytes>, mut seen: u64, mut deletions: u64) {
    let mut changes = ses.state().changes();
    let mut told = listener.send(Bytes::from_static(b"retry: 1000\n\n")).await;
    while told.is_ok() {
        let (news, gone) = {
            let mailbox = ses.state().mailbox();
            let news: Vec<_> = mailbox.entries_behind(seen).take(EVENTS).collect();
            (news, mailbox.progress().1)
        };
        if news.is_empty() && gone == deletions {
            // the mailbox is there as long as this is
            if timeout(SILENCE, changes.changed()).await.is_err() {
                told = listener.send(Bytes::from_static(b":\n\n")).await;
            }
            continue;
        }
        // none of them is kept while the listener does not read
        let mut events: Vec<Bytes> =
            news.into_iter().map(|(number, entry)| event(number, entry, &mut seen)).collect();
        if gone != deletions {
            deletions = gone;
            events.push("event: deleted\ndata: {}\n\n".into());
        }
        for event in events {
            told = listener.send(event).await;
            if told.is_err() {
                break;
            }
        }
    }
}

fn event(number: u64, entry: Entry, seen: &mut u64) -> Bytes {
    *seen = number;
    let (name, data) = match entry {
        Entry::Message(message, _) => ("message", summary(&message)),
        Entry::Attempt(attempt) => ("attempt", json!(*attempt)),
    };
    format!("event: {name}\nid: {number}\ndata: {data}\n\n").into()
}

/// What a list shows of a message.
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

/// Characters: a subject may be as long as a header.
const SHORT: usize = 1000;

struct Stream(mpsc::Receiver<Bytes>, #[expect(dead_code, reason = "held")] OwnedSemaphorePermit);

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
