//! The way in which the commands of a remedy reach their account.

use super::remedy::{option, quoted};
use crate::fleet::Account;

/// The way in which the commands of a remedy reach an account; by default that of the shell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// The name of the account in `seskey.toml`.
    pub(super) account: Option<String>,
    /// The options for both seskey and aws.
    options: String,
    /// The condition that no option says.
    condition: Option<String>,
}

impl Reach {
    /// Reaches an account with these options.
    pub fn with(profile: Option<&str>, endpoint_url: Option<&str>) -> Self {
        let given = [("--profile", profile), ("--endpoint-url", endpoint_url)];
        let given = given.iter().filter_map(|(name, value)| Some(option(name, (*value)?)));
        Self { options: given.map(|option| format!(" {option}")).collect(), ..Self::default() }
    }

    /// Reaches an account of a `seskey.toml`, perhaps one of several; absent settings are as given.
    pub fn declared(
        name: &str,
        account: &Account,
        is_alone: bool,
        profile: Option<&str>,
        endpoint_url: Option<&str>,
    ) -> Self {
        let profile = account.profile.as_deref().or(profile);
        let reach = Self::with(profile, account.endpoint_url.as_deref().or(endpoint_url));
        let condition = match account.roles.last() {
            Some(role) => Some(format!("in the account {name}, with the role {}", role.arn)),
            None => {
                (profile.is_none() && !is_alone).then(|| format!("in the account {}", quoted(name)))
            }
        };
        Self { account: (!is_alone).then(|| name.to_owned()), condition, ..reach }
    }

    /// Returns a remedy for this account: a comment if no option leads there. `seskey apply` follows its file.
    pub(super) fn told(&self, remedy: &str) -> String {
        let told = remedy
            .replace("seskey ", &format!("seskey{} ", self.options))
            .replace("aws iam ", &format!("aws{} iam ", self.options));
        match &self.condition {
            Some(condition) if !remedy.starts_with("seskey apply ") => {
                format!("# {condition}: {}", told.trim_start_matches("# "))
            }
            _ => told,
        }
    }
}
