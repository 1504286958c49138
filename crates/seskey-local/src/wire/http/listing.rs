//! Messages as one JSON document, made piece by piece: the whole could be larger than the mailbox, as a message that is
//! all escapes has six times its size. A message that is deleted meanwhile is not kept: a client that does not read
//! would hold memory that no limit counts.

use std::{
    iter, mem,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll},
};

use axum::body::Bytes;
use hyper::body::Frame;

use crate::{mailbox::Message, message::Parsed};

/// The body of an answer.
pub(super) struct Listing(Box<dyn Iterator<Item = Result<Bytes, Gone>> + Send>);

/// The error of a message that was deleted while it was read.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the message was deleted meanwhile")]
pub(super) struct Gone;

impl Listing {
    pub(super) fn of(messages: &[Arc<Message>]) -> Self {
        Self(Box::new(document(messages.iter().map(Arc::downgrade).collect())))
    }

    /// Makes the body for one message alone.
    pub(super) fn of_one(message: &Arc<Message>) -> Self {
        Self(Box::new(bytes(element(message).into_iter())))
    }
}

impl hyper::body::Body for Listing {
    type Data = Bytes;
    type Error = Gone;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Gone>>> {
        Poll::Ready(self.0.next().map(|bytes| bytes.map(Frame::data)))
    }
}

enum Piece {
    Json(String),
    Text(Weak<Message>, Text),
}

/// A text of any length, if the message has it.
type Text = fn(&Message) -> Option<&[u8]>;

fn document(messages: Vec<Weak<Message>>) -> impl Iterator<Item = Result<Bytes, Gone>> + Send {
    let mut comma = "";
    let elements = messages.into_iter().flat_map(move |message| {
        let element = message.upgrade().map(|message| element(&message));
        let comma = element.as_ref().map(|_| json(mem::replace(&mut comma, ",")));
        comma.into_iter().chain(element.unwrap_or_default())
    });
    let pieces = iter::once(json("{\"messages\":[")).chain(elements).chain([json("]}")]);
    bytes(pieces)
}

fn bytes(
    pieces: impl Iterator<Item = Piece> + Send,
) -> impl Iterator<Item = Result<Bytes, Gone>> + Send {
    pieces.flat_map(|piece| -> Box<dyn Iterator<Item = Result<Bytes, Gone>> + Send> {
        match piece {
            Piece::Json(json) => Box::new(iter::once(Ok(json.into()))),
            Piece::Text(message, text) => Box::new(escaped(message, text)),
        }
    })
}

/// Returns the pieces of a message: its short texts, and then the others.
fn element(message: &Arc<Message>) -> Vec<Piece> {
    let mut short = serde_json::to_string(&message.without_texts())
        .expect("a message is texts, and a string takes all that is written");
    short.truncate(short.len() - 1);
    let member = |before: &str, text: Text| match text(message) {
        Some(_) => {
            let text = Piece::Text(Arc::downgrade(message), text);
            vec![json(&format!("{before}\"")), text, json("\"")]
        }
        None => vec![json(&format!("{before}null"))],
    };
    let mut pieces = vec![json(&short)];
    pieces.extend(member(",\"RawData\":", |message| Some(&message.raw_data)));
    if message.body.is_none() && message.raw_data.len() <= LONGEST_READ {
        let parsed = Parsed::of(&message.raw_data);
        let subject = serde_json::json!(parsed.subject());
        let body = serde_json::json!({"html_part": parsed.html(), "text_part": parsed.text()});
        pieces.push(json(&format!(",\"Subject\":{subject},\"Body\":{body}")));
    } else if message.subject.is_some() {
        pieces
            .extend(member(",\"Subject\":", |message| Some(message.subject.as_ref()?.as_bytes())));
    }
    if message.body.is_some() {
        pieces.push(json(",\"Body\":{"));
        pieces.extend(member("\"html_part\":", |message| {
            Some(message.body.as_ref()?.html_part.as_ref()?.as_bytes())
        }));
        pieces.extend(member(",\"text_part\":", |message| {
            Some(message.body.as_ref()?.text_part.as_ref()?.as_bytes())
        }));
        pieces.push(json("}"));
    }
    pieces.push(json("}"));
    pieces
}

fn json(text: &str) -> Piece {
    Piece::Json(text.to_owned())
}

/// Escapes a text for the inside of a JSON string, piece by piece.
fn escaped(message: Weak<Message>, text: Text) -> impl Iterator<Item = Result<Bytes, Gone>> {
    let mut at = 0;
    iter::from_fn(move || {
        let Some(message) = message.upgrade() else { return Some(Err(Gone)) };
        let characters = whole_characters(&text(&message).unwrap_or_default()[at..], PIECE);
        at += characters.len();
        let quoted = serde_json::to_vec(&String::from_utf8_lossy(characters)).ok()?;
        let inside = 1..quoted.len() - 1;
        (!characters.is_empty()).then(|| Ok(Bytes::from(quoted).slice(inside)))
    })
}

/// The longest message whose texts are parsed, if SES did not compose it: a client that does not read its answer holds
/// them.
const LONGEST_READ: usize = 256 * 1024;

/// The bytes that are escaped at a time.
const PIECE: usize = 32 * 1024;

/// Returns the beginning of a text, without a character that continues after it.
fn whole_characters(text: &[u8], most: usize) -> &[u8] {
    let Some((begin, _)) = text.split_at_checked(most) else { return text };
    let end = begin.utf8_chunks().last().map_or(&b""[..], |chunk| chunk.invalid());
    match str::from_utf8(end) {
        Err(error) if error.error_len().is_none() => &begin[..begin.len() - end.len()],
        _ => begin,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::mailbox::{Body, Destination};

    fn message(id: &str, raw_data: &[u8]) -> Message {
        Message {
            id: id.into(),
            region: "us-east-1".into(),
            timestamp: jiff::Timestamp::UNIX_EPOCH,
            destination: Destination::default(),
            raw_data: raw_data.into(),
            source: "a@b.c".into(),
            subject: None,
            body: None,
            origin: None,
        }
    }

    #[test]
    fn its_pieces_are_one_document() {
        let raw = message("1", b"Subject: \"hi\"\r\n\r\n\xff\0");
        let body = Body { html_part: Some("\"}".repeat(PIECE)), text_part: None };
        let composed =
            Message { subject: Some("ä".repeat(PIECE)), body: Some(body), ..raw.clone() };
        for messages in
            [vec![], vec![raw.clone()], vec![raw.clone(), composed.clone(), raw.clone()]]
        {
            let kept: Vec<_> = messages.iter().cloned().map(Arc::new).collect();
            let pieces = document(kept.iter().map(Arc::downgrade).collect());
            let pieces = pieces.collect::<Result<Vec<Bytes>, Gone>>().unwrap();
            assert!(pieces.iter().all(|piece| piece.len() <= 6 * PIECE));
            let document: Value = serde_json::from_slice(&pieces.concat()).unwrap();
            let expected = messages.iter().map(|message| {
                let mut json = json!(message);
                if message.body.is_none() {
                    json["Subject"] = json!("\"hi\"");
                    json["Body"] = json!({"html_part": null, "text_part": "\u{fffd}\0"});
                }
                json
            });
            assert_eq!(document, json!({"messages": expected.collect::<Vec<_>>()}));
        }
    }

    /// A message that is deleted before its turn is left out; in the middle of one the answer breaks off.
    #[test]
    fn it_keeps_no_message() {
        let kept: Vec<_> =
            ["1", "2", "3"].map(|id| Arc::new(message(id, &[b'x'; 3 * PIECE]))).into();
        let mut pieces = document(kept.iter().map(Arc::downgrade).collect());
        let [first, second, third] = <[_; 3]>::try_from(kept).unwrap();
        drop(first);
        let mut shown = vec![];
        while !shown.ends_with(b"xxx") {
            shown.extend(pieces.next().unwrap().unwrap());
        }
        assert!(shown.starts_with(b"{\"messages\":[{\"Id\":\"2\""), "it begins with the second");
        drop(second);
        assert!(matches!(pieces.next(), Some(Err(Gone))));
        assert_eq!(Arc::weak_count(&third), 1);
        assert_eq!(Arc::strong_count(&third), 1);
    }

    proptest! {
        #[test]
        fn the_cuts_do_not_matter(
            text in prop::collection::vec(prop::sample::select(b"a\xc3\xa4\xe2\x82\xf0\x9f\x98\xff".to_vec()), 0..30),
            most in 4_usize..9,
        ) {
            let (mut rest, mut shown) = (text.as_slice(), String::new());
            while !rest.is_empty() {
                let characters = whole_characters(rest, most);
                shown += &String::from_utf8_lossy(characters);
                rest = &rest[characters.len()..];
            }
            prop_assert_eq!(shown, String::from_utf8_lossy(&text));
        }
    }
}
