//! Users.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::{
    Account, Answer, Folded, Page, Principal, Tag, Tagged,
    held::Held,
    identifiers,
    passwords::{LoginProfile, ServiceSpecificCredential},
};
use crate::refusal::{ApiRefusal, Conflict, Missing};

/// An IAM user. Source: IAM API Reference, `User`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the members of the data type
pub struct User {
    pub path: String,
    pub user_name: String,
    pub user_id: String,
    pub arn: String,
    pub create_date: Timestamp,
    /// The ARN of a managed policy.
    pub permissions_boundary: Option<String>,
    /// The tags, in the order in which they were given.
    pub tags: Vec<Tag>,
}

/// Source: IAM User Guide, "IAM and AWS STS quotas".
pub(super) const USERS_PER_ACCOUNT: usize = 5000;

/// A user with its policies, groups and credentials.
#[derive(Serialize, Deserialize)]
pub(super) struct UserEntry {
    pub(super) user: User,
    pub(super) held: Held,
    pub(super) groups: BTreeSet<Folded>,
    /// The IDs of the access keys, the oldest first.
    pub(super) access_keys: Vec<String>,
    pub(super) login_profile: Option<LoginProfile>,
    pub(super) service_specific_credentials: Vec<ServiceSpecificCredential>,
}

impl Account {
    pub(crate) fn has_user(&self, name: &str) -> bool {
        self.user_entry(name).is_ok()
    }

    pub(super) fn create_user(
        &mut self,
        user_name: String,
        path: String,
        permissions_boundary: Option<String>,
        tags: Vec<Tag>,
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> Result<Answer, ApiRefusal> {
        let folded = Folded::new(&user_name);
        if self.users.contains_key(&folded) {
            return Err(ApiRefusal::UserAlreadyExists(user_name));
        }
        if let Some(arn) = &permissions_boundary {
            self.attachable_policy(arn)?;
        }
        if self.users.len() >= USERS_PER_ACCOUNT {
            return Err(ApiRefusal::LimitExceeded {
                quota: "UsersPerAccount",
                limit: USERS_PER_ACCOUNT,
            });
        }
        let user = User {
            arn: self.arn(&format!("user{path}{user_name}")),
            user_id: identifiers::unique_id("AIDA", rng),
            create_date: now,
            tags: Tagged::User(user_name.clone()).first(tags)?,
            path,
            user_name,
            permissions_boundary,
        };
        let entry = UserEntry {
            user: user.clone(),
            held: Held::default(),
            groups: BTreeSet::new(),
            access_keys: Vec::new(),
            login_profile: None,
            service_specific_credentials: Vec::new(),
        };
        self.users.insert(folded, entry);
        Ok(Answer::User(user))
    }

    pub(super) fn get_user(&self, principal: &Principal) -> Result<Answer, ApiRefusal> {
        match principal {
            Principal::User(name) => Ok(Answer::User(self.user_entry(name)?.user.clone())),
            Principal::Root => Ok(Answer::RootUser {
                user_id: self.id.to_string(),
                arn: self.arn("root"),
                create_date: self.root_user().create_date,
            }),
            Principal::AssumedRole { .. } => Err(ApiRefusal::NotAUser),
        }
    }

    pub(super) fn list_users(&self, path_prefix: &str, page: &Page) -> Result<Answer, ApiRefusal> {
        let users = self.users.iter().filter(|(_, entry)| entry.user.path.starts_with(path_prefix));
        Ok(Answer::Users(page.of(users.map(|(name, entry)| (name, entry.user.clone())))?))
    }

    pub(super) fn update_user(
        &mut self,
        user_name: &str,
        new_path: Option<String>,
        new_user_name: Option<String>,
    ) -> Result<Answer, ApiRefusal> {
        let user = &self.user_entry(user_name)?.user;
        let path = new_path.unwrap_or_else(|| user.path.clone());
        let name = new_user_name.unwrap_or_else(|| user.user_name.clone());
        let (old, new) = (Folded::new(user_name), Folded::new(&name));
        if old != new && self.users.contains_key(&new) {
            return Err(ApiRefusal::UserAlreadyExists(name));
        }
        let mut entry = self.users.remove(&old).expect("the user was found above");
        for id in &entry.access_keys {
            let key =
                self.access_keys.get_mut(id).expect("the keys of a user are in the table of keys");
            key.owner = Principal::User(name.clone());
        }
        self.rename_sessions(&entry.user.user_name, &name);
        entry.user.arn = self.arn(&format!("user{path}{name}"));
        entry.user.path = path;
        entry.user.user_name = name;
        self.users.insert(new, entry);
        Ok(Answer::Done)
    }

    pub(super) fn delete_user(&mut self, user_name: &str) -> Result<Answer, ApiRefusal> {
        let entry = self.user_entry(user_name)?;
        let conflicts = [
            (!entry.access_keys.is_empty(), Conflict::AccessKeys),
            (entry.login_profile.is_some(), Conflict::LoginProfile),
            (!entry.service_specific_credentials.is_empty(), Conflict::ServiceSpecificCredentials),
            (!entry.held.inline.is_empty(), Conflict::InlinePolicies),
            (!entry.held.attached.is_empty(), Conflict::AttachedPolicies),
            (!entry.groups.is_empty(), Conflict::GroupMembership),
        ];
        if let Some((_, conflict)) = conflicts.into_iter().find(|(stands, _)| *stands) {
            return Err(ApiRefusal::DeleteConflict(conflict));
        }
        let user = Principal::User(entry.user.user_name.clone());
        self.end_sessions(|principal| *principal == user);
        self.users.remove(&Folded::new(user_name));
        Ok(Answer::Done)
    }

    pub(super) fn user_entry(&self, user_name: &str) -> Result<&UserEntry, ApiRefusal> {
        self.users.get(&Folded::new(user_name)).ok_or_else(|| no_such_user(user_name))
    }

    pub(super) fn user_entry_mut(&mut self, user_name: &str) -> Result<&mut UserEntry, ApiRefusal> {
        self.users.get_mut(&Folded::new(user_name)).ok_or_else(|| no_such_user(user_name))
    }
}

fn no_such_user(user_name: &str) -> ApiRefusal {
    ApiRefusal::NoSuchEntity(Missing::User(user_name.to_owned()))
}
