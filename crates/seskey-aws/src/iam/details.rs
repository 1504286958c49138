//! Users and groups with their tags and policies, a thousand per answer.

use std::collections::BTreeMap;

use aws_sdk_iam::types::{
    AttachedPolicy, EntityType, GroupDetail, ManagedPolicyDetail, PolicyDetail, Tag, User,
    UserDetail,
};
use jiff::Timestamp;

use super::{
    Attached,
    policy::{attached, decoded},
    timestamp,
    user::PAGE,
};
use crate::{Account, Error};

const ACTION: &str = "iam:GetAccountAuthorizationDetails";

/// A user, its tags and the sources of its permissions. Source: IAM API, `UserDetail`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserDetails {
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: String,
    /// Its ARN.
    pub arn: String,
    /// The time of its creation.
    pub created: Option<Timestamp>,
    /// Its tags.
    pub tags: Vec<(String, String)>,
    /// The names of the groups that it is in.
    pub groups: Vec<String>,
    /// Its inline policies: their names and their documents.
    pub policies: Vec<(String, String)>,
    pub(crate) attached: Vec<Attached>,
    /// The ARN of its permissions boundary.
    pub(crate) boundary: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupDetails {
    pub(crate) name: String,
    pub(crate) policies: Vec<(String, String)>,
    pub(crate) attached: Vec<Attached>,
}

#[derive(Debug, Default)]
pub(crate) struct Details {
    pub(crate) users: Vec<UserDetails>,
    pub(crate) groups: Vec<GroupDetails>,
    pub(crate) managed: BTreeMap<String, String>,
}

impl Account {
    pub(crate) async fn user_and_group_details(
        &self,
    ) -> Result<(Vec<UserDetails>, Vec<GroupDetails>), Error> {
        let details = self.details(vec![EntityType::User, EntityType::Group]).await?;
        Ok((details.users, details.groups))
    }

    /// Reads all users and groups, and the documents of the managed policies that are used, by ARN.
    pub(crate) async fn all_details(&self) -> Result<Details, Error> {
        let of = [EntityType::LocalManagedPolicy, EntityType::AwsManagedPolicy];
        self.details([vec![EntityType::User, EntityType::Group], of.to_vec()].concat()).await
    }

    /// Reads the details of one user, with a call for each part.
    pub(crate) async fn details_of_user(&self, user: User) -> Result<UserDetails, Error> {
        let name = user.user_name;
        let mut policies = Vec::new();
        for policy in self.user_policy_names(&name).await? {
            let document = self.user_policy(&name, &policy).await?;
            policies.push((policy, document));
        }
        Ok(UserDetails {
            path: user.path,
            arn: user.arn,
            created: timestamp(&user.create_date),
            tags: self.user_tags(&name).await?.into_iter().map(tag).collect(),
            groups: self.groups_of_user(&name).await?,
            policies,
            attached: self.attached_to_user(&name).await?,
            boundary: user.permissions_boundary.and_then(|it| it.permissions_boundary_arn),
            name,
        })
    }

    async fn details(&self, of: Vec<EntityType>) -> Result<Details, Error> {
        let call = self.iam.get_account_authorization_details().set_filter(Some(of));
        let mut pages = call.into_paginator().page_size(PAGE).send();
        let mut all = Details::default();
        while let Some(page) = pages.next().await {
            let page = page.map_err(self.failed(ACTION))?;
            for detail in page.user_detail_list.unwrap_or_default() {
                all.users.push(user(detail).ok_or_else(|| Error::unreadable(ACTION))?);
            }
            for detail in page.group_detail_list.unwrap_or_default() {
                all.groups.push(group(detail).ok_or_else(|| Error::unreadable(ACTION))?);
            }
            all.managed.extend(page.policies.unwrap_or_default().into_iter().filter_map(managed));
        }
        Ok(all)
    }
}

/// Returns the ARN of a managed policy and the document of its default version.
fn managed(policy: ManagedPolicyDetail) -> Option<(String, String)> {
    let versions = policy.policy_version_list.unwrap_or_default();
    let document = versions.into_iter().find(|version| version.is_default_version)?.document?;
    Some((policy.arn?, decoded(&document)))
}

fn user(detail: UserDetail) -> Option<UserDetails> {
    Some(UserDetails {
        name: detail.user_name?,
        path: detail.path?,
        arn: detail.arn?,
        created: detail.create_date.as_ref().and_then(timestamp),
        tags: detail.tags.unwrap_or_default().into_iter().map(tag).collect(),
        groups: detail.group_list.unwrap_or_default(),
        policies: policies(detail.user_policy_list)?,
        attached: all_attached(detail.attached_managed_policies)?,
        boundary: detail.permissions_boundary.and_then(|it| it.permissions_boundary_arn),
    })
}

fn group(detail: GroupDetail) -> Option<GroupDetails> {
    Some(GroupDetails {
        name: detail.group_name?,
        policies: policies(detail.group_policy_list)?,
        attached: all_attached(detail.attached_managed_policies)?,
    })
}

fn policies(details: Option<Vec<PolicyDetail>>) -> Option<Vec<(String, String)>> {
    let policy =
        |policy: PolicyDetail| Some((policy.policy_name?, decoded(&policy.policy_document?)));
    details.unwrap_or_default().into_iter().map(policy).collect()
}

fn all_attached(policies: Option<Vec<AttachedPolicy>>) -> Option<Vec<Attached>> {
    policies.unwrap_or_default().into_iter().map(attached).collect()
}

fn tag(tag: Tag) -> (String, String) {
    (tag.key, tag.value)
}
