//! Access keys: their creation, list, status, deletion and last use.

use aws_sdk_iam::{operation::create_access_key::CreateAccessKeyError, types::StatusType};
use jiff::Timestamp;
use seskey::Secret;

use super::timestamp;
use crate::{Account, Error, retry::at_most_once};

/// An access key as IAM lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The access key ID, which is the SMTP user name.
    pub id: String,
    /// The status.
    pub status: KeyStatus,
    /// The time of its creation.
    pub created: Option<Timestamp>,
}

/// The status of an access key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)] // IAM's own words
pub enum KeyStatus {
    Active,
    Inactive,
    Expired,
    Other(String),
}

/// The last use of a key; IAM reports it with a delay. Source: IAM API, `AccessKeyLastUsed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUsed {
    /// The time.
    pub at: Timestamp,
    /// The region of the service.
    pub region: String,
    /// The service, such as `ses`.
    pub service: String,
}

/// A new key with its secret, which IAM shows only once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccessKey {
    /// The access key ID.
    pub id: String,
    /// The secret access key.
    pub secret: Secret,
}

impl Account {
    /// Creates an access key for a user.
    ///
    /// # Errors
    /// The refusal of IAM, such as of a third key of one user; after an ambiguous failure the key may exist.
    pub async fn create_access_key(&self, user: &str) -> Result<NewAccessKey, Error> {
        const ACTION: &str = "iam:CreateAccessKey";
        let created = self
            .iam
            .create_access_key()
            .user_name(user)
            .customize()
            .config_override(at_most_once::<CreateAccessKeyError>())
            .send()
            .await
            .map_err(self.failed(ACTION))?;
        let key = created.access_key.ok_or_else(|| Error::unreadable(ACTION))?;
        Ok(NewAccessKey { id: key.access_key_id, secret: Secret::new(key.secret_access_key) })
    }

    pub(crate) async fn access_keys(&self, user: &str) -> Result<Vec<AccessKey>, Error> {
        let pages = self.iam.list_access_keys().user_name(user).into_paginator().items().send();
        let keys = pages.try_collect().await.map_err(self.failed("iam:ListAccessKeys"))?;
        let key = |key: aws_sdk_iam::types::AccessKeyMetadata| {
            let status = match key.status? {
                StatusType::Active => KeyStatus::Active,
                StatusType::Inactive => KeyStatus::Inactive,
                StatusType::Expired => KeyStatus::Expired,
                other => KeyStatus::Other(other.as_str().to_owned()),
            };
            Some(AccessKey {
                id: key.access_key_id?,
                status,
                created: key.create_date.as_ref().and_then(timestamp),
            })
        };
        keys.into_iter()
            .map(key)
            .collect::<Option<_>>()
            .ok_or_else(|| Error::unreadable("iam:ListAccessKeys"))
    }

    /// Activates or deactivates a key. This can be undone, and takes a moment to be known everywhere.
    ///
    /// # Errors
    /// The refusal of IAM.
    pub async fn update_access_key(&self, user: &str, id: &str, active: bool) -> Result<(), Error> {
        let status = if active { StatusType::Active } else { StatusType::Inactive };
        let call = self.iam.update_access_key().user_name(user).access_key_id(id).status(status);
        call.send().await.map_err(self.failed("iam:UpdateAccessKey")).map(drop)
    }

    pub(crate) async fn delete_access_key(&self, user: &str, id: &str) -> Result<(), Error> {
        let call = self.iam.delete_access_key().user_name(user).access_key_id(id);
        call.send().await.map_err(self.failed("iam:DeleteAccessKey")).map(drop)
    }

    /// Returns the user that a key belongs to, and its last use; `None` if it was never used.
    pub(crate) async fn access_key_last_used(
        &self,
        id: &str,
    ) -> Result<(Option<String>, Option<LastUsed>), Error> {
        let call = self.iam.get_access_key_last_used().access_key_id(id);
        let answer = call.send().await.map_err(self.failed("iam:GetAccessKeyLastUsed"))?;
        let last_used = answer.access_key_last_used.and_then(|used| {
            let at = timestamp(used.last_used_date.as_ref()?)?;
            Some(LastUsed { at, region: used.region, service: used.service_name })
        });
        Ok((answer.user_name, last_used))
    }
}
