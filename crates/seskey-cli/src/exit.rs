//! How the program ends.

use std::process::ExitCode;

/// The exit codes, which scripts rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// It failed, and nothing was changed.
    Failed = 1,
    /// It was called in a wrong way; nothing was changed.
    Usage = 2,
    /// Something was made and is not finished.
    Unfinished = 3,
    /// Something was found, and `--exit-code` asks to say so.
    Findings = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
