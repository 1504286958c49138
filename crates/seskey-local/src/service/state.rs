//! The stored state: the account, the mailbox, the clock, and the journal that writes their changes.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard},
};

use jiff::SignedDuration;
use tokio::sync::watch;

use crate::{
    account::Account,
    clock::Clock,
    event::{Event, Events},
    journal::{Commit, CommitFailed, Journal, Snapshot, Write},
    lock::lock,
    mailbox::{Attempt, Entry, Filter, Mailbox, Message},
};

pub(crate) struct State {
    account: Arc<Mutex<Account>>,
    mailbox: Mutex<Mailbox>,
    events: Mutex<Events>,
    /// Notifies the requests that wait for a message or an event that one arrived or was deleted.
    changes: watch::Sender<()>,
    clock: Clock,
    /// Absent while all state is in memory.
    journal: Option<Journal>,
}

impl State {
    /// Makes the state from a snapshot. With a journal, all changes are handed in to it.
    pub(super) fn new(kept: Snapshot, journal: Option<Journal>) -> Self {
        let clock = Clock::default();
        clock.put_ahead(kept.clock_ahead);
        Self {
            account: Arc::new(Mutex::new(kept.account)),
            mailbox: Mutex::new(kept.mailbox),
            events: Mutex::default(),
            changes: watch::Sender::default(),
            clock,
            journal,
        }
    }

    /// Returns the account, to read; [`Self::act`] changes it.
    pub(super) fn account(&self) -> MutexGuard<'_, Account> {
        lock(&self.account)
    }

    /// Returns the account for the writer thread, which restores it after a failure.
    pub(crate) fn shared_account(&self) -> Arc<Mutex<Account>> {
        self.account.clone()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// Returns the number of messages and of their bytes.
    pub(crate) fn mailbox_size(&self) -> (usize, usize) {
        lock(&self.mailbox).size()
    }

    pub(crate) fn messages(
        &self,
        filter: &Filter,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<Arc<Message>> {
        lock(&self.mailbox).list(filter, after, limit)
    }

    /// Returns the message with this ID, or the newest by the name `latest`.
    pub(crate) fn message(&self, id: &str) -> Option<Arc<Message>> {
        lock(&self.mailbox).get(id)
    }

    /// Returns the number of a message.
    pub(crate) fn number(&self, id: &str) -> Option<u64> {
        lock(&self.mailbox).number(id)
    }

    /// Returns the messages with greater numbers, with their numbers, the oldest first.
    pub(crate) fn behind(&self, number: u64) -> Vec<(u64, Arc<Message>)> {
        lock(&self.mailbox).behind(number)
    }

    pub(crate) fn unread(&self) -> usize {
        lock(&self.mailbox).unread()
    }

    pub(crate) fn set_read(&self, ids: &HashSet<String>, read: bool) {
        lock(&self.mailbox).set_read(ids, read);
    }

    /// Returns a receiver that changes when a message or an event arrives, an attempt is refused, or something is
    /// deleted.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Returns the mailbox, to read.
    pub(crate) fn mailbox(&self) -> MutexGuard<'_, Mailbox> {
        lock(&self.mailbox)
    }

    /// Returns the selected messages and attempts, the newest first.
    pub(crate) fn newest_first(&self, is_meant: fn(&Entry) -> bool) -> Vec<(u64, Entry)> {
        self.mailbox().newest_first().filter(|(_, entry)| is_meant(entry)).collect()
    }

    /// Records a refused attempt.
    pub(super) fn note(&self, attempt: Attempt) {
        lock(&self.mailbox).push_attempt(attempt);
        self.changes.send_replace(());
    }

    /// Returns the events of messages since the start.
    pub(crate) fn events(&self) -> MutexGuard<'_, Events> {
        lock(&self.events)
    }

    /// Records the events of a message.
    pub(super) fn tell(&self, events: Vec<Event>) -> Vec<Arc<Event>> {
        let told = {
            let mut known = lock(&self.events);
            events.into_iter().map(|event| known.push(event)).collect()
        };
        self.changes.send_replace(());
        told
    }

    /// Deletes an attempt, or all of them. Returns `false` if there is none.
    pub(crate) fn delete_attempts(&self, number: Option<u64>) -> bool {
        let deleted = lock(&self.mailbox).delete_attempts(number);
        self.changes.send_replace(());
        deleted
    }

    pub(crate) async fn delete_messages(&self, filter: Filter) -> Result<(), CommitFailed> {
        self.hand_in(Write::DeleteMessages(filter)).done().await
    }

    /// Sets how far the clock is ahead of the machine's, or behind it.
    pub(crate) async fn move_clock(&self, ahead: SignedDuration) -> Result<(), CommitFailed> {
        self.hand_in(Write::ClockAhead(ahead)).done().await
    }

    /// Runs an action on the account and hands its changes to the journal. The result may be reported when the commit
    /// is done.
    pub(super) fn act<T>(&self, act: impl FnOnce(&mut Account) -> T) -> (T, Commit) {
        let mut account = self.account();
        let done = act(&mut account);
        let journal = self.journal.as_ref();
        (done, journal.map_or_else(Commit::default, |journal| journal.rows(account.take_changes())))
    }

    /// Hands in a change outside the account; it is shown when it is stored.
    pub(super) fn hand_in(&self, write: Write) -> Commit {
        match &self.journal {
            Some(journal) => journal.write(write),
            None => {
                self.show(write);
                Commit::default()
            }
        }
    }

    /// Shows a stored change; the account shows its changes itself.
    pub(crate) fn show(&self, write: Write) {
        match write {
            Write::Rows(_) => {}
            Write::Message(message) => {
                lock(&self.mailbox).push(message);
                self.changes.send_replace(());
            }
            Write::DeleteMessages(filter) => {
                lock(&self.mailbox).delete(&filter);
                self.changes.send_replace(());
            }
            Write::ClockAhead(ahead) => self.clock.put_ahead(ahead),
        }
    }
}
