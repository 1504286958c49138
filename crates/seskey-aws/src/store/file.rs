//! A file: replaced as a whole by a new one beside it, with the mode and the owner that it had, where that can be.

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

/// A file that cannot be read or replaced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct FileError {
    /// The file, or its folder.
    pub path: PathBuf,
    /// What is wrong.
    pub problem: FileProblem,
}

/// What is wrong with a file that a credential is in, or should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileProblem {
    /// The system refused. The old file is as it was.
    #[error("{reason}")]
    System {
        /// What kind of failure it was.
        kind: io::ErrorKind,
        /// What the system said.
        reason: String,
    },
    /// It is a directory, a device, a pipe or a socket.
    #[error("it is not a file")]
    NotAFile,
    /// It is not UTF-8.
    #[error("it is not text in UTF-8")]
    NotText,
    /// Everybody may read or write it. `chmod o=` on it helps, if its readers do not need that.
    #[error("everybody may read or write it (mode {mode:03o})")]
    TooOpen {
        /// Its mode.
        mode: u32,
    },
    /// Everybody may write to its folder, and could put something else in its place.
    #[error("everybody may write to its folder")]
    FolderTooOpen,
    /// The new file cannot be given to the owner and group of the old one, who would lose it.
    #[error("it cannot be kept for its owner ({user}:{group})")]
    Owner {
        /// The number of its user.
        user: u32,
        /// The number of its group.
        group: u32,
    },
    /// Nothing can take its place: it, or its folder, is immutable or append-only.
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

/// Does all that can be done before there is a credential, and takes it back: as many bytes are written as will be.
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

/// Puts the text into a file of our own, for nobody else to read.
pub(super) async fn keep(path: PathBuf, text: Zeroizing<String>) -> Result<(), StoreError> {
    in_thread(move || Ok(Folder::locked(folder_of(&path))?.replace(&path, None, &text)?)).await
}

/// What a file of our own holds.
pub(super) async fn kept(path: PathBuf) -> Option<Zeroizing<String>> {
    let present = in_thread(move || Ok(Present::read(&path)?)).await.ok()??;
    (present.metadata.uid() == geteuid().as_raw()).then_some(present.text)
}

/// The text of the file with this entry.
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

/// What was read of a text. What cannot be read is somebody else's, but not what has a key of the user in it.
fn held(read: Result<Vec<SmtpCredential>, RenderError>) -> Result<Held, StoreError> {
    match read {
        Ok(credentials) => Ok(Held::of(credentials)),
        Err(RenderError::NotOurs | RenderError::Unreadable { .. }) => Ok(Held::Foreign),
        Err(error) => Err(error.into()),
    }
}

/// Files block, and a disk that spins up does so for seconds.
async fn in_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// The file as it is.
struct Present {
    text: Zeroizing<String>,
    metadata: Metadata,
}

impl Present {
    /// `None` if there is none.
    fn read(path: &Path) -> Result<Option<Self>, FileError> {
        let failed = |error| system(path, &error);
        let problem = |problem| Err(FileError { path: path.to_owned(), problem });
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
            // a pipe would keep whoever opens it
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

/// The folder of a file, locked so that of two writers neither loses the lines of the other.
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

    /// How the file can be given a new text, if it can.
    fn way(&self, path: &Path) -> Result<Way, FileError> {
        match in_place::way(path, self.path) {
            Way::Fixed => Err(FileError { path: path.to_owned(), problem: FileProblem::Fixed }),
            way => Ok(way),
        }
    }

    /// The text is on disk before the name is.
    fn replace(&self, path: &Path, present: Option<&Present>, text: &str) -> Result<(), FileError> {
        let failed = |error| system(path, &error);
        if let (Way::InPlace, Some(present)) = (self.way(path)?, present) {
            return in_place::write(path, &present.text, text).map_err(failed);
        }
        let file = self.filled(path, present, text)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        self.handle.sync_all().map_err(failed)
    }

    /// A file beside the present one with this text, on disk. Owner and mode are right before its first byte is written.
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

    /// An empty file beside the present one, with its owner and mode; gone when it is dropped.
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

    /// A run that was killed may have left a secret behind. While the folder is locked, no other run uses it.
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

/// What the path leads to in the end, so that a link stays and what it leads to is replaced. Where everybody may write, it
/// must be the caller's own: a link or a file that is not was perhaps put there to be written to.
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

/// Around the name of a file that is not in its place yet.
const PREFIX: &str = ".seskey-";
const SUFFIX: &str = ".tmp";

/// How long to wait for the lock of the folder. A run holds it while it writes one file.
const PATIENCE: Duration = Duration::from_secs(20);

/// As many links as Linux follows.
const MAX_LINKS: usize = 40;
