//! What is observed before a step is decided.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{LEASE, MARGIN, Notes, Reason, Stage, Step, Why, after, before};
use crate::access_key::AccessKeyId;

/// Everything that a step depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The time by IAM's clock.
    pub now: Timestamp,
    /// The access keys of the user.
    pub keys: Vec<Key>,
    /// What earlier steps have written as tags of the user.
    pub notes: Notes,
    /// Where the credential is to be, in an order that does not change during a run.
    pub stores: Vec<Store>,
    /// The keys that this process has made, and whose passwords it therefore knows.
    pub at_hand: BTreeSet<AccessKeyId>,
    /// The keys that this process has proven, by [`PROOFS`](super::PROOFS) logins in a row.
    pub proven: BTreeSet<AccessKeyId>,
    /// The key for which this process has run the hook, since it last delivered to any store.
    pub hooked: Option<AccessKeyId>,
}

/// An access key of the user. Sources: IAM API, `AccessKeyMetadata` and `AccessKeyLastUsed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The access key ID, which is the SMTP user name.
    pub id: AccessKeyId,
    /// Whether its status is `Active`; `Inactive` and `Expired` keys log in nowhere.
    pub active: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used, so far as IAM knows.
    pub last_used: Option<Timestamp>,
}

/// A place where the credential is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The keys that its entries hold, each with its password. None if it is empty or holds something else; several if a
    /// shared file has entries that differ.
    pub holds: BTreeSet<AccessKeyId>,
}

impl Store {
    /// Whether every entry of it holds this key.
    pub fn holds_only(&self, key: &AccessKeyId) -> bool {
        self.holds.len() == 1 && self.holds.contains(key)
    }
}

impl Seen {
    /// A user without keys and notes, and no store.
    pub fn at(now: Timestamp) -> Self {
        Self {
            now,
            keys: vec![],
            notes: Notes::default(),
            stores: vec![],
            at_hand: BTreeSet::new(),
            proven: BTreeSet::new(),
            hooked: None,
        }
    }

    /// The keys whose last uses may make another step of this one, so that they must be known before it is done.
    /// Whatever those of the other keys are, [`next`](super::next) decides the same.
    pub fn uses_behind(&self, step: &Step) -> Vec<&AccessKeyId> {
        let handed_over = self.notes.hand_over.as_ref().map(|note| &note.key);
        let counts = match step {
            Step::Stop(Reason::Limit(step)) => return self.uses_behind(step),
            Step::Stop(Reason::NoStore | Reason::TooLate(_)) => false,
            // without a hand-over, the uses say which key is waited for
            Step::WaitUntil { why: Why::Grace, .. } => handed_over.is_none(),
            Step::Discard(_) | Step::Stop(_) | Step::WaitUntil { .. } => true,
            step => step.stage() == Some(Stage::Retire),
        };
        let keys = self.keys.iter().filter(|_| counts).map(|key| &key.id);
        keys.filter(|key| Some(*key) != handed_over).collect()
    }

    /// The key to build on: what is handed over, else what a store holds, else what is likeliest in use.
    pub(super) fn current(&self) -> Option<&Key> {
        let handed_over = self.notes.hand_over.as_ref().map(|note| &note.key);
        self.keys.iter().filter(|key| key.active).max_by_key(|key| {
            let held = self.held(key);
            let used = (!held).then_some(key.last_used).flatten();
            (held, Some(&key.id) == handed_over, used, key.age())
        })
    }

    pub(super) fn held(&self, key: &Key) -> bool {
        self.stores.iter().any(|store| store.holds.contains(&key.id))
    }

    pub(super) fn held_everywhere(&self, key: &Key) -> bool {
        self.stores.iter().all(|store| store.holds_only(&key.id))
    }

    /// Whether its password is known, and no other run may take it for lost while it is delivered.
    pub(super) fn deliverable(&self, key: &Key) -> bool {
        let ours_until = before(after(key.created, LEASE), MARGIN);
        self.held(key) || (self.at_hand.contains(&key.id) && self.now < ours_until)
    }
}

impl Key {
    /// Orders keys by age, the oldest first.
    pub(super) fn age(&self) -> (Timestamp, &AccessKeyId) {
        (self.created, &self.id)
    }
}
