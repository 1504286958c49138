//! `seskey create --to STORE`.

use std::num::NonZeroUsize;

use seskey::{rotation::Goal, store::Store};
use seskey_aws::{
    Account,
    lifecycle::{
        create::{CreateRequest, create_user},
        undelivered::{holder, take_back},
    },
};

use super::report;
use crate::{
    args::{self, Create, Global},
    connect::{aws, smtp},
    exit::Exit,
    explain::{self, Failure, Result},
    output::Output,
    rotations::{self, Job, Mode, Records, Target, Who},
    signals,
};

/// Makes the user, and leaves the key to a rotation, which proves and delivers it and loses no key. A credential that
/// reached no store is taken back.
pub(super) async fn run(
    request: &CreateRequest,
    stores: Vec<Store>,
    args: &Create,
    global: &Global,
    output: &Output,
) -> Result<Exit> {
    let user = request.user_name.to_string();
    let (job, account) = look_ahead(request, stores.clone(), args, global).await?;
    let spinner = output.spinner();
    let interrupt = signals::interrupt(output)?;
    let on_event = &mut |event| report(&event, &spinner, output);
    let created = create_user(&account, request, interrupt, on_event).await;
    spinner.finish_and_clear();
    let made = created.map_err(|error| explain::create::failure(&error, request))?;
    let records = Records::open(&args::rotate::Records::default())?;
    let done =
        rotations::run(vec![job], Mode::Run, NonZeroUsize::MIN, records, output.clone()).await?;
    if done.exit == Exit::Done {
        return Ok(Exit::Done);
    }
    let may_be_held = match done.has_delivered {
        true => !matches!(holder(&account, &user, &request.region, &stores).await, Ok(None)),
        false => false,
    };
    if may_be_held {
        output.hint(&format!(
            "the user {user} is there: seskey rotate {user} with the same --to goes on, seskey delete {user} takes it away"
        ));
        return Ok(Exit::Unfinished);
    }
    let on_event = &mut |event| output.note(&explain::create::event(&event));
    let left = take_back(&account, &user, &made, on_event).await;
    match left.is_empty() {
        true => Ok(Exit::Failed),
        false => {
            Err(explain::create::with_leftovers(Failure::new("the creation failed", ""), &left))
        }
    }
}

/// Checks that the credential can reach its stores. Returns the job that delivers it, and the account with the SMTP
/// endpoint for the stores.
pub(super) async fn look_ahead(
    request: &CreateRequest,
    stores: Vec<Store>,
    args: &Create,
    global: &Global,
) -> Result<(Job, Account)> {
    let who = Who { user: request.user_name.to_string(), account: None };
    let target = Target {
        account: aws::account(global, Some(&request.region)).await,
        region: Some(request.region.clone()),
        usual_region: None,
        client: smtp::client(&args.endpoint)?,
        endpoint: args.endpoint.clone(),
    };
    let job = Job::new(who, target, Goal::default(), stores).with_hook(args.after.as_deref());
    let account = rotations::look_ahead(job.clone(), request).await?;
    Ok((job, account))
}
