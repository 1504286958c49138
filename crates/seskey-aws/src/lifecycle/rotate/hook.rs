//! The command that is run when every store holds a new credential, such as one that reloads Postfix.

use std::{io, time::Duration};

use seskey::{AccessKeyId, Region, SmtpCredential};

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
        delivered: &[(Region, SmtpCredential)],
    ) -> Result<(), ProcessError> {
        let variables = [("SESKEY_IAM_USER", user), ("SESKEY_SMTP_USER_NAME", key.as_str())];
        let hidden: Vec<_> =
            delivered.iter().map(|(_, credential)| credential.password.expose()).collect();
        process::shell(&self.command, &variables, b"", &hidden, self.patience).await
    }

    /// Whether the shell understands it, and finds the program that it begins with where that can be told.
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

/// Finds a program, a builtin or a keyword; of a path, `command -v` says nothing but that it is there.
const FIND: &str = r#"command -v "$SESKEY_COMMAND" &&
case $SESKEY_COMMAND in */*) [ -x "$SESKEY_COMMAND" ] && [ ! -d "$SESKEY_COMMAND" ] ;; esac"#;

/// How long looking may take.
const LOOK: Duration = Duration::from_secs(10);
