//! `seskey delete`: keys, policies, groups, then the user.

use std::io::{self, IsTerminal, Write};

use serde_json::json;
use seskey_aws::lifecycle::delete::{Plan, Removal, delete, plan};

use crate::{
    args::{Delete, Global},
    connect::aws,
    exit::Exit,
    explain::{self, Failure, Result},
    output::Output,
};

pub(crate) fn run(args: &Delete, global: &Global, output: &Output) -> Result<Exit> {
    aws::existing_user(&args.user)?;
    aws::block_on(run_on_account(args, global, output))?
}

async fn run_on_account(args: &Delete, global: &Global, output: &Output) -> Result<Exit> {
    let account = aws::account(global, None).await;
    let planned = plan(&account, &args.user).await;
    let Some(plan) = planned.map_err(|error| explain::delete::plan(&args.user, &error))? else {
        return Err(Failure::new(
            format!("there is no user {}", args.user),
            "if an earlier run was cut off, it had finished; seskey list --all shows the users that there are",
        ));
    };
    if args.dry_run {
        answer(&plan, &plan.removals, "delete", output)?;
        return Ok(Exit::Done);
    }
    if !args.yes && !confirmed(&plan)? {
        return Err(Failure::new("nothing was deleted", "answer yes, or take --yes"));
    }
    let deleted = delete(&account, &plan, &mut |_| {}).await;
    deleted.map_err(|error| explain::delete::failure(&plan, &error))?;
    answer(&plan, &plan.removals, "deleted", output)?;
    Ok(Exit::Done)
}

fn answer(plan: &Plan, removals: &[Removal], verb: &str, output: &Output) -> Result<()> {
    if output.json {
        let list = |pick: fn(&Removal) -> Option<&String>| {
            removals.iter().filter_map(pick).collect::<Vec<_>>()
        };
        output.answer_json(&json!({
            "user_name": plan.user,
            "user_arn": plan.user_arn,
            "access_keys": list(|removal| if let Removal::AccessKey { id } = removal { Some(id) } else { None }),
            "inline_policies": list(|removal| if let Removal::UserPolicy { policy } = removal { Some(policy) } else { None }),
            "attached_policies": list(|removal| if let Removal::AttachedPolicy { arn } = removal { Some(arn) } else { None }),
            "groups": list(|removal| if let Removal::Membership { group } = removal { Some(group) } else { None }),
            "deleted": verb == "deleted",
        }))?;
    } else {
        let lines: String = removals
            .iter()
            .map(|removal| format!("{verb} {}\n", explain::delete::removal(plan, removal)))
            .collect();
        let told = if verb == "deleted" { output.report(&lines) } else { output.answer(&lines) };
        told?;
    }
    Ok(())
}

fn confirmed(plan: &Plan) -> Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::usage(
            format!("deleting {} must be confirmed, and there is no terminal to ask on", plan.user),
            "take --yes; --dry-run shows what would be deleted",
        ));
    }
    let mut terminal = io::stderr().lock();
    for removal in &plan.removals {
        writeln!(
            terminal,
            "  {}",
            crate::output::printable(&explain::delete::removal(plan, removal))
        )?;
    }
    write!(terminal, "Delete all of this for good? Type yes: ")?;
    terminal.flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim() == "yes")
}
