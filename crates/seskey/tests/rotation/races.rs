//! People who deactivate keys, or activate them again, during a rotation.

use proptest::prelude::*;
use seskey::{
    AccessKeyId,
    rotation::{LAG, Why, next, revoke, undo},
};

use crate::{
    cuts::{terms, users},
    laws::{Broken, Terms, judge},
    people::waiting,
    run::{Plan, Run},
    together::{Racer, Turn, a_turn, race, settle},
    world::{DAY, Effect, MINUTE, SECOND, TrueKey, World},
};

/// Checks what holds even when keys are deactivated and activated again: nothing is deleted too early.
fn judge_deletions(
    world: &World,
    run: &Run,
    terms: &Terms,
    effect: &Effect,
    discarding: bool,
) -> Result<(), Broken> {
    let never_held = |id| world.key(id).is_some_and(|key| key.held.is_none());
    match effect {
        // undo may have activated it just now: nobody misses a key that nobody knows
        Effect::Delete(id) if discarding && never_held(id) => Ok(()),
        Effect::Delete(_) => judge(world, run, terms, effect, discarding),
        _ => Ok(()),
    }
}

/// Checks the revocation of a leak: when it is over, no key is active that existed when it began.
fn a_leak_meanwhile(
    world: &mut World,
    plan: Plan,
    terms: &Terms,
    turns: Vec<Turn>,
) -> Result<(), Broken> {
    let mut known: Option<Vec<AccessKeyId>> = None;
    let racers = [next, plan].map(|plan| Racer::new(plan, judge_deletions));
    race(world, racers, terms, turns, |world, [_, person]| {
        if known.is_none() && person.has_looked() {
            let is_old = |key: &&TrueKey| key.created + LAG < world.now;
            // if no older key is active, a key that was just made may not be listed
            let all = world.keys.iter().any(|key| is_old(&key) && key.active);
            let keys = world.keys.iter().filter(|key| all || is_old(key));
            known = Some(keys.map(|key| key.id.clone()).collect());
        }
        let mut on = world.keys.iter().filter(|key| key.active).map(|key| &key.id);
        let still_on = on.find(|id| known.iter().flatten().any(|known| known == *id));
        match still_on {
            Some(_) if person.is_over() => {
                Err(Broken { law: 8, how: format!("a key is left: {world:#?}") })
            }
            _ => Ok(()),
        }
    })
}

/// Returns users in whose rotation something is about to happen.
fn under_way() -> Vec<World> {
    let before_its_end = |why, time| {
        let mut world = waiting(next, why).unwrap();
        world.pass(time);
        world
    };
    let ends = [
        before_its_end(Why::Grace, DAY * 7 + MINUTE * 9),
        before_its_end(Why::Quarantine, DAY * 14 - MINUTE * 11),
        before_its_end(Why::Quarantine, DAY * 14 - MINUTE * 5),
    ];
    users().into_iter().chain(ends).collect()
}

/// Revokes at every moment of the rotation, with every delay of IAM, and with a rotation of every slowness from then
/// on.
pub(crate) fn a_leak_at_any_moment(plan: Plan) -> Result<(), Broken> {
    let turn = Turn { pause: SECOND, ..Turn::default() };
    for user in under_way() {
        for (moment, late, every) in (0..30)
            .flat_map(|moment| [0, LAG.as_secs()].map(|late| (moment, [late; 5])))
            .flat_map(|(moment, late)| [1, 2, 5].map(|every| (moment, late, every)))
        {
            let mut user = user.clone();
            let person = |i| Turn { who: usize::from(i % every == 0), late, ..turn };
            let turns = std::iter::repeat_n(turn, moment).chain((0..60).map(person)).collect();
            a_leak_meanwhile(&mut user, plan, &terms(), turns)?;
            // everything that was decided before is done by now
            user.pass(DAY);
            settle(&mut user, next, &terms())?;
        }
    }
    Ok(())
}

#[test]
fn a_leak_during_a_rotation() {
    a_leak_at_any_moment(|seen, _| revoke(seen)).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_leak_in_any_order(
        mut user in prop::sample::select(under_way()),
        turns in prop::collection::vec(a_turn(), 0..80),
    ) {
        a_leak_meanwhile(&mut user, |seen, _| revoke(seen), &terms(), turns).unwrap();
        user.pass(DAY);
        settle(&mut user, next, &terms()).unwrap();
    }

    #[test]
    fn second_thoughts_in_any_order(
        mut user in prop::sample::select(under_way()),
        turns in prop::collection::vec(a_turn(), 0..80),
    ) {
        // in lockstep, one would write for ever what the other removes
        let person = Turn { who: 1, pause: SECOND, ..Turn::default() };
        let turns = turns.into_iter().chain(std::iter::repeat_n(person, 40));
        let racers = [next, undo].map(|plan| Racer::new(plan, judge_deletions));
        race(&mut user, racers, &terms(), turns, |_, _| Ok(())).unwrap();
        settle(&mut user, next, &terms()).unwrap();
    }
}
