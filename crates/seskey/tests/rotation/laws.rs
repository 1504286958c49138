//! The invariants of a rotation, judged by the true state of the world and not by what a run can see.

use std::fmt;

use jiff::SignedDuration;
use seskey::{
    AccessKeyId,
    rotation::{Goal, HAND_OVER_TAG, HandOver, KEY_LIMIT, LEASE, PROOFS, USE_SPAN},
};

use crate::{
    run::Run,
    world::{Effect, World},
};

/// A broken invariant, with its number and the cause.
#[derive(Clone)]
pub(crate) struct Broken {
    pub(crate) law: u8,
    pub(crate) how: String,
}

/// The times and options of a goal, as requested.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) max_age: SignedDuration,
    pub(crate) grace: SignedDuration,
    pub(crate) quarantine: SignedDuration,
    pub(crate) force: bool,
    pub(crate) wait_unused: bool,
    pub(crate) make_room: bool,
}

impl Terms {
    pub(crate) fn goal(&self) -> Goal {
        let mut goal = Goal::new(self.max_age, self.grace, self.quarantine).unwrap();
        goal.force = self.force;
        goal.wait_unused = self.wait_unused;
        goal.make_room = self.make_room;
        goal
    }
}

/// Judges an effect before a run does it. `discarding`: the key is discarded because its secret was lost.
pub(crate) fn judge(
    world: &World,
    run: &Run,
    terms: &Terms,
    effect: &Effect,
    discarding: bool,
) -> Result<(), Broken> {
    let broken = |law, what: &str| {
        Err(Broken { law, how: format!("{what}: {effect:?} at {}, {world:#?}", world.now) })
    };
    let is_proven = |key: &AccessKeyId| run.logins.get(key).is_some_and(|&n| n >= PROOFS);
    match effect {
        Effect::Deliver(store, id) if !run.knows(world, *store, id) => {
            broken(1, "the password for the region is not known")
        }
        Effect::Deliver(_, id) => match world.key(id) {
            Some(key) if key.active && world.now >= key.settled => match is_proven(id) {
                true => Ok(()),
                false => broken(2, "delivered before it is proven"),
            },
            _ => broken(1, "what cannot log in is delivered"),
        },
        // the key that the store held before is known to have worked
        Effect::PutBack(_, id) => match world.key(id) {
            Some(key) if key.active && world.now >= key.settled => Ok(()),
            _ => broken(1, "what cannot log in is put back"),
        },
        Effect::Tag(HAND_OVER_TAG, Some(text)) => {
            let note: HandOver = text.parse().unwrap();
            let before =
                world.tags.get(HAND_OVER_TAG).map(|text| text.parse::<HandOver>().unwrap());
            let says_no_more = before.is_some_and(|before| {
                before.key == note.key && note.stores.is_subset(&before.stores)
            });
            match says_no_more || is_proven(&note.key) {
                true => Ok(()),
                false => broken(2, "handed over before it is proven"),
            }
        }
        Effect::Deactivate(id) => {
            let Some(key) = world.key(id) else { return Ok(()) };
            // a client that is waited for is seen, if not at the very moment of its last use
            let missed = if terms.wait_unused { SignedDuration::ZERO } else { USE_SPAN };
            let idle = terms.grace.max(LEASE) - missed;
            let in_use = match discarding {
                true => key.used.is_some(),
                false => key.used.is_some_and(|used| used + idle > world.now),
            };
            match key.held {
                _ if world.is_held(id) => broken(1, "a store holds it"),
                Some(held) if world.now < held + terms.grace => broken(3, "in its grace time"),
                _ if in_use && !terms.force => broken(5, "somebody uses it"),
                _ => Ok(()),
            }
        }
        Effect::Delete(id) => {
            let Some(key) = world.key(id) else { return Ok(()) };
            let rested = key.inactive_since.is_some_and(|at| at + terms.quarantine <= world.now);
            let never_delivered = discarding && key.held.is_none() && !key.active;
            let in_the_way = terms.make_room
                && world.keys.len() == KEY_LIMIT
                && world.keys.iter().all(|other| !other.active)
                && (!world.is_held(id) || world.keys.iter().all(|other| world.is_held(&other.id)));
            match rested || never_delivered || in_the_way {
                true => Ok(()),
                false => broken(4, "deleted before its quarantine is over"),
            }
        }
        _ => Ok(()),
    }
}

/// Checks that no key whose secret was lost is left when a run ends by itself.
pub(crate) fn judge_end(world: &World) -> Result<(), Broken> {
    match world.keys.iter().any(|key| key.lost && key.created + LEASE < world.now) {
        true => Err(Broken { law: 7, how: format!("a lost key is left: {world:#?}") }),
        false => Ok(()),
    }
}

/// Checks that there is one key when all is done, and that it is active and in every store that the run names.
pub(crate) fn judge_done(world: &World, named: &[usize]) -> Result<(), Broken> {
    match world.keys.as_slice() {
        [key] if key.active && named.iter().all(|&i| world.stores[i].as_ref() == Some(&key.id)) => {
            Ok(())
        }
        _ => Err(Broken { law: 6, how: format!("not one key, active and everywhere: {world:#?}") }),
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invariant {} is broken: {}", self.law, self.how)
    }
}
