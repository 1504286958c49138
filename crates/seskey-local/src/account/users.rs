//! Users and their tags.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::{Account, Answer, Folded, Page, Principal, held::Held, identifiers};
use crate::refusal::{Conflict, Missing, Refusal};

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
    /// In the order in which they were given.
    pub tags: Vec<Tag>,
}

/// A tag. Keys that differ only in case are the same. Source: IAM User Guide, "Tags for IAM resources".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the members of the data type
pub struct Tag {
    pub key: String,
    pub value: String,
}

/// Source: IAM User Guide, "IAM and AWS STS quotas".
pub(super) const USERS_PER_ACCOUNT: usize = 5000;
const TAGS_PER_USER: usize = 50;

/// A user with all that hangs on it.
#[derive(Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) user: User,
    pub(super) held: Held,
    pub(super) groups: BTreeSet<Folded>,
    /// In the order of their creation.
    pub(super) access_keys: Vec<String>,
}

impl Account {
    pub(super) fn create_user(
        &mut self,
        user_name: String,
        path: String,
        permissions_boundary: Option<String>,
        tags: Vec<Tag>,
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> Result<Answer, Refusal> {
        let folded = Folded::new(&user_name);
        if self.users.contains_key(&folded) {
            return Err(Refusal::UserAlreadyExists(user_name));
        }
        if let Some(arn) = &permissions_boundary {
            self.managed_policy(arn)
                .map_err(|_| Refusal::NoSuchEntity(Missing::AttachablePolicy(arn.clone())))?;
        }
        if self.users.len() >= USERS_PER_ACCOUNT {
            return Err(Refusal::LimitExceeded {
                quota: "UsersPerAccount",
                limit: USERS_PER_ACCOUNT,
            });
        }
        let user = User {
            arn: self.arn(&format!("user{path}{user_name}")),
            user_id: identifiers::unique_id("AIDA", rng),
            create_date: now,
            tags: tagged(&[], tags)?,
            path,
            user_name,
            permissions_boundary,
        };
        let entry = Entry {
            user: user.clone(),
            held: Held::default(),
            groups: BTreeSet::new(),
            access_keys: Vec::new(),
        };
        self.users.insert(folded, entry);
        Ok(Answer::User(user))
    }

    pub(super) fn get_user(&self, principal: &Principal) -> Result<Answer, Refusal> {
        match principal {
            Principal::User(name) => Ok(Answer::User(self.user_entry(name)?.user.clone())),
            Principal::Root => Ok(Answer::RootUser {
                user_id: self.id.to_string(),
                arn: self.arn("root"),
                create_date: self.root_user().create_date,
            }),
        }
    }

    pub(super) fn list_users(&self, path_prefix: &str, page: &Page) -> Result<Answer, Refusal> {
        let users = self.users.iter().filter(|(_, entry)| entry.user.path.starts_with(path_prefix));
        Ok(Answer::Users(page.of(users.map(|(name, entry)| (name, entry.user.clone())))?))
    }

    pub(super) fn update_user(
        &mut self,
        user_name: &str,
        new_path: Option<String>,
        new_user_name: Option<String>,
    ) -> Result<Answer, Refusal> {
        let user = &self.user_entry(user_name)?.user;
        let path = new_path.unwrap_or_else(|| user.path.clone());
        let name = new_user_name.unwrap_or_else(|| user.user_name.clone());
        let (old, new) = (Folded::new(user_name), Folded::new(&name));
        if old != new && self.users.contains_key(&new) {
            return Err(Refusal::UserAlreadyExists(name));
        }
        let mut entry = self.users.remove(&old).expect("the user was found above");
        for id in &entry.access_keys {
            let key =
                self.access_keys.get_mut(id).expect("the keys of a user are in the table of keys");
            key.owner = Principal::User(name.clone());
        }
        entry.user.arn = self.arn(&format!("user{path}{name}"));
        entry.user.path = path;
        entry.user.user_name = name;
        self.users.insert(new, entry);
        Ok(Answer::Done)
    }

    pub(super) fn delete_user(&mut self, user_name: &str) -> Result<Answer, Refusal> {
        let entry = self.user_entry(user_name)?;
        let conflicts = [
            (!entry.access_keys.is_empty(), Conflict::AccessKeys),
            (!entry.held.inline.is_empty(), Conflict::InlinePolicies),
            (!entry.held.attached.is_empty(), Conflict::AttachedPolicies),
            (!entry.groups.is_empty(), Conflict::GroupMembership),
        ];
        if let Some((_, conflict)) = conflicts.into_iter().find(|(stands, _)| *stands) {
            return Err(Refusal::DeleteConflict(conflict));
        }
        self.users.remove(&Folded::new(user_name));
        Ok(Answer::Done)
    }

    pub(super) fn tag_user(&mut self, user_name: &str, tags: Vec<Tag>) -> Result<Answer, Refusal> {
        let user = &mut self.user_entry_mut(user_name)?.user;
        user.tags = tagged(&user.tags, tags)?;
        Ok(Answer::Done)
    }

    pub(super) fn untag_user(
        &mut self,
        user_name: &str,
        tag_keys: &[String],
    ) -> Result<Answer, Refusal> {
        let user = &mut self.user_entry_mut(user_name)?.user;
        user.tags.retain(|tag| !tag_keys.iter().any(|key| key.eq_ignore_ascii_case(&tag.key)));
        Ok(Answer::Done)
    }

    pub(super) fn list_user_tags(&self, user_name: &str, page: &Page) -> Result<Answer, Refusal> {
        let mut tags: Vec<&Tag> = self.user_entry(user_name)?.user.tags.iter().collect();
        tags.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Answer::Tags(page.of(tags.into_iter().map(|tag| (&tag.key, tag.clone())))?))
    }

    pub(super) fn user_entry(&self, user_name: &str) -> Result<&Entry, Refusal> {
        self.users.get(&Folded::new(user_name)).ok_or_else(|| no_such_user(user_name))
    }

    pub(super) fn user_entry_mut(&mut self, user_name: &str) -> Result<&mut Entry, Refusal> {
        self.users.get_mut(&Folded::new(user_name)).ok_or_else(|| no_such_user(user_name))
    }
}

/// The tags after these are given: a key that is there already, in whatever case, keeps its place and gets the value.
pub(super) fn tagged(tags: &[Tag], given: Vec<Tag>) -> Result<Vec<Tag>, Refusal> {
    let folded: BTreeSet<String> = given.iter().map(|tag| tag.key.to_ascii_lowercase()).collect();
    if folded.len() < given.len() {
        return Err(Refusal::InvalidInput(DUPLICATE_TAG_KEYS));
    }
    if folded.iter().any(|key| key.starts_with("aws:")) {
        return Err(Refusal::InvalidInput(RESERVED_TAG_KEY));
    }
    let mut tags = tags.to_vec();
    for tag in given {
        match tags.iter_mut().find(|known| known.key.eq_ignore_ascii_case(&tag.key)) {
            Some(known) => *known = tag,
            None => tags.push(tag),
        }
    }
    match tags.len() {
        0..=TAGS_PER_USER => Ok(tags),
        _ => Err(Refusal::LimitExceeded { quota: "TagsPerUser", limit: TAGS_PER_USER }),
    }
}

fn no_such_user(user_name: &str) -> Refusal {
    Refusal::NoSuchEntity(Missing::User(user_name.to_owned()))
}

const DUPLICATE_TAG_KEYS: &str =
    "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
const RESERVED_TAG_KEY: &str = "Tag keys that begin with aws: are reserved for system use.";
