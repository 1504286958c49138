//! What a run keeps for the one after it: the passwords of a key for the stores of several regions, in a file beside the
//! first of them. Killed between two deliveries, it would leave two keys that are both read, one of them without its
//! secret, and no room for a third.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::json;
use seskey::{
    AccessKeyId, Region, SmtpPassword,
    store::{Store, StoreKind},
};
use zeroize::Zeroizing;

use super::{StoreError, file};

/// The passwords of one key.
pub(crate) type Passwords = BTreeMap<Region, SmtpPassword>;

/// Keeps them, if there is a file among the stores.
pub(crate) async fn keep(
    stores: &[Store],
    key: &AccessKeyId,
    passwords: &Passwords,
) -> Result<(), StoreError> {
    let Some(path) = path(stores) else { return Ok(()) };
    let exposed: BTreeMap<_, _> =
        passwords.iter().map(|(region, password)| (region.as_str(), password.expose())).collect();
    let text = Zeroizing::new(format!("{:#}\n", json!({ key.as_str(): exposed })));
    file::keep(path, text).await
}

/// What a run before has kept. What cannot be read is as if nothing was.
pub(crate) async fn kept(stores: &[Store]) -> Option<(AccessKeyId, Passwords)> {
    let text = file::kept(path(stores)?).await?;
    let by_key: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_str(&text).ok()?;
    let (key, passwords) = by_key.into_iter().next()?;
    let password = |(region, password): (String, String)| {
        Some((Region::parse_unknown(&region).ok()?, SmtpPassword::parse(&password).ok()?))
    };
    Some((
        AccessKeyId::parse(&key).ok()?,
        passwords.into_iter().map(password).collect::<Option<_>>()?,
    ))
}

/// Every store has them.
pub(crate) fn forget(stores: &[Store]) {
    if let Some(path) = path(stores) {
        // what is left serves nobody, and is written over
        let _ = fs::remove_file(path);
    }
}

fn path(stores: &[Store]) -> Option<PathBuf> {
    let file = stores.iter().find_map(|store| match &store.kind {
        StoreKind::File { path } => Some(path),
        _ => None,
    })?;
    Some(file.with_file_name(format!(".{}.seskey", file.file_name()?.to_str()?)))
}
