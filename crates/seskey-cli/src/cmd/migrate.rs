//! `seskey migrate`: moves a user from a policy of its own to the group of the SES console.

use serde_json::json;
use seskey::user::SENDING_GROUP;
use seskey_aws::lifecycle::{
    create::Event,
    migrate::{Plan, migrate, plan},
};

use crate::{
    args::{Global, Migrate},
    cmd::create,
    connect::aws,
    exit::Exit,
    explain::{self, Result},
    output::Output,
    signals,
};

pub(crate) fn run(args: &Migrate, global: &Global, output: &Output) -> Result<Exit> {
    aws::existing_user(&args.user)?;
    aws::block_on(run_on_account(args, global, output))?
}

async fn run_on_account(args: &Migrate, global: &Global, output: &Output) -> Result<Exit> {
    let interrupt = signals::interrupt(output)?;
    let account = aws::account(global, None).await;
    let spinner = output.spinner();
    let mut report = |event: Event| match event {
        // the answer lists what was made
        Event::Made(_) => spinner.set_message("waiting until the change is seen"),
        event => create::report(&event, &spinner, output),
    };
    let plan = plan(&account, &args.user, args.widen, &mut report)
        .await
        .map_err(|failure| explain::migrate::plan(&failure, &args.user))?;
    if !args.dry_run {
        let migrated = migrate(&account, &plan, args.settle, interrupt, &mut report).await;
        spinner.finish_and_clear();
        migrated.map_err(|error| explain::migrate::failure(&error, &plan))?;
    }
    answer(&plan, !args.dry_run, output)?;
    Ok(Exit::Done)
}

fn answer(plan: &Plan, done: bool, output: &Output) -> Result<()> {
    let Plan { user, user_arn, steps, other_policies, .. } = plan;
    for policy in other_policies {
        output.note(&format!("the inline policy {policy} of {user} stays"));
    }
    if output.json {
        let actions: Vec<&str> = steps.iter().map(|step| step.action()).collect();
        output.answer_json(&json!({
            "user_name": user,
            "user_arn": user_arn,
            "group": SENDING_GROUP,
            "actions": actions,
            "other_policies": other_policies,
            "migrated": done || steps.is_empty(),
        }))?;
    } else if steps.is_empty() {
        output.report(&format!("{user} is migrated already: it may send by {SENDING_GROUP}\n"))?;
    } else {
        let lines: String =
            steps.iter().map(|step| explain::migrate::step(*step, user, done) + "\n").collect();
        let told = if done { output.report(&lines) } else { output.answer(&lines) };
        told?;
    }
    Ok(())
}
