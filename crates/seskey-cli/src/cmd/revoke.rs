//! `seskey revoke`: the answer to a leak. Every access key of the user is deactivated first; all else comes after.

use std::num::NonZeroUsize;

use serde_json::json;
use seskey::{
    AccessKeyId,
    rotation::{self, Goal, Seen, Step},
};
use seskey_aws::lifecycle::revoke::{Revoked, active_keys, revoke};

use crate::{
    args::{self, Global, revoke::Revoke},
    connect::{aws, smtp},
    exit::Exit,
    explain::{self, Failure, Result},
    input,
    output::Output,
    rotations::{self, Job, Mode, Records, Target, Who},
};

pub(crate) fn run(args: &Revoke, global: &Global, output: &Output) -> Result<Exit> {
    aws::existing_user(&args.user)?;
    // errors in the options of the replacement are found first, as that takes no time
    let stores =
        args.to.iter().map(|text| input::store(text, &args.user)).collect::<Result<Vec<_>>>()?;
    let region = aws::typed_region(global, true)?;
    let usual_region = aws::region(global, true).ok();
    let client = smtp::client(&args.endpoint)?;
    aws::block_on(async {
        let account = aws::account(global, region.as_ref()).await;
        let who = Who { user: args.user.clone(), account: None };
        let target = Target {
            account: account.clone(),
            region: region.clone(),
            usual_region,
            client,
            endpoint: args.endpoint.clone(),
        };
        let mut goal = Goal::default();
        goal.make_room = args.make_room;
        let job = Job {
            // none of the existing keys may stay in use
            now: true,
            wait: args.wait.wait.unsigned_abs(),
            forgoes_notes: true,
            ..Job::new(who.clone(), target, goal, stores).with_hook(args.after.as_deref())
        };
        if args.dry_run && args.replace {
            let job = Job { plan: revoke_and_replace, ..job };
            let records = Records::open(&args::rotate::Records::default())?;
            let told =
                rotations::run(vec![job], Mode::DryRun, NonZeroUsize::MIN, records, output.clone());
            let exit = told.await?.exit;
            if exit == Exit::Failed {
                output.note(&format!(
                    "{}: every access key would be deactivated all the same, and first: a leak waits for no store",
                    args.user
                ));
            }
            return Ok(exit);
        }
        if args.dry_run {
            let keys = active_keys(&account, &args.user)
                .await
                .map_err(|error| explain::aws::failure(&error))?;
            return foresee(args, &keys, output);
        }
        let mut records = Records::open(&args.records)?;
        output.note(&format!(
            "{}: deactivating every access key now, and looking once more when IAM shows all that there was",
            args.user
        ));
        let revoked =
            revoke(&account, &args.user).await.map_err(|error| explain::aws::failure(&error));
        let (deactivated, failed) = match revoked {
            Ok(revoked) => tell(args, &revoked, output),
            Err(failure) => (vec![], Some(failure)),
        };
        records.begin(None, records.caller(&account).await);
        let error = failed.as_ref().map(|failure| &failure.message);
        records.revoked(&who, json!({"deactivated": deactivated, "error": error}));
        if failed.is_some() || !args.replace {
            let answered = failed.map_or_else(|| answer(args, &deactivated, output), Err);
            records.finish(output).await?;
            return answered.map(|()| Exit::Done);
        }
        let done = rotations::run(vec![job], Mode::Run, NonZeroUsize::MIN, records, output.clone())
            .await?;
        // deactivated keys are a change, even if the rest failed
        let is_changed = done.exit == Exit::Failed && !deactivated.is_empty();
        Ok(if is_changed { Exit::Unfinished } else { done.exit })
    })?
}

/// Plans the revocation and the rotation after it as one.
fn revoke_and_replace(seen: &Seen, goal: &Goal) -> Step {
    let mut old = seen.clone();
    old.keys.retain(|key| goal.replace.contains(&key.id));
    match rotation::revoke(&old) {
        step @ (Step::Deactivate(_) | Step::MarkRetired(_)) => step,
        _ => rotation::next(seen, goal),
    }
}

/// Says what would be done.
fn foresee(args: &Revoke, keys: &[AccessKeyId], output: &Output) -> Result<Exit> {
    let user = &args.user;
    if output.json {
        let keys: Vec<_> = keys.iter().map(AccessKeyId::as_str).collect();
        output.answer_json(&json!({"user_name": user, "deactivate": keys}))?;
    } else if keys.is_empty() {
        output.answer(&format!("{user}: no access key is active\n"))?;
    } else {
        let line = |key| format!("{user}: deactivate the access key {key}\n");
        output.answer(&keys.iter().map(line).collect::<String>())?;
    }
    Ok(Exit::Done)
}

/// Says what was done. Returns the deactivated keys, and why the others are still active.
fn tell(args: &Revoke, revoked: &Revoked, output: &Output) -> (Vec<String>, Option<Failure>) {
    let deactivated: Vec<String> = revoked.deactivated.iter().map(ToString::to_string).collect();
    // otherwise the answer says it
    if args.replace || !revoked.active.is_empty() {
        for key in &deactivated {
            output.note(&format!("{}: deactivated the access key {key}", args.user));
        }
    }
    if let Some(error) = &revoked.not_noted {
        output.warn(&explain::rotation::not_noted(error));
    }
    let failed = explain::rotation::still_active(revoked);
    (deactivated, failed)
}

fn answer(args: &Revoke, deactivated: &[String], output: &Output) -> Result<()> {
    let user = &args.user;
    if output.json {
        output.answer_json(&json!({"user_name": user, "deactivated": deactivated}))?;
    } else {
        output.report(&match deactivated {
            [] => format!("{user}: no access key was active\n"),
            keys => format!("{user}: deactivated {}\n", keys.join(", ")),
        })?;
        output.advice(&format!(
            "seskey revoke {user} --replace --to STORE makes a new credential, seskey rotate {user} --undo activates the deactivated key"
        ));
    }
    Ok(())
}
