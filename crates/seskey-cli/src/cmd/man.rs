//! `seskey man`: the manual pages, from the same words as `--help`.

use clap::CommandFactory;
use clap_mangen::Man;

use crate::{
    args::Args,
    exit::Exit,
    explain::{Failure, Result},
    output::Output,
};

pub(crate) fn run(command: Option<&str>, output: &Output) -> Result<Exit> {
    let mut program = Args::command();
    program.build();
    let page = match command {
        None => Some(program),
        Some(name) => program.find_subcommand(name).cloned(),
    };
    let page = page.ok_or_else(|| {
        let name = command.unwrap_or_default();
        Failure::usage(format!("{name:?} is no command"), "seskey --help lists them")
    })?;
    let mut text = vec![];
    Man::new(page).render(&mut text)?;
    output.answer(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Done)
}
