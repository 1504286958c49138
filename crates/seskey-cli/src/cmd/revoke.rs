//! `seskey revoke`: a leak. Every access key of the user is deactivated first; all else comes after.

use std::num::NonZeroUsize;

use serde_json::json;
use seskey::{rotation, rotation::Goal};
use seskey_aws::lifecycle::{
    revoke::{NotNoted, revoke},
    rotate::Hook,
};

use crate::{
    args::{Global, revoke::Revoke},
    aws,
    cmd::rotate::store,
    exit::Exit,
    explain::{Failure, Result},
    output::Output,
    rotations::{self, Job, Mode, Records, Who},
    smtp,
};

pub(crate) fn run(args: &Revoke, global: &Global, output: &Output) -> Result<Exit> {
    // what is typed wrongly for the replacement is found before anything, as it takes no time
    let stores = args.to.iter().map(|text| store(text, &args.user)).collect::<Result<Vec<_>>>()?;
    let region = global.region.as_deref().map(|text| aws::parse_region(text, true)).transpose()?;
    let records = Records::open(&args.records)?;
    aws::block_on(async {
        let account = aws::account(global, region.as_ref()).await;
        let revoked = revoke(&account, &args.user).await.map_err(|error| aws::failure(&error))?;
        let deactivated: Vec<&str> = revoked.deactivated.iter().map(|key| key.as_str()).collect();
        for key in &deactivated {
            output.note(&format!("{}: deactivated the access key {key}", args.user));
        }
        if let Some((key, error)) = revoked.active.first() {
            let failure = aws::failure(error);
            let exit = if deactivated.is_empty() { Exit::Failed } else { Exit::Unfinished };
            let message = format!("the access key {key} is still active: {}", failure.message);
            return Err(Failure { exit, message, ..failure });
        }
        if let Some(error) = &revoked.not_noted {
            let reason = match error {
                NotNoted::Call(error) => aws::failure(error).message,
                error => error.to_string(),
            };
            output.warn(&format!("it was not noted on the user since when: {reason}"));
        }
        if !args.replace {
            answer(args, &deactivated, output)?;
            return Ok(Exit::Done);
        }
        let mut goal = Goal::days(90, 7, 7).expect("90 days are an age");
        goal.make_room = args.make_room;
        let job = Job {
            who: Who { user: args.user.clone(), account: None },
            account,
            region: region.clone(),
            usual_region: aws::region(global, true).ok(),
            tags: None,
            create: None,
            goal,
            plan: rotation::next,
            stores,
            hook: args.after.as_deref().map(Hook::new),
            client: smtp::client(&args.endpoint)?,
            endpoint: args.endpoint.clone(),
            now: false,
        };
        let done = rotations::run(vec![job], Mode::Do, NonZeroUsize::MIN, records, *output).await?;
        Ok(done.exit)
    })?
}

fn answer(args: &Revoke, deactivated: &[&str], output: &Output) -> Result<()> {
    let user = &args.user;
    if output.json {
        output.answer_json(&json!({"user_name": user, "deactivated": deactivated}))?;
    } else {
        output.answer(&match deactivated {
            [] => format!("{user}: no access key was active\n"),
            keys => format!("{user}: deactivated {}\n", keys.join(", ")),
        })?;
        output.hint(&format!(
            "seskey rotate {user} --to STORE makes a new credential, seskey rotate {user} --undo activates the old one again"
        ));
    }
    Ok(())
}
