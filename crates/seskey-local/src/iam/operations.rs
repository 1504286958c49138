//! The tables of operations: what each takes, how it is read, and what its permission is checked against.

use seskey::policy::Context;

use super::{members::Members, resource::Resource, shapes::*};
use crate::{
    account::{Account, Action, Holder, Principal},
    refusal::ApiRefusal,
};

mod account;
mod groups;
mod keys;
mod policies;
mod roles;
mod users;

/// One operation of an API.
pub struct Operation {
    /// Such as `CreateUser`.
    pub name: &'static str,
    /// Its members as the API model names them, in words; `N` stands for the number of an item of a list, `*` behind a
    /// name for what must be there. What AWS takes and is not served here is not among them.
    pub members: &'static str,
    resource: Resource,
    parse: Parse,
}

type Parse = fn(&Members, &Principal) -> Result<Action, ApiRefusal>;

/// All operations of IAM, by what they are about. The permission that each takes is `iam:` and its name.
pub const OPERATIONS: &[&[Operation]] = &[
    account::OPERATIONS,
    groups::OPERATIONS,
    keys::OPERATIONS,
    policies::OPERATIONS,
    roles::OPERATIONS,
    users::OPERATIONS,
];

impl Operation {
    /// The action that the parameters ask for.
    ///
    /// # Errors
    /// `ValidationError` where a parameter is missing, malformed or not known.
    pub fn parse(&self, members: &Members, caller: &Principal) -> Result<Action, ApiRefusal> {
        members.only(self)?;
        (self.parse)(members, caller)
    }

    /// The ARNs of what its permission is checked against, each by itself; none if nobody can be denied it.
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

pub(crate) const fn op(
    name: &'static str,
    members: &'static str,
    resource: Resource,
    parse: Parse,
) -> Operation {
    Operation { name, members, resource, parse }
}

fn put_inline(m: &Members, holder: Holder) -> Result<Action, ApiRefusal> {
    Ok(Action::PutPolicy { holder, policy_name: policy_name(m)?, document: document(m)? })
}

fn get_inline(m: &Members, holder: Holder) -> Result<Action, ApiRefusal> {
    Ok(Action::GetInlinePolicy { holder, policy_name: policy_name(m)? })
}

fn list_inline(m: &Members, holder: Holder) -> Result<Action, ApiRefusal> {
    Ok(Action::ListInlinePolicies { holder, page: m.page()? })
}

fn delete_inline(m: &Members, holder: Holder) -> Result<Action, ApiRefusal> {
    Ok(Action::DeleteInlinePolicy { holder, policy_name: policy_name(m)? })
}

fn attach(m: &Members, holder: Holder) -> Result<Action, ApiRefusal> {
    Ok(Action::AttachPolicy { holder, policy_arn: policy_arn(m)? })
}

fn detach(m: &Members, holder: Holder) -> Result<Action, ApiRefusal> {
    Ok(Action::DetachPolicy { holder, policy_arn: policy_arn(m)? })
}

fn list_attached(m: &Members, holder: Holder) -> Result<Action, ApiRefusal> {
    let path_prefix = m.path_prefix(&POLICY_PATH_PREFIX)?;
    Ok(Action::ListAttachedPolicies { holder, path_prefix, page: m.page()? })
}

fn user(m: &Members) -> Result<Holder, ApiRefusal> {
    m.user_name().map(Holder::User)
}

fn group(m: &Members) -> Result<Holder, ApiRefusal> {
    group_name(m).map(Holder::Group)
}

fn role(m: &Members) -> Result<Holder, ApiRefusal> {
    role_name(m).map(Holder::Role)
}

fn group_name(m: &Members) -> Result<String, ApiRefusal> {
    m.required("GroupName", &GROUP_NAME)
}

fn role_name(m: &Members) -> Result<String, ApiRefusal> {
    m.required("RoleName", &ROLE_NAME)
}

fn policy_name(m: &Members) -> Result<String, ApiRefusal> {
    m.required("PolicyName", &POLICY_NAME)
}

fn policy_arn(m: &Members) -> Result<String, ApiRefusal> {
    let arn = m.required("PolicyArn", &ARN)?;
    if arn.starts_with("arn:") && arn.matches(':').count() >= 5 {
        Ok(arn)
    } else {
        Err(ApiRefusal::InvalidArn)
    }
}

fn document(m: &Members) -> Result<String, ApiRefusal> {
    m.required("PolicyDocument", &POLICY_DOCUMENT)
}

fn tag_keys(m: &Members) -> Result<Vec<String>, ApiRefusal> {
    m.required_list("TagKeys", &TAG_KEY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_stands_once_and_in_order() {
        for operations in OPERATIONS {
            assert!(operations.is_sorted_by(|a, b| a.name < b.name));
        }
        let mut names: Vec<&str> =
            OPERATIONS.iter().flat_map(|it| it.iter().map(|op| op.name)).collect();
        names.sort_unstable();
        assert!(names.is_sorted_by(|a, b| a < b));
    }
}
