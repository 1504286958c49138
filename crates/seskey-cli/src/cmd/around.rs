//! `seskey local -- COMMAND`: a command with a local SES around it.

use std::{ffi::OsString, os::unix::process::ExitStatusExt};

use rustix::process::{Pid, kill_process};
use seskey_local::server::Server;
use tokio::process::Command;

use crate::{
    exit::Exit,
    explain::{self, Failure, Result},
    signals::StopSignal,
};

/// What would send the command, or what it starts, to a real account.
const TAKEN_OUT: [&str; 6] = [
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL_IAM",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_SES",
];

/// Runs the command to its end, and passes the signals that ask to stop on to it. Its exit code is the answer; that of a command
/// which a signal ended is 128 and the signal's number, as shells have it.
pub(crate) async fn run(
    command: &[OsString],
    server: &Server,
    ca_file: &str,
    stop: &mut StopSignal,
) -> Result<Exit> {
    let (program, arguments) = command.split_first().expect("a command has at least its name");
    let (access_key_id, secret_access_key) = &server.root;
    let mut command = Command::new(program);
    for name in TAKEN_OUT {
        command.env_remove(name);
    }
    let mut child = command
        .args(arguments)
        .env("AWS_ENDPOINT_URL", server.endpoint_url())
        .env("AWS_ACCESS_KEY_ID", access_key_id.as_str())
        .env("AWS_SECRET_ACCESS_KEY", secret_access_key.expose())
        .env("AWS_REGION", server.region.as_str())
        .env("AWS_DEFAULT_REGION", server.region.as_str())
        .env("SESKEY_SMTP_ENDPOINT", server.smtp.to_string())
        .env("SESKEY_SMTPS_ENDPOINT", server.smtps.to_string())
        .env("SESKEY_CA_FILE", ca_file)
        .spawn()
        .map_err(|error| {
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
                // it may have ended in this moment
                let _ = pid.map(|pid| kill_process(pid, signal));
            }
        }
    }
}
