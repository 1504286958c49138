//! The mailbox for pages in the same process: listing, search, reading and deletion.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::LocalSes;
pub use super::search::{BadSearch, Search};
use crate::{
    event::{Event, EventType},
    journal::CommitFailed,
    mailbox::{Attempt, Entry, Filter, Message},
    message::Letter,
};

/// The mailbox of a local SES.
#[derive(Clone)]
pub struct Inbox(Arc<LocalSes>);

/// The entries of the mailbox that a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Show {
    /// Messages and attempts.
    #[default]
    All,
    /// Accepted messages.
    Accepted,
    /// Refused attempts.
    Refused,
}

/// A page of the mailbox.
#[derive(Debug)]
pub struct Listed {
    /// The rows, the newest first.
    pub rows: Vec<Row>,
    /// The number of entries on all pages.
    pub found: usize,
    /// The number of messages.
    pub messages: usize,
    /// The number of messages that were not read.
    pub unread: usize,
    /// The number of attempts.
    pub attempts: usize,
}

/// A row of a list.
#[derive(Debug)]
pub struct Row {
    /// The time of the acceptance or the refusal.
    pub at: Timestamp,
    /// The author, or the sender.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The entry.
    pub kind: Kind,
}

/// The entry that a row shows.
#[derive(Debug)]
pub enum Kind {
    /// A message.
    Message {
        /// Its ID.
        id: String,
        /// Whether it was read.
        is_read: bool,
        /// Its size in bytes.
        size: usize,
        /// The problems after it was accepted, such as a bounce; each once.
        troubles: BTreeSet<EventType>,
    },
    /// A refused attempt.
    Attempt(Arc<Attempt>),
}

impl Inbox {
    pub(crate) fn new(ses: Arc<LocalSes>) -> Self {
        Self(ses)
    }

    /// Returns the time by the clock of the local SES, which may be moved.
    pub fn now(&self) -> Timestamp {
        self.0.now()
    }

    /// Returns a page of the entries that match. A search reads every message, so it may take a while.
    pub fn list(&self, search: &Search, show: Show, start: usize, limit: usize) -> Listed {
        let is_meant = match show {
            Show::All => |_: &Entry| true,
            Show::Accepted => Entry::is_message,
            Show::Refused => |entry: &Entry| !entry.is_message(),
        };
        let found = search.among(self.0.state().newest_first(is_meant));
        // the rows are made without the lock: messages that come meanwhile have events
        let events: Vec<_> = self.0.state().events().behind(0).cloned().collect();
        let troubles = troubles(&events);
        let rows = found.iter().skip(start).take(limit);
        let rows = rows.map(|(_, entry)| row(entry, &troubles)).collect();
        let mailbox = self.0.state().mailbox();
        Listed {
            rows,
            found: found.len(),
            messages: mailbox.size().0,
            unread: mailbox.unread(),
            attempts: mailbox.attempts().count(),
        }
    }

    /// Returns the message with this ID.
    pub fn message(&self, id: &str) -> Option<Arc<Message>> {
        self.0.state().message(id)
    }

    /// Returns the events of a message, the oldest first.
    pub fn events(&self, id: &str) -> Vec<Arc<Event>> {
        self.0.state().events().of_message(id)
    }

    /// Returns the attempt with this number.
    pub fn attempt(&self, number: u64) -> Option<Arc<Attempt>> {
        let mailbox = self.0.state().mailbox();
        mailbox.attempts().find(|attempt| attempt.number == number).cloned()
    }

    /// Marks a message as read or unread.
    pub fn set_read(&self, id: &str, read: bool) {
        self.0.state().set_read(&[id.to_owned()].into(), read);
    }

    /// Deletes a message.
    ///
    /// # Errors
    /// The deletion could not be written to disk.
    pub async fn delete(&self, id: &str) -> Result<(), CommitFailed> {
        self.delete_messages(Some([id.to_owned()].into())).await
    }

    /// Deletes an attempt.
    pub fn delete_attempt(&self, number: u64) {
        self.0.state().delete_attempts(Some(number));
    }

    /// Deletes all messages and attempts.
    ///
    /// # Errors
    /// The deletion of the messages could not be written to disk.
    pub async fn delete_all(&self) -> Result<(), CommitFailed> {
        self.delete_messages(None).await?;
        self.0.state().delete_attempts(None);
        Ok(())
    }

    async fn delete_messages(&self, ids: Option<HashSet<String>>) -> Result<(), CommitFailed> {
        self.0.state().delete_messages(Filter { ids, email: None }).await
    }
}

/// Returns the problems of accepted messages, by their IDs.
fn troubles(events: &[Arc<Event>]) -> HashMap<&str, BTreeSet<EventType>> {
    let mut troubles: HashMap<_, BTreeSet<_>> = HashMap::new();
    for event in events {
        if !matches!(event.event_type(), EventType::Send | EventType::Delivery) {
            troubles.entry(&*event.mail.message_id).or_default().insert(event.event_type());
        }
    }
    troubles
}

fn row(entry: &Entry, troubles: &HashMap<&str, BTreeSet<EventType>>) -> Row {
    match entry {
        Entry::Message(message, is_read) => {
            let (author, subject) = Letter::author_and_subject(&message.raw_data);
            Row {
                at: message.timestamp,
                from: if author.is_empty() { message.source.clone() } else { author },
                to: message.destination.all().map(str::to_owned).collect(),
                subject,
                kind: Kind::Message {
                    id: message.id.clone(),
                    is_read: *is_read,
                    size: message.raw_data.len(),
                    troubles: troubles.get(&*message.id).cloned().unwrap_or_default(),
                },
            }
        }
        Entry::Attempt(attempt) => Row {
            at: attempt.timestamp,
            from: attempt.source.clone().unwrap_or_default(),
            to: attempt.recipients.clone(),
            subject: attempt.subject.clone().unwrap_or_default(),
            kind: Kind::Attempt(attempt.clone()),
        },
    }
}
