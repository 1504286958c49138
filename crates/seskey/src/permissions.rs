//! What the person or the role that manages SMTP users must be permitted, verb by verb.
//!
//! Sources: SES Developer Guide, "Obtaining Amazon SES SMTP credentials" (the actions that the console needs);
//! Service Authorization Reference, "AWS Identity and Access Management" (the resources that each action knows).

use serde_json::{Value, json};

use crate::user::SENDING_GROUP;

/// An action, and what it is done on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// Such as `iam:CreateUser`.
    pub action: &'static str,
    /// What it is done on.
    pub on: On,
}

/// The resource of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    /// Any IAM user.
    Users,
    /// The group of the SES console.
    SendingGroup,
    /// Whatever there is: the action knows no resource, or reads what cannot be named beforehand.
    Everything,
}

/// What a verb of the command line needs; `None` if it needs nothing or is none.
pub fn of_verb(verb: &str) -> Option<&'static [Permission]> {
    VERBS.iter().find(|(name, _)| *name == verb).map(|(_, permissions)| *permissions)
}

/// The verbs that need permissions.
pub fn verbs() -> impl Iterator<Item = &'static str> {
    VERBS.iter().map(|(name, _)| *name)
}

/// The least policy that lets its bearer run these verbs; unknown ones add nothing.
pub fn policy(verbs: &[&str]) -> Value {
    let needed: Vec<Permission> =
        verbs.iter().filter_map(|verb| of_verb(verb)).flatten().copied().collect();
    let statements = [On::Users, On::SendingGroup, On::Everything].into_iter().filter_map(|on| {
        let mut actions: Vec<&str> =
            needed.iter().filter(|needed| needed.on == on).map(|needed| needed.action).collect();
        actions.sort_unstable();
        actions.dedup();
        (!actions.is_empty())
            .then(|| json!({"Effect": "Allow", "Action": actions, "Resource": on.resource()}))
    });
    json!({"Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>()})
}

impl On {
    fn resource(self) -> String {
        match self {
            Self::Users => "arn:*:iam::*:user/*".to_owned(),
            Self::SendingGroup => format!("arn:*:iam::*:group/{SENDING_GROUP}"),
            Self::Everything => "*".to_owned(),
        }
    }
}

const VERBS: &[(&str, &[Permission])] = &[
    (
        "create",
        &[
            on(On::Users, "iam:GetUser"),
            on(On::Users, "iam:CreateUser"),
            on(On::Users, "iam:TagUser"),
            on(On::Users, "iam:PutUserPolicy"),
            on(On::Users, "iam:CreateAccessKey"),
            on(On::SendingGroup, "iam:GetGroup"),
            on(On::SendingGroup, "iam:ListGroupPolicies"),
            on(On::SendingGroup, "iam:GetGroupPolicy"),
            on(On::SendingGroup, "iam:ListAttachedGroupPolicies"),
            on(On::SendingGroup, "iam:CreateGroup"),
            on(On::SendingGroup, "iam:PutGroupPolicy"),
            on(On::SendingGroup, "iam:AddUserToGroup"),
            on(On::Everything, "iam:GetPolicy"),
            on(On::Everything, "iam:GetPolicyVersion"),
            on(On::Everything, "iam:SimulatePrincipalPolicy"),
            // to take back what was made when a later step fails
            on(On::Users, "iam:ListAccessKeys"),
            on(On::Users, "iam:DeleteAccessKey"),
            on(On::Users, "iam:DeleteUserPolicy"),
            on(On::Users, "iam:DeleteUser"),
            on(On::SendingGroup, "iam:RemoveUserFromGroup"),
            on(On::SendingGroup, "iam:DeleteGroupPolicy"),
            on(On::SendingGroup, "iam:DeleteGroup"),
        ],
    ),
    (
        "list",
        &[
            on(On::Everything, "iam:ListUsers"),
            on(On::Users, "iam:ListUserTags"),
            on(On::Users, "iam:ListAccessKeys"),
            on(On::Users, "iam:ListGroupsForUser"),
            on(On::Users, "iam:ListUserPolicies"),
            on(On::Users, "iam:GetUserPolicy"),
            on(On::Users, "iam:ListAttachedUserPolicies"),
            on(On::Everything, "iam:GetAccessKeyLastUsed"),
            on(On::Everything, "iam:ListGroupPolicies"),
            on(On::Everything, "iam:GetGroupPolicy"),
            on(On::Everything, "iam:ListAttachedGroupPolicies"),
            on(On::Everything, "iam:GetPolicy"),
            on(On::Everything, "iam:GetPolicyVersion"),
        ],
    ),
    (
        "verify",
        &[
            on(On::Everything, "iam:GetAccessKeyLastUsed"),
            on(On::Users, "iam:GetUser"),
            on(On::Everything, "iam:SimulatePrincipalPolicy"),
        ],
    ),
    (
        "delete",
        &[
            on(On::Users, "iam:GetUser"),
            on(On::Users, "iam:ListAccessKeys"),
            on(On::Users, "iam:ListUserPolicies"),
            on(On::Users, "iam:ListAttachedUserPolicies"),
            on(On::Users, "iam:ListGroupsForUser"),
            on(On::Users, "iam:DeleteAccessKey"),
            on(On::Users, "iam:DeleteUserPolicy"),
            on(On::Users, "iam:DetachUserPolicy"),
            on(On::Everything, "iam:RemoveUserFromGroup"),
            on(On::Users, "iam:DeleteUser"),
        ],
    ),
];

const fn on(on: On, action: &'static str) -> Permission {
    Permission { action, on }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    #[test]
    fn every_verb_has_a_policy_that_iam_stores() {
        for verb in verbs() {
            let policy = Policy::parse(&policy(&[verb]).to_string()).unwrap();
            for permission in of_verb(verb).unwrap() {
                assert!(policy.may_allow(permission.action), "{verb} {}", permission.action);
            }
        }
        assert_eq!(of_verb("derive"), None);
    }

    #[test]
    fn an_action_stands_once() {
        let text = policy(&["create", "delete"]).to_string();
        assert_eq!(text.matches("\"iam:DeleteUser\"").count(), 1, "{text}");
    }
}
