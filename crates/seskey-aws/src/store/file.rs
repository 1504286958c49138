//! A file: it is replaced as a whole by a new one beside it, with the same mode and owner where possible.

use std::{
    collections::BTreeSet,
    fs::{self, File, Metadata, Permissions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::process::geteuid;
use seskey::{
    AccessKeyId, SmtpCredential,
    render::{Entry, Form, RenderError},
};
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use super::{
    Held, StoreError,
    in_place::{self, Way},
};

/// A failure to read or replace a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct FileError {
    /// The file, or its folder.
    pub path: PathBuf,
    /// The problem.
    pub problem: FileProblem,
}

/// A problem with a file that holds a credential, or should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileProblem {
    /// The system refused. The old file is unchanged.
    #[error("{reason}")]
    System {
        /// The kind of failure.
        kind: io::ErrorKind,
        /// The message of the system.
        reason: String,
    },
    /// It is a directory, a device, a pipe or a socket.
    #[error("it is not a file")]
    NotAFile,
    /// It is not UTF-8.
    #[error("it is not text in UTF-8")]
    NotText,
    /// Every user may read or write it. `chmod o=` on it helps, if its readers do not need that.
    #[error("everybody may read or write it (mode {mode:03o})")]
    TooOpen {
        /// Its mode.
        mode: u32,
    },
    /// Every user may write to its folder, and could replace the file.
    #[error("everybody may write to its folder")]
    FolderTooOpen,
    /// The new file cannot be given to the owner and group of the old one, who would lose access.
    #[error("it cannot be kept for its owner ({user}:{group})")]
    Owner {
        /// The ID of its user.
        user: u32,
        /// The ID of its group.
        group: u32,
    },
    /// The file cannot be replaced: it, or its folder, is immutable or append-only.
    #[error("it is immutable or append-only, or its folder is")]
    Fixed,
    /// Another process kept writing to the folder.
    #[error("another process is writing")]
    Busy,
}

pub(super) async fn read(
    path: PathBuf,
    form: Form,
    host: String,
    port: u16,
    keys: BTreeSet<AccessKeyId>,
) -> Result<Held, StoreError> {
    in_thread(move || {
        let present = Present::read(&followed(&path)?)?;
        let text = present.as_ref().map_or("", |present| &present.text);
        held(form.read(text, &host, port, &keys))
    })
    .await
}

pub(super) async fn write(
    path: PathBuf,
    form: Form,
    entry: Entry,
    keys: BTreeSet<AccessKeyId>,
) -> Result<(), StoreError> {
    in_thread(move || {
        let path = followed(&path)?;
        let folder = Folder::locked(folder_of(&path))?;
        let present = Present::read(&path)?;
        let text = rendered(&form, &entry, present.as_ref(), &keys)?;
        if present.as_ref().is_none_or(|present| present.text != text) {
            folder.replace(&path, present.as_ref(), &text)?;
        }
        let text = Present::read(&path)?.map(|present| present.text).unwrap_or_default();
        held(form.read(&text, &entry.host, entry.port, &keys))?.confirm(&entry.credential)
    })
    .await
}

/// Does all that can be done before there is a credential, and undoes it: as many bytes are written as will be.
pub(super) async fn probe(
    path: PathBuf,
    form: Form,
    entry: Entry,
    keys: BTreeSet<AccessKeyId>,
) -> Result<(), StoreError> {
    in_thread(move || {
        let path = followed(&path)?;
        let folder = Folder::locked(folder_of(&path))?;
        let present = Present::read(&path)?;
        let text = rendered(&form, &entry, present.as_ref(), &keys)?;
        let failed = |error| system(&path, &error);
        match (folder.way(&path)?, &present) {
            (Way::InPlace, Some(present)) => {
                let more = text.len().saturating_sub(present.text.len());
                in_place::look(&path, more).map_err(failed)?;
            }
            _ => drop(folder.filled(&path, present.as_ref(), &text)?),
        }
        Ok(())
    })
    .await
}

/// Writes the text into a file of our own that no other user can read.
pub(super) async fn keep(path: PathBuf, text: Zeroizing<String>) -> Result<(), StoreError> {
    in_thread(move || Ok(Folder::locked(folder_of(&path))?.replace(&path, None, &text)?)).await
}

/// Reads a file of our own.
pub(super) async fn kept(path: PathBuf) -> Option<Zeroizing<String>> {
    let present = in_thread(move || Ok(Present::read(&path)?)).await.ok()??;
    (present.metadata.uid() == geteuid().as_raw()).then_some(present.text)
}

/// Returns the text of the file with this entry.
fn rendered(
    form: &Form,
    entry: &Entry,
    present: Option<&Present>,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<Zeroizing<String>, StoreError> {
    let before = present.map_or("", |present| present.text.as_str());
    let read = form.read(before, &entry.host, entry.port, keys);
    let text =
        read.and_then(|_| form.render(entry, before, keys)).map_err(|error| match error {
            RenderError::NotOurs => StoreError::NotOurs,
            error => error.into(),
        })?;
    Ok(Zeroizing::new(text))
}

/// Classifies the result of reading a text. Unreadable text is foreign, except with a key of the user in it.
fn held(read: Result<Vec<SmtpCredential>, RenderError>) -> Result<Held, StoreError> {
    match read {
        Ok(credentials) => Ok(Held::of(credentials)),
        Err(RenderError::NotOurs | RenderError::Unreadable { .. }) => Ok(Held::Foreign),
        Err(error) => Err(error.into()),
    }
}

/// Runs the work in a thread: files block, and a disk that spins up does so for seconds.
async fn in_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// The present file.
struct Present {
    text: Zeroizing<String>,
    metadata: Metadata,
}

impl Present {
    /// Reads the file; `None` if there is none.
    fn read(path: &Path) -> Result<Option<Self>, FileError> {
        let failed = |error| system(path, &error);
        let problem = |problem| Err(FileError { path: path.to_owned(), problem });
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
            // opening a pipe would block
            Ok(metadata) if !metadata.is_file() => return problem(FileProblem::NotAFile),
            Ok(_) => {}
        }
        let mut file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let mode = metadata.mode() & 0o7777;
        if mode & 0o006 != 0 {
            return problem(FileProblem::TooOpen { mode });
        }
        let mut text = Zeroizing::new(String::new());
        match file.read_to_string(&mut text) {
            Ok(_) => Ok(Some(Self { text, metadata })),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                problem(FileProblem::NotText)
            }
            Err(error) => Err(failed(error)),
        }
    }
}

/// The folder of a file, locked so that two writers do not lose each other's lines.
struct Folder<'a> {
    path: &'a Path,
    handle: File,
    locked: bool,
}

impl<'a> Folder<'a> {
    fn locked(path: &'a Path) -> Result<Self, FileError> {
        let handle = File::open(path).map_err(|error| system(path, &error))?;
        let until = Instant::now() + PATIENCE;
        loop {
            match handle.try_lock() {
                Ok(()) => return Ok(Self { path, handle, locked: true }),
                // not every file system can lock a directory
                Err(TryLockError::Error(_)) => return Ok(Self { path, handle, locked: false }),
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    thread::sleep(Duration::from_millis(20));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(FileError { path: path.to_owned(), problem: FileProblem::Busy });
                }
            }
        }
    }

    /// Returns the way to give the file a new text, if there is one.
    fn way(&self, path: &Path) -> Result<Way, FileError> {
        match in_place::way(path, self.path) {
            Way::Fixed => Err(FileError { path: path.to_owned(), problem: FileProblem::Fixed }),
            way => Ok(way),
        }
    }

    /// Replaces the file. The text is on disk before the name is.
    fn replace(&self, path: &Path, present: Option<&Present>, text: &str) -> Result<(), FileError> {
        let failed = |error| system(path, &error);
        if let (Way::InPlace, Some(present)) = (self.way(path)?, present) {
            return in_place::write(path, &present.text, text).map_err(failed);
        }
        let file = self.filled(path, present, text)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        self.handle.sync_all().map_err(failed)
    }

    /// Writes this text to a file beside the present one, on disk. Its owner and mode are set before its first byte is
    /// written.
    fn filled(
        &self,
        path: &Path,
        present: Option<&Present>,
        text: &str,
    ) -> Result<NamedTempFile, FileError> {
        let failed = |error| system(path, &error);
        let mut file = self.new_file(path, present)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        Ok(file)
    }

    /// Creates an empty file beside the present one, with its owner and mode. It is removed when dropped.
    fn new_file(&self, path: &Path, present: Option<&Present>) -> Result<NamedTempFile, FileError> {
        let failed = |error| system(path, &error);
        self.remove_leftovers();
        let mut builder = tempfile::Builder::new();
        let file = builder.prefix(PREFIX).suffix(SUFFIX).tempfile_in(self.path).map_err(failed)?;
        if let Some(Present { metadata: old, .. }) = present {
            let new = file.as_file().metadata().map_err(failed)?;
            let (user, group) = (old.uid(), old.gid());
            if (user, group) != (new.uid(), new.gid()) {
                fchown(file.as_file(), Some(user), Some(group)).map_err(|_| FileError {
                    path: path.to_owned(),
                    problem: FileProblem::Owner { user, group },
                })?;
            }
            let mode = Permissions::from_mode(old.mode() & 0o7777);
            file.as_file().set_permissions(mode).map_err(failed)?;
        }
        Ok(file)
    }

    /// Removes files that a killed run may have left with a secret. No other run uses them while the folder is locked.
    fn remove_leftovers(&self) {
        let entries = fs::read_dir(self.path).into_iter().flatten().flatten();
        let leftovers = entries.filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            self.locked && name.starts_with(PREFIX) && name.ends_with(SUFFIX)
        });
        for leftover in leftovers {
            let _ = fs::remove_file(leftover.path());
        }
    }
}

/// Follows links to the file at their end, so that a link stays and its target is replaced. Where every user may write,
/// a link or a file must be the caller's own: another user may have put it there to be written to.
fn followed(path: &Path) -> Result<PathBuf, FileError> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let folder = folder_of(&path);
        let mode = fs::metadata(folder).map_err(|error| system(folder, &error))?.mode();
        let (everybody, sticky) = (mode & 0o002 != 0, mode & 0o1000 != 0);
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(system(&path, &error)),
        };
        let own = metadata.as_ref().is_none_or(|entry| entry.uid() == geteuid().as_raw());
        if everybody && !(sticky && own) {
            return Err(FileError { path, problem: FileProblem::FolderTooOpen });
        }
        if !metadata.is_some_and(|metadata| metadata.is_symlink()) {
            return Ok(path);
        }
        path = folder.join(fs::read_link(&path).map_err(|error| system(&path, &error))?);
    }
    Err(FileError { path, problem: FileProblem::NotAFile })
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn system(path: &Path, error: &io::Error) -> FileError {
    let problem = FileProblem::System { kind: error.kind(), reason: error.to_string() };
    FileError { path: path.to_owned(), problem }
}

/// The prefix and suffix of a file that is not in its place yet.
const PREFIX: &str = ".seskey-";
const SUFFIX: &str = ".tmp";

/// The time to wait for the lock of the folder. A run holds it while it writes one file.
const PATIENCE: Duration = Duration::from_secs(20);

/// The most links that are followed, as many as Linux follows.
const MAX_LINKS: usize = 40;
