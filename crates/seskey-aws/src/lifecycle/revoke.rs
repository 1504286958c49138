//! The answer to a leak: every access key of a user is deactivated at once, before anything else is read.

use std::time::Duration;

use jiff::Timestamp;
use seskey::{
    AccessKeyId,
    rotation::{Key, NoteError, Notes, Seen, Step, forecast_of, revoke as next},
};
use tokio::time::sleep;

use super::rotate::this_run;
use crate::{
    Account, Error,
    iam::{AccessKey, KeyStatus},
};

/// The result of a revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// The keys that were active and are now inactive.
    pub deactivated: Vec<AccessKeyId>,
    /// The keys that could not be deactivated.
    pub active: Vec<(AccessKeyId, Error)>,
    /// The reason why the time of the deactivation was not noted on the user. [`undo`](seskey::rotation::undo) works
    /// all the same, and the quarantine begins with the next rotation.
    pub not_noted: Option<NotNoted>,
}

/// The reason why nothing was noted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotNoted {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] Error),
    /// The tag was written by somebody else.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// Deactivates every active key of the user, then notes the time, and looks once more when IAM shows all keys that
/// existed. Only the list of the keys is read before, and a key that cannot be deactivated does not stop the others. A
/// key that a rotation makes meanwhile stays.
///
/// # Errors
/// The keys cannot be listed: nothing was changed.
#[tracing::instrument(level = "debug", skip(account))]
pub async fn revoke(account: &Account, user: &str) -> Result<Revoked, Error> {
    let mut revoked = Revoked { deactivated: vec![], active: vec![], not_noted: None };
    let mut seen = Seen::at(Timestamp::UNIX_EPOCH, this_run());
    seen.keys = account.access_keys(user).await?.iter().filter_map(key).collect();
    let start = now(account);
    deactivate_all(account, user, &mut seen, &mut revoked).await;
    revoked.not_noted = note(account, user, start, &mut revoked).await.err();
    Ok(revoked)
}

/// Returns the keys that [`revoke`] would deactivate, in order. Changes nothing.
///
/// # Errors
/// The keys cannot be listed.
pub async fn active_keys(account: &Account, user: &str) -> Result<Vec<AccessKeyId>, Error> {
    let mut seen = Seen::at(Timestamp::UNIX_EPOCH, this_run());
    seen.keys = account.access_keys(user).await?.iter().filter_map(key).collect();
    let steps = forecast_of(next, &seen).into_iter();
    Ok(steps
        .filter_map(|step| if let Step::Deactivate(id) = step { Some(id) } else { None })
        .collect())
}

async fn deactivate_all(account: &Account, user: &str, seen: &mut Seen, revoked: &mut Revoked) {
    while let Step::Deactivate(id) = next(seen) {
        match account.update_access_key(user, id.as_str(), false).await {
            Err(error) if !error.is_no_such_entity() => revoked.active.push((id.clone(), error)),
            _ => revoked.deactivated.push(id.clone()),
        }
        seen.keys.iter_mut().filter(|key| key.id == id).for_each(|key| key.active = false);
    }
}

async fn note(
    account: &Account,
    user: &str,
    start: Timestamp,
    revoked: &mut Revoked,
) -> Result<(), NotNoted> {
    loop {
        let keys = account.access_keys(user).await?;
        let tags = account.tags_of_user(user).await?;
        let mut seen = Seen::at(now(account), this_run());
        let was_there = |key: &Key| key.created <= start;
        let failed = |key: &Key| revoked.active.iter().any(|(id, _)| *id == key.id);
        seen.keys = keys.iter().filter_map(key).filter(was_there).collect();
        // IAM may not show the deactivation yet
        for key in &mut seen.keys {
            key.active &= !revoked.deactivated.contains(&key.id);
        }
        seen.keys.retain(|key| !failed(key));
        seen.notes = Notes::from_tags(tags.iter().map(|(key, value)| (&**key, &**value)))?;
        let step = next(&seen);
        match (&step, step.tag()) {
            (_, Some((tag, Some(value)))) => {
                account.tag_user(user, tag, &value).await?;
                // or it would be written again and again before IAM shows it
                sleep(SETTLING).await;
            }
            (Step::Deactivate(_), _) => deactivate_all(account, user, &mut seen, revoked).await,
            (Step::WaitUntil { until, .. }, _) => {
                let left = Duration::try_from(until.duration_since(seen.now)).unwrap_or_default();
                sleep(left.min(LONGEST_WAIT)).await;
            }
            _ => return Ok(()),
        }
    }
}

fn now(account: &Account) -> Timestamp {
    account.now().unwrap_or_else(Timestamp::now)
}

fn key(key: &AccessKey) -> Option<Key> {
    Some(Key {
        // IAM makes no other IDs
        id: AccessKeyId::parse(&key.id).ok()?,
        active: key.status == KeyStatus::Active,
        created: key.created.unwrap_or(Timestamp::UNIX_EPOCH),
        last_used: None,
    })
}

const SETTLING: Duration = Duration::from_millis(500);

/// The longest wait: the clock of a local SES may be moved meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
