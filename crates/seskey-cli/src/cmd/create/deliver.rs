//! `seskey create --to STORE`.

use std::num::NonZeroUsize;

use seskey::{
    rotation::{self, Goal},
    store::Store,
};
use seskey_aws::lifecycle::{
    create::{CreateRequest, create_user},
    rotate::Hook,
};

use super::{explain_create, proof, reach, report};
use crate::{
    args::{self, Create, Global},
    aws,
    exit::Exit,
    explain::Result,
    output::Output,
    rotations::{self, Job, Mode, Records, Who},
    signals, smtp,
};

/// Makes the user, and leaves the key to a rotation: it proves it, delivers it, and loses none.
pub(super) async fn run(
    request: &CreateRequest,
    stores: Vec<Store>,
    args: &Create,
    global: &Global,
    output: &Output,
) -> Result<Exit> {
    let client = smtp::client(&args.endpoint)?;
    reach(&proof(args, &request.region)?).await?;
    let account = aws::account(global, Some(&request.region)).await;
    let spinner = output.spinner();
    let interrupt = signals::interrupt(output)?;
    let on_event = &mut |event| report(&event, &spinner, output);
    let created = create_user(&account, request, interrupt, on_event).await;
    spinner.finish_and_clear();
    created.map_err(|error| explain_create(&error, request))?;
    let job = Job {
        who: Who { user: request.user_name.to_string(), account: None },
        account,
        region: Some(request.region.clone()),
        usual_region: None,
        tags: None,
        create: None,
        goal: Goal::days(90, 7, 7).expect("90 days are an age"),
        plan: rotation::next,
        stores,
        hook: args.after.as_deref().map(Hook::new),
        client,
        endpoint: args.endpoint.clone(),
        now: false,
    };
    let records = Records::open(&args::rotate::Records::default())?;
    let done = rotations::run(vec![job], Mode::Do, NonZeroUsize::MIN, records, *output).await?;
    if done.exit == Exit::Done {
        return Ok(Exit::Done);
    }
    output.hint(&format!(
        "the user {0} is there: seskey rotate {0} with the same --to goes on, seskey delete {0} takes it away",
        request.user_name
    ));
    Ok(Exit::Unfinished)
}
