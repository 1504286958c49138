//! The declared properties of a credential besides its key: every run checks and corrects them.

use serde_json::Value;
use seskey::{
    rotation::{Denial, Sending},
    user::{REGION_TAG, SENDING_GROUP, SENDING_POLICY},
};

use super::{
    Interrupt,
    change::Change,
    create::{CreateError, CreateFailure, CreateRequest, Event, Style},
    group::look_at_group,
};
use crate::{Account, Error, iam::UserDetails};

/// A declared property that a user lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drift {
    /// The user is not in the sending group.
    Membership,
    /// The user is in the sending group, and the group allows nothing.
    GroupPolicy,
    /// The user has no sending policy of its own, or another one.
    Policy {
        /// The declared policy.
        wanted: String,
        /// The present policy.
        found: Option<String>,
    },
    /// The user has no tag with its region.
    Region {
        /// The declared region.
        wanted: String,
    },
}

/// Returns what the user lacks, given whether it may send. A tag with a region is not compared.
pub fn drift(user: &UserDetails, sending: &Sending, wanted: &CreateRequest) -> Vec<Drift> {
    let permission = match &wanted.style {
        Style::Group => {
            let is_in = user.groups.iter().any(|group| group == SENDING_GROUP);
            match (is_in, sending) {
                (false, _) => Some(Drift::Membership),
                (true, Sending::Denied(Denial::NotAllowed)) => Some(Drift::GroupPolicy),
                (true, _) => None,
            }
        }
        Style::Inline { policy } => {
            let found = user.policies.iter().find(|(name, _)| name == SENDING_POLICY);
            let found = found.map(|(_, document)| document);
            let is_same = found.is_some_and(|found| same(found, policy));
            let drift = || Drift::Policy { wanted: policy.clone(), found: found.cloned() };
            (!is_same).then(drift)
        }
    };
    let has_region = user.tags.iter().any(|(key, _)| key == REGION_TAG);
    let region = (!has_region).then(|| Drift::Region { wanted: wanted.region.to_string() });
    permission.into_iter().chain(region).collect()
}

/// Corrects what the user lacks. Everything else stays.
///
/// # Errors
/// The part that could not be done. The parts that were done stay, since they were declared.
pub async fn converge(
    account: &Account,
    request: &CreateRequest,
    drift: &[Drift],
    interrupt: Interrupt,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<(), CreateError> {
    let mut change = Change::begin(account, interrupt, on_event);
    for drift in drift {
        let done = put_right(&mut change, request.user_name.as_str(), drift).await;
        done.map_err(|failure| CreateError { failure, left: vec![] })?;
    }
    Ok(())
}

async fn put_right(
    change: &mut Change<'_>,
    user: &str,
    drift: &Drift,
) -> Result<(), CreateFailure> {
    change.go_on()?;
    match drift {
        Drift::Membership | Drift::GroupPolicy => {
            let group = look_at_group(change.account, change.on_event).await?;
            change.ready_group(group).await?;
            if *drift == Drift::Membership {
                change.join_group(user).await?;
            }
        }
        Drift::Policy { wanted, .. } => {
            change.account.put_user_policy(user, SENDING_POLICY, wanted).await?;
        }
        Drift::Region { wanted } => change.account.tag_user(user, REGION_TAG, wanted).await?,
    }
    Ok(())
}

impl Account {
    /// Reads one user, with a call for each part.
    ///
    /// # Errors
    /// The first call that failed.
    pub async fn details_of(&self, user: &str) -> Result<UserDetails, Error> {
        self.details_of_user(self.user(user).await?).await
    }
}

/// Whether both documents are the same JSON, apart from white space.
fn same(one: &str, other: &str) -> bool {
    let read = |text| serde_json::from_str::<Value>(text).ok();
    read(one).is_some_and(|one| Some(one) == read(other))
}
