//! The records of a run: every step and every end in a log, as metrics and as notifications, without secrets.

use std::{fs::File, io::Write, os::unix::fs::OpenOptionsExt, path::PathBuf, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};
use seskey::{AccessKeyId, rotation::Step, store::Store};
use seskey_aws::{
    Account, Error,
    iam::Caller,
    lifecycle::{end::Ending, prove::Login, rotate::Rotation},
    process::{self, ProcessError},
};

use super::{Metrics, Who, report::Ended, rows::step_row};
use crate::{
    args::rotate,
    explain::{self, Failure, Result},
    output::Output,
};

/// The destinations of the records.
pub(crate) struct Records {
    log: Option<Log>,
    /// The error by which the log ends too early.
    broken: Option<std::io::Error>,
    notify: Option<String>,
    /// The rows for the notifications.
    news: Vec<Value>,
    metrics: Option<Metrics>,
}

/// The destination of the lines.
enum Log {
    File(PathBuf, File),
    /// The log of a function.
    Function(Output),
}

impl Records {
    /// Returns records that are lines of the log of a function.
    pub(crate) fn of_function(output: &Output) -> Self {
        let log = Some(Log::Function(output.clone()));
        Self { log, broken: None, notify: None, news: vec![], metrics: None }
    }

    /// Opens the records. A log that cannot be written is found before anything is changed.
    pub(crate) fn open(args: &rotate::Records) -> Result<Self> {
        let open = |path: &PathBuf| -> Result<_> {
            let file = File::options().append(true).create(true).mode(0o600).open(path);
            let file = file.map_err(|error| Failure::file("write", path, &error))?;
            Ok(Log::File(path.clone(), file))
        };
        Ok(Self {
            log: args.log_json.as_ref().map(open).transpose()?,
            broken: None,
            notify: args.notify.clone(),
            news: vec![],
            metrics: None,
        })
    }

    /// Adds these metrics.
    pub(crate) fn with_metrics(self, metrics: Option<Metrics>) -> Self {
        Self { metrics, ..self }
    }

    /// Returns the caller that makes the changes in an account, if there is a log. It is one more call, so ask when
    /// nothing waits for it.
    pub(crate) async fn caller(
        &self,
        account: &Account,
    ) -> Option<std::result::Result<Caller, Error>> {
        self.log.as_ref()?;
        Some(account.caller().await)
    }

    /// Records that the changes in an account begin.
    pub(crate) fn begin(
        &mut self,
        name: Option<&str>,
        caller: Option<std::result::Result<Caller, Error>>,
    ) {
        let Some(caller) = caller else { return };
        let (caller, error) = match caller {
            Ok(caller) => (Some(caller.arn), None),
            Err(error) => (None, Some(error.to_string())),
        };
        self.line("begin", json!({"account": name, "caller": caller, "error": error}));
    }

    /// Records the revocation after a leak.
    pub(crate) fn revoked(&mut self, who: &Who, members: Value) {
        let mut row = json!({"user_name": who.user});
        if let (Some(row), Value::Object(members)) = (row.as_object_mut(), members) {
            row.extend(members);
        }
        self.write("revoke", who, row.clone());
        if self.notify.is_some() {
            self.news.push(row);
        }
    }

    pub(super) fn step(&mut self, who: &Who, rotation: &Rotation, step: &Step, at: Timestamp) {
        let mut line = step_row(step, &who.user, &rotation.stores);
        line["iam_time"] = at.to_string().into();
        self.write("step", who, line);
    }

    pub(super) fn login(&mut self, who: &Who, login: &Login) {
        let reply = login.outcome.as_ref().err().map(ToString::to_string);
        self.write("login", who, json!({"attempt": login.attempt, "error": reply}));
    }

    /// Records that a store held a password that does not log in.
    pub(super) fn broken(&mut self, who: &Who, store: &Store, key: &AccessKeyId) {
        let row = json!({"store": store.to_string(), "access_key_id": key.as_str()});
        self.write("broken", who, row);
    }

    /// Records whether the credential of a deactivated key has ended, if that was tried.
    pub(super) fn ending(&mut self, who: &Who, key: &AccessKeyId, ending: &Ending) {
        let (ended, after) = match ending {
            Ending::Ended { after } => (Some(true), Some(after)),
            Ending::StillWorks { after } => (Some(false), Some(after)),
            _ => (None, None),
        };
        let after = after.map(Duration::as_secs_f64);
        let row = json!({"access_key_id": key.as_str(), "ended": ended, "seconds": after});
        self.write("ending", who, row);
    }

    pub(super) fn retry(&mut self, who: &Who, failure: &str) {
        self.write("retry", who, json!({"error": failure}));
    }

    /// Records the end of a user's run, which is also given as a row of the answer, and whether it is a problem.
    pub(super) fn ended(&mut self, who: &Who, ended: &Ended, row: &Value, has_problem: bool) {
        if let Some(metrics) = &mut self.metrics {
            metrics.ended(who, ended, has_problem);
        }
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

    /// Counts a user whose run a signal prevented.
    pub(super) fn not_begun(&mut self, who: &Who) {
        if let Some(metrics) = &mut self.metrics {
            metrics.not_begun(who);
        }
    }

    /// Writes the metrics, sends the notifications, and checks that the log is whole.
    pub(crate) async fn finish(self, output: &Output) -> Result<()> {
        let metrics = self.metrics.map_or(Ok(()), Metrics::finish);
        if let Some(command) = &self.notify {
            for (index, row) in self.news.iter().enumerate() {
                let line = format!("{row}\n");
                match process::shell(command, &[], line.as_bytes(), &[], PATIENCE).await {
                    Ok(()) => {}
                    Err(ProcessError::TimeLimit { limit }) => {
                        let (seconds, left) = (limit.as_secs(), self.news.len() - index - 1);
                        output.warn(&format!(
                            "the command of --notify was killed after {seconds} s; {left} more are not told"
                        ));
                        break;
                    }
                    Err(error) => {
                        output.warn(&format!(
                            "the command of --notify: {}",
                            explain::store::process(&error)
                        ));
                    }
                }
            }
        }
        match (self.log, self.broken) {
            (Some(Log::File(path, _)), Some(error)) => {
                let failure = Failure::file("write", &path, &error);
                Err(Failure::unfinished(
                    format!("{}; the log is not whole", failure.message),
                    failure.hint,
                ))
            }
            _ => metrics,
        }
    }

    fn write(&mut self, event: &str, who: &Who, members: Value) {
        let mut line = json!({"user_name": who.user, "account": who.account});
        if let (Some(line), Value::Object(members)) = (line.as_object_mut(), members) {
            line.extend(members);
        }
        self.line(event, line);
    }

    fn line(&mut self, event: &str, members: Value) {
        let Some(log) = &mut self.log else { return };
        let mut line = json!({"time": Timestamp::now().to_string(), "event": event});
        if let (Some(line), Value::Object(members)) = (line.as_object_mut(), members) {
            line.extend(members);
        }
        match log {
            Log::Function(output) => {
                line["level"] = "INFO".into();
                output.log(line);
            }
            Log::File(_, file) => {
                // in one write, so that the lines of two runs do not mix
                let outcome = file.write_all(format!("{line}\n").as_bytes());
                self.broken = self.broken.take().or_else(|| outcome.err());
            }
        }
    }
}

/// The time that the command may take. If one took longer, the next ones would too.
const PATIENCE: Duration = Duration::from_secs(60);
