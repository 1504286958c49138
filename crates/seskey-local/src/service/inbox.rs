//! The mailbox for pages in the same process: what is listed, searched, read and deleted.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::LocalSes;
pub use super::search::{BadSearch, Search};
use crate::{
    event::{Event, EventType, Events},
    journal::CommitFailed,
    mailbox::{Attempt, Entry, Filter, Message},
    message::Letter,
};

/// The mailbox of a local SES.
#[derive(Clone)]
pub struct Inbox(Arc<LocalSes>);

/// Which of it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Show {
    /// Messages and attempts.
    #[default]
    All,
    /// What was accepted.
    Accepted,
    /// What was refused.
    Refused,
}

/// A page of it.
#[derive(Debug)]
pub struct Listed {
    /// The rows, the newest first.
    pub rows: Vec<Row>,
    /// How many there are on all pages.
    pub found: usize,
    /// How many messages there are.
    pub messages: usize,
    /// How many of them were not read.
    pub unread: usize,
    /// How many attempts there are.
    pub attempts: usize,
}

/// A row of a list.
#[derive(Debug)]
pub struct Row {
    /// When it was accepted or refused.
    pub at: Timestamp,
    /// The author, or the sender.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// What it is.
    pub kind: Kind,
}

/// What a row is about.
#[derive(Debug)]
pub enum Kind {
    /// A message.
    Message {
        /// Its ID.
        id: String,
        /// Whether it was read.
        is_read: bool,
        /// Its bytes.
        size: usize,
        /// What went wrong after it was accepted, such as a bounce; each once.
        troubles: BTreeSet<EventType>,
    },
    /// What was refused.
    Attempt(Arc<Attempt>),
}

impl Inbox {
    pub(crate) fn new(ses: Arc<LocalSes>) -> Self {
        Self(ses)
    }

    /// What time it is by the clock of the local SES, which may be moved.
    pub fn now(&self) -> Timestamp {
        self.0.now()
    }

    /// A page of what is found. With a search it reads every message, so it may take a while.
    pub fn list(&self, search: &Search, show: Show, start: usize, limit: usize) -> Listed {
        let is_meant = match show {
            Show::All => |_: &Entry| true,
            Show::Accepted => Entry::is_message,
            Show::Refused => |entry: &Entry| !entry.is_message(),
        };
        let found = search.among(self.0.state().newest_first(is_meant));
        let troubles = troubles(&self.0.state().events());
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

    /// The message of that ID.
    pub fn message(&self, id: &str) -> Option<Arc<Message>> {
        self.0.state().message(id)
    }

    /// What became of a message, the oldest first.
    pub fn events(&self, id: &str) -> Vec<Arc<Event>> {
        self.0.state().events().of_message(id)
    }

    /// What was refused under that number.
    pub fn attempt(&self, number: u64) -> Option<Arc<Attempt>> {
        let mailbox = self.0.state().mailbox();
        mailbox.attempts().find(|attempt| attempt.number == number).cloned()
    }

    /// From now on a message counts as read, or not.
    pub fn set_read(&self, id: &str, read: bool) {
        self.0.state().set_read(&[id.to_owned()].into(), read);
    }

    /// Forgets a message.
    ///
    /// # Errors
    /// It would be there again.
    pub async fn delete(&self, id: &str) -> Result<(), CommitFailed> {
        self.delete_messages(Some([id.to_owned()].into())).await
    }

    /// Forgets an attempt.
    pub fn delete_attempt(&self, number: u64) {
        self.0.state().delete_attempts(Some(number));
    }

    /// Forgets all messages and attempts.
    ///
    /// # Errors
    /// The messages would be there again.
    pub async fn delete_all(&self) -> Result<(), CommitFailed> {
        self.delete_messages(None).await?;
        self.0.state().delete_attempts(None);
        Ok(())
    }

    async fn delete_messages(&self, ids: Option<HashSet<String>>) -> Result<(), CommitFailed> {
        self.0.state().delete_messages(Filter { ids, email: None }).await
    }
}

/// What went wrong with accepted messages, by their IDs.
fn troubles(events: &Events) -> HashMap<String, BTreeSet<EventType>> {
    let mut troubles: HashMap<_, BTreeSet<_>> = HashMap::new();
    for event in events.behind(0) {
        if !matches!(event.event_type(), EventType::Send | EventType::Delivery) {
            let of_message = troubles.entry(event.mail.message_id.clone()).or_default();
            of_message.insert(event.event_type());
        }
    }
    troubles
}

fn row(entry: &Entry, troubles: &HashMap<String, BTreeSet<EventType>>) -> Row {
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
                    troubles: troubles.get(&message.id).cloned().unwrap_or_default(),
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
