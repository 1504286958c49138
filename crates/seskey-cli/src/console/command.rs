//! The command line that a page stands for.

use std::sync::Arc;

use clap::Parser;

use super::{Console, Place};
use crate::{
    args::Args,
    exit::Exit,
    explain::{self, Failure, Result},
    output::{Line, Output, Transcript},
};

/// A command line of seskey. A value never becomes an option: it follows `=` or `--`.
#[derive(Debug, Clone)]
pub(super) struct Command {
    words: Vec<String>,
    operand: Option<String>,
}

/// The result of a command.
pub(super) struct Asked {
    pub(super) answer: String,
    pub(super) lines: Vec<Line>,
    pub(super) end: Result<Exit>,
}

impl Command {
    pub(super) fn new(verb: &'static str) -> Self {
        Self { words: vec![verb.to_owned()], operand: None }
    }

    /// Adds a verb of the verb.
    pub(super) fn verb(mut self, verb: &'static str) -> Self {
        self.words.push(verb.to_owned());
        self
    }

    /// Adds an option, if there is a value for it.
    pub(super) fn option(mut self, name: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.words.push(format!("--{name}={value}"));
        }
        self
    }

    /// Adds an option for each of the values.
    pub(super) fn options<'a>(self, name: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        values.into_iter().fold(self, |command, value| command.option(name, value))
    }

    /// Adds an option without a value, if it is set.
    pub(super) fn flag(mut self, name: &str, is_set: bool) -> Self {
        if is_set {
            self.words.push(format!("--{name}"));
        }
        self
    }

    /// Sets the operand, unless it is empty.
    pub(super) fn about(self, operand: &str) -> Self {
        let operand = (!operand.is_empty()).then(|| operand.to_owned());
        Self { operand, ..self }
    }

    /// Returns the command line as it is typed in a shell.
    pub(super) fn shown(&self) -> String {
        let plain = |word: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+.,:/@%".contains(c);
            !word.is_empty() && word.chars().all(plain)
        };
        let quoted = |word: &str| match plain(word) {
            true => word.to_owned(),
            false => format!("'{}'", word.replace('\'', r"'\''")),
        };
        let mut words: Vec<String> = self.words.iter().map(|word| quoted(word)).collect();
        if let Some(operand) = &self.operand {
            words.extend(operand.starts_with('-').then(|| "--".to_owned()));
            words.push(quoted(operand));
        }
        format!("seskey {}", words.join(" "))
    }

    /// Parses the command line, for the account of the place.
    fn args(&self, place: &Place) -> Result<Args> {
        let operand = self.operand.iter().flat_map(|operand| ["--", operand]);
        let words = self.words.iter().map(String::as_str).chain(operand);
        let typed: Vec<String> = words.map(str::to_owned).collect();
        let parsed =
            Args::try_parse_from(["seskey"].into_iter().chain(typed.iter().map(|word| &**word)));
        let mut args = parsed.map_err(|error| explain::usage::failure(&error, &typed))?;
        let (json, region) = (args.global.json, args.global.region.take());
        args.global = place.global.clone();
        args.global.json = json;
        args.global.region = region.or(args.global.region);
        if let Some(endpoint) = args.verb.endpoint() {
            *endpoint = place.endpoint.clone();
        }
        Ok(args)
    }
}

impl Console {
    /// Runs a command to its end. Returns its output.
    pub(super) async fn ask(&self, command: &Command) -> Asked {
        let transcript = Arc::new(Transcript::default());
        let end = self.start(command, transcript.clone()).await;
        Asked { answer: transcript.answered(), lines: transcript.lines().borrow().clone(), end }
    }

    /// Starts a command, which goes on whether the future is awaited or not.
    pub(super) fn start(
        &self,
        command: &Command,
        transcript: Arc<Transcript>,
    ) -> impl Future<Output = Result<Exit>> + Send + 'static {
        let (run, args) = (self.run, command.args(&self.place));
        let work = move || {
            let args = args?;
            let output = Output::of_page(&args.global, transcript);
            run(args, &output)
        };
        let running = tokio::task::spawn_blocking(work);
        async {
            running.await.unwrap_or_else(|_| {
                Err(Failure::unfinished(
                    "it broke off, which is a bug in seskey",
                    "please report it with what was shown before",
                ))
            })
        }
    }
}
