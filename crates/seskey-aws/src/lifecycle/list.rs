//! Lists the SMTP users of an account: those whose policies allow sending.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex},
};

use aws_sdk_iam::types::User;
use jiff::Timestamp;
use seskey::{
    policy::Policy,
    user::{REGION_TAG, SENDING_GROUP, SENDING_POLICY},
};
use tokio::{
    sync::{OnceCell, Semaphore},
    task::JoinSet,
};

use super::permission::{Document, SEND};
use crate::{
    Account, Error,
    iam::{AccessKey, Attached, GroupDetails, LastUsed, UserDetails},
};

/// A user with its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpUser {
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: String,
    /// Its ARN.
    pub arn: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Where its permission to send comes from; absent if it has none.
    pub style: Option<Style>,
    /// The region that its credential was made for, as its tag has it.
    pub region: Option<String>,
    /// Its access keys.
    pub keys: Vec<ListedKey>,
}

/// An access key of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// The key.
    pub key: AccessKey,
    /// Its last use; absent if there was none.
    pub last_used: Option<LastUsed>,
}

/// Where a permission to send comes from. If from several places, the first of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Style {
    /// From the group of the SES console.
    Group,
    /// From the policy in the user, as the SES console made it before September 2024.
    Inline,
    /// From any other policy.
    Other,
}

/// Lists the users that may send, or with `all` every user, by name. All users and groups come in one list, and only
/// SMTP users are asked about one by one; so is every user if the caller may not get that list.
///
/// # Errors
/// The first call that failed. A user that is deleted meanwhile is left out.
#[tracing::instrument(level = "debug", skip(account))]
pub async fn list(account: &Account, all: bool) -> Result<Vec<SmtpUser>, Error> {
    let (users, groups) = match account.user_and_group_details().await {
        Ok((users, groups)) => (users.into_iter().map(Known::Details).collect(), groups),
        Err(error) if error.is_access_denied() => {
            (account.users().await?.into_iter().map(Known::User).collect::<Vec<_>>(), vec![])
        }
        Err(error) => return Err(error),
    };
    tracing::debug!(count = users.len(), "users");
    let survey = Arc::new(Survey {
        account: account.clone(),
        all,
        groups: groups.into_iter().map(|group| (group.name.clone(), group)).collect(),
        groups_that_send: Memo::default(),
        managed: Memo::default(),
        calls: Semaphore::new(CONCURRENCY),
    });
    let mut tasks = JoinSet::new();
    for user in users {
        let survey = Arc::clone(&survey);
        tasks.spawn(async move {
            let _permit = survey.calls.acquire().await.expect("nobody closes the semaphore");
            survey.look_at(user).await
        });
    }
    let mut listed = Vec::new();
    while let Some(task) = tasks.join_next().await {
        match task.expect("no task panics or is cancelled") {
            Err(error) if error.is_no_such_entity() => {}
            user => listed.extend(user?),
        }
    }
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(listed)
}

/// What is known of a user at first.
enum Known {
    Details(UserDetails),
    User(User),
}

struct Survey {
    account: Account,
    all: bool,
    /// Those that came with the users, by name.
    groups: HashMap<String, GroupDetails>,
    /// Whether the policies of a group allow sending, worked out once for each group.
    groups_that_send: Memo,
    /// The same for managed policies, by ARN.
    managed: Memo,
    calls: Semaphore,
}

impl Survey {
    async fn look_at(&self, user: Known) -> Result<Option<SmtpUser>, Error> {
        let user = match user {
            Known::Details(user) => user,
            Known::User(user) => self.account.details_of_user(user).await?,
        };
        let style = self.style(&user).await?;
        if style.is_none() && !self.all {
            return Ok(None);
        }
        let mut keys = Vec::new();
        for key in self.account.access_keys(&user.name).await? {
            let (_, last_used) = self.account.access_key_last_used(&key.id).await?;
            keys.push(ListedKey { key, last_used });
        }
        let UserDetails { name, path, arn, created, tags, .. } = user;
        let region = tags.into_iter().find(|(key, _)| key == REGION_TAG).map(|(_, value)| value);
        Ok(Some(SmtpUser { name, path, arn, created, style, region, keys }))
    }

    async fn style(&self, user: &UserDetails) -> Result<Option<Style>, Error> {
        let mut style = None;
        let mut found = |new: Style| style = Some(style.map_or(new, |old: Style| old.min(new)));
        for group in &user.groups {
            if self.groups_that_send.get(group, || self.group_sends(group)).await? {
                found(if group == SENDING_GROUP { Style::Group } else { Style::Other });
            }
        }
        for (name, document) in &user.policies {
            if allows_sending(document) {
                found(if name == SENDING_POLICY { Style::Inline } else { Style::Other });
            }
        }
        if self.one_sends(&user.attached).await? {
            found(Style::Other);
        }
        Ok(style)
    }

    async fn group_sends(&self, group: &str) -> Result<bool, Error> {
        match self.groups.get(group) {
            Some(group) if group.policies.iter().any(|(_, document)| allows_sending(document)) => {
                Ok(true)
            }
            Some(group) => self.one_sends(&group.attached).await,
            None => {
                let documents = self.account.documents_of_group(group).await?;
                Ok(documents.iter().any(Document::allows_sending))
            }
        }
    }

    /// Whether one of these managed policies allows sending.
    async fn one_sends(&self, policies: &[Attached]) -> Result<bool, Error> {
        for policy in policies {
            let ask =
                || async { Ok(self.account.document(policy.clone()).await?.allows_sending()) };
            if self.managed.get(&policy.arn, ask).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Answers that are asked for once, however many ask at the same time.
#[derive(Default)]
struct Memo(Mutex<HashMap<String, Arc<OnceCell<bool>>>>);

impl Memo {
    async fn get<F>(&self, key: &str, ask: impl FnOnce() -> F) -> Result<bool, Error>
    where
        F: Future<Output = Result<bool, Error>>,
    {
        let cell = {
            let mut cells = self.0.lock().expect("nobody panics while holding the lock");
            Arc::clone(cells.entry(key.to_owned()).or_default())
        };
        cell.get_or_try_init(ask).await.copied()
    }
}

fn allows_sending(document: &str) -> bool {
    Policy::parse(document).is_ok_and(|policy| policy.may_allow(SEND))
}

/// How many users are looked at at the same time: IAM throttles an account as a whole.
const CONCURRENCY: usize = 8;
