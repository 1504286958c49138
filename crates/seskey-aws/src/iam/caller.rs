//! The identity of the caller.

use seskey::Partition;

use crate::{Account, Error};

/// The identity behind the credentials. Source: STS API, `GetCallerIdentity`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Its ARN.
    pub arn: String,
    /// Its account, 12 digits.
    pub account: String,
}

impl Account {
    /// Asks STS for the identity of the caller, which needs no permission.
    ///
    /// # Errors
    /// There are no credentials, or they are refused.
    pub async fn caller(&self) -> Result<Caller, Error> {
        const ACTION: &str = "sts:GetCallerIdentity";
        let answer = self.sts.get_caller_identity().send().await.map_err(self.failed(ACTION))?;
        match (answer.arn, answer.account) {
            (Some(arn), Some(account)) => Ok(Caller { arn, account }),
            _ => Err(Error::unreadable(ACTION)),
        }
    }
}

impl Caller {
    /// Returns the partition of the account, from its ARN.
    pub fn partition(&self) -> Option<Partition> {
        Partition::parse(self.arn.split(':').nth(1)?).ok()
    }

    /// Returns the ARN of an IAM resource in the account, such as `user/app`.
    pub(crate) fn arn_of(&self, resource: &str) -> String {
        self.arn("iam", "", resource)
    }

    /// Returns the ARN of a resource of another service in the account.
    pub(crate) fn arn(&self, service: &str, region: &str, resource: &str) -> String {
        let partition = self.arn.split(':').nth(1).unwrap_or("aws");
        format!("arn:{partition}:{service}:{region}:{}:{resource}", self.account)
    }

    /// Returns the ARN whose policies decide the caller's permissions: the caller's own for a user, the role's for the
    /// session of a role. `None` for root, which no policy of its own binds, and for federated users.
    ///
    /// The ARN of a session lacks the path of its role, so the result is not the ARN of a role with a path.
    pub(crate) fn policy_source(&self) -> Option<String> {
        let mut parts = self.arn.splitn(6, ':');
        let (partition, _service) = (parts.nth(1)?, parts.next()?);
        let resource = parts.nth(2)?;
        match resource.split('/').collect::<Vec<_>>()[..] {
            ["user", ..] => Some(self.arn.clone()),
            ["assumed-role", role, _session] => {
                Some(format!("arn:{partition}:iam::{}:role/{role}", self.account))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_policies_decide() {
        for (arn, source) in [
            (
                "arn:aws:iam::111122223333:user/mail/u",
                Some("arn:aws:iam::111122223333:user/mail/u"),
            ),
            (
                "arn:aws-us-gov:sts::111122223333:assumed-role/r/s",
                Some("arn:aws-us-gov:iam::111122223333:role/r"),
            ),
            ("arn:aws:iam::111122223333:root", None),
            ("arn:aws:sts::111122223333:federated-user/u", None),
            ("nonsense", None),
        ] {
            let caller = Caller { arn: arn.to_owned(), account: "111122223333".to_owned() };
            assert_eq!(caller.policy_source().as_deref(), source, "{arn}");
        }
    }
}
