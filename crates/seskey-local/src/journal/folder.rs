//! The directory of a local SES: readable by its owner alone, open in one process at a time.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::{OFlags, fstatvfs};
use tracing::warn;

use super::JournalError;

/// A directory that no other process uses until this is dropped.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    _lock: File,
}

/// The name of the database.
pub(super) const DATABASE: &str = "seskey.db";

const LOG: &str = "seskey.db-wal";
const LOCK: &str = "lock";
/// The files of a new database until it is complete; a start that was killed may leave them.
const NEW_DATABASE: [&str; 3] = ["seskey.db-new", "seskey.db-new-wal", "seskey.db-new-shm"];
/// All other files of the directory; the program that starts the local SES writes the last one.
const FILES: [&str; 5] = [LOCK, DATABASE, LOG, "seskey.db-shm", "ca.pem"];

impl Folder {
    /// Makes the directory if it does not exist, and locks it. An existing directory stays as it is: it may hold other
    /// things. A link in the place of one of our files is refused, wherever it leads.
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        make(path).map_err(|error| failed(path, error))?;
        for path in FILES.map(|name| path.join(name)) {
            if fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
                return Err(failed(&path, io::Error::other("it is no regular file")));
            }
        }
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

    /// Restricts the files to their owner, once they are known to be ours.
    pub(super) fn tighten(&self) -> Result<(), JournalError> {
        FILES
            .map(|name| self.path.join(name))
            .iter()
            .try_for_each(|path| tighten(path).map_err(|error| failed(path, error)))
    }

    /// Fills the write-ahead log with zeros up to a size, or leaves it as it is: a disk with little room is left to what
    /// has to be written. SQLite reads no further than its own frames.
    pub(super) fn lengthen_log(&self, size: u64) -> io::Result<()> {
        let mut log = owners_file(&self.path.join(LOG))?;
        let written = log.seek(SeekFrom::End(0))?;
        let missing = size.saturating_sub(written);
        let disk = fstatvfs(&log)?;
        if missing > disk.f_bavail.saturating_mul(disk.f_frsize) / 4 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let filled = io::copy(&mut io::repeat(0).take(missing), &mut log);
        filled.and_then(|_| log.sync_all()).or_else(|error| log.set_len(written).and(Err(error)))
    }

    /// Returns the path of the database. A missing one is made under another name and renamed when it is complete, so
    /// that an empty file is never taken for ours.
    pub(super) fn database(
        &self,
        make: impl FnOnce(&Path) -> Result<(), JournalError>,
    ) -> Result<PathBuf, JournalError> {
        let path = self.path.join(DATABASE);
        if path.exists() {
            return Ok(path);
        }
        let [new, ..] = NEW_DATABASE.map(|name| self.path.join(name));
        for left in NEW_DATABASE.map(|name| self.path.join(name)) {
            match fs::remove_file(&left) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed(&left, error));
                }
                _ => {}
            }
        }
        // others could read a file that SQLite makes
        owners_file(&new).map_err(|error| failed(&new, error))?;
        make(&new)?;
        let moved = fs::rename(&new, &path).and_then(|()| File::open(&self.path)?.sync_all());
        moved.map_err(|error| failed(&path, error))?;
        Ok(path)
    }
}

fn failed(path: &Path, source: io::Error) -> JournalError {
    JournalError::File { path: path.to_owned(), source }
}

fn make(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {
            // the new entry in the parent must survive a loss of power too
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
    // changes the mode of the opened file, and not of another one that takes its place
    let file = match no_link().read(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mode = file.metadata()?.permissions().mode() & 0o777;
    if mode & OTHERS != 0 {
        warn!(path = %path.display(), mode = format_args!("{mode:o}"), "others could use the file; it is the owner's alone now");
        file.set_permissions(Permissions::from_mode(mode & !OTHERS))?;
    }
    Ok(())
}

fn owners_file(path: &Path) -> io::Result<File> {
    no_link().write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn no_link() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    options
}

/// The permissions of the group and of the others.
const OTHERS: u32 = 0o077;
