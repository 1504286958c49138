//! The command that is run when every store holds a new credential, such as one that reloads Postfix.

use std::time::Duration;

use seskey::{AccessKeyId, SmtpCredential};

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

    /// Runs it. Of the credential it is told the user name alone: the password is in the stores. It may read it there, so
    /// that it must not be shown with what it says.
    pub(super) async fn run(
        &self,
        user: &str,
        key: &AccessKeyId,
        delivered: Option<&SmtpCredential>,
    ) -> Result<(), ProcessError> {
        let variables = [("SESKEY_IAM_USER", user), ("SESKEY_SMTP_USER_NAME", key.as_str())];
        let hidden: Vec<_> =
            delivered.iter().map(|credential| credential.password.expose()).collect();
        process::shell(&self.command, &variables, b"", &hidden, self.patience).await
    }
}
