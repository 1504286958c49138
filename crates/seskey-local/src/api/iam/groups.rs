//! The operations on groups, their members and their policies.

use super::*;

pub(super) const OPERATIONS: &[Operation] = &[
    op("AddUserToGroup", "GroupName* UserName*", Resource::Group, |m, _| {
        Ok(Action::AddUserToGroup { group_name: group_name(m)?, user_name: m.user_name()? })
    }),
    op("AttachGroupPolicy", "GroupName* PolicyArn*", Resource::Group, |m, _| attach(m, group(m)?)),
    op("CreateGroup", "Path GroupName*", Resource::NewGroup, |m, _| {
        Ok(Action::CreateGroup { group_name: group_name(m)?, path: m.path(&PATH)? })
    }),
    op("DeleteGroup", "GroupName*", Resource::Group, |m, _| {
        Ok(Action::DeleteGroup { group_name: group_name(m)? })
    }),
    op("DeleteGroupPolicy", "GroupName* PolicyName*", Resource::Group, |m, _| {
        delete_inline(m, group(m)?)
    }),
    op("DetachGroupPolicy", "GroupName* PolicyArn*", Resource::Group, |m, _| detach(m, group(m)?)),
    op("GetGroup", "GroupName* Marker MaxItems", Resource::Group, |m, _| {
        Ok(Action::GetGroup { group_name: group_name(m)?, page: m.page()? })
    }),
    op("GetGroupPolicy", "GroupName* PolicyName*", Resource::Group, |m, _| {
        get_inline(m, group(m)?)
    }),
    op(
        "ListAttachedGroupPolicies",
        "GroupName* PathPrefix Marker MaxItems",
        Resource::Group,
        |m, _| list_attached(m, group(m)?),
    ),
    op("ListGroupPolicies", "GroupName* Marker MaxItems", Resource::Group, |m, _| {
        list_inline(m, group(m)?)
    }),
    op("ListGroups", "PathPrefix Marker MaxItems", Resource::GroupsUnderPath, |m, _| {
        Ok(Action::ListGroups { path_prefix: m.path_prefix(&PATH_PREFIX)?, page: m.page()? })
    }),
    op("ListGroupsForUser", "UserName* Marker MaxItems", Resource::User, |m, _| {
        Ok(Action::ListGroupsForUser { user_name: m.user_name()?, page: m.page()? })
    }),
    op("PutGroupPolicy", "GroupName* PolicyName* PolicyDocument*", Resource::Group, |m, _| {
        put_inline(m, group(m)?)
    }),
    op("RemoveUserFromGroup", "GroupName* UserName*", Resource::Group, |m, _| {
        Ok(Action::RemoveUserFromGroup { group_name: group_name(m)?, user_name: m.user_name()? })
    }),
    op("UpdateGroup", "GroupName* NewPath NewGroupName", Resource::RenamedGroup, |m, _| {
        Ok(Action::UpdateGroup {
            group_name: group_name(m)?,
            new_path: m.optional("NewPath", &PATH)?,
            new_group_name: m.optional("NewGroupName", &GROUP_NAME)?,
        })
    }),
];
