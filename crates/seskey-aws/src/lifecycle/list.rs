//! The list of the SMTP users of an account: the users whose policies allow sending.

use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    mem,
    sync::{Arc, Mutex},
};

use aws_sdk_iam::types::User;
use jiff::Timestamp;
use seskey::{
    audit::{self, Finding, Limits, Severity, Snapshot},
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
    audit::{of_audit, policies_of},
    iam::{AccessKey, Attached, Details, GroupDetails, LastUsed, UserDetails},
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
    /// The time of its creation.
    pub created: Option<Timestamp>,
    /// The source of its permission to send; absent if it has none.
    pub style: Option<Style>,
    /// The region that its credential was made for, from its tag.
    pub region: Option<String>,
    /// Its access keys.
    pub keys: Vec<ListedKey>,
    /// The worst finding of an audit of the listed data; absent if there is none, or if the caller may not get the list
    /// of all users.
    pub worst: Option<Finding>,
}

/// An access key of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// The key.
    pub key: AccessKey,
    /// Its last use; absent if there was none.
    pub last_used: Option<LastUsed>,
}

/// The source of a permission to send. If there are several, the first of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Style {
    /// From the group of the SES console.
    Group,
    /// From the inline policy that the SES console made before September 2024.
    Inline,
    /// From any other policy.
    Other,
}

/// Lists the users that may send, or with `all` every user, by name. All users and groups come in one list, and only
/// SMTP users are read one by one; if the caller may not get that list, every user is.
///
/// # Errors
/// The first call that failed. A user that is deleted meanwhile is left out.
#[tracing::instrument(level = "debug", skip(account))]
pub async fn list(account: &Account, all: bool) -> Result<Vec<SmtpUser>, Error> {
    let (users, details) = match account.all_details().await {
        Ok(mut details) => {
            let users = mem::take(&mut details.users);
            (users.into_iter().map(Known::Details).collect(), Some(details))
        }
        Err(error) if error.is_access_denied() => {
            (account.users().await?.into_iter().map(Known::User).collect::<Vec<_>>(), None)
        }
        Err(error) => return Err(error),
    };
    let has_details = details.is_some();
    let Details { groups, managed, .. } = details.unwrap_or_default();
    tracing::debug!(count = users.len(), "users");
    let survey = Arc::new(Survey {
        account: account.clone(),
        all,
        groups: groups.into_iter().map(|group| (group.name.clone(), group)).collect(),
        groups_that_send: Memo::default(),
        documents: managed,
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
    listed.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    let (mut listed, judged): (Vec<SmtpUser>, Vec<audit::User>) = listed.into_iter().unzip();
    if has_details {
        survey.judge(&mut listed, judged);
    }
    Ok(listed)
}

enum Known {
    Details(UserDetails),
    User(User),
}

struct Survey {
    account: Account,
    all: bool,
    /// The groups that came with the users, by name.
    groups: HashMap<String, GroupDetails>,
    /// Whether the policies of a group allow sending, determined once for each group.
    groups_that_send: Memo,
    /// The documents of the managed policies that came with the users, by ARN.
    documents: BTreeMap<String, String>,
    /// Whether another managed policy allows sending, by ARN.
    managed: Memo,
    calls: Semaphore,
}

impl Survey {
    async fn look_at(&self, user: Known) -> Result<Option<(SmtpUser, audit::User)>, Error> {
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
        let region = user.tags.iter().find(|(key, _)| key == REGION_TAG);
        let region = region.map(|(_, value)| value.clone());
        let path = user.path.clone();
        let mut judged = of_audit(user, &keys);
        // a boundary that is not in the list is left out
        judged.boundary = judged.boundary.filter(|arn| self.documents.contains_key(arn));
        let audit::User { name, arn, created, .. } = judged.clone();
        let listed = SmtpUser { name, path, arn, created, style, region, keys, worst: None };
        Ok(Some((listed, judged)))
    }

    /// Audits the users by the listed data. The documents of the policies are not known for every user.
    fn judge(&self, listed: &mut [SmtpUser], judged: Vec<audit::User>) {
        let snapshot = Snapshot {
            account: String::new(),
            now: self.account.now().unwrap_or_else(Timestamp::now),
            users: judged,
            groups: self
                .groups
                .values()
                .map(|group| (group.name.clone(), policies_of(group)))
                .collect(),
            managed: self.documents.clone(),
            reach: audit::Reach::default(),
        };
        let found = audit::audit(&snapshot, None, &Limits::default()).findings;
        let is_wrong = |finding: &Finding| finding.severity > Severity::Informational;
        for user in listed {
            let worst = found.iter().find(|finding| finding.user == user.name && is_wrong(finding));
            user.worst = worst.cloned();
        }
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
            let sends = match self.documents.get(&policy.arn) {
                Some(document) => allows_sending(document),
                None => self.managed.get(&policy.arn, ask).await?,
            };
            if sends {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Answers that are requested once, even by several callers at the same time.
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

/// The number of users that are read at the same time: IAM throttles an account as a whole.
const CONCURRENCY: usize = 8;
