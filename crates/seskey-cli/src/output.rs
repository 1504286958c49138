//! All that the program writes: the answer on stdout, everything else on stderr.

use std::{
    fmt,
    fs::{self, File, Metadata},
    io::{self, IsTerminal, Write},
    os::{
        fd::AsFd,
        unix::fs::{FileTypeExt, MetadataExt},
    },
    time::Duration,
};

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    args::Global,
    exit::Exit,
    explain::{self, Failure, is_secret, looks_secret},
};

/// Where the program speaks, and how much.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Output {
    /// Whether only what went wrong is said.
    pub(crate) quiet: bool,
    /// Whether details are told.
    pub(crate) verbose: bool,
    /// Whether answers are JSON.
    pub(crate) json: bool,
}

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

impl Output {
    pub(crate) fn new(global: &Global) -> Self {
        Self { quiet: global.quiet, verbose: global.verbose > 0, json: global.json }
    }

    /// The answer. A reader that has gone away has read enough.
    pub(crate) fn answer(&self, text: &str) -> io::Result<()> {
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
            (Ok(stdout), Ok(null)) if is_null(&stdout, &null) => Err(Failure::usage(
                "the credential would be lost: stdout is closed or /dev/null, and IAM tells its secret only once",
                hint,
            )),
            _ => Ok(()),
        }
    }

    /// The answer as JSON, on lines of its own.
    pub(crate) fn answer_json(&self, value: &serde_json::Value) -> io::Result<()> {
        self.answer(&format!("{value:#}\n"))
    }

    pub(crate) fn warn(&self, message: &str) {
        say(format_args!("{WARNING}warning:{WARNING:#} {}", printable(message)));
    }

    /// What is going on, for a person who wants to know all of it.
    pub(crate) fn detail(&self, message: &str) {
        if self.verbose {
            self.note(message);
        }
    }

    /// What is going on, for a person who waits.
    pub(crate) fn note(&self, message: &str) {
        if !self.quiet {
            say(format_args!("{}", printable(message)));
        }
    }

    /// What may be done next, where nothing went wrong.
    pub(crate) fn advice(&self, message: &str) {
        if !self.quiet {
            self.hint(message);
        }
    }

    pub(crate) fn hint(&self, message: &str) {
        say(format_args!("{HINT}hint:{HINT:#} {}", printable(message)));
    }

    /// What failed, without what may be a secret that was typed in the place of something else.
    pub(crate) fn failure(&self, failure: &Failure, typed: impl Iterator<Item = String>) {
        let typed: Vec<String> = typed.collect();
        let bare = |text: &str| without_secrets(text, typed.iter().cloned(), is_secret);
        say(format_args!("{ERROR}{}{ERROR:#}", printable(&bare(&failure.message))));
        self.hint(&bare(&failure.hint));
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
        say(format_args!("{ERROR}{}{ERROR:#}", printable(&bare(&message))));
        Self::default().hint(&bare(&hint));
        exit
    }

    /// A sign of life on a terminal.
    pub(crate) fn spinner(&self) -> ProgressBar {
        if self.quiet || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let spinner = ProgressBar::new_spinner();
        spinner.enable_steady_tick(Duration::from_millis(120));
        spinner
    }

    /// How many are done, on a terminal.
    pub(crate) fn counter(&self, total: u64) -> ProgressBar {
        if self.quiet || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{bar:20} {pos}/{len} {wide_msg}")
            .expect("a template that is a constant");
        ProgressBar::new(total).with_style(style)
    }

    /// How far it has come, on a terminal.
    pub(crate) fn progress(&self, total: u64) -> ProgressBar {
        if self.quiet || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}")
            .expect("a template that is a constant");
        ProgressBar::new(total).with_style(style)
    }
}

/// Says it on stderr. Whether anybody listens there changes nothing.
fn say(message: fmt::Arguments<'_>) {
    let _ = writeln!(anstream::stderr(), "seskey: {message}");
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
