//! Identities: the addresses and domains that the account may send from, each in its region, with their sending
//! authorization policies. No verification mail is sent here, so an identity is verified as soon as it exists.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};
use seskey::{
    Region,
    policy::{Decision, PolicySource, Request},
};

use super::{
    Account, Principal,
    authority::{Bearing, Document, decided},
    verdict::verdict,
};
use crate::{address::is_address, mailbox::Verdict};

/// The name of an identity: an address or a domain. A domain is in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity(String);

/// The reason why a policy of an identity is not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityPolicyError {
    /// There is no such identity in the region.
    #[error("Identity {0} does not exist.")]
    NoSuchIdentity(String),
    /// The document is not a resource-based policy, or is too long.
    #[error("Invalid policy.")]
    InvalidPolicy,
    /// Too many policies of the identity.
    #[error("An identity has at most {POLICIES_PER_IDENTITY} policies.")]
    LimitExceeded,
}

/// Too many identities, in a region or in total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("There are too many identities.")]
pub struct TooManyIdentities;

/// The policies and settings of an identity.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct IdentityEntry {
    /// The sending authorization policies, by name.
    policies: BTreeMap<String, Document>,
    #[serde(default)]
    settings: IdentitySettings,
}

/// The settings of an identity. They neither sign messages nor change the domain that they are sent from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IdentitySettings {
    /// The names of the DNS records of Easy DKIM, if it was asked for.
    pub dkim_tokens: Vec<String>,
    /// The custom MAIL FROM domain.
    pub mail_from_domain: Option<String>,
    /// The kinds of notifications that include the headers of the message.
    pub headers_in_notifications: BTreeSet<String>,
    /// The topics that notifications are published to, by their kinds.
    pub notification_topics: BTreeMap<String, String>,
    /// The configuration set of messages that name none.
    pub configuration_set: Option<String>,
}

impl Identity {
    /// Parses a name as SES accepts it: an address in printable ASCII, or a domain of at least two labels.
    pub fn parse(name: &str) -> Option<Self> {
        match name.rsplit_once('@') {
            Some((local, domain)) if is_address(name) => {
                Some(Self(format!("{local}@{}", domain.to_ascii_lowercase())))
            }
            None if is_domain(name) => Some(Self(name.to_ascii_lowercase())),
            _ => None,
        }
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an address, not a domain.
    pub fn is_address(&self) -> bool {
        self.0.contains('@')
    }

    /// Whether it allows an address as sender. An address covers itself; a domain covers all addresses in it and in its
    /// subdomains. The case of letters counts in local parts, but not in domains.
    /// Source: SES Developer Guide, "Verified identities in Amazon SES".
    pub fn covers(&self, address: &str) -> bool {
        let (local, domain) = address.rsplit_once('@').unwrap_or(("", address));
        match self.0.rsplit_once('@') {
            Some((l, d)) => l == local && d.eq_ignore_ascii_case(domain),
            None => domain
                .to_ascii_lowercase()
                .strip_suffix(&self.0)
                .is_some_and(|above| above.is_empty() || above.ends_with('.')),
        }
    }
}

impl Account {
    /// Returns the identities of a region, sorted by name.
    pub fn identities(&self, region: &Region) -> impl Iterator<Item = Identity> {
        let prefix = format!("{region}/");
        self.identities
            .range(prefix.clone()..)
            .map_while(move |(key, _)| key.strip_prefix(&prefix).map(|name| Identity(name.into())))
    }

    /// Whether there is an identity in any region. While there is none, every sender counts as verified.
    pub fn has_identities(&self) -> bool {
        !self.identities.is_empty()
    }

    /// Whether the identity exists, and so is verified.
    pub fn has_identity(&self, region: &Region, identity: &Identity) -> bool {
        self.identities.contains_key(&key(region, identity))
    }

    /// Returns the identity that an address is sent from: the address before its domain, and a domain before its
    /// parent.
    pub fn identity_of(&self, region: &Region, address: &str) -> Option<Identity> {
        let (local, domain) = address.rsplit_once('@')?;
        let domain = domain.to_ascii_lowercase();
        let above = domain.match_indices('.').map(|(at, _)| &domain[at + 1..]);
        let names = [format!("{local}@{domain}"), domain.clone()].into_iter();
        let mut names = names.chain(above.map(str::to_owned)).map(Identity);
        names.find(|identity| self.has_identity(region, identity))
    }

    /// Creates an identity; `false` if it exists already.
    ///
    /// # Errors
    /// There are too many.
    pub fn create_identity(
        &mut self,
        region: &Region,
        identity: &Identity,
    ) -> Result<bool, TooManyIdentities> {
        let key = key(region, identity);
        if self.identities.contains_key(&key) {
            return Ok(false);
        }
        let of_region = || self.identities(region).count();
        if self.identities.len() >= IDENTITIES
            || self.identities.len() >= IDENTITIES_OF_REGION && of_region() >= IDENTITIES_OF_REGION
        {
            return Err(TooManyIdentities);
        }
        self.identities.insert(key, IdentityEntry::default());
        Ok(true)
    }

    /// Deletes an identity with its policies; `false` if it does not exist.
    pub fn delete_identity(&mut self, region: &Region, identity: &Identity) -> bool {
        self.identities.remove(&key(region, identity)).is_some()
    }

    /// Returns the settings of an identity, if it exists.
    pub fn identity_settings(
        &self,
        region: &Region,
        identity: &Identity,
    ) -> Option<&IdentitySettings> {
        self.identities.get(&key(region, identity)).map(|entry| &entry.settings)
    }

    /// Returns the same, to change them.
    pub fn identity_settings_mut(
        &mut self,
        region: &Region,
        identity: &Identity,
    ) -> Option<&mut IdentitySettings> {
        self.identities.get_mut(&key(region, identity)).map(|entry| &mut entry.settings)
    }

    /// Returns the sending authorization policies of an identity, name and document, sorted by name; `None` if the
    /// identity does not exist.
    pub fn identity_policies(
        &self,
        region: &Region,
        identity: &Identity,
    ) -> Option<impl Iterator<Item = (&str, &str)>> {
        let entry = self.identities.get(&key(region, identity))?;
        Some(entry.policies.iter().map(|(name, document)| (name.as_str(), document.text.as_str())))
    }

    /// Stores a sending authorization policy, in place of any of that name.
    ///
    /// # Errors
    /// [`IdentityPolicyError`].
    pub fn put_identity_policy(
        &mut self,
        region: &Region,
        identity: &Identity,
        name: &str,
        document: &str,
    ) -> Result<(), IdentityPolicyError> {
        let arn = self.identity_arn(region, identity);
        let entry = self.identities.get_mut(&key(region, identity));
        let policies = &mut entry
            .ok_or_else(|| IdentityPolicyError::NoSuchIdentity(identity.to_string()))?
            .policies;
        if document.len() > POLICY_SIZE {
            return Err(IdentityPolicyError::InvalidPolicy);
        }
        if policies.len() >= POLICIES_PER_IDENTITY && !policies.contains_key(name) {
            return Err(IdentityPolicyError::LimitExceeded);
        }
        let source = PolicySource::Resource { arn, name: name.to_owned() };
        let document = Document::parse(document.to_owned(), source)
            .map_err(|_| IdentityPolicyError::InvalidPolicy)?;
        policies.insert(name.to_owned(), document);
        Ok(())
    }

    /// Deletes a sending authorization policy; `false` if it does not exist.
    pub fn delete_identity_policy(
        &mut self,
        region: &Region,
        identity: &Identity,
        name: &str,
    ) -> bool {
        let entry = self.identities.get_mut(&key(region, identity));
        entry.is_some_and(|entry| entry.policies.remove(name).is_some())
    }

    /// Decides whether a principal may do something on an identity of this account: by its own policies and those of
    /// the identity.
    pub fn decide_on_identity(
        &self,
        principal: &Principal,
        region: &Region,
        identity: &Identity,
        request: &Request<'_>,
    ) -> Decision<'_> {
        decided(self.policies_on_identity(principal, region, identity), request)
    }

    /// Returns the verdict of that decision, if it does not allow.
    pub(crate) fn verdict_on_identity(
        &self,
        principal: &Principal,
        region: &Region,
        identity: &Identity,
        decision: Decision<'_>,
    ) -> Option<Verdict> {
        verdict(&self.policies_on_identity(principal, region, identity), decision)
    }

    fn policies_on_identity(
        &self,
        principal: &Principal,
        region: &Region,
        identity: &Identity,
    ) -> Vec<Bearing<'_>> {
        let entry = self.identities.get(&key(region, identity));
        let of_identity = entry.into_iter().flat_map(|entry| entry.policies.values());
        let of_identity = of_identity.map(|document| (&document.source, document));
        self.policies_of_principal(principal).into_iter().chain(of_identity).collect()
    }

    /// Returns the ARN of an identity: `arn:aws:ses:eu-west-1:111122223333:identity/example.com`.
    pub fn identity_arn(&self, region: &Region, identity: &Identity) -> String {
        self.ses_arn(region, "identity", identity.as_str())
    }

    /// Returns the ARN of an SES resource of this account.
    pub fn ses_arn(&self, region: &Region, kind: &str, name: &str) -> String {
        format!("arn:{}:ses:{region}:{}:{kind}/{name}", self.partition(), self.id())
    }

    /// Whether the account may send in a region, and has not paused it.
    /// Source: SES API Reference, `UpdateAccountSendingEnabled`.
    pub fn is_sending_enabled(&self, region: &Region) -> bool {
        !self.root_user().sending_paused.contains(region.as_str())
    }

    /// Lets the account send in a region, or pauses it.
    pub fn enable_sending(&mut self, region: &Region, enabled: bool) {
        let paused = &mut self.root_user_mut().sending_paused;
        match enabled {
            true => paused.remove(region.as_str()),
            false => paused.insert(region.as_str().to_owned()),
        };
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Source: SES Developer Guide, "Creating and verifying identities in Amazon SES".
const IDENTITIES_OF_REGION: usize = 10_000;
/// Our own limit: any name in the form of a region counts as a region here.
const IDENTITIES: usize = 5 * IDENTITIES_OF_REGION;
/// Source: SES API Reference, `PutIdentityPolicy` ("cannot exceed 4 KB").
const POLICY_SIZE: usize = 4096;
/// Source: SES Developer Guide, "Service quotas in Amazon SES".
const POLICIES_PER_IDENTITY: usize = 20;

fn key(region: &Region, identity: &Identity) -> String {
    format!("{region}/{identity}")
}

fn is_domain(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    name.len() <= 255 && name.contains('.') && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use seskey::{AccessKeyId, Partition, SecretAccessKey};

    use super::*;
    use crate::account::AccountId;

    #[test]
    fn an_identity_is_an_address_or_a_domain() {
        for (name, expected) in [
            ("Example.COM", Some("example.com")),
            ("Ann@Example.COM", Some("Ann@example.com")),
            ("_dmarc.example.com", Some("_dmarc.example.com")),
            ("example", None),
            ("example..com", None),
            ("ann@", None),
            ("ann@exa mple.com", None),
            ("example.com/x", None),
            ("", None),
        ] {
            let identity = Identity::parse(name);
            assert_eq!(identity.as_ref().map(Identity::as_str), expected, "{name}");
        }
    }

    #[test]
    fn an_identity_covers_its_address_or_its_domain() {
        for (identity, address, expected) in [
            ("ann@example.com", "ann@EXAMPLE.com", true),
            ("ann@example.com", "Ann@example.com", false),
            ("example.com", "ann@example.com", true),
            ("Example.com", "ann@mail.example.com", true),
            ("example.com", "ann@badexample.com", false),
            ("mail.example.com", "ann@example.com", false),
        ] {
            let identity = Identity::parse(identity).unwrap();
            assert_eq!(identity.covers(address), expected, "{identity} {address}");
        }
    }

    #[test]
    fn an_address_is_sent_from_by_the_nearest_identity() {
        let (mut account, [region, other]) = account();
        for name in ["example.com", "mail.example.com", "Ann@example.com"] {
            account.create_identity(&region, &Identity::parse(name).unwrap()).unwrap();
        }
        for (address, expected) in [
            ("Ann@EXAMPLE.com", Some("Ann@example.com")),
            ("ann@example.com", Some("example.com")),
            ("ann@Mail.example.com", Some("mail.example.com")),
            ("ann@a.mail.example.com", Some("mail.example.com")),
            ("ann@amail.example.com", Some("example.com")),
            ("ann@badexample.com", None),
            ("ann@com", None),
            ("example.com", None),
        ] {
            let found = account.identity_of(&region, address);
            assert_eq!(found.as_ref().map(Identity::as_str), expected, "{address}");
            assert!(found.is_none_or(|identity| identity.covers(address)), "{address}");
            assert_eq!(account.identity_of(&other, address), None, "{address}");
        }
    }

    #[test]
    fn a_region_has_so_many_identities() {
        let (mut account, [region, other]) = account();
        let identity = |n| Identity::parse(&format!("d{n}.example.com")).unwrap();
        for n in 0..IDENTITIES_OF_REGION {
            account.create_identity(&region, &identity(n)).unwrap();
        }
        let more = identity(IDENTITIES_OF_REGION);
        assert_eq!(account.create_identity(&region, &more), Err(TooManyIdentities));
        assert_eq!(account.create_identity(&region, &identity(0)), Ok(false));
        assert_eq!(account.create_identity(&other, &more), Ok(true));
        account.delete_identity(&region, &identity(0));
        assert_eq!(account.create_identity(&region, &more), Ok(true));
    }

    fn account() -> (Account, [Region; 2]) {
        let id = AccountId::parse("111122223333").unwrap();
        let key = AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap();
        let secret = SecretAccessKey::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").unwrap();
        let account = Account::new(id, Partition::Aws, (key, secret), Timestamp::UNIX_EPOCH);
        (account, ["us-east-1", "eu-west-1"].map(|name| Region::parse(name).unwrap()))
    }
}
