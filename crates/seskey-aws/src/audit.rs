//! The data of an audit, fetched in as few calls as possible.
//!
//! Users, groups and policies come a thousand per call, and the keys of all users in the credential report. The report
//! has no access key IDs and may be four hours old: the users for whom that matters are read one by one.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use jiff::{SignedDuration, Timestamp};
use seskey::{
    audit::{
        self, Audit, Finding, Key, LastUse, Limits, Policies, Reach, Snapshot, User,
        report::{self, Reported},
    },
    fleet::Credential,
};
use tokio::task::JoinSet;

use crate::{
    Account, Error,
    iam::{Attached, CredentialReport, Details, GroupDetails, KeyStatus, LastUsed, UserDetails},
    lifecycle::list::ListedKey,
};

/// Reads an account and audits it. `declared` are the rows of `seskey.toml` for this account, `reach` is how the
/// remedies are to reach it, and `close` is a user whose keys are to be known exactly.
///
/// # Errors
/// The first call that failed. A user that is deleted meanwhile has no keys.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn audit(
    account: &Account,
    declared: Option<&[Credential]>,
    limits: &Limits,
    reach: Reach,
    close: Option<&str>,
) -> Result<(Snapshot, Audit), Error> {
    let generation = account.generate_credential_report().await?;
    let details = account.all_details().await?;
    let CredentialReport { text, made } = account.credential_report(generation).await?;
    let unreadable = |_| Error::unreadable("iam:GetCredentialReport");
    let reported = report::read(&text).map_err(unreadable)?;
    let now = account.now().unwrap_or_else(Timestamp::now);
    let mut snapshot = snapshot(details, &reported, now, reach);
    add_managed(&mut snapshot, account).await?;
    let first = audit::audit(&snapshot, declared, limits);
    let wanted = first.findings.iter().filter(|finding| finding.depends_on_keys());
    let wanted: BTreeSet<&str> = wanted.map(|Finding { user, .. }| user.as_str()).collect();
    let is_close = |user: &User| {
        wanted.contains(user.name.as_str())
            || close == Some(user.name.as_str())
            || !reported.contains_key(&user.arn)
    };
    let users: Vec<usize> =
        (0..snapshot.users.len()).filter(|at| is_close(&snapshot.users[*at])).collect();
    if users.is_empty() {
        return Ok((snapshot, first));
    }
    let is_fresh = made.is_some_and(|made| now.duration_since(made) <= FRESH);
    look_closer(account, &mut snapshot, users, is_fresh).await?;
    let second = audit::audit(&snapshot, declared, limits);
    Ok((snapshot, second))
}

/// The age up to which the report is trusted for the last use of a key.
const FRESH: SignedDuration = SignedDuration::from_mins(15);

fn snapshot(
    details: Details,
    reported: &BTreeMap<String, Reported>,
    now: Timestamp,
    reach: Reach,
) -> Snapshot {
    let Details { users, groups, managed } = details;
    let any_arn = users.first().map(|user| &user.arn).or_else(|| reported.keys().next());
    let id = any_arn.and_then(|arn| arn.split(':').nth(4)).unwrap_or_default().to_owned();
    let group = |group: GroupDetails| (group.name.clone(), policies_of(&group));
    let user = |user: UserDetails| {
        let of_report = reported.get(&user.arn);
        User {
            console: of_report.and_then(|row| row.console),
            keys: of_report.map(|row| row.keys.clone()).unwrap_or_default(),
            ..without_keys(user)
        }
    };
    Snapshot {
        account: id,
        now,
        users: users.into_iter().map(user).collect(),
        groups: groups.into_iter().map(group).collect(),
        managed,
        reach,
    }
}

/// Returns the audit's view of a listed user, without knowledge of a console password.
pub(crate) fn of_audit(user: UserDetails, keys: &[ListedKey]) -> User {
    let key = |ListedKey { key, last_used }: &ListedKey| {
        let last_use = last_used.clone().map(last_use);
        let is_active = key.status == KeyStatus::Active;
        Some(Key { id: Some(key.id.clone()), is_active, created: key.created?, last_use })
    };
    User { keys: keys.iter().filter_map(key).collect(), ..without_keys(user) }
}

pub(crate) fn policies_of(group: &GroupDetails) -> Policies {
    Policies { inline: group.policies.clone(), attached: attached(group.attached.clone()) }
}

fn without_keys(user: UserDetails) -> User {
    User {
        name: user.name,
        arn: user.arn,
        created: user.created,
        tags: user.tags,
        groups: user.groups.into_iter().collect(),
        policies: Policies { inline: user.policies, attached: attached(user.attached) },
        boundary: user.boundary,
        console: None,
        keys: vec![],
    }
}

fn last_use(used: LastUsed) -> LastUse {
    LastUse { at: used.at, service: used.service, region: used.region }
}

fn attached(policies: Vec<Attached>) -> Vec<(String, String)> {
    policies.into_iter().map(|policy| (policy.name, policy.arn)).collect()
}

/// Adds the managed policies that the list leaves out, such as an AWS policy that is only a boundary.
async fn add_managed(snapshot: &mut Snapshot, account: &Account) -> Result<(), Error> {
    let held = snapshot.users.iter().map(|user| &user.policies).chain(snapshot.groups.values());
    let attached = held.flat_map(|policies| policies.attached.iter().map(|(_, arn)| arn));
    let boundaries = snapshot.users.iter().filter_map(|user| user.boundary.as_ref());
    let named: BTreeSet<String> = attached.chain(boundaries).cloned().collect();
    for arn in named {
        if let Entry::Vacant(unknown) = snapshot.managed.entry(arn) {
            let document = account.managed_policy(unknown.key()).await?;
            unknown.insert(document);
        }
    }
    Ok(())
}

/// Replaces what the report says of the keys of these users with what IAM says.
async fn look_closer(
    account: &Account,
    snapshot: &mut Snapshot,
    users: Vec<usize>,
    is_fresh: bool,
) -> Result<(), Error> {
    let mut users = users.into_iter();
    let mut tasks = JoinSet::new();
    loop {
        while tasks.len() < CONCURRENCY
            && let Some(at) = users.next()
        {
            let account = account.clone();
            let User { name, keys, .. } = &snapshot.users[at];
            let (name, keys) = (name.clone(), keys.clone());
            tasks.spawn(async move { (at, keys_of(&account, &name, &keys, is_fresh).await) });
        }
        let Some(done) = tasks.join_next().await else { return Ok(()) };
        let (at, keys) = done.expect("no task panics or is cancelled");
        snapshot.users[at].keys = match keys {
            Err(error) if error.is_no_such_entity() => vec![],
            keys => keys?,
        };
    }
}

/// The number of users that are read at the same time: IAM throttles an account as a whole.
const CONCURRENCY: usize = 8;

/// Returns the keys of a user. The last use of each is taken from the report, unless it is too old or lacks the key.
async fn keys_of(
    account: &Account,
    user: &str,
    reported: &[Key],
    is_fresh: bool,
) -> Result<Vec<Key>, Error> {
    let mut keys = vec![];
    for key in account.access_keys(user).await? {
        let Some(created) = key.created else { continue };
        let mut same = reported.iter().filter(|reported| reported.created == created);
        let last_use = match (same.next(), same.next()) {
            (Some(reported), None) if is_fresh => reported.last_use.clone(),
            _ => {
                let (_, used) = account.access_key_last_used(&key.id).await?;
                used.map(last_use)
            }
        };
        let is_active = key.status == KeyStatus::Active;
        keys.push(Key { id: Some(key.id), is_active, created, last_use });
    }
    Ok(keys)
}
