//! What is told of each user while it goes on and at the end: to a person on stderr, to scripts on stdout, to auditors
//! in a file.

use indicatif::ProgressBar;
use serde_json::{Value, json};
use seskey::{
    rotation::{Reason, Step},
    store::Store,
};
use seskey_aws::lifecycle::{
    end::Ending,
    rotate::{End, Event, Outcome, Rotation},
};

use super::{
    Who,
    explain::stopped,
    records::Records,
    words::{self, words},
};
use crate::{
    exit::Exit,
    explain::{Failure, Result},
    output::Output,
};

/// What came of a user.
pub(super) enum Ended {
    Out(Outcome),
    Failed(Failure),
}

pub(super) struct Report {
    output: Output,
    records: Records,
    progress: ProgressBar,
    /// What is answered in JSON, in the order in which they ended.
    rows: Vec<Value>,
    tally: Tally,
}

/// How many users ended how.
#[derive(Debug, Default)]
struct Tally {
    users: usize,
    changed: usize,
    waiting: usize,
    unfinished: usize,
    failed: usize,
}

impl Report {
    pub(super) fn new(users: usize, records: Records, output: Output) -> Self {
        let progress = if users > 1 { output.counter(users as u64) } else { output.spinner() };
        let tally = Tally { users, ..Tally::default() };
        Self { output, records, progress, rows: vec![], tally }
    }

    pub(super) fn event(&mut self, who: &Who, rotation: &Rotation, event: Event) {
        let user = &who.user;
        match event {
            Event::Begins(step) => {
                self.progress
                    .set_message(format!("{user}: {}", words(&step, &rotation.stores).to_do));
            }
            Event::Did { step, at } => {
                // without a command there is nothing to tell of it
                if !matches!(step, Step::RunHook(_)) || rotation.hook.is_some() {
                    self.note(&format!("{user}: {}", words(&step, &rotation.stores).done));
                }
                self.records.step(who, rotation, &step, at);
            }
            Event::Login(login) => self.records.login(who, &login),
            Event::Retries { failure, after } => {
                self.note(&format!("{user}: {failure}; again in {:.1} s", after.as_secs_f64()));
                self.records.retry(who, &failure.to_string());
            }
            Event::Waits { until, key } => {
                let reason = words::reason(seskey::rotation::Why::Lease, &key);
                self.progress.set_message(format!("{user}: waiting until {until}: {reason}"));
            }
            Event::Broken { store, key } => {
                let store = &rotation.stores[store];
                self.warn(&format!(
                    "{user}: the password of {key} in {store} does not log in, and is replaced"
                ));
            }
            Event::Ending { key, ending } => match ending {
                Ending::Ended { after } => {
                    self.note(&format!(
                        "{user}: {key} does not log in any more, after {:.1} s",
                        after.as_secs_f64()
                    ));
                }
                Ending::StillWorks { after } => self.warn(&format!(
                    "{user}: {key} is deactivated, and still logs in after {} s",
                    after.as_secs()
                )),
                _ => {}
            },
            _ => {}
        }
    }

    /// What is told of the making of a user.
    pub(super) fn made(&self, who: &Who, text: &str) {
        if !text.is_empty() {
            self.note(&format!("{}: {text}", who.user));
        }
    }

    /// What would be done.
    pub(super) fn would(&mut self, who: &Who, stores: &[Store], before: &[String], steps: &[Step]) {
        let changes = steps.iter().filter(|step| step.stage().is_some());
        let is_change = !before.is_empty() || changes.clone().next().is_some();
        self.tally.changed += usize::from(is_change);
        let to_do =
            before.iter().cloned().chain(steps.iter().map(|step| words(step, stores).to_do));
        if self.output.json {
            let rows: Vec<Value> = steps.iter().map(|step| step_row(step, stores)).collect();
            self.rows.push(json!({
                "user_name": who.user, "account": who.account, "create": !before.is_empty(), "steps": rows,
            }));
        } else {
            let lines: String = to_do.map(|to_do| format!("{}: {to_do}\n", who.user)).collect();
            if let Err(error) = self.progress.suspend(|| self.output.answer(&lines)) {
                self.failure(who, &error.into());
                self.tally.failed += 1;
            }
        }
        self.progress.inc(1);
    }

    /// Whether anything was done, or would be.
    pub(super) fn has_changes(&self) -> bool {
        self.tally.changed > 0
    }

    pub(super) fn ended(&mut self, who: &Who, stores: &[Store], ended: Ended) {
        let row = row(who, stores, &ended);
        self.records.ended(who, &row);
        match &ended {
            Ended::Out(outcome) => self.out(who, outcome),
            Ended::Failed(failure) => {
                match failure.exit {
                    Exit::Unfinished => self.tally.unfinished += 1,
                    _ => self.tally.failed += 1,
                }
                self.failure(who, failure);
            }
        }
        self.rows.push(row);
        self.progress.inc(1);
    }

    /// Says what all of it came to.
    pub(super) async fn finish(self) -> Result<Exit> {
        let Self { output, records, progress, rows, tally } = self;
        progress.finish_and_clear();
        let Tally { users, changed, waiting, unfinished, failed } = tally;
        let answered = if output.json {
            output.answer_json(&json!({
                "users": rows,
                "summary": {
                    "users": users, "changed": changed, "waiting": waiting,
                    "unfinished": unfinished, "failed": failed,
                },
            }))
        } else {
            if users > 1 {
                output.note(&format!(
                    "{users} users: {changed} changed, {waiting} waiting, {unfinished} unfinished, {failed} failed"
                ));
            }
            Ok(())
        };
        records.finish(&output).await?;
        answered?;
        Ok(match (unfinished, failed) {
            (0, 0) => Exit::Done,
            (0, _) => Exit::Failed,
            _ => Exit::Unfinished,
        })
    }

    fn out(&mut self, who: &Who, outcome: &Outcome) {
        if !outcome.steps.is_empty() {
            self.tally.changed += 1;
        }
        let user = &who.user;
        let answer = match &outcome.end {
            End::Done { due } => {
                format!("{user}: {}", words(&Step::Done { due: *due }, &[]).done)
            }
            End::Waits { until, why, key } => {
                self.tally.waiting += 1;
                format!("{user}: until {until} {}", words::reason(*why, key))
            }
            End::Stopped(Reason::Limit(step)) => {
                format!("{user}: next: {}", words(step, &[]).to_do)
            }
            End::Stopped(reason) => {
                self.tally.unfinished += 1;
                return self.failure(who, &stopped(reason));
            }
            End::Interrupted { .. } => {
                self.tally.unfinished += 1;
                let failure = Failure::unfinished("interrupted", "run it again to go on");
                return self.failure(who, &failure);
            }
            _ => user.clone(),
        };
        if !self.output.json {
            let credential = outcome.at_hand.as_ref().map(|credential| credential.to_env());
            let answer = format!("{answer}\n{}", credential.unwrap_or_default());
            // what cannot be answered is noticed at the end
            if let Err(error) = self.progress.suspend(|| self.output.answer(&answer)) {
                self.failure(who, &error.into());
                self.tally.failed += 1;
            }
        }
    }

    fn failure(&self, who: &Who, failure: &Failure) {
        let message = format!("{}: {}", who.user, failure.message);
        let failure = Failure { message, hint: failure.hint.clone(), ..*failure };
        self.progress.suspend(|| self.output.failure(&failure, std::iter::empty()));
    }

    fn warn(&self, text: &str) {
        self.progress.suspend(|| self.output.warn(text));
    }

    fn note(&self, text: &str) {
        self.progress.suspend(|| self.output.note(text));
    }
}

fn row(who: &Who, stores: &[Store], ended: &Ended) -> Value {
    let mut row = json!({"user_name": who.user, "account": who.account});
    let mut set = |name: &str, value: Value| row[name] = value;
    match ended {
        Ended::Failed(failure) => {
            let changed = failure.exit == Exit::Unfinished;
            set("outcome", if changed { "unfinished" } else { "failed" }.into());
            set("error", failure.message.clone().into());
            set("hint", failure.hint.clone().into());
        }
        Ended::Out(outcome) => {
            let names = outcome.steps.iter().map(|step| step_row(step, stores));
            set("steps", names.collect());
            match &outcome.end {
                End::Done { due } => {
                    set("outcome", "done".into());
                    set("due", due.map(words::time).into());
                }
                End::Waits { until, why, key } => {
                    set("outcome", "waiting".into());
                    set("until", words::time(*until).into());
                    set("why", words::wait_name(*why).into());
                    set("access_key_id", key.as_str().into());
                }
                End::Stopped(Reason::Limit(step)) => {
                    set("outcome", "stage".into());
                    set("next", words(step, stores).name.into());
                }
                End::Stopped(reason) => {
                    let failure = stopped(reason);
                    set("outcome", "stopped".into());
                    set("error", failure.message.into());
                    set("hint", failure.hint.into());
                }
                _ => set("outcome", "interrupted".into()),
            }
            if let Some(credential) = &outcome.at_hand {
                set("smtp_user_name", credential.user_name.as_str().into());
                set("smtp_password", credential.password.expose().into());
                set("smtp_endpoint", credential.endpoint.clone().into());
            }
        }
    }
    row
}

pub(super) fn step_row(step: &Step, stores: &[Store]) -> Value {
    let mut row = json!({"step": words(step, stores).name});
    if let Some(key) = words::key(step) {
        row["access_key_id"] = key.as_str().into();
    }
    if let Step::Deliver { store, .. } = step {
        row["store"] = stores.get(*store).map(ToString::to_string).into();
    }
    row
}
