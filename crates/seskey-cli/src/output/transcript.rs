//! The output of a verb for a page, kept in place of a terminal.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anstream::adapter::strip_str;
use anstyle::{AnsiColor, Style};
use seskey::Secret;
use seskey_aws::lifecycle::Interrupt;
use tokio::sync::watch;

/// The output of one run of a verb.
#[derive(Debug)]
pub(crate) struct Transcript {
    lines: watch::Sender<Vec<Line>>,
    answer: Mutex<String>,
    /// An answer with a credential in it.
    delivered: Mutex<Option<Secret>>,
    raise: watch::Sender<bool>,
    interrupt: Interrupt,
}

/// A line that a terminal shows on stderr.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    Note(String),
    Warning(String),
    Failure(String),
    Hint(String),
}

impl Line {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Note(text) | Self::Warning(text) | Self::Failure(text) | Self::Hint(text) => text,
        }
    }

    /// Returns the line with colours, for a terminal, which may take none.
    pub(super) fn coloured(&self) -> String {
        match self {
            Self::Note(text) => text.clone(),
            Self::Warning(text) => format!("{WARNING}warning:{WARNING:#} {text}"),
            Self::Failure(text) => format!("{ERROR}{text}{ERROR:#}"),
            Self::Hint(text) => format!("{HINT}hint:{HINT:#} {text}"),
        }
    }

    /// Returns the line without colours.
    pub(super) fn worded(&self) -> String {
        strip_str(&self.coloured()).to_string()
    }

    /// Returns the level of the line in a log.
    pub(super) fn level(&self) -> &'static str {
        match self {
            Self::Note(_) | Self::Hint(_) => "INFO",
            Self::Warning(_) => "WARN",
            Self::Failure(_) => "ERROR",
        }
    }
}

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

impl Default for Transcript {
    fn default() -> Self {
        let (raise, interrupt) = Interrupt::new();
        Self {
            lines: watch::Sender::default(),
            answer: Mutex::default(),
            delivered: Mutex::default(),
            raise,
            interrupt,
        }
    }
}

impl Transcript {
    pub(super) fn say(&self, line: Line) {
        self.lines.send_modify(|lines| lines.push(line));
    }

    pub(super) fn answer(&self, text: &str) {
        locked(&self.answer).push_str(text);
    }

    pub(super) fn deliver(&self, text: &str) {
        *locked(&self.delivered) = Some(Secret::new(text.to_owned()));
    }

    /// Returns the lines, as they grow.
    pub(crate) fn lines(&self) -> watch::Receiver<Vec<Line>> {
        self.lines.subscribe()
    }

    /// Returns the answer so far.
    pub(crate) fn answered(&self) -> String {
        locked(&self.answer).clone()
    }

    /// Takes the answer with a credential out of the transcript.
    pub(crate) fn take_delivered(&self) -> Option<Secret> {
        locked(&self.delivered).take()
    }

    /// Returns the interrupt that [`stop`](Self::stop) raises.
    pub(crate) fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }

    /// Asks the verb to stop at the next safe point.
    pub(crate) fn stop(&self) {
        self.raise.send_replace(true);
    }
}

/// Locks a text. A panic leaves it as it was.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
