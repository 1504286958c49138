//! `seskey man`: the manual pages, from the same text as `--help`.

mod facts;
mod page;

use std::{fs, io, path::Path};

use clap::{Command, CommandFactory};

use crate::{
    args::{self, Args},
    exit::Exit,
    explain::{Failure, Result},
    output::Output,
};

pub(crate) fn run(args: &args::Man, output: &Output) -> Result<Exit> {
    let mut program = Args::command();
    program.build();
    match &args.dir {
        Some(folder) => write_all(&program, folder)?,
        None => output.answer(&page::page(find(&program, &args.command)?))?,
    }
    Ok(Exit::Done)
}

fn find<'a>(program: &'a Command, names: &[String]) -> Result<&'a Command> {
    let step = |command: &'a Command, name: &String| {
        subcommands(command).find(|command| command.get_name() == name)
    };
    names.iter().try_fold(program, step).ok_or_else(|| {
        let typed = names.join(" ");
        Failure::usage(format!("{typed:?} is no command"), "seskey --help lists them")
    })
}

fn write_all(command: &Command, folder: &Path) -> Result<()> {
    let made = match folder.exists() && !folder.is_dir() {
        true => Err(io::ErrorKind::NotADirectory.into()),
        false => fs::create_dir_all(folder),
    };
    made.map_err(|error| Failure::file("make", folder, &error).of("--dir"))?;
    let path = folder.join(format!("{}.1", page::name(command)));
    fs::write(&path, page::page(command)).map_err(|error| Failure::file("write", &path, &error))?;
    subcommands(command).try_for_each(|command| write_all(command, folder))
}

/// Returns the subcommands without `help`, which clap adds.
fn subcommands(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|command| command.get_name() != "help")
}
