//! The directory in which a local SES is started and started again.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use seskey_local::{
    JournalError,
    server::{Config, Server, StartError},
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A directory, and a runtime for its local SES.
pub(crate) struct Place {
    pub(crate) runtime: Runtime,
    pub(crate) folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { runtime: Runtime::new().unwrap(), folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn config(&self) -> Config {
        Config { data: Some(self.directory()), ..Config::ephemeral() }
    }

    pub(crate) fn start(&self) -> Server {
        self.try_start(self.config()).unwrap()
    }

    pub(crate) fn try_start(&self, config: Config) -> Result<Server, StartError> {
        self.runtime.block_on(Server::start(config))
    }

    pub(crate) fn refusal(&self, config: Config) -> JournalError {
        match self.try_start(config) {
            Err(StartError::Journal(error)) => error,
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("it has started"),
        }
    }

    pub(crate) fn database(&self) -> Connection {
        Connection::open(self.directory().join("seskey.db")).unwrap()
    }

    /// Returns the names, modes and bytes of all files in the directory.
    pub(crate) fn files(&self) -> Vec<(String, u32, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(self.directory())
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                (name, mode(&entry.path()), fs::read(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    }
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
