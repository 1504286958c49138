//! What a local SES keeps on disk, so that nothing is lost that somebody was told of.
//!
//! Changes are queued in the order in which they were made; one thread writes all that is queued in one transaction,
//! waits for the disk once, and then tells everyone who waits: many connections share one wait. What cannot be written
//! is undone in memory too.

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

/// One thing to write.
pub(crate) enum Write {
    /// Changed rows of the account, which has the change in memory already.
    Rows(Vec<Row>),
    /// A message. The mailbox shows it when it is on disk.
    Message(Arc<Message>),
    /// Messages to delete; from the mailbox once they are gone from the disk.
    DeleteMessages(Filter),
    /// How far the clock is ahead. It is moved when that is on disk.
    ClockAhead(SignedDuration),
}

/// A change could not be written, and is undone in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitFailed;

/// A commit that somebody waits for before he answers.
#[must_use]
#[derive(Default)]
pub(crate) struct Commit(Option<oneshot::Receiver<()>>);

/// Where changes are handed in.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Shared>);

/// The thread that writes. When it is dropped, what is queued is written, and the database is closed.
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
    /// Whether somebody waits for one of them.
    awaited: bool,
    /// Whether the account in memory has something that somebody waits for and that is not on disk yet.
    ahead: bool,
    closed: bool,
}

struct QueuedWrite {
    write: Write,
    /// Told when it is on disk; dropped when it failed.
    told: Option<oneshot::Sender<()>>,
}

/// How long what nobody waits for may be in memory alone.
const LAZINESS: Duration = Duration::from_secs(1);

impl Journal {
    /// Hands in the changed rows of the account, which must still be locked, so that the order of the changes is kept.
    ///
    /// The commit of a read (no rows) waits only if the account is ahead of the disk: what was seen may fail yet. Of
    /// the use of an access key nobody is told, so nobody waits for it.
    pub(crate) fn rows(&self, rows: Vec<Row>) -> Commit {
        let mut queue = self.queue();
        queue.ahead |= rows.iter().any(Row::is_acknowledged);
        match (queue.ahead, rows.is_empty()) {
            (true, _) => self.push(queue, Write::Rows(rows), true),
            (false, false) => self.push(queue, Write::Rows(rows), false),
            (false, true) => Commit::default(),
        }
    }

    /// Hands in something that is not of the account.
    pub(crate) fn write(&self, write: Write) -> Commit {
        self.push(self.queue(), write, true)
    }

    /// How many transactions were committed since the start.
    pub(crate) fn commits(&self) -> u64 {
        self.0.commits.load(Ordering::Relaxed)
    }

    fn push(&self, mut queue: MutexGuard<'_, Queue>, write: Write, waits: bool) -> Commit {
        let (told, commit) = oneshot::channel();
        // behind the end of the writer nobody is told: the commit fails
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

    /// Waits for entries, and takes all there are; nothing at the end.
    fn next_batch(&self) -> Option<Vec<QueuedWrite>> {
        let Shared { filled, .. } = &*self.0;
        let idle = |queue: &mut Queue| queue.entries.is_empty() && !queue.closed;
        let queue = filled.wait_while(self.queue(), idle).unwrap_or_else(PoisonError::into_inner);
        // what nobody waits for is written with what somebody does
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
    /// Waits until it is on disk.
    pub(crate) async fn done(self) -> Result<(), CommitFailed> {
        match self.0 {
            Some(commit) => commit.await.map_err(|_| CommitFailed),
            None => Ok(()),
        }
    }

    /// The same for a caller who cannot await; he may stand in an asynchronous runtime all the same.
    pub(crate) fn wait(self) -> Result<(), CommitFailed> {
        let Some(commit) = self.0 else { return Ok(()) };
        let told = thread::scope(|scope| scope.spawn(|| commit.blocking_recv()).join());
        told.map_or(Err(CommitFailed), |told| told.map_err(|_| CommitFailed))
    }
}

impl Writer {
    /// Starts to write what is handed in to a journal, and shows what is kept. The account is in memory as the journal
    /// has it.
    ///
    /// # Errors
    /// There is no further thread.
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

/// What the thread does.
impl Journal {
    fn run(&self, mut database: Database, account: &Mutex<Account>, show: &dyn Fn(Write)) {
        if let Err(error) = database.lengthen_log() {
            debug!(%error, "the log grows as it must");
        }
        // true from a failure until the account in memory is again what is on disk
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
                Err(error) => warn!(%error, changes = batch.len(), "cannot keep what was changed"),
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
            // who does not wait any more has hung up
            let _ = told.send(());
        }
    }

    /// Makes the account in memory what is on disk again. What waits in the queue was made on top of what failed, and
    /// fails with it, but not before.
    fn put_back(&self, database: &Database, account: &Mutex<Account>) -> bool {
        let mut account = lock(account);
        let failed = mem::take(&mut self.queue().entries);
        match database.account() {
            Ok(Some(kept)) => {
                account.put_back(kept);
                self.queue().ahead = false;
            }
            Ok(None) => error!("the account is not in the database any more"),
            Err(error) => error!(%error, "cannot read what is on disk"),
        }
        drop((account, failed));
        !self.queue().ahead
    }
}
