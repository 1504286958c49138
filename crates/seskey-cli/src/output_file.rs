//! A file for a secret: made new with mode 0600 beside its place, moved there whole, never over another by accident.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::explain::{Failure, Result};

/// An answer on its way to a file.
pub(crate) struct OutputFile {
    path: PathBuf,
    force: bool,
    file: NamedTempFile,
}

impl OutputFile {
    /// Makes sure, before anything else is done, that the file can be written.
    pub(crate) fn begin(path: &Path, force: bool) -> Result<Self> {
        let failed = |error: io::Error| Failure::file("write", path, &error);
        if path.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        if !force && path.symlink_metadata().is_ok() {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        let file = NamedTempFile::new_in(folder).map_err(failed)?;
        Ok(Self { path: path.to_owned(), force, file })
    }

    /// Writes the answer and puts the file in its place, which it gives back.
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
