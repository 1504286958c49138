//! The passwords that a run keeps for the next one, in a file beside the first file among the stores: those of a key
//! for the stores of several regions. Without them, a run that is killed between two deliveries would leave two keys in
//! use, one of them without its secret, and no room for a third.

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

/// Keeps the passwords, if there is a file among the stores.
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

/// Returns the passwords that an earlier run kept. A file that cannot be read counts as none.
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

/// Deletes the passwords, once every store has them.
pub(crate) fn forget(stores: &[Store]) {
    if let Some(path) = path(stores) {
        // a file that stays has no use, and is written over
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
