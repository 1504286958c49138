//! Why a directory cannot be used.

use std::{io, path::PathBuf};

use seskey::Partition;

use crate::account::{AccountId, RestoreError};

/// Why what a local SES keeps on disk cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The directory, or a file in it, cannot be used.
    #[error("cannot use {}", path.display())]
    File {
        /// The directory or the file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process has it.
    #[error("{} is in use by another local SES", directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
    },
    /// There is a file in the place of the database that is something else.
    #[error("{} is not the database of a local SES", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It was written by a newer version.
    #[error("{} has format {found}, and this version knows {known}", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that is known here.
        known: i64,
    },
    /// SQLite cannot read or write it.
    #[error("cannot use {}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// Its rows are no account.
    #[error("{} is damaged", path.display())]
    NoAccount {
        /// The database.
        path: PathBuf,
        /// Where.
        source: RestoreError,
    },
    /// A row beside the account is missing, or cannot be read.
    #[error("{} is damaged: {key} in its table {table}", path.display())]
    BadRow {
        /// The database.
        path: PathBuf,
        /// `setting` or `message`.
        table: &'static str,
        /// The name of the setting, or the ID of the message.
        key: String,
    },
    /// Another account was asked for than is in it.
    #[error("the account in {} is {kept}, not {wanted}", directory.display())]
    OtherAccount {
        /// The directory.
        directory: PathBuf,
        /// The account in it.
        kept: AccountId,
        /// The account that was asked for.
        wanted: AccountId,
    },
    /// A region of another partition was asked for than the account is in.
    #[error("the account in {} is in the partition {kept}, not in {wanted}", directory.display())]
    OtherPartition {
        /// The directory.
        directory: PathBuf,
        /// The partition of the account in it.
        kept: Partition,
        /// The partition of the region that was asked for.
        wanted: Partition,
    },
    /// The root user has other access keys than the one that was given.
    #[error("the access key that was given is none of the root user's in {}", directory.display())]
    OtherRootKey {
        /// The directory.
        directory: PathBuf,
    },
    /// There is no thread to write with.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}
