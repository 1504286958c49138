//! The texts of what is in a refusal.

use std::fmt;

use super::{Conflict, Constraint, Denial, Missing};
use crate::account::Bounded;

impl Denial {
    pub(super) fn reason(self, action: &str) -> String {
        let kind = match self {
            Self::Unexplained => return String::new(),
            Self::Explicit => return " with an explicit deny".to_owned(),
            Self::NoIdentityPolicy => "identity-based policy",
            Self::PermissionsBoundary => "permissions boundary",
            Self::SessionPolicy => "session policy",
        };
        format!(" because no {kind} allows the {action} action")
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(f, "The user with name {name} cannot be found."),
            Self::Group(name) => write!(f, "The group with name {name} cannot be found."),
            Self::UserPolicy(name) => {
                write!(f, "The user policy with name {name} cannot be found.")
            }
            Self::GroupPolicy(name) => {
                write!(f, "The group policy with name {name} cannot be found.")
            }
            Self::Role(name) => write!(f, "The role with name {name} cannot be found."),
            Self::RolePolicy(name) => {
                write!(f, "The role policy with name {name} cannot be found.")
            }
            Self::PermissionsBoundary(Bounded::User(name)) => {
                write!(f, "User {name} does not have a permissions boundary.")
            }
            Self::PermissionsBoundary(Bounded::Role(name)) => {
                write!(f, "Role {name} does not have a permissions boundary.")
            }
            Self::ServiceSpecificCredential(id) => {
                write!(f, "No such credential {id} exists")
            }
            Self::AccessKey(id) => write!(f, "The Access Key with id {id} cannot be found."),
            Self::Policy(arn) => write!(f, "Policy {arn} was not found."),
            Self::AttachablePolicy(arn) => {
                write!(f, "Policy {arn} does not exist or is not attachable.")
            }
            Self::PolicyVersion { arn, version } => {
                write!(f, "Policy {arn} version {version} does not exist or is not attachable.")
            }
            Self::Membership { user, group } => write!(f, "User {user} is not in group {group}."),
            Self::LoginProfile(user) => write!(f, "Login Profile for User {user} cannot be found."),
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessKeys => "Cannot delete entity, must delete access keys first.",
            Self::LoginProfile => "Cannot delete entity, must delete login profile first.",
            Self::ServiceSpecificCredentials => {
                "Cannot delete entity, must delete service specific credentials first."
            }
            Self::InlinePolicies => "Cannot delete entity, must delete policies first.",
            Self::AttachedPolicies => "Cannot delete entity, must detach all policies first.",
            Self::GroupMembership => "Cannot delete entity, must remove users from group first.",
            Self::Attachments => "Cannot delete a policy attached to entities.",
            Self::PolicyVersions => {
                "This policy has more than one version. Before you delete a policy, you must delete the policy's \
                 versions. The default version is deleted with the policy."
            }
            Self::DefaultVersion => "Cannot delete the default version of a policy.",
        })
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Required => write!(f, "Member must not be null"),
            Self::MinLength(n) => write!(f, "Member must have length greater than or equal to {n}"),
            Self::MaxLength(n) => write!(f, "Member must have length less than or equal to {n}"),
            Self::Pattern(pattern) => {
                write!(f, "Member must satisfy regular expression pattern: {pattern}")
            }
            Self::OneOf(values) => write!(f, "Member must satisfy enum value set: [{values}]"),
            Self::AtLeast(n) => write!(f, "Member must have value greater than or equal to {n}"),
            Self::AtMost(n) => write!(f, "Member must have value less than or equal to {n}"),
            Self::Unknown(operation) => {
                write!(f, "Member must be one that {operation} takes here")
            }
            Self::Marker => write!(f, "Member must be a marker of an earlier answer"),
        }
    }
}

pub(super) fn null(constraint: &Constraint) -> &'static str {
    match constraint {
        Constraint::Required => " null",
        _ => "",
    }
}
