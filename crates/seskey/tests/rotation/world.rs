//! A user of IAM, its stores, and their readers. The world knows what no run can observe: the truth about every key.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use seskey::{
    AccessKeyId, Region,
    rotation::{
        FLAPPING, HandOver, INTENT_TAG, Intent, KEY_LIMIT, PROOFS, RunId, Step, StoreId, USE_SPAN,
        YOUNG,
    },
};

pub(crate) const SECOND: SignedDuration = SignedDuration::from_secs(1);
pub(crate) const MINUTE: SignedDuration = SignedDuration::from_mins(1);
pub(crate) const DAY: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) keys: Vec<TrueKey>,
    pub(crate) tags: BTreeMap<&'static str, String>,
    pub(crate) stores: Vec<Option<AccessKeyId>>,
    /// The region of each store, if not the usual one.
    pub(crate) regions: BTreeMap<usize, &'static str>,
    /// The keys whose passwords are kept beside a store.
    pub(crate) kept: BTreeSet<AccessKeyId>,
    /// The stores that look empty for now: nobody reads them meanwhile, and their content comes back.
    pub(crate) unmounted: BTreeSet<usize>,
    pub(crate) clients: Vec<Client>,
    /// The runs that have ended.
    pub(crate) gone: BTreeSet<RunId>,
    pub(crate) runs_ever: usize,
    pub(crate) keys_ever: usize,
    /// The time after which a use is shown.
    pub(crate) uses_late: SignedDuration,
}

#[derive(Debug, Clone)]
pub(crate) struct TrueKey {
    pub(crate) id: AccessKeyId,
    pub(crate) active: bool,
    pub(crate) created: Timestamp,
    /// The time before which it logs in nowhere.
    pub(crate) appears: Timestamp,
    /// The time before which it logs in by chance: in the seconds since it appeared whose bits are set.
    pub(crate) settled: Timestamp,
    pub(crate) flaps: u32,
    /// The answers of GetAccessKeyLastUsed: of several uses within 15 minutes, the first.
    pub(crate) recorded: Vec<Timestamp>,
    /// The time of its last use by anybody but a rotation.
    pub(crate) used: Option<Timestamp>,
    pub(crate) inactive_since: Option<Timestamp>,
    /// The last time at which a store held it.
    pub(crate) held: Option<Timestamp>,
    /// Whether the process that knew its secret has ended, and no store ever held it.
    pub(crate) lost: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Client {
    /// Reads the store each time.
    Reader(usize),
    /// Reads the store when it is told to.
    Cached(usize, Option<AccessKeyId>),
    /// Keeps its key until it reads the store, from then on each time.
    Slow(usize, AccessKeyId, Timestamp),
    /// Has a key of its own.
    Stranger(AccessKeyId),
}

/// A change of the world, or a question to it: a run may die between any two of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    Tag(&'static str, Option<String>),
    Create,
    /// The record of the key that was just made.
    Record(Intent),
    Activate(AccessKeyId),
    Deactivate(AccessKeyId),
    Delete(AccessKeyId),
    Prove(AccessKeyId),
    Confirm(AccessKeyId),
    Deliver(usize, AccessKeyId),
    PutBack(usize, AccessKeyId),
    Hook(AccessKeyId),
}

pub(crate) fn start() -> Timestamp {
    "2026-08-20T20:08:20Z".parse().unwrap()
}

pub(crate) fn id(n: usize) -> AccessKeyId {
    AccessKeyId::parse(&format!("AKIA{n:016}")).unwrap()
}

pub(crate) fn effects(step: &Step) -> Vec<Effect> {
    match step {
        Step::CreateKey(intent) => vec![Effect::Create, Effect::Record(intent.clone())],
        Step::Discard(key) => vec![Effect::Deactivate(key.clone()), Effect::Delete(key.clone())],
        Step::Prove(key) => vec![Effect::Prove(key.clone())],
        Step::Confirm(key) => vec![Effect::Confirm(key.clone())],
        Step::Deliver { store, key } => vec![Effect::Deliver(*store, key.clone())],
        Step::PutBack { store, key } => vec![Effect::PutBack(*store, key.clone())],
        Step::RunHook(key) => vec![Effect::Hook(key.clone())],
        Step::Deactivate(key) => vec![Effect::Deactivate(key.clone())],
        Step::Activate(key) => vec![Effect::Activate(key.clone())],
        Step::Delete(key) => vec![Effect::Delete(key.clone())],
        step => step.tag().map(|(tag, value)| Effect::Tag(tag, value)).into_iter().collect(),
    }
}

impl World {
    pub(crate) fn new(stores: usize) -> Self {
        Self {
            now: start(),
            keys: vec![],
            tags: BTreeMap::new(),
            stores: vec![None; stores],
            regions: BTreeMap::new(),
            kept: BTreeSet::new(),
            unmounted: BTreeSet::new(),
            gone: BTreeSet::new(),
            runs_ever: 0,
            clients: (0..stores)
                .flat_map(|i| [Client::Reader(i), Client::Cached(i, None)])
                .collect(),
            keys_ever: 0,
            uses_late: SignedDuration::ZERO,
        }
    }

    /// Returns a user with one key, `days` old, in all of two stores.
    pub(crate) fn with_a_key(days: i32) -> Self {
        let mut world = Self::new(2);
        let key = world.add_key(DAY * days);
        world.fill(&key);
        world
    }

    /// Puts the key into every store, and lets every client know it.
    pub(crate) fn fill(&mut self, key: &AccessKeyId) {
        self.stores.fill(Some(key.clone()));
        self.reload();
    }

    pub(crate) fn add_key(&mut self, age: SignedDuration) -> AccessKeyId {
        self.keys_ever += 1;
        let created = self.now - age;
        // a varying delay, but the same in every repetition
        let appears = created + SECOND * (self.keys_ever as i32 * 7 % 16);
        let flapping = FLAPPING.as_secs() as usize;
        self.keys.push(TrueKey {
            id: id(self.keys_ever),
            active: true,
            created,
            appears,
            settled: appears + SECOND * (self.keys_ever * 3 % flapping) as i32,
            flaps: (self.keys_ever as u32).wrapping_mul(0x9e37_79b9),
            recorded: vec![],
            used: None,
            inactive_since: None,
            held: None,
            lost: false,
        });
        id(self.keys_ever)
    }

    pub(crate) fn key(&self, id: &AccessKeyId) -> Option<&TrueKey> {
        self.keys.iter().find(|key| key.id == *id)
    }

    pub(crate) fn key_mut(&mut self, id: &AccessKeyId) -> Option<&mut TrueKey> {
        self.keys.iter_mut().find(|key| key.id == *id)
    }

    pub(crate) fn is_held(&self, id: &AccessKeyId) -> bool {
        self.stores.iter().flatten().any(|held| held == id)
    }

    /// Lets time pass; the clients send mail in the middle and at the end.
    pub(crate) fn advance(&mut self, to: Timestamp) {
        let middle =
            self.now + SignedDuration::from_secs(to.duration_since(self.now).as_secs() / 2);
        for moment in [middle, to] {
            self.now = moment.max(self.now);
            self.send_mail();
        }
    }

    pub(crate) fn pass(&mut self, time: SignedDuration) {
        self.advance(self.now + time);
    }

    /// Lets every client log in once.
    pub(crate) fn send_mail(&mut self) {
        let now = self.now;
        for held in self.stores.clone().into_iter().flatten() {
            if let Some(key) = self.key_mut(&held) {
                key.held = Some(now);
            }
        }
        for client in self.clients.clone() {
            let key = match client {
                Client::Reader(store) => self.read(store),
                Client::Cached(_, key) => key,
                Client::Slow(_, key, until) if now < until => Some(key),
                Client::Slow(store, ..) => self.read(store),
                Client::Stranger(key) => Some(key),
            };
            if let Some(key) = key
                && self.log_in(&key)
            {
                self.key_mut(&key).unwrap().used = Some(now);
            }
        }
    }

    pub(crate) fn log_in(&mut self, id: &AccessKeyId) -> bool {
        let now = self.now;
        let Some(key) = self.key_mut(id) else { return false };
        let second = now.duration_since(key.appears).as_secs();
        let by_chance = second >= 0 && key.flaps >> (second % 32) & 1 == 1;
        let accepted = key.active && (now >= key.settled || by_chance);
        if accepted && key.recorded.last().is_none_or(|at| now >= *at + USE_SPAN) {
            key.recorded.push(now);
        }
        accepted
    }

    /// Does the effect; returns whether that was possible.
    pub(crate) fn apply(&mut self, effect: &Effect) -> bool {
        let now = self.now;
        match effect {
            Effect::Tag(tag, Some(value)) => {
                let allowed = |c: char| c.is_alphanumeric() || " _.:/=+-@".contains(c);
                assert!(value.len() <= 256 && value.chars().all(allowed), "{value}");
                self.tags.insert(tag, value.clone());
                true
            }
            Effect::Tag(tag, None) => {
                if *tag == INTENT_TAG {
                    self.kept.clear();
                }
                self.tags.remove(tag);
                true
            }
            Effect::Create if self.keys.len() >= KEY_LIMIT => false,
            Effect::Create => {
                self.add_key(SignedDuration::ZERO);
                true
            }
            Effect::Record(_) => unreachable!("the run knows which key it has made"),
            Effect::Activate(key) => self.set_active(key, true),
            Effect::Deactivate(key) => self.set_active(key, false),
            Effect::Delete(key) => {
                self.keys.retain(|old| old.id != *key);
                true
            }
            Effect::Deliver(store, key) | Effect::PutBack(store, key) => {
                self.unmounted.remove(store);
                let before = self.stores[*store].replace(key.clone());
                for id in before.iter().chain([key]) {
                    if let Some(key) = self.key_mut(id) {
                        key.held = Some(now);
                    }
                }
                true
            }
            Effect::Prove(key) => self.prove(key),
            Effect::Confirm(key) => self.log_in(key),
            Effect::Hook(_) => {
                self.reload();
                true
            }
        }
    }

    /// Returns the key that a client finds in the store now.
    fn read(&self, store: usize) -> Option<AccessKeyId> {
        self.stores[store].clone().filter(|_| !self.unmounted.contains(&store))
    }

    /// Logs in for up to a minute, until enough logins in a row have succeeded, over long enough for a young key.
    fn prove(&mut self, id: &AccessKeyId) -> bool {
        let Some(created) = self.key(id).map(|key| key.created) else { return false };
        let (mut row, mut first) = (0, self.now);
        for _ in 0..60 {
            self.now += SECOND;
            if row == 0 {
                first = self.now;
            }
            row = if self.log_in(id) { row + 1 } else { 0 };
            let is_old = self.now.duration_since(created) >= YOUNG;
            if row >= PROOFS && (is_old || self.now.duration_since(first) >= FLAPPING) {
                return true;
            }
        }
        false
    }

    fn set_active(&mut self, id: &AccessKeyId, active: bool) -> bool {
        let now = self.now;
        // a key that is gone is not active
        let Some(key) = self.key_mut(id) else { return !active };
        key.inactive_since = (!active).then(|| key.inactive_since.unwrap_or(now));
        key.active = active;
        true
    }

    fn reload(&mut self) {
        for client in &mut self.clients {
            if let Client::Cached(store, key) = client
                && !self.unmounted.contains(store)
            {
                *key = self.stores[*store].clone();
            }
        }
    }

    /// Returns the note that every store has held this key for so long.
    pub(crate) fn hand_over(&self, key: &AccessKeyId, age: SignedDuration) -> HandOver {
        let stores = (0..self.stores.len()).map(|i| self.store_id(i)).collect();
        HandOver { key: key.clone(), at: self.now - age, stores, elsewhere: BTreeSet::new() }
    }

    pub(crate) fn region(&self, store: usize) -> Region {
        Region::parse(self.regions.get(&store).unwrap_or(&"us-east-1")).unwrap()
    }

    pub(crate) fn store_id(&self, store: usize) -> StoreId {
        StoreId::of(&format!("{store} {}", self.region(store)))
    }
}
