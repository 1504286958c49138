//! A user's own command: it takes JSON on its stdin to write, and prints JSON when it is run with `--read`.

use std::{process::Stdio, time::Duration};

use serde_json::{Value, json};
use seskey::render::{Entry, Names};
use tokio::process::Command;
use zeroize::Zeroizing;

use super::{Held, ProcessError, StoreError, json as object, process};

pub(super) async fn read(
    command: &str,
    names: &Names,
    hidden: &[&str],
) -> Result<Held, StoreError> {
    let mut shell = shell(command);
    shell.arg("--read").stdout(Stdio::piped());
    let printed = process::run(&mut shell, b"", LIMIT).await?.success(hidden, |_| false)?.stdout;
    let text = str::from_utf8(&printed).map_err(|_| ProcessError::Unreadable)?;
    if text.trim().is_empty() {
        return Ok(Held::Nothing);
    }
    let object: Value = serde_json::from_str(text).map_err(|_| ProcessError::Unreadable)?;
    // the command is given a whole object, which has no room for anything beside the credential
    let is_empty = |value: &Value| value.is_null() || value == "";
    let has_more = object.as_object().is_some_and(|members| !members.values().all(is_empty));
    Ok(match object::held(text, names) {
        Held::Nothing if has_more => Held::Foreign,
        held => held,
    })
}

pub(super) async fn write(command: &str, names: &Names, entry: &Entry) -> Result<(), StoreError> {
    let credential = &entry.credential;
    let password = credential.password.expose();
    let before = read(command, names, &[password]).await?;
    if before == Held::Foreign {
        return Err(StoreError::NotOurs);
    }
    let hidden: Vec<&str> = before.passwords().chain([password]).collect();
    let input = Zeroizing::new(
        json!({
            "user_name": credential.iam_user,
            "smtp_user_name": credential.user_name.as_str(),
            "smtp_password": password,
            "smtp_endpoint": entry.host,
            "smtp_port": entry.port,
        })
        .to_string(),
    );
    let mut shell = shell(command);
    let finished = process::run(shell.stdout(Stdio::null()), input.as_bytes(), LIMIT).await?;
    finished.success(&hidden, |_| false)?;
    read(command, names, &hidden).await?.confirm(credential)
}

/// Returns the shell that runs the command with the arguments that are added.
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{} \"$@\"", command.trim_end())).arg("seskey");
    shell
}

/// The time limit of a command.
const LIMIT: Duration = Duration::from_secs(60);
