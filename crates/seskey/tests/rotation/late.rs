//! The eventual consistency of IAM: another run sees a change seconds later, each part separately.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use seskey::{
    AccessKeyId,
    rotation::{HAND_OVER_TAG, INTENT_TAG, LAG, RETIRED_TAG},
};

use crate::world::{Effect, SECOND, World, id};

const TAGS: [&str; 3] = [INTENT_TAG, HAND_OVER_TAG, RETIRED_TAG];

/// The delay of each part in seconds: keys with even and with odd numbers, and the three tags.
pub(crate) type Late = [i64; 5];

/// A part that is shown separately.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Item {
    Key(AccessKeyId),
    Tag(&'static str),
}

/// The world before each of its last changes, with the time of the change.
#[derive(Debug, Default)]
pub(crate) struct Past(VecDeque<(Timestamp, World)>);

impl Item {
    pub(crate) fn changed_by(effect: &Effect, world: &World) -> Option<Self> {
        match effect {
            Effect::Create => Some(Self::Key(id(world.keys_ever))),
            Effect::Activate(key) | Effect::Deactivate(key) | Effect::Delete(key) => {
                Some(Self::Key(key.clone()))
            }
            Effect::Tag(tag, _) => Some(Self::Tag(tag)),
            Effect::Record(_) => Some(Self::Tag(INTENT_TAG)),
            Effect::Prove(_)
            | Effect::Confirm(_)
            | Effect::Deliver(..)
            | Effect::PutBack(..)
            | Effect::Hook(_) => None,
        }
    }
}

impl Past {
    /// Keeps the world as it is before a change.
    pub(crate) fn keep(&mut self, world: &World) {
        self.0.retain(|(until, _)| *until + LAG >= world.now);
        self.0.push_back((world.now, world.clone()));
    }

    /// Returns the world as IAM shows it to a run that has made these changes itself.
    pub(crate) fn shown(
        &self,
        world: &World,
        late: Late,
        changed: &BTreeMap<Item, Timestamp>,
    ) -> World {
        let as_of = |item: Item, late: i64| {
            let at = changed
                .get(&item)
                .map_or(Timestamp::MIN, |at| *at)
                .max(world.now - SECOND * late as i32);
            self.0.iter().find(|(until, _)| *until >= at).map_or(world, |(_, past)| past)
        };
        let key = |n| as_of(Item::Key(id(n)), late[n % 2]).key(&id(n)).cloned();
        let tag = |(tag, late)| Some((tag, as_of(Item::Tag(tag), late).tags.get(tag)?.clone()));
        World {
            keys: (1..=world.keys_ever).filter_map(key).collect(),
            tags: TAGS.into_iter().zip(late.into_iter().skip(2)).filter_map(tag).collect(),
            ..world.clone()
        }
    }
}
