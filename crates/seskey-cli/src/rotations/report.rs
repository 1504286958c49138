//! What is told of each user while it goes on and at the end: to a person on stderr, to scripts on stdout, to auditors
//! in a file.

use std::{collections::BTreeSet, io};

use indicatif::ProgressBar;
use serde_json::{Value, json};
use seskey::{
    AccessKeyId,
    rotation::{Reason, Step, Why},
    store::Store,
};
use seskey_aws::lifecycle::{
    end::Ending,
    rotate::{End, Event, Outcome, Rotation},
};

use super::{
    Mode, Who, explain,
    records::Records,
    rows::{row, step_row},
    words::{self, is_detail, words},
};
use crate::{
    exit::Exit,
    explain::{Failure, Result},
    output::Output,
};

/// What came of a user.
pub(super) enum Ended {
    Out(Box<Outcome>),
    Failed(Failure),
}

pub(super) struct Report {
    mode: Mode,
    output: Output,
    records: Records,
    progress: ProgressBar,
    /// What is answered in JSON, in the order in which they ended.
    rows: Vec<Value>,
    tally: Tally,
    /// The waits that were told.
    waits: BTreeSet<(Who, AccessKeyId)>,
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
    pub(super) fn new(users: usize, mode: Mode, records: Records, output: Output) -> Self {
        let progress = if users > 1 { output.counter(users as u64) } else { output.spinner() };
        let tally = Tally { users, ..Tally::default() };
        Self { mode, output, records, progress, rows: vec![], tally, waits: BTreeSet::new() }
    }

    pub(super) fn event(&mut self, who: &Who, rotation: &Rotation, event: Event) {
        match event {
            Event::Begins(step) => {
                self.progress
                    .set_message(format!("{who}: {}", words(&step, &rotation.stores).to_do));
            }
            Event::Did { step, at } => {
                let done = format!("{who}: {}", words(&step, &rotation.stores).done);
                match &step {
                    // without a command there is nothing to tell of it
                    Step::RunHook(_) if rotation.hook.is_none() => {}
                    step if is_detail(step) => self.detail(&done),
                    _ => self.note(&done),
                }
                self.records.step(who, rotation, &step, at);
            }
            Event::Login(login) => self.records.login(who, &login),
            Event::Retries { failure, after } => {
                let failure = explain::failure(&failure, rotation).message;
                self.note(&format!("{who}: {failure}; again in {:.1} s", after.as_secs_f64()));
                self.records.retry(who, &failure);
            }
            Event::Waits { until, key } => {
                let reason = words::reason(Why::Lease, &key);
                // once, though it looks again meanwhile
                if self.waits.insert((who.clone(), key)) {
                    self.note(&format!("{who}: waiting until {until}: {reason}"));
                }
                self.progress.set_message(format!("{who}: waiting until {until}: {reason}"));
            }
            Event::Broken { store, key } => {
                let store = &rotation.stores[store];
                self.warn(&format!(
                    "{who}: the password of {key} in {store} does not log in, and is replaced"
                ));
                self.records.broken(who, store, &key);
            }
            Event::Ending { key, ending } => {
                match &ending {
                    Ending::Ended { after } => self.detail(&format!(
                        "{who}: {key} does not log in any more, after {:.1} s",
                        after.as_secs_f64()
                    )),
                    Ending::StillWorks { after } => self.warn(&format!(
                        "{who}: {key} is deactivated, and still logs in after {} s",
                        after.as_secs()
                    )),
                    _ => {}
                }
                self.records.ending(who, &key, &ending);
            }
            _ => {}
        }
    }

    /// What is told of the making of a user.
    pub(super) fn made(&self, who: &Who, text: &str) {
        if !text.is_empty() {
            self.note(&format!("{who}: {text}"));
        }
    }

    /// What would be done; before it, how the user is made.
    pub(super) fn would(
        &mut self,
        who: &Who,
        rotation: &Rotation,
        made: &[String],
        steps: &[Step],
    ) {
        let stores = &rotation.stores;
        let changes: Vec<&Step> = steps.iter().filter(|step| step.stage().is_some()).collect();
        self.tally.changed += usize::from(!made.is_empty() || !changes.is_empty());
        if self.output.json {
            let rows: Vec<Value> = steps.iter().map(|step| step_row(step, stores)).collect();
            self.rows.push(json!({
                "user_name": who.user, "account": who.account, "create": !made.is_empty(), "steps": rows,
            }));
            return self.progress.inc(1);
        }
        // where there is nothing else to tell, details are told
        let tells_all = self.output.verbose || changes.iter().all(|step| is_detail(step));
        let told = |step: &&Step| match step {
            Step::RunHook(_) => rotation.hook.is_some(),
            Step::Done { .. } => changes.is_empty(),
            step => tells_all || !is_detail(step),
        };
        let to_do = |step: &Step| match step {
            Step::Stop(reason) => explain::end_of_plan(reason, stores),
            step => words(step, stores).to_do,
        };
        let lines = made.iter().cloned().chain(steps.iter().filter(told).map(to_do));
        self.answer(who, &lines.map(|line| format!("{who}: {line}\n")).collect::<String>());
        self.progress.inc(1);
    }

    /// Whether anything was done, or would be.
    pub(super) fn has_changes(&self) -> bool {
        self.tally.changed > 0
    }

    pub(super) fn ended(&mut self, who: &Who, stores: &[Store], ended: Ended) {
        let problem = match &ended {
            Ended::Out(outcome) => explain::problem(outcome, &who.user),
            Ended::Failed(_) => None,
        };
        let row = row(who, stores, &ended, problem.as_ref());
        self.records.ended(who, &row);
        if let Ended::Out(outcome) = &ended {
            self.tally.changed += usize::from(!outcome.steps.is_empty());
        }
        match (&ended, problem) {
            (Ended::Failed(failure), _) => self.failed(who, failure),
            (_, Some(problem)) => self.failed(who, &problem),
            (Ended::Out(outcome), None) => self.out(who, stores, outcome),
        }
        self.rows.push(row);
        self.progress.inc(1);
    }

    /// Says what all of it came to.
    pub(super) async fn finish(self) -> Result<Exit> {
        let Self { mode, output, records, progress, rows, tally, .. } = self;
        progress.finish_and_clear();
        let Tally { users, changed, waiting, unfinished, failed } = tally;
        let answered = if output.json {
            let has_credential = rows.iter().any(|row| row["smtp_password"].is_string());
            let answer = json!({
                "users": rows,
                "summary": {
                    "users": users, "changed": changed, "waiting": waiting,
                    "unfinished": unfinished, "failed": failed,
                },
            });
            match has_credential {
                true => output.deliver(&format!("{answer:#}\n")).map_err(lost),
                false => output.answer_json(&answer).map_err(Failure::from),
            }
        } else {
            if users > 1 {
                output.note(&match mode {
                    Mode::Do => format!(
                        "{users} users: {changed} changed, {waiting} waiting, {unfinished} unfinished, {failed} failed"
                    ),
                    Mode::Tell => format!("{users} users: {changed} to be changed, {failed} failed"),
                });
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

    fn out(&mut self, who: &Who, stores: &[Store], outcome: &Outcome) {
        let end = match &outcome.end {
            End::Done { due: None } if outcome.steps.is_empty() => "nothing to do".to_owned(),
            End::Done { due: None } => "done".to_owned(),
            End::Done { due: Some(due) } if outcome.steps.is_empty() => {
                format!("nothing is due until {due}")
            }
            End::Done { due: Some(due) } => format!("done, due again {due}"),
            End::Waits { until, why, key } => {
                self.tally.waiting += 1;
                format!("until {until} {}", words::reason(*why, key))
            }
            End::Stopped(Reason::Limit(step)) => format!("next: {}", words(step, stores).to_do),
            _ => String::new(),
        };
        match &outcome.at_hand {
            _ if self.output.json => {}
            None => self.answer(who, &format!("{who}: {end}\n")),
            Some(credential) => {
                let delivered = self.progress.suspend(|| self.output.deliver(&credential.to_env()));
                if let Err(error) = delivered {
                    let failure = Failure::from(error);
                    let hint =
                        "run it again: a key that no store holds is deleted after 15 minutes";
                    return self.failed(who, &Failure::unfinished(failure.message, hint));
                }
                self.note(&format!("{who}: {end}"));
            }
        }
        if outcome.at_hand.is_some() {
            let hint = "put it into the store within 15 minutes, and run seskey rotate again: what no store holds then is deleted";
            self.progress.suspend(|| self.output.hint(hint));
        }
    }

    /// What cannot be answered is a failure.
    fn answer(&mut self, who: &Who, text: &str) {
        if let Err(error) = self.progress.suspend(|| self.output.answer(text)) {
            self.failed(who, &error.into());
        }
    }

    fn failed(&mut self, who: &Who, failure: &Failure) {
        match failure.exit {
            Exit::Unfinished => self.tally.unfinished += 1,
            _ => self.tally.failed += 1,
        }
        let message = format!("{who}: {}", failure.message);
        let failure = Failure { message, hint: failure.hint.clone(), ..*failure };
        self.progress.suspend(|| self.output.failure(&failure, std::iter::empty()));
    }

    fn warn(&self, text: &str) {
        self.progress.suspend(|| self.output.warn(text));
    }

    fn note(&self, text: &str) {
        self.progress.suspend(|| self.output.note(text));
    }

    fn detail(&self, text: &str) {
        self.progress.suspend(|| self.output.detail(text));
    }
}

/// A credential that nobody has read.
fn lost(error: io::Error) -> Failure {
    Failure::unfinished(
        Failure::from(error).message,
        "run it again: a key that no store holds is deleted after 15 minutes",
    )
}
