//! A leak: every access key of a user off, at once, before anything else is looked at.

use jiff::Timestamp;
use seskey::{
    AccessKeyId,
    rotation::{Key, NoteError, Notes, Seen, Step, revoke as next},
};

use crate::{
    Account, Error,
    iam::{AccessKey, KeyStatus},
};

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// The keys that were active and are not any more.
    pub deactivated: Vec<AccessKeyId>,
    /// The keys that could not be deactivated.
    pub active: Vec<(AccessKeyId, Error)>,
    /// Why it was not noted on the user since when they have been inactive: [`undo`](seskey::rotation::undo) works all
    /// the same, the quarantine begins with the next rotation.
    pub not_noted: Option<NotNoted>,
}

/// Why nothing was noted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotNoted {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] Error),
    /// Somebody else wrote the tag.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// Deactivates every active key of the user, then notes since when. Nothing but the list of the keys is asked for
/// before, and a key that cannot be deactivated keeps no other from it.
///
/// # Errors
/// The keys cannot be listed: nothing was changed.
#[tracing::instrument(level = "debug", skip(account))]
pub async fn revoke(account: &Account, user: &str) -> Result<Revoked, Error> {
    let mut revoked = Revoked { deactivated: vec![], active: vec![], not_noted: None };
    let mut seen = Seen::at(Timestamp::UNIX_EPOCH);
    seen.keys = account.access_keys(user).await?.iter().filter_map(key).collect();
    while let Step::Deactivate(id) = next(&seen) {
        match account.update_access_key(user, id.as_str(), false).await {
            Err(error) if !error.is_no_such_entity() => revoked.active.push((id.clone(), error)),
            _ => revoked.deactivated.push(id.clone()),
        }
        seen.keys.iter_mut().filter(|key| key.id == id).for_each(|key| key.active = false);
    }
    seen.keys.retain(|key| revoked.active.iter().all(|(id, _)| *id != key.id));
    seen.now = account.now().unwrap_or_else(Timestamp::now);
    revoked.not_noted = note(account, user, seen).await.err();
    Ok(revoked)
}

async fn note(account: &Account, user: &str, mut seen: Seen) -> Result<(), NotNoted> {
    let tags = account.tags_of_user(user).await?;
    seen.notes = Notes::from_tags(tags.iter().map(|(key, value)| (&**key, &**value)))?;
    while let Step::MarkRetired(retired) = next(&seen) {
        if let Some((tag, Some(value))) = Step::MarkRetired(retired.clone()).tag() {
            account.tag_user(user, tag, &value).await?;
        }
        seen.notes.retired = retired;
    }
    Ok(())
}

fn key(key: &AccessKey) -> Option<Key> {
    Some(Key {
        // IAM makes no other
        id: AccessKeyId::parse(&key.id).ok()?,
        active: key.status == KeyStatus::Active,
        created: key.created.unwrap_or(Timestamp::UNIX_EPOCH),
        last_used: None,
    })
}
