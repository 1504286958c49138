//! The observation that a step is decided by.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    HandOver, LEASE, MARGIN, Notes, Reason, RunId, Stage, Step, StoreId, Why, after, before,
    needs_sending,
};
use crate::{
    access_key::AccessKeyId,
    policy::{Policy, SEND},
    region::Region,
};

/// Everything that a step depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The time by IAM's clock.
    pub now: Timestamp,
    /// The access keys of the user.
    pub keys: Vec<Key>,
    /// The notes of earlier steps, from the tags of the user.
    pub notes: Notes,
    /// The stores of the credential, in an order that does not change during a run.
    pub stores: Vec<Store>,
    /// Whether the user may send mail.
    pub sending: Sending,
    /// The name of this run.
    pub run: RunId,
    /// The runs in the intent that are certainly over.
    pub gone: BTreeSet<RunId>,
    /// The keys that this process has made, and whose passwords it therefore knows for every region.
    pub at_hand: BTreeSet<AccessKeyId>,
    /// The keys whose passwords for every region an earlier run has kept, in case it was killed between two stores.
    pub kept: BTreeSet<AccessKeyId>,
    /// The keys that this process has proven, in each region of the stores.
    pub proven: BTreeSet<AccessKeyId>,
    /// The keys that this process has delivered, and not confirmed since.
    pub unconfirmed: BTreeSet<AccessKeyId>,
    /// The keys that were refused when they were to be confirmed, and not proven since.
    pub refused: BTreeSet<AccessKeyId>,
    /// The keys that a rotation by Secrets Manager is about to put in use: they are in a version labelled
    /// [`PENDING`](super::PENDING).
    pub pending: BTreeSet<AccessKeyId>,
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
    /// The time of its creation.
    pub created: Timestamp,
    /// The time of its last use, as far as IAM knows.
    pub last_used: Option<Timestamp>,
}

/// A place where the credential is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Its name in notes.
    pub id: StoreId,
    /// The region of its password.
    pub region: Region,
    /// The keys that its entries hold, each with its password: no key if it is empty or holds something else, several
    /// if a shared file has entries that differ.
    pub holds: BTreeSet<AccessKeyId>,
    /// Whether it has no content, or does not exist.
    pub is_empty: bool,
    /// The key that it held, with its password, before this process delivered another one.
    pub before: Option<AccessKeyId>,
}

/// Whether a user may send mail, by its policies and its boundary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Sending {
    /// Not asked, or the caller may not ask.
    #[default]
    Unknown,
    /// At least some mail.
    Allowed,
    /// No mail at all.
    Denied(Denial),
}

/// The reason why a user may not send.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denial {
    /// No policy of the user or of its groups allows it.
    NotAllowed,
    /// A statement denies it.
    Denied {
        /// The policy.
        policy: String,
        /// The `Sid` of the statement, or else its number, from 1, if it is known.
        statement: Option<String>,
    },
    /// A policy of the organization denies it.
    Organization,
    /// The permissions boundary does not allow it.
    Boundary {
        /// Its ARN.
        policy: String,
    },
}

impl Sending {
    /// Evaluates the policies of a user and of its groups, each with its name, within its boundary. `identities` is the
    /// ARN that stands for every identity that it may send as. A boundary that cannot be read allows nothing.
    pub fn of<'a>(
        policies: impl IntoIterator<Item = (&'a str, &'a Policy)>,
        boundary: Option<(&'a str, Option<&'a Policy>)>,
        identities: &str,
    ) -> Self {
        let policies: Vec<_> = policies.into_iter().collect();
        let readable = boundary.and_then(|(name, policy)| Some((name, policy?)));
        let denial = policies.iter().copied().chain(readable).find_map(|(name, policy)| {
            let (place, statement) = policy.denies_always(SEND, identities)?;
            let statement = statement.sid().map_or_else(|| (place + 1).to_string(), str::to_owned);
            Some(Denial::Denied { policy: name.to_owned(), statement: Some(statement) })
        });
        let is_allowed = |policy: &Policy| policy.may_allow(SEND);
        match (denial, boundary) {
            (Some(denial), _) => Self::Denied(denial),
            (None, _) if !policies.iter().any(|(_, policy)| is_allowed(policy)) => {
                Self::Denied(Denial::NotAllowed)
            }
            (None, Some((name, policy))) if !policy.is_some_and(is_allowed) => {
                Self::Denied(Denial::Boundary { policy: name.to_owned() })
            }
            _ => Self::Allowed,
        }
    }
}

impl Store {
    /// Makes an empty store.
    pub fn new(id: StoreId, region: Region) -> Self {
        Self { id, region, holds: BTreeSet::new(), is_empty: true, before: None }
    }

    /// Returns the store with this key in every entry.
    #[must_use]
    pub fn holding(self, key: AccessKeyId) -> Self {
        Self { holds: [key].into(), is_empty: false, ..self }
    }

    /// Whether every entry of it holds this key.
    pub fn holds_only(&self, key: &AccessKeyId) -> bool {
        self.holds.len() == 1 && self.holds.contains(key)
    }
}

impl Seen {
    /// Makes the observation of a user without keys, notes and stores.
    pub fn at(now: Timestamp, run: RunId) -> Self {
        Self {
            now,
            keys: vec![],
            notes: Notes::default(),
            stores: vec![],
            sending: Sending::Unknown,
            run,
            gone: BTreeSet::new(),
            at_hand: BTreeSet::new(),
            kept: BTreeSet::new(),
            proven: BTreeSet::new(),
            unconfirmed: BTreeSet::new(),
            refused: BTreeSet::new(),
            pending: BTreeSet::new(),
            hooked: None,
        }
    }

    /// Returns the keys whose last uses may change this step, so that they must be known before it is done. The last
    /// uses of the other keys do not change the decision of [`next`](super::next).
    pub fn uses_behind(&self, step: &Step) -> Vec<&AccessKeyId> {
        let counts = match step {
            Step::Stop(Reason::Limit(step)) => return self.uses_behind(step),
            Step::Discard(_)
            | Step::Stop(Reason::StillUsed { .. } | Reason::StrangersKey { .. }) => true,
            Step::WaitUntil { why, .. } => !matches!(why, Why::Grace),
            step => step.stage() == Some(Stage::Retire),
        };
        let handed_over = self.handed_over().map(|note| &note.key);
        let keys = self.keys.iter().filter(|_| counts).map(|key| &key.id);
        keys.filter(|key| Some(*key) != handed_over).collect()
    }

    /// Whether it must be known first whether the user may send: the step makes a key, or says that nothing is due.
    pub fn sending_is_behind(&self, step: &Step) -> bool {
        self.sending == Sending::Unknown && needs_sending(step)
    }

    /// Returns the note of a hand-over if it is true of every store of this run.
    pub(super) fn handed_over(&self) -> Option<&HandOver> {
        let note = self.notes.hand_over.as_ref()?;
        let key = self.current().filter(|key| key.id == note.key)?;
        let is_in = |store: &Store| store.holds_only(&key.id) && note.stores.contains(&store.id);
        self.stores.iter().all(is_in).then_some(note)
    }

    /// Returns the note of a hand-over, unless it is from just now.
    pub(super) fn old_note(&self) -> Option<&HandOver> {
        self.notes.hand_over.as_ref().filter(|note| after(note.at, MARGIN) <= self.now)
    }

    /// Returns the stores in the notes that this run does not name.
    pub(super) fn unnamed(&self) -> BTreeSet<StoreId> {
        let handed_over = self.notes.hand_over.iter().flat_map(HandOver::all);
        let intended = self.notes.intent.iter().flat_map(|intent| intent.stores.iter().copied());
        handed_over
            .chain(intended)
            .filter(|id| self.stores.iter().all(|store| store.id != *id))
            .collect()
    }

    /// Returns the key to build on: held by a store, else handed over, else likeliest in use.
    pub(super) fn current(&self) -> Option<&Key> {
        let noted = self.notes.hand_over.as_ref().map(|note| &note.key);
        self.keys.iter().filter(|key| key.active).max_by_key(|key| {
            let held = self.held(key);
            let used = (!held).then_some(key.last_used).flatten();
            (held, Some(&key.id) == noted, used, key.age())
        })
    }

    pub(super) fn has(&self, key: &AccessKeyId) -> bool {
        self.keys.iter().any(|known| known.id == *key)
    }

    pub(super) fn held(&self, key: &Key) -> bool {
        self.stores.iter().any(|store| store.holds.contains(&key.id))
    }

    /// Whether its password is known for every store that does not hold it, and no other run may consider it lost
    /// during the delivery.
    pub(super) fn deliverable(&self, key: &Key) -> bool {
        let ours_until = before(after(key.created, LEASE), MARGIN);
        let is_ours = self.at_hand.contains(&key.id) && self.now < ours_until;
        let held_for = |region: &Region| {
            let mut same = self.stores.iter().filter(|store| store.region == *region);
            same.any(|store| store.holds.contains(&key.id))
        };
        let is_known =
            self.kept.contains(&key.id) || self.stores.iter().all(|store| held_for(&store.region));
        is_ours || self.held(key) && is_known
    }
}

impl Key {
    /// Orders keys by age, the oldest first.
    pub(super) fn age(&self) -> (Timestamp, &AccessKeyId) {
        (self.created, &self.id)
    }
}
