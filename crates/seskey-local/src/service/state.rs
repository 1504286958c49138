//! All that is kept: the account, the mailbox, the clock, and the journal that writes what changes in them.

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
    /// Tells those that wait for a message or an event that there is another one, or one less.
    changes: watch::Sender<()>,
    clock: Clock,
    /// Absent while everything is in memory alone.
    journal: Option<Journal>,
}

impl State {
    /// From what was kept. With a journal, all that changes is handed in to it.
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

    /// The account, to look at; [`Self::act`] changes it.
    pub(super) fn account(&self) -> MutexGuard<'_, Account> {
        lock(&self.account)
    }

    /// The same for the thread that writes it, which reads it back where it could not.
    pub(crate) fn shared_account(&self) -> Arc<Mutex<Account>> {
        self.account.clone()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// How many messages there are, and how many bytes they have.
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

    /// The message of that ID, or the newest by the name `latest`.
    pub(crate) fn message(&self, id: &str) -> Option<Arc<Message>> {
        lock(&self.mailbox).get(id)
    }

    /// The number of that message.
    pub(crate) fn number(&self, id: &str) -> Option<u64> {
        lock(&self.mailbox).number(id)
    }

    /// The messages with greater numbers, the oldest first, with theirs.
    pub(crate) fn behind(&self, number: u64) -> Vec<(u64, Arc<Message>)> {
        lock(&self.mailbox).behind(number)
    }

    pub(crate) fn unread(&self) -> usize {
        lock(&self.mailbox).unread()
    }

    pub(crate) fn set_read(&self, ids: &HashSet<String>, read: bool) {
        lock(&self.mailbox).set_read(ids, read);
    }

    /// Changes when a message has come, something was refused, or something was deleted.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// The mailbox, to look at.
    pub(crate) fn mailbox(&self) -> MutexGuard<'_, Mailbox> {
        lock(&self.mailbox)
    }

    /// Such messages and attempts, the newest first.
    pub(crate) fn newest_first(&self, is_meant: fn(&Entry) -> bool) -> Vec<(u64, Entry)> {
        self.mailbox().newest_first().filter(|(_, entry)| is_meant(entry)).collect()
    }

    /// Takes note of what was refused.
    pub(super) fn note(&self, attempt: Attempt) {
        lock(&self.mailbox).push_attempt(attempt);
        self.changes.send_replace(());
    }

    /// What became of messages since the start.
    pub(crate) fn events(&self) -> MutexGuard<'_, Events> {
        lock(&self.events)
    }

    /// Takes note of what became of a message.
    pub(super) fn tell(&self, events: Vec<Event>) -> Vec<Arc<Event>> {
        let told = {
            let mut known = lock(&self.events);
            events.into_iter().map(|event| known.push(event)).collect()
        };
        self.changes.send_replace(());
        told
    }

    /// Forgets an attempt, or all of them; `false` if there is none.
    pub(crate) fn delete_attempts(&self, number: Option<u64>) -> bool {
        let deleted = lock(&self.mailbox).delete_attempts(number);
        self.changes.send_replace(());
        deleted
    }

    pub(crate) async fn delete_messages(&self, filter: Filter) -> Result<(), CommitFailed> {
        self.hand_in(Write::DeleteMessages(filter)).done().await
    }

    /// Puts the clock ahead of the machine's by so much, or behind it.
    pub(crate) async fn move_clock(&self, ahead: SignedDuration) -> Result<(), CommitFailed> {
        self.hand_in(Write::ClockAhead(ahead)).done().await
    }

    /// Does something with the account and hands what that changed to the journal. It may be told when the commit says
    /// that it is kept.
    pub(super) fn act<T>(&self, act: impl FnOnce(&mut Account) -> T) -> (T, Commit) {
        let mut account = self.account();
        let done = act(&mut account);
        let journal = self.journal.as_ref();
        (done, journal.map_or_else(Commit::default, |journal| journal.rows(account.take_changes())))
    }

    /// Hands in what is not of the account; it is shown when it is kept.
    pub(super) fn hand_in(&self, write: Write) -> Commit {
        match &self.journal {
            Some(journal) => journal.write(write),
            None => {
                self.show(write);
                Commit::default()
            }
        }
    }

    /// Shows what is kept; the account shows its changes itself.
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
