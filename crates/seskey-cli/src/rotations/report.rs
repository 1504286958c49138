//! The report on each user, during the run and at its end: to a person on stderr, to scripts on stdout, to auditors in
//! a file.

use std::{collections::BTreeSet, io};

use indicatif::ProgressBar;
use jiff::Timestamp;
use serde_json::{Value, json};
use seskey::{
    AccessKeyId,
    render::{Entry, Target, render},
    rotation::{Reason, Step, Why},
    store::Store,
};
use seskey_aws::{
    lifecycle::{
        end::Ending,
        rotate::{End, Event, Outcome, Rotation},
    },
    smtp::Server,
};

use super::{
    Done, Mode, Who,
    overview::Overview,
    records::Records,
    rows::{NOT_BEGUN, row, step_row},
};
use crate::{
    exit::Exit,
    explain::{
        self, Failure, Result,
        step::{self, is_detail, words},
    },
    output::Output,
};

/// The outcome of a user.
pub(super) enum Ended {
    Out(Box<Outcome>, Box<Rotation>),
    Failed(Failure),
}

pub(super) struct Report {
    mode: Mode,
    output: Output,
    records: Records,
    progress: ProgressBar,
    overview: Overview,
    /// The rows of the answer in JSON, in the order in which the users ended.
    rows: Vec<Value>,
    tally: Tally,
    /// Whether a delivery was begun.
    has_delivered: bool,
    /// Whether a user was made, or given what it lacked.
    has_made: bool,
    /// When the oldest of the active keys was made, and when something is due next.
    oldest: Option<Timestamp>,
    next: Option<Timestamp>,
    /// The waits that were reported.
    waits: BTreeSet<(Who, AccessKeyId)>,
}

/// The number of users for each outcome.
#[derive(Debug, Default)]
struct Tally {
    users: usize,
    changed: usize,
    waiting: usize,
    unfinished: usize,
    failed: usize,
    /// Stopped by a signal: before anything was done, and after something was.
    not_begun: usize,
    interrupted: usize,
}

impl Report {
    pub(super) fn new(users: usize, mode: Mode, records: Records, output: Output) -> Self {
        let progress = if users > 1 { output.counter(users as u64) } else { output.spinner() };
        let tally = Tally { users, ..Tally::default() };
        let overview = Overview::default();
        Self {
            mode,
            output,
            records,
            progress,
            overview,
            rows: vec![],
            tally,
            has_delivered: false,
            has_made: false,
            oldest: None,
            next: None,
            waits: BTreeSet::new(),
        }
    }

    pub(super) fn event(&mut self, who: &Who, rotation: &Rotation, event: Event) {
        match event {
            Event::Begins(step) => {
                self.has_delivered |= matches!(step, Step::Deliver { .. });
                self.progress
                    .set_message(format!("{who}: {}", words(&step, &rotation.stores).to_do));
            }
            Event::Did { step, at } => {
                let done = format!("{who}: {}", words(&step, &rotation.stores).done);
                match &step {
                    // without a command there is nothing to report
                    Step::RunHook(_) if rotation.hook.is_none() => {}
                    step if is_detail(step) => self.detail(&done),
                    _ => self.note(&done),
                }
                self.records.step(who, rotation, &step, at);
            }
            Event::Login(login) => self.records.login(who, &login),
            Event::Retries { failure, after } => {
                let failure = explain::rotation::failure(&failure, rotation).message;
                self.note(&format!("{who}: {failure}; again in {:.1} s", after.as_secs_f64()));
                self.records.retry(who, &failure);
            }
            Event::Waits { until, key } => {
                let reason = step::reason(Why::Lease, &key);
                // once, though the wait may be seen again
                if self.waits.insert((who.clone(), key)) {
                    self.note(&format!("{who}: waiting until {until}: {reason}"));
                }
                self.progress.set_message(format!("{who}: waiting until {until}: {reason}"));
            }
            Event::Refused { key } => self.warn(&format!(
                "{who}: {key} was refused after it was delivered; the earlier content is put back"
            )),
            Event::SendingUnknown => self.detail(&format!(
                "{who}: IAM did not let seskey ask whether it may send; seskey policy operator --for rotate prints the permissions"
            )),
            Event::Unwritten { tag, error } => {
                let reason = explain::aws::failure(&error).message;
                self.warn(&format!(
                    "{who}: the tag {tag} is not written, and it goes on: {reason}"
                ));
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

    /// Reports an event of the creation of a user.
    pub(super) fn made(&self, who: &Who, text: &str) {
        if !text.is_empty() {
            self.note(&format!("{who}: {text}"));
        }
    }

    /// Records that a user was made, or given what it lacked.
    pub(super) fn has_made(&mut self) {
        self.has_made = true;
    }

    /// Whether details are reported too.
    pub(super) fn tells_all(&self) -> bool {
        self.output.verbose
    }

    /// Reports what would be done, after how the user is made. Many users are a table, unless details are asked for.
    pub(super) fn would(
        &mut self,
        who: &Who,
        rotation: &Rotation,
        made: &[String],
        steps: &[Step],
    ) {
        if let Some(failure) = explain::rotation::owed(rotation, steps) {
            self.failed(who, &failure);
        }
        let stores = &rotation.stores;
        let changes: Vec<&Step> = steps.iter().filter(|step| step.stage().is_some()).collect();
        self.tally.changed += usize::from(!made.is_empty() || !changes.is_empty());
        self.overview.add(who, !made.is_empty(), steps, stores);
        if self.output.json {
            let rows: Vec<Value> =
                steps.iter().map(|step| step_row(step, &who.user, stores)).collect();
            self.rows.push(json!({
                "user_name": who.user, "account": who.account, "create": !made.is_empty(), "steps": rows,
            }));
            return self.progress.inc(1);
        }
        if self.tally.users > 1 && !self.output.verbose {
            return self.progress.inc(1);
        }
        // if there is nothing else to report, details are reported
        let tells_all = self.output.verbose || changes.iter().all(|step| is_detail(step));
        let told = |step: &&Step| match step {
            Step::RunHook(_) => rotation.hook.is_some(),
            Step::Done { .. } => changes.is_empty(),
            step => tells_all || !is_detail(step),
        };
        let to_do = |step: &Step| match step {
            Step::Stop(reason) => explain::rotation::end_of_plan(reason, &who.user, stores),
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
            Ended::Out(outcome, rotation) => explain::rotation::problem(outcome, rotation),
            Ended::Failed(_) => None,
        };
        let row = row(who, stores, &ended, problem.as_ref());
        self.records.ended(who, &ended, &row, problem.is_some());
        if let Ended::Out(outcome, _) = &ended {
            self.tally.changed += usize::from(!outcome.steps.is_empty());
            let next = match &outcome.end {
                End::Done { due } => *due,
                End::Waits { until, .. } => Some(*until),
                _ => None,
            };
            self.oldest = self.oldest.into_iter().chain(outcome.oldest).min();
            self.next = self.next.into_iter().chain(next).min();
        }
        match (&ended, problem) {
            (Ended::Out(outcome, _), _) if matches!(outcome.end, End::Interrupted { .. }) => {
                let count = match outcome.steps.is_empty() {
                    true => &mut self.tally.not_begun,
                    false => &mut self.tally.interrupted,
                };
                *count += 1;
            }
            (Ended::Failed(failure), _) => self.failed(who, failure),
            (_, Some(problem)) => self.failed(who, &problem),
            (Ended::Out(outcome, rotation), None) => {
                self.out(who, stores, outcome, &rotation.proof.server);
            }
        }
        self.rows.push(row);
        self.progress.inc(1);
    }

    /// Reports a user whose run a signal prevented.
    pub(super) fn not_begun(&mut self, who: &Who) {
        self.tally.not_begun += 1;
        self.records.not_begun(who);
        self.rows
            .push(json!({"user_name": who.user, "account": who.account, "outcome": NOT_BEGUN}));
    }

    /// Reports the result of the run.
    pub(super) async fn finish(self) -> Result<Done> {
        let (has_changes, has_delivered) = (self.has_changes(), self.has_delivered);
        let Self { mode, output, records, progress, overview, rows, tally, has_made, .. } = self;
        let mut answer = Value::Null;
        progress.finish_and_clear();
        let Tally { users, changed, waiting, unfinished, failed, not_begun, interrupted } = tally;
        let unfinished = unfinished + interrupted;
        let answered = if output.json {
            let has_credential = rows.iter().any(|row| row["smtp_password"].is_string());
            answer = json!({
                "users": rows,
                "summary": {
                    "users": users, "changed": changed, "waiting": waiting,
                    "unfinished": unfinished, "failed": failed, "not_begun": not_begun,
                },
            });
            if mode == Mode::DryRun {
                answer["summary"]["plan"] = overview.counts();
            }
            match has_credential {
                true => output.deliver(&format!("{answer:#}\n")).map_err(lost),
                false => output.answer_json(&answer).map_err(Failure::from),
            }
        } else if mode == Mode::DryRun && users > 1 && !output.verbose {
            if failed > 0 {
                output.note(&format!("{failed} of {users} users could not be looked at"));
            }
            output.answer(&overview.text()).map_err(Failure::from)
        } else {
            if users > 1 {
                output.note(&match mode {
                    Mode::Run => {
                        let not_begun = match not_begun {
                            0 => String::new(),
                            count => format!(", {count} not begun"),
                        };
                        format!(
                            "{users} users: {changed} changed, {waiting} waiting, {unfinished} unfinished, {failed} failed{not_begun}"
                        )
                    }
                    Mode::DryRun => format!("{users} users: {changed} to be changed, {failed} failed"),
                });
            }
            Ok(())
        };
        if interrupted + not_begun > 0 {
            let hint = if changed > 0 { "run it again to go on" } else { "run it again" };
            let failure = Failure::new("interrupted", hint);
            output.failure(&failure, std::iter::empty());
        }
        records.finish(&output).await?;
        answered?;
        let exit = match (unfinished, failed + not_begun) {
            (0, 0) => Exit::Done,
            (0, _) if mode == Mode::DryRun || changed == 0 && !has_made => Exit::Failed,
            _ => Exit::Unfinished,
        };
        let (oldest, next) = (self.oldest, self.next);
        Ok(Done { exit, has_changes, has_delivered, answer, oldest, next })
    }

    fn out(&mut self, who: &Who, stores: &[Store], outcome: &Outcome, server: &Server) {
        let end = match &outcome.end {
            End::Done { due: None } if outcome.steps.is_empty() => {
                step::nothing_to_undo(&outcome.active)
            }
            End::Done { due: None } => "done".to_owned(),
            End::Done { due: Some(due) } if outcome.steps.is_empty() => {
                format!("nothing is due until {due}")
            }
            End::Done { due: Some(due) } => format!("done, due again {due}"),
            End::Waits { until, why, key } => {
                self.tally.waiting += 1;
                format!("until {until} {}", step::reason(*why, key))
            }
            End::Stopped(Reason::Limit(step)) => format!("next: {}", words(step, stores).to_do),
            _ => String::new(),
        };
        match &outcome.at_hand {
            _ if self.output.json => {}
            None => {
                self.done(who, &format!("{who}: {end}\n"));
                if outcome.end == (End::Done { due: None }) && outcome.steps.is_empty() {
                    self.progress.suspend(|| self.output.advice(step::WHAT_IS_UNDONE));
                }
            }
            Some(credential) => {
                let (credential, Server { host, port, .. }) = (credential.clone(), server);
                let entry = Entry { credential, host: host.clone(), port: *port, from: None };
                let text = render(Target::Env, &entry, "")
                    .expect("the host was dialled, and the names are the usual ones");
                let delivered = self.progress.suspend(|| self.output.deliver(&text));
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
            let hint = "put it into the store within 15 minutes, and run seskey rotate again: a key that no store holds by then is deleted";
            self.progress.suspend(|| self.output.hint(hint));
        }
    }

    /// Does the same as [`answer`](Self::answer), unless the output is quiet.
    fn done(&mut self, who: &Who, text: &str) {
        if !self.output.quiet {
            self.answer(who, text);
        }
    }

    /// Writes an answer. An error in doing so is a failure of the user.
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
        let failure = Failure { message, ..failure.clone() };
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

/// Returns the failure for a credential that was not written.
fn lost(error: io::Error) -> Failure {
    Failure::unfinished(
        Failure::from(error).message,
        "run it again: a key that no store holds is deleted after 15 minutes",
    )
}
