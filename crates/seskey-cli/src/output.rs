//! All that the program writes: the answer on stdout, everything else on stderr.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the one place that writes")]

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    exit::Exit,
    explain::{Failure, looks_secret},
};

/// Where the program speaks, and how much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    quiet: bool,
    /// Whether answers are JSON.
    pub(crate) json: bool,
}

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

impl Output {
    pub(crate) fn new(quiet: bool, json: bool) -> Self {
        Self { quiet, json }
    }

    /// The answer: all of it or an error, so that nothing is thought delivered that was not.
    pub(crate) fn answer(&self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }

    /// The answer as JSON, on lines of its own.
    pub(crate) fn answer_json(&self, value: &serde_json::Value) -> io::Result<()> {
        self.answer(&format!("{value:#}\n"))
    }

    pub(crate) fn warn(&self, message: &str) {
        anstream::eprintln!("seskey: {WARNING}warning:{WARNING:#} {}", printable(message));
    }

    /// What is going on, for a person who waits.
    pub(crate) fn note(&self, message: &str) {
        if !self.quiet {
            anstream::eprintln!("seskey: {}", printable(message));
        }
    }

    pub(crate) fn hint(&self, message: &str) {
        anstream::eprintln!("seskey: {HINT}hint:{HINT:#} {}", printable(message));
    }

    pub(crate) fn failure(&self, failure: &Failure) {
        anstream::eprintln!("seskey: {ERROR}{}{ERROR:#}", printable(&failure.message));
        self.hint(&failure.hint);
    }

    /// What the parser of the command line has to say, without what may be a secret in it.
    pub(crate) fn usage(&self, error: &clap::Error, typed: impl Iterator<Item = String>) -> Exit {
        let asked_for_help = !error.use_stderr();
        if asked_for_help {
            // a reader that has gone away has read enough
            let _ = error.print();
            return Exit::Done;
        }
        let secrets = typed.filter(|word| looks_secret(word));
        let message = secrets
            .fold(error.render().to_string(), |text, secret| text.replace(&secret, "[redacted]"));
        let message = message.strip_prefix("error: ").unwrap_or(&message);
        let (message, rest) = message.split_once("\n\n").unwrap_or((message, ""));
        anstream::eprintln!("seskey: {ERROR}{}{ERROR:#}", message.trim_end());
        let similar = |line: &str| {
            line.trim()
                .strip_prefix("tip: ")
                .filter(|tip| tip.contains("similar"))
                .map(str::to_owned)
        };
        let usual = "seskey --help lists the commands, seskey COMMAND --help their options";
        self.hint(rest.lines().find_map(similar).as_deref().unwrap_or(usual));
        Exit::Usage
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

/// Text from a server or a user name, without what a terminal would take as a command.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}
