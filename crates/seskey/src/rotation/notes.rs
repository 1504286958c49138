//! What a rotation writes down: three tags of the IAM user, each a short line that a person can read.
//!
//! A tag value has up to 256 letters, digits, blanks and `_.:/=+-@`. Source: IAM API, `Tag`. Every note fits, whatever
//! has failed how often: it names no key that is gone, and at most [`STORES`] stores.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::{FromStr, SplitAsciiWhitespace},
};

use jiff::Timestamp;

use super::{Key, RunId, Seen, StoreId};
use crate::access_key::AccessKeyId;

/// The tag with the [`Intent`].
pub const INTENT_TAG: &str = "seskey:intent";

/// The tag with the [`HandOver`].
pub const HAND_OVER_TAG: &str = "seskey:hand-over";

/// The tag with the [`Retired`] keys.
pub const RETIRED_TAG: &str = "seskey:retired";

/// The stores that a note has room for.
pub const STORES: usize = 16;

/// The notes of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// A key is being made.
    pub intent: Option<Intent>,
    /// The key that stores hold.
    pub hand_over: Option<HandOver>,
    /// The keys that are inactive.
    pub retired: Retired,
}

/// A key is about to be made, or has been: `before AKIA… made AKIA… RUN for STORE STORE`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intent {
    /// The keys that there were before, and those made since that were taken out of a store again: somebody may have
    /// read them there.
    pub before: Vec<AccessKeyId>,
    /// The keys that were made since, and the run that has recorded each as its own.
    pub made: BTreeMap<AccessKeyId, Option<RunId>>,
    /// The stores that a new key may be in.
    pub stores: BTreeSet<StoreId>,
}

/// These stores have held this key since then: `AKIA… 2026-08-20T20:08:20Z in STORE STORE not STORE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOver {
    /// The key.
    pub key: AccessKeyId,
    /// Since when, or earlier.
    pub at: Timestamp,
    /// The stores that were seen to hold it.
    pub stores: BTreeSet<StoreId>,
    /// The stores of the user that were not: they hold the key of an earlier note, or what somebody put there.
    pub elsewhere: BTreeSet<StoreId>,
}

/// Since when keys have been inactive, or earlier: `AKIA… 2026-08-20T20:08:20Z`, and so on.
///
/// It is written after the deactivation, so that no quarantine is counted too long.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retired(BTreeMap<AccessKeyId, Timestamp>);

/// A note that no rotation has written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the tag {tag} is none of a rotation: {value:?}")]
pub struct NoteError {
    /// The key of the tag.
    pub tag: &'static str,
    /// Its value.
    pub value: String,
}

impl Notes {
    /// The notes among the tags of a user, as key and value.
    ///
    /// # Errors
    /// One of the three that cannot be read: somebody has written it by hand.
    pub fn from_tags<'a>(
        tags: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, NoteError> {
        let mut notes = Self::default();
        for (tag, value) in tags {
            match tag {
                INTENT_TAG => notes.intent = Some(value.parse()?),
                HAND_OVER_TAG => notes.hand_over = Some(value.parse()?),
                RETIRED_TAG => notes.retired = value.parse()?,
                _ => {}
            }
        }
        Ok(notes)
    }
}

impl Intent {
    /// The intent of a run that sees these keys.
    pub(super) fn of(seen: &Seen) -> Self {
        let before = seen.keys.iter().map(|key| key.id.clone()).collect();
        let stores = seen.stores.iter().map(|store| store.id).collect();
        Self { before, made: BTreeMap::new(), stores }
    }

    /// The same, with a key that this run has made.
    #[must_use]
    pub fn with_made(mut self, key: &AccessKeyId, run: RunId) -> Self {
        self.made.insert(key.clone(), Some(run));
        self
    }

    /// The same, with a key that somebody may have read from a store which will hold it no longer.
    pub fn exposing(&self, key: &AccessKeyId) -> Self {
        let mut intent = self.clone();
        intent.before.push(key.clone());
        intent.made.insert(key.clone(), None);
        intent
    }

    /// Whether a key was made since.
    pub(super) fn is_new(&self, key: &AccessKeyId) -> bool {
        !self.before.contains(key) || self.made.contains_key(key)
    }

    /// The same for the stores of this run too, and without the keys that are gone.
    pub(super) fn joined(&self, seen: &Seen) -> Self {
        let mut intent = self.clone();
        intent.stores.extend(seen.stores.iter().map(|store| store.id));
        intent.before.retain(|key| seen.has(key));
        intent.made.retain(|key, _| seen.has(key));
        intent
    }
}

impl HandOver {
    /// The same from now on: whoever reads a key that came back has the whole grace time.
    pub(super) fn again(&self, now: Timestamp) -> Self {
        Self { at: now, ..self.clone() }
    }

    /// The same, when this store was seen to hold something else.
    pub(super) fn but_not_in(&self, store: StoreId) -> Self {
        let mut note = self.clone();
        note.stores.remove(&store);
        note.elsewhere.insert(store);
        note
    }

    /// The same without these stores: a person says that they are gone for good.
    pub(super) fn but_for(&self, stores: &BTreeSet<StoreId>) -> Self {
        let mut note = self.clone();
        note.stores.retain(|store| !stores.contains(store));
        note.elsewhere.retain(|store| !stores.contains(store));
        note
    }

    /// Every store that it speaks of.
    pub(super) fn all(&self) -> impl Iterator<Item = StoreId> {
        self.stores.union(&self.elsewhere).copied()
    }
}

impl Retired {
    /// Since when this key has been inactive.
    pub fn at(&self, key: &AccessKeyId) -> Option<Timestamp> {
        self.0.get(key).copied()
    }

    /// Since when each of its keys has been inactive.
    pub fn times(&self) -> impl Iterator<Item = Timestamp> {
        self.0.values().copied()
    }

    /// Whether it says of no key that it is inactive.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, key: &AccessKeyId) -> bool {
        self.0.contains_key(key)
    }

    /// With this key from now on, and without those that are gone. Never before its last use, by whatever clock.
    pub(super) fn with(&self, seen: &Seen, key: &Key) -> Self {
        let mut retired = self.clone();
        retired.0.retain(|id, _| seen.has(id));
        retired.0.insert(key.id.clone(), key.last_used.map_or(seen.now, |used| used.max(seen.now)));
        retired
    }

    pub(super) fn without(&self, key: &AccessKeyId) -> Self {
        let mut retired = self.clone();
        retired.0.remove(key);
        retired
    }
}

impl fmt::Display for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("before")?;
        self.before.iter().try_for_each(|key| write!(f, " {key}"))?;
        for (i, (key, run)) in self.made.iter().enumerate() {
            write!(f, "{} {key}", if i == 0 { " made" } else { "" })?;
            run.iter().try_for_each(|run| write!(f, " {run}"))?;
        }
        list(f, "for", &self.stores)
    }
}

impl fmt::Display for HandOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key, self.at)?;
        list(f, "in", &self.stores)?;
        list(f, "not", &self.elsewhere)
    }
}

impl fmt::Display for Retired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (key, at)) in self.0.iter().enumerate() {
            write!(f, "{}{key} {at}", if i == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

fn list<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    word: &str,
    items: &BTreeSet<T>,
) -> fmt::Result {
    if !items.is_empty() {
        write!(f, " {word}")?;
    }
    items.iter().try_for_each(|item| write!(f, " {item}"))
}

impl FromStr for Intent {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let read = || {
            let mut intent = Self::default();
            let mut words = text.split_ascii_whitespace().peekable();
            words.next_if_eq(&"before")?;
            while let Some(word) = words.next_if(|word| !["made", "for"].contains(word)) {
                intent.before.push(id(word)?);
            }
            if words.next_if_eq(&"made").is_some() {
                while let Some(word) = words.next_if(|word| *word != "for") {
                    let run = words.next_if(|word| word.contains('.')).map(str::parse);
                    intent.made.insert(id(word)?, run.transpose().ok()?);
                }
            }
            if words.next_if_eq(&"for").is_some() {
                intent.stores =
                    words.by_ref().map(|word| word.parse().ok()).collect::<Option<_>>()?;
            }
            words.next().is_none().then_some(intent)
        };
        read().ok_or_else(|| NoteError { tag: INTENT_TAG, value: text.to_owned() })
    }
}

impl FromStr for HandOver {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let read = || {
            let mut words = text.split_ascii_whitespace();
            let (key, at) = key_with_time(&mut words)?;
            let (mut stores, mut elsewhere) = (BTreeSet::new(), BTreeSet::new());
            let mut list = None;
            for word in words {
                match (word, &mut list) {
                    ("in", None) => list = Some(&mut stores),
                    ("not", _) => list = Some(&mut elsewhere),
                    (word, Some(list)) => drop(list.insert(word.parse().ok()?)),
                    _ => return None,
                }
            }
            Some(Self { key, at, stores, elsewhere })
        };
        read().ok_or_else(|| NoteError { tag: HAND_OVER_TAG, value: text.to_owned() })
    }
}

impl FromStr for Retired {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let read = || {
            let mut words = text.split_ascii_whitespace();
            let mut keys = BTreeMap::new();
            while words.clone().next().is_some() {
                let (key, at) = key_with_time(&mut words)?;
                keys.insert(key, at);
            }
            Some(Self(keys))
        };
        read().ok_or_else(|| NoteError { tag: RETIRED_TAG, value: text.to_owned() })
    }
}

fn key_with_time(words: &mut SplitAsciiWhitespace<'_>) -> Option<(AccessKeyId, Timestamp)> {
    Some((id(words.next()?)?, words.next()?.parse().ok()?))
}

fn id(word: &str) -> Option<AccessKeyId> {
    AccessKeyId::parse(word).ok()
}
