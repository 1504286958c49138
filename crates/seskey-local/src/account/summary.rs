//! `GetAccountSummary`: counts and quotas.

use super::{Account, Holder, groups, held, keys, policies, roles, users, versions};

impl Account {
    /// Returns the values by the names of the API, in their order. Entities that cannot exist here count zero.
    pub(super) fn summary(&self) -> Vec<(&'static str, usize)> {
        let root_keys = usize::from(!self.root_user().access_keys.is_empty());
        let versions = self.policies.values().map(|entry| entry.versions.len()).sum();
        vec![
            ("AccessKeysPerUserQuota", keys::ACCESS_KEYS_PER_USER),
            ("AccountAccessKeysPresent", root_keys),
            ("AccountMFAEnabled", 0),
            ("AccountPasswordPresent", 0),
            ("AccountSigningCertificatesPresent", 0),
            ("AssumeRolePolicySizeQuota", roles::TRUST_POLICY_SIZE),
            ("AttachedPoliciesPerGroupQuota", held::ATTACHED_POLICIES),
            ("AttachedPoliciesPerRoleQuota", held::ATTACHED_POLICIES),
            ("AttachedPoliciesPerUserQuota", held::ATTACHED_POLICIES),
            ("GroupPolicySizeQuota", Holder::GROUP_INLINE_SIZE),
            ("Groups", self.groups.len()),
            ("GroupsPerUserQuota", groups::GROUPS_PER_USER),
            ("GroupsQuota", groups::GROUPS_PER_ACCOUNT),
            ("MFADevices", 0),
            ("MFADevicesInUse", 0),
            ("Policies", self.policies.len()),
            ("PoliciesQuota", policies::POLICIES_PER_ACCOUNT),
            ("PolicySizeQuota", policies::POLICY_SIZE),
            ("PolicyVersionsInUse", versions),
            ("RolePolicySizeQuota", Holder::ROLE_INLINE_SIZE),
            ("Roles", self.roles.len()),
            ("RolesQuota", roles::ROLES_PER_ACCOUNT),
            ("UserPolicySizeQuota", Holder::USER_INLINE_SIZE),
            ("Users", self.users.len()),
            ("UsersQuota", users::USERS_PER_ACCOUNT),
            ("VersionsPerPolicyQuota", versions::VERSIONS_PER_POLICY),
        ]
    }
}
