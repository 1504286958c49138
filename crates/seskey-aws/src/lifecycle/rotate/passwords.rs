//! The passwords that only this process knows, and which of them log in.

use std::collections::{BTreeMap, BTreeSet};

use seskey::{AccessKeyId, Region, SecretAccessKey, SmtpCredential, SmtpPassword};

use super::Rotation;
use crate::store::kept::Passwords as Kept;

#[derive(Default)]
pub(super) struct Passwords {
    /// The passwords that stores hold, or have held, each for a region.
    read: BTreeMap<(AccessKeyId, Region), SmtpPassword>,
    /// The secrets of the keys that were made here, which give a password for every region.
    secrets: BTreeMap<AccessKeyId, SecretAccessKey>,
    /// The keys whose passwords for every region an earlier run has kept.
    pub(super) kept: BTreeSet<AccessKeyId>,
    /// The keys that the user has had, as seen by this run. Every entry of a store with one of them is for the
    /// credential.
    pub(super) ours: BTreeSet<AccessKeyId>,
    /// The keys whose known passwords are proven.
    pub(super) proven: BTreeSet<AccessKeyId>,
    /// The keys that were delivered and not confirmed since.
    pub(super) unconfirmed: BTreeSet<AccessKeyId>,
    /// The keys that were refused after they were delivered, and were not proven since.
    pub(super) refused: BTreeSet<AccessKeyId>,
    /// The key that each store held before a delivery.
    pub(super) before: BTreeMap<usize, AccessKeyId>,
    /// Passwords in stores that do not log in.
    broken: Vec<SmtpPassword>,
    /// Keys in stores that are nobody's, and whose passwords do not log in.
    pub(super) dead: BTreeSet<AccessKeyId>,
    /// The key for which the hook has run since the last delivery.
    pub(super) hooked: Option<AccessKeyId>,
    delivered: BTreeSet<AccessKeyId>,
}

impl Passwords {
    /// Records what a store holds. A password that was made here is not replaced: it is the right one. `false` if the
    /// store holds another password than the known one for the same key and region.
    pub(super) fn learn(
        &mut self,
        key: &AccessKeyId,
        region: &Region,
        password: &SmtpPassword,
    ) -> bool {
        if self.broken.contains(password) {
            return false;
        }
        let known = self.password(key, region).unwrap_or_else(|| {
            self.read.insert((key.clone(), region.clone()), password.clone());
            password.clone()
        });
        known == *password
    }

    pub(super) fn made(&mut self, key: AccessKeyId, secret: SecretAccessKey) {
        self.ours.insert(key.clone());
        self.secrets.insert(key, secret);
    }

    /// Takes the passwords that an earlier run has kept, if there is one for every region.
    pub(super) fn take_kept(&mut self, rotation: &Rotation, key: AccessKeyId, kept: Kept) {
        if rotation.regions().into_iter().all(|region| kept.contains_key(region)) {
            let of_key = |(region, password)| ((key.clone(), region), password);
            self.read.extend(kept.into_iter().map(of_key));
            self.kept.insert(key);
        }
    }

    /// Returns the keys that were made here.
    pub(super) fn at_hand(&self) -> BTreeSet<AccessKeyId> {
        self.secrets.keys().cloned().collect()
    }

    pub(super) fn is_made_here(&self, key: &AccessKeyId) -> bool {
        self.secrets.contains_key(key)
    }

    /// Records that a password in a store does not log in.
    pub(super) fn disprove(&mut self, key: &AccessKeyId) {
        let broken = self.read.extract_if(.., |(known, _), _| known == key);
        self.broken.extend(broken.map(|(_, password)| password));
    }

    pub(super) fn prove(&mut self, key: &AccessKeyId) {
        self.proven.insert(key.clone());
        self.refused.remove(key);
    }

    /// Records the result of the first login with what the stores hold.
    pub(super) fn confirm(&mut self, key: &AccessKeyId, logs_in: bool) {
        self.unconfirmed.remove(key);
        if !logs_in {
            self.proven.remove(key);
            self.refused.insert(key.clone());
        }
    }

    pub(super) fn deliver(&mut self, store: usize, key: &AccessKeyId, before: Option<AccessKeyId>) {
        self.delivered.insert(key.clone());
        self.unconfirmed.insert(key.clone());
        if let Some(before) = before.filter(|before| before != key) {
            self.before.insert(store, before);
        }
        self.hooked = None;
    }

    pub(super) fn put_back(&mut self, store: usize) {
        self.before.remove(&store);
        self.hooked = None;
    }

    /// Returns the credential of a key for a region, if its password is known.
    pub(super) fn credential(
        &self,
        rotation: &Rotation,
        key: &AccessKeyId,
        region: &Region,
    ) -> Option<SmtpCredential> {
        Some(SmtpCredential {
            iam_user: Some(rotation.user.clone()),
            user_name: key.clone(),
            password: self.password(key, region)?,
            endpoint: Some(region.smtp_endpoint()),
        })
    }

    /// Returns the proven credential that was made here and is in no store.
    pub(super) fn undelivered(&self, rotation: &Rotation) -> Option<SmtpCredential> {
        let key = self.secrets.keys().find(|key| !self.delivered.contains(*key))?;
        self.credential(rotation, key, &rotation.region)
    }

    fn password(&self, key: &AccessKeyId, region: &Region) -> Option<SmtpPassword> {
        let made = self.secrets.get(key).map(|secret| SmtpPassword::derive(secret, region));
        made.or_else(|| self.read.get(&(key.clone(), region.clone())).cloned())
    }
}
