//! What no two credentials may have.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    error::Fault,
    read::{Reader, Section},
};
use crate::{
    Region,
    store::{Store, StoreKind},
    user::UserName,
};

/// The users and the stores so far, with their offsets.
#[derive(Default)]
pub(super) struct Taken {
    /// IAM takes no two names that differ in case only. Source: IAM API, `CreateUser`.
    users: BTreeMap<(String, String), usize>,
    stores: Vec<(Place, usize)>,
}

impl Taken {
    pub(super) fn user(
        &mut self,
        reader: &mut Reader,
        section: &Section,
        account: &str,
        user: &UserName,
    ) {
        let at = section.at_value("user");
        let key = (account.to_owned(), user.as_str().to_ascii_lowercase());
        match self.users.get(&key) {
            Some(first) => {
                let first = reader.line(*first);
                reader.fault(at, "user", Fault::SameUser { first })
            }
            None => drop(self.users.insert(key, at)),
        }
    }

    pub(super) fn store(
        &mut self,
        reader: &mut Reader,
        at: usize,
        account: &str,
        region: Option<&Region>,
        store: &Store,
    ) {
        let place = Place::of(account, region, store);
        match self.stores.iter().find(|(other, _)| *other == place) {
            Some((_, first)) => {
                let first = reader.line(*first);
                reader.fault(at, "to", Fault::SameStore { first })
            }
            None => self.stores.push((place, at)),
        }
    }
}

/// What is one place, however it is written to.
#[derive(PartialEq)]
enum Place {
    File(PathBuf),
    InAccount(String, Option<Region>, StoreKind),
    Elsewhere(StoreKind),
}

impl Place {
    fn of(account: &str, region: Option<&Region>, store: &Store) -> Self {
        match store.kind.clone() {
            StoreKind::File { path, .. } => Self::File(path),
            kind @ (StoreKind::SecretsManager { .. } | StoreKind::Ssm { .. }) => {
                Self::InAccount(account.to_owned(), region.cloned(), kind)
            }
            kind => Self::Elsewhere(kind),
        }
    }
}
