//! Which resource the permission of an operation is checked against, and with which condition keys.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and Access
//! Management".

use seskey::policy::Context;

use super::members::Members;
use crate::account::{Account, Principal};

/// The kind of resource of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resource {
    /// The user that is named, or else who asks.
    User,
    NewUser,
    /// The user as it is named now, and as it will be.
    RenamedUser,
    UsersUnderPath,
    Group,
    NewGroup,
    GroupsUnderPath,
    Policy,
    NewPolicy,
    PoliciesUnderPath,
    /// The user who owns the access key.
    OwnerOfAccessKey,
    PolicySource,
    None,
}

impl Resource {
    /// Its ARN, or all of its ARNs where the permission is needed for each of them.
    pub(super) fn arns(
        self,
        account: &Account,
        members: &Members,
        caller: &Principal,
    ) -> Vec<String> {
        let mut arns = vec![self.arn(account, members, caller)];
        if self == Self::RenamedUser {
            let name = members.get("UserName").unwrap_or_default();
            let path = account.user(name).map_or("/", |user| &user.path);
            let (path, name) = (
                members.get("NewPath").unwrap_or(path),
                members.get("NewUserName").unwrap_or(name),
            );
            arns.push(account.arn(&format!("user{path}{name}")));
        }
        arns
    }

    /// A user or a group that is not there has the ARN of one without a path.
    fn arn(self, account: &Account, members: &Members, caller: &Principal) -> String {
        let given = |name| members.get(name).unwrap_or_default();
        let new = |kind, name| {
            account.arn(&format!("{kind}{}{}", members.get("Path").unwrap_or("/"), given(name)))
        };
        let under =
            |kind| account.arn(&format!("{kind}{}", members.get("PathPrefix").unwrap_or("/")));
        match self {
            Self::User | Self::RenamedUser => {
                let named = members.get("UserName").map(|name| Principal::User(name.to_owned()));
                account.principal_arn(named.as_ref().unwrap_or(caller))
            }
            Self::NewUser => new("user", "UserName"),
            Self::UsersUnderPath => under("user"),
            Self::Group => {
                let group = account.group(given("GroupName"));
                group.map_or_else(
                    || account.arn(&format!("group/{}", given("GroupName"))),
                    |group| group.arn.clone(),
                )
            }
            Self::NewGroup => new("group", "GroupName"),
            Self::GroupsUnderPath => under("group"),
            Self::Policy => given("PolicyArn").to_owned(),
            Self::NewPolicy => new("policy", "PolicyName"),
            Self::PoliciesUnderPath => under("policy"),
            Self::OwnerOfAccessKey => {
                let key = account.access_key(given("AccessKeyId"));
                key.map_or_else(|| "*".to_owned(), |key| account.principal_arn(key.owner()))
            }
            Self::PolicySource => given("PolicySourceArn").to_owned(),
            Self::None => "*".to_owned(),
        }
    }

    /// Adds the condition keys that the parameters and the resource give.
    pub(super) fn add_context(
        self,
        context: &mut Context,
        account: &Account,
        members: &Members,
        caller: &Principal,
    ) {
        for tag in members.tags().unwrap_or_default() {
            context.insert(&format!("aws:RequestTag/{}", tag.key), [tag.value]);
            context.insert("aws:TagKeys", [tag.key]);
        }
        context.insert(
            "aws:TagKeys",
            members.list("TagKeys", &super::shapes::TAG_KEY).unwrap_or_default(),
        );
        context.insert("iam:PermissionsBoundary", members.get("PermissionsBoundary"));
        if self != Self::Policy {
            context.insert("iam:PolicyARN", members.get("PolicyArn"));
        }
        let owner = match (self, caller) {
            (Self::User | Self::RenamedUser, Principal::User(name)) => {
                account.user(members.get("UserName").unwrap_or(name))
            }
            (Self::User | Self::RenamedUser, Principal::Root) => {
                members.get("UserName").and_then(|name| account.user(name))
            }
            _ => None,
        };
        for tag in owner.iter().flat_map(|user| &user.tags) {
            for service in ["aws", "iam"] {
                context.insert(&format!("{service}:ResourceTag/{}", tag.key), [tag.value.as_str()]);
            }
        }
        if let Some(boundary) = owner.and_then(|user| user.permissions_boundary.as_deref()) {
            context.insert("iam:PermissionsBoundary", [boundary]);
        }
    }
}
