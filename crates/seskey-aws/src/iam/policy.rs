//! Policies: inline in a user or a group, or managed and attached. Documents are decoded from their URL encoding.

use percent_encoding::percent_decode_str;

use crate::{Account, Error};

/// A managed policy that is attached somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attached {
    pub(crate) name: String,
    pub(crate) arn: String,
}

impl Account {
    pub(crate) async fn user_policy_names(&self, user: &str) -> Result<Vec<String>, Error> {
        let pages = self.iam.list_user_policies().user_name(user).into_paginator().items().send();
        pages.try_collect().await.map_err(self.failed("iam:ListUserPolicies"))
    }

    pub(crate) async fn user_policy(&self, user: &str, policy: &str) -> Result<String, Error> {
        let call = self.iam.get_user_policy().user_name(user).policy_name(policy);
        let answer = call.send().await.map_err(self.failed("iam:GetUserPolicy"))?;
        Ok(decoded(&answer.policy_document))
    }

    pub(crate) async fn put_user_policy(
        &self,
        user: &str,
        policy: &str,
        document: &str,
    ) -> Result<(), Error> {
        let call = self
            .iam
            .put_user_policy()
            .user_name(user)
            .policy_name(policy)
            .policy_document(document);
        call.send().await.map_err(self.failed("iam:PutUserPolicy")).map(drop)
    }

    pub(crate) async fn delete_user_policy(&self, user: &str, policy: &str) -> Result<(), Error> {
        let call = self.iam.delete_user_policy().user_name(user).policy_name(policy);
        call.send().await.map_err(self.failed("iam:DeleteUserPolicy")).map(drop)
    }

    pub(crate) async fn attached_to_user(&self, user: &str) -> Result<Vec<Attached>, Error> {
        let pages =
            self.iam.list_attached_user_policies().user_name(user).into_paginator().items().send();
        let policies: Vec<_> =
            pages.try_collect().await.map_err(self.failed("iam:ListAttachedUserPolicies"))?;
        Ok(policies.into_iter().filter_map(attached).collect())
    }

    pub(crate) async fn detach_from_user(&self, user: &str, arn: &str) -> Result<(), Error> {
        let call = self.iam.detach_user_policy().user_name(user).policy_arn(arn);
        call.send().await.map_err(self.failed("iam:DetachUserPolicy")).map(drop)
    }

    pub(crate) async fn group_policy_names(&self, group: &str) -> Result<Vec<String>, Error> {
        let pages =
            self.iam.list_group_policies().group_name(group).into_paginator().items().send();
        pages.try_collect().await.map_err(self.failed("iam:ListGroupPolicies"))
    }

    pub(crate) async fn group_policy(&self, group: &str, policy: &str) -> Result<String, Error> {
        let call = self.iam.get_group_policy().group_name(group).policy_name(policy);
        let answer = call.send().await.map_err(self.failed("iam:GetGroupPolicy"))?;
        Ok(decoded(&answer.policy_document))
    }

    pub(crate) async fn put_group_policy(
        &self,
        group: &str,
        policy: &str,
        document: &str,
    ) -> Result<(), Error> {
        let call = self
            .iam
            .put_group_policy()
            .group_name(group)
            .policy_name(policy)
            .policy_document(document);
        call.send().await.map_err(self.failed("iam:PutGroupPolicy")).map(drop)
    }

    pub(crate) async fn delete_group_policy(&self, group: &str, policy: &str) -> Result<(), Error> {
        let call = self.iam.delete_group_policy().group_name(group).policy_name(policy);
        call.send().await.map_err(self.failed("iam:DeleteGroupPolicy")).map(drop)
    }

    pub(crate) async fn attached_to_group(&self, group: &str) -> Result<Vec<Attached>, Error> {
        let pages = self
            .iam
            .list_attached_group_policies()
            .group_name(group)
            .into_paginator()
            .items()
            .send();
        let policies: Vec<_> =
            pages.try_collect().await.map_err(self.failed("iam:ListAttachedGroupPolicies"))?;
        Ok(policies.into_iter().filter_map(attached).collect())
    }

    /// Reads the document of the default version of a managed policy.
    pub(crate) async fn managed_policy(&self, arn: &str) -> Result<String, Error> {
        const VERSION: &str = "iam:GetPolicyVersion";
        let answer = self
            .iam
            .get_policy()
            .policy_arn(arn)
            .send()
            .await
            .map_err(self.failed("iam:GetPolicy"))?;
        let version = answer.policy.and_then(|policy| policy.default_version_id);
        let version = version.ok_or_else(|| Error::unreadable("iam:GetPolicy"))?;
        let call = self.iam.get_policy_version().policy_arn(arn).version_id(version);
        let answer = call.send().await.map_err(self.failed(VERSION))?;
        let document = answer.policy_version.and_then(|version| version.document);
        document.map(|document| decoded(&document)).ok_or_else(|| Error::unreadable(VERSION))
    }
}

pub(super) fn attached(policy: aws_sdk_iam::types::AttachedPolicy) -> Option<Attached> {
    Some(Attached { name: policy.policy_name?, arn: policy.policy_arn? })
}

/// Decodes a document, which IAM gives in the URL encoding of RFC 3986.
pub(super) fn decoded(document: &str) -> String {
    percent_decode_str(document).decode_utf8_lossy().into_owned()
}
