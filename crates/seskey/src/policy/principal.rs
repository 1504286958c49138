//! The `Principal` element of a resource-based policy: the requesters that a statement names.
//!
//! Source: IAM User Guide, "AWS JSON policy elements: Principal".

use super::{
    context::{Known, values_of},
    malformed::Fault,
};
use crate::Partition;

/// One principal of a statement. It is compared with the keys `aws:PrincipalArn` and `aws:PrincipalAccount` of the
/// request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Principal {
    /// `*`
    Anyone,
    /// An account, by its 12 digits or by the ARN of its root user.
    Account(String),
    /// A user or a role, by its ARN.
    Arn(String),
    /// An AWS service, which none of our requesters is.
    Service,
}

/// The way in which a statement names the requester; the more direct, the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meant {
    /// By its account, which leaves the decision to the account's own policies. The root user is the account itself.
    AsAccount,
    /// By `*`.
    AsAnyone,
    /// By its ARN, or because it holds the policy.
    InPerson,
}

impl Principal {
    /// Reads a value of `AWS`: the only wildcard is a `*` that stands alone.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        if text == "*" {
            return Ok(Self::Anyone);
        }
        if is_account(text) {
            return Ok(Self::Account(text.to_owned()));
        }
        let fields: Vec<&str> = text.splitn(6, ':').collect();
        match fields.as_slice() {
            ["arn", partition, "iam" | "sts", "", account, name]
                if Partition::parse(partition).is_ok()
                    && is_account(account)
                    && !name.is_empty()
                    && !name.contains(['*', '?']) =>
            {
                Ok(match *name {
                    "root" => Self::Account((*account).to_owned()),
                    _ => Self::Arn(text.to_owned()),
                })
            }
            _ => Err(Fault::Principal),
        }
    }

    pub(super) fn means(&self, context: Known<'_>) -> Option<Meant> {
        let is = |key, wanted: &str| values_of(context, key) == [wanted];
        match self {
            Self::Anyone => Some(Meant::AsAnyone),
            Self::Account(id) if is("aws:principalaccount", id) => {
                let root = is("aws:principaltype", "Account");
                Some(if root { Meant::InPerson } else { Meant::AsAccount })
            }
            Self::Arn(arn) if is("aws:principalarn", arn) => Some(Meant::InPerson),
            Self::Account(_) | Self::Arn(_) | Self::Service => None,
        }
    }
}
