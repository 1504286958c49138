//! Customer managed policies, with one version each.

use jiff::Timestamp;
use rand::Rng;
use serde::{Deserialize, Serialize};
use seskey::policy::{PolicySource, counted_size};

use super::{
    Account, Answer, Folded, Page, PolicyScope, Tag, authority::Document, identifiers, users,
};
use crate::refusal::{Conflict, Missing, Refusal};

/// A managed policy. Source: IAM API Reference, `Policy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the members of the data type
pub struct ManagedPolicy {
    pub policy_name: String,
    pub policy_id: String,
    pub arn: String,
    pub path: String,
    pub attachment_count: usize,
    pub permissions_boundary_usage_count: usize,
    pub description: Option<String>,
    pub create_date: Timestamp,
    pub tags: Vec<Tag>,
}

impl ManagedPolicy {
    /// The one version that a policy has here.
    pub const VERSION_ID: &str = "v1";
}

/// Source: IAM User Guide, "IAM and AWS STS quotas".
pub(super) const POLICIES_PER_ACCOUNT: usize = 1500;
pub(super) const POLICY_SIZE: usize = 6144;

/// A policy with its document, once as it grants and once as it bounds.
#[derive(Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) policy: ManagedPolicy,
    pub(super) document: Document,
    pub(super) as_boundary: PolicySource,
}

impl Account {
    #[expect(clippy::too_many_arguments, reason = "the parameters of the API")]
    pub(super) fn create_policy(
        &mut self,
        policy_name: String,
        path: String,
        document: String,
        description: Option<String>,
        tags: Vec<Tag>,
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> Result<Answer, Refusal> {
        let folded = Folded::new(&policy_name);
        let arn = self.arn(&format!("policy{path}{policy_name}"));
        let document = Document::parse(document, PolicySource::Managed { arn: arn.clone() })?;
        if self.policies.contains_key(&folded) {
            return Err(Refusal::PolicyAlreadyExists(policy_name));
        }
        if counted_size(&document.text) > POLICY_SIZE {
            return Err(Refusal::LimitExceeded { quota: "PolicySize", limit: POLICY_SIZE });
        }
        if self.policies.len() >= POLICIES_PER_ACCOUNT {
            return Err(Refusal::LimitExceeded {
                quota: "PoliciesPerAccount",
                limit: POLICIES_PER_ACCOUNT,
            });
        }
        let policy = ManagedPolicy {
            policy_id: identifiers::unique_id("ANPA", rng),
            attachment_count: 0,
            permissions_boundary_usage_count: 0,
            create_date: now,
            tags: users::tagged(&[], tags)?,
            arn: arn.clone(),
            policy_name,
            path,
            description,
        };
        let as_boundary = PolicySource::Boundary { arn };
        self.policies.insert(folded, Entry { policy: policy.clone(), document, as_boundary });
        Ok(Answer::Policy(policy))
    }

    pub(super) fn get_policy(&self, policy_arn: String) -> Result<Answer, Refusal> {
        Ok(Answer::Policy(self.counted(&self.managed_policy(&policy_arn)?.policy)))
    }

    pub(super) fn get_policy_version(
        &self,
        arn: String,
        version: String,
    ) -> Result<Answer, Refusal> {
        let entry = self.managed_policy(&arn)?;
        if version != ManagedPolicy::VERSION_ID {
            return Err(Refusal::NoSuchEntity(Missing::PolicyVersion { arn, version }));
        }
        Ok(Answer::PolicyVersion {
            document: entry.document.text.clone(),
            create_date: entry.policy.create_date,
        })
    }

    pub(super) fn delete_policy(&mut self, policy_arn: String) -> Result<Answer, Refusal> {
        let policy = self.counted(&self.managed_policy(&policy_arn)?.policy);
        if policy.attachment_count + policy.permissions_boundary_usage_count > 0 {
            return Err(Refusal::DeleteConflict(Conflict::Attachments));
        }
        self.policies.remove(&Folded::new(&policy.policy_name));
        Ok(Answer::Done)
    }

    pub(super) fn list_policies(
        &self,
        scope: PolicyScope,
        only_attached: bool,
        path_prefix: &str,
        page: &Page,
    ) -> Result<Answer, Refusal> {
        let policies =
            self.policies.iter().map(|(name, entry)| (name, self.counted(&entry.policy)));
        let wanted = policies.filter(|(_, policy)| {
            scope != PolicyScope::Aws
                && policy.path.starts_with(path_prefix)
                && (!only_attached || policy.attachment_count > 0)
        });
        Ok(Answer::Policies(page.of(wanted)?))
    }

    /// The managed policy of that ARN, to the letter.
    pub(super) fn managed_policy(&self, arn: &str) -> Result<&Entry, Refusal> {
        let name = arn.rsplit('/').next().unwrap_or_default();
        let entry = self.policies.get(&Folded::new(name)).filter(|entry| entry.policy.arn == arn);
        entry.ok_or_else(|| Refusal::NoSuchEntity(Missing::Policy(arn.to_owned())))
    }

    /// The policy with the counts of today.
    fn counted(&self, policy: &ManagedPolicy) -> ManagedPolicy {
        let held = self
            .users
            .values()
            .map(|entry| &entry.held)
            .chain(self.groups.values().map(|entry| &entry.held));
        let bounded = self
            .users
            .values()
            .filter(|entry| entry.user.permissions_boundary.as_ref() == Some(&policy.arn));
        ManagedPolicy {
            attachment_count: held.filter(|held| held.attached.contains(&policy.arn)).count(),
            permissions_boundary_usage_count: bounded.count(),
            ..policy.clone()
        }
    }
}
