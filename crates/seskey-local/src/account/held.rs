//! The policies of a user, a group or a role: inline and attached. All three have the same seven actions.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use seskey::policy::{PolicySource, counted_size};

use super::{Account, Answer, AttachedPolicy, Holder, Page, authority::Document};
use crate::refusal::{ApiRefusal, Missing};

/// The policies of a user, a group or a role.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Held {
    /// The inline policies, by name.
    pub(super) inline: BTreeMap<String, Document>,
    /// The ARNs of the attached managed policies.
    pub(super) attached: BTreeSet<String>,
}

/// The most managed policies attached to one user, group or role. Source: IAM User Guide, "IAM and AWS STS quotas".
pub(super) const ATTACHED_POLICIES: usize = 10;

impl Account {
    pub(super) fn put_policy(
        &mut self,
        holder: &Holder,
        policy_name: String,
        document: String,
    ) -> Result<Answer, ApiRefusal> {
        let held = self.held(holder)?;
        let document = Document::parse(document, holder.source_of(&policy_name))?;
        let others = held.inline.iter().filter(|(name, _)| **name != policy_name);
        let size: usize = others.map(|(_, other)| counted_size(&other.text)).sum();
        if size + counted_size(&document.text) > holder.inline_size_limit() {
            let (limit, holder) = (holder.inline_size_limit(), holder.to_string());
            return Err(ApiRefusal::PolicySizeExceeded { limit, holder });
        }
        self.held_mut(holder)?.inline.insert(policy_name, document);
        Ok(Answer::Done)
    }

    pub(super) fn get_inline_policy(
        &self,
        holder: Holder,
        policy_name: String,
    ) -> Result<Answer, ApiRefusal> {
        match self.held(&holder)?.inline.get(&policy_name) {
            Some(document) => {
                let document = document.text.clone();
                Ok(Answer::InlinePolicy { holder, policy_name, document })
            }
            None => Err(holder.no_such_policy(policy_name)),
        }
    }

    pub(super) fn list_inline_policies(
        &self,
        holder: &Holder,
        page: &Page,
    ) -> Result<Answer, ApiRefusal> {
        let names = self.held(holder)?.inline.keys();
        Ok(Answer::PolicyNames(page.of(names.map(|name| (name, name.clone())))?))
    }

    pub(super) fn delete_inline_policy(
        &mut self,
        holder: &Holder,
        policy_name: String,
    ) -> Result<Answer, ApiRefusal> {
        match self.held_mut(holder)?.inline.remove(&policy_name) {
            Some(_) => Ok(Answer::Done),
            None => Err(holder.no_such_policy(policy_name)),
        }
    }

    /// Attaches a policy. A policy that is attached already is no error.
    pub(super) fn attach_policy(
        &mut self,
        holder: &Holder,
        policy_arn: String,
    ) -> Result<Answer, ApiRefusal> {
        let attached = &self.held(holder)?.attached;
        self.attachable_policy(&policy_arn)?;
        if !attached.contains(&policy_arn) && attached.len() >= ATTACHED_POLICIES {
            let quota = match holder {
                Holder::User(_) => "PoliciesPerUser",
                Holder::Group(_) => "PoliciesPerGroup",
                Holder::Role(_) => "PoliciesPerRole",
            };
            return Err(ApiRefusal::LimitExceeded { quota, limit: ATTACHED_POLICIES });
        }
        self.held_mut(holder)?.attached.insert(policy_arn);
        Ok(Answer::Done)
    }

    pub(super) fn detach_policy(
        &mut self,
        holder: &Holder,
        policy_arn: String,
    ) -> Result<Answer, ApiRefusal> {
        match self.held_mut(holder)?.attached.remove(&policy_arn) {
            true => Ok(Answer::Done),
            false => Err(ApiRefusal::NoSuchEntity(Missing::Policy(policy_arn))),
        }
    }

    pub(super) fn list_attached_policies(
        &self,
        holder: &Holder,
        path_prefix: &str,
        page: &Page,
    ) -> Result<Answer, ApiRefusal> {
        let attached = self.held(holder)?.attached.iter().filter_map(|arn| {
            let policy = &self.managed_policy(arn).ok()?.policy;
            let (policy_name, policy_arn) = (policy.policy_name.clone(), arn.clone());
            policy
                .path
                .starts_with(path_prefix)
                .then_some((arn, AttachedPolicy { policy_name, policy_arn }))
        });
        Ok(Answer::AttachedPolicies(page.of(attached)?))
    }

    /// Checks that a managed policy exists, before it is attached or made a permissions boundary.
    pub(super) fn attachable_policy(&self, arn: &str) -> Result<(), ApiRefusal> {
        let missing = |_| ApiRefusal::NoSuchEntity(Missing::AttachablePolicy(arn.to_owned()));
        self.managed_policy(arn).map(drop).map_err(missing)
    }

    pub(super) fn held(&self, holder: &Holder) -> Result<&Held, ApiRefusal> {
        match holder {
            Holder::User(name) => Ok(&self.user_entry(name)?.held),
            Holder::Group(name) => Ok(&self.group_entry(name)?.held),
            Holder::Role(name) => Ok(&self.role_entry(name)?.held),
        }
    }

    fn held_mut(&mut self, holder: &Holder) -> Result<&mut Held, ApiRefusal> {
        match holder {
            Holder::User(name) => Ok(&mut self.user_entry_mut(name)?.held),
            Holder::Group(name) => Ok(&mut self.group_entry_mut(name)?.held),
            Holder::Role(name) => Ok(&mut self.role_entry_mut(name)?.held),
        }
    }
}

impl Holder {
    /// The most characters of all inline policies of a user, without whitespace.
    /// Source: IAM User Guide, "IAM and AWS STS quotas".
    pub(super) const USER_INLINE_SIZE: usize = 2048;
    /// The same for a group.
    pub(super) const GROUP_INLINE_SIZE: usize = 5120;
    /// The same for a role.
    pub(super) const ROLE_INLINE_SIZE: usize = 10_240;

    fn inline_size_limit(&self) -> usize {
        match self {
            Self::User(_) => Self::USER_INLINE_SIZE,
            Self::Group(_) => Self::GROUP_INLINE_SIZE,
            Self::Role(_) => Self::ROLE_INLINE_SIZE,
        }
    }

    pub(super) fn source_of(&self, policy_name: &str) -> PolicySource {
        let name = policy_name.to_owned();
        match self {
            Self::User(_) | Self::Role(_) => PolicySource::Inline { name },
            Self::Group(group) => PolicySource::Group { group: group.clone(), name },
        }
    }

    fn no_such_policy(&self, policy_name: String) -> ApiRefusal {
        ApiRefusal::NoSuchEntity(match self {
            Self::User(_) => Missing::UserPolicy(policy_name),
            Self::Group(_) => Missing::GroupPolicy(policy_name),
            Self::Role(_) => Missing::RolePolicy(policy_name),
        })
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(name) => write!(f, "user {name}"),
            Self::Group(name) => write!(f, "group {name}"),
            Self::Role(name) => write!(f, "role {name}"),
        }
    }
}
