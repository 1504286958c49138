//! What is kept for auditors, and whom it is told: every step and every end, and nothing secret.

use std::{
    fs::File, io::Write, os::unix::fs::OpenOptionsExt, path::PathBuf, process::Stdio,
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Value, json};
use seskey::rotation::Step;
use seskey_aws::lifecycle::{prove::Login, rotate::Rotation};
use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

use super::{Who, report::step_row};
use crate::{
    args::rotate,
    explain::{Failure, Result},
    output::Output,
};

/// Where records go.
pub(crate) struct Records {
    log: Option<(PathBuf, File)>,
    /// Why the log ends too early.
    broken: Option<std::io::Error>,
    notify: Option<String>,
    /// What is to be told.
    news: Vec<Value>,
}

impl Records {
    /// Opens them. A log that cannot be written is found before anything is changed.
    pub(crate) fn open(args: &rotate::Records) -> Result<Self> {
        let open = |path: &PathBuf| -> Result<_> {
            let file = File::options().append(true).create(true).mode(0o600).open(path);
            let file = file.map_err(|error| Failure::file("write", path, &error))?;
            Ok((path.clone(), file))
        };
        Ok(Self {
            log: args.log_json.as_ref().map(open).transpose()?,
            broken: None,
            notify: args.notify.clone(),
            news: vec![],
        })
    }

    pub(super) fn step(&mut self, who: &Who, rotation: &Rotation, step: &Step, at: Timestamp) {
        let mut line = step_row(step, &rotation.stores);
        line["iam_time"] = at.to_string().into();
        self.write("step", who, line);
    }

    pub(super) fn login(&mut self, who: &Who, login: &Login) {
        let reply = login.outcome.as_ref().err().map(ToString::to_string);
        self.write("login", who, json!({"attempt": login.attempt, "error": reply}));
    }

    pub(super) fn retry(&mut self, who: &Who, failure: &str) {
        self.write("retry", who, json!({"error": failure}));
    }

    /// The end of a user's run, in the form of the answer.
    pub(super) fn ended(&mut self, who: &Who, row: &Value) {
        let mut row = row.clone();
        if let Some(members) = row.as_object_mut() {
            members.shift_remove("smtp_password");
        }
        self.write("end", who, row.clone());
        let idle = row["steps"].as_array().is_some_and(Vec::is_empty) && row.get("error").is_none();
        if self.notify.is_some() && !idle {
            self.news.push(row);
        }
    }

    /// Tells the news, and whether the log is whole.
    pub(super) async fn finish(self, output: &Output) -> Result<()> {
        if let Some(command) = &self.notify {
            for row in &self.news {
                if let Err(reason) = tell(command, row).await {
                    output.warn(&format!("the command of --notify failed: {reason}"));
                }
            }
        }
        match (self.log, self.broken) {
            (Some((path, _)), Some(error)) => {
                let failure = Failure::file("write", &path, &error);
                Err(Failure::unfinished(
                    format!("{}; the log is not whole", failure.message),
                    failure.hint,
                ))
            }
            _ => Ok(()),
        }
    }

    fn write(&mut self, event: &str, who: &Who, members: Value) {
        let Some((_, file)) = &mut self.log else { return };
        let mut line = json!({
            "time": Timestamp::now().to_string(),
            "event": event,
            "user_name": who.user,
            "account": who.account,
        });
        if let (Some(line), Value::Object(members)) = (line.as_object_mut(), members) {
            line.extend(members);
        }
        // in one write, so that the lines of two runs do not mix
        let outcome = file.write_all(format!("{line}\n").as_bytes());
        self.broken = self.broken.take().or_else(|| outcome.err());
    }
}

async fn tell(command: &str, row: &Value) -> std::result::Result<(), String> {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut stdin = child.stdin.take().expect("it is piped");
    // a command that does not read it is content without
    let _ = stdin.write_all(format!("{row}\n").as_bytes()).await;
    drop(stdin);
    match timeout(PATIENCE, child.wait()).await {
        Err(_) => Err(format!("killed after {} s", PATIENCE.as_secs())),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(status.to_string()),
    }
}

const PATIENCE: Duration = Duration::from_secs(60);
