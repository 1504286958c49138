//! The operations on managed policies, their versions and their tags.

use super::*;
use crate::account::{EntityType, PolicyScope, PolicyUsage, Tagged};

pub(super) const OPERATIONS: &[Operation] = &[
    op(
        "CreatePolicy",
        "PolicyName* Path PolicyDocument* Description Tags.member.N.Key Tags.member.N.Value",
        Resource::NewPolicy,
        |m, _| {
            Ok(Action::CreatePolicy {
                policy_name: policy_name(m)?,
                path: m.path(&POLICY_PATH)?,
                document: document(m)?,
                description: m.optional("Description", &POLICY_DESCRIPTION)?,
                tags: m.tags()?,
            })
        },
    ),
    op(
        "CreatePolicyVersion",
        "PolicyArn* PolicyDocument* SetAsDefault",
        Resource::Policy,
        |m, _| {
            Ok(Action::CreatePolicyVersion {
                policy_arn: policy_arn(m)?,
                document: document(m)?,
                set_as_default: m.flag("SetAsDefault")?,
            })
        },
    ),
    op("DeletePolicy", "PolicyArn*", Resource::Policy, |m, _| {
        Ok(Action::DeletePolicy { policy_arn: policy_arn(m)? })
    }),
    op("DeletePolicyVersion", "PolicyArn* VersionId*", Resource::Policy, |m, _| {
        Ok(Action::DeletePolicyVersion { policy_arn: policy_arn(m)?, version_id: version_id(m)? })
    }),
    op("GetPolicy", "PolicyArn*", Resource::Policy, |m, _| {
        Ok(Action::GetPolicy { policy_arn: policy_arn(m)? })
    }),
    op("GetPolicyVersion", "PolicyArn* VersionId*", Resource::Policy, |m, _| {
        Ok(Action::GetPolicyVersion { policy_arn: policy_arn(m)?, version_id: version_id(m)? })
    }),
    op(
        "ListEntitiesForPolicy",
        "PolicyArn* EntityFilter PathPrefix PolicyUsageFilter Marker MaxItems",
        Resource::Policy,
        |m, _| {
            Ok(Action::ListEntitiesForPolicy {
                policy_arn: policy_arn(m)?,
                entity: m.one_of("EntityFilter", entity_type)?,
                usage: policy_usage(m)?,
                path_prefix: m.path_prefix(&PATH)?,
                page: m.page()?,
            })
        },
    ),
    op(
        "ListPolicies",
        "Scope OnlyAttached PathPrefix PolicyUsageFilter Marker MaxItems",
        Resource::PoliciesUnderPath,
        |m, _| {
            let scope = m.one_of("Scope", policy_scope)?;
            Ok(Action::ListPolicies {
                scope: scope.unwrap_or(PolicyScope::All),
                only_attached: m.flag("OnlyAttached")?,
                usage: policy_usage(m)?,
                path_prefix: m.path_prefix(&POLICY_PATH_PREFIX)?,
                page: m.page()?,
            })
        },
    ),
    op("ListPolicyTags", "PolicyArn* Marker MaxItems", Resource::Policy, |m, _| {
        Ok(Action::ListTags { tagged: tagged(m)?, page: m.page()? })
    }),
    op("ListPolicyVersions", "PolicyArn* Marker MaxItems", Resource::Policy, |m, _| {
        Ok(Action::ListPolicyVersions { policy_arn: policy_arn(m)?, page: m.page()? })
    }),
    op("SetDefaultPolicyVersion", "PolicyArn* VersionId*", Resource::Policy, |m, _| {
        let version_id = version_id(m)?;
        Ok(Action::SetDefaultPolicyVersion { policy_arn: policy_arn(m)?, version_id })
    }),
    op(
        "TagPolicy",
        "PolicyArn* Tags.member.N.Key* Tags.member.N.Value*",
        Resource::Policy,
        |m, _| Ok(Action::Tag { tagged: tagged(m)?, tags: m.required_tags()? }),
    ),
    op("UntagPolicy", "PolicyArn* TagKeys.member.N*", Resource::Policy, |m, _| {
        Ok(Action::Untag { tagged: tagged(m)?, tag_keys: tag_keys(m)? })
    }),
];

pub(super) fn entity_type(word: &str) -> Option<EntityType> {
    match word {
        "User" => Some(EntityType::User),
        "Role" => Some(EntityType::Role),
        "Group" => Some(EntityType::Group),
        "LocalManagedPolicy" => Some(EntityType::LocalManagedPolicy),
        "AWSManagedPolicy" => Some(EntityType::AwsManagedPolicy),
        _ => None,
    }
}

fn policy_usage(m: &Members) -> Result<Option<PolicyUsage>, ApiRefusal> {
    m.one_of("PolicyUsageFilter", |word| match word {
        "PermissionsPolicy" => Some(PolicyUsage::PermissionsPolicy),
        "PermissionsBoundary" => Some(PolicyUsage::PermissionsBoundary),
        _ => None,
    })
}

fn policy_scope(word: &str) -> Option<PolicyScope> {
    match word {
        "All" => Some(PolicyScope::All),
        "AWS" => Some(PolicyScope::Aws),
        "Local" => Some(PolicyScope::Local),
        _ => None,
    }
}

fn version_id(m: &Members) -> Result<String, ApiRefusal> {
    m.required("VersionId", &POLICY_VERSION_ID)
}

fn tagged(m: &Members) -> Result<Tagged, ApiRefusal> {
    policy_arn(m).map(Tagged::Policy)
}
