//! The exit codes of the program.

use std::process::ExitCode;

/// The exit codes, which scripts rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// It failed, and nothing was changed.
    Failed,
    /// It was called in a wrong way; nothing was changed.
    Usage,
    /// Something was made and is not finished.
    Unfinished,
    /// Something was found, and `--exit-code` asks to say so.
    Findings,
    /// The exit code of the command that was run.
    Command(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Unfinished => 3,
            Exit::Findings => 4,
            Exit::Command(code) => code,
        })
    }
}
