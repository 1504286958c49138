//! The table of operations: how each is read, and what its permission is checked against.

use seskey::policy::Context;

use super::{
    members::{Members, invalid},
    resource::Resource,
    shapes::*,
};
use crate::{
    account::{Account, Action, Holder, PolicyScope, Principal, Simulation, Status},
    refusal::{Constraint, Refusal},
};

/// One operation of the API. Its permission is `iam:` and its name.
pub struct Operation {
    /// Such as `CreateUser`.
    pub name: &'static str,
    resource: Resource,
    parse: Parse,
}

type Parse = fn(&Members, &Principal) -> Result<Action, Refusal>;

/// All operations, by name.
pub const OPERATIONS: &[Operation] = &[
    op("AddUserToGroup", Resource::Group, |m, _| {
        Ok(Action::AddUserToGroup { group_name: group_name(m)?, user_name: m.user_name()? })
    }),
    op("AttachGroupPolicy", Resource::Group, |m, _| attach(m, group(m)?)),
    op("AttachUserPolicy", Resource::User, |m, _| attach(m, user(m)?)),
    op("CreateAccessKey", Resource::User, |m, caller| {
        Ok(Action::CreateAccessKey { principal: m.user_or(caller)? })
    }),
    op("CreateGroup", Resource::NewGroup, |m, _| {
        Ok(Action::CreateGroup { group_name: group_name(m)?, path: m.path(&PATH)? })
    }),
    op("CreatePolicy", Resource::NewPolicy, |m, _| {
        Ok(Action::CreatePolicy {
            policy_name: policy_name(m)?,
            path: m.path(&POLICY_PATH)?,
            document: document(m)?,
            description: m.optional("Description", &POLICY_DESCRIPTION)?,
            tags: m.tags()?,
        })
    }),
    op("CreateUser", Resource::NewUser, |m, _| {
        Ok(Action::CreateUser {
            user_name: m.required("UserName", &USER_NAME)?,
            path: m.path(&PATH)?,
            permissions_boundary: m.optional("PermissionsBoundary", &ARN)?,
            tags: m.tags()?,
        })
    }),
    op("DeleteAccessKey", Resource::User, |m, caller| {
        Ok(Action::DeleteAccessKey {
            principal: m.user_or(caller)?,
            access_key_id: access_key_id(m)?,
        })
    }),
    op("DeleteGroup", Resource::Group, |m, _| {
        Ok(Action::DeleteGroup { group_name: group_name(m)? })
    }),
    op("DeleteGroupPolicy", Resource::Group, |m, _| delete_inline(m, group(m)?)),
    op("DeletePolicy", Resource::Policy, |m, _| {
        Ok(Action::DeletePolicy { policy_arn: policy_arn(m)? })
    }),
    op("DeleteUser", Resource::User, |m, _| Ok(Action::DeleteUser { user_name: m.user_name()? })),
    op("DeleteUserPolicy", Resource::User, |m, _| delete_inline(m, user(m)?)),
    op("DetachGroupPolicy", Resource::Group, |m, _| detach(m, group(m)?)),
    op("DetachUserPolicy", Resource::User, |m, _| detach(m, user(m)?)),
    op("GetAccessKeyLastUsed", Resource::OwnerOfAccessKey, |m, _| {
        Ok(Action::GetAccessKeyLastUsed { access_key_id: access_key_id(m)? })
    }),
    op("GetAccountSummary", Resource::None, |_, _| Ok(Action::GetAccountSummary)),
    op("GetGroup", Resource::Group, |m, _| {
        Ok(Action::GetGroup { group_name: group_name(m)?, page: m.page()? })
    }),
    op("GetGroupPolicy", Resource::Group, |m, _| get_inline(m, group(m)?)),
    op("GetLoginProfile", Resource::User, |m, _| {
        Ok(Action::GetLoginProfile { user_name: m.user_name()? })
    }),
    op("GetPolicy", Resource::Policy, |m, _| Ok(Action::GetPolicy { policy_arn: policy_arn(m)? })),
    op("GetPolicyVersion", Resource::Policy, |m, _| {
        let version_id = m.required("VersionId", &POLICY_VERSION_ID)?;
        Ok(Action::GetPolicyVersion { policy_arn: policy_arn(m)?, version_id })
    }),
    op("GetUser", Resource::User, |m, caller| {
        Ok(Action::GetUser { principal: m.user_or(caller)? })
    }),
    op("GetUserPolicy", Resource::User, |m, _| get_inline(m, user(m)?)),
    op("ListAccessKeys", Resource::User, |m, caller| {
        Ok(Action::ListAccessKeys { principal: m.user_or(caller)?, page: m.page()? })
    }),
    op("ListAttachedGroupPolicies", Resource::Group, |m, _| list_attached(m, group(m)?)),
    op("ListAttachedUserPolicies", Resource::User, |m, _| list_attached(m, user(m)?)),
    op("ListGroupPolicies", Resource::Group, |m, _| list_inline(m, group(m)?)),
    op("ListGroups", Resource::GroupsUnderPath, |m, _| {
        Ok(Action::ListGroups { path_prefix: m.path_prefix()?, page: m.page()? })
    }),
    op("ListGroupsForUser", Resource::User, |m, _| {
        Ok(Action::ListGroupsForUser { user_name: m.user_name()?, page: m.page()? })
    }),
    op("ListMFADevices", Resource::User, |m, caller| none(m, caller, "MFADevices")),
    op("ListPolicies", Resource::PoliciesUnderPath, |m, _| {
        Ok(Action::ListPolicies {
            scope: m.one_of("Scope", "All, AWS, Local", policy_scope)?.unwrap_or(PolicyScope::All),
            only_attached: m.flag("OnlyAttached")?,
            path_prefix: m.path_prefix()?,
            page: m.page()?,
        })
    }),
    op("ListSSHPublicKeys", Resource::User, |m, caller| none(m, caller, "SSHPublicKeys")),
    op("ListServiceSpecificCredentials", Resource::User, |m, caller| {
        none(m, caller, "ServiceSpecificCredentials")
    }),
    op("ListSigningCertificates", Resource::User, |m, caller| none(m, caller, "Certificates")),
    op("ListUserPolicies", Resource::User, |m, _| list_inline(m, user(m)?)),
    op("ListUserTags", Resource::User, |m, _| {
        Ok(Action::ListUserTags { user_name: m.user_name()?, page: m.page()? })
    }),
    op("ListUsers", Resource::UsersUnderPath, |m, _| {
        Ok(Action::ListUsers { path_prefix: m.path_prefix()?, page: m.page()? })
    }),
    op("PutGroupPolicy", Resource::Group, |m, _| put_inline(m, group(m)?)),
    op("PutUserPolicy", Resource::User, |m, _| put_inline(m, user(m)?)),
    op("RemoveUserFromGroup", Resource::Group, |m, _| {
        Ok(Action::RemoveUserFromGroup { group_name: group_name(m)?, user_name: m.user_name()? })
    }),
    op("SimulatePrincipalPolicy", Resource::PolicySource, simulate),
    op("TagUser", Resource::User, |m, _| {
        Ok(Action::TagUser { user_name: m.user_name()?, tags: m.required_tags()? })
    }),
    op("UntagUser", Resource::User, |m, _| {
        Ok(Action::UntagUser {
            user_name: m.user_name()?,
            tag_keys: m.required_list("TagKeys", &TAG_KEY)?,
        })
    }),
    op("UpdateAccessKey", Resource::User, |m, caller| {
        let status = m.one_of("Status", "Active, Inactive", status)?;
        Ok(Action::UpdateAccessKey {
            principal: m.user_or(caller)?,
            access_key_id: access_key_id(m)?,
            status: status.ok_or_else(|| invalid("Status", Constraint::Required))?,
        })
    }),
    op("UpdateUser", Resource::RenamedUser, |m, _| {
        Ok(Action::UpdateUser {
            user_name: m.user_name()?,
            new_path: m.optional("NewPath", &PATH)?,
            new_user_name: m.optional("NewUserName", &USER_NAME)?,
        })
    }),
];

impl Operation {
    /// The operation of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        OPERATIONS.iter().find(|operation| operation.name == name)
    }

    /// The action that the parameters ask for.
    ///
    /// # Errors
    /// `ValidationError` where a parameter is missing or malformed.
    pub fn parse(&self, members: &Members, caller: &Principal) -> Result<Action, Refusal> {
        (self.parse)(members, caller)
    }

    /// The permission that it takes, such as `iam:CreateUser`.
    pub fn permission(&self) -> String {
        format!("iam:{}", self.name)
    }

    /// The ARNs of what its permission is checked against, each by itself.
    pub fn resources(
        &self,
        account: &Account,
        members: &Members,
        caller: &Principal,
    ) -> Vec<String> {
        self.resource.arns(account, members, caller)
    }

    /// Adds the condition keys that the parameters and the resource give.
    pub fn add_context(
        &self,
        context: &mut Context,
        account: &Account,
        members: &Members,
        caller: &Principal,
    ) {
        self.resource.add_context(context, account, members, caller);
    }
}

const fn op(name: &'static str, resource: Resource, parse: Parse) -> Operation {
    Operation { name, resource, parse }
}

fn put_inline(m: &Members, holder: Holder) -> Result<Action, Refusal> {
    Ok(Action::PutPolicy { holder, policy_name: policy_name(m)?, document: document(m)? })
}

fn get_inline(m: &Members, holder: Holder) -> Result<Action, Refusal> {
    Ok(Action::GetInlinePolicy { holder, policy_name: policy_name(m)? })
}

fn list_inline(m: &Members, holder: Holder) -> Result<Action, Refusal> {
    Ok(Action::ListInlinePolicies { holder, page: m.page()? })
}

fn delete_inline(m: &Members, holder: Holder) -> Result<Action, Refusal> {
    Ok(Action::DeleteInlinePolicy { holder, policy_name: policy_name(m)? })
}

fn attach(m: &Members, holder: Holder) -> Result<Action, Refusal> {
    Ok(Action::AttachPolicy { holder, policy_arn: policy_arn(m)? })
}

fn detach(m: &Members, holder: Holder) -> Result<Action, Refusal> {
    Ok(Action::DetachPolicy { holder, policy_arn: policy_arn(m)? })
}

fn list_attached(m: &Members, holder: Holder) -> Result<Action, Refusal> {
    let path_prefix = m.optional("PathPrefix", &POLICY_PATH)?.unwrap_or_else(|| "/".into());
    Ok(Action::ListAttachedPolicies { holder, path_prefix, page: m.page()? })
}

fn none(m: &Members, caller: &Principal, list: &'static str) -> Result<Action, Refusal> {
    m.page()?;
    let user_name = match m.user_or(caller)? {
        Principal::Root => None,
        Principal::User(name) => Some(name),
    };
    Ok(Action::ListNone { user_name, list })
}

fn simulate(m: &Members, _: &Principal) -> Result<Action, Refusal> {
    for unserved in ["ResourcePolicy", "ResourceOwner", "CallerArn", "ResourceHandlingOption"] {
        if m.get(unserved).is_some() {
            return Err(Refusal::InvalidInput("Resource policies are not simulated here."));
        }
    }
    let mut context = Context::new();
    for n in 1.. {
        let entry = |part: &str| format!("ContextEntries.member.{n}.{part}");
        let Some(key) = m.optional(&entry("ContextKeyName"), &CONTEXT_KEY_NAME)? else { break };
        context.insert(&key, m.list(&entry("ContextKeyValues"), &CONTEXT_VALUE)?);
    }
    Ok(Action::SimulatePrincipalPolicy(Simulation {
        policy_source_arn: m.required("PolicySourceArn", &ARN)?,
        policy_input_list: m.list("PolicyInputList", &POLICY_DOCUMENT)?,
        permissions_boundary_policy_input_list: m
            .list("PermissionsBoundaryPolicyInputList", &POLICY_DOCUMENT)?,
        action_names: m.required_list("ActionNames", &ACTION_NAME)?,
        resource_arns: m.list("ResourceArns", &RESOURCE_NAME)?,
        context,
        page: m.page()?,
    }))
}

fn user(m: &Members) -> Result<Holder, Refusal> {
    m.user_name().map(Holder::User)
}

fn group(m: &Members) -> Result<Holder, Refusal> {
    group_name(m).map(Holder::Group)
}

fn group_name(m: &Members) -> Result<String, Refusal> {
    m.required("GroupName", &GROUP_NAME)
}

fn policy_name(m: &Members) -> Result<String, Refusal> {
    m.required("PolicyName", &POLICY_NAME)
}

fn policy_arn(m: &Members) -> Result<String, Refusal> {
    m.required("PolicyArn", &ARN)
}

fn document(m: &Members) -> Result<String, Refusal> {
    m.required("PolicyDocument", &POLICY_DOCUMENT)
}

fn access_key_id(m: &Members) -> Result<String, Refusal> {
    m.required("AccessKeyId", &ACCESS_KEY_ID)
}

fn status(word: &str) -> Option<Status> {
    [Status::Active, Status::Inactive].into_iter().find(|status| status.as_str() == word)
}

fn policy_scope(word: &str) -> Option<PolicyScope> {
    match word {
        "All" => Some(PolicyScope::All),
        "AWS" => Some(PolicyScope::Aws),
        "Local" => Some(PolicyScope::Local),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_stands_once_and_in_order() {
        assert!(OPERATIONS.is_sorted_by(|a, b| a.name < b.name));
    }
}
