//! The command that is run when every store holds a new credential, such as one that reloads Postfix.

use std::{io, time::Duration};

use seskey::{AccessKeyId, Region, SmtpCredential};

use crate::process::{self, ProcessError};

/// A command after a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// The command, as the shell gets it.
    pub command: String,
    /// Its time limit. It must stay below [`seskey::rotation::MARGIN`].
    pub patience: Duration,
}

impl Hook {
    /// Returns a command with the usual time limit.
    pub fn new(command: &str) -> Self {
        Self { command: command.to_owned(), patience: Duration::from_secs(240) }
    }

    /// Runs the command. It gets the user name of the credential alone: the password is in the stores. The command may
    /// read the password there, so its messages are shown without it.
    pub(super) async fn run(
        &self,
        user: &str,
        key: &AccessKeyId,
        delivered: &[(Region, SmtpCredential)],
    ) -> Result<(), ProcessError> {
        let variables = [("SESKEY_IAM_USER", user), ("SESKEY_SMTP_USER_NAME", key.as_str())];
        let hidden: Vec<_> =
            delivered.iter().map(|(_, credential)| credential.password.expose()).collect();
        process::shell(&self.command, &variables, b"", &hidden, self.patience).await
    }

    /// Checks that the shell understands the command, and finds its program where that can be told.
    pub(super) async fn look(&self) -> Result<(), ProcessError> {
        let Self { command, .. } = self;
        let variables = [("SESKEY_COMMAND", command.as_str())];
        process::shell("sh -n -c \"$SESKEY_COMMAND\"", &variables, b"", &[], LOOK).await?;
        let program = command.split_whitespace().next().unwrap_or_default();
        // anything else may be a variable, an assignment or a function that is defined there
        let is_plain =
            program.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte));
        if !is_plain {
            return Ok(());
        }
        let variables = [("SESKEY_COMMAND", program)];
        let found = process::shell(FIND, &variables, b"", &[], LOOK);
        found.await.map_err(|_| ProcessError::NotStarted {
            program: program.to_owned(),
            kind: io::ErrorKind::NotFound,
            reason: "it is not found".to_owned(),
        })
    }
}

/// The search for a program, a builtin or a keyword. For a path, `command -v` says only that it exists.
const FIND: &str = r#"command -v "$SESKEY_COMMAND" &&
case $SESKEY_COMMAND in */*) [ -x "$SESKEY_COMMAND" ] && [ ! -d "$SESKEY_COMMAND" ] ;; esac"#;

/// The time limit of a check.
const LOOK: Duration = Duration::from_secs(10);
