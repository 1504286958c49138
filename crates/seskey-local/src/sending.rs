//! Whether SES takes a message: the permission of the user, the identities it is sent from, and the form.

use std::net::IpAddr;

use jiff::Timestamp;
use seskey::{
    Region,
    policy::{Context, Decision, Request},
};

use crate::{
    account::{Account, Principal},
    message::{Author, Header},
    smtp::{Envelope, Reply, address::is_address},
};

/// Who is logged in to the SMTP endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The SMTP user name.
    pub access_key_id: String,
    /// Whose access key it is.
    pub principal: Principal,
}

/// From whom and to whom the account may send.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identities {
    /// The verified identities, addresses and domains; while there is none, every sender counts as verified.
    pub verified: Vec<String>,
    /// Whether the account is in the sandbox, where recipients must be verified too.
    pub sandbox: bool,
}

/// A message on its way to the decision.
#[derive(Debug)]
pub struct Sending<'a> {
    /// Who sends it.
    pub login: &'a Login,
    /// From whom and for whom, by the envelope.
    pub envelope: &'a Envelope,
    /// From whom, by the header.
    pub header: &'a Header,
    /// The address of the client.
    pub peer: IpAddr,
    /// The region of the endpoint.
    pub region: &'a Region,
    /// The time.
    pub now: Timestamp,
}

/// Why SES does not take a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// More than 50 recipients.
    TooManyRecipients,
    /// A header field stands twice that may stand once.
    DuplicateField(String),
    /// The header has a CR or an LF that ends no line, or too many fields.
    MalformedHeader,
    /// There is no address in `From`.
    NoAuthor,
    /// What stands in `From` is no address.
    InvalidAuthor(String),
    /// The policies of the user do not allow it.
    AccessDenied {
        /// The ARN of the user.
        user: String,
        /// The ARN of the identity or the configuration set.
        resource: String,
    },
    /// Identities that are not verified.
    NotVerified(Vec<String>),
}

/// Recipients of one message at most. Source: SES Developer Guide, "Service quotas in Amazon SES".
const MAX_RECIPIENTS: usize = 50;

impl Sending<'_> {
    /// Decides about the message.
    ///
    /// # Errors
    /// The first reason why it is refused.
    pub fn check(&self, account: &Account, identities: &Identities) -> Result<(), Refusal> {
        if self.envelope.recipients.len() > MAX_RECIPIENTS {
            return Err(Refusal::TooManyRecipients);
        }
        if let Some(name) = &self.header.duplicate {
            return Err(Refusal::DuplicateField(name.clone()));
        }
        if self.header.malformed {
            return Err(Refusal::MalformedHeader);
        }
        if self.header.authors.is_empty() {
            return Err(Refusal::NoAuthor);
        }
        for author in &self.header.authors {
            if !is_address(&author.address) {
                return Err(Refusal::InvalidAuthor(author.address.clone()));
            }
            self.check_permission(account, identities, author)?;
        }
        self.check_verified(identities)
    }

    /// Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon SES".
    fn check_permission(
        &self,
        account: &Account,
        identities: &Identities,
        author: &Author,
    ) -> Result<(), Refusal> {
        let context = self.context(account, author);
        let arn = |kind: &str, name: &str| {
            let (partition, region, id) = (account.partition(), self.region, account.id());
            format!("arn:{partition}:ses:{region}:{id}:{kind}/{name}")
        };
        // one of these must be allowed, and none denied
        let require_any = |resources: Vec<String>| {
            let decide = |resource: &String| {
                let request = Request { action: "ses:SendRawEmail", resource, context: &context };
                account.decide(&self.login.principal, &request)
            };
            let decisions: Vec<Decision> = resources.iter().map(decide).collect();
            let denied = |decision: &Decision| matches!(decision, Decision::ExplicitDeny { .. });
            match decisions.iter().any(Decision::is_allowed) && !decisions.iter().any(denied) {
                true => Ok(()),
                false => Err(Refusal::AccessDenied {
                    user: account.principal_arn(&self.login.principal),
                    resource: resources.into_iter().next().unwrap_or_default(),
                }),
            }
        };
        let identities = identities.of_sender(&author.address).into_iter();
        require_any(identities.map(|name| arn("identity", name)).collect())?;
        match &self.header.configuration_set {
            Some(name) => require_any(vec![arn("configuration-set", name)]),
            None => Ok(()),
        }
    }

    fn context(&self, account: &Account, author: &Author) -> Context {
        account
            .principal_context(&self.login.principal)
            .with("ses:ApiVersion", ["2"])
            .with("ses:FromAddress", [author.address.as_str()])
            .with("ses:FromDisplayName", author.display_name.as_deref())
            .with("ses:FeedbackAddress", [self.envelope.sender.as_str()])
            .with("ses:Recipients", self.envelope.recipients.iter().map(String::as_str))
            .with("aws:SourceIp", [self.peer.to_string()])
            .with("aws:SecureTransport", ["true"])
            .with("aws:CurrentTime", [self.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()])
            .with("aws:EpochTime", [self.now.as_second().to_string()])
    }

    fn check_verified(&self, identities: &Identities) -> Result<(), Refusal> {
        if identities.verified.is_empty() {
            return Ok(());
        }
        let shown = |author: &Author| match &author.display_name {
            Some(name) => format!("{name} <{}>", author.address),
            None => author.address.clone(),
        };
        let authors =
            self.header.authors.iter().map(|author| (author.address.as_str(), shown(author)));
        let Envelope { sender, recipients } = self.envelope;
        let recipients = recipients
            .iter()
            .filter(|recipient| identities.sandbox && !is_simulator(recipient))
            .chain([sender])
            .map(|address| (address.as_str(), address.clone()));
        let mut failed: Vec<String> = vec![];
        for (address, shown) in authors.chain(recipients) {
            if !identities.is_verified(address) && !failed.contains(&shown) {
                failed.push(shown);
            }
        }
        if failed.is_empty() { Ok(()) } else { Err(Refusal::NotVerified(failed)) }
    }
}

impl Identities {
    /// The identities by which an address may be sent from, the most likely first.
    fn of_sender<'a>(&'a self, address: &'a str) -> Vec<&'a str> {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        if self.verified.is_empty() {
            return vec![address, domain];
        }
        let verified = self.verified.iter().map(String::as_str);
        let mut covering: Vec<&str> =
            verified.filter(|identity| covers(identity, address)).collect();
        // an address is a nearer identity than its domain, a domain than the one above it
        covering.sort_by_key(|identity| (!identity.contains('@'), usize::MAX - identity.len()));
        covering.truncate(1);
        if covering.is_empty() { vec![address] } else { covering }
    }

    fn is_verified(&self, address: &str) -> bool {
        self.verified.iter().any(|identity| covers(identity, address))
    }
}

/// An identity is an address, or a domain with all that is below it. Domains know no upper case, local parts do.
fn covers(identity: &str, address: &str) -> bool {
    let (local, domain) = address.rsplit_once('@').unwrap_or(("", address));
    match identity.rsplit_once('@') {
        Some((l, d)) => l == local && d.eq_ignore_ascii_case(domain),
        None => {
            let (identity, domain) = (identity.to_ascii_lowercase(), domain.to_ascii_lowercase());
            domain
                .strip_suffix(&identity)
                .is_some_and(|above| above.is_empty() || above.ends_with('.'))
        }
    }
}

/// Source: SES Developer Guide, "Using the mailbox simulator manually".
fn is_simulator(address: &str) -> bool {
    address.to_ascii_lowercase().ends_with("@simulator.amazonses.com")
}

impl Refusal {
    /// The reply that SES gives, as AWS documents it or as transcripts show it.
    pub fn reply(&self, region: &Region) -> Reply {
        let text = match self {
            Self::TooManyRecipients => {
                format!("Transaction failed: Recipient count exceeds {MAX_RECIPIENTS}.")
            }
            Self::DuplicateField(name) => format!("Transaction failed: Duplicate header '{name}'."),
            Self::MalformedHeader => "Transaction failed: Malformed header.".to_owned(),
            Self::InvalidAuthor(address) => {
                format!(
                    "Transaction failed: Address contains illegal characters in user name: '<{address}>'."
                )
            }
            Self::NoAuthor => "Transaction failed: Missing header 'From'.".to_owned(),
            Self::AccessDenied { user, resource } => {
                format!(
                    "Access denied: User `{user}' is not authorized to perform `ses:SendRawEmail' on resource `{resource}'"
                )
            }
            Self::NotVerified(identities) => format!(
                "Message rejected: Email address is not verified. The following identities failed the check in region {}: {}",
                region.as_str().to_ascii_uppercase(),
                identities.join(", "),
            ),
        };
        Reply::new(554, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identities(verified: &[&str]) -> Identities {
        Identities {
            verified: verified.iter().map(|&identity| identity.to_owned()).collect(),
            sandbox: false,
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
            assert_eq!(covers(identity, address), expected, "{identity} {address}");
        }
    }

    #[test]
    fn the_nearest_identity_is_the_one_sent_from() {
        assert_eq!(identities(&[]).of_sender("a@b.c"), ["a@b.c", "b.c"]);
        assert_eq!(identities(&["c.d", "b.c.d"]).of_sender("a@b.c.d"), ["b.c.d"]);
        assert_eq!(identities(&["b.c.d", "a@b.c.d"]).of_sender("a@b.c.d"), ["a@b.c.d"]);
        assert_eq!(identities(&["x.y"]).of_sender("a@b.c"), ["a@b.c"]);
    }
}
