//! A new user whose credential reached nobody.

use seskey::{AccessKeyId, Region, store::Store};

use super::{
    change::{SETTLING, SETTLING_PAUSE},
    create::Event,
    undo::{LeftOver, Made, Thing, undo},
};
use crate::{
    Account, Cause, Error,
    store::{self, Held},
};

/// Returns the first of these stores that holds a credential of the user, or may hold one: the store cannot be read, or
/// the owner of its key is unknown. A key of a new user may not be listed yet.
///
/// # Errors
/// The keys of the user cannot be listed.
pub async fn holder<'a>(
    account: &Account,
    user: &str,
    region: &Region,
    stores: &'a [Store],
) -> Result<Option<&'a Store>, Error> {
    let keys = account.access_keys(user).await?;
    let keys = keys.iter().filter_map(|key| AccessKeyId::parse(&key.id).ok()).collect();
    for store in stores {
        let held = match store::read(account, store, region, &keys).await {
            Ok(Held::Credentials(held)) => held,
            Ok(_) => continue,
            Err(_) => return Ok(Some(store)),
        };
        for (key, _) in held {
            let owner = account.access_key_last_used(key.as_str()).await;
            let is_of_another =
                owner.is_ok_and(|(owner, _)| owner.is_some_and(|owner| owner != user));
            if keys.contains(&key) || !is_of_another {
                return Ok(Some(store));
            }
        }
    }
    Ok(None)
}

/// Undoes what was made for the user, and every key that it was given since. Returns what is left over.
pub async fn take_back(
    account: &Account,
    user: &str,
    made: &[Made],
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Vec<LeftOver> {
    let mut left = taken(account, user, made, on_event).await;
    for _ in 0..SETTLING {
        let has_unlisted_key =
            |left: &LeftOver| matches!(left.why.cause, Cause::DeleteConflict { .. });
        if !left.iter().any(has_unlisted_key) {
            break;
        }
        tokio::time::sleep(SETTLING_PAUSE).await;
        // in order of creation, since the last thing made is undone first
        let made: Vec<Made> = left.into_iter().rev().map(|left| left.what).collect();
        left = taken(account, user, &made, on_event).await;
    }
    left
}

async fn taken(
    account: &Account,
    user: &str,
    made: &[Made],
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Vec<LeftOver> {
    let mut made = made.to_vec();
    // if they cannot be listed, IAM keeps the user and gives the reason
    let keys = account.access_keys(user).await.unwrap_or_default();
    made.extend(keys.into_iter().map(|key| {
        let what = Thing::AccessKey { user: user.to_owned(), id: Some(key.id) };
        Made { what, certain: true }
    }));
    undo(account, &made, on_event).await
}
