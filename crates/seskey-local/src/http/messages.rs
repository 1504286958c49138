//! The mailbox over HTTP, as LocalStack's users know it.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes},
    extract::{RawQuery, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use hyper::body::Frame;

use super::{Refused, control::NOT_KEPT};
use crate::{
    journal::NotKept,
    local_ses::LocalSes,
    mailbox::{Filter, Message},
};

/// Those that `id` and `email` let through; with `after`, the ones behind that ID; with `limit`, as many at most.
pub(super) async fn list(State(ses): State<Arc<LocalSes>>, RawQuery(query): RawQuery) -> Response {
    let limit = match parameter(&query, "limit").map(|limit| limit.parse()).transpose() {
        Ok(limit) => limit.unwrap_or(usize::MAX),
        Err(_) => return Refused(StatusCode::BAD_REQUEST, "limit is a number").into_response(),
    };
    let after = parameter(&query, "after");
    let messages = ses.messages(&filter(&query), after.as_deref(), limit);
    let body = Body::new(Listing(Box::new(document(messages))));
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

pub(super) async fn delete(
    State(ses): State<Arc<LocalSes>>,
    RawQuery(query): RawQuery,
) -> Response {
    match ses.delete_messages(filter(&query)).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(NotKept) => NOT_KEPT.into_response(),
    }
}

/// A JSON document, one message at a time: whole, it could be larger than the mailbox.
struct Listing(Box<dyn Iterator<Item = Bytes> + Send>);

fn document(messages: Vec<Arc<Message>>) -> impl Iterator<Item = Bytes> {
    let begin = Bytes::from_static(b"{\"messages\":[");
    let elements = messages.into_iter().enumerate().map(|(n, message)| {
        let mut element = if n == 0 { vec![] } else { vec![b','] };
        serde_json::to_writer(&mut element, &*message)
            .expect("a message is texts, and a vector takes all that is written");
        element.into()
    });
    std::iter::once(begin).chain(elements).chain([Bytes::from_static(b"]}")])
}

impl hyper::body::Body for Listing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(|bytes| Ok(Frame::data(bytes))))
    }
}

fn filter(query: &Option<String>) -> Filter {
    Filter { id: parameter(query, "id"), email: parameter(query, "email") }
}

fn parameter(query: &Option<String>, wanted: &str) -> Option<String> {
    form_urlencoded::parse(query.as_deref()?.as_bytes())
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::mailbox::Destination;

    #[test]
    fn one_at_a_time_they_are_one_document() {
        let message = |id: &str| {
            Arc::new(Message {
                id: id.into(),
                region: "us-east-1".into(),
                timestamp: jiff::Timestamp::UNIX_EPOCH,
                destination: Destination::default(),
                raw_data: "Subject: \"hi\"\r\n\r\n\u{fffd}".into(),
                source: "a@b.c".into(),
                subject: None,
                body: None,
            })
        };
        for ids in [&[][..], &["1"], &["1", "2", "3"]] {
            let bytes: Vec<u8> = document(ids.iter().map(|id| message(id)).collect())
                .flat_map(|chunk| chunk.to_vec())
                .collect();
            let expected: Vec<Value> = ids.iter().map(|id| json!(&*message(id))).collect();
            let document: Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(document, json!({ "messages": expected }));
        }
    }
}
