//! The errors of a `seskey.toml`, with their places.

use std::fmt;

use super::key::{KEYS, Kind, Table};
use crate::{
    duration::DurationError, policy::SendingPolicyError, region::RegionError, rotation::GoalError,
    store::StoreNameError, user::UserError,
};

/// An error, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetError {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The key whose value is wrong, if it is a value.
    pub key: Option<&'static str>,
    /// The kind of error.
    pub fault: Fault,
}

/// A kind of error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Not TOML.
    #[error("{message}")]
    Syntax {
        /// The message of the TOML parser.
        message: String,
    },
    /// An unknown key.
    #[error("{table} has no key {given}")]
    UnknownKey {
        /// The table that it stands in.
        table: Table,
        /// The given key.
        given: String,
    },
    /// A value of another type.
    #[error("{expected} is expected, not {found}")]
    Type {
        /// The type that the key takes.
        expected: Kind,
        /// The given type, in TOML's words.
        found: &'static str,
    },
    /// A required key is missing.
    #[error("it is missing")]
    Missing,
    /// An empty text, or blanks.
    #[error("it is empty")]
    Empty,
    /// A command with a character that no command can have.
    #[error("it has a null character in it")]
    Null,
    /// A credential that is delivered nowhere.
    #[error("a credential without a store is delivered nowhere")]
    NoStore,
    /// A key that means nothing without another.
    #[error("it means nothing without {needs}")]
    Without {
        /// The other key.
        needs: &'static str,
    },
    /// An account that is not declared.
    #[error("no account {given} is declared")]
    UnknownAccount {
        /// The given name.
        given: String,
        /// The declared accounts.
        declared: Vec<String>,
    },
    /// No account is named, and there are several.
    #[error("it is missing, and there are several")]
    WhichAccount {
        /// The declared accounts.
        declared: Vec<String>,
    },
    /// An account that `[organization]` excludes.
    #[error("[organization] excludes the account {given}")]
    Excluded {
        /// The given account.
        given: String,
    },
    /// A store outside the accounts, for the credentials of all of them.
    #[error("the credentials of all accounts would be delivered to one place")]
    OnePlace,
    /// Not the name of a role.
    #[error("{given:?} is not the name of a role")]
    RoleName {
        /// The given text.
        given: String,
    },
    /// Not the ID of an organizational unit.
    #[error("{given:?} is not the ID of an organizational unit")]
    UnitId {
        /// The given text.
        given: String,
    },
    /// Not the ID of an account or of an organizational unit.
    #[error("{given:?} is not the ID of an account or of an organizational unit")]
    MemberId {
        /// The given text.
        given: String,
    },
    /// A user that another credential has.
    #[error("the same user as in line {first}")]
    SameUser {
        /// The line of the first.
        first: usize,
    },
    /// A store that another credential is delivered to, or this one already.
    #[error("the same store as in line {first}")]
    SameStore {
        /// The line of the first.
        first: usize,
    },
    /// Not the ARN of a role.
    #[error("{given:?} is not the ARN of a role")]
    RoleArn {
        /// The given text.
        given: String,
    },
    /// Not a URL.
    #[error("{given:?} is not the URL of an endpoint")]
    EndpointUrl {
        /// The given text.
        given: String,
    },
    /// Not a host and a port.
    #[error("{given:?} is not a host and a port")]
    SmtpEndpoint {
        /// The given text.
        given: String,
    },
    /// Not a length of time.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// Not a region.
    #[error(transparent)]
    Region(#[from] RegionError),
    /// Not the name or the path of a user.
    #[error(transparent)]
    User(#[from] UserError),
    /// Not a store.
    #[error(transparent)]
    Store(StoreNameError),
    /// Not a pattern for addresses.
    #[error(transparent)]
    Policy(#[from] SendingPolicyError),
    /// Times that are not a goal of a rotation.
    #[error(transparent)]
    Goal(#[from] GoalError),
}

impl FleetError {
    pub(super) fn at(text: &str, offset: usize, key: Option<&'static str>, fault: Fault) -> Self {
        let (line, column) = place(text, offset);
        Self { line, column, key, fault }
    }

    /// Returns a right value, if a short one can be named.
    pub fn remedy(&self) -> Option<String> {
        match &self.fault {
            Fault::UnknownKey { table, given } => {
                let keys = KEYS.iter().filter(|key| key.table == *table).map(|key| key.name);
                nearest(given, keys).map(str::to_owned)
            }
            Fault::UnknownAccount { given, declared } => {
                let nearest = nearest(given, declared.iter().map(String::as_str));
                let names = nearest.map_or_else(|| declared.join(", "), str::to_owned);
                Some(names).filter(|names| !names.is_empty())
            }
            Fault::WhichAccount { declared } => Some(declared.join(", ")),
            Fault::Region(
                RegionError::Malformed { nearest, .. } | RegionError::Unknown { nearest, .. },
            ) => nearest.map(str::to_owned),
            Fault::Region(RegionError::AvailabilityZone { region, .. }) => Some(region.clone()),
            Fault::Region(RegionError::HostName { region, .. }) => region.map(str::to_owned),
            Fault::Policy(SendingPolicyError::NeverMatches { nearest, .. }) => nearest.clone(),
            Fault::Policy(SendingPolicyError::Several { .. }) => {
                Some("a string of its own for each".to_owned())
            }
            Fault::Duration(_) => Some("a number with w, d, h, m or s, such as 90d".to_owned()),
            Fault::RoleArn { .. } => Some("arn:aws:iam::111122223333:role/NAME".to_owned()),
            Fault::RoleName { .. } => Some("OrganizationAccountAccessRole".to_owned()),
            Fault::UnitId { .. } => Some("ou-ab12-11112222".to_owned()),
            Fault::MemberId { .. } => Some("111122223333, ou-ab12-11112222".to_owned()),
            Fault::OnePlace => Some("secretsmanager:NAME, ssm:/NAME".to_owned()),
            Fault::EndpointUrl { .. } => Some("https://HOST".to_owned()),
            Fault::SmtpEndpoint { .. } => Some("HOST:PORT".to_owned()),
            _ => None,
        }
    }
}

impl fmt::Display for FleetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if let Some(key) = self.key {
            write!(f, "{key}: ")?;
        }
        self.fault.fmt(f)
    }
}

impl std::error::Error for FleetError {}

/// Returns the line and the column at the offset, from 1.
pub(super) fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit_once('\n').map_or(before, |(_, line)| line);
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |name: &str| strsim::damerau_levenshtein(name, given);
    known.min_by_key(|name| distance(name)).filter(|name| distance(name) <= 3.min(name.len() / 2))
}
