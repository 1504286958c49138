//! A step of a rotation by Secrets Manager.

use std::time::Duration;

use serde_json::{Value, json};
use seskey::{
    Region,
    fleet::Credential,
    rotation::{FunctionStep, Goal, Work},
};
use seskey_aws::{
    Account,
    lifecycle::{
        Interrupt,
        function::{Found, Request, USER_TAG, carry_out, find},
    },
};

use super::{TimeLeft, config, metrics};
use crate::{
    args::Global,
    cmd::fleet,
    connect::{aws, smtp},
    explain::{self, Failure, Result},
    input,
    output::Output,
    rotations::{self, Job, Records, Target, Who},
};

pub(super) async fn step(
    request: &Request,
    time: TimeLeft,
    interrupt: Interrupt,
    global: &Global,
    output: &Output,
) -> Result<Value> {
    if request.step == FunctionStep::CreateSecret && time.0 < ENOUGH {
        return Err(Failure::new(
            format!("{} s are left, and a new key takes {} s", time.0.as_secs(), ENOUGH.as_secs()),
            "set the timeout of the function to 2 minutes",
        ));
    }
    let done = carried_out(request, interrupt, global, output).await;
    let failed = if done.is_err() { 1.0 } else { 0.0 };
    metrics::write(output, &[("Steps", "Count", 1.0), ("StepsFailed", "Count", failed)]);
    let (user, work) = done?;
    let done = match work {
        Work::Make => "made",
        Work::Move { .. } => "moved",
        Work::HandOver => "handed over",
        Work::TryCurrent | Work::TryPending => "logged in",
        Work::Nothing => "nothing",
    };
    Ok(json!({"user_name": user, "done": done}))
}

async fn carried_out(
    request: &Request,
    interrupt: Interrupt,
    global: &Global,
    output: &Output,
) -> Result<(String, Work)> {
    let account = aws::account(global, None).await;
    let secret = &request.secret;
    let found = found(&account, secret, &request.version).await?;
    let job = match declared(&account, &found, global).await? {
        Some(job) => job,
        None => job(&account, &found, secret).await?,
    };
    let who = job.who.clone();
    let (account, rotation) = rotations::prepared(job).await?;
    let mut tell =
        rotations::teller(who.clone(), &rotation, Records::of_function(output), output.clone());
    let work = carry_out(&account, request, &found, &rotation, interrupt, &mut tell).await;
    let work = work.map_err(|error| explain::function::failure(&error, request, &rotation))?;
    Ok((who.user, work))
}

pub(super) async fn found(account: &Account, secret: &str, version: &str) -> Result<Found> {
    let store = input::store(&format!("secretsmanager:{secret}"), "")?;
    let found = find(account, secret, version).await;
    found.map_err(|error| explain::store::failure(&store, &error))
}

/// Returns the job of the declared credential that is delivered to this secret.
async fn declared(account: &Account, found: &Found, global: &Global) -> Result<Option<Job>> {
    let Some((fleet, file)) = config::declared(account).await? else { return Ok(None) };
    let fleet = fleet.in_own_account(found.account());
    let is_reached = |credential: &&Credential| fleet.accounts.contains_key(&credential.account);
    let mut credentials = fleet.credentials.iter().filter(is_reached);
    match credentials.find(|credential| credential.stores.iter().any(|store| found.is(store))) {
        Some(credential) => fleet::job_of(credential, &fleet, &file, global).await.map(Some),
        None => Ok(None),
    }
}

/// Returns the job that the secret itself describes.
pub(super) async fn job(account: &Account, found: &Found, secret: &str) -> Result<Job> {
    let user = found.user(account).await.map_err(|error| explain::aws::failure(&error))?;
    let user = user.ok_or_else(|| {
        Failure::usage(
            format!("{secret} does not say whose credential it is to hold"),
            format!("give it the tag {USER_TAG} with the name of the IAM user"),
        )
    })?;
    let endpoint = smtp::of_environment();
    let target = Target {
        account: account.clone(),
        region: found.region(),
        usual_region: account.region().and_then(|text| Region::parse(text).ok()),
        client: smtp::client(&endpoint)?,
        endpoint,
    };
    let who = Who { user, account: None };
    Ok(Job::new(who, target, Goal::default(), vec![found.store.clone()]))
}

/// The time for a new key: it takes some seconds to be known everywhere, and its secret is lost if the function ends
/// meanwhile.
const ENOUGH: Duration = Duration::from_secs(45);
