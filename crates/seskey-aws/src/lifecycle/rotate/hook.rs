//! The command that is run when every store holds a new credential, such as one that reloads Postfix.

use std::{process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process_group};
use seskey::AccessKeyId;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// It is given to the shell.
    pub command: String,
    /// How long it may take. It must stay below [`seskey::rotation::MARGIN`].
    pub patience: Duration,
}

/// Why a command failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HookError {
    /// It was not started.
    #[error("not started: {reason}")]
    NotStarted {
        /// The operating system's reason.
        reason: String,
    },
    /// It ended with an error.
    #[error("{status}: {last_line}")]
    Failed {
        /// How it ended.
        status: String,
        /// The last line that it wrote to its standard error.
        last_line: String,
    },
    /// It took too long, and was killed.
    #[error("killed after {} s", after.as_secs())]
    TooLong {
        /// How long it was let run.
        after: Duration,
    },
}

impl Hook {
    /// A command with the time that it usually gets.
    pub fn new(command: &str) -> Self {
        Self { command: command.to_owned(), patience: Duration::from_secs(240) }
    }

    /// Runs it. Of the credential it is told the user name alone: the password is in the stores.
    pub(super) async fn run(&self, user: &str, key: &AccessKeyId) -> Result<(), HookError> {
        let not_started =
            |error: std::io::Error| HookError::NotStarted { reason: error.to_string() };
        let mut child = Command::new("sh")
            .args(["-c", &self.command])
            .env("SESKEY_IAM_USER", user)
            .env("SESKEY_SMTP_USER_NAME", key.as_str())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(not_started)?;
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let mut last_line = String::new();
        let ended = timeout(self.patience, async {
            loop {
                // a child of its own may keep the pipe open for ever
                tokio::select! {
                    biased;
                    Ok(Some(line)) = lines.next_line() => last_line = line,
                    status = child.wait() => break status,
                }
            }
        });
        let Ok(status) = ended.await else {
            kill_group(&child);
            return Err(HookError::TooLong { after: self.patience });
        };
        match status.map_err(not_started)? {
            status if status.success() => Ok(()),
            status => Err(HookError::Failed { status: status.to_string(), last_line }),
        }
    }
}

/// The shell, and what it has started.
fn kill_group(child: &Child) {
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(group) = group {
        // it may have ended meanwhile
        let _ = kill_process_group(group, Signal::KILL);
    }
}
