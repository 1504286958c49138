//! Whether policies let somebody send.

use seskey::{
    policy::{Policy, SendingPolicy},
    rotation::{Denial, Sending},
};

use crate::{Account, Error, iam::Attached};

/// The action that the SMTP interface is authorized as. Source: SES Developer Guide, "Control user access".
pub(crate) const SEND: &str = "ses:SendRawEmail";

/// A policy with its document.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) name: String,
    text: String,
}

/// The policy that the SES console gives.
pub(crate) fn console_policy() -> String {
    SendingPolicy::default().to_json().expect("without restrictions there is nothing to refuse")
}

impl Document {
    fn new(text: &str) -> Self {
        Self { name: String::new(), text: text.to_owned() }
    }

    /// Whether it allows sending, on whatever resource and under whatever conditions.
    pub(crate) fn allows_sending(&self) -> bool {
        self.says(|policy| policy.may_allow(SEND))
    }

    /// Whether it allows sending, on every resource and under no condition.
    pub(crate) fn allows_sending_everywhere(&self) -> bool {
        self.says(|policy| policy.allows_everywhere(SEND) && !policy.may_deny(SEND))
    }

    /// Whether it denies sending, on whatever resource and under whatever conditions.
    pub(crate) fn denies_sending(&self) -> bool {
        self.says(|policy| policy.may_deny(SEND))
    }

    /// Whether sending is all that it allows.
    pub(crate) fn allows_only_sending(&self) -> bool {
        self.says(|policy| policy.allows_nothing_but(SEND))
    }

    /// Of a policy that cannot be read nothing is true.
    fn says(&self, what: impl FnOnce(&Policy) -> bool) -> bool {
        Policy::parse(&self.text).is_ok_and(|policy| what(&policy))
    }
}

impl Account {
    /// The policies of a group, its own and those attached.
    pub(crate) async fn documents_of_group(&self, group: &str) -> Result<Vec<Document>, Error> {
        let mut documents = Vec::new();
        for name in self.group_policy_names(group).await? {
            let text = self.group_policy(group, &name).await?;
            documents.push(Document { name, text });
        }
        for policy in self.attached_to_group(group).await? {
            documents.push(self.document(policy).await?);
        }
        Ok(documents)
    }

    /// Whether the policies of the user and of its groups let it send anything, within its boundary.
    pub(crate) async fn sending_of_documents(&self, user: &str) -> Result<Sending, Error> {
        let user = self.user(user).await?;
        let boundary = user.permissions_boundary.clone().and_then(|b| b.permissions_boundary_arn);
        let user = self.details_of_user(user).await?;
        let mut allows = user.policies.iter().any(|(_, text)| Document::new(text).allows_sending());
        for policy in user.attached {
            allows = allows || self.document(policy).await?.allows_sending();
        }
        for group in user.groups {
            allows = allows
                || self.documents_of_group(&group).await?.iter().any(Document::allows_sending);
        }
        Ok(match boundary {
            _ if !allows => Sending::Denied(Denial::NotAllowed),
            Some(policy)
                if !Document::new(&self.managed_policy(&policy).await?).allows_sending() =>
            {
                Sending::Denied(Denial::Boundary { policy })
            }
            _ => Sending::Allowed,
        })
    }

    /// A policy embedded in a user.
    pub(crate) async fn document_of_user(
        &self,
        user: &str,
        name: String,
    ) -> Result<Document, Error> {
        Ok(Document { text: self.user_policy(user, &name).await?, name })
    }

    /// A managed policy.
    pub(crate) async fn document(&self, policy: Attached) -> Result<Document, Error> {
        Ok(Document { text: self.managed_policy(&policy.arn).await?, name: policy.name })
    }
}
