//! The operations of IAM, version 2010-05-08, by subject. Source: IAM API Reference.

use super::{
    Service,
    operation::{AccountApi, Operation, Resource, op},
    query::{Members, Query, members::invalid, shapes::*},
};
use crate::{
    account::{Action, Holder, Principal},
    refusal::ApiRefusal,
};

mod account;
mod groups;
mod keys;
mod policies;
mod roles;
mod users;

/// The API. The permission for each operation is `iam:` and its name.
pub const API: AccountApi = AccountApi {
    service: Service::Iam,
    query: Query { namespace: "https://iam.amazonaws.com/doc/2010-05-08/", version: "2010-05-08" },
    operations: &[
        account::OPERATIONS,
        groups::OPERATIONS,
        keys::OPERATIONS,
        policies::OPERATIONS,
        roles::OPERATIONS,
        users::OPERATIONS,
    ],
};

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
        for operations in API.operations {
            assert!(operations.is_sorted_by(|a, b| a.name < b.name));
        }
        let mut names: Vec<&str> =
            API.operations.iter().flat_map(|it| it.iter().map(|op| op.name)).collect();
        names.sort_unstable();
        assert!(names.is_sorted_by(|a, b| a < b));
    }
}
