//! The deletion of an SMTP user: keys first, so that the credential ends at once, then policies and groups, then the
//! user. After a failure, another run goes on with the rest.

use crate::{Account, Error, iam::SignIn};

/// The planned deletion of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The name of the user.
    pub user: String,
    /// Its ARN.
    pub user_arn: String,
    /// Everything to be removed, in order; the user itself is the last.
    pub removals: Vec<Removal>,
}

/// One removal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Removal {
    /// An access key is deleted.
    AccessKey {
        /// Its ID.
        id: String,
    },
    /// An inline policy of the user is deleted.
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

/// The reason why a user is not to be deleted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] Error),
    /// The user has more than an SMTP user has. IAM would not delete it, and somebody may need what would be removed
    /// before.
    #[error("the user has more than an SMTP user has")]
    SignsIn {
        /// Its ARN.
        user_arn: String,
        /// The other credentials that it has.
        by: Vec<SignIn>,
    },
}

/// A deletion that stopped half-way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct DeleteError {
    /// The removal that failed.
    pub at: Removal,
    /// The error. A delete conflict of the user means that it was given something after the plan was made.
    pub error: Error,
    /// The removals before it.
    pub removed: Vec<Removal>,
}

/// Plans a deletion; changes nothing. `None` if the user does not exist.
///
/// # Errors
/// The first call that failed, or the reason why the user is not to be deleted.
pub async fn plan(account: &Account, user: &str) -> Result<Option<Plan>, PlanError> {
    match read(account, user).await {
        Err(PlanError::Call(error)) if error.is_no_such_entity() => Ok(None),
        plan => plan.map(Some),
    }
}

/// Carries out the plan. A thing that is already gone counts as removed.
///
/// # Errors
/// The removal that failed; the rest of the plan is not touched.
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
