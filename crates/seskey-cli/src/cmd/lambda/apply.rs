//! `{"apply": …}`: does what is due.

use std::{num::NonZeroUsize, time::Duration};

use jiff::Timestamp;
use serde_json::Value;
use seskey::rotation;
use seskey_aws::lifecycle::Interrupt;

use super::{config, event::Apply, metrics, secret};
use crate::{
    args::Global,
    cmd::fleet::{self, Wanted},
    connect::aws,
    exit::Exit,
    explain::{Failure, Result},
    output::Output,
    rotations::{self, Done, Job, Jobs, Mode, Records},
};

pub(super) async fn apply(
    event: &Apply,
    interrupt: Interrupt,
    global: &Global,
    output: &Output,
) -> Result<Value> {
    let account = aws::account(global, None).await;
    let mut records = Records::of_function(output);
    let (mut jobs, mut concurrency) = (Jobs::default(), NonZeroUsize::MIN);
    if let Some((fleet, file)) = config::declared(&account).await? {
        let wanted = Wanted { users: &event.users, account: event.account.as_deref() };
        jobs = fleet::jobs(&fleet, &file, wanted, WAIT, &mut records, global, output).await?;
        concurrency = NonZeroUsize::try_from(fleet.concurrency).unwrap_or(concurrency);
    } else if event.secrets.is_empty() {
        return Err(Failure::usage(
            "there is nothing to apply: $SESKEY_CONFIG is not set, and no secrets are named",
            "set it to the path of a seskey.toml in the package, to s3://BUCKET/KEY, or to ssm:/NAME of a parameter",
        ));
    }
    for name in &event.secrets {
        let found = secret::found(&account, name, "").await?;
        let job = secret::job(&account, &found, name).await?;
        jobs.ready.push(Job { plan: rotation::settle, wait: WAIT, ..job });
    }
    let mut answering = output.clone();
    answering.json = true;
    let done =
        rotations::run_until(jobs, Mode::Run, concurrency, records, answering, interrupt).await?;
    metrics::write(output, &figures(&done));
    match done.exit {
        Exit::Done => Ok(done.answer),
        exit => Err(Failure {
            exit,
            ..Failure::new(
                format!("not all is done: {}", done.answer["summary"]),
                "the log names the users that are left, and their steps; send the event again",
            )
        }),
    }
}

fn figures(done: &Done) -> Vec<metrics::Metric> {
    let count = |name: &str| done.answer["summary"][name].as_f64().unwrap_or_default();
    let mut figures = vec![
        ("Users", "Count", count("users")),
        ("Changed", "Count", count("changed")),
        ("Waiting", "Count", count("waiting")),
        ("Unfinished", "Count", count("unfinished")),
        ("Failed", "Count", count("failed")),
        ("NotBegun", "Count", count("not_begun")),
    ];
    let now = Timestamp::now();
    let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs_f64();
    figures.extend(done.oldest.map(|made| ("OldestKey", "Seconds", seconds(made, now))));
    figures.extend(done.next.map(|due| ("NextDue", "Seconds", seconds(now, due).max(0.0))));
    figures
}

/// The time to wait for another run: none, as the next event comes by itself.
const WAIT: Duration = Duration::ZERO;
