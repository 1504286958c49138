//! All that the program writes: the answer on stdout, everything else on stderr; or all of it for a page.

mod transcript;

use std::{
    fmt,
    fs::{self, File, Metadata},
    io::{self, IsTerminal, Write},
    os::{
        fd::AsFd,
        unix::fs::{FileTypeExt, MetadataExt},
    },
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

pub(crate) use self::transcript::{Line, Transcript};
use crate::{
    args::Global,
    exit::Exit,
    explain::{self, Failure, is_secret, looks_secret},
};

/// Where the program speaks, and how much.
#[derive(Debug, Clone, Default)]
pub(crate) struct Output {
    /// Whether only what went wrong is said.
    pub(crate) quiet: bool,
    /// Whether details are told.
    pub(crate) verbose: bool,
    /// Whether answers are JSON.
    pub(crate) json: bool,
    /// What is written in the place of the terminal.
    transcript: Option<Arc<Transcript>>,
}

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

impl Output {
    pub(crate) fn new(global: &Global) -> Self {
        let Global { quiet, verbose, json, .. } = *global;
        Self { quiet, verbose: verbose > 0, json, transcript: None }
    }

    /// The same for a page, which shows what it is told.
    pub(crate) fn of_page(global: &Global, transcript: Arc<Transcript>) -> Self {
        Self { transcript: Some(transcript), ..Self::new(global) }
    }

    pub(crate) fn transcript(&self) -> Option<&Transcript> {
        self.transcript.as_deref()
    }

    /// The answer. A reader that has gone away has read enough.
    pub(crate) fn answer(&self, text: &str) -> io::Result<()> {
        if let Some(transcript) = &self.transcript {
            transcript.answer(text);
            return Ok(());
        }
        match self.deliver(text) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            delivered => delivered,
        }
    }

    /// An answer that tells what was done, and nothing where only what went wrong is to be said.
    pub(crate) fn report(&self, text: &str) -> io::Result<()> {
        if self.quiet { Ok(()) } else { self.answer(text) }
    }

    /// An answer with a credential in it: all of it or an error, so that nothing is thought delivered that was not.
    pub(crate) fn deliver(&self, text: &str) -> io::Result<()> {
        if let Some(transcript) = &self.transcript {
            transcript.deliver(text);
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }

    /// Refuses to make a credential that nobody would get: stdout is the null device, as is one that was closed before
    /// the program began.
    pub(crate) fn refuse_null(&self, hint: &str) -> Result<(), Failure> {
        let stdout = io::stdout().as_fd().try_clone_to_owned().map(File::from);
        let (stdout, null) = (stdout.and_then(|file| file.metadata()), fs::metadata("/dev/null"));
        let is_null = |of: &Metadata, null: &Metadata| {
            of.file_type().is_char_device() && of.rdev() == null.rdev()
        };
        match (stdout, null) {
            (Ok(stdout), Ok(null)) if self.transcript.is_none() && is_null(&stdout, &null) => {
                Err(Failure::usage(
                    "the credential would be lost: stdout is closed or /dev/null, and IAM tells its secret only once",
                    hint,
                ))
            }
            _ => Ok(()),
        }
    }

    /// The answer as JSON, on lines of its own.
    pub(crate) fn answer_json(&self, value: &Value) -> io::Result<()> {
        self.answer(&format!("{value:#}\n"))
    }

    pub(crate) fn warn(&self, message: &str) {
        if !self.tells(Line::Warning, message) {
            say(Level::Warn, format_args!("{WARNING}warning:{WARNING:#} {}", printable(message)));
        }
    }

    /// What is going on, for a person who wants to know all of it.
    pub(crate) fn detail(&self, message: &str) {
        if self.verbose {
            self.note(message);
        }
    }

    /// What is going on, for a person who waits.
    pub(crate) fn note(&self, message: &str) {
        if !self.quiet && !self.tells(Line::Note, message) {
            say(Level::Info, format_args!("{}", printable(message)));
        }
    }

    /// What may be done next, where nothing went wrong.
    pub(crate) fn advice(&self, message: &str) {
        if !self.quiet {
            self.hint(message);
        }
    }

    pub(crate) fn hint(&self, message: &str) {
        if !self.tells(Line::Hint, message) {
            say(Level::Info, format_args!("{HINT}hint:{HINT:#} {}", printable(message)));
        }
    }

    /// Tells it to the page, if it is for one.
    fn tells(&self, line: fn(String) -> Line, message: &str) -> bool {
        if let Some(transcript) = &self.transcript {
            transcript.say(line(printable(message)));
        }
        self.transcript.is_some()
    }

    /// What is under way in this moment: a terminal shows it until the next word.
    pub(crate) fn passing(&self, spinner: &ProgressBar, message: String) {
        match &self.transcript {
            Some(transcript) => transcript.say(Line::Note(printable(&message))),
            None => spinner.set_message(message),
        }
    }

    /// What failed, without what may be a secret that was typed in the place of something else.
    pub(crate) fn failure(&self, failure: &Failure, typed: impl Iterator<Item = String>) {
        let (message, hint) = bare(failure, &typed.collect::<Vec<_>>());
        if !self.tells(Line::Failure, &message) {
            say(Level::Error, format_args!("{ERROR}{}{ERROR:#}", printable(&message)));
        }
        self.hint(&hint);
    }

    /// What the parser of the command line has to say, without what may be a secret in it.
    pub(crate) fn usage(error: &clap::Error, typed: impl Iterator<Item = String>) -> Exit {
        let asked_for_help = !error.use_stderr();
        if asked_for_help {
            // a reader that has gone away has read enough
            let _ = error.print();
            return Exit::Done;
        }
        let typed: Vec<String> = typed.collect();
        let Failure { message, hint, exit, .. } = explain::usage::failure(error, &typed);
        let bare = |text: &str| without_secrets(text, typed.iter().cloned(), looks_secret);
        say(Level::Error, format_args!("{ERROR}{}{ERROR:#}", printable(&bare(&message))));
        Self::default().hint(&bare(&hint));
        exit
    }

    /// Whether nothing moves on a terminal.
    fn is_still(&self) -> bool {
        self.quiet || self.transcript.is_some() || !io::stderr().is_terminal()
    }

    /// Whether a person reads the answer.
    pub(crate) fn is_watched(&self) -> bool {
        !self.json && self.transcript.is_none() && io::stdout().is_terminal()
    }

    /// A sign of life on a terminal.
    pub(crate) fn spinner(&self) -> ProgressBar {
        if self.is_still() {
            return ProgressBar::hidden();
        }
        let spinner = ProgressBar::new_spinner();
        spinner.enable_steady_tick(Duration::from_millis(120));
        spinner
    }

    /// How many are done, on a terminal.
    pub(crate) fn counter(&self, total: u64) -> ProgressBar {
        if self.is_still() {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{bar:20} {pos}/{len} {wide_msg}")
            .expect("a template that is a constant");
        ProgressBar::new(total).with_style(style)
    }

    /// How far it has come, on a terminal.
    pub(crate) fn progress(&self, total: u64) -> ProgressBar {
        if self.is_still() {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}")
            .expect("a template that is a constant");
        ProgressBar::new(total).with_style(style)
    }
}

/// Says it on stderr, or in the log of the request that is served. Whether anybody listens there changes nothing.
fn say(level: Level, message: fmt::Arguments<'_>) {
    if !is_serving() {
        let _ = writeln!(anstream::stderr(), "seskey: {message}");
        return;
    }
    let message = anstream::adapter::strip_str(&message.to_string()).to_string();
    log(json!({"level": format!("{level:?}").to_uppercase(), "message": message}));
}

#[derive(Debug)]
enum Level {
    Info,
    Warn,
    Error,
}

/// The request that a function serves.
static SERVED: Mutex<Option<String>> = Mutex::new(None);

/// From now on what is said is a line of JSON with the ID of this request.
pub(crate) fn serve(request: Option<String>) {
    *SERVED.lock().unwrap_or_else(PoisonError::into_inner) = request;
}

/// Whether a function serves a request.
pub(crate) fn is_serving() -> bool {
    SERVED.lock().unwrap_or_else(PoisonError::into_inner).is_some()
}

/// A line of the log of a function, with the time and the ID of the request as Lambda calls them.
pub(crate) fn log(mut line: Value) {
    let request = SERVED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    line["timestamp"] = jiff::Timestamp::now().to_string().into();
    line["requestId"] = request.into();
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Message and hint, without what may be a secret that was typed in the place of something else.
pub(crate) fn bare(failure: &Failure, typed: &[String]) -> (String, String) {
    let bare = |text: &str| printable(&without_secrets(text, typed.iter().cloned(), is_secret));
    (bare(&failure.message), bare(&failure.hint))
}

/// A message without the words of the command line that are secrets, also as `--secret` and `--option=secret`.
fn without_secrets(
    message: &str,
    typed: impl Iterator<Item = String>,
    secret: fn(&str) -> bool,
) -> String {
    typed.fold(message.to_owned(), |text, word| {
        let bare = word.trim_start_matches('-');
        let value = bare.split_once('=').map_or("", |(_, value)| value);
        match [value, bare].into_iter().find(|part| secret(part)) {
            Some(found) => text.replace(found, "[redacted]"),
            None => text,
        }
    })
}

/// Text from a server or a user name, without what a terminal would take as a command.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}
