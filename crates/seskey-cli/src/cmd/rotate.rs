//! `seskey rotate`: makes, proves, delivers and hands over a new key; in time, deactivates and deletes the old one.

use std::collections::BTreeSet;

use seskey::rotation::{self, Goal};
use seskey_aws::{Account, lifecycle::list::list};

use crate::{
    args::{
        Global,
        rotate::{Rotate, Stage, Terms},
    },
    connect::{aws, smtp},
    exit::Exit,
    explain::{self, Failure, Result},
    input,
    output::Output,
    rotations::{self, Job, Mode, Records, Target, Who},
};

pub(crate) fn run(args: &Rotate, global: &Global, output: &Output) -> Result<Exit> {
    let goal = goal(&args.terms, args.stage)?;
    if goal.is_crowded() {
        output.warn("grace and quarantine together are longer than the greatest age of a key: it is rotated late");
    }
    if let Some(store) = args.to.iter().find(|store| !store.contains(input::PLACE))
        && (args.all || args.users.len() > 1)
    {
        return Err(Failure::usage(
            format!("several users cannot be delivered to one store: {store}"),
            "put {user} into it, such as secretsmanager:smtp/{user}",
        ));
    }
    args.users.iter().try_for_each(|user| aws::existing_user(user))?;
    if args.stage == Stage::Create && !args.dry_run {
        output.refuse_null("let it go into a file or a pipe, or leave --stage out")?;
    }
    // checked before any call to AWS
    args.to.iter().try_for_each(|text| input::store(text, "user").map(drop))?;
    let region = aws::typed_region(global, args.allow_unknown_region)?;
    let usual_region = aws::region(global, args.allow_unknown_region).ok();
    let client = smtp::client(&args.endpoint)?;
    let mut records = Records::open(&args.records)?;
    aws::block_on(async {
        let region_of_calls = region.as_ref().or(usual_region.as_ref());
        let account = aws::account_at(global, region_of_calls, args.pace.calls_per_second).await;
        let mut users = if args.all { all(&account).await? } else { args.users.clone() };
        // two rotations of one user at the same time would be in each other's way
        let mut once = BTreeSet::new();
        users.retain(|user| once.insert(user.clone()));
        let target = Target {
            account: account.clone(),
            region: region.clone(),
            usual_region: usual_region.clone(),
            client,
            endpoint: args.endpoint.clone(),
        };
        let job = |user: String| {
            let stores =
                args.to.iter().map(|text| input::store(text, &user)).collect::<Result<_>>()?;
            let who = Who { user, account: None };
            Ok(Job {
                plan: if args.undo { rotation::undo } else { rotation::next },
                now: args.terms.now,
                wait: args.wait.wait.unsigned_abs(),
                ..Job::new(who, target.clone(), goal.clone(), stores)
                    .with_hook(args.terms.after.as_deref())
            })
        };
        let jobs = users.into_iter().map(job).collect::<Result<Vec<_>>>()?;
        let mode = if args.dry_run { Mode::DryRun } else { Mode::Run };
        records.begin(None, records.caller(&account).await);
        let done =
            rotations::run(jobs, mode, args.pace.concurrency, records, output.clone()).await?;
        Ok(done.exit)
    })?
}

async fn all(account: &Account) -> Result<Vec<String>> {
    let users = list(account, false).await.map_err(|error| explain::aws::failure(&error))?;
    Ok(users.into_iter().map(|user| user.name).collect())
}

fn goal(terms: &Terms, stage: Stage) -> Result<Goal> {
    let goal = Goal::new(terms.max_age, terms.grace, terms.quarantine);
    let mut goal = goal.map_err(|error| explain::input::goal(&error))?;
    goal.wait_unused = terms.wait_unused;
    goal.force = terms.force;
    goal.until = match stage {
        Stage::Create => rotation::Stage::Create,
        Stage::Deliver => rotation::Stage::Deliver,
        Stage::Retire => rotation::Stage::Retire,
    };
    Ok(goal)
}
