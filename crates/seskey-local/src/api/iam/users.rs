//! The operations on users, their policies and their tags.

use seskey::Secret;

use super::*;
use crate::{account::Tagged, refusal::Bounded};

pub(super) const OPERATIONS: &[Operation] = &[
    op("AttachUserPolicy", "UserName* PolicyArn*", Resource::User, |m, _| attach(m, user(m)?)),
    op(
        "CreateLoginProfile",
        "UserName Password* PasswordResetRequired",
        Resource::User,
        |m, caller| {
            Ok(Action::CreateLoginProfile {
                user_name: m.user_name_or(caller)?,
                password: Secret::new(m.required("Password", &PASSWORD)?),
                password_reset_required: m.flag("PasswordResetRequired")?,
            })
        },
    ),
    op(
        "CreateUser",
        "Path UserName* PermissionsBoundary Tags.member.N.Key Tags.member.N.Value",
        Resource::NewUser,
        |m, _| {
            Ok(Action::CreateUser {
                user_name: m.required("UserName", &USER_NAME)?,
                path: m.path(&PATH)?,
                permissions_boundary: m.optional("PermissionsBoundary", &ARN)?,
                tags: m.tags()?,
            })
        },
    ),
    op("DeleteLoginProfile", "UserName", Resource::User, |m, caller| {
        Ok(Action::DeleteLoginProfile { user_name: m.user_name_or(caller)? })
    }),
    op("DeleteUser", "UserName*", Resource::User, |m, _| {
        Ok(Action::DeleteUser { user_name: m.user_name()? })
    }),
    op("DeleteUserPermissionsBoundary", "UserName*", Resource::User, |m, _| {
        Ok(Action::DeletePermissionsBoundary { bounded: Bounded::User(m.user_name()?) })
    }),
    op("DeleteUserPolicy", "UserName* PolicyName*", Resource::User, |m, _| {
        delete_inline(m, user(m)?)
    }),
    op("DetachUserPolicy", "UserName* PolicyArn*", Resource::User, |m, _| detach(m, user(m)?)),
    op("GetLoginProfile", "UserName", Resource::User, |m, caller| {
        Ok(Action::GetLoginProfile { user_name: m.user_name_or(caller)? })
    }),
    op("GetUser", "UserName", Resource::User, |m, caller| {
        Ok(Action::GetUser { principal: m.user_or(caller)? })
    }),
    op("GetUserPolicy", "UserName* PolicyName*", Resource::User, |m, _| get_inline(m, user(m)?)),
    op(
        "ListAttachedUserPolicies",
        "UserName* PathPrefix Marker MaxItems",
        Resource::User,
        |m, _| list_attached(m, user(m)?),
    ),
    op("ListMFADevices", "UserName Marker MaxItems", Resource::User, |m, caller| {
        none(m, caller, "MFADevices")
    }),
    op("ListSSHPublicKeys", "UserName Marker MaxItems", Resource::User, |m, caller| {
        none(m, caller, "SSHPublicKeys")
    }),
    op("ListSigningCertificates", "UserName Marker MaxItems", Resource::User, |m, caller| {
        none(m, caller, "Certificates")
    }),
    op("ListUserPolicies", "UserName* Marker MaxItems", Resource::User, |m, _| {
        list_inline(m, user(m)?)
    }),
    op("ListUserTags", "UserName* Marker MaxItems", Resource::User, |m, _| {
        Ok(Action::ListTags { tagged: tagged(m)?, page: m.page()? })
    }),
    op("ListUsers", "PathPrefix Marker MaxItems", Resource::UsersUnderPath, |m, _| {
        Ok(Action::ListUsers { path_prefix: m.path_prefix(&PATH_PREFIX)?, page: m.page()? })
    }),
    op("PutUserPermissionsBoundary", "UserName* PermissionsBoundary*", Resource::User, |m, _| {
        Ok(Action::PutPermissionsBoundary {
            bounded: Bounded::User(m.user_name()?),
            permissions_boundary: m.required("PermissionsBoundary", &ARN)?,
        })
    }),
    op("PutUserPolicy", "UserName* PolicyName* PolicyDocument*", Resource::User, |m, _| {
        put_inline(m, user(m)?)
    }),
    op("TagUser", "UserName* Tags.member.N.Key* Tags.member.N.Value*", Resource::User, |m, _| {
        Ok(Action::Tag { tagged: tagged(m)?, tags: m.required_tags()? })
    }),
    op("UntagUser", "UserName* TagKeys.member.N*", Resource::User, |m, _| {
        Ok(Action::Untag { tagged: tagged(m)?, tag_keys: tag_keys(m)? })
    }),
    op("UpdateUser", "UserName* NewPath NewUserName", Resource::RenamedUser, |m, _| {
        Ok(Action::UpdateUser {
            user_name: m.user_name()?,
            new_path: m.optional("NewPath", &PATH)?,
            new_user_name: m.optional("NewUserName", &USER_NAME)?,
        })
    }),
];

fn tagged(m: &Members) -> Result<Tagged, ApiRefusal> {
    m.user_name().map(Tagged::User)
}

fn none(m: &Members, caller: &Principal, list: &'static str) -> Result<Action, ApiRefusal> {
    m.page()?;
    let holder = m.user_or(caller)?.user_name().map(|name| Holder::User(name.to_owned()));
    Ok(Action::ListNone { holder, list })
}
