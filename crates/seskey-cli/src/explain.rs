//! Turns facts into sentences: what failed, for which user, and what to do.

pub(crate) mod aws;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod function;
pub(crate) mod input;
pub(crate) mod local;
pub(crate) mod migrate;
pub(crate) mod object;
pub(crate) mod organization;
pub(crate) mod render;
pub(crate) mod rotation;
pub(crate) mod smtp;
pub(crate) mod step;
pub(crate) mod store;
pub(crate) mod usage;

use std::{io, path::Path};

use seskey::recognise::{Recognised, recognise};

use crate::exit::Exit;

/// The failure of a verb, in words.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) hint: String,
    /// The option, variable or argument that it is about.
    pub(crate) about: Option<String>,
    /// Whether the only cause is that the reader of the answer has gone.
    pub(crate) broken_pipe: bool,
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// Returns a failure that changed nothing.
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        let (message, hint) = (message.into(), hint.into());
        Self { exit: Exit::Failed, message, hint, about: None, broken_pipe: false }
    }

    /// Returns a failure for wrong use.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new(message, hint) }
    }

    /// Returns a failure that left something behind.
    pub(crate) fn unfinished(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Unfinished, ..Self::new(message, hint) }
    }

    /// Sets the option, variable or argument that the failure is about, and names it in the message.
    pub(crate) fn of(self, given: &str) -> Self {
        Self { message: format!("{given}: {}", self.message), ..self }.about(given)
    }

    /// Does the same for a message that names it already.
    pub(crate) fn about(self, given: &str) -> Self {
        Self { about: Some(given.to_owned()), ..self }
    }

    /// Returns the failure of a file that cannot be read or written.
    pub(crate) fn file(doing: &str, path: &Path, error: &io::Error) -> Self {
        let hint = match error.kind() {
            io::ErrorKind::NotFound if doing == "write" => {
                "make the folder first, or check the path"
            }
            io::ErrorKind::NotFound => "check the path",
            io::ErrorKind::PermissionDenied => "check who owns it and its mode",
            io::ErrorKind::AlreadyExists => "take another name, or overwrite it with --force",
            io::ErrorKind::NotADirectory => "it is a file: name a folder",
            io::ErrorKind::StorageFull => "make room on the disk and try again",
            io::ErrorKind::InvalidData => "save it as text in UTF-8",
            _ => "this is what the system says; check the file and its folder",
        };
        let reason = match error.kind() {
            io::ErrorKind::AlreadyExists => "it exists already".to_owned(),
            io::ErrorKind::InvalidData => "it is not text in UTF-8".to_owned(),
            _ => reason(error),
        };
        Self::new(format!("cannot {doing} {}: {reason}", path.display()), hint)
    }
}

/// Explains why the answer could not be written to stdout.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let broken_pipe = error.kind() == io::ErrorKind::BrokenPipe;
        let message = format!("cannot write the answer to stdout: {}", reason(&error));
        Self {
            broken_pipe,
            ..Self::new(message, "check where stdout leads: a full disk, a closed pipe")
        }
    }
}

/// Whether a word has the form of a secret.
pub(crate) fn is_secret(word: &str) -> bool {
    matches!(
        recognise(word),
        Recognised::SmtpPassword(_)
            | Recognised::SecretAccessKey
            | Recognised::PasswordWithoutVersion
    )
}

/// Whether a word may be a secret or a part of one, if nothing else of that form is expected.
pub(crate) fn looks_secret(word: &str) -> bool {
    let base64_letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let mixed = word.bytes().any(|b| b.is_ascii_uppercase())
        && word.bytes().any(|b| b.is_ascii_lowercase());
    is_secret(word) || word.len() >= 16 && mixed && word.bytes().all(base64_letter)
}

/// Returns the message of the system, without the error number and the capital letter.
pub(crate) fn reason(error: &io::Error) -> String {
    innermost(&error.to_string())
}

/// Returns the last in a library's chain of causes, as a part of a sentence.
pub(crate) fn innermost(causes: &str) -> String {
    let cause = causes.split(" (os error").next().unwrap_or_default();
    let cause = cause.rsplit(": ").next().unwrap_or_default();
    let mut letters = cause.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
