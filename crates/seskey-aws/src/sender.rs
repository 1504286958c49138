//! Whether a user may send a message, asked of IAM without sending one.

use aws_sdk_iam::types::ContextKeyTypeEnum;
use seskey::{
    AccessKeyId, Region,
    rotation::{Denial, Sending},
};

use crate::{
    Account, Error,
    iam::{Simulated, Simulation, Verdict},
    lifecycle::{SEND, identity},
    smtp::Address,
};

/// A message as the permission to send it is asked for.
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

/// Asks whether the user may send the message, as the identity of the address and as that of its domain. SES takes the
/// identity that is verified, so one of the two decides. Identity policies of SES, which may also allow or deny, are not
/// seen. Source: SES Developer Guide, "Control user access"; Service Authorization Reference, "Amazon SES".
///
/// # Errors
/// When the user does not exist or the caller may not ask.
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

/// Whether the user may send any mail at all, in this region. What depends on the message counts as permitted, and what
/// the caller may not ask is unknown.
///
/// # Errors
/// Any failure but the refusal to answer.
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
        // a policy may be about one identity of all; and IAM names a policy, but not its statement
        Some(_) => account.sending_within(&account.details_of_user(user).await?).await?,
    })
}
