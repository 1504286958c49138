//! The managed policies of the account, and the uses of them and of AWS's own.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rand::Rng;
use serde::{Deserialize, Serialize};
use seskey::policy::PolicySource;

use super::{
    Account, Answer, Folded, Page, PolicyScope, PolicyUsage, Tag, Tagged, aws_managed, identifiers,
    versions::{Version, VersionId, managed_document},
};
use crate::refusal::{ApiRefusal, Conflict, Missing};

/// A managed policy. Source: IAM API Reference, `Policy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the members of the data type
pub struct ManagedPolicy {
    pub policy_name: String,
    pub policy_id: String,
    pub arn: String,
    pub path: String,
    pub default_version_id: VersionId,
    pub attachment_count: usize,
    pub permissions_boundary_usage_count: usize,
    pub description: Option<String>,
    pub create_date: Timestamp,
    /// The time when the newest version was created.
    pub update_date: Timestamp,
    pub tags: Vec<Tag>,
}

/// Source: IAM User Guide, "IAM and AWS STS quotas".
pub(super) const POLICIES_PER_ACCOUNT: usize = 1500;
pub(super) const POLICY_SIZE: usize = 6144;

/// A policy with its versions. Its counts are always zero.
#[derive(Serialize, Deserialize)]
pub(super) struct PolicyEntry {
    pub(super) policy: ManagedPolicy,
    /// The versions, always including the default one.
    pub(super) versions: BTreeMap<VersionId, Version>,
    pub(super) next_version: VersionId,
    pub(super) as_boundary: PolicySource,
}

/// The numbers of entities with a policy attached, and with it as their permissions boundary.
#[derive(Default, Clone, Copy)]
pub(super) struct Usage {
    attached: usize,
    bounds: usize,
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
    ) -> Result<Answer, ApiRefusal> {
        let folded = Folded::new(&policy_name);
        let arn = self.arn(&format!("policy{path}{policy_name}"));
        let document = managed_document(document, &arn)?;
        if self.policies.contains_key(&folded) {
            return Err(ApiRefusal::PolicyAlreadyExists(policy_name));
        }
        if self.policies.len() >= POLICIES_PER_ACCOUNT {
            return Err(ApiRefusal::LimitExceeded {
                quota: "PoliciesPerAccount",
                limit: POLICIES_PER_ACCOUNT,
            });
        }
        let policy = ManagedPolicy {
            policy_id: identifiers::unique_id("ANPA", rng),
            default_version_id: VersionId::FIRST,
            attachment_count: 0,
            permissions_boundary_usage_count: 0,
            create_date: now,
            update_date: now,
            tags: Tagged::Policy(arn.clone()).first(tags)?,
            arn: arn.clone(),
            policy_name,
            path,
            description,
        };
        let entry = PolicyEntry {
            policy: policy.clone(),
            versions: BTreeMap::from([(VersionId::FIRST, Version { document, create_date: now })]),
            next_version: VersionId::FIRST.next(),
            as_boundary: PolicySource::Boundary { arn },
        };
        self.policies.insert(folded, entry);
        Ok(Answer::NewPolicy(policy))
    }

    pub(super) fn get_policy(&self, policy_arn: &str) -> Result<Answer, ApiRefusal> {
        let policy = &self.managed_policy(policy_arn)?.policy;
        Ok(Answer::Policy(self.usages().count(policy)))
    }

    pub(super) fn delete_policy(&mut self, policy_arn: &str) -> Result<Answer, ApiRefusal> {
        let used = self.usages().of(policy_arn);
        let entry = self.own_policy_mut(policy_arn)?;
        if used.attached + used.bounds > 0 {
            return Err(ApiRefusal::DeleteConflict(Conflict::Attachments));
        }
        if entry.versions.len() > 1 {
            return Err(ApiRefusal::DeleteConflict(Conflict::PolicyVersions));
        }
        let name = Folded::new(&entry.policy.policy_name);
        self.policies.remove(&name);
        Ok(Answer::Done)
    }

    pub(super) fn list_policies(
        &self,
        scope: PolicyScope,
        only_attached: bool,
        usage: Option<PolicyUsage>,
        path_prefix: &str,
        page: &Page,
    ) -> Result<Answer, ApiRefusal> {
        let mut entries: Vec<&PolicyEntry> = Vec::new();
        if scope != PolicyScope::Aws {
            entries.extend(self.policies.values());
        }
        if scope != PolicyScope::Local {
            entries.extend(aws_managed::policies(self.partition));
        }
        let usages = self.usages();
        // a policy of the account may have the same name as one of AWS
        let listed: BTreeMap<String, ManagedPolicy> = entries
            .into_iter()
            .filter(|entry| entry.policy.path.starts_with(path_prefix))
            .filter(|entry| match (usage, usages.of(&entry.policy.arn)) {
                (None, used) => !only_attached || used.attached > 0,
                (Some(PolicyUsage::PermissionsPolicy), used) => used.attached > 0,
                (Some(PolicyUsage::PermissionsBoundary), used) => used.bounds > 0,
            })
            .map(|entry| {
                let policy = usages.count(&entry.policy);
                (format!("{} {}", policy.policy_name.to_ascii_lowercase(), policy.arn), policy)
            })
            .collect();
        Ok(Answer::Policies(page.of(listed)?))
    }

    /// Returns the managed policy of exactly that ARN, including AWS's own.
    pub(super) fn managed_policy(&self, arn: &str) -> Result<&PolicyEntry, ApiRefusal> {
        let own = self.policies.get(&named_in(arn)).filter(|entry| entry.policy.arn == arn);
        own.or_else(|| aws_managed::policies(self.partition).find(|entry| entry.policy.arn == arn))
            .ok_or_else(|| no_such_policy(arn))
    }

    /// Returns a policy that the account may change.
    pub(super) fn own_policy_mut(&mut self, arn: &str) -> Result<&mut PolicyEntry, ApiRefusal> {
        if aws_managed::policies(self.partition).any(|entry| entry.policy.arn == arn) {
            return Err(ApiRefusal::OutsideAccount);
        }
        let own = self.policies.get_mut(&named_in(arn)).filter(|entry| entry.policy.arn == arn);
        own.ok_or_else(|| no_such_policy(arn))
    }

    /// Counts the current uses of all managed policies.
    pub(super) fn usages(&self) -> Usages<'_> {
        let users = self.users.values().map(|it| (&it.held, &it.user.permissions_boundary));
        let groups = self.groups.values().map(|it| (&it.held, &None));
        let roles = self.roles.values().map(|it| (&it.held, &it.role.permissions_boundary));
        let mut usages = Usages::default();
        for (held, boundary) in users.chain(groups).chain(roles) {
            for arn in &held.attached {
                usages.0.entry(arn).or_default().attached += 1;
            }
            if let Some(arn) = boundary {
                usages.0.entry(arn).or_default().bounds += 1;
            }
        }
        usages
    }
}

/// The uses of managed policies, by ARN.
#[derive(Default)]
pub(super) struct Usages<'a>(BTreeMap<&'a str, Usage>);

impl Usages<'_> {
    pub(super) fn is_used(&self, arn: &str) -> bool {
        self.0.contains_key(arn)
    }

    /// Returns the policy with its current counts.
    pub(super) fn count(&self, policy: &ManagedPolicy) -> ManagedPolicy {
        let Usage { attached, bounds } = self.of(&policy.arn);
        ManagedPolicy {
            attachment_count: attached,
            permissions_boundary_usage_count: bounds,
            ..policy.clone()
        }
    }

    fn of(&self, arn: &str) -> Usage {
        self.0.get(arn).copied().unwrap_or_default()
    }
}

fn named_in(arn: &str) -> Folded {
    Folded::new(arn.rsplit('/').next().unwrap_or_default())
}

fn no_such_policy(arn: &str) -> ApiRefusal {
    ApiRefusal::NoSuchEntity(Missing::Policy(arn.to_owned()))
}
