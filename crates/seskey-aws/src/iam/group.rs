//! Groups and their members.

use aws_sdk_iam::operation::create_group::CreateGroupError;

use crate::{Account, Error, retry::at_most_once};

impl Account {
    pub(crate) async fn create_group(&self, group: &str) -> Result<(), Error> {
        let call = self.iam.create_group().group_name(group).customize();
        let call = call.config_override(at_most_once::<CreateGroupError>());
        call.send().await.map_err(self.failed("iam:CreateGroup")).map(drop)
    }

    pub(crate) async fn group_members(&self, group: &str) -> Result<Vec<String>, Error> {
        let mut pages = self.iam.get_group().group_name(group).into_paginator().send();
        let mut members = Vec::new();
        while let Some(page) = pages.next().await {
            let users = page.map_err(self.failed("iam:GetGroup"))?.users;
            members.extend(users.into_iter().map(|user| user.user_name));
        }
        Ok(members)
    }

    pub(crate) async fn groups_of_user(&self, user: &str) -> Result<Vec<String>, Error> {
        let pages = self.iam.list_groups_for_user().user_name(user).into_paginator().items().send();
        let groups: Vec<_> =
            pages.try_collect().await.map_err(self.failed("iam:ListGroupsForUser"))?;
        Ok(groups.into_iter().map(|group| group.group_name).collect())
    }

    pub(crate) async fn add_user_to_group(&self, user: &str, group: &str) -> Result<(), Error> {
        let call = self.iam.add_user_to_group().user_name(user).group_name(group);
        call.send().await.map_err(self.failed("iam:AddUserToGroup")).map(drop)
    }

    pub(crate) async fn remove_user_from_group(
        &self,
        user: &str,
        group: &str,
    ) -> Result<(), Error> {
        let call = self.iam.remove_user_from_group().user_name(user).group_name(group);
        call.send().await.map_err(self.failed("iam:RemoveUserFromGroup")).map(drop)
    }

    pub(crate) async fn delete_group(&self, group: &str) -> Result<(), Error> {
        self.iam
            .delete_group()
            .group_name(group)
            .send()
            .await
            .map_err(self.failed("iam:DeleteGroup"))
            .map(drop)
    }
}
