//! The decision over all policies of one identity, and of the resource in the same account.
//!
//! Source: IAM User Guide, "Policy evaluation logic" and "Permissions boundaries for IAM entities".

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    context::Request,
    document::{Effect, Policy},
    principal::Meant,
};

/// The way in which a policy applies to the identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicySource {
    /// Embedded in the user.
    Inline {
        /// The name of the policy.
        name: String,
    },
    /// Embedded in a group of the user.
    Group {
        /// The name of the group.
        group: String,
        /// The name of the policy.
        name: String,
    },
    /// Attached to the user or to a group of the user.
    Managed {
        /// The ARN of the policy.
        arn: String,
    },
    /// The permissions boundary: it grants nothing, and an action that it does not allow is not allowed.
    Boundary {
        /// The ARN of the policy.
        arn: String,
    },
    /// Attached to the resource, which is in the account of the requester.
    Resource {
        /// The ARN of the resource.
        arn: String,
        /// The name of the policy.
        name: String,
    },
}

/// The answer to a request, with the statement that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'a> {
    /// Allowed, and denied nowhere.
    Allowed {
        /// The first statement that allows it.
        by: StatementRef<'a>,
    },
    /// Denied by a statement; nothing can allow it.
    ExplicitDeny {
        /// The first statement that denies it.
        by: StatementRef<'a>,
    },
    /// Denied because it is not allowed.
    ImplicitDeny {
        /// The kind of policy that lacks the allow.
        missing: MissingAllow<'a>,
    },
}

/// The kind of policy that lacks the allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingAllow<'a> {
    /// No identity-based policy and no policy of the resource allows it; a boundary may lack it too.
    IdentityPolicy,
    /// An identity-based policy allows it, the permissions boundary does not.
    Boundary {
        /// The boundary.
        source: &'a PolicySource,
        /// The statement that would have allowed it.
        allowed_by: StatementRef<'a>,
    },
}

/// A statement of one of the policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementRef<'a> {
    /// The policy.
    pub source: &'a PolicySource,
    /// Its place in the policy, from 0.
    pub index: usize,
    /// Its `Sid`, if it has one.
    pub sid: Option<&'a str>,
}

/// Decides a request. An explicit deny in any policy wins; otherwise an identity-based policy and every permissions
/// boundary must allow it. A policy of the resource allows as well as one of the identity; if it names the requester
/// itself it is not bounded, and if it names the account it leaves the decision to the identity's policies. The order
/// of the policies changes only which statement is named.
pub fn evaluate<'a>(
    policies: impl IntoIterator<Item = (&'a PolicySource, &'a Policy)>,
    request: &Request<'_>,
) -> Decision<'a> {
    let mut allowed_by = None;
    let mut allowed_unbounded = None;
    let mut lacking_boundary = None;
    for (source, policy) in policies {
        let mut allow: Option<(Meant, StatementRef<'a>)> = None;
        for (index, statement) in policy.statements.iter().enumerate() {
            // once the policy allows, only a deny can change anything
            let Some(meant) = statement.meant(request.context) else { continue };
            let adds = statement.effect == Effect::Deny || allow.is_none_or(|(was, _)| was < meant);
            if adds && statement.applies(request) {
                let by = StatementRef { source, index, sid: statement.sid() };
                match statement.effect {
                    Effect::Deny => return Decision::ExplicitDeny { by },
                    Effect::Allow => allow = Some((meant, by)),
                }
            }
        }
        match source {
            PolicySource::Boundary { .. } if allow.is_none() => {
                lacking_boundary = lacking_boundary.or(Some(source))
            }
            PolicySource::Boundary { .. } => {}
            _ => {
                let allow = allow.filter(|(meant, _)| *meant > Meant::AsAccount);
                let in_person = allow.is_some_and(|(meant, _)| meant == Meant::InPerson);
                let by = allow.map(|(_, by)| by);
                if in_person && matches!(source, PolicySource::Resource { .. }) {
                    allowed_unbounded = allowed_unbounded.or(by);
                }
                allowed_by = allowed_by.or(by);
            }
        }
    }
    if let Some(by) = allowed_unbounded {
        return Decision::Allowed { by };
    }
    match (allowed_by, lacking_boundary) {
        (Some(by), None) => Decision::Allowed { by },
        (Some(allowed_by), Some(source)) => {
            Decision::ImplicitDeny { missing: MissingAllow::Boundary { source, allowed_by } }
        }
        (None, _) => Decision::ImplicitDeny { missing: MissingAllow::IdentityPolicy },
    }
}

impl Decision<'_> {
    /// Whether the request is allowed.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

impl fmt::Display for PolicySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline { name } => write!(f, "inline policy {name}"),
            Self::Group { group, name } => write!(f, "inline policy {name} of group {group}"),
            Self::Managed { arn } => write!(f, "managed policy {arn}"),
            Self::Boundary { arn } => write!(f, "permissions boundary {arn}"),
            Self::Resource { arn, name } => write!(f, "policy {name} of {arn}"),
        }
    }
}

impl fmt::Display for StatementRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sid {
            Some(sid) => write!(f, "statement {sid} of {}", self.source),
            None => write!(f, "Statement[{}] of {}", self.index, self.source),
        }
    }
}
