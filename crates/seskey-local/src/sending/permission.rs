//! The decision whether the policies of the user and of the identity allow a message.
//!
//! Sources: Service Authorization Reference, "Actions, resources, and condition keys for Amazon SES"; SES Developer
//! Guide, "Using sending authorization with Amazon SES" and "Identity and access management in Amazon SES".

use seskey::policy::{Context, Decision, Known, Request};

use super::{SendingRefusal, Submission};
use crate::{
    account::{Account, Identity, OnDemand},
    mailbox::Verdict,
    message::{Author, IdentityArns},
};

impl Submission<'_> {
    pub(super) fn check_permission(&self, account: &Account) -> Result<(), SendingRefusal> {
        let IdentityArns { source, from, return_path } = &self.header.arns;
        let (authors, feedback) = (&self.header.authors, self.feedback_addresses());
        let (Some(first), Some(bounces)) = (authors.first(), feedback.first()) else {
            return Ok(());
        };
        // each author and each address for bounces, but not every pair of them: there may be thousands
        let pairs = authors.iter().map(|author| (author, *bounces));
        for (author, bounces) in pairs.chain(feedback.iter().skip(1).map(|it| (first, *it))) {
            let context = OnDemand::new(|| self.context(account, author, bounces));
            let identities = match from.as_ref().or(source.as_ref()) {
                Some(arn) => vec![self.identity_of_arn(account, arn, &author.address)?],
                None => of_sender(account, self, &author.address),
            };
            self.require_any(account, &identities, &context)?;
            if let Some(arn) = return_path {
                let identity = self.identity_of_arn(account, arn, bounces)?;
                self.require_any(account, &[identity], &context)?;
            }
            if let Some(name) = &self.header.configuration_set {
                let resource = account.ses_arn(self.region, "configuration-set", name);
                let request =
                    Request { action: self.action, resource: &resource, context: &context };
                let decision = account.decide(self.principal, &request);
                if let Some(verdict) = account.verdict(self.principal, decision) {
                    return Err(self.denied(account, resource, Some(verdict)));
                }
            }
        }
        Ok(())
    }

    /// Checks that one of these identities is allowed, and none is denied.
    fn require_any(
        &self,
        account: &Account,
        identities: &[Identity],
        context: Known<'_>,
    ) -> Result<(), SendingRefusal> {
        let mut allowed = false;
        let mut denied = None;
        for identity in identities {
            let resource = account.identity_arn(self.region, identity);
            let request = Request { action: self.action, resource: &resource, context };
            let decision =
                account.decide_on_identity(self.principal, self.region, identity, &request);
            match decision {
                Decision::ExplicitDeny { .. } => {
                    denied = Some((identity, resource, decision));
                    allowed = false;
                    break;
                }
                Decision::Allowed { .. } => allowed = true,
                Decision::ImplicitDeny { .. } => {
                    denied = denied.or(Some((identity, resource, decision)));
                }
            }
        }
        match denied {
            Some((identity, resource, decision)) if !allowed => {
                let (principal, region) = (self.principal, self.region);
                let verdict = account.verdict_on_identity(principal, region, identity, decision);
                Err(self.denied(account, resource, verdict))
            }
            _ => Ok(()),
        }
    }

    /// Returns the identity that an ARN names. There is one account here: an identity of another account has no policy
    /// for it.
    fn identity_of_arn(
        &self,
        account: &Account,
        arn: &str,
        address: &str,
    ) -> Result<Identity, SendingRefusal> {
        let invalid = || SendingRefusal::InvalidArn(arn.to_owned());
        let fields: Vec<&str> = arn.splitn(6, ':').collect();
        let &["arn", _, "ses", _, _, resource] = fields.as_slice() else { return Err(invalid()) };
        let name = resource.strip_prefix("identity/").ok_or_else(invalid)?;
        let identity = Identity::parse(name).ok_or_else(invalid)?;
        if !arn.eq_ignore_ascii_case(&account.identity_arn(self.region, &identity)) {
            return Err(self.denied(account, arn.to_owned(), None));
        }
        let is_verified = !account.has_identities() || account.has_identity(self.region, &identity);
        if is_verified && identity.covers(address) {
            Ok(identity)
        } else {
            Err(self.not_verified(vec![address.to_owned()]))
        }
    }

    fn denied(
        &self,
        account: &Account,
        resource: String,
        verdict: Option<Verdict>,
    ) -> SendingRefusal {
        let (user, action) = (account.principal_arn(self.principal), self.action);
        SendingRefusal::AccessDenied { user, action, resource, verdict: verdict.map(Box::new) }
    }

    fn context(&self, account: &Account, author: &Author, bounces: &str) -> Context {
        account
            .request_context(self.principal, &self.circumstances)
            .with("ses:ApiVersion", [self.interface.api_version()])
            .with("ses:FromAddress", [author.address.as_str()])
            .with("ses:FromDisplayName", author.display_name.as_deref())
            .with("ses:FeedbackAddress", [bounces])
            .with("ses:Recipients", self.envelope.recipients.iter().map(String::as_str))
    }
}

/// Returns the identity that an address is sent from: the address rather than its domain, and a domain rather than its
/// parent. While there are no identities, it may be the address or its domain.
fn of_sender(account: &Account, submission: &Submission<'_>, address: &str) -> Vec<Identity> {
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let named = |names: &[&str]| names.iter().filter_map(|name| Identity::parse(name)).collect();
    if !account.has_identities() {
        return named(&[address, domain]);
    }
    let own = account.identity_of(submission.region, address);
    own.map_or_else(|| named(&[address]), |one| vec![one])
}
