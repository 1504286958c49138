//! Checks with IAM whether a user may send a message, without sending one.

use aws_sdk_iam::types::ContextKeyTypeEnum;
use seskey::{
    AccessKeyId, Region,
    diagnose::{Evidence, Key, Permission},
    policy::PolicySource,
    rotation::{Denial, Sending},
};

use crate::{
    Account, Error,
    error::permitted,
    iam::{Attached, KeyStatus, Simulated, Simulation, Verdict},
    lifecycle::{SEND, identity},
    smtp::Address,
};

/// The parts of a message that the permission to send it depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The sender.
    pub from: Address,
    /// The recipients.
    pub to: Vec<Address>,
    /// The region of the SMTP endpoint.
    pub region: Region,
}

/// Finds the user that an SMTP user name belongs to; `None` if IAM does not know the key.
///
/// # Errors
/// Any other failure of the call.
pub async fn user_of_key(account: &Account, id: &AccessKeyId) -> Result<Option<String>, Error> {
    match account.access_key_last_used(id.as_str()).await {
        Ok((user, _)) => Ok(user),
        Err(error) if error.is_no_such_entity() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Asks whether the user may send the message, for the identity of the address and for that of its domain. SES uses the
/// identity that is verified, so one of the two decides. SES identity policies, which may also allow or deny, are not
/// seen. Source: SES Developer Guide, "Control user access"; Service Authorization Reference, "Amazon SES".
///
/// # Errors
/// The user does not exist, or the caller may not ask.
pub async fn may_send(
    account: &Account,
    user: &str,
    envelope: &Envelope,
) -> Result<Vec<Simulated>, Error> {
    let principal = account.user(user).await?.arn;
    let Envelope { from, to, region } = envelope;
    let identity = |name: &str| identity(&principal, region.as_str(), name);
    let (address, domain) = (identity(from.as_str()), identity(from.domain()));
    let mut context = vec![
        ("ses:ApiVersion", ContextKeyTypeEnum::String, vec!["2".to_owned()]),
        ("ses:FromAddress", ContextKeyTypeEnum::String, vec![from.to_string()]),
    ];
    if !to.is_empty() {
        let recipients = to.iter().map(ToString::to_string).collect();
        context.push(("ses:Recipients", ContextKeyTypeEnum::StringList, recipients));
    }
    let resources = [address.as_str(), domain.as_str()];
    let simulation = Simulation {
        principal: &principal,
        actions: &[SEND],
        resources: &resources,
        context: &context,
    };
    account.simulate(simulation).await
}

/// Returns the ARN of a user and the documents of all policies that decide its permissions: its own, those of its
/// groups and its boundary. Policies of an organization and of identities are not seen.
///
/// # Errors
/// The first call that failed.
pub async fn policies(
    account: &Account,
    user: &str,
) -> Result<(String, Vec<(PolicySource, String)>), Error> {
    let details = account.details_of_user(account.user(user).await?).await?;
    let own = details.policies.into_iter();
    let mut policies: Vec<_> =
        own.map(|(name, text)| (PolicySource::Inline { name }, text)).collect();
    let mut managed: Vec<String> = details.attached.into_iter().map(|policy| policy.arn).collect();
    for group in details.groups {
        for name in account.group_policy_names(&group).await? {
            let text = account.group_policy(&group, &name).await?;
            policies.push((PolicySource::Group { group: group.clone(), name }, text));
        }
        managed.extend(account.attached_to_group(&group).await?.into_iter().map(|it| it.arn));
    }
    for arn in managed {
        let text = account.managed_policy(&arn).await?;
        policies.push((PolicySource::Managed { arn }, text));
    }
    if let Some(arn) = details.boundary {
        let text = account.managed_policy(&arn).await?;
        policies.push((PolicySource::Boundary { arn }, text));
    }
    Ok((details.arn, policies))
}

/// Whether the user may send any mail in this region. A decision that depends on the message counts as permitted, and
/// one that the caller may not ask for is unknown.
///
/// # Errors
/// Any failure but a refusal to answer.
pub(crate) async fn sending(
    account: &Account,
    user: &str,
    region: &Region,
) -> Result<Sending, Error> {
    match ask_for_sending(account, user, region).await {
        Err(error) if error.is_access_denied() => Ok(Sending::Unknown),
        sending => sending,
    }
}

async fn ask_for_sending(account: &Account, user: &str, region: &Region) -> Result<Sending, Error> {
    let user = account.user(user).await?;
    let identities = identity(&user.arn, region.as_str(), "*");
    let simulation = Simulation {
        principal: &user.arn,
        actions: &[SEND],
        resources: &[&identities],
        context: &[],
    };
    let simulated = account.simulate(simulation).await?;
    let settled = |result: &Simulated| result.missing_context.is_empty();
    Ok(match simulated.into_iter().find(settled) {
        None | Some(Simulated { verdict: Verdict::Allowed, .. }) => Sending::Allowed,
        Some(Simulated { organization_denies: true, .. }) => Sending::Denied(Denial::Organization),
        // a policy may apply to a single identity, and IAM names the policy, but not its statement
        Some(_) => account.sending_within(&account.details_of_user(user).await?).await?,
    })
}

/// Adds what IAM shows of the access key of an SMTP user name: its status, its age, its user, and whether AWS has put
/// the user under quarantine. Facts that the caller may not read stay unknown.
///
/// # Errors
/// Any failure but a refusal to answer.
pub async fn learn_of_key(
    account: &Account,
    id: &AccessKeyId,
    evidence: &mut Evidence,
) -> Result<(), Error> {
    let user = match user_of_key(account, id).await {
        Err(error) if error.is_access_denied() => return Ok(()),
        user => user?,
    };
    let Some(user) = user else {
        evidence.key = Some(Key::Unknown);
        return Ok(());
    };
    evidence.iam_user = Some(user.clone());
    if let Some(keys) = permitted(account.access_keys(&user).await)? {
        let key = keys.into_iter().find(|key| key.id == id.as_str());
        evidence.key = key.as_ref().and_then(|key| match key.status {
            KeyStatus::Active => Some(Key::Active),
            KeyStatus::Inactive => Some(Key::Inactive),
            KeyStatus::Expired => Some(Key::Expired),
            KeyStatus::Other(_) => None,
        });
        let created = key.and_then(|key| key.created);
        evidence.key_age = created.zip(account.now()).map(|(created, now)| {
            u64::try_from(now.duration_since(created).as_secs()).unwrap_or_default()
        });
    }
    if let Some(policies) = permitted(account.attached_to_user(&user).await)? {
        let is_quarantine = |policy: &Attached| policy.name.starts_with(QUARANTINE);
        evidence.quarantined = Some(policies.iter().any(is_quarantine));
    }
    Ok(())
}

/// Whether an IAM user has this name, which was given as an SMTP user name.
///
/// # Errors
/// Any failure but a refusal to answer.
pub async fn is_user(account: &Account, name: &str) -> Result<Option<bool>, Error> {
    match account.user(name).await {
        Err(error) if error.is_no_such_entity() => Ok(Some(false)),
        found => Ok(permitted(found)?.map(|_| true)),
    }
}

/// Returns what IAM decides on a message, and the reason if it may not be sent; `None` if the caller may not ask.
///
/// # Errors
/// Any failure but a refusal to answer.
pub async fn permission(
    account: &Account,
    user: &str,
    envelope: &Envelope,
) -> Result<Option<Permission>, Error> {
    let Some(verdicts) = permitted(may_send(account, user, envelope).await)? else {
        return Ok(None);
    };
    let any = |verdict| verdicts.iter().any(|simulated| simulated.verdict == verdict);
    if any(Verdict::Allowed) {
        return Ok(Some(Permission::Allowed));
    }
    if verdicts.iter().any(|simulated| simulated.organization_denies) {
        return Ok(Some(Permission::Organization));
    }
    if any(Verdict::ExplicitDeny) {
        return Ok(Some(Permission::ExplicitDeny));
    }
    let details = account.details_of_user(account.user(user).await?).await;
    let Some(details) = permitted(details)? else { return Ok(Some(Permission::NotAllowed)) };
    Ok(Some(match permitted(account.sending_within(&details).await)? {
        Some(Sending::Denied(Denial::NotAllowed))
            if is_allowed(account, &details.arn, envelope, "ses:SendEmail").await? =>
        {
            Permission::SendEmailOnly
        }
        Some(Sending::Denied(denial)) => of_denial(&denial),
        // some mail is allowed, but not this message
        _ => {
            let name = |name| identity(&details.arn, envelope.region.as_str(), name);
            let identities = [name(envelope.from.as_str()), name(envelope.from.domain())];
            let keys = account.conditions_of_sending(&details, &identities).await?;
            match keys.is_empty() {
                true => Permission::OtherResource,
                false => Permission::Condition(keys),
            }
        }
    }))
}

/// Returns the reason why the user may not send any mail in this region; `None` if some mail is allowed, or the caller
/// may not ask.
///
/// # Errors
/// Any failure but a refusal to answer.
pub async fn permission_at_all(
    account: &Account,
    user: &str,
    region: &Region,
) -> Result<Option<Permission>, Error> {
    Ok(match sending(account, user, region).await? {
        Sending::Unknown | Sending::Allowed => None,
        Sending::Denied(denial) => Some(of_denial(&denial)),
    })
}

fn of_denial(denial: &Denial) -> Permission {
    match denial {
        Denial::Boundary { .. } => Permission::Boundary,
        Denial::Denied { .. } => Permission::ExplicitDeny,
        Denial::Organization => Permission::Organization,
        _ => Permission::NotAllowed,
    }
}

const QUARANTINE: &str = "AWSCompromisedKeyQuarantine";

async fn is_allowed(
    account: &Account,
    principal: &str,
    envelope: &Envelope,
    action: &str,
) -> Result<bool, Error> {
    let resource = identity(principal, envelope.region.as_str(), envelope.from.domain());
    let simulated = account
        .simulate(Simulation {
            principal,
            actions: &[action],
            resources: &[&resource],
            context: &[],
        })
        .await?;
    Ok(simulated.iter().any(|simulated| simulated.verdict == Verdict::Allowed))
}
