//! The versions of a managed policy.
//!
//! Source: IAM User Guide, "Versioning IAM policies".

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use seskey::policy::{PolicySource, counted_size};

use super::{
    Account, Answer, Page,
    authority::Document,
    policies::{POLICY_SIZE, PolicyEntry},
};
use crate::refusal::{ApiRefusal, Conflict, Missing};

/// The number of a version, written `v1`. A number is never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VersionId(u32);

/// A version of a managed policy. Source: IAM API Reference, `PolicyVersion`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the members of the data type
pub struct PolicyVersion {
    pub document: String,
    pub version_id: VersionId,
    pub is_default_version: bool,
    pub create_date: Timestamp,
}

/// A version as it is stored.
#[derive(Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) document: Document,
    pub(super) create_date: Timestamp,
}

/// Source: IAM User Guide, "IAM and AWS STS quotas".
pub(super) const VERSIONS_PER_POLICY: usize = 5;

impl VersionId {
    pub(super) const FIRST: Self = Self(1);

    fn parse(text: &str) -> Option<Self> {
        text.strip_prefix('v')?.parse().ok().map(Self)
    }

    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl Account {
    pub(super) fn create_policy_version(
        &mut self,
        arn: &str,
        text: String,
        set_as_default: bool,
        now: Timestamp,
    ) -> Result<Answer, ApiRefusal> {
        let document = managed_document(text, arn)?;
        let entry = self.own_policy_mut(arn)?;
        if entry.versions.len() >= VERSIONS_PER_POLICY {
            return Err(ApiRefusal::VersionsExceeded { limit: VERSIONS_PER_POLICY });
        }
        let id = entry.next_version;
        entry.next_version = id.next();
        entry.policy.update_date = now;
        if set_as_default {
            entry.policy.default_version_id = id;
        }
        entry.versions.insert(id, Version { document, create_date: now });
        Ok(Answer::NewPolicyVersion(entry.version(id)))
    }

    pub(super) fn get_policy_version(
        &self,
        arn: &str,
        version: &str,
    ) -> Result<Answer, ApiRefusal> {
        let entry = self.managed_policy(arn)?;
        Ok(Answer::PolicyVersion(entry.version(entry.find(version)?)))
    }

    /// Lists the versions, the newest first.
    pub(super) fn list_policy_versions(
        &self,
        arn: &str,
        page: &Page,
    ) -> Result<Answer, ApiRefusal> {
        let entry = self.managed_policy(arn)?;
        let newest_first = entry.versions.keys().rev();
        let listed =
            newest_first.map(|&id| (format!("{:010}", u32::MAX - id.0), entry.version(id)));
        Ok(Answer::PolicyVersions(page.of(listed)?))
    }

    pub(super) fn set_default_policy_version(
        &mut self,
        arn: &str,
        version: &str,
    ) -> Result<Answer, ApiRefusal> {
        let entry = self.own_policy_mut(arn)?;
        entry.policy.default_version_id = entry.find(version)?;
        Ok(Answer::Done)
    }

    pub(super) fn delete_policy_version(
        &mut self,
        arn: &str,
        version: &str,
    ) -> Result<Answer, ApiRefusal> {
        let entry = self.own_policy_mut(arn)?;
        let id = entry.find(version)?;
        if id == entry.policy.default_version_id {
            return Err(ApiRefusal::DeleteConflict(Conflict::DefaultVersion));
        }
        entry.versions.remove(&id);
        Ok(Answer::Done)
    }
}

impl PolicyEntry {
    /// Returns the document of the default version.
    pub(super) fn document(&self) -> &Document {
        &self.versions[&self.policy.default_version_id].document
    }

    /// Returns all versions, the newest first.
    pub(super) fn all_versions(&self) -> Vec<PolicyVersion> {
        self.versions.keys().rev().map(|&id| self.version(id)).collect()
    }

    fn version(&self, id: VersionId) -> PolicyVersion {
        let Version { document, create_date } = &self.versions[&id];
        PolicyVersion {
            document: document.text.clone(),
            version_id: id,
            is_default_version: id == self.policy.default_version_id,
            create_date: *create_date,
        }
    }

    fn find(&self, version: &str) -> Result<VersionId, ApiRefusal> {
        let known = VersionId::parse(version).filter(|id| self.versions.contains_key(id));
        known.ok_or_else(|| {
            let (arn, version) = (self.policy.arn.clone(), version.to_owned());
            ApiRefusal::NoSuchEntity(Missing::PolicyVersion { arn, version })
        })
    }
}

/// Parses the document of a managed policy, unless it is too long.
pub(super) fn managed_document(text: String, arn: &str) -> Result<Document, ApiRefusal> {
    let document = Document::parse(text, PolicySource::Managed { arn: arn.to_owned() })?;
    match counted_size(&document.text) {
        0..=POLICY_SIZE => Ok(document),
        _ => Err(ApiRefusal::LimitExceeded { quota: "PolicySize", limit: POLICY_SIZE }),
    }
}
