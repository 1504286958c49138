//! `seskey migrate`: from a policy of the user's own to the group of the SES console.

use serde_json::json;
use seskey::user::{CONSOLE_TAG, SENDING_GROUP, SENDING_POLICY};
use seskey_aws::{
    iam::Simulated,
    lifecycle::{
        create::Event,
        migrate::{MigrateError, MigrateFailure, Plan, Step, migrate, plan},
    },
};

use crate::{
    args::{Global, Migrate},
    aws,
    cmd::create,
    exit::Exit,
    explain::{Failure, Result},
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
        // the answer tells what was made
        Event::Made(_) => spinner.set_message("waiting until the change is seen"),
        event => create::report(&event, &spinner, output),
    };
    let plan = plan(&account, &args.user, args.widen, &mut report)
        .await
        .map_err(|failure| explain(&failure, &args.user))?;
    if !args.dry_run {
        let migrated = migrate(&account, &plan, args.settle, interrupt, &mut report).await;
        spinner.finish_and_clear();
        migrated.map_err(|error| explain_migrate(&error, &plan))?;
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
        let lines: String = steps.iter().map(|step| describe(*step, user, done) + "\n").collect();
        let told = if done { output.report(&lines) } else { output.answer(&lines) };
        told?;
    }
    Ok(())
}

fn describe(step: Step, user: &str, done: bool) -> String {
    let (doing, did, what) = match step {
        Step::CreateGroup => ("create", "created", format!("group {SENDING_GROUP}")),
        Step::PutGroupPolicy => {
            ("give", "gave", format!("group {SENDING_GROUP} the policy {SENDING_POLICY}"))
        }
        Step::AddUserToGroup => ("add", "added", format!("{user} to group {SENDING_GROUP}")),
        Step::DeleteUserPolicy => {
            ("delete", "deleted", format!("inline policy {SENDING_POLICY} of {user}"))
        }
        Step::UntagUser => ("remove", "removed", format!("tag {} of {user}", CONSOLE_TAG.0)),
    };
    format!("{} {what}", if done { did } else { doing })
}

fn explain_migrate(error: &MigrateError, plan: &Plan) -> Failure {
    let failure = explain(&error.failure, &plan.user);
    if !error.joined && error.left.is_empty() {
        return failure;
    }
    let hint = match error.failure {
        MigrateFailure::Interrupted => "run it again to finish".to_owned(),
        _ => format!("{}; then run it again to finish", failure.hint),
    };
    if !error.joined {
        return Failure { hint, ..create::with_leftovers(failure, &error.left) };
    }
    let user = &plan.user;
    Failure::unfinished(
        format!("{}; {user} may send as before, and is not migrated to the end", failure.message),
        hint,
    )
}

fn explain(failure: &MigrateFailure, user: &str) -> Failure {
    match failure {
        MigrateFailure::Call(error) => aws::failure(error),
        MigrateFailure::NotInline => Failure::new(
            format!("{user} has no inline policy {SENDING_POLICY}, so there is nothing to migrate"),
            "seskey list shows the users that may send, and in which style",
        ),
        MigrateFailure::Restricted => Failure::new(
            format!(
                "the inline policy {SENDING_POLICY} restricts what {user} may send, and the group's does not"
            ),
            "leave the user as it is, or give up the restriction with --widen",
        ),
        MigrateFailure::AllowsMore => Failure::new(
            format!(
                "the inline policy {SENDING_POLICY} of {user} allows more than ses:SendRawEmail, and the group's does not"
            ),
            "put what else the user needs into a policy of another name, which stays",
        ),
        MigrateFailure::GroupRestricts { policies } => Failure::new(
            format!(
                "the policies of the group {SENDING_GROUP} do not let its members send without restriction: {}",
                policies.join(", ")
            ),
            "mend the policy of the group: the console's allows ses:SendRawEmail on * and nothing else",
        ),
        MigrateFailure::UserCannotSend { simulated: Simulated { policies, .. } } => Failure::new(
            match &policies[..] {
                [] => format!("{user} may not send now, so its permission cannot be moved"),
                policies => format!("{user} may not send now, by {}", policies.join(", ")),
            },
            "a policy of the user denies it, or its permissions boundary: mend that first",
        ),
        MigrateFailure::NotPermitted { denied } => aws::not_permitted(denied, "migrate"),
        MigrateFailure::NotSeen => Failure::new(
            format!("IAM does not show {user} in the group {SENDING_GROUP} yet"),
            "wait a minute",
        ),
        MigrateFailure::Interrupted => Failure::new("interrupted", "run it again"),
        _ => Failure::new(failure.to_string(), "try again"),
    }
}
