//! The command that is run when every store holds a new credential, such as one that reloads Postfix.

use std::{process::Stdio, time::Duration};

use seskey::AccessKeyId;
use tokio::process::Command;

use crate::process::{self, ProcessError};

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// It is given to the shell.
    pub command: String,
    /// How long it may take. It must stay below [`seskey::rotation::MARGIN`].
    pub patience: Duration,
}

impl Hook {
    /// A command with the time that it usually gets.
    pub fn new(command: &str) -> Self {
        Self { command: command.to_owned(), patience: Duration::from_secs(240) }
    }

    /// Runs it. Of the credential it is told the user name alone: the password is in the stores.
    pub(super) async fn run(&self, user: &str, key: &AccessKeyId) -> Result<(), ProcessError> {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &self.command])
            .env("SESKEY_IAM_USER", user)
            .env("SESKEY_SMTP_USER_NAME", key.as_str())
            .stdout(Stdio::null());
        process::run(&mut shell, b"", self.patience).await?.success(&[], |_| false).map(drop)
    }
}
