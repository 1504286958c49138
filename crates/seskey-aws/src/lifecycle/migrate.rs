//! The migration of an SMTP user from the SES console's older style, a policy of the user's own, to the present one,
//! the sending group. Source: SES Developer Guide, "Obtaining Amazon SES SMTP credentials" (how to move users made
//! before 6 September 2024).
//!
//! The user joins the group first; its own policy is deleted once the permission by the group is visible. So the user
//! may send at every moment, and the next run finishes a run that was stopped anywhere.

use std::time::Duration;

use seskey::user::{CONSOLE_TAG, SENDING_GROUP, SENDING_POLICY};

use super::{
    Interrupt, SEND,
    change::{Change, SETTLING, SETTLING_PAUSE, Stopped},
    create::{Check, Event},
    group::{Group, Sending, sending},
    permission::Document,
    preflight::{denied, is_denied, skip},
    undo::{LeftOver, Made, Thing, undo},
};
use crate::{
    Account, Error,
    iam::{Simulated, Simulation, Verdict},
};

/// The planned migration of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The name of the user.
    pub user: String,
    /// Its ARN.
    pub user_arn: String,
    /// The steps, in order; none if the user is migrated.
    pub steps: Vec<Step>,
    /// The other inline policies of the user, which stay.
    pub other_policies: Vec<String>,
    group: Group,
    /// Whether the policy to be deleted denies something that IAM is asked about.
    own_denies: bool,
}

/// A change of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The sending group is created.
    CreateGroup,
    /// The group gets the console's policy.
    PutGroupPolicy,
    /// The user joins the group.
    AddUserToGroup,
    /// The user's own sending policy is deleted.
    DeleteUserPolicy,
    /// [`CONSOLE_TAG`] is removed.
    UntagUser,
}

/// The failure of a migration, at its start or on the way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{failure}")]
pub struct MigrateError {
    /// The reason.
    pub failure: MigrateFailure,
    /// Whether the user is in the group, or may be: then nothing is undone, and another run goes on from there.
    pub joined: bool,
    /// The things that were made and could not be undone.
    pub left: Vec<LeftOver>,
}

/// The reason why a migration stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateFailure {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] Error),
    /// The user has no sending policy of its own and is not in the group.
    #[error("the user has no policy {SENDING_POLICY}")]
    NotInline,
    /// Its policy restricts what it may send, and the group's policy does not.
    #[error("the policy restricts what the user may send")]
    Restricted,
    /// Its policy allows more than sending mail by SMTP, which would be lost, or cannot be read.
    #[error("the policy allows more than {SEND}")]
    AllowsMore,
    /// The group has policies, and none allows sending without restriction, or one denies it.
    #[error("the policies of the group {SENDING_GROUP} restrict sending")]
    GroupRestricts {
        /// The names of its policies.
        policies: Vec<String>,
    },
    /// Another policy, of any kind, keeps the user from sending.
    #[error("the user may not send, whatever the group allows")]
    UserCannotSend {
        /// The decision that IAM would make.
        simulated: Simulated,
    },
    /// The caller lacks a needed permission.
    #[error("the caller lacks a permission that is needed")]
    NotPermitted {
        /// The denied actions.
        denied: Vec<Simulated>,
    },
    /// The membership of the user or the policy of the group did not become visible.
    #[error("the membership and the group's policy are not seen yet")]
    NotSeen,
    /// The migration was interrupted.
    #[error("interrupted")]
    Interrupted,
}

/// Plans a migration; changes nothing. With `widen`, the user may lose the restrictions of its own policy.
///
/// # Errors
/// Any reason why the migration would fail, or would take a permission away from the user.
pub async fn plan(
    account: &Account,
    user: &str,
    widen: bool,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Plan, MigrateFailure> {
    let caller = account.caller().await?;
    on_event(Event::Caller(caller.clone()));
    let found = account.user(user).await?;
    let (own, other_policies): (Vec<_>, Vec<_>) =
        account.user_policy_names(user).await?.into_iter().partition(|name| name == SENDING_POLICY);
    let own = match own.into_iter().next() {
        Some(name) => Some(account.document_of_user(user, name).await?),
        None => None,
    };
    let is_member = is_member(account, user).await?;
    if own.is_none() && !is_member {
        return Err(MigrateFailure::NotInline);
    }
    let restricted = own.as_ref().is_some_and(|own| !own.allows_sending_everywhere());
    match &own {
        Some(own) if !own.allows_only_sending() => return Err(MigrateFailure::AllowsMore),
        _ if restricted && !widen => return Err(MigrateFailure::Restricted),
        _ => {}
    }
    let group = look_at_group(account).await?;
    if let Group::Present { sending: Sending::NotAllowed { policies }, .. } = group {
        return Err(MigrateFailure::GroupRestricts { policies });
    }
    let no_policy = matches!(group, Group::Present { sending: Sending::NoPolicy, .. });
    let (key, value) = CONSOLE_TAG;
    let tagged = found.tags().iter().any(|tag| (tag.key(), tag.value()) == (key, value));
    let steps: Vec<Step> = [
        (Step::CreateGroup, group == Group::Absent),
        (Step::PutGroupPolicy, group == Group::Absent || no_policy),
        (Step::AddUserToGroup, !is_member),
        (Step::DeleteUserPolicy, own.is_some()),
        (Step::UntagUser, tagged),
    ]
    .into_iter()
    .filter_map(|(step, is_needed)| is_needed.then_some(step))
    .collect();
    let (user, user_arn) = (user.to_owned(), found.arn);
    let own_denies = own.is_some_and(|own| own.denies_sending());
    let plan = Plan { user, user_arn, steps, other_policies, group, own_denies };
    if plan.steps.is_empty() {
        return Ok(plan);
    }
    match simulate(account, &plan.user_arn).await {
        Ok(Some(simulated)) => {
            let must_be_allowed = plan.has(Step::DeleteUserPolicy) && !restricted;
            if must_be_allowed || plan.is_denied_for_good(&simulated) {
                return Err(MigrateFailure::UserCannotSend { simulated });
            }
        }
        Ok(None) => {}
        // then the simulator does not answer about the caller either
        Err(error) => {
            skip(Check::Sending, error, on_event)?;
            return Ok(plan);
        }
    }
    let (on_group, on_user): (Vec<_>, Vec<_>) =
        plan.steps.iter().partition(|step| step.is_on_group());
    let actions = |steps: Vec<&Step>| steps.into_iter().map(|step| step.action()).collect();
    let (on_group, on_user): (Vec<_>, Vec<_>) = (actions(on_group), actions(on_user));
    let group_arn = caller.arn_of(&format!("group/{SENDING_GROUP}"));
    let needs = [(&on_group[..], group_arn), (&on_user[..], plan.user_arn.clone())];
    let denied = denied(account, &caller, &needs, on_event).await;
    if denied.is_empty() { Ok(plan) } else { Err(MigrateFailure::NotPermitted { denied }) }
}

/// Carries out the plan. Before it deletes the user's own policy it waits for `settle`, since IAM does not tell when a
/// change has reached all of AWS. The future must be driven to its end: to stop it, raise the interrupt.
///
/// # Errors
/// The reason, and how far it came.
#[tracing::instrument(level = "debug", skip_all, fields(user = plan.user))]
pub async fn migrate(
    account: &Account,
    plan: &Plan,
    settle: Duration,
    interrupt: Interrupt,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<(), MigrateError> {
    let mut change = Change::begin(account, interrupt, on_event);
    if let Err(stopped) = join(&mut change, plan).await {
        let is_membership = |made: &Made| matches!(made.what, Thing::Membership { .. });
        if !plan.has(Step::AddUserToGroup) || change.made.iter().any(is_membership) {
            return Err(MigrateError { failure: stopped.into(), joined: true, left: Vec::new() });
        }
        let left = undo(account, &change.made, change.on_event).await;
        return Err(MigrateError { failure: stopped.into(), joined: false, left });
    }
    leave(&mut change, plan, settle).await.map_err(|failure| MigrateError {
        failure,
        joined: true,
        left: Vec::new(),
    })
}

/// Gives the permission by the group.
async fn join(change: &mut Change<'_>, plan: &Plan) -> Result<(), Stopped> {
    change.ready_group(plan.group.clone()).await?;
    if plan.has(Step::AddUserToGroup) {
        change.join_group(&plan.user).await?;
    }
    Ok(())
}

/// Removes what the group replaces.
async fn leave(
    change: &mut Change<'_>,
    plan: &Plan,
    settle: Duration,
) -> Result<(), MigrateFailure> {
    let account = change.account;
    if plan.has(Step::DeleteUserPolicy) {
        if !change.interrupt.sleep(settle).await {
            return Err(MigrateFailure::Interrupted);
        }
        see_permission(change, plan).await?;
        change.go_on()?;
        match account.delete_user_policy(&plan.user, SENDING_POLICY).await {
            Err(error) if !error.is_no_such_entity() => return Err(error.into()),
            _ => {}
        }
    }
    if plan.has(Step::UntagUser) {
        change.go_on()?;
        account.untag_user(&plan.user, CONSOLE_TAG.0).await?;
    }
    Ok(())
}

/// Waits until the user may send by the group, independent of its own policy.
async fn see_permission(change: &mut Change<'_>, plan: &Plan) -> Result<(), MigrateFailure> {
    for _ in 0..SETTLING {
        match obstacle(change.account, plan).await? {
            None => return Ok(()),
            Some(MigrateFailure::NotSeen) => {}
            Some(failure) => return Err(failure),
        }
        if !change.interrupt.sleep(SETTLING_PAUSE).await {
            return Err(MigrateFailure::Interrupted);
        }
    }
    Err(MigrateFailure::NotSeen)
}

/// Returns the obstacle to sending by the group, if there is one.
async fn obstacle(account: &Account, plan: &Plan) -> Result<Option<MigrateFailure>, Error> {
    if !is_member(account, &plan.user).await? {
        return Ok(Some(MigrateFailure::NotSeen));
    }
    match look_at_group(account).await? {
        Group::Present { sending: Sending::Allowed, .. } => {}
        Group::Present { sending: Sending::NotAllowed { policies }, .. } => {
            return Ok(Some(MigrateFailure::GroupRestricts { policies }));
        }
        _ => return Ok(Some(MigrateFailure::NotSeen)),
    }
    match simulate(account, &plan.user_arn).await {
        Ok(simulated) => Ok(simulated
            .filter(|it| it.verdict != Verdict::ExplicitDeny || plan.is_denied_for_good(it))
            .map(|simulated| MigrateFailure::UserCannotSend { simulated })),
        // reported beforehand
        Err(error) if error.is_access_denied() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn is_member(account: &Account, user: &str) -> Result<bool, Error> {
    Ok(account.groups_of_user(user).await?.iter().any(|group| group == SENDING_GROUP))
}

/// Reads the group. Its permission to send counts if it can replace any permission of a user.
async fn look_at_group(account: &Account) -> Result<Group, Error> {
    let members = match account.group_members(SENDING_GROUP).await {
        Err(error) if error.is_no_such_entity() => return Ok(Group::Absent),
        members => members?,
    };
    let documents = account.documents_of_group(SENDING_GROUP).await?;
    let denies = documents.iter().any(Document::denies_sending);
    let enough = if denies { |_: &Document| false } else { Document::allows_sending_everywhere };
    Ok(Group::Present { members, sending: sending(documents, enough) })
}

/// Returns IAM's decision on all policies of the user and its boundary together, unless it allows.
async fn simulate(account: &Account, user_arn: &str) -> Result<Option<Simulated>, Error> {
    let simulation =
        Simulation { principal: user_arn, actions: &[SEND], resources: &["*"], context: &[] };
    Ok(account.simulate(simulation).await?.into_iter().find(is_denied))
}

impl Plan {
    fn has(&self, step: Step) -> bool {
        self.steps.contains(&step)
    }

    /// Whether the denial may last when the user's own policy is gone.
    fn is_denied_for_good(&self, simulated: &Simulated) -> bool {
        simulated.verdict == Verdict::ExplicitDeny && !self.own_denies
    }
}

impl Step {
    /// Returns the IAM action of the step.
    pub fn action(self) -> &'static str {
        match self {
            Self::CreateGroup => "iam:CreateGroup",
            Self::PutGroupPolicy => "iam:PutGroupPolicy",
            Self::AddUserToGroup => "iam:AddUserToGroup",
            Self::DeleteUserPolicy => "iam:DeleteUserPolicy",
            Self::UntagUser => "iam:UntagUser",
        }
    }

    fn is_on_group(self) -> bool {
        matches!(self, Self::CreateGroup | Self::PutGroupPolicy | Self::AddUserToGroup)
    }
}

impl From<Stopped> for MigrateFailure {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Call(error) => Self::Call(error),
            Stopped::GroupCannotSend { policies } => Self::GroupRestricts { policies },
            Stopped::Interrupted => Self::Interrupted,
        }
    }
}
