//! The least policy that lets an SMTP user send.
//!
//! Sources: SES Developer Guide, "Obtaining Amazon SES SMTP credentials" (the console's policy) and "Identity and
//! access management in Amazon SES"; Service Authorization Reference, "Amazon SES".

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::written;
use crate::{Partition, Region};

/// The action that the SMTP interface is authorized as. Source: SES Developer Guide, "Control user access".
pub const SEND: &str = "ses:SendRawEmail";

/// The mail that an SMTP user may send. An empty list restricts nothing; without any restriction the policy is the
/// console's.
///
/// SES requires `ses:SendRawEmail` on the identity and, if the message names a configuration set or the identity has a
/// default one, on that too, with the same condition keys. So one statement has both kinds of resources, and its
/// conditions hold for both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SendingPolicy {
    /// The regions of the identities and configuration sets.
    pub reach: Reach,
    /// Their account, 12 digits; any if absent.
    pub account: Option<String>,
    /// Domains and addresses that SES has verified. A domain does not cover an address that is an identity itself, and
    /// in the sandbox SES requires the identities of the recipients too.
    pub identities: Vec<String>,
    /// Names of configuration sets. If there are identities but no configuration sets, a default configuration set is
    /// denied as well.
    pub configuration_sets: Vec<String>,
    /// Patterns (`*`, `?`) for the From address, such as `*@example.com`. Case matters.
    pub from_addresses: Vec<String>,
    /// Patterns (`*`, `?`); every recipient must match one. Case matters.
    pub recipients: Vec<String>,
    /// CIDR blocks or addresses that the user sends from.
    pub source_ips: Vec<String>,
}

/// The regions in which a policy permits sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Every region of the partition.
    Partition(Partition),
    /// One region.
    Region(Region),
}

/// The reason why no policy can be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendingPolicyError {
    /// Not an account ID of 12 digits.
    #[error("{given} is not an account ID")]
    Account {
        /// The given text.
        given: String,
    },
    /// Empty, or with a character that the name of an identity cannot have, such as a wildcard.
    #[error("{given:?} is not the name of an identity")]
    Identity {
        /// The given text.
        given: String,
    },
    /// Not 1 to 64 letters, digits, `-` and `_`. Source: SES API v2, `CreateConfigurationSet`.
    #[error("{given:?} is not the name of a configuration set")]
    ConfigurationSet {
        /// The given text.
        given: String,
    },
    /// Empty, or with a character that IAM does not store.
    #[error("{given:?} is not a pattern for addresses")]
    AddressPattern {
        /// The given text.
        given: String,
    },
    /// No address matches the pattern.
    #[error("{given:?} matches no address")]
    NeverMatches {
        /// The given text.
        given: String,
        /// The pattern that was perhaps meant.
        nearest: Option<String>,
    },
    /// Several values in one.
    #[error("{given:?} is more than one")]
    Several {
        /// The given text.
        given: String,
    },
    /// Not an address.
    #[error("{given:?} is not a mail address")]
    Address {
        /// The given text.
        given: String,
    },
    /// Neither an address nor a CIDR block.
    #[error("{given:?} is not a CIDR block")]
    SourceIp {
        /// The given text.
        given: String,
    },
}

impl SendingPolicy {
    /// Returns the policy document as JSON text, indented, with its keys always in the same order.
    ///
    /// # Errors
    /// Fails for the first field that IAM would not store or that could never match.
    pub fn to_json(&self) -> Result<String, SendingPolicyError> {
        self.to_value().map(|document| format!("{document:#}"))
    }

    /// Returns the policy document as a JSON value.
    ///
    /// # Errors
    /// Fails for the first field that IAM would not store or that could never match.
    pub fn to_value(&self) -> Result<Value, SendingPolicyError> {
        let mut statement = json!({
            "Effect": "Allow",
            "Action": SEND,
            "Resource": one_or_list(&self.resources()?),
        });
        let conditions = self.conditions()?;
        if !conditions.is_empty() {
            statement["Condition"] = Value::Object(conditions);
        }
        Ok(json!({ "Version": "2012-10-17", "Statement": [statement] }))
    }

    fn resources(&self) -> Result<Vec<String>, SendingPolicyError> {
        use SendingPolicyError as E;
        if self
            .account
            .as_ref()
            .is_some_and(|id| id.len() != 12 || !id.bytes().all(|b| b.is_ascii_digit()))
        {
            return Err(E::Account { given: self.account.clone().unwrap_or_default() });
        }
        refuse(&self.identities, is_identity, |given| E::Identity { given })?;
        refuse(&self.configuration_sets, is_configuration_set, |given| E::ConfigurationSet {
            given,
        })?;
        if self.identities.is_empty() && self.configuration_sets.is_empty() {
            return Ok(vec!["*".to_owned()]);
        }
        let (partition, region) = match &self.reach {
            Reach::Partition(partition) => (*partition, "*"),
            Reach::Region(region) => (region.partition(), region.as_str()),
        };
        let account = self.account.as_deref().unwrap_or("*");
        let arn = |kind: &str, name: &str| {
            format!("arn:{partition}:ses:{region}:{account}:{kind}/{name}")
        };
        let any_identity = self.identities.is_empty().then(|| arn("identity", "*"));
        let identities = self.identities.iter().map(|name| arn("identity", name));
        let configuration_sets =
            self.configuration_sets.iter().map(|name| arn("configuration-set", name));
        Ok(any_identity.into_iter().chain(identities).chain(configuration_sets).collect())
    }

    /// Returns the conditions. `ForAllValues` also holds without any recipient. That grants nothing: SES takes no
    /// message without a recipient (RFC 5321, section 3.3: DATA comes after at least one RCPT).
    fn conditions(&self) -> Result<Map<String, Value>, SendingPolicyError> {
        use SendingPolicyError as E;
        refuse(&self.from_addresses, is_pattern, |given| E::AddressPattern { given })?;
        refuse(&self.recipients, is_pattern, |given| E::AddressPattern { given })?;
        refuse(&self.source_ips, is_network, |given| E::SourceIp { given })?;
        let all = [
            ("StringLike", "ses:FromAddress", &self.from_addresses),
            ("ForAllValues:StringLike", "ses:Recipients", &self.recipients),
            ("IpAddress", "aws:SourceIp", &self.source_ips),
        ];
        let wanted = all.into_iter().filter(|(_, _, values)| !values.is_empty());
        Ok(wanted
            .map(|(operator, key, values)| {
                (operator.to_owned(), json!({ key: one_or_list(values) }))
            })
            .collect())
    }
}

impl Default for Reach {
    fn default() -> Self {
        Self::Partition(Partition::Aws)
    }
}

/// Returns a single value without a list, as the console writes it.
fn one_or_list(values: &[String]) -> Value {
    match values {
        [value] => json!(value),
        values => json!(values),
    }
}

fn refuse(
    given: &[String],
    is_right: fn(&str) -> bool,
    error: impl Fn(String) -> SendingPolicyError,
) -> Result<(), SendingPolicyError> {
    given.iter().find(|text| !is_right(text)).map_or(Ok(()), |text| Err(error(text.clone())))
}

/// Whether it is a name that IAM does not read as a wildcard, a variable or another resource.
fn is_identity(name: &str) -> bool {
    !name.contains(['$', '/', ':']) && written::identity(name).is_ok_and(|right| right == name)
}

fn is_configuration_set(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Whether IAM stores the pattern and some address matches it. A pattern that still needs a correction would never
/// match.
/// Source: IAM API, the pattern of `PolicyDocument`.
fn is_pattern(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' '..='\u{ff}'))
        && written::address_pattern(text).is_ok_and(|right| right == text)
}

fn is_network(text: &str) -> bool {
    text.parse::<IpNet>().is_ok() || text.parse::<IpAddr>().is_ok()
}
