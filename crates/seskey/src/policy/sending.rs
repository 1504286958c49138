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

/// What an SMTP user may send. An empty list restricts nothing; without any restriction the policy is the console's.
///
/// SES asks for `ses:SendRawEmail` on the identity and, if the message names a configuration set or the identity has a
/// default one, on that too, with the same condition keys. So one statement has both kinds of resources, and its
/// conditions hold for both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SendingPolicy {
    /// Where the identities and configuration sets are.
    pub reach: Reach,
    /// Their account, 12 digits; any if absent.
    pub account: Option<String>,
    /// Domains and addresses that SES has verified. A domain does not cover an address that is an identity itself,
    /// and in the sandbox SES asks for the identities of the recipients too.
    pub identities: Vec<String>,
    /// Names of configuration sets. If there are identities and none of these, a default configuration set is
    /// denied as well.
    pub configuration_sets: Vec<String>,
    /// Patterns (`*`, `?`) for the From address, such as `*@example.com`. Upper and lower case differ.
    pub from_addresses: Vec<String>,
    /// Patterns (`*`, `?`) that every recipient must match one of. Upper and lower case differ.
    pub recipients: Vec<String>,
    /// CIDR blocks or addresses that the user sends from.
    pub source_ips: Vec<String>,
}

/// The regions in which a policy lets send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Every region of the partition.
    Partition(Partition),
    /// One region.
    Region(Region),
}

/// Why no policy can be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendingPolicyError {
    /// An account ID has 12 digits.
    #[error("{given} is not an account ID")]
    Account {
        /// What was given.
        given: String,
    },
    /// Empty, or with a character that the name of an identity cannot have; wildcards are not names.
    #[error("{given:?} is not the name of an identity")]
    Identity {
        /// What was given.
        given: String,
    },
    /// 1 to 64 letters, digits, `-` and `_`. Source: SES API v2, `CreateConfigurationSet`.
    #[error("{given:?} is not the name of a configuration set")]
    ConfigurationSet {
        /// What was given.
        given: String,
    },
    /// Empty, or with a character that IAM does not store.
    #[error("{given:?} is not a pattern for addresses")]
    AddressPattern {
        /// What was given.
        given: String,
    },
    /// No address matches it, whatever is sent.
    #[error("{given:?} matches no address")]
    NeverMatches {
        /// What was given.
        given: String,
        /// The pattern that was perhaps meant.
        nearest: Option<String>,
    },
    /// Several in one.
    #[error("{given:?} is more than one")]
    Several {
        /// What was given.
        given: String,
    },
    /// Not an address.
    #[error("{given:?} is not a mail address")]
    Address {
        /// What was given.
        given: String,
    },
    /// Neither an address nor a CIDR block.
    #[error("{given:?} is not a CIDR block")]
    SourceIp {
        /// What was given.
        given: String,
    },
}

impl SendingPolicy {
    /// The policy document as JSON text, indented, its keys always in the same order.
    ///
    /// # Errors
    /// The first field that IAM would not store or that could never match.
    pub fn to_json(&self) -> Result<String, SendingPolicyError> {
        self.to_value().map(|document| format!("{document:#}"))
    }

    /// The policy document as a JSON value.
    ///
    /// # Errors
    /// The first field that IAM would not store or that could never match.
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

    /// `ForAllValues` also holds where there is no recipient at all. That grants nothing: SES takes no message
    /// without a recipient (RFC 5321, section 3.3: DATA comes after at least one RCPT).
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

/// The console writes a single value without a list.
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

/// A name stands for itself: what IAM would read as a wildcard, a variable or another resource is none.
fn is_identity(name: &str) -> bool {
    !name.contains(['$', '/', ':']) && written::identity(name).is_ok_and(|right| right == name)
}

fn is_configuration_set(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// What has something to put right in it would never match.
/// What IAM stores, and what some address matches. Source: IAM API, the pattern of `PolicyDocument`.
fn is_pattern(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' '..='\u{ff}'))
        && written::address_pattern(text).is_ok_and(|right| right == text)
}

fn is_network(text: &str) -> bool {
    text.parse::<IpNet>().is_ok() || text.parse::<IpAddr>().is_ok()
}
