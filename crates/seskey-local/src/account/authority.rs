//! What a principal may do: the only place where the account meets the policy evaluator.

use std::sync::LazyLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use seskey::policy::{Decision, Policy, PolicySource, Request, evaluate};

use super::{Account, Principal, held::Held};
use crate::refusal::Refusal;

/// A policy as it was given and as it is understood.
pub(super) struct Document {
    pub(super) text: String,
    pub(super) source: PolicySource,
    pub(super) policy: Policy,
}

impl Document {
    pub(super) fn parse(text: String, source: PolicySource) -> Result<Self, Refusal> {
        match Policy::parse(&text) {
            Ok(policy) => Ok(Self { text, source, policy }),
            Err(_) => Err(Refusal::MalformedPolicyDocument),
        }
    }
}

/// A document is kept as it was given, and is parsed again.
impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.text, &self.source).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (text, source) = Deserialize::deserialize(deserializer)?;
        Self::parse(text, source).map_err(D::Error::custom)
    }
}

impl Account {
    /// Decides whether a principal may do something: by the inline and attached policies of the user and of its
    /// groups, and within its permissions boundary. The root user may do everything; a user who is not there, nothing.
    pub fn decide(&self, principal: &Principal, request: &Request<'_>) -> Decision<'_> {
        match principal {
            Principal::Root => evaluate([(&ROOT.source, &ROOT.policy)], request),
            Principal::User(name) => evaluate(self.policies_of_user(name), request),
        }
    }

    /// All policies that bear on a user, its permissions boundary among them.
    pub(super) fn policies_of_user(&self, user_name: &str) -> Vec<(&PolicySource, &Policy)> {
        let Ok(entry) = self.user_entry(user_name) else { return Vec::new() };
        let of_groups = entry.groups.iter().filter_map(|name| self.groups.get(name));
        let held = std::iter::once(&entry.held).chain(of_groups.map(|entry| &entry.held));
        let mut policies: Vec<_> = held.flat_map(|held| self.policies_of(held)).collect();
        if let Some(entry) =
            entry.user.permissions_boundary.as_ref().and_then(|arn| self.managed_policy(arn).ok())
        {
            policies.push((&entry.as_boundary, &entry.document.policy));
        }
        policies
    }

    /// What a user or a group holds of its own, inline before attached.
    pub(super) fn policies_of<'a>(
        &'a self,
        held: &'a Held,
    ) -> impl Iterator<Item = (&'a PolicySource, &'a Policy)> {
        let attached = held.attached.iter().filter_map(|arn| self.managed_policy(arn).ok());
        let documents = held.inline.values().chain(attached.map(|entry| &entry.document));
        documents.map(|document| (&document.source, &document.policy))
    }
}

static ROOT: LazyLock<Document> = LazyLock::new(|| {
    let everything =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let source = PolicySource::Inline { name: "root user".into() };
    Document::parse(everything.into(), source)
        .expect("a policy that allows everything is well-formed")
});
