//! The texts of the parts of a refusal.

use std::fmt;

use seskey::policy::{Fault, MalformedPolicy};

use super::{Bounded, Conflict, Constraint, Denial, Missing};

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
            Self::Service(name) => {
                write!(f, "No such service {name} is supported for Service Specific Credentials")
            }
            Self::PasswordPolicy { account } => {
                write!(f, "The Password Policy with domain name {account} cannot be found.")
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
                "Cannot delete entity, must remove referenced objects first."
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
            Self::Form(form) => f.write_str(form),
            Self::OneOf => write!(f, "Member must satisfy enum value set"),
            Self::AtLeast(n) => write!(f, "Member must have value greater than or equal to {n}"),
            Self::AtMost(n) => write!(f, "Member must have value less than or equal to {n}"),
            Self::Unknown(operation) => {
                write!(f, "Member must be one that {operation} takes here")
            }
            Self::Marker => write!(f, "Invalid Marker."),
        }
    }
}

/// Returns the text for a refused parameter. IAM has two forms; it never repeats the value, and STS does.
pub(super) fn validation_error(
    member: &str,
    value: Option<&str>,
    constraint: &Constraint,
) -> String {
    let value = match (constraint, value) {
        (Constraint::Marker, _) => return constraint.to_string(),
        (Constraint::Form(form), _) => {
            return format!("The specified value for {member} is invalid. {form}");
        }
        (Constraint::Required, _) => " null".to_owned(),
        (_, Some(value)) => format!(" '{value}'"),
        (_, None) => String::new(),
    };
    format!(
        "1 validation error detected: Value{value} at '{member}' failed to satisfy constraint: {constraint}"
    )
}

/// Returns IAM's text for a document that it does not store.
pub(super) fn malformed_policy(malformed: &MalformedPolicy) -> String {
    let MalformedPolicy::Element { fault, .. } = malformed else { return SYNTAX.to_owned() };
    let text = match fault {
        Fault::OldVersion => "Policy document must be version 2012-10-17 or greater.",
        Fault::EffectCase | Fault::Date | Fault::ArnFields => "The policy failed legacy parsing",
        Fault::Principal => "Policy document should not specify a principal.",
        Fault::Sid => {
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression \
             [0-9A-Za-z]*"
        }
        Fault::DuplicateSid => "Statement IDs (SID) in a single policy must be unique.",
        Fault::NoActions => "Policy statement must contain actions.",
        Fault::NoResources => "Policy statement must contain resources.",
        Fault::Action => {
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
        }
        Fault::ActionColons => "Actions/Condition can contain only one colon.",
        Fault::Vendor(vendor) => return format!("Vendor {vendor} is not valid"),
        Fault::Resource(resource) => {
            return format!("Resource {resource} must be in ARN format or \"*\".");
        }
        Fault::Partition { partition, completed } => {
            return format!("Partition \"{partition}\" is not valid for resource \"{completed}\".");
        }
        Fault::ResourceVendor => {
            "Resource vendor must be fully qualified and cannot contain regexes."
        }
        Fault::IamRegion(resource) => {
            return format!("IAM resource {resource} cannot contain region information.");
        }
        Fault::S3Region(resource) => {
            return format!("Resource {resource} can not contain region information.");
        }
        Fault::IamResource(begins) => {
            let begins = begins.join(", ");
            return format!("IAM resource path must either be \"*\" or start with {begins}.");
        }
        _ => SYNTAX,
    };
    text.to_owned()
}

const SYNTAX: &str = "Syntax errors in policy.";
