//! The state of one AWS account: users, groups, policies, access keys.
//!
//! [`Account::apply`] does one [`Action`] whole or refuses it and changes nothing. Time and randomness are arguments,
//! so the same actions with the same arguments make the same account. Lists are in the order of the names.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use serde::{Deserialize, Serialize};
use seskey::{AccessKeyId, Partition, SecretAccessKey};

pub use action::{
    AccessKeyMetadata, Action, Answer, AttachedPolicy, EvalDecision, Holder, PolicyScope,
    Simulated, Simulation,
};
pub use groups::Group;
pub use identifiers::{AccountId, fresh_access_key};
pub use keys::{AccessKey, LastUsed, Status};
pub use pages::{Listed, Page};
pub use policies::ManagedPolicy;
pub use rows::{RestoreError, Row};
pub use users::{Tag, User};

use crate::refusal::{Missing, Refusal};
use rows::Root;
use table::Table;

mod action;
mod authority;
mod context;
mod groups;
mod held;
mod identifiers;
mod keys;
mod pages;
mod policies;
mod rows;
mod simulation;
mod summary;
mod table;
mod users;

/// All that one AWS account is. Its `Debug` tells only the number of the account.
pub struct Account {
    id: AccountId,
    partition: Partition,
    /// A single row, under the empty key.
    root: Table<String, Root>,
    users: Table<Folded, users::Entry>,
    groups: Table<Folded, groups::Entry>,
    /// Managed policies by their names, which are unique whatever the path.
    policies: Table<Folded, policies::Entry>,
    /// The access keys of all users and of the root user, by ID.
    access_keys: Table<String, AccessKey>,
}

/// Who owns an access key, and so who makes a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Principal {
    /// The root user, who may do everything.
    Root,
    /// An IAM user, by its name.
    User(String),
}

/// A name as IAM compares it: "names are not distinguished by case" (IAM API Reference, `CreateUser`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Folded(String);

impl Account {
    /// A new account with one active access key of the root user.
    pub fn new(
        id: AccountId,
        partition: Partition,
        root: (AccessKeyId, SecretAccessKey),
        now: Timestamp,
    ) -> Self {
        let (access_key_id, secret) = root;
        let create_date = whole_seconds(now);
        let key = AccessKey::new(Principal::Root, secret, create_date);
        let access_key_id = access_key_id.as_str().to_owned();
        let root = Root {
            account_id: id.clone(),
            partition,
            create_date,
            access_keys: vec![access_key_id.clone()],
        };
        let mut account = Self { id, partition, ..Self::empty() };
        account.root.insert(String::new(), root);
        account.access_keys.insert(access_key_id, key);
        account
    }

    /// What an account is before the first row is in it.
    fn empty() -> Self {
        Self {
            id: AccountId::parse("000000000000").expect("12 digits"),
            partition: Partition::Aws,
            root: Table::new("root"),
            users: Table::new("user"),
            groups: Table::new("group"),
            policies: Table::new("policy"),
            access_keys: Table::new("access-key"),
        }
    }

    /// Does one action, or refuses it and changes nothing.
    ///
    /// # Errors
    /// The refusals of the action in the IAM API Reference.
    pub fn apply(
        &mut self,
        action: Action,
        now: Timestamp,
        rng: &mut dyn Rng,
    ) -> Result<Answer, Refusal> {
        use Action as A;
        let now = whole_seconds(now);
        match action {
            A::CreateUser { user_name, path, permissions_boundary, tags } => {
                self.create_user(user_name, path, permissions_boundary, tags, now, rng)
            }
            A::GetUser { principal } => self.get_user(&principal),
            A::ListUsers { path_prefix, page } => self.list_users(&path_prefix, &page),
            A::UpdateUser { user_name, new_path, new_user_name } => {
                self.update_user(&user_name, new_path, new_user_name)
            }
            A::DeleteUser { user_name } => self.delete_user(&user_name),
            A::TagUser { user_name, tags } => self.tag_user(&user_name, tags),
            A::UntagUser { user_name, tag_keys } => self.untag_user(&user_name, &tag_keys),
            A::ListUserTags { user_name, page } => self.list_user_tags(&user_name, &page),
            A::CreateAccessKey { principal } => self.create_access_key(principal, now, rng),
            A::ListAccessKeys { principal, page } => self.list_access_keys(&principal, &page),
            A::UpdateAccessKey { principal, access_key_id, status } => {
                self.update_access_key(&principal, access_key_id, status)
            }
            A::DeleteAccessKey { principal, access_key_id } => {
                self.delete_access_key(&principal, access_key_id)
            }
            A::GetAccessKeyLastUsed { access_key_id } => {
                self.get_access_key_last_used(access_key_id)
            }
            A::CreateGroup { group_name, path } => self.create_group(group_name, path, now, rng),
            A::GetGroup { group_name, page } => self.get_group(&group_name, &page),
            A::ListGroups { path_prefix, page } => self.list_groups(&path_prefix, &page),
            A::ListGroupsForUser { user_name, page } => {
                self.list_groups_for_user(&user_name, &page)
            }
            A::AddUserToGroup { group_name, user_name } => {
                self.add_user_to_group(&group_name, &user_name)
            }
            A::RemoveUserFromGroup { group_name, user_name } => {
                self.remove_user_from_group(&group_name, &user_name)
            }
            A::DeleteGroup { group_name } => self.delete_group(&group_name),
            A::PutPolicy { holder, policy_name, document } => {
                self.put_policy(&holder, policy_name, document)
            }
            A::GetInlinePolicy { holder, policy_name } => {
                self.get_inline_policy(holder, policy_name)
            }
            A::ListInlinePolicies { holder, page } => self.list_inline_policies(&holder, &page),
            A::DeleteInlinePolicy { holder, policy_name } => {
                self.delete_inline_policy(&holder, policy_name)
            }
            A::AttachPolicy { holder, policy_arn } => self.attach_policy(&holder, policy_arn),
            A::DetachPolicy { holder, policy_arn } => self.detach_policy(&holder, policy_arn),
            A::ListAttachedPolicies { holder, path_prefix, page } => {
                self.list_attached_policies(&holder, &path_prefix, &page)
            }
            A::CreatePolicy { policy_name, path, document, description, tags } => {
                self.create_policy(policy_name, path, document, description, tags, now, rng)
            }
            A::GetPolicy { policy_arn } => self.get_policy(policy_arn),
            A::GetPolicyVersion { policy_arn, version_id } => {
                self.get_policy_version(policy_arn, version_id)
            }
            A::DeletePolicy { policy_arn } => self.delete_policy(policy_arn),
            A::ListPolicies { scope, only_attached, path_prefix, page } => {
                self.list_policies(scope, only_attached, &path_prefix, &page)
            }
            A::SimulatePrincipalPolicy(simulation) => self.simulate(&simulation),
            A::GetAccountSummary => Ok(Answer::AccountSummary(self.summary())),
            A::ListNone { user_name, list } => {
                user_name.map_or(Ok(()), |name| self.user_entry(&name).map(drop))?;
                Ok(Answer::Nothing { list })
            }
            A::GetLoginProfile { user_name } => {
                let user_name = self.user_entry(&user_name)?.user.user_name.clone();
                Err(Refusal::NoSuchEntity(Missing::LoginProfile(user_name)))
            }
        }
    }

    /// Records that an access key was used, by whatever way: the API (`iam`, `sts`) or SMTP (`ses-smtp`). "When the
    /// access key is used more than once in a 15-minute span, only the first use is recorded" (IAM User Guide,
    /// "Generate credential reports for your AWS account"). Unknown keys are passed over.
    pub fn record_use(
        &mut self,
        access_key_id: &str,
        service_name: &str,
        region: &str,
        now: Timestamp,
    ) {
        let recorded = |key: &AccessKey| {
            key.last_used.as_ref().is_some_and(|last| {
                let since = now.duration_since(last.last_used_date);
                !since.is_negative() && since < LAST_USED_SPAN
            })
        };
        if self.access_keys.get(access_key_id).is_none_or(recorded) {
            return;
        }
        if let Some(key) = self.access_keys.get_mut(&access_key_id.to_owned()) {
            key.last_used = Some(LastUsed {
                last_used_date: whole_seconds(now),
                service_name: service_name.to_owned(),
                region: region.to_owned(),
            });
        }
    }

    /// The access key of that ID, be it a user's or the root user's, active or not.
    pub fn access_key(&self, access_key_id: &str) -> Option<&AccessKey> {
        self.access_keys.get(access_key_id)
    }

    /// The user of that name.
    pub fn user(&self, user_name: &str) -> Option<&User> {
        self.users.get(&Folded::new(user_name)).map(|entry| &entry.user)
    }

    /// The group of that name.
    pub fn group(&self, group_name: &str) -> Option<&Group> {
        self.groups.get(&Folded::new(group_name)).map(|entry| &entry.group)
    }

    /// The number of the account.
    pub fn id(&self) -> &AccountId {
        &self.id
    }

    /// The partition that the account is in.
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// The ARN of a resource of IAM in this account: `arn:aws:iam::111122223333:` and the resource, such as `user/Bob`.
    pub fn arn(&self, resource: &str) -> String {
        format!("arn:{}:iam::{}:{resource}", self.partition, self.id)
    }

    /// The ARN of a principal; that of a user who is not there any more is the one of a user without a path.
    pub fn principal_arn(&self, principal: &Principal) -> String {
        match principal {
            Principal::Root => self.arn("root"),
            Principal::User(name) => self
                .user(name)
                .map_or_else(|| self.arn(&format!("user/{name}")), |user| user.arn.clone()),
        }
    }

    fn root_user(&self) -> &Root {
        self.root.get("").expect("an account is made with its root user")
    }

    fn root_user_mut(&mut self) -> &mut Root {
        self.root.get_mut(&String::new()).expect("an account is made with its root user")
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Folded {
    fn new(name: &str) -> Self {
        Self(name.to_ascii_lowercase())
    }
}

/// Only of a name that was folded before.
impl From<String> for Folded {
    fn from(folded: String) -> Self {
        Self(folded)
    }
}

impl AsRef<str> for Folded {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

const LAST_USED_SPAN: SignedDuration = SignedDuration::from_mins(15);

/// IAM's dates have no fractions.
fn whole_seconds(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
