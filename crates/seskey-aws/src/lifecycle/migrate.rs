//! Moves an SMTP user from the SES console's older style, a policy of the user's own, to the present one, the sending
//! group. Source: SES Developer Guide, "Obtaining Amazon SES SMTP credentials" (how to move users made before 6 September
//! 2024).
//!
//! The user joins the group first; its own policy goes when the user is seen to have the permission by the group too. So
//! it may send at every moment, and a run that was stopped anywhere is finished by the next.

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

/// What it takes to migrate a user, as was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The name of the user.
    pub user: String,
    /// Its ARN.
    pub user_arn: String,
    /// What is to be done, in this order; nothing if the user is migrated.
    pub steps: Vec<Step>,
    /// The other policies embedded in the user: they stay.
    pub other_policies: Vec<String>,
    group: Group,
    /// Whether the policy that goes denies something of what IAM is asked about.
    own_denies: bool,
}

/// A change of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The sending group is created.
    CreateGroup,
    /// It gets the console's policy.
    PutGroupPolicy,
    /// The user joins it.
    AddUserToGroup,
    /// The user's own sending policy is deleted.
    DeleteUserPolicy,
    /// [`CONSOLE_TAG`] is removed.
    UntagUser,
}

/// Why a user was not migrated, or not to the end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{failure}")]
pub struct MigrateError {
    /// Why.
    pub failure: MigrateFailure,
    /// Whether the user is in the group, or may be: then nothing is taken back, and another run goes on from there.
    pub joined: bool,
    /// What was made on the way and could not be taken back.
    pub left: Vec<LeftOver>,
}

/// Why it went no further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateFailure {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] Error),
    /// The user has no sending policy of its own and is not in the group.
    #[error("the user has no policy {SENDING_POLICY}")]
    NotInline,
    /// Its policy restricts what it may send, and the group's does not.
    #[error("the policy restricts what the user may send")]
    Restricted,
    /// Its policy allows more than to send mail by SMTP, which would be lost, or cannot be read.
    #[error("the policy allows more than {SEND}")]
    AllowsMore,
    /// The group has policies, and none allows sending without restriction, or one denies it.
    #[error("the policies of the group {SENDING_GROUP} restrict sending")]
    GroupRestricts {
        /// The names of its policies.
        policies: Vec<String>,
    },
    /// Another policy, of whatever kind, keeps the user from sending.
    #[error("the user may not send, whatever the group allows")]
    UserCannotSend {
        /// What IAM would decide.
        simulated: Simulated,
    },
    /// The caller may not do what is needed.
    #[error("the caller may not do what is needed")]
    NotPermitted {
        /// What it may not do.
        denied: Vec<Simulated>,
    },
    /// The user is not seen in the group, or not the policy of the group, however often it is looked at.
    #[error("the membership and the group's policy are not seen yet")]
    NotSeen,
    /// Somebody asked to stop.
    #[error("interrupted")]
    Interrupted,
}

/// Looks at everything; changes nothing. With `widen`, the user may lose the restrictions of its own policy.
///
/// # Errors
/// Whatever would make the migration fail, or leave the user without a permission that it has.
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
        // then the simulator says nothing of the caller either
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

/// Does what was planned. Before the user's own policy goes it waits for `settle`, since IAM tells of no moment at which
/// a change has reached all of AWS. The future must be driven to its end: to stop it, raise the interrupt.
///
/// # Errors
/// Why it was not done, and how far it came.
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

/// Takes away what the group stands in for.
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

/// Looks until the user may send by the group, whatever becomes of its own policy.
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

/// What keeps the user from sending by the group.
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
        // said beforehand
        Err(error) if error.is_access_denied() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn is_member(account: &Account, user: &str) -> Result<bool, Error> {
    Ok(account.groups_of_user(user).await?.iter().any(|group| group == SENDING_GROUP))
}

/// The group, with a permission to send that is enough in place of whatever a user may have.
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

/// What IAM would decide, all policies of the user and its boundary taken together, unless it would allow.
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
    /// The IAM action that does it.
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
