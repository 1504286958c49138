//! The accepted messages, and their JSON as in LocalStack (`/_aws/ses`); and the refused attempts.

use std::{
    collections::{HashSet, VecDeque},
    iter,
    net::IpAddr,
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::attempts::Attempts;
pub use self::{
    attempts::{Attempt, Cause, Statement, Step, Verdict},
    dialogue::{By, Dialogue, Line, Recorder},
};

mod attempts;
mod dialogue;

/// A mailbox that forgets its oldest messages when it is full.
#[derive(Debug, Default)]
pub struct Mailbox {
    messages: VecDeque<Held>,
    bytes: usize,
    /// The bytes of the dialogues of their sessions.
    bytes_of_dialogues: usize,
    attempts: Attempts,
    /// The number of the newest message or attempt so far.
    newest: u64,
    /// The number of deletions.
    deletions: u64,
}

#[derive(Debug)]
struct Held {
    message: Arc<Message>,
    /// A number greater than that of every message before it.
    number: u64,
    is_read: bool,
}

/// An accepted message.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Message {
    /// The ID that the sender got.
    pub id: String,
    /// The region of the endpoint that accepted it.
    pub region: String,
    /// The time when it was accepted, to the second, in UTC.
    #[serde(with = "to_the_second")]
    pub timestamp: Timestamp,
    /// Its recipients.
    pub destination: Destination,
    /// The message as its recipient gets it; in JSON, bytes that are not UTF-8 are U+FFFD.
    #[serde(with = "lossy", default, skip_serializing_if = "Vec::is_empty")]
    pub raw_data: Vec<u8>,
    /// The envelope's sender.
    pub source: String,
    /// The subject, if SES composed the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The body, if SES composed the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// Its origin, which is not stored on disk.
    #[serde(skip)]
    pub origin: Option<Box<Origin>>,
}

/// The origin of a message.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The address that it came from.
    pub peer: IpAddr,
    /// The ARN of the sender.
    pub user: String,
    /// The access key ID.
    pub access_key_id: String,
    /// The way that it came.
    pub way: Way,
}

/// The way that a message comes.
#[derive(Debug, Clone)]
pub enum Way {
    /// SMTP, with the dialogue.
    Smtp(Dialogue),
    /// This operation of the API.
    Api(&'static str),
}

/// A message in the mailbox, or a refused attempt.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A message, and whether it was read.
    Message(Arc<Message>, bool),
    /// A refused attempt.
    Attempt(Arc<Attempt>),
}

/// The body that SES composed a message of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Body {
    /// The HTML.
    pub html_part: Option<String>,
    /// The text.
    pub text_part: Option<String>,
}

/// The envelope's recipients, grouped by the header.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Destination {
    /// The recipients named in `To`.
    pub to_addresses: Vec<String>,
    /// The recipients named in `Cc`.
    pub cc_addresses: Vec<String>,
    /// The recipients named in neither.
    pub bcc_addresses: Vec<String>,
}

/// A filter of messages; an absent condition is met.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The IDs of the messages.
    pub ids: Option<HashSet<String>>,
    /// The exact sender of the envelope.
    pub email: Option<String>,
}

const MAX_MESSAGES: usize = 10_000;
const MAX_BYTES: usize = 256 * 1024 * 1024;

impl Mailbox {
    /// Adds a message, and forgets the oldest ones if needed.
    pub fn push(&mut self, message: impl Into<Arc<Message>>) {
        let message = message.into();
        self.bytes += message.size();
        self.bytes_of_dialogues += message.size_of_dialogue();
        self.newest += 1;
        self.messages.push_back(Held { message, number: self.newest, is_read: false });
        while overflows(self.messages.len(), self.bytes + self.bytes_of_dialogues) {
            let Some(oldest) = self.messages.pop_front() else { break };
            self.bytes -= oldest.message.size();
            self.bytes_of_dialogues -= oldest.message.size_of_dialogue();
        }
    }

    /// Adds a refused attempt.
    pub fn push_attempt(&mut self, attempt: Attempt) {
        self.newest += 1;
        self.attempts.push(Attempt { number: self.newest, ..attempt });
    }

    /// Returns the refused attempts, the oldest first.
    pub fn attempts(&self) -> impl DoubleEndedIterator<Item = &Arc<Attempt>> {
        self.attempts.iter()
    }

    /// Returns the messages and attempts with greater numbers, the oldest first, with their numbers.
    pub fn entries_behind(&self, number: u64) -> impl Iterator<Item = (u64, Entry)> {
        let begin = self.messages.partition_point(|held| held.number <= number);
        let mut messages = self.messages.range(begin..).map(Held::entry).peekable();
        let attempts = self.attempts.iter().filter(move |attempt| attempt.number > number);
        let mut attempts = attempts.map(of_attempt).peekable();
        iter::from_fn(move || match (messages.peek(), attempts.peek()) {
            (Some((message, _)), Some((attempt, _))) if attempt < message => attempts.next(),
            (Some(_), _) => messages.next(),
            (None, _) => attempts.next(),
        })
    }

    /// Returns the messages and attempts, the newest first, with their numbers.
    pub fn newest_first(&self) -> impl Iterator<Item = (u64, Entry)> {
        let mut messages = self.messages.iter().rev().map(Held::entry).peekable();
        let mut attempts = self.attempts.iter().rev().map(of_attempt).peekable();
        iter::from_fn(move || match (messages.peek(), attempts.peek()) {
            (Some((message, _)), Some((attempt, _))) if attempt > message => attempts.next(),
            (Some(_), _) => messages.next(),
            (None, _) => attempts.next(),
        })
    }

    /// Returns the number of the newest message or attempt, and the number of deletions.
    pub fn progress(&self) -> (u64, u64) {
        (self.newest, self.deletions)
    }

    /// Forgets an attempt, or all of them; `false` if there is none.
    pub fn delete_attempts(&mut self, number: Option<u64>) -> bool {
        let deleted = self.attempts.delete(number);
        self.deletions += u64::from(deleted);
        deleted
    }

    /// Returns the messages that match a filter, the oldest first: those after an ID, if it is there, and at most
    /// `limit`.
    pub fn list(&self, filter: &Filter, after: Option<&str>, limit: usize) -> Vec<Arc<Message>> {
        let is_last = |held: &Held| Some(held.message.id.as_str()) == after;
        let begin = self.messages.iter().position(is_last).map_or(0, |last| last + 1);
        let messages = self.messages.range(begin..).map(|held| &held.message);
        messages.filter(|message| filter.matches(message)).take(limit).cloned().collect()
    }

    /// Returns the message of that ID, or the newest for `latest`.
    pub fn get(&self, id: &str) -> Option<Arc<Message>> {
        self.held(id).map(|held| held.message.clone())
    }

    /// Returns the number of that message.
    pub fn number(&self, id: &str) -> Option<u64> {
        self.held(id).map(|held| held.number)
    }

    /// Returns the messages with greater numbers, the oldest first, with their numbers. The message of the given number
    /// may be gone.
    pub fn behind(&self, number: u64) -> Vec<(u64, Arc<Message>)> {
        let begin = self.messages.partition_point(|held| held.number <= number);
        self.messages.range(begin..).map(|held| (held.number, held.message.clone())).collect()
    }

    fn held(&self, id: &str) -> Option<&Held> {
        match id {
            "latest" => self.messages.back(),
            id => self.messages.iter().find(|held| held.message.id == id),
        }
    }

    /// Returns the number of unread messages.
    pub fn unread(&self) -> usize {
        self.messages.iter().filter(|held| !held.is_read).count()
    }

    /// Marks messages as read or unread, which is not stored on disk.
    pub fn set_read(&mut self, ids: &HashSet<String>, read: bool) {
        for held in self.messages.iter_mut().filter(|held| ids.contains(&held.message.id)) {
            held.is_read = read;
        }
    }

    /// Returns the number of messages and of their bytes.
    pub fn size(&self) -> (usize, usize) {
        (self.messages.len(), self.bytes)
    }

    /// Forgets the messages that match a filter.
    pub fn delete(&mut self, filter: &Filter) {
        self.messages.retain(|held| !filter.matches(&held.message));
        let messages = || self.messages.iter().map(|held| &held.message);
        self.bytes = messages().map(|message| message.size()).sum();
        self.bytes_of_dialogues = messages().map(|message| message.size_of_dialogue()).sum();
        self.deletions += 1;
    }
}

impl Entry {
    /// Whether it is a message.
    pub fn is_message(&self) -> bool {
        matches!(self, Self::Message(..))
    }
}

impl Held {
    fn entry(&self) -> (u64, Entry) {
        (self.number, Entry::Message(self.message.clone(), self.is_read))
    }
}

fn of_attempt(attempt: &Arc<Attempt>) -> (u64, Entry) {
    (attempt.number, Entry::Attempt(attempt.clone()))
}

/// Whether the oldest of so many messages with so many bytes must be forgotten. The newest is always kept.
pub(crate) fn overflows(messages: usize, bytes: usize) -> bool {
    messages > 1 && (messages > MAX_MESSAGES || bytes > MAX_BYTES)
}

/// Whether to delete on disk, where many deletions at once cost hardly more than one.
pub(crate) fn overflows_by_far(messages: usize, bytes: usize) -> bool {
    let share = |whole| whole - whole / 64;
    overflows(share(messages), share(bytes))
}

impl Filter {
    fn matches(&self, message: &Message) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.contains(&message.id))
            && self.email.as_ref().is_none_or(|email| *email == message.source)
    }
}

impl Message {
    /// Returns the number of its bytes, with the texts that SES composed it of.
    pub(crate) fn size(&self) -> usize {
        let parts = self.body.iter().flat_map(|body| [&body.html_part, &body.text_part]);
        let composed_of = parts.chain([&self.subject]).flatten();
        self.raw_data.len() + composed_of.map(String::len).sum::<usize>()
    }

    /// Returns the dialogue of its session, if that is known.
    pub fn dialogue(&self) -> Option<&Dialogue> {
        match &self.origin.as_ref()?.way {
            Way::Smtp(dialogue) => Some(dialogue),
            Way::Api(_) => None,
        }
    }

    fn size_of_dialogue(&self) -> usize {
        self.dialogue().map_or(0, Dialogue::own_size)
    }

    /// Returns it without its long parts; `body` tells whether SES composed it.
    pub(crate) fn description(&self) -> Self {
        Self { body: self.body.as_ref().map(|_| Body::default()), ..self.without_texts() }
    }

    /// Returns it without its long parts.
    pub(crate) fn without_texts(&self) -> Self {
        Self {
            id: self.id.clone(),
            region: self.region.clone(),
            timestamp: self.timestamp,
            destination: self.destination.clone(),
            raw_data: vec![],
            source: self.source.clone(),
            subject: None,
            body: None,
            origin: None,
        }
    }
}

impl Destination {
    /// Returns all recipients.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let lists = [&self.to_addresses, &self.cc_addresses, &self.bcc_addresses];
        lists.into_iter().flatten().map(String::as_str)
    }

    /// Groups the envelope's recipients by the addresses in `To` and `Cc`.
    pub fn new(recipients: Vec<String>, to: &[String], cc: &[String]) -> Self {
        let mut destination = Self::default();
        for recipient in recipients {
            let named_in = |list: &[String]| {
                list.iter().any(|address| address.eq_ignore_ascii_case(&recipient))
            };
            let list = if named_in(to) {
                &mut destination.to_addresses
            } else if named_in(cc) {
                &mut destination.cc_addresses
            } else {
                &mut destination.bcc_addresses
            };
            list.push(recipient);
        }
        destination
    }
}

/// Bytes, serialized as text.
mod lossy {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        String::deserialize(deserializer).map(String::into_bytes)
    }
}

/// A time in UTC, serialized without its fraction and its zone, as in LocalStack.
mod to_the_second {
    use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        timestamp: &Timestamp,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&timestamp.strftime("%Y-%m-%dT%H:%M:%S"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Timestamp, D::Error> {
        let in_utc = DateTime::deserialize(deserializer)?.to_zoned(TimeZone::UTC);
        Ok(in_utc.map_err(D::Error::custom)?.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, source: &str, size: usize) -> Message {
        Message {
            id: id.into(),
            region: "us-east-1".into(),
            timestamp: Timestamp::UNIX_EPOCH,
            destination: Destination::default(),
            raw_data: vec![b'x'; size],
            source: source.into(),
            subject: None,
            body: None,
            origin: None,
        }
    }

    fn ids(mailbox: &Mailbox, filter: &Filter) -> Vec<String> {
        let all = mailbox.list(filter, None, usize::MAX);
        all.iter().map(|message| message.id.clone()).collect()
    }

    #[test]
    fn filters() {
        let mut mailbox = Mailbox::default();
        for (id, source) in [("1", "a@b.c"), ("2", "d@e.f"), ("3", "a@b.c")] {
            mailbox.push(message(id, source, 1));
        }
        let from_a = Filter { email: Some("a@b.c".into()), ..Filter::default() };
        assert_eq!(ids(&mailbox, &from_a), ["1", "3"]);
        mailbox.delete(&Filter { ids: Some(["1".into()].into()), ..Filter::default() });
        assert_eq!(ids(&mailbox, &Filter::default()), ["2", "3"]);
        mailbox.delete(&Filter::default());
        assert_eq!(mailbox.size(), (0, 0));
    }

    #[test]
    fn pages() {
        let mut mailbox = Mailbox::default();
        for (id, source) in [("1", "a@b.c"), ("2", "d@e.f"), ("3", "a@b.c"), ("4", "a@b.c")] {
            mailbox.push(message(id, source, 1));
        }
        let from_a = Filter { email: Some("a@b.c".into()), ..Filter::default() };
        for (after, limit, expected) in [
            (None, 2, &["1", "3"][..]),
            (Some("1"), 1, &["3"]),
            (Some("2"), 9, &["3", "4"]),
            (Some("4"), 9, &[]),
            (Some("forgotten"), 1, &["1"]),
            (None, 0, &[]),
        ] {
            let page = mailbox.list(&from_a, after, limit);
            let ids: Vec<&str> = page.iter().map(|message| message.id.as_str()).collect();
            assert_eq!(ids, expected, "{after:?} {limit}");
        }
    }

    #[test]
    fn a_full_mailbox_forgets_the_oldest() {
        let mut mailbox = Mailbox::default();
        for id in ["0", "1"] {
            mailbox.push(message(id, "a@b.c", MAX_BYTES / 2));
        }
        mailbox.push(message("2", "a@b.c", MAX_BYTES / 4));
        assert_eq!(ids(&mailbox, &Filter::default()), ["1", "2"]);
        let html = Body { html_part: Some("x".repeat(MAX_BYTES / 4)), text_part: None };
        mailbox.push(Message { body: Some(html), ..message("3", "a@b.c", MAX_BYTES / 8) });
        assert_eq!(ids(&mailbox, &Filter::default()), ["2", "3"]);
    }

    #[test]
    fn recipients_are_told_apart_by_the_header() {
        let list = |addresses: &[&str]| addresses.iter().map(|&a| a.to_owned()).collect::<Vec<_>>();
        let destination = Destination::new(
            list(&["a@b.c", "D@e.f", "g@h.i"]),
            &list(&["a@b.c"]),
            &list(&["d@E.F"]),
        );
        assert_eq!(
            serde_json::to_value(destination).unwrap(),
            serde_json::json!({"ToAddresses": ["a@b.c"], "CcAddresses": ["D@e.f"], "BccAddresses": ["g@h.i"]})
        );
    }
}
