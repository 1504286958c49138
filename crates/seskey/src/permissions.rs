//! The permissions that a person or a role needs to manage SMTP users, by verb.
//!
//! Sources: SES Developer Guide, "Obtaining Amazon SES SMTP credentials" (the actions that the console needs); Service
//! Authorization Reference, "AWS Identity and Access Management" (the resources of each action), "Amazon SES v2" and
//! "AWS Organizations".

use serde_json::{Value, json};

use crate::user::SENDING_GROUP;

/// An action, its resource, and the verbs that need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// The action, such as `iam:CreateUser`.
    pub action: &'static str,
    /// The resource of the action.
    pub on: On,
    /// The verbs of the command line that need it.
    pub verbs: &'static [&'static str],
}

/// The resource of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    /// Any IAM user.
    Users,
    /// The group of the SES console.
    SendingGroup,
    /// Any IAM role.
    Roles,
    /// Every resource: the action knows none, or reads resources that cannot be named beforehand.
    Everything,
}

/// Returns the permissions of a verb of the command line; none if it is unknown or works offline.
pub fn of_verb(verb: &str) -> impl Iterator<Item = &'static Permission> {
    PERMISSIONS.iter().filter(move |permission| permission.verbs.contains(&verb))
}

/// The verbs that need permissions, and `organization` for the permissions to reach the accounts of an organization.
pub const VERBS: &[&str] = &[
    "create",
    "list",
    "audit",
    "verify",
    "diagnose",
    "rotate",
    "revoke",
    "delete",
    "migrate",
    ORGANIZATION,
];

const ORGANIZATION: &str = "organization";

/// Returns the least policy that permits these verbs; unknown verbs add nothing.
pub fn policy(verbs: &[&str]) -> Value {
    let needed =
        |permission: &&Permission| permission.verbs.iter().any(|verb| verbs.contains(verb));
    let statements =
        [On::Users, On::SendingGroup, On::Roles, On::Everything].into_iter().filter_map(|on| {
            let on_this =
                PERMISSIONS.iter().filter(needed).filter(|permission| permission.on == on);
            let actions: Vec<&str> = on_this.map(|permission| permission.action).collect();
            let statement =
                json!({"Effect": "Allow", "Action": actions, "Resource": on.resource()});
            (!actions.is_empty()).then_some(statement)
        });
    json!({"Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>()})
}

impl On {
    fn resource(self) -> String {
        match self {
            Self::Users => "arn:*:iam::*:user/*".to_owned(),
            Self::SendingGroup => format!("arn:*:iam::*:group/{SENDING_GROUP}"),
            Self::Roles => "arn:*:iam::*:role/*".to_owned(),
            Self::Everything => "*".to_owned(),
        }
    }
}

// `create` deletes only what it made itself, when a later step fails; so does `migrate` with the group.
const PERMISSIONS: &[Permission] = &[
    needs("iam:AddUserToGroup", On::SendingGroup, &["create", "migrate"]),
    needs("iam:CreateAccessKey", On::Users, &["create", "rotate"]),
    needs("iam:CreateGroup", On::SendingGroup, &["create", "migrate"]),
    needs("iam:CreateUser", On::Users, &["create"]),
    needs("iam:DeleteAccessKey", On::Users, &["create", "rotate", "delete"]),
    needs("iam:DeleteGroup", On::SendingGroup, &["create", "migrate"]),
    needs("iam:DeleteGroupPolicy", On::SendingGroup, &["create", "migrate"]),
    needs("iam:DeleteUser", On::Users, &["create", "delete"]),
    needs("iam:DeleteUserPolicy", On::Users, &["create", "delete", "migrate"]),
    needs("iam:DetachUserPolicy", On::Users, &["delete"]),
    needs("iam:GenerateCredentialReport", On::Everything, &["audit"]),
    needs(
        "iam:GetAccessKeyLastUsed",
        On::Everything,
        &["list", "audit", "verify", "rotate", "diagnose"],
    ),
    needs("iam:GetAccountAuthorizationDetails", On::Everything, &["list", "audit"]),
    needs("iam:GetCredentialReport", On::Everything, &["audit"]),
    needs("iam:GetGroup", On::SendingGroup, &["create", "migrate"]),
    needs("iam:GetGroupPolicy", On::SendingGroup, &["create", "rotate", "migrate", "diagnose"]),
    needs("iam:GetLoginProfile", On::Users, &["delete"]),
    needs(
        "iam:GetPolicy",
        On::Everything,
        &["create", "list", "audit", "rotate", "migrate", "diagnose"],
    ),
    needs(
        "iam:GetPolicyVersion",
        On::Everything,
        &["create", "list", "audit", "rotate", "migrate", "diagnose"],
    ),
    needs(
        "iam:GetUser",
        On::Users,
        &["create", "verify", "rotate", "delete", "migrate", "diagnose"],
    ),
    needs("iam:GetUserPolicy", On::Users, &["rotate", "migrate", "diagnose"]),
    needs(
        "iam:ListAccessKeys",
        On::Users,
        &["create", "list", "audit", "rotate", "revoke", "delete", "diagnose"],
    ),
    needs(
        "iam:ListAttachedGroupPolicies",
        On::SendingGroup,
        &["create", "rotate", "migrate", "diagnose"],
    ),
    needs("iam:ListAttachedUserPolicies", On::Users, &["rotate", "delete", "diagnose"]),
    needs("iam:ListGroupPolicies", On::SendingGroup, &["create", "rotate", "migrate", "diagnose"]),
    needs("iam:ListGroupsForUser", On::Users, &["rotate", "delete", "migrate", "diagnose"]),
    needs("iam:ListMFADevices", On::Users, &["delete"]),
    needs("iam:ListSSHPublicKeys", On::Users, &["delete"]),
    needs("iam:ListServiceSpecificCredentials", On::Users, &["delete"]),
    needs("iam:ListSigningCertificates", On::Users, &["delete"]),
    needs("iam:ListUserPolicies", On::Users, &["rotate", "delete", "migrate", "diagnose"]),
    needs("iam:ListUserTags", On::Users, &["rotate", "revoke"]),
    needs("iam:PutGroupPolicy", On::SendingGroup, &["create", "migrate"]),
    needs("iam:PutUserPolicy", On::Users, &["create"]),
    needs("iam:RemoveUserFromGroup", On::SendingGroup, &["create"]),
    needs("iam:RemoveUserFromGroup", On::Everything, &["delete"]),
    needs(
        "iam:SimulatePrincipalPolicy",
        On::Everything,
        &["create", "verify", "rotate", "migrate", "diagnose"],
    ),
    needs("iam:TagUser", On::Users, &["create", "rotate", "revoke"]),
    needs("iam:UntagUser", On::Users, &["rotate", "migrate"]),
    needs("iam:UpdateAccessKey", On::Users, &["rotate", "revoke"]),
    needs("organizations:ListAccounts", On::Everything, &[ORGANIZATION]),
    needs("organizations:ListAccountsForParent", On::Everything, &[ORGANIZATION]),
    needs("organizations:ListOrganizationalUnitsForParent", On::Everything, &[ORGANIZATION]),
    needs("ses:GetAccount", On::Everything, &["diagnose"]),
    needs("ses:GetConfigurationSet", On::Everything, &["diagnose"]),
    needs("ses:GetEmailIdentity", On::Everything, &["diagnose"]),
    needs("ses:GetSuppressedDestination", On::Everything, &["diagnose"]),
    needs("sts:AssumeRole", On::Roles, &[ORGANIZATION]),
];

const fn needs(action: &'static str, on: On, verbs: &'static [&'static str]) -> Permission {
    Permission { action, on, verbs }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    #[test]
    fn every_verb_has_a_policy_that_iam_stores() {
        for verb in VERBS {
            let policy = Policy::parse(&policy(&[verb]).to_string()).unwrap();
            assert!(of_verb(verb).count() > 2);
            assert!(of_verb(verb).all(|permission| policy.may_allow(permission.action)), "{verb}");
        }
        assert_eq!(of_verb("derive").count(), 0);
    }

    #[test]
    fn only_known_verbs_need_something() {
        assert!(PERMISSIONS.iter().all(|row| row.verbs.iter().all(|verb| VERBS.contains(verb))));
    }
}
