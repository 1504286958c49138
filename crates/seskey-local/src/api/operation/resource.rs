//! The resource that the permission of an operation is checked against, and the condition keys.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and Access
//! Management".

use seskey::policy::Context;

use crate::{
    account::{Account, Principal, Tagged},
    api::query::{Members, shapes},
};

/// The kind of resource of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    /// The named user, or else the caller.
    User,
    NewUser,
    /// The user under its current name, and under its new name.
    RenamedUser,
    UsersUnderPath,
    Group,
    NewGroup,
    /// The group under its current name, and under its new name.
    RenamedGroup,
    GroupsUnderPath,
    Role,
    NewRole,
    RolesUnderPath,
    /// The role to assume.
    AssumedRole,
    Policy,
    NewPolicy,
    PoliciesUnderPath,
    /// The user that owns the access key.
    OwnerOfAccessKey,
    PolicySource,
    None,
    /// No resource: the operation cannot be denied.
    Free,
}

impl Resource {
    /// Returns its ARN, or all its ARNs if the permission is needed for each of them.
    pub(super) fn arns(
        self,
        account: &Account,
        members: &Members,
        caller: &Principal,
    ) -> Vec<String> {
        let mut arns = vec![self.arn(account, members, caller)];
        let given = |name| members.get(name).unwrap_or_default();
        let renamed = |kind, path, new_name| {
            let path = members.get("NewPath").unwrap_or(path);
            account.arn(&format!("{kind}{path}{new_name}"))
        };
        match self {
            Self::Free => arns.clear(),
            Self::RenamedUser => {
                let name = given("UserName");
                let path = account.user(name).map_or("/", |user| &user.path);
                arns.push(renamed("user", path, members.get("NewUserName").unwrap_or(name)));
            }
            Self::RenamedGroup => {
                let name = given("GroupName");
                let path = account.group(name).map_or("/", |group| &group.path);
                arns.push(renamed("group", path, members.get("NewGroupName").unwrap_or(name)));
            }
            _ => {}
        }
        arns
    }

    /// Returns its ARN. A user, a group or a role that does not exist has the ARN of one without a path.
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
            Self::Role => {
                let role = account.role(given("RoleName"));
                role.map_or_else(
                    || account.arn(&format!("role/{}", given("RoleName"))),
                    |role| role.arn.clone(),
                )
            }
            Self::NewRole => new("role", "RoleName"),
            Self::RolesUnderPath => under("role"),
            Self::AssumedRole => given("RoleArn").to_owned(),
            Self::Group | Self::RenamedGroup => {
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
            Self::None | Self::Free => "*".to_owned(),
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
        context
            .insert("aws:TagKeys", members.list("TagKeys", &shapes::TAG_KEY).unwrap_or_default());
        context.insert("iam:PermissionsBoundary", members.get("PermissionsBoundary"));
        if self != Self::Policy {
            context.insert("iam:PolicyARN", members.get("PolicyArn"));
        }
        context.insert("sts:ExternalId", members.get("ExternalId"));
        context.insert("sts:RoleSessionName", members.get("RoleSessionName"));
        let tagged = self.tagged(account, members, caller);
        for tag in tagged.iter().flat_map(|tagged| account.tags(tagged).unwrap_or_default()) {
            for service in ["aws", "iam"] {
                context.insert(&format!("{service}:ResourceTag/{}", tag.key), [tag.value.as_str()]);
            }
        }
        let boundary = match &tagged {
            Some(Tagged::User(name)) => account.user(name).map(|it| &it.permissions_boundary),
            Some(Tagged::Role(name)) => account.role(name).map(|it| &it.permissions_boundary),
            _ => None,
        };
        if members.get("PermissionsBoundary").is_none() {
            context.insert("iam:PermissionsBoundary", boundary.and_then(Option::as_deref));
        }
    }

    /// Returns the resource, if it can have tags and is not to be created.
    fn tagged(self, account: &Account, members: &Members, caller: &Principal) -> Option<Tagged> {
        let given = |name| members.get(name).unwrap_or_default().to_owned();
        match self {
            Self::User | Self::RenamedUser => match (members.get("UserName"), caller) {
                (Some(name), _) => Some(Tagged::User(name.to_owned())),
                (None, Principal::User(name)) => Some(Tagged::User(name.clone())),
                (None, _) => None,
            },
            Self::Role => Some(Tagged::Role(given("RoleName"))),
            Self::AssumedRole => {
                let arn = given("RoleArn");
                let role = account.role(arn.rsplit('/').next().unwrap_or_default());
                role.filter(|role| role.arn == arn).map(|role| Tagged::Role(role.role_name.clone()))
            }
            Self::Policy => Some(Tagged::Policy(given("PolicyArn"))),
            _ => None,
        }
    }
}
