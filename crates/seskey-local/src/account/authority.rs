//! Authorization: the decision whether a principal may do something.

use std::sync::{LazyLock, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use seskey::policy::{
    Decision, MalformedPolicy, MissingAllow, Policy, PolicySource, Request, evaluate,
};

use super::{Account, Principal, held::Held, policies::PolicyEntry, verdict::verdict};
use crate::{mailbox::Verdict, refusal::ApiRefusal};

/// A policy as text, parsed when it first applies to a principal: the parsed form takes many times the memory of the
/// text.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) text: String,
    pub(super) source: PolicySource,
    policy: OnceLock<Policy>,
}

/// A document that applies to a principal, with its source.
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

    /// Parses a stored document, which may be older than today's rules for new ones.
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

/// A document is stored as it was given, and is parsed again.
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
    /// Decides whether a principal may do something: by the inline and attached policies of the user and its groups, or
    /// of the role, within the permissions boundary and the session policy; for `sts:AssumeRole` also by the trust
    /// policy of the role. The root user may do everything; a principal that does not exist, nothing.
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
            // the permissions boundary limits what a trust policy grants to a role, not what it grants to a user
            Principal::AssumedRole { role, access_key_id, .. } if decision.is_allowed() => {
                let mut bounds = self.policies_of_session(role, access_key_id);
                bounds.retain(|(source, _)| matches!(source, PolicySource::Boundary { .. }));
                bounds.push((&ROOT.source, &*ROOT));
                decided(bounds, request)
            }
            _ => decision,
        }
    }

    /// Returns the verdict of that decision, if it does not allow.
    pub(crate) fn verdict(&self, principal: &Principal, decision: Decision<'_>) -> Option<Verdict> {
        verdict(&self.policies_of_principal(principal), decision)
    }

    /// Returns all policies that apply to a principal, including those that limit it.
    pub(super) fn policies_of_principal(&self, principal: &Principal) -> Vec<Bearing<'_>> {
        match principal {
            Principal::Root => vec![(&ROOT.source, &*ROOT)],
            Principal::User(name) => self.policies_of_user(name),
            Principal::AssumedRole { role, access_key_id, .. } => {
                self.policies_of_session(role, access_key_id)
            }
        }
    }

    /// Returns all policies that apply to a user, including its permissions boundary.
    pub(super) fn policies_of_user(&self, user_name: &str) -> Vec<Bearing<'_>> {
        let Ok(entry) = self.user_entry(user_name) else { return Vec::new() };
        let of_groups = entry.groups.iter().filter_map(|name| self.groups.get(name));
        let held = std::iter::once(&entry.held).chain(of_groups.map(|entry| &entry.held));
        let policies = held.flat_map(|held| self.policies_of(held));
        policies.chain(self.boundary(entry.user.permissions_boundary.as_deref())).collect()
    }

    /// Returns all policies that apply to a role, including its permissions boundary.
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

    /// Returns the policies of a user, a group or a role itself, inline before attached.
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

    /// A policy is not parsed before it is used: the parsed form may have eighty times the bytes of the text.
    #[test]
    fn a_policy_that_bears_on_nobody_is_kept_as_its_text() {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
        let document = Document::parse(text.into(), PolicySource::Inline { name: "p".into() });
        let document = document.expect("it is well-formed");
        assert!(document.policy.get().is_none());
        assert!(document.policy().may_deny("ses:SendRawEmail"));
    }
}
