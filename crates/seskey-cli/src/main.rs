//! `seskey`: Amazon SES SMTP credentials, from a secret access key to mail that is accepted.

mod args;
mod cmd;
mod connect;
mod console;
mod core_dumps;
mod environment;
mod exit;
mod explain;
mod guide;
mod input;
mod metrics;
mod output;
mod output_file;
mod rotations;
mod signals;
mod terminal;

use std::{env, process::ExitCode};

use crate::{exit::Exit, output::Output};

fn main() -> ExitCode {
    core_dumps::forbid();
    signals::survive_large_files();
    let args = match guide::parse() {
        Ok(args) => args,
        Err(error) => return Output::usage(&error, typed()).into(),
    };
    let output = Output::new(&args.global);
    match cmd::run(args, &output) {
        Ok(exit) => exit.into(),
        Err(failure) if failure.broken_pipe => Exit::Done.into(),
        Err(failure) => {
            output.failure(&failure, typed());
            failure.exit.into()
        }
    }
}

fn typed() -> impl Iterator<Item = String> {
    env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned())
}
