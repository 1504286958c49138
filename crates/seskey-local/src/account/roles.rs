//! Roles. The trust policy of a role says which principals may assume it.

use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::{
    Account, Answer, Folded, Page, Principal, Tag, Tagged, held::Held, identifiers,
    trust::TrustPolicy,
};
use crate::refusal::{ApiRefusal, Conflict, Missing};

/// A role. Source: IAM API Reference, `Role`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)] // the members of the data type
pub struct Role {
    pub path: String,
    pub role_name: String,
    pub role_id: String,
    pub arn: String,
    pub create_date: Timestamp,
    pub assume_role_policy: TrustPolicy,
    pub description: Option<String>,
    pub max_session_duration: SignedDuration,
    /// The ARN of a managed policy.
    pub permissions_boundary: Option<String>,
    pub tags: Vec<Tag>,
}

/// A role to create. Source: IAM API Reference, `CreateRole`.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // the parameters
pub struct NewRole {
    pub role_name: String,
    pub path: String,
    pub assume_role_policy_document: String,
    pub description: Option<String>,
    pub max_session_duration: SignedDuration,
    pub permissions_boundary: Option<String>,
    pub tags: Vec<Tag>,
}

/// Source: IAM User Guide, "IAM and AWS STS quotas".
pub(super) const ROLES_PER_ACCOUNT: usize = 1000;
/// The most characters of a trust policy, by the same source.
pub(super) const TRUST_POLICY_SIZE: usize = 2048;

/// A role with the policies that it holds.
#[derive(Serialize, Deserialize)]
pub(super) struct RoleEntry {
    pub(super) role: Role,
    pub(super) held: Held,
}

impl Account {
    pub(super) fn create_role(
        &mut self,
        new: NewRole,
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> Result<Answer, ApiRefusal> {
        let folded = Folded::new(&new.role_name);
        let assume_role_policy = self.trust_policy(new.assume_role_policy_document)?;
        if self.roles.contains_key(&folded) {
            return Err(ApiRefusal::RoleAlreadyExists(new.role_name));
        }
        if let Some(arn) = &new.permissions_boundary {
            self.attachable_policy(arn)?;
        }
        if self.roles.len() >= ROLES_PER_ACCOUNT {
            return Err(ApiRefusal::LimitExceeded {
                quota: "RolesPerAccount",
                limit: ROLES_PER_ACCOUNT,
            });
        }
        let role = Role {
            arn: self.arn(&format!("role{}{}", new.path, new.role_name)),
            role_id: identifiers::unique_id("AROA", rng),
            create_date: now,
            tags: Tagged::Role(new.role_name.clone()).first(new.tags)?,
            path: new.path,
            role_name: new.role_name,
            assume_role_policy,
            description: new.description,
            max_session_duration: new.max_session_duration,
            permissions_boundary: new.permissions_boundary,
        };
        self.roles.insert(folded, RoleEntry { role: role.clone(), held: Held::default() });
        Ok(Answer::NewRole(role))
    }

    pub(super) fn get_role(&self, role_name: &str) -> Result<Answer, ApiRefusal> {
        Ok(Answer::Role(self.role_entry(role_name)?.role.clone()))
    }

    pub(super) fn list_roles(&self, path_prefix: &str, page: &Page) -> Result<Answer, ApiRefusal> {
        let roles = self.roles.iter().filter(|(_, entry)| entry.role.path.starts_with(path_prefix));
        Ok(Answer::Roles(page.of(roles.map(|(name, entry)| (name, entry.role.clone())))?))
    }

    pub(super) fn update_role(
        &mut self,
        role_name: &str,
        description: Option<String>,
        max_session_duration: Option<SignedDuration>,
    ) -> Result<Answer, ApiRefusal> {
        let role = &mut self.role_entry_mut(role_name)?.role;
        if description.is_some() {
            role.description = description;
        }
        if let Some(duration) = max_session_duration {
            role.max_session_duration = duration;
        }
        Ok(Answer::NoMembers)
    }

    pub(super) fn update_assume_role_policy(
        &mut self,
        role_name: &str,
        document: String,
    ) -> Result<Answer, ApiRefusal> {
        let policy = self.trust_policy(document)?;
        self.role_entry_mut(role_name)?.role.assume_role_policy = policy;
        Ok(Answer::Done)
    }

    /// Deletes a role, and ends its sessions.
    pub(super) fn delete_role(&mut self, role_name: &str) -> Result<Answer, ApiRefusal> {
        let RoleEntry { role, held } = self.role_entry(role_name)?;
        let conflicts = [
            (!held.inline.is_empty(), Conflict::InlinePolicies),
            (!held.attached.is_empty(), Conflict::AttachedPolicies),
        ];
        if let Some((_, conflict)) = conflicts.into_iter().find(|(stands, _)| *stands) {
            return Err(ApiRefusal::DeleteConflict(conflict));
        }
        let name = role.role_name.clone();
        let of_role = |principal: &Principal| matches!(principal, Principal::AssumedRole { role, .. } if *role == name);
        self.end_sessions(of_role);
        self.roles.remove(&Folded::new(role_name));
        Ok(Answer::Done)
    }

    pub(super) fn role_entry(&self, role_name: &str) -> Result<&RoleEntry, ApiRefusal> {
        self.roles.get(&Folded::new(role_name)).ok_or_else(|| no_such_role(role_name))
    }

    pub(super) fn role_entry_mut(&mut self, role_name: &str) -> Result<&mut RoleEntry, ApiRefusal> {
        self.roles.get_mut(&Folded::new(role_name)).ok_or_else(|| no_such_role(role_name))
    }

    /// Returns the role of exactly that ARN.
    pub(super) fn role_of_arn(&self, arn: &str) -> Option<&RoleEntry> {
        let name = arn.rsplit('/').next().unwrap_or_default();
        self.role_entry(name).ok().filter(|entry| entry.role.arn == arn)
    }
}

fn no_such_role(role_name: &str) -> ApiRefusal {
    ApiRefusal::NoSuchEntity(Missing::Role(role_name.to_owned()))
}
