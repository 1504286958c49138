//! Users and their tags.

use aws_sdk_iam::{
    operation::create_user::CreateUserError,
    types::{Tag, User},
};
use seskey::user::{UserName, UserPath};

use crate::{Account, Error, retry::at_most_once};

impl Account {
    pub(crate) async fn create_user(
        &self,
        name: &UserName,
        path: &UserPath,
        tags: &[(String, String)],
        permissions_boundary: Option<&str>,
    ) -> Result<User, Error> {
        const ACTION: &str = "iam:CreateUser";
        let tag = |(key, value): &(String, String)| Tag::builder().key(key).value(value).build();
        let tags: Result<Vec<Tag>, _> = tags.iter().map(tag).collect();
        let created = self
            .iam
            .create_user()
            .user_name(name.as_str())
            .path(path.as_str())
            .set_tags(Some(tags.expect("both members of every tag are set")))
            .set_permissions_boundary(permissions_boundary.map(str::to_owned))
            .customize()
            .config_override(at_most_once::<CreateUserError>())
            .send()
            .await
            .map_err(self.failed(ACTION))?;
        created.user.ok_or_else(|| Error::unreadable(ACTION))
    }

    pub(crate) async fn user(&self, name: &str) -> Result<User, Error> {
        const ACTION: &str = "iam:GetUser";
        let found =
            self.iam.get_user().user_name(name).send().await.map_err(self.failed(ACTION))?;
        found.user.ok_or_else(|| Error::unreadable(ACTION))
    }

    pub(crate) async fn users(&self) -> Result<Vec<User>, Error> {
        let pages = self.iam.list_users().into_paginator().page_size(PAGE).items().send();
        pages.try_collect().await.map_err(self.failed("iam:ListUsers"))
    }

    /// Lists the names of all users.
    ///
    /// # Errors
    /// The refusal of IAM.
    pub async fn user_names(&self) -> Result<Vec<String>, Error> {
        Ok(self.users().await?.into_iter().map(|user| user.user_name).collect())
    }

    /// Lists the tags of a user.
    ///
    /// # Errors
    /// The refusal of IAM.
    pub async fn tags_of_user(&self, name: &str) -> Result<Vec<(String, String)>, Error> {
        let tags = self.user_tags(name).await?;
        Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
    }

    pub(crate) async fn user_tags(&self, name: &str) -> Result<Vec<Tag>, Error> {
        let pages = self.iam.list_user_tags().user_name(name).into_paginator().items().send();
        pages.try_collect().await.map_err(self.failed("iam:ListUserTags"))
    }

    pub(crate) async fn tag_user(&self, name: &str, key: &str, value: &str) -> Result<(), Error> {
        let tag = Tag::builder().key(key).value(value).build();
        let tag = tag.expect("both members of the tag are set");
        let call = self.iam.tag_user().user_name(name).tags(tag);
        call.send().await.map_err(self.failed("iam:TagUser")).map(drop)
    }

    /// Removes a tag; a missing one counts as removed.
    pub(crate) async fn untag_user(&self, name: &str, key: &str) -> Result<(), Error> {
        let call = self.iam.untag_user().user_name(name).tag_keys(key);
        call.send().await.map_err(self.failed("iam:UntagUser")).map(drop)
    }

    pub(crate) async fn delete_user(&self, name: &str) -> Result<(), Error> {
        self.iam
            .delete_user()
            .user_name(name)
            .send()
            .await
            .map_err(self.failed("iam:DeleteUser"))
            .map(drop)
    }
}

/// The most users that IAM returns per page.
pub(super) const PAGE: i32 = 1000;
