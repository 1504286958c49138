//! How the commands of a remedy reach the account that they are for.

use super::remedy::{option, quoted};
use crate::fleet::Account;

/// How an account is reached by whoever pastes a remedy. By default as the shell reaches it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// As `seskey.toml` calls the account.
    pub(super) account: Option<String>,
    /// What seskey and aws are both given.
    options: String,
    /// What no option says.
    condition: Option<String>,
}

impl Reach {
    /// An account that is reached with these options.
    pub fn with(profile: Option<&str>, endpoint_url: Option<&str>) -> Self {
        let given = [("--profile", profile), ("--endpoint-url", endpoint_url)];
        let given = given.iter().filter_map(|(name, value)| Some(option(name, (*value)?)));
        Self { options: given.map(|option| format!(" {option}")).collect(), ..Self::default() }
    }

    /// An account of a `seskey.toml`, perhaps one of several; what it does not say is as given.
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

    /// A remedy as it is for this account: a comment where no option leads there. `seskey apply` goes where its file says.
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
