//! Rotates any number of users, several at a time, each independent of the others, and reports each outcome.

mod job;
mod metrics;
mod overview;
mod records;
mod report;
mod rows;
mod user;

use std::{
    collections::BTreeSet,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde_json::Value;
use seskey::rotation::{self, Sending, tags_too_many};
use seskey_aws::{
    Account,
    lifecycle::{
        Interrupt,
        converge::{Drift, converge},
        create::{CreateRequest, look as look_at_user},
        rotate::{Event, Rotation, forecast, look, look_at_stores, rotate},
    },
};
use tokio::task::{JoinSet, LocalSet, spawn_local};

pub(crate) use self::{
    job::{Job, Jobs, Target, Who},
    metrics::Metrics,
    records::Records,
};
use self::{
    report::{Ended, Report},
    user::Found,
};
use crate::{
    exit::Exit,
    explain::{self, Failure, Result},
    output::Output,
    signals,
};

/// Whether a run rotates, or only says what it would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Run,
    DryRun,
}

/// The end of a run, and whether anything was done or would be.
pub(crate) struct Done {
    pub(crate) exit: Exit,
    pub(crate) has_changes: bool,
    /// Whether a delivery was begun: a store may hold a new credential.
    pub(crate) has_delivered: bool,
    /// The answer in JSON, if that was asked for.
    pub(crate) answer: Value,
    /// When the oldest of the active keys was made.
    pub(crate) oldest: Option<Timestamp>,
    /// When something is due next.
    pub(crate) next: Option<Timestamp>,
}

/// Rotates all users, `concurrency` at a time. One user's failure does not stop the others.
pub(crate) async fn run(
    jobs: impl Into<Jobs>,
    mode: Mode,
    concurrency: NonZeroUsize,
    records: Records,
    output: Output,
) -> Result<Done> {
    let interrupt = signals::interrupt(&output)?;
    run_until(jobs.into(), mode, concurrency, records, output, interrupt).await
}

/// Does the same, until this interrupt.
pub(crate) async fn run_until(
    Jobs { ready, barred }: Jobs,
    mode: Mode,
    concurrency: NonZeroUsize,
    records: Records,
    output: Output,
    interrupt: Interrupt,
) -> Result<Done> {
    let users = ready.len() + barred.len();
    let report = Arc::new(Mutex::new(Report::new(users, mode, records, output)));
    for (who, stores, failure) in barred {
        locked(&report).ended(&who, &stores, Ended::Failed(failure));
    }
    let all = async {
        let mut running = JoinSet::new();
        for job in ready {
            if interrupt.is_raised() {
                locked(&report).not_begun(&job.who);
                continue;
            }
            if running.len() >= concurrency.get() {
                running.join_next().await;
            }
            running.spawn_local(guarded(job, mode, interrupt.clone(), Arc::clone(&report)));
        }
        while running.join_next().await.is_some() {}
    };
    LocalSet::new().run_until(all).await;
    let report = Arc::into_inner(report).expect("every task is over");
    let report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.finish().await
}

/// Returns the account and the rotation of a user, for a caller that carries the rotation out itself.
pub(crate) async fn prepared(mut job: Job) -> Result<(Account, Rotation)> {
    let Found { tags, sending, .. } = user::look_for(&mut job).await?;
    job.rotation(tags, sending)
}

/// Returns a function that reports the events of that user.
pub(crate) fn teller(
    who: Who,
    rotation: &Rotation,
    records: Records,
    output: Output,
) -> impl FnMut(Event) + Send + use<'_> {
    let mut report = Report::new(1, Mode::Run, records, output);
    move |event| report.event(&who, rotation, event)
}

/// Checks everything that a key of a user that is yet to be made will need. Nothing is changed. Returns the account
/// with the SMTP endpoint for its stores.
pub(crate) async fn look_ahead(job: Job, request: &CreateRequest) -> Result<Account> {
    let tags = Some(request.tags.clone());
    let (account, rotation) = job.rotation(tags, Sending::Unknown)?;
    ready(&account, &rotation, request).await?;
    Ok(account)
}

async fn ready(account: &Account, rotation: &Rotation, request: &CreateRequest) -> Result<()> {
    let tags_too_many = tags_too_many(request.tags.iter().map(|(key, _)| &**key));
    let ready = async {
        look(account, rotation, tags_too_many, &BTreeSet::new()).await?;
        look_at_stores(account, rotation).await
    };
    ready.await.map_err(|failure| explain::rotation::not_ready(&failure, rotation))
}

/// Runs a job. A panic is reported like any other failure of its user.
async fn guarded(job: Job, mode: Mode, interrupt: Interrupt, report: Arc<Mutex<Report>>) {
    let (who, stores) = (job.who.clone(), job.stores.clone());
    if spawn_local(one(job, mode, interrupt, Arc::clone(&report))).await.is_err() {
        let failure = Failure::unfinished(
            "it broke off, which is a bug in seskey",
            "please report it with what was printed before; run it again to go on",
        );
        locked(&report).ended(&who, &stores, Ended::Failed(failure));
    }
}

fn locked(report: &Mutex<Report>) -> MutexGuard<'_, Report> {
    report.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn one(mut job: Job, mode: Mode, interrupt: Interrupt, report: Arc<Mutex<Report>>) {
    let report = || locked(&report);
    let (who, stores) = (job.who.clone(), job.stores.clone());
    let failed = |failure| report().ended(&who, &stores, Ended::Failed(failure));
    let Found { tags, sending, missing, drift } = match user::look_for(&mut job).await {
        Ok(found) => found,
        Err(failure) => return failed(failure),
    };
    // the user gets its missing permission before it is to send
    let gets_permission = drift.iter().any(|drift| !matches!(drift, Drift::Region { .. }));
    let sending = match mode {
        Mode::DryRun if gets_permission => Sending::Allowed,
        _ => sending,
    };
    let declared = job.create.clone();
    let (account, rotation) = match job.rotation(tags, sending) {
        Ok(both) => both,
        Err(failure) => return failed(failure),
    };
    if let (Some(request), true) = (&declared, missing)
        && let Err(failure) = ready(&account, &rotation, request).await
    {
        return failed(failure);
    }
    let has_made = missing || !drift.is_empty();
    if let Some(request) = &declared {
        let on_event = &mut |event| report().made(&who, &explain::create::event(&event));
        let made = match (mode, missing) {
            (Mode::DryRun, true) => look_at_user(&account, request, on_event).await,
            (Mode::DryRun, false) => Ok(()),
            (Mode::Run, true) => user::make(&account, request, interrupt.clone(), on_event).await,
            (Mode::Run, false) => {
                converge(&account, request, &drift, interrupt.clone(), on_event).await
            }
        };
        if let Err(error) = made {
            return failed(explain::create::failure(&error, request));
        }
        if mode == Mode::Run && has_made {
            report().has_made();
            drift.iter().for_each(|drift| report().made(&who, &explain::create::drift(drift).1));
        }
    }
    match (mode, &declared) {
        (Mode::DryRun, Some(request)) if missing => {
            let steps = rotation::forecast(&job::new_user(&rotation, &account), &rotation.goal);
            let made = explain::create::making(request, report().tells_all());
            report().would(&who, &rotation, &made, &steps);
        }
        (Mode::DryRun, _) => match forecast(&account, &rotation).await {
            Ok(steps) => {
                let lines: Vec<String> =
                    drift.iter().map(|drift| explain::create::drift(drift).0).collect();
                report().would(&who, &rotation, &lines, &steps);
            }
            Err(failure) => failed(explain::rotation::failure(&failure, &rotation)),
        },
        (Mode::Run, _) => {
            let on_event = &mut |event| report().event(&who, &rotation, event);
            let ended = match rotate(&account, &rotation, interrupt, on_event).await {
                Ok(outcome) => Ended::Out(Box::new(outcome), Box::new(rotation.clone())),
                Err(error) => Ended::Failed(explain::rotation::run(&error, &rotation, has_made)),
            };
            report().ended(&who, &stores, ended);
        }
    }
}
