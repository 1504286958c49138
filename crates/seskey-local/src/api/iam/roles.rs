//! The operations on roles, their policies and their tags.

use jiff::SignedDuration;

use super::*;
use crate::{
    account::{NewRole, Tagged},
    refusal::Bounded,
};

pub(super) const OPERATIONS: &[Operation] = &[
    op("AttachRolePolicy", "RoleName* PolicyArn*", Resource::Role, |m, _| attach(m, role(m)?)),
    op(
        "CreateRole",
        "Path RoleName* AssumeRolePolicyDocument* Description MaxSessionDuration PermissionsBoundary \
         Tags.member.N.Key Tags.member.N.Value",
        Resource::NewRole,
        |m, _| {
            Ok(Action::CreateRole(NewRole {
                role_name: role_name(m)?,
                path: m.path(&PATH)?,
                assume_role_policy_document: m
                    .required("AssumeRolePolicyDocument", &POLICY_DOCUMENT)?,
                description: m.optional("Description", &ROLE_DESCRIPTION)?,
                max_session_duration: max_session_duration(m)?
                    .unwrap_or(SignedDuration::from_hours(1)),
                permissions_boundary: m.optional("PermissionsBoundary", &ARN)?,
                tags: m.tags()?,
            }))
        },
    ),
    op("DeleteRole", "RoleName*", Resource::Role, |m, _| {
        Ok(Action::DeleteRole { role_name: role_name(m)? })
    }),
    op("DeleteRolePermissionsBoundary", "RoleName*", Resource::Role, |m, _| {
        Ok(Action::DeletePermissionsBoundary { bounded: Bounded::Role(role_name(m)?) })
    }),
    op("DeleteRolePolicy", "RoleName* PolicyName*", Resource::Role, |m, _| {
        delete_inline(m, role(m)?)
    }),
    op("DetachRolePolicy", "RoleName* PolicyArn*", Resource::Role, |m, _| detach(m, role(m)?)),
    op("GetRole", "RoleName*", Resource::Role, |m, _| {
        Ok(Action::GetRole { role_name: role_name(m)? })
    }),
    op("GetRolePolicy", "RoleName* PolicyName*", Resource::Role, |m, _| get_inline(m, role(m)?)),
    op(
        "ListAttachedRolePolicies",
        "RoleName* PathPrefix Marker MaxItems",
        Resource::Role,
        |m, _| list_attached(m, role(m)?),
    ),
    op("ListInstanceProfilesForRole", "RoleName* Marker MaxItems", Resource::Role, |m, _| {
        m.page()?;
        Ok(Action::ListNone { holder: Some(role(m)?), list: "InstanceProfiles" })
    }),
    op("ListRolePolicies", "RoleName* Marker MaxItems", Resource::Role, |m, _| {
        list_inline(m, role(m)?)
    }),
    op("ListRoleTags", "RoleName* Marker MaxItems", Resource::Role, |m, _| {
        Ok(Action::ListTags { tagged: tagged(m)?, page: m.page()? })
    }),
    op("ListRoles", "PathPrefix Marker MaxItems", Resource::RolesUnderPath, |m, _| {
        Ok(Action::ListRoles { path_prefix: m.path_prefix(&PATH_PREFIX)?, page: m.page()? })
    }),
    op("PutRolePermissionsBoundary", "RoleName* PermissionsBoundary*", Resource::Role, |m, _| {
        Ok(Action::PutPermissionsBoundary {
            bounded: Bounded::Role(role_name(m)?),
            permissions_boundary: m.required("PermissionsBoundary", &ARN)?,
        })
    }),
    op("PutRolePolicy", "RoleName* PolicyName* PolicyDocument*", Resource::Role, |m, _| {
        put_inline(m, role(m)?)
    }),
    op("TagRole", "RoleName* Tags.member.N.Key* Tags.member.N.Value*", Resource::Role, |m, _| {
        Ok(Action::Tag { tagged: tagged(m)?, tags: m.required_tags()? })
    }),
    op("UntagRole", "RoleName* TagKeys.member.N*", Resource::Role, |m, _| {
        Ok(Action::Untag { tagged: tagged(m)?, tag_keys: tag_keys(m)? })
    }),
    op("UpdateAssumeRolePolicy", "RoleName* PolicyDocument*", Resource::Role, |m, _| {
        Ok(Action::UpdateAssumeRolePolicy { role_name: role_name(m)?, document: document(m)? })
    }),
    op("UpdateRole", "RoleName* Description MaxSessionDuration", Resource::Role, |m, _| {
        Ok(Action::UpdateRole {
            role_name: role_name(m)?,
            description: m.optional("Description", &ROLE_DESCRIPTION)?,
            max_session_duration: max_session_duration(m)?,
        })
    }),
];

fn max_session_duration(m: &Members) -> Result<Option<SignedDuration>, ApiRefusal> {
    m.seconds("MaxSessionDuration", 3600, 43_200)
}

fn tagged(m: &Members) -> Result<Tagged, ApiRefusal> {
    role_name(m).map(Tagged::Role)
}
