//! The facts of SES about a message before it is sent: whether the account may send, the sender is verified, and the
//! recipient would get it.
//!
//! Nothing is changed. Source: SES API v2 Reference.

use aws_sdk_sesv2::{
    Client,
    operation::get_email_identity::GetEmailIdentityOutput,
    types::{BehaviorOnMxFailure, MailFromDomainStatus, SuppressionListReason},
};
use seskey::{
    Region,
    diagnose::{ConfigurationSet, Evidence, Identity},
};

use crate::{Account, Error, config::Service, error::permitted, smtp::Address};

/// Asks SES in this region for the facts that keep the message of the evidence from being sent or delivered. The
/// configuration set is the one with this name, else the sender's default. Facts that the caller may not read stay
/// unknown. Returns whether SES gave any answer.
///
/// # Errors
/// Any failure but a refusal to answer.
pub async fn learn_of_sending(
    account: &Account,
    region: &Region,
    configuration_set: Option<&str>,
    evidence: &mut Evidence,
) -> Result<bool, Error> {
    let ses = account.ses(region);
    let address = |text: &Option<String>| Address::parse(text.as_deref()?).ok();
    let mut reasons = None;
    let answer = ses.client.get_account().send().await.map_err(ses.failed("ses:GetAccount"));
    if let Some(answer) = permitted(answer)? {
        let is_shut_down = answer.enforcement_status() == Some("SHUTDOWN");
        evidence.sandbox = Some(!answer.production_access_enabled());
        evidence.sending_enabled = Some(answer.sending_enabled() && !is_shut_down);
        // -1 means no limit
        evidence.quota_exhausted = answer.send_quota().map(|quota| {
            let max = quota.max24_hour_send();
            max >= 0.0 && quota.sent_last24_hours() >= max
        });
        let attributes = answer.suppression_attributes();
        reasons = attributes.and_then(|attributes| attributes.suppressed_reasons.clone());
    }
    let mut default_set = None;
    if let Some(from) = address(&evidence.from) {
        let (identity, found) = ses.identity_of(&from).await?;
        evidence.sender = identity;
        evidence.mail_from_rejects = found.as_ref().map(rejects_by_mail_from);
        default_set = found.and_then(|found| found.configuration_set_name);
    }
    if let Some(name) = configuration_set.map(str::to_owned).or(default_set) {
        let (set, of_set) = ses.configuration_set(name).await?;
        (evidence.configuration_set, reasons) = (set, of_set.or(reasons));
    }
    if let Some(to) = address(&evidence.to) {
        if evidence.sandbox == Some(true) {
            let (identity, _) = ses.identity_of(&to).await?;
            evidence.recipient_verified = identity.map(|identity| identity == Identity::Verified);
        }
        evidence.suppressed = ses.is_suppressed(&to, reasons.as_deref()).await?;
    }
    Ok(evidence.sending_enabled.is_some() || evidence.sender.is_some())
}

impl Service<Client> {
    /// Checks whether the sender is verified: as an address, as its domain, or as a parent domain. Also returns the
    /// verified identity.
    async fn identity_of(
        &self,
        address: &Address,
    ) -> Result<(Option<Identity>, Option<GetEmailIdentityOutput>), Error> {
        let mut is_there = false;
        for name in names_of(address) {
            let call = self.client.get_email_identity().email_identity(name).send();
            match call.await.map_err(self.failed("ses:GetEmailIdentity")) {
                Ok(found) if found.verified_for_sending_status() => {
                    return Ok((Some(Identity::Verified), Some(found)));
                }
                Ok(_) => is_there = true,
                Err(error) if error.is_no_such_entity() => {}
                Err(error) if error.is_access_denied() => return Ok((None, None)),
                Err(error) => return Err(error),
            }
        }
        let is_missing = is_there || self.is_of_aws() || self.has_identities().await?;
        Ok((is_missing.then_some(Identity::NotVerified), None))
    }

    /// Whether any identity exists: until then an emulator may accept every sender, which AWS never does.
    async fn has_identities(&self) -> Result<bool, Error> {
        let listed = self.client.list_email_identities().page_size(1).send().await;
        let listed = permitted(listed.map_err(self.failed("ses:ListEmailIdentities")))?;
        Ok(listed.is_some_and(|listed| !listed.email_identities().is_empty()))
    }

    /// Returns a configuration set and the reasons for which it suppresses messages, if it gives them.
    async fn configuration_set(
        &self,
        name: String,
    ) -> Result<(Option<ConfigurationSet>, Option<Vec<SuppressionListReason>>), Error> {
        let call = self.client.get_configuration_set().configuration_set_name(&name).send();
        match call.await.map_err(self.failed("ses:GetConfigurationSet")) {
            Ok(found) => {
                let sends = found.sending_options().is_none_or(|it| it.sending_enabled());
                let set =
                    if sends { ConfigurationSet::Sending } else { ConfigurationSet::Paused(name) };
                let reasons = found.suppression_options.and_then(|it| it.suppressed_reasons);
                Ok((Some(set), reasons))
            }
            Err(error) if error.is_no_such_entity() => {
                let is_missing = self.is_of_aws() || self.has_configuration_sets().await?;
                Ok((is_missing.then_some(ConfigurationSet::Missing(name)), None))
            }
            Err(error) if error.is_access_denied() => Ok((None, None)),
            Err(error) => Err(error),
        }
    }

    /// Whether any configuration set exists, as with identities.
    async fn has_configuration_sets(&self) -> Result<bool, Error> {
        let listed = self.client.list_configuration_sets().page_size(1).send().await;
        let listed = permitted(listed.map_err(self.failed("ses:ListConfigurationSets")))?;
        Ok(listed.is_some_and(|listed| !listed.configuration_sets().is_empty()))
    }

    /// Whether the recipient is on the account's suppression list for one of these reasons, or for any.
    async fn is_suppressed(
        &self,
        address: &Address,
        reasons: Option<&[SuppressionListReason]>,
    ) -> Result<Option<bool>, Error> {
        let call = self.client.get_suppressed_destination().email_address(address.as_str()).send();
        match call.await.map_err(self.failed("ses:GetSuppressedDestination")) {
            Ok(found) => Ok(found
                .suppressed_destination()
                .map(|found| reasons.is_none_or(|reasons| reasons.contains(found.reason())))),
            Err(error) if error.is_no_such_entity() => Ok(Some(false)),
            Err(error) if error.is_access_denied() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Returns the identities that let an address send, the nearest first. Source: SES Developer Guide, "Creating and
/// verifying identities": a domain covers its subdomains.
fn names_of(address: &Address) -> impl Iterator<Item = &str> {
    let domains = std::iter::successors(Some(address.domain()), |name| {
        name.split_once('.').map(|(_, parent)| parent)
    });
    std::iter::once(address.as_str()).chain(domains.filter(|name| name.contains('.')))
}

/// Whether the custom MAIL FROM domain is not ready and the identity then rejects messages. Source: SES API v2
/// Reference, `MailFromAttributes`.
fn rejects_by_mail_from(identity: &GetEmailIdentityOutput) -> bool {
    identity.mail_from_attributes().is_some_and(|attributes| {
        !attributes.mail_from_domain().is_empty()
            && *attributes.behavior_on_mx_failure() == BehaviorOnMxFailure::RejectMessage
            && *attributes.mail_from_domain_status() != MailFromDomainStatus::Success
    })
}
