//! The user that a file declares: whether it exists, what it lacks, and how it is made.

use seskey::rotation::Sending;
use seskey_aws::{
    Account,
    iam::UserDetails,
    lifecycle::{
        Interrupt,
        converge::{Drift, converge, drift},
        create::{CreateError, CreateRequest, Event, create_user},
    },
};

use super::Job;
use crate::explain::{self, Result};

/// The state of a user, as it was found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) tags: Option<Vec<(String, String)>>,
    pub(super) sending: Sending,
    /// Whether the user does not exist and is to be made.
    pub(super) missing: bool,
    /// The declared things that it lacks.
    pub(super) drift: Vec<Drift>,
}

/// Looks for the user, and for the things that were declared of it.
pub(super) async fn look_for(job: &mut Job) -> Result<Found> {
    let user = &job.who.user;
    if let Some((details, sending)) = job.known.take() {
        return Ok(found(details, sending, job.create.as_ref()));
    }
    if let Some(request) = &job.create {
        match job.target.account.details_of(user).await {
            Ok(details) => {
                let sending = sending_of(&job.target.account, &details).await;
                return Ok(found(details, sending, Some(request)));
            }
            Err(error) if error.is_no_such_entity() => {
                let tags = Some(request.tags.clone());
                return Ok(Found { tags, missing: true, ..Found::default() });
            }
            // a caller that may not look at its policies may do the rest
            Err(error) if error.is_access_denied() => {}
            Err(error) => return Err(explain::rotation::call(&error)),
        }
    }
    let tags = job
        .target
        .account
        .tags_of_user(user)
        .await
        .map_err(|error| explain::rotation::call(&error))?;
    Ok(Found { tags: Some(tags), ..Found::default() })
}

/// Returns whether the user may send. A caller that may not ask goes on as if the user may.
async fn sending_of(account: &Account, details: &UserDetails) -> Sending {
    account.sending_within(details).await.unwrap_or_default()
}

fn found(details: UserDetails, sending: Sending, declared: Option<&CreateRequest>) -> Found {
    let drift: Vec<Drift> =
        declared.map(|request| drift(&details, &sending, request)).into_iter().flatten().collect();
    // a user that is corrected is checked again
    let sending = if drift.is_empty() { sending } else { Sending::Unknown };
    Found { tags: Some(details.tags), sending, missing: false, drift }
}

/// Makes the user. A user that was made elsewhere meanwhile is taken and corrected.
pub(super) async fn make(
    account: &Account,
    request: &CreateRequest,
    interrupt: Interrupt,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> std::result::Result<(), CreateError> {
    match create_user(account, request, interrupt.clone(), on_event).await {
        Err(error) if error.user_exists() => {
            let drift = match account.details_of(request.user_name.as_str()).await {
                Ok(details) => drift(&details, &sending_of(account, &details).await, request),
                Err(_) => vec![],
            };
            converge(account, request, &drift, interrupt, on_event).await
        }
        made => made.map(drop),
    }
}
