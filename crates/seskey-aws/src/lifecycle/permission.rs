//! The permission to send that policies give.

use std::collections::HashMap;

pub(crate) use seskey::policy::SEND;
use seskey::{
    policy::{Policy, SendingPolicy},
    rotation::Sending,
};

use crate::{
    Account, Error,
    iam::{Attached, UserDetails},
};

/// A policy with its document.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) name: String,
    text: String,
}

/// Returns the policy that the SES console gives.
pub(crate) fn console_policy() -> String {
    SendingPolicy::default().to_json().expect("without restrictions there is nothing to refuse")
}

impl Document {
    fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned() }
    }

    /// Whether it allows sending, on any resource and under any conditions.
    pub(crate) fn allows_sending(&self) -> bool {
        self.says(|policy| policy.may_allow(SEND))
    }

    /// Whether it allows sending, on every resource and without conditions.
    pub(crate) fn allows_sending_everywhere(&self) -> bool {
        self.says(|policy| policy.allows_everywhere(SEND) && !policy.may_deny(SEND))
    }

    /// Whether it denies sending, on any resource and under any conditions.
    pub(crate) fn denies_sending(&self) -> bool {
        self.says(|policy| policy.may_deny(SEND))
    }

    /// Returns the keys of the conditions under which it allows sending as this identity.
    fn conditions_of_sending(&self, identity: &str) -> Vec<String> {
        let Ok(policy) = Policy::parse(&self.text) else { return vec![] };
        policy.conditions_of(SEND, identity).map(str::to_owned).collect()
    }

    /// Whether it allows nothing but sending.
    pub(crate) fn allows_only_sending(&self) -> bool {
        self.says(|policy| policy.allows_nothing_but(SEND))
    }

    /// Whether this is true of the policy; `false` if it cannot be read.
    fn says(&self, what: impl FnOnce(&Policy) -> bool) -> bool {
        self.parsed().is_some_and(|policy| what(&policy))
    }

    fn parsed(&self) -> Option<Policy> {
        Policy::parse(&self.text).ok()
    }
}

impl Account {
    /// Reads the policies of a group, inline and attached.
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

    /// Lists every user of the account, and whether it may send anything. All users and groups come in one list, and
    /// each managed policy is read once.
    ///
    /// # Errors
    /// The refusal of IAM, such as to a caller that may not do `iam:GetAccountAuthorizationDetails`.
    pub async fn senders(&self) -> Result<Vec<(UserDetails, Sending)>, Error> {
        let (users, groups) = self.user_and_group_details().await?;
        let mut managed = HashMap::new();
        let mut senders = vec![];
        for user in users {
            let of_user = groups.iter().filter(|group| user.groups.contains(&group.name));
            let inline = of_user.clone().flat_map(|group| &group.policies).chain(&user.policies);
            let inline = inline.map(|(name, text)| Document::new(name, text)).collect();
            let attached = of_user.flat_map(|group| &group.attached).chain(&user.attached);
            let attached = attached.map(|policy| policy.arn.as_str()).collect();
            let sending = self.sending_of(&user, inline, attached, &mut managed).await?;
            senders.push((user, sending));
        }
        Ok(senders)
    }

    /// Checks whether the policies of the user and of its groups let it send anything, within its boundary.
    ///
    /// # Errors
    /// The first call that failed.
    pub async fn sending_within(&self, user: &UserDetails) -> Result<Sending, Error> {
        let documents = self.inline_of(user).await?;
        let attached = user.attached.iter().map(|policy| policy.arn.as_str()).collect();
        self.sending_of(user, documents, attached, &mut HashMap::new()).await
    }

    /// Returns the keys of the conditions under which policies of the user and of its groups let it send as one of
    /// these identities; none if they are about others.
    pub(crate) async fn conditions_of_sending(
        &self,
        user: &UserDetails,
        identities: &[String],
    ) -> Result<Vec<String>, Error> {
        let mut documents = self.inline_of(user).await?;
        for policy in &user.attached {
            documents.push(self.managed(&policy.arn, &mut HashMap::new()).await?);
        }
        let of = |identity: &String| {
            documents.iter().flat_map(|it| it.conditions_of_sending(identity)).collect::<Vec<_>>()
        };
        let mut keys: Vec<_> = identities.iter().flat_map(of).collect();
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }

    /// Reads the inline policies of the user, and all policies of its groups.
    async fn inline_of(&self, user: &UserDetails) -> Result<Vec<Document>, Error> {
        let own = user.policies.iter().map(|(name, text)| Document::new(name, text));
        let mut documents: Vec<_> = own.collect();
        for group in &user.groups {
            documents.extend(self.documents_of_group(group).await?);
        }
        Ok(documents)
    }

    /// Evaluates these documents and managed policies, within the boundary of the user.
    async fn sending_of(
        &self,
        user: &UserDetails,
        mut documents: Vec<Document>,
        attached: Vec<&str>,
        managed: &mut HashMap<String, Document>,
    ) -> Result<Sending, Error> {
        for arn in attached {
            documents.push(self.managed(arn, managed).await?);
        }
        let boundary = match &user.boundary {
            Some(arn) => Some(self.managed(arn, managed).await?),
            None => None,
        };
        let boundary = boundary.map(|document| (document.name.clone(), document.parsed()));
        let documents = documents.into_iter();
        let policies: Vec<(String, Policy)> = documents
            .filter_map(|document| Some((document.name.clone(), document.parsed()?)))
            .collect();
        Ok(Sending::of(
            policies.iter().map(|(name, policy)| (name.as_str(), policy)),
            boundary.as_ref().map(|(name, policy)| (name.as_str(), policy.as_ref())),
            &identity(&user.arn, "*", "*"),
        ))
    }

    async fn managed(
        &self,
        arn: &str,
        known: &mut HashMap<String, Document>,
    ) -> Result<Document, Error> {
        if let Some(document) = known.get(arn) {
            return Ok(document.clone());
        }
        let document = Document::new(arn, &self.managed_policy(arn).await?);
        known.insert(arn.to_owned(), document.clone());
        Ok(document)
    }

    /// Reads an inline policy of a user.
    pub(crate) async fn document_of_user(
        &self,
        user: &str,
        name: String,
    ) -> Result<Document, Error> {
        Ok(Document { text: self.user_policy(user, &name).await?, name })
    }

    /// Reads a managed policy.
    pub(crate) async fn document(&self, policy: Attached) -> Result<Document, Error> {
        Ok(Document { text: self.managed_policy(&policy.arn).await?, name: policy.name })
    }
}

/// Returns the ARN of an identity in the account of the user; `*` stands for every region, or every identity.
pub(crate) fn identity(user_arn: &str, region: &str, name: &str) -> String {
    let mut parts = user_arn.split(':');
    let (partition, account) = (parts.nth(1).unwrap_or("aws"), parts.nth(2).unwrap_or_default());
    format!("arn:{partition}:ses:{region}:{account}:identity/{name}")
}
