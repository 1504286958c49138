//! `seskey rotate`: a new key, proven, delivered, handed over; the old one, in time, deactivated and deleted.

use std::collections::BTreeSet;

use seskey::{
    rotation::{self, Goal, GoalError},
    store::{Store, StoreNameError},
};
use seskey_aws::{
    Account,
    lifecycle::{list::list, rotate::Hook},
};

use crate::{
    args::{
        Global,
        rotate::{Rotate, Stage, Terms},
    },
    connect::{aws, smtp},
    exit::Exit,
    explain::{self, Failure, Result},
    output::Output,
    rotations::{self, Job, Mode, Records, Who},
};

pub(crate) fn run(args: &Rotate, global: &Global, output: &Output) -> Result<Exit> {
    let goal = goal(&args.terms, args.stage)?;
    if goal.is_crowded() {
        output.warn("grace and quarantine together are longer than the greatest age of a key: it is rotated late");
    }
    if let Some(store) = args.to.iter().find(|store| !store.contains(PLACE))
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
    // before anything is asked of AWS
    args.to.iter().try_for_each(|text| store(text, "user").map(drop))?;
    let region = aws::typed_region(global, args.allow_unknown_region)?;
    let usual_region = aws::region(global, args.allow_unknown_region).ok();
    let client = smtp::client(&args.endpoint)?;
    let mut records = Records::open(&args.records)?;
    aws::block_on(async {
        let region_of_calls = region.as_ref().or(usual_region.as_ref());
        let account = aws::account_at(global, region_of_calls, args.pace.calls_per_second).await;
        let mut users = if args.all { all(&account).await? } else { args.users.clone() };
        // twice at the same time, a user would be in its own way
        let mut once = BTreeSet::new();
        users.retain(|user| once.insert(user.clone()));
        let job = |user: String| {
            Ok(Job {
                account: account.clone(),
                region: region.clone(),
                usual_region: usual_region.clone(),
                known: None,
                create: None,
                goal: goal.clone(),
                plan: if args.undo { rotation::undo } else { rotation::next },
                stores: args.to.iter().map(|text| store(text, &user)).collect::<Result<_>>()?,
                hook: args.terms.after.as_deref().map(Hook::new),
                client: client.clone(),
                endpoint: args.endpoint.clone(),
                now: args.terms.now,
                wait: args.wait.wait.unsigned_abs(),
                forgoes_notes: false,
                who: Who { user, account: None },
            })
        };
        let jobs = users.into_iter().map(job).collect::<Result<_>>()?;
        let mode = if args.dry_run { Mode::DryRun } else { Mode::Run };
        records.begin(None, &account).await;
        let done = rotations::run(jobs, mode, args.pace.concurrency, records, *output).await?;
        Ok(done.exit)
    })?
}

async fn all(account: &Account) -> Result<Vec<String>> {
    let users = list(account, false).await.map_err(|error| explain::aws::failure(&error))?;
    Ok(users.into_iter().map(|user| user.name).collect())
}

fn goal(terms: &Terms, stage: Stage) -> Result<Goal> {
    let goal = Goal::new(terms.max_age, terms.grace, terms.quarantine).map_err(|error| {
        Failure::usage(
            match error {
                GoalError::NoAge => "--max-age is no time at all",
                _ => "a time is less than nothing",
            },
            "such as --max-age 90d --grace 7d --quarantine 7d",
        )
    })?;
    let mut goal = goal;
    goal.wait_unused = terms.wait_unused;
    goal.force = terms.force;
    goal.until = match stage {
        Stage::Create => rotation::Stage::Create,
        Stage::Deliver => rotation::Stage::Deliver,
        Stage::Retire => rotation::Stage::Retire,
    };
    Ok(goal)
}

/// A store for this user.
pub(crate) fn store(text: &str, user: &str) -> Result<Store> {
    text.replace(PLACE, user).parse::<Store>().map_err(|error| {
        let hint = match (&error, error.nearest()) {
            (_, Some(nearest)) => format!("did you mean {nearest}?"),
            (StoreNameError::NoScheme, _) if text.contains(['.', '/']) => format!("a file is file:{text}"),
            (StoreNameError::NoFrom { .. }, _) => "leave from out; docs/render.md says which forms have a place for it".to_owned(),
            (StoreNameError::NoFormat, _) => format!("add it: {text}?format=env; seskey render --help lists the forms"),
            _ => "such as file:/etc/mail/smtp.json, secretsmanager:prod/smtp, ssm:/prod/smtp, kubernetes:NAMESPACE/NAME, exec:COMMAND".to_owned(),
        };
        Failure::usage(format!("--to: {text} is no store: {error}"), hint)
    })
}

/// What stands for the name of the user in a store.
const PLACE: &str = "{user}";
