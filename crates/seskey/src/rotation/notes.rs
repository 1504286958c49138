//! What a rotation writes down: three tags of the IAM user, each a short line that a person can read.
//!
//! A tag value has up to 256 letters, digits, blanks and `_.:/=+-@`. Source: IAM API, `Tag`.
//! The longest note names four keys of 20 characters.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::Timestamp;

use super::{Key, Seen};
use crate::access_key::AccessKeyId;

/// The tag with the [`Intent`].
pub const INTENT_TAG: &str = "seskey:intent";

/// The tag with the [`HandOver`].
pub const HAND_OVER_TAG: &str = "seskey:hand-over";

/// The tag with the [`Retired`] keys.
pub const RETIRED_TAG: &str = "seskey:retired";

/// The notes of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// A key is being made.
    pub intent: Option<Intent>,
    /// The key that every store holds.
    pub hand_over: Option<HandOver>,
    /// The keys that are inactive.
    pub retired: Retired,
}

/// A key is about to be made, or has been: `before AKIA… made AKIA…`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intent {
    /// The keys that there were before.
    pub before: Vec<AccessKeyId>,
    /// The keys that were made since, as their makers have recorded.
    pub made: Vec<AccessKeyId>,
}

/// Every store has held this key since then: `AKIA… 2026-08-20T20:08:20Z`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOver {
    /// The key.
    pub key: AccessKeyId,
    /// Since when, or earlier.
    pub at: Timestamp,
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
    pub(super) fn of(keys: &[Key]) -> Self {
        Self { before: keys.iter().map(|key| key.id.clone()).collect(), made: vec![] }
    }

    pub(super) fn with_made(&self, key: &AccessKeyId) -> Self {
        let mut intent = self.clone();
        intent.made.push(key.clone());
        intent
    }
}

impl Retired {
    /// Since when this key has been inactive.
    pub fn at(&self, key: &AccessKeyId) -> Option<Timestamp> {
        self.0.get(key).copied()
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
        let still_there = |id: &AccessKeyId| seen.keys.iter().any(|key| key.id == *id);
        let mut retired = self.clone();
        retired.0.retain(|id, _| still_there(id));
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
        if !self.made.is_empty() {
            f.write_str(" made")?;
        }
        self.made.iter().try_for_each(|key| write!(f, " {key}"))
    }
}

impl fmt::Display for HandOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key, self.at)
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

impl FromStr for Intent {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let read = || {
            let mut words = text.split_ascii_whitespace();
            words.next().filter(|&word| word == "before")?;
            let before = words.by_ref().take_while(|&word| word != "made").map(id);
            let before = before.collect::<Option<_>>()?;
            Some(Self { before, made: words.map(id).collect::<Option<_>>()? })
        };
        read().ok_or_else(|| NoteError { tag: INTENT_TAG, value: text.to_owned() })
    }
}

impl FromStr for HandOver {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let read = match keys_with_times(text).as_deref() {
            Some([(key, at)]) => Some(Self { key: key.clone(), at: *at }),
            _ => None,
        };
        read.ok_or_else(|| NoteError { tag: HAND_OVER_TAG, value: text.to_owned() })
    }
}

impl FromStr for Retired {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let read = keys_with_times(text).map(|pairs| Self(pairs.into_iter().collect()));
        read.ok_or_else(|| NoteError { tag: RETIRED_TAG, value: text.to_owned() })
    }
}

fn keys_with_times(text: &str) -> Option<Vec<(AccessKeyId, Timestamp)>> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let pair = |pair: &[&str]| match pair {
        [key, at] => Some((id(key)?, at.parse().ok()?)),
        _ => None,
    };
    words.chunks(2).map(pair).collect()
}

fn id(word: &str) -> Option<AccessKeyId> {
    AccessKeyId::parse(word).ok()
}
