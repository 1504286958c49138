//! The directory in which a local SES keeps what it has, for its owner alone and for one process at a time.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use tracing::warn;

use super::JournalError;

/// A directory that no other process uses while this is there.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    _lock: File,
}

/// The name of the database.
pub(super) const DATABASE: &str = "seskey.db";

const LOCK: &str = "lock";
/// All files that are ever in it; the last is written by whoever starts the local SES.
const FILES: [&str; 5] = [LOCK, DATABASE, "seskey.db-wal", "seskey.db-shm", "ca.pem"];

impl Folder {
    /// Makes the directory if it is not there, and locks it. One that was there is left as it is: it may hold other
    /// things.
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        let failed = |path: &Path, source| JournalError::File { path: path.to_owned(), source };
        make(path).map_err(|error| failed(path, error))?;
        let lock_path = path.join(LOCK);
        let lock = owners_file(&lock_path).map_err(|error| failed(&lock_path, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(JournalError::InUse { directory: path.to_owned() })
            }
            Err(TryLockError::Error(error)) => Err(failed(&lock_path, error)),
        }
    }

    /// Makes the files the owner's alone, once they are known to be ours.
    pub(super) fn tighten(&self) -> Result<(), JournalError> {
        FILES.map(|name| self.path.join(name)).into_iter().try_for_each(|path| {
            tighten(&path).map_err(|source| JournalError::File { path, source })
        })
    }

    /// The database; an empty file if it is not there, since what SQLite makes others may read.
    pub(super) fn database(&self) -> Result<PathBuf, JournalError> {
        let path = self.path.join(DATABASE);
        match owners_file(&path) {
            Ok(_) => Ok(path),
            Err(source) => Err(JournalError::File { path, source }),
        }
    }
}

fn make(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {
            // that the directory is there must outlast a loss of power too
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let metadata = fs::metadata(path)?;
            if !metadata.is_dir() {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            let mode = metadata.permissions().mode() & 0o777;
            if mode & OTHERS != 0 {
                warn!(path = %path.display(), mode = format_args!("{mode:o}"), "others may enter the directory; 700 would keep them out");
            }
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn tighten(path: &Path) -> io::Result<()> {
    let mode = match fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode() & 0o777,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if mode & OTHERS != 0 {
        warn!(path = %path.display(), mode = format_args!("{mode:o}"), "others could use the file; it is the owner's alone now");
        fs::set_permissions(path, Permissions::from_mode(mode & !OTHERS))?;
    }
    Ok(())
}

fn owners_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// What the group and the others may do.
const OTHERS: u32 = 0o077;
