//! What only this process knows: passwords, and which of them log in.

use std::collections::{BTreeMap, BTreeSet};

use seskey::{AccessKeyId, SmtpCredential, SmtpPassword};

use super::Rotation;

#[derive(Default)]
pub(super) struct Passwords {
    /// Those that were made here, or that a store holds.
    known: BTreeMap<AccessKeyId, SmtpPassword>,
    /// The keys that the user has had, as this run has seen. Whatever entry of a store has one is for the credential.
    pub(super) ours: BTreeSet<AccessKeyId>,
    /// The keys that were made here.
    pub(super) made: BTreeSet<AccessKeyId>,
    /// The keys whose known password is proven.
    pub(super) proven: BTreeSet<AccessKeyId>,
    /// Passwords in stores that do not log in.
    broken: Vec<SmtpPassword>,
    /// Keys of nobody that stores hold, whose passwords do not log in.
    pub(super) dead: BTreeSet<AccessKeyId>,
    /// The key for which the hook has run, since anything was delivered.
    pub(super) hooked: Option<AccessKeyId>,
    delivered: BTreeSet<AccessKeyId>,
}

impl Passwords {
    /// Takes note of what a store holds. What was made here is not replaced: it is the truth.
    /// False if the store holds another password for the same key.
    pub(super) fn learn(&mut self, key: &AccessKeyId, password: &SmtpPassword) -> bool {
        if self.broken.contains(password) {
            return false;
        }
        let known = self.known.entry(key.clone()).or_insert_with(|| password.clone());
        known == password
    }

    pub(super) fn made(&mut self, key: AccessKeyId, password: SmtpPassword) {
        self.known.insert(key.clone(), password);
        self.ours.insert(key.clone());
        self.made.insert(key);
    }

    /// A password that a store holds does not log in.
    pub(super) fn disprove(&mut self, key: &AccessKeyId) {
        self.broken.extend(self.known.remove(key));
    }

    pub(super) fn deliver(&mut self, key: &AccessKeyId) {
        self.delivered.insert(key.clone());
        self.hooked = None;
    }

    pub(super) fn credential(
        &self,
        rotation: &Rotation,
        key: &AccessKeyId,
    ) -> Option<SmtpCredential> {
        Some(SmtpCredential {
            iam_user: Some(rotation.user.clone()),
            user_name: key.clone(),
            password: self.known.get(key)?.clone(),
            endpoint: Some(rotation.region.smtp_endpoint()),
        })
    }

    /// What was made here and is proven, and is in no store.
    pub(super) fn undelivered(&self, rotation: &Rotation) -> Option<SmtpCredential> {
        let key = self.made.iter().find(|key| !self.delivered.contains(*key))?;
        self.credential(rotation, key)
    }
}
