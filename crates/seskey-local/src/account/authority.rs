//! What a principal may do: the only place where the account meets the policy evaluator.

use std::sync::{LazyLock, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use seskey::policy::{
    Decision, MalformedPolicy, MissingAllow, Policy, PolicySource, Request, evaluate,
};

use super::{Account, Principal, held::Held, policies::PolicyEntry, verdict::verdict};
use crate::{mailbox::Verdict, refusal::ApiRefusal};

/// A policy as it was given, and as it is understood once it bears on somebody: that takes many times the memory of the
/// text.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) text: String,
    pub(super) source: PolicySource,
    policy: OnceLock<Policy>,
}

/// A document that bears on somebody, and how it comes to that.
pub(super) type Bearing<'a> = (&'a PolicySource, &'a Document);

impl Document {
    pub(super) fn parse(text: String, source: PolicySource) -> Result<Self, ApiRefusal> {
        let parse = match source {
            PolicySource::Resource { .. } => Policy::parse_resource,
            PolicySource::Managed { .. } => Policy::parse_managed,
            _ => Policy::parse,
        };
        Self::of(text, source, parse)
    }

    /// It may be older than today's rules of what is stored.
    pub(super) fn parse_stored(text: String, source: PolicySource) -> Result<Self, ApiRefusal> {
        let parse = parser_of_stored(&source);
        Self::of(text, source, parse)
    }

    pub(super) fn policy(&self) -> &Policy {
        let parse = parser_of_stored(&self.source);
        self.policy.get_or_init(|| parse(&self.text).expect("it was parsed before"))
    }

    fn of(text: String, source: PolicySource, parse: Parser) -> Result<Self, ApiRefusal> {
        parse(&text).map_err(ApiRefusal::MalformedPolicyDocument)?;
        Ok(Self { text, source, policy: OnceLock::new() })
    }
}

type Parser = fn(&str) -> Result<Policy, MalformedPolicy>;

fn parser_of_stored(source: &PolicySource) -> Parser {
    match source {
        PolicySource::Resource { .. } => Policy::parse_stored_resource,
        _ => Policy::parse_stored,
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
        Self::parse_stored(text, source).map_err(D::Error::custom)
    }
}

impl Account {
    /// Decides whether a principal may do something: by the inline and attached policies of the user and of its
    /// groups, or of the role, and within its permissions boundary and the policy of its session; whether it may take
    /// on a role, by the trust policy of that role too. The root user may do everything; who is not there, nothing.
    pub fn decide(&self, principal: &Principal, request: &Request<'_>) -> Decision<'_> {
        let own = decided(self.policies_of_principal(principal), request);
        if !request.action.eq_ignore_ascii_case("sts:AssumeRole") {
            return own;
        }
        let Some(entry) = self.role_of_arn(request.resource) else {
            return Decision::ImplicitDeny { missing: MissingAllow::IdentityPolicy };
        };
        let decision =
            self.decide_to_assume(&entry.role.assume_role_policy, principal, own, request);
        match principal {
            // what a trust policy gives to a role is bounded, what it gives to a user is not
            Principal::AssumedRole { role, access_key_id, .. } if decision.is_allowed() => {
                let mut bounds = self.policies_of_session(role, access_key_id);
                bounds.retain(|(source, _)| matches!(source, PolicySource::Boundary { .. }));
                bounds.push((&ROOT.source, &*ROOT));
                decided(bounds, request)
            }
            _ => decision,
        }
    }

    /// What that decision says, if it does not allow.
    pub(crate) fn verdict(&self, principal: &Principal, decision: Decision<'_>) -> Option<Verdict> {
        verdict(&self.policies_of_principal(principal), decision)
    }

    /// All policies that bear on a principal, those that bound it among them.
    pub(super) fn policies_of_principal(&self, principal: &Principal) -> Vec<Bearing<'_>> {
        match principal {
            Principal::Root => vec![(&ROOT.source, &*ROOT)],
            Principal::User(name) => self.policies_of_user(name),
            Principal::AssumedRole { role, access_key_id, .. } => {
                self.policies_of_session(role, access_key_id)
            }
        }
    }

    /// All policies that bear on a user, its permissions boundary among them.
    pub(super) fn policies_of_user(&self, user_name: &str) -> Vec<Bearing<'_>> {
        let Ok(entry) = self.user_entry(user_name) else { return Vec::new() };
        let of_groups = entry.groups.iter().filter_map(|name| self.groups.get(name));
        let held = std::iter::once(&entry.held).chain(of_groups.map(|entry| &entry.held));
        let policies = held.flat_map(|held| self.policies_of(held));
        policies.chain(self.boundary(entry.user.permissions_boundary.as_deref())).collect()
    }

    /// All policies that bear on a role, its permissions boundary among them.
    pub(super) fn policies_of_role(&self, role_name: &str) -> Vec<Bearing<'_>> {
        let Ok(entry) = self.role_entry(role_name) else { return Vec::new() };
        let boundary = self.boundary(entry.role.permissions_boundary.as_deref());
        self.policies_of(&entry.held).chain(boundary).collect()
    }

    fn policies_of_session(&self, role_name: &str, access_key_id: &str) -> Vec<Bearing<'_>> {
        let Some(session) = self.temporary_credentials.get(access_key_id) else {
            return Vec::new();
        };
        let own = session.policy.as_ref().map(|document| (&document.source, document));
        self.policies_of_role(role_name).into_iter().chain(own).collect()
    }

    fn boundary(&self, arn: Option<&str>) -> Option<Bearing<'_>> {
        let entry = self.managed_policy(arn?).ok()?;
        Some((&entry.as_boundary, entry.document()))
    }

    /// What a user, a group or a role holds of its own, inline before attached.
    pub(super) fn policies_of<'a>(&'a self, held: &'a Held) -> impl Iterator<Item = Bearing<'a>> {
        let attached = held.attached.iter().filter_map(|arn| self.managed_policy(arn).ok());
        let documents = held.inline.values().chain(attached.map(PolicyEntry::document));
        documents.map(|document| (&document.source, document))
    }
}

pub(super) fn decided<'a>(policies: Vec<Bearing<'a>>, request: &Request<'_>) -> Decision<'a> {
    evaluate(policies.into_iter().map(|(source, document)| (source, document.policy())), request)
}

static ROOT: LazyLock<Document> = LazyLock::new(|| {
    let everything =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let source = PolicySource::Inline { name: "root user".into() };
    Document::parse(everything.into(), source)
        .expect("a policy that allows everything is well-formed")
});

#[cfg(test)]
mod tests {
    use super::*;

    /// As it is understood, a policy may have eighty times the bytes of its text.
    #[test]
    fn a_policy_that_bears_on_nobody_is_kept_as_its_text() {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
        let document = Document::parse(text.into(), PolicySource::Inline { name: "p".into() });
        let document = document.expect("it is well-formed");
        assert!(document.policy.get().is_none());
        assert!(document.policy().may_deny("ses:SendRawEmail"));
    }
}
