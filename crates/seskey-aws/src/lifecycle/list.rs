//! Lists the SMTP users of an account: those whose policies allow sending.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex},
};

use aws_sdk_iam::types::User;
use jiff::Timestamp;
use seskey::user::{REGION_TAG, SENDING_GROUP, SENDING_POLICY};
use tokio::{
    sync::{OnceCell, Semaphore},
    task::JoinSet,
};

use super::permission::Document;
use crate::{
    Account, Error,
    iam::{AccessKey, LastUsed, timestamp},
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

/// Lists the users that may send, or with `all` every user, by name.
///
/// # Errors
/// The first call that failed. A user that is deleted meanwhile is left out.
#[tracing::instrument(level = "debug", skip(account))]
pub async fn list(account: &Account, all: bool) -> Result<Vec<SmtpUser>, Error> {
    let users = account.users().await?;
    tracing::debug!(count = users.len(), "users");
    let survey = Arc::new(Survey {
        account: account.clone(),
        all,
        groups: Memo::default(),
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

struct Survey {
    account: Account,
    all: bool,
    /// Whether the policies of a group allow sending, asked once for each group.
    groups: Memo,
    /// The same for managed policies, by ARN.
    managed: Memo,
    calls: Semaphore,
}

impl Survey {
    async fn look_at(&self, user: User) -> Result<Option<SmtpUser>, Error> {
        let style = self.style(&user.user_name).await?;
        if style.is_none() && !self.all {
            return Ok(None);
        }
        let mut keys = Vec::new();
        for key in self.account.access_keys(&user.user_name).await? {
            let (_, last_used) = self.account.access_key_last_used(&key.id).await?;
            keys.push(ListedKey { key, last_used });
        }
        let tags = self.account.user_tags(&user.user_name).await?;
        let region = tags.into_iter().find(|tag| tag.key == REGION_TAG).map(|tag| tag.value);
        let created = timestamp(&user.create_date);
        Ok(Some(SmtpUser {
            name: user.user_name,
            path: user.path,
            arn: user.arn,
            created,
            style,
            region,
            keys,
        }))
    }

    async fn style(&self, user: &str) -> Result<Option<Style>, Error> {
        let account = &self.account;
        let mut style = None;
        let mut found = |new: Style| style = Some(style.map_or(new, |old: Style| old.min(new)));
        for group in account.groups_of_user(user).await? {
            let allows = || async { Ok(any_allows(&account.documents_of_group(&group).await?)) };
            if self.groups.get(&group, allows).await? {
                found(if group == SENDING_GROUP { Style::Group } else { Style::Other });
            }
        }
        for document in account
            .documents_of_user(user)
            .await?
            .iter()
            .filter(|document| document.allows_sending())
        {
            found(if document.name == SENDING_POLICY { Style::Inline } else { Style::Other });
        }
        for policy in account.attached_to_user(user).await? {
            let arn = policy.arn.clone();
            if self
                .managed
                .get(&arn, || async { Ok(account.document(policy).await?.allows_sending()) })
                .await?
            {
                found(Style::Other);
            }
        }
        Ok(style)
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

fn any_allows(documents: &[Document]) -> bool {
    documents.iter().any(Document::allows_sending)
}

/// How many users are looked at at the same time: IAM throttles an account as a whole.
const CONCURRENCY: usize = 8;
