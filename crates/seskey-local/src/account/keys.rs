//! Access keys.

use jiff::Timestamp;
use rand::Rng;
use seskey::{Secret, SecretAccessKey};

use serde::{Deserialize, Serialize};

use super::{
    AccessKeyMetadata, Account, Answer, Page, Principal, identifiers, rows, whole_seconds,
};
use crate::refusal::{ApiRefusal, Missing};

/// An access key with its secret, which its `Debug` does not show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    pub(super) owner: Principal,
    #[serde(with = "rows::secret")]
    pub(super) secret: SecretAccessKey,
    pub(super) status: Status,
    pub(super) create_date: Timestamp,
}

/// Whether an access key may be used. Source: IAM API Reference, `AccessKey`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the names say it all
pub enum Status {
    Active,
    Inactive,
}

/// The time, region and service of the last use of an access key. Source: IAM API Reference, `AccessKeyLastUsed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the members of the data type
pub struct LastUsed {
    pub last_used_date: Timestamp,
    pub service_name: String,
    pub region: String,
}

/// The most access keys of a user, active or not. Source: IAM User Guide, "IAM and AWS STS quotas".
pub(super) const ACCESS_KEYS_PER_USER: usize = 2;

impl AccessKey {
    pub(super) fn new(owner: Principal, secret: SecretAccessKey, create_date: Timestamp) -> Self {
        Self { owner, secret, status: Status::Active, create_date }
    }

    /// Returns its owner.
    pub fn owner(&self) -> &Principal {
        &self.owner
    }

    /// Returns its secret.
    pub fn secret(&self) -> &SecretAccessKey {
        &self.secret
    }

    /// Returns whether it may be used.
    pub fn status(&self) -> Status {
        self.status
    }
}

impl Status {
    /// Returns the value in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Inactive => "Inactive",
        }
    }
}

impl Account {
    pub(super) fn create_access_key(
        &mut self,
        principal: Principal,
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> Result<Answer, ApiRefusal> {
        if self.access_keys_of(&principal)?.len() >= ACCESS_KEYS_PER_USER {
            return Err(ApiRefusal::LimitExceeded {
                quota: "AccessKeysPerUser",
                limit: ACCESS_KEYS_PER_USER,
            });
        }
        let id = loop {
            let id = identifiers::access_key_id("AKIA", &self.id, rng);
            if !self.access_keys.contains_key(&id) {
                break id;
            }
        };
        let owner = self.as_named(principal)?;
        let secret = identifiers::secret_access_key(rng);
        let key = AccessKey::new(owner.clone(), secret, whole_seconds(now));
        let secret_access_key = Secret::new(key.secret.expose().to_owned());
        let access_key = metadata(&id, &key);
        self.access_keys_of_mut(&owner)?.push(id.clone());
        self.access_keys.insert(id.clone(), key);
        self.changed(&id, None, now);
        Ok(Answer::NewAccessKey { access_key, secret_access_key })
    }

    pub(super) fn list_access_keys(
        &self,
        principal: &Principal,
        page: &Page,
        now: Timestamp,
    ) -> Result<Answer, ApiRefusal> {
        let owned = self.access_keys_of(principal)?.iter();
        let mut ids: Vec<&String> = owned.filter(|id| self.is_listed(id, now)).collect();
        ids.sort();
        let keys = ids.into_iter().map(|id| (id, metadata(id, &self.access_keys[id])));
        Ok(Answer::AccessKeys(page.of(keys)?))
    }

    pub(super) fn update_access_key(
        &mut self,
        principal: &Principal,
        access_key_id: String,
        status: Status,
        now: Timestamp,
    ) -> Result<Answer, ApiRefusal> {
        let owned = self.access_keys_of(principal)?.contains(&access_key_id);
        let Some(key) = self.access_keys.get_mut(&access_key_id).filter(|_| owned) else {
            return Err(ApiRefusal::NoSuchEntity(Missing::AccessKey(access_key_id)));
        };
        if key.status != status {
            let was = key.clone();
            key.status = status;
            self.changed(&access_key_id, Some(was), now);
        }
        Ok(Answer::Done)
    }

    pub(super) fn delete_access_key(
        &mut self,
        principal: &Principal,
        access_key_id: String,
        now: Timestamp,
    ) -> Result<Answer, ApiRefusal> {
        let owned = self.access_keys_of_mut(principal)?;
        match owned.iter().position(|id| *id == access_key_id) {
            Some(place) => owned.remove(place),
            None => return Err(ApiRefusal::NoSuchEntity(Missing::AccessKey(access_key_id))),
        };
        let was = self.access_keys.remove(&access_key_id);
        self.last_used.remove(&access_key_id);
        self.changed(&access_key_id, was, now);
        Ok(Answer::Done)
    }

    pub(super) fn get_access_key_last_used(
        &self,
        access_key_id: String,
    ) -> Result<Answer, ApiRefusal> {
        match self.access_keys.get(&access_key_id) {
            Some(key) => Ok(Answer::AccessKeyLastUsed {
                user_name: key.owner.user_name().map(str::to_owned),
                last_used: self.last_used(&access_key_id).cloned(),
            }),
            None => Err(ApiRefusal::NoSuchEntity(Missing::AccessKey(access_key_id))),
        }
    }

    fn access_keys_of(&self, principal: &Principal) -> Result<&Vec<String>, ApiRefusal> {
        match principal {
            Principal::Root => Ok(&self.root_user().access_keys),
            Principal::User(name) => Ok(&self.user_entry(name)?.access_keys),
            Principal::AssumedRole { .. } => Err(ApiRefusal::NotAUser),
        }
    }

    fn access_keys_of_mut(
        &mut self,
        principal: &Principal,
    ) -> Result<&mut Vec<String>, ApiRefusal> {
        match principal {
            Principal::Root => Ok(&mut self.root_user_mut().access_keys),
            Principal::User(name) => Ok(&mut self.user_entry_mut(name)?.access_keys),
            Principal::AssumedRole { .. } => Err(ApiRefusal::NotAUser),
        }
    }

    /// Returns the principal with the upper and lower case that it was created with.
    fn as_named(&self, principal: Principal) -> Result<Principal, ApiRefusal> {
        match principal {
            Principal::Root => Ok(Principal::Root),
            Principal::User(name) => {
                Ok(Principal::User(self.user_entry(&name)?.user.user_name.clone()))
            }
            Principal::AssumedRole { .. } => Err(ApiRefusal::NotAUser),
        }
    }
}

fn metadata(access_key_id: &str, key: &AccessKey) -> AccessKeyMetadata {
    AccessKeyMetadata {
        user_name: key.owner.user_name().map(str::to_owned),
        access_key_id: access_key_id.to_owned(),
        status: key.status,
        create_date: key.create_date,
    }
}
