//! The changes that people and other programs make to the keys and the stores during a rotation.

use jiff::SignedDuration;
use seskey::rotation::{MARGIN, Reason, Why, next};

use crate::{
    cuts::{every_cut, terms},
    laws::{Broken, Terms},
    run::{Cut, End, Plan, converge, one_run},
    world::{Client, DAY, Effect, MINUTE, World},
};

/// Runs a rotation until it waits for this.
pub(crate) fn waiting(plan: Plan, for_this: Why) -> Result<World, Broken> {
    let mut world = World::with_a_key(100);
    loop {
        match one_run(&mut world, plan, &terms(), &[], &mut 0)? {
            End::Waits(_, why) if why == for_this => return Ok(world),
            End::Waits(until, _) => world.advance(until),
            end => return Err(Broken { law: 6, how: format!("{end:?} before {for_this:?}") }),
        }
    }
}

/// The hours by which a use may be shown late. AWS does not give them.
const LATE: [i64; 2] = [0, 24];

/// A copy of the old key that is in use stops the rotation.
pub(crate) fn the_old_key_is_used(plan: Plan) -> Result<(), Broken> {
    for hours in LATE {
        let mut world = World::with_a_key(100);
        world.uses_late = SignedDuration::from_hours(hours);
        let key = world.keys[0].id.clone();
        world.clients.push(Client::Stranger(key.clone()));
        let end = converge(&mut world, plan, &terms(), &[])?;
        assert!(
            matches!(&end, End::Stopped(Reason::StillUsed { key: k, .. }) if *k == key),
            "{end:?}"
        );
        let end = converge(&mut world, plan, &Terms { force: true, ..terms() }, &[])?;
        assert_eq!(end, End::Done);
    }
    Ok(())
}

/// A client that reads the store only days after the hand-over is waited for, without asking anybody.
pub(crate) fn a_client_is_slow(plan: Plan) -> Result<(), Broken> {
    let terms = Terms { wait_unused: true, ..terms() };
    let slow = |days| LATE.map(|hours| (days, hours));
    for (days, hours) in [1, 6, 7, 8, 13, 30].into_iter().flat_map(slow) {
        let mut world = World::with_a_key(100);
        world.uses_late = SignedDuration::from_hours(hours);
        let old = world.keys[0].id.clone();
        world.clients.push(Client::Slow(1, old, world.now + DAY * days));
        assert_eq!(converge(&mut world, plan, &terms, &[])?, End::Done);
    }
    Ok(())
}

/// If somebody makes and uses a key just after a killed run has written its intent, the rotation stops.
pub(crate) fn a_stranger_makes_a_key(plan: Plan) -> Result<(), Broken> {
    for uses in [false, true] {
        let mut world = World::with_a_key(100);
        let cut = Cut { at: 4, done: false, next_run: Some(MINUTE) };
        one_run(&mut world, plan, &terms(), &[cut], &mut 0)?;
        let key = world.add_key(MINUTE);
        if uses {
            world.clients.push(Client::Stranger(key.clone()));
            world.pass(MINUTE);
            let end = converge(&mut world, plan, &terms(), &[])?;
            assert!(
                matches!(&end, End::Stopped(Reason::StrangersKey { key: k, .. }) if *k == key),
                "{end:?}"
            );
        }
        let end = converge(&mut world, plan, &Terms { force: uses, ..terms() }, &[])?;
        assert_eq!(end, End::Done);
    }
    Ok(())
}

/// Outside a rotation a new key of somebody else is left alone for the grace time, counted from its creation.
#[test]
fn a_strangers_key_is_not_taken_away_at_once() {
    let mut world = World::with_a_key(1);
    assert_eq!(converge(&mut world, next, &terms(), &[]).unwrap(), End::Done);
    world.pass(DAY * 20);
    world.add_key(DAY);
    let created = world.keys[1].created;
    let end = one_run(&mut world, next, &terms(), &[], &mut 0).unwrap();
    assert_eq!(end, End::Waits(created + terms().grace + MARGIN * 2, Why::Grace));
}

/// A store is added in which the old key is still read.
pub(crate) fn a_store_is_added(plan: Plan) -> Result<(), Broken> {
    for (why, days) in [(Why::Grace, 1), (Why::Grace, 6), (Why::Grace, 8), (Why::Quarantine, 1)] {
        let mut world = waiting(plan, why)?;
        world.pass(DAY * days);
        let old = world.keys[0].id.clone();
        world.stores.push(Some(old.clone()));
        if why == Why::Grace {
            world.clients.extend([Client::Reader(2), Client::Cached(2, Some(old))]);
        }
        assert_eq!(converge(&mut world, plan, &terms(), &[])?, End::Done);
    }
    Ok(())
}

/// If somebody puts the old key back into the stores, a run leaves it there.
#[test]
fn the_old_key_is_put_back() {
    let mut world = waiting(next, Why::Grace).unwrap();
    let old = world.keys[0].id.clone();
    world.fill(&old);
    let end = one_run(&mut world, next, &terms(), &[], &mut 0).unwrap();
    assert!(matches!(end, End::Waits(_, Why::Grace)));
    assert!(world.stores.iter().all(|held| held.as_ref() == Some(&old)));
    assert_eq!(converge(&mut world, next, &terms(), &[]).unwrap(), End::Done);
}

/// Somebody activates the retired key. A run deactivates it again and is killed, or the person does so after a use.
pub(crate) fn reactivated(plan: Plan) -> Result<(), Broken> {
    for cut in (0..8).flat_map(every_cut) {
        for by_a_run in [true, false] {
            let mut world = waiting(plan, Why::Quarantine)?;
            let old = world.keys[0].id.clone();
            world.pass(DAY);
            world.apply(&Effect::Activate(old.clone()));
            world.pass(DAY * 9);
            if by_a_run {
                one_run(&mut world, plan, &terms(), std::slice::from_ref(&cut), &mut 0)?;
            } else {
                assert!(world.log_in(&old));
                world.apply(&Effect::Deactivate(old));
            }
            world.pass(DAY * 10);
            assert_eq!(converge(&mut world, plan, &terms(), &[])?, End::Done);
        }
    }
    Ok(())
}

#[test]
fn no_invariant_depends_on_people() {
    the_old_key_is_used(next).unwrap();
    a_client_is_slow(next).unwrap();
    a_stranger_makes_a_key(next).unwrap();
    a_store_is_added(next).unwrap();
    reactivated(next).unwrap();
}
