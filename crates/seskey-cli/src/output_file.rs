//! A file that is made beside its place and moved there whole: with mode 0600 for a secret, and never over another by
//! accident.

use std::{
    fs::Permissions,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile};

use crate::explain::{Failure, Result};

/// An answer on its way to a file.
pub(crate) struct OutputFile {
    path: PathBuf,
    force: bool,
    file: NamedTempFile,
}

impl OutputFile {
    /// Checks, before anything else is done, that the file can be written.
    pub(crate) fn begin(path: &Path, force: bool) -> Result<Self> {
        Self::beside(path, force, 0o600)
    }

    /// Does the same for a file without a secret, which replaces the file of the last run.
    pub(crate) fn again(path: &Path) -> Result<Self> {
        // a device or a pipe would be replaced
        if path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir()) {
            return Err(Failure::new(
                format!("cannot write {}: it is no file", path.display()),
                "name a file: it is made new in each run, and put into its place",
            ));
        }
        Self::beside(path, true, 0o644)
    }

    fn beside(path: &Path, force: bool, mode: u32) -> Result<Self> {
        let failed = |error: io::Error| Failure::file("write", path, &error);
        if path.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        if !force && path.symlink_metadata().is_ok() {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        let file = Builder::new().permissions(Permissions::from_mode(mode)).tempfile_in(folder);
        Ok(Self { path: path.to_owned(), force, file: file.map_err(failed)? })
    }

    /// Writes the answer and moves the file to its place. Returns the place.
    pub(crate) fn finish(mut self, text: &str) -> Result<PathBuf> {
        let path = self.path;
        let failed = |error: io::Error| Failure::file("write", &path, &error);
        self.file.write_all(text.as_bytes()).map_err(failed)?;
        self.file.as_file().sync_all().map_err(failed)?;
        let persisted =
            if self.force { self.file.persist(&path) } else { self.file.persist_noclobber(&path) };
        persisted.map_err(|error| failed(error.error))?;
        Ok(path)
    }
}
