//! The errors of the directory of a local SES.

use std::{io, path::PathBuf};

use seskey::Partition;

use crate::account::{AccountId, RestoreError};

/// The reason why the state of a local SES on disk cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The directory, or a file in it, cannot be used.
    #[error("cannot use {}", path.display())]
    File {
        /// The directory or the file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Another process uses the directory.
    #[error("{} is in use by another local SES", directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
    },
    /// The file in the place of the database is something else.
    #[error("{} is not the database of a local SES", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The database was written by a newer version.
    #[error("{} has format {found}, and this version knows {known}", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that this version knows.
        known: i64,
    },
    /// SQLite cannot read or write the database.
    #[error("cannot use {}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// The rows of the database are not an account.
    #[error("{} is damaged", path.display())]
    NoAccount {
        /// The database.
        path: PathBuf,
        /// The place of the damage.
        source: RestoreError,
    },
    /// A row outside the account is missing, or cannot be read.
    #[error("{} is damaged: {key} in its table {table}", path.display())]
    BadRow {
        /// The database.
        path: PathBuf,
        /// `setting` or `message`.
        table: &'static str,
        /// The name of the setting, or the ID of the message.
        key: String,
    },
    /// The database has another account than the requested one.
    #[error("the account in {} is {kept}, not {wanted}", directory.display())]
    OtherAccount {
        /// The directory.
        directory: PathBuf,
        /// The account in it.
        kept: AccountId,
        /// The requested account.
        wanted: AccountId,
    },
    /// The account is in another partition than the requested region.
    #[error("the account in {} is in the partition {kept}, not in {wanted}", directory.display())]
    OtherPartition {
        /// The directory.
        directory: PathBuf,
        /// The partition of the account in it.
        kept: Partition,
        /// The partition of the requested region.
        wanted: Partition,
    },
    /// The given access key is not one of the root user's.
    #[error("the access key that was given is none of the root user's in {}", directory.display())]
    OtherRootKey {
        /// The directory.
        directory: PathBuf,
    },
    /// The thread that writes cannot be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}
