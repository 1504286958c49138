//! Groups and their members. The membership is stored with the user.

use jiff::Timestamp;
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::{Account, Answer, Folded, Holder, Page, held::Held, identifiers};
use crate::refusal::{ApiRefusal, Conflict, Missing};

/// A group. Source: IAM API Reference, `Group`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the members of the data type
pub struct Group {
    pub path: String,
    pub group_name: String,
    pub group_id: String,
    pub arn: String,
    pub create_date: Timestamp,
}

/// Source: IAM User Guide, "IAM and AWS STS quotas".
pub(super) const GROUPS_PER_ACCOUNT: usize = 300;
pub(super) const GROUPS_PER_USER: usize = 10;

/// A group with the policies that it holds.
#[derive(Serialize, Deserialize)]
pub(super) struct GroupEntry {
    pub(super) group: Group,
    pub(super) held: Held,
}

impl Account {
    pub(super) fn create_group(
        &mut self,
        group_name: String,
        path: String,
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> Result<Answer, ApiRefusal> {
        let folded = Folded::new(&group_name);
        if self.groups.contains_key(&folded) {
            return Err(ApiRefusal::GroupAlreadyExists(group_name));
        }
        if self.groups.len() >= GROUPS_PER_ACCOUNT {
            return Err(ApiRefusal::LimitExceeded {
                quota: "GroupsPerAccount",
                limit: GROUPS_PER_ACCOUNT,
            });
        }
        let group = Group {
            arn: self.arn(&format!("group{path}{group_name}")),
            group_id: identifiers::unique_id("AGPA", rng),
            create_date: now,
            path,
            group_name,
        };
        self.groups.insert(folded, GroupEntry { group: group.clone(), held: Held::default() });
        Ok(Answer::Group(group))
    }

    pub(super) fn get_group(&self, group_name: &str, page: &Page) -> Result<Answer, ApiRefusal> {
        let group = self.group_entry(group_name)?.group.clone();
        let folded = Folded::new(group_name);
        let members = self.users.iter().filter(|(_, entry)| entry.groups.contains(&folded));
        let users = page.of(members.map(|(name, entry)| (name, entry.user.clone())))?;
        Ok(Answer::GroupUsers { group, users })
    }

    pub(super) fn list_groups(&self, path_prefix: &str, page: &Page) -> Result<Answer, ApiRefusal> {
        let groups =
            self.groups.iter().filter(|(_, entry)| entry.group.path.starts_with(path_prefix));
        Ok(Answer::Groups(page.of(groups.map(|(name, entry)| (name, entry.group.clone())))?))
    }

    pub(super) fn list_groups_for_user(
        &self,
        user_name: &str,
        page: &Page,
    ) -> Result<Answer, ApiRefusal> {
        let groups = self.user_entry(user_name)?.groups.iter();
        Ok(Answer::Groups(page.of(groups.map(|name| (name, self.groups[name].group.clone())))?))
    }

    pub(super) fn update_group(
        &mut self,
        group_name: &str,
        new_path: Option<String>,
        new_group_name: Option<String>,
    ) -> Result<Answer, ApiRefusal> {
        let group = &self.group_entry(group_name)?.group;
        let path = new_path.unwrap_or_else(|| group.path.clone());
        let name = new_group_name.unwrap_or_else(|| group.group_name.clone());
        let (old, new) = (Folded::new(group_name), Folded::new(&name));
        if old != new && self.groups.contains_key(&new) {
            return Err(ApiRefusal::GroupAlreadyExists(name));
        }
        let members: Vec<Folded> = self
            .users
            .iter()
            .filter(|(_, entry)| entry.groups.contains(&old))
            .map(|(name, _)| name.clone())
            .collect();
        for member in members {
            let entry = self.users.get_mut(&member).expect("the member was found above");
            entry.groups.remove(&old);
            entry.groups.insert(new.clone());
        }
        let mut entry = self.groups.remove(&old).expect("the group was found above");
        let holder = Holder::Group(name.clone());
        for (policy_name, document) in &mut entry.held.inline {
            document.source = holder.source_of(policy_name);
        }
        entry.group.arn = self.arn(&format!("group{path}{name}"));
        entry.group.path = path;
        entry.group.group_name = name;
        self.groups.insert(new, entry);
        Ok(Answer::Done)
    }

    /// Adds a user to a group. A user that is in the group already is no error.
    pub(super) fn add_user_to_group(
        &mut self,
        group_name: &str,
        user_name: &str,
    ) -> Result<Answer, ApiRefusal> {
        self.group_entry(group_name)?;
        let groups = &mut self.user_entry_mut(user_name)?.groups;
        let folded = Folded::new(group_name);
        if !groups.contains(&folded) && groups.len() >= GROUPS_PER_USER {
            return Err(ApiRefusal::LimitExceeded {
                quota: "GroupsPerUser",
                limit: GROUPS_PER_USER,
            });
        }
        groups.insert(folded);
        Ok(Answer::Done)
    }

    pub(super) fn remove_user_from_group(
        &mut self,
        group_name: &str,
        user_name: &str,
    ) -> Result<Answer, ApiRefusal> {
        self.group_entry(group_name)?;
        if !self.user_entry_mut(user_name)?.groups.remove(&Folded::new(group_name)) {
            let (user, group) = (user_name.to_owned(), group_name.to_owned());
            return Err(ApiRefusal::NoSuchEntity(Missing::Membership { user, group }));
        }
        Ok(Answer::Done)
    }

    pub(super) fn delete_group(&mut self, group_name: &str) -> Result<Answer, ApiRefusal> {
        let folded = Folded::new(group_name);
        let held = &self.group_entry(group_name)?.held;
        let conflicts = [
            (!held.inline.is_empty(), Conflict::InlinePolicies),
            (!held.attached.is_empty(), Conflict::AttachedPolicies),
            (
                self.users.values().any(|entry| entry.groups.contains(&folded)),
                Conflict::GroupMembership,
            ),
        ];
        if let Some((_, conflict)) = conflicts.into_iter().find(|(stands, _)| *stands) {
            return Err(ApiRefusal::DeleteConflict(conflict));
        }
        self.groups.remove(&folded);
        Ok(Answer::Done)
    }

    pub(super) fn group_entry(&self, group_name: &str) -> Result<&GroupEntry, ApiRefusal> {
        self.groups.get(&Folded::new(group_name)).ok_or_else(|| no_such_group(group_name))
    }

    pub(super) fn group_entry_mut(
        &mut self,
        group_name: &str,
    ) -> Result<&mut GroupEntry, ApiRefusal> {
        self.groups.get_mut(&Folded::new(group_name)).ok_or_else(|| no_such_group(group_name))
    }
}

fn no_such_group(group_name: &str) -> ApiRefusal {
    ApiRefusal::NoSuchEntity(Missing::Group(group_name.to_owned()))
}
