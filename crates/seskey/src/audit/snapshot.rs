//! The known state of an account: its users with their keys and permissions.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Reach;

/// An account at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The account ID.
    pub account: String,
    /// The moment, by IAM's clock.
    pub now: Timestamp,
    /// Its users.
    pub users: Vec<User>,
    /// Its groups by name.
    pub groups: BTreeMap<String, Policies>,
    /// The documents of the managed policies that users, groups and boundaries name, by ARN.
    pub managed: BTreeMap<String, String>,
    /// The way in which the commands of a remedy reach it.
    pub reach: Reach,
}

/// An IAM user. Sources: IAM API, `UserDetail`; IAM User Guide, "Generate credential reports for your AWS account".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The time of its creation.
    pub created: Option<Timestamp>,
    /// Its tags, as key and value.
    pub tags: Vec<(String, String)>,
    /// The groups that it is in.
    pub groups: BTreeSet<String>,
    /// Its own policies.
    pub policies: Policies,
    /// The ARN of its permissions boundary.
    pub boundary: Option<String>,
    /// Its password for the console, if it has one.
    pub console: Option<Console>,
    /// Its access keys.
    pub keys: Vec<Key>,
}

/// The policies of a user or of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies {
    /// Embedded policies: names and documents.
    pub inline: Vec<(String, String)>,
    /// Attached policies: names and ARNs.
    pub attached: Vec<(String, String)>,
}

/// A password for the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Console {
    /// Whether an MFA device is asked for too.
    pub has_mfa: bool,
    /// The time of its last use, as far as IAM knows.
    pub last_used: Option<Timestamp>,
}

/// An access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The access key ID. The credential report has none.
    pub id: Option<String>,
    /// Whether it is active.
    pub is_active: bool,
    /// The time of its creation.
    pub created: Timestamp,
    /// Its last use, as far as IAM knows.
    pub last_use: Option<LastUse>,
}

/// The last use of a key. Source: IAM API, `AccessKeyLastUsed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUse {
    /// The time.
    pub at: Timestamp,
    /// The service, such as `ses-smtp`.
    pub service: String,
    /// The region.
    pub region: String,
}

impl User {
    pub(super) fn tag(&self, key: &str) -> Option<&str> {
        self.tags.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub(super) fn active_keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(|key| key.is_active)
    }
}

impl LastUse {
    /// Whether it was a login to the SMTP endpoint: IAM names that service `ses-smtp`.
    pub fn is_smtp(&self) -> bool {
        self.service == SMTP_SERVICE
    }

    /// Whether it sent mail, by SMTP or by the API. Mail that is sent by SMTP is in no CloudTrail event. Source: SES
    /// Developer Guide, "Logging Amazon SES API calls with AWS CloudTrail".
    pub fn is_mail(&self) -> bool {
        self.is_smtp() || self.service == "ses"
    }
}

/// IAM's name for the SMTP endpoint.
const SMTP_SERVICE: &str = "ses-smtp";
