//! The state of a local SES on disk: no change is lost that was confirmed to a client.
//!
//! Changes are queued in the order in which they were made. One thread writes all queued changes in one transaction,
//! waits for the disk once, and then notifies all callers that wait: many connections share one wait. A change that
//! cannot be written is undone in memory too.

use std::{
    mem,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use jiff::SignedDuration;
use tokio::sync::oneshot;
use tracing::{debug, error, warn};

pub use error::JournalError;
pub(crate) use {
    database::Database,
    snapshot::{Seed, Snapshot},
};

use crate::{
    account::{Account, Row},
    lock::lock,
    mailbox::{Filter, Message},
};

mod database;
mod error;
mod folder;
mod snapshot;
mod write;

/// A change to write.
pub(crate) enum Write {
    /// Changed rows of the account, which has the change in memory already.
    Rows(Vec<Row>),
    /// A message. The mailbox shows it when it is on disk.
    Message(Arc<Message>),
    /// Messages to delete. They leave the mailbox once they are gone from the disk.
    DeleteMessages(Filter),
    /// The time by which the clock is ahead. It is moved when this is on disk.
    ClockAhead(SignedDuration),
}

/// The error of a change that could not be written, and is undone in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitFailed;

/// A commit that a caller waits for before it answers.
#[must_use]
#[derive(Default)]
pub(crate) struct Commit(Option<oneshot::Receiver<()>>);

/// The queue of the changes to write.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Shared>);

/// The thread that writes. When this is dropped, all queued changes are written, and the database is closed.
pub(crate) struct Writer {
    journal: Journal,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
    commits: AtomicU64,
}

#[derive(Default)]
struct Queue {
    entries: Vec<QueuedWrite>,
    /// Whether a caller waits for one of them.
    awaited: bool,
    /// Whether the account in memory has a change that a caller waits for and that is not on disk yet.
    ahead: bool,
    closed: bool,
}

struct QueuedWrite {
    write: Write,
    /// Notified when the change is on disk; dropped when it failed.
    told: Option<oneshot::Sender<()>>,
}

/// The longest time for which a change without a waiting caller is in memory alone.
const LAZINESS: Duration = Duration::from_secs(1);

impl Journal {
    /// Queues the changed rows of the account, which must still be locked, so that the order of the changes is kept.
    ///
    /// The commit of a read (no rows) waits only if the account is ahead of the disk, since a change that it saw may
    /// fail yet. The use of an access key is reported to no client, so it makes no caller wait.
    pub(crate) fn rows(&self, rows: Vec<Row>) -> Commit {
        let mut queue = self.queue();
        queue.ahead |= rows.iter().any(Row::is_acknowledged);
        match (queue.ahead, rows.is_empty()) {
            (true, _) => self.push(queue, Write::Rows(rows), true),
            (false, false) => self.push(queue, Write::Rows(rows), false),
            (false, true) => Commit::default(),
        }
    }

    /// Queues a change outside the account.
    pub(crate) fn write(&self, write: Write) -> Commit {
        self.push(self.queue(), write, true)
    }

    /// Returns the number of transactions that were committed since the start.
    pub(crate) fn commits(&self) -> u64 {
        self.0.commits.load(Ordering::Relaxed)
    }

    fn push(&self, mut queue: MutexGuard<'_, Queue>, write: Write, waits: bool) -> Commit {
        let (told, commit) = oneshot::channel();
        // after the end of the writer the sender is dropped: the commit fails
        if !queue.closed {
            queue.awaited |= waits;
            queue.entries.push(QueuedWrite { write, told: waits.then_some(told) });
            self.0.filled.notify_one();
        }
        Commit(waits.then_some(commit))
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for entries and takes all of them. Returns none at the end.
    fn next_batch(&self) -> Option<Vec<QueuedWrite>> {
        let Shared { filled, .. } = &*self.0;
        let idle = |queue: &mut Queue| queue.entries.is_empty() && !queue.closed;
        let queue = filled.wait_while(self.queue(), idle).unwrap_or_else(PoisonError::into_inner);
        // changes without a waiting caller are written together with the others
        let idle = |queue: &mut Queue| !queue.awaited && !queue.closed;
        let waited = filled.wait_timeout_while(queue, LAZINESS, idle);
        let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        queue.awaited = false;
        let batch = mem::take(&mut queue.entries);
        (!batch.is_empty()).then_some(batch)
    }

    fn close(&self) {
        self.queue().closed = true;
        self.0.filled.notify_one();
    }
}

impl Commit {
    /// Waits until the change is on disk.
    pub(crate) async fn done(self) -> Result<(), CommitFailed> {
        match self.0 {
            Some(commit) => commit.await.map_err(|_| CommitFailed),
            None => Ok(()),
        }
    }

    /// Blocks until the change is on disk. The caller may be in an asynchronous runtime all the same.
    pub(crate) fn wait(self) -> Result<(), CommitFailed> {
        let Some(commit) = self.0 else { return Ok(()) };
        let told = thread::scope(|scope| scope.spawn(|| commit.blocking_recv()).join());
        told.map_or(Err(CommitFailed), |told| told.map_err(|_| CommitFailed))
    }
}

impl Writer {
    /// Starts to write the changes of a journal, and to show what is stored. The account in memory must be as in the
    /// database.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(crate) fn start(
        journal: Journal,
        database: Database,
        account: Arc<Mutex<Account>>,
        show: impl Fn(Write) + Send + 'static,
    ) -> Result<Self, JournalError> {
        let of_thread = journal.clone();
        let thread = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || of_thread.run(database, &account, &show))
            .map_err(JournalError::Thread)?;
        Ok(Self { journal, thread: Some(thread) })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.journal.close();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            error!("the journal broke off");
        }
    }
}

/// The work of the thread.
impl Journal {
    fn run(&self, mut database: Database, account: &Mutex<Account>, show: &dyn Fn(Write)) {
        if let Err(error) = database.lengthen_log() {
            debug!(%error, "the log grows as it must");
        }
        // true from a failure until the account in memory is as on disk again
        let mut astray = false;
        while let Some(batch) = self.next_batch() {
            let written = if astray {
                Ok(false)
            } else {
                database.write(batch.iter().map(|entry| &entry.write)).map(|()| true)
            };
            match written {
                Ok(true) => {
                    self.0.commits.fetch_add(1, Ordering::Relaxed);
                    self.tell(batch, show);
                    continue;
                }
                Ok(false) => {}
                Err(error) => warn!(%error, changes = batch.len(), "cannot keep the changes"),
            }
            // the use of a key is recorded again when it is used again
            if batch.iter().any(|entry| entry.told.is_some()) {
                astray = !self.put_back(&database, account);
            }
        }
        if let Err(error) = database.close() {
            warn!(%error, "cannot close the database");
        }
    }

    fn tell(&self, batch: Vec<QueuedWrite>, show: &dyn Fn(Write)) {
        let mut told = Vec::with_capacity(batch.len());
        for entry in batch {
            show(entry.write);
            told.extend(entry.told);
        }
        {
            let mut queue = self.queue();
            queue.ahead = queue.entries.iter().any(|entry| entry.told.is_some());
        }
        for told in told {
            // a receiver that no longer waits is gone
            let _ = told.send(());
        }
    }

    /// Restores the account in memory from the disk. The queued changes were made on top of the failed one, and fail
    /// with it, but not before. Returns whether the account is as on disk again.
    fn put_back(&self, database: &Database, account: &Mutex<Account>) -> bool {
        let mut account = lock(account);
        let failed = mem::take(&mut self.queue().entries);
        match database.account() {
            Ok(Some(kept)) => {
                account.put_back(kept);
                self.queue().ahead = false;
            }
            Ok(None) => error!("the account is not in the database any more"),
            Err(error) => error!(%error, "cannot read the state on disk"),
        }
        drop((account, failed));
        !self.queue().ahead
    }
}
