//! The notes of a rotation: three tags of the IAM user, each a short line that a person can read.
//!
//! A tag value has up to 256 letters, digits, blanks and `_.:/=+-@`. Source: IAM API, `Tag`. Every note fits after any
//! number of failures: it names no key that is gone, and at most [`STORES`] stores.

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

/// The number of stores that a note has room for.
pub const STORES: usize = 16;

/// The notes of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// The intent to make a key.
    pub intent: Option<Intent>,
    /// The key that stores hold.
    pub hand_over: Option<HandOver>,
    /// The keys that are inactive.
    pub retired: Retired,
}

/// The note that a key is about to be made, or has been: `before AKIA… made AKIA… RUN for STORE STORE`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intent {
    /// The keys that existed before, and the keys made since that were removed from a store again: a program may have
    /// read them there.
    pub before: Vec<AccessKeyId>,
    /// The keys that were made since, and the run that has recorded each as its own.
    pub made: BTreeMap<AccessKeyId, Option<RunId>>,
    /// The stores that a new key may be in.
    pub stores: BTreeSet<StoreId>,
}

/// The note that stores have held a key since a time: `AKIA… 2026-08-20T20:08:20Z in STORE STORE not STORE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOver {
    /// The key.
    pub key: AccessKeyId,
    /// The time since which they hold it, or a later one.
    pub at: Timestamp,
    /// The stores that were seen to hold it.
    pub stores: BTreeSet<StoreId>,
    /// The stores of the user that were not: they hold the key of an earlier note, or other content.
    pub elsewhere: BTreeSet<StoreId>,
}

/// The times since which keys have been inactive, or later ones: `AKIA… 2026-08-20T20:08:20Z`, and so on.
///
/// It is written after the deactivation, so that no quarantine is counted too long.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retired(BTreeMap<AccessKeyId, Timestamp>);

/// The error for a note that no rotation has written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the tag {tag} is none of a rotation: {value:?}")]
pub struct NoteError {
    /// The key of the tag.
    pub tag: &'static str,
    /// Its value.
    pub value: String,
}

impl Notes {
    /// Reads the notes among the tags of a user, as key and value.
    ///
    /// # Errors
    /// Fails if one of the three cannot be read: it was written by hand.
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
    /// Returns the intent of a run that sees these keys.
    pub(super) fn of(seen: &Seen) -> Self {
        let before = seen.keys.iter().map(|key| key.id.clone()).collect();
        let stores = seen.stores.iter().map(|store| store.id).collect();
        Self { before, made: BTreeMap::new(), stores }
    }

    /// Returns the intent with a key that this run has made.
    #[must_use]
    pub fn with_made(mut self, key: &AccessKeyId, run: RunId) -> Self {
        self.made.insert(key.clone(), Some(run));
        self
    }

    /// Returns the intent with a key that a program may have read from a store which will no longer hold it.
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

    /// Returns the intent with the stores of this run too, and without the keys that are gone.
    pub(super) fn joined(&self, seen: &Seen) -> Self {
        let mut intent = self.clone();
        intent.stores.extend(seen.stores.iter().map(|store| store.id));
        intent.before.retain(|key| seen.has(key));
        intent.made.retain(|key, _| seen.has(key));
        intent
    }
}

impl HandOver {
    /// Returns the note as of now: a reader of a key that came back has the whole grace time.
    pub(super) fn again(&self, now: Timestamp) -> Self {
        Self { at: now, ..self.clone() }
    }

    /// Returns the note after this store was seen to hold something else.
    pub(super) fn but_not_in(&self, store: StoreId) -> Self {
        let mut note = self.clone();
        note.stores.remove(&store);
        note.elsewhere.insert(store);
        note
    }

    /// Returns the note without these stores, which a person declares gone for good.
    pub(super) fn but_for(&self, stores: &BTreeSet<StoreId>) -> Self {
        let mut note = self.clone();
        note.stores.retain(|store| !stores.contains(store));
        note.elsewhere.retain(|store| !stores.contains(store));
        note
    }

    /// Returns every store that it names.
    pub(super) fn all(&self) -> impl Iterator<Item = StoreId> {
        self.stores.union(&self.elsewhere).copied()
    }
}

impl Retired {
    /// Returns the time since which the key is inactive.
    pub fn at(&self, key: &AccessKeyId) -> Option<Timestamp> {
        self.0.get(key).copied()
    }

    /// Returns the times since which its keys are inactive.
    pub fn times(&self) -> impl Iterator<Item = Timestamp> {
        self.0.values().copied()
    }

    /// Whether it has no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, key: &AccessKeyId) -> bool {
        self.0.contains_key(key)
    }

    /// Adds this key from now on, but not before its last use by any clock, and removes the keys that are gone.
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
