//! The output of the program: the answer on stdout, everything else on stderr; or all of it for a page, or into the log
//! of a function.

mod transcript;

use std::{
    fs::{self, File, Metadata},
    io::{self, IsTerminal, Write},
    os::{
        fd::AsFd,
        unix::fs::{FileTypeExt, MetadataExt},
    },
    sync::Arc,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

pub(crate) use self::transcript::{Line, Transcript};
use crate::{
    args::Global,
    exit::Exit,
    explain::{self, Failure, is_secret, looks_secret},
};

/// The destination and the verbosity of the output.
#[derive(Debug, Clone, Default)]
pub(crate) struct Output {
    /// Whether only warnings and failures are written.
    pub(crate) quiet: bool,
    /// Whether details are written.
    pub(crate) verbose: bool,
    /// Whether answers are JSON.
    pub(crate) json: bool,
    to: To,
}

/// The destination of the output.
#[derive(Debug, Clone, Default)]
enum To {
    #[default]
    Terminal,
    /// A page, which shows the output.
    Page(Arc<Transcript>),
    /// The log of a function, for the request of this ID.
    Function(Arc<str>),
}

impl Output {
    pub(crate) fn new(global: &Global) -> Self {
        let Global { quiet, verbose, json, .. } = *global;
        Self { quiet, verbose: verbose > 0, json, to: To::Terminal }
    }

    /// Returns the output to a page, which shows it.
    pub(crate) fn of_page(global: &Global, transcript: Arc<Transcript>) -> Self {
        Self { to: To::Page(transcript), ..Self::new(global) }
    }

    /// Returns the output of a request to a function, whose answer is not printed.
    pub(crate) fn of_request(self, id: &str) -> Self {
        Self { to: To::Function(id.into()), ..self }
    }

    pub(crate) fn transcript(&self) -> Option<&Transcript> {
        match &self.to {
            To::Page(transcript) => Some(transcript),
            To::Terminal | To::Function(_) => None,
        }
    }

    /// Writes the answer. A reader that has gone away has read enough.
    pub(crate) fn answer(&self, text: &str) -> io::Result<()> {
        match &self.to {
            To::Page(transcript) => transcript.answer(text),
            To::Function(_) => {}
            To::Terminal => match write(text) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                written => return written,
            },
        }
        Ok(())
    }

    /// Writes an answer that says what was done, unless the output is quiet.
    pub(crate) fn report(&self, text: &str) -> io::Result<()> {
        if self.quiet { Ok(()) } else { self.answer(text) }
    }

    /// Writes an answer with a credential in it: all of it or an error, so that a lost credential does not pass as
    /// delivered.
    pub(crate) fn deliver(&self, text: &str) -> io::Result<()> {
        match &self.to {
            To::Page(transcript) => transcript.deliver(text),
            To::Function(_) => {}
            To::Terminal => return write(text),
        }
        Ok(())
    }

    /// Refuses to make a credential that would be lost: stdout is the null device, as it is if it was closed before the
    /// program began.
    pub(crate) fn refuse_null(&self, hint: &str) -> Result<(), Failure> {
        let stdout = io::stdout().as_fd().try_clone_to_owned().map(File::from);
        let (stdout, null) = (stdout.and_then(|file| file.metadata()), fs::metadata("/dev/null"));
        let is_null = |of: &Metadata, null: &Metadata| {
            of.file_type().is_char_device() && of.rdev() == null.rdev()
        };
        match (stdout, null) {
            (Ok(stdout), Ok(null)) if self.is_for_terminal() && is_null(&stdout, &null) => {
                Err(Failure::usage(
                    "the credential would be lost: stdout is closed or /dev/null, and IAM tells its secret only once",
                    hint,
                ))
            }
            _ => Ok(()),
        }
    }

    /// Writes the answer as JSON, on lines of its own.
    pub(crate) fn answer_json(&self, value: &Value) -> io::Result<()> {
        self.answer(&format!("{value:#}\n"))
    }

    pub(crate) fn warn(&self, message: &str) {
        self.say(&Line::Warning(printable(message)));
    }

    /// Writes a detail of the work under way, if the output is verbose.
    pub(crate) fn detail(&self, message: &str) {
        if self.verbose {
            self.note(message);
        }
    }

    /// Writes a note on the work under way, unless the output is quiet.
    pub(crate) fn note(&self, message: &str) {
        if !self.quiet {
            self.say(&Line::Note(printable(message)));
        }
    }

    /// Writes a hint after a success, unless the output is quiet.
    pub(crate) fn advice(&self, message: &str) {
        if !self.quiet {
            self.hint(message);
        }
    }

    pub(crate) fn hint(&self, message: &str) {
        self.say(&Line::Hint(printable(message)));
    }

    /// Writes a line. An error in doing so is ignored.
    fn say(&self, line: &Line) {
        match &self.to {
            To::Page(transcript) => transcript.say(line.clone()),
            To::Function(_) => self.log(json!({"level": line.level(), "message": line.worded()})),
            To::Terminal => {
                let _ = writeln!(anstream::stderr(), "seskey: {}", line.coloured());
            }
        }
    }

    /// Writes a line into the log of a function, with the time and the request ID under Lambda's names.
    pub(crate) fn log(&self, mut line: Value) {
        let To::Function(request) = &self.to else { return };
        line["timestamp"] = jiff::Timestamp::now().to_string().into();
        line["requestId"] = (**request).into();
        let _ = writeln!(io::stdout().lock(), "{line}");
    }

    /// Shows a passing message: on a terminal, until the next one.
    pub(crate) fn passing(&self, spinner: &ProgressBar, message: String) {
        match &self.to {
            To::Page(transcript) => transcript.say(Line::Note(printable(&message))),
            To::Terminal | To::Function(_) => spinner.set_message(message),
        }
    }

    /// Writes a failure, without a secret that may have been typed in the place of something else.
    pub(crate) fn failure(&self, failure: &Failure, typed: impl Iterator<Item = String>) {
        let (message, hint) = bare(failure, &typed.collect::<Vec<_>>());
        self.say(&Line::Failure(message));
        self.hint(&hint);
    }

    /// Writes the message of the command-line parser, without anything that may be a secret.
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
        let terminal = Self::default();
        terminal.say(&Line::Failure(printable(&bare(&message))));
        terminal.hint(&bare(&hint));
        exit
    }

    /// Whether no progress is shown on a terminal.
    fn is_still(&self) -> bool {
        self.quiet || !self.is_for_terminal() || !io::stderr().is_terminal()
    }

    /// Whether a person reads the answer.
    pub(crate) fn is_watched(&self) -> bool {
        !self.json && self.is_for_terminal() && io::stdout().is_terminal()
    }

    fn is_for_terminal(&self) -> bool {
        matches!(self.to, To::Terminal)
    }

    /// Returns a spinner for a terminal.
    pub(crate) fn spinner(&self) -> ProgressBar {
        if self.is_still() {
            return ProgressBar::hidden();
        }
        let spinner = ProgressBar::new_spinner();
        spinner.enable_steady_tick(Duration::from_millis(120));
        spinner
    }

    /// Returns a bar of the things that are done, for a terminal.
    pub(crate) fn counter(&self, total: u64) -> ProgressBar {
        if self.is_still() {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{bar:20} {pos}/{len} {wide_msg}")
            .expect("a template that is a constant");
        ProgressBar::new(total).with_style(style)
    }

    /// Returns a bar of the bytes that are read, for a terminal.
    pub(crate) fn progress(&self, total: u64) -> ProgressBar {
        if self.is_still() {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}")
            .expect("a template that is a constant");
        ProgressBar::new(total).with_style(style)
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Returns message and hint, without a secret that may have been typed in the place of something else.
pub(crate) fn bare(failure: &Failure, typed: &[String]) -> (String, String) {
    let bare = |text: &str| printable(&without_secrets(text, typed.iter().cloned(), is_secret));
    (bare(&failure.message), bare(&failure.hint))
}

/// Redacts the words of the command line that are secrets, also as `--secret` and `--option=secret`.
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

/// Replaces characters that a terminal would take as a command, in a text from a server or a user name.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}
