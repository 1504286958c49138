//! Deletes an SMTP user: keys first, so that the credential ends at once, then policies and groups, then the user.
//! Run again after a failure, it goes on with what is left.

use crate::{Account, Error, iam::SignIn};

/// What goes with a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The name of the user.
    pub user: String,
    /// Its ARN.
    pub user_arn: String,
    /// Everything to be removed, in this order; the user itself is the last.
    pub removals: Vec<Removal>,
}

/// One thing that is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Removal {
    /// An access key is deleted.
    AccessKey {
        /// Its ID.
        id: String,
    },
    /// A policy embedded in the user is deleted.
    UserPolicy {
        /// Its name.
        policy: String,
    },
    /// A managed policy is detached; it stays.
    AttachedPolicy {
        /// Its ARN.
        arn: String,
    },
    /// The user leaves a group; the group stays.
    Membership {
        /// The group.
        group: String,
    },
    /// The user is deleted.
    User,
}

/// A user that is not to be deleted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] Error),
    /// The user has what an SMTP user has not. IAM would not delete it, and somebody may need what would go before.
    #[error("the user has more than an SMTP user has")]
    SignsIn {
        /// Its ARN.
        user_arn: String,
        /// What it has.
        by: Vec<SignIn>,
    },
}

/// A deletion that stopped half-way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct DeleteError {
    /// What could not be removed.
    pub at: Removal,
    /// Why. A delete conflict of the user means that it was given something after the plan was made.
    pub error: Error,
    /// What was removed before.
    pub removed: Vec<Removal>,
}

/// Reads what would be removed; changes nothing. `None` if there is no such user.
///
/// # Errors
/// The first call that failed, or what keeps the user from being deleted.
pub async fn plan(account: &Account, user: &str) -> Result<Option<Plan>, PlanError> {
    match read(account, user).await {
        Err(PlanError::Call(error)) if error.is_no_such_entity() => Ok(None),
        plan => plan.map(Some),
    }
}

/// Removes what was planned. What is already gone counts as removed.
///
/// # Errors
/// What could not be removed; the rest of the plan is not touched.
#[tracing::instrument(level = "debug", skip_all, fields(user = plan.user))]
pub async fn delete(
    account: &Account,
    plan: &Plan,
    on_removed: &mut (dyn FnMut(&Removal) + Send),
) -> Result<(), DeleteError> {
    for (index, removal) in plan.removals.iter().enumerate() {
        match remove(account, &plan.user, removal).await {
            Err(error) if !error.is_no_such_entity() => {
                let removed = plan.removals[..index].to_vec();
                return Err(DeleteError { at: removal.clone(), error, removed });
            }
            _ => on_removed(removal),
        }
    }
    Ok(())
}

async fn read(account: &Account, user: &str) -> Result<Plan, PlanError> {
    let user_arn = account.user(user).await?.arn;
    let by = account.sign_ins(user).await?;
    if !by.is_empty() {
        return Err(PlanError::SignsIn { user_arn, by });
    }
    let keys =
        account.access_keys(user).await?.into_iter().map(|key| Removal::AccessKey { id: key.id });
    let embedded = account
        .user_policy_names(user)
        .await?
        .into_iter()
        .map(|policy| Removal::UserPolicy { policy });
    let attached = account.attached_to_user(user).await?.into_iter();
    let attached = attached.map(|policy| Removal::AttachedPolicy { arn: policy.arn });
    let groups =
        account.groups_of_user(user).await?.into_iter().map(|group| Removal::Membership { group });
    let removals =
        keys.chain(embedded).chain(attached).chain(groups).chain([Removal::User]).collect();
    Ok(Plan { user: user.to_owned(), user_arn, removals })
}

async fn remove(account: &Account, user: &str, removal: &Removal) -> Result<(), Error> {
    match removal {
        Removal::AccessKey { id } => account.delete_access_key(user, id).await,
        Removal::UserPolicy { policy } => account.delete_user_policy(user, policy).await,
        Removal::AttachedPolicy { arn } => account.detach_from_user(user, arn).await,
        Removal::Membership { group } => account.remove_user_from_group(user, group).await,
        Removal::User => account.delete_user(user).await,
    }
}
