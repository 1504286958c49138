//! `seskey local -- COMMAND`: runs a command inside a local SES.

use std::{env, ffi::OsString, os::unix::process::ExitStatusExt};

use rustix::process::{Pid, kill_process};
use tokio::process::Command;

use super::{environment::TAKEN_OUT, memory::MMAP_THRESHOLD};
use crate::{
    exit::Exit,
    explain::{self, Failure, Result},
    signals::StopSignal,
};

/// Runs the command to its end, and passes the stop signals on to it. Returns its exit code; for a command that a
/// signal ended, 128 plus the number of the signal, as shells do.
pub(super) async fn run(
    command: &[OsString],
    variables: Vec<(&'static str, String)>,
    stop: &mut StopSignal,
) -> Result<Exit> {
    let (program, arguments) = command.split_first().expect("a command has at least its name");
    let mut command = Command::new(program);
    for name in TAKEN_OUT {
        command.env_remove(name);
    }
    let (name, value) = MMAP_THRESHOLD;
    if env::var_os(name).is_some_and(|set| set == value) {
        command.env_remove(name);
    }
    let mut child = command.args(arguments).envs(variables).spawn().map_err(|error| {
        let program = program.display();
        Failure::new(
            format!("cannot run {program}: {}", explain::reason(&error)),
            "the command after -- is looked for in $PATH",
        )
    })?;
    loop {
        tokio::select! {
            status = child.wait() => {
                let status = status?;
                let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
                return Ok(Exit::Command(code.and_then(|code| code.try_into().ok()).unwrap_or(1)));
            }
            signal = stop.recv() => {
                let pid = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
                // the command may have just ended
                let _ = pid.map(|pid| kill_process(pid, signal));
            }
        }
    }
}
