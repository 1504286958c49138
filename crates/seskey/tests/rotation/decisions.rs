//! The decisions that no invariant covers: how far to go, and when.

use std::collections::BTreeSet;

use jiff::Timestamp;
use seskey::{
    Region,
    rotation::{
        Goal, HandOver, Key, MARGIN, Reason, RunId, Seen, Stage, Step, Store, StoreId, USE_SPAN,
        Why, next, revoke,
    },
};

use crate::{
    cuts::terms,
    run::{Run, one_run},
    world::{DAY, World, effects, id, start},
};

fn seen(stores: usize) -> Seen {
    let key = Key { id: id(1), active: true, created: start() - DAY * 100, last_used: None };
    let mut seen = Seen::at(start(), RunId::of("here", "1"));
    seen.notes.hand_over = Some(hand_over(stores, key.created));
    seen.keys = vec![key];
    seen.stores = (0..stores).map(|i| store(i).holding(id(1))).collect();
    seen
}

fn store(number: usize) -> Store {
    Store::new(StoreId::of(&number.to_string()), Region::parse("us-east-1").unwrap())
}

fn hand_over(stores: usize, at: Timestamp) -> HandOver {
    let stores = (0..stores).map(|i| store(i).id).collect();
    HandOver { key: id(1), at, stores, elsewhere: BTreeSet::new() }
}

#[test]
fn a_key_for_no_store_would_be_lost() {
    assert_eq!(next(&seen(0), &terms().goal()), Step::Stop(Reason::NoStore));
}

#[test]
fn a_key_is_due_when_it_is_as_old_as_it_may_be() {
    let due = |days, now: &Seen| next(now, &Goal::days(days, 7, 7).unwrap());
    assert!(matches!(due(100, &seen(1)), Step::WriteIntent(_)));
    assert_eq!(due(101, &seen(1)), Step::Done { due: Some(start() + DAY) });
}

/// A rotation that is requested now happens once.
#[test]
fn now_is_once() {
    let mut goal = Goal::days(365, 7, 7).unwrap();
    let mut world = World::with_a_key(1);
    goal.replace = [id(1)].into();
    let mut run = Run::default();
    for _ in 0..40 {
        match next(&run.observe(&mut world), &goal) {
            Step::WaitUntil { until, .. } => world.advance(until),
            Step::Done { due } => {
                assert_eq!(due, Some(world.keys[0].created + DAY * 365));
                assert_eq!(world.keys_ever, 2);
                return;
            }
            step => effects(&step).iter().for_each(|e| assert!(run.act(&mut world, e), "{step:?}")),
        }
    }
    panic!("{world:#?}");
}

/// Each stage goes as far as its name says; the next run, or a person, goes on from there.
#[test]
fn stages() {
    for (until, held, steps_left) in [(Stage::Create, 1, true), (Stage::Deliver, 2, false)] {
        let mut goal = terms().goal();
        goal.until = until;
        let mut world = World::with_a_key(100);
        let note = world.hand_over(&id(1), DAY * 100);
        world.tags.insert("seskey:hand-over", note.to_string());
        let mut run = Run::default();
        let stopped = loop {
            match next(&run.observe(&mut world), &goal) {
                Step::Stop(Reason::Limit(step)) => break step,
                Step::WaitUntil { until, .. } => world.advance(until),
                step => effects(&step).iter().for_each(|e| assert!(run.act(&mut world, e))),
            }
        };
        assert!(stopped.stage() > Some(until));
        assert_eq!(matches!(*stopped, Step::Deliver { store: 0, .. }), steps_left);
        assert_eq!(world.stores, [Some(id(held)), Some(id(held))]);
        assert!(world.keys.len() == 2 && world.keys.iter().all(|key| key.active));
        // by hand: a person puts the password into one of the stores
        world.stores[1] = Some(id(2));
        one_run(&mut world, next, &terms(), &[], &mut 0).unwrap();
        assert_eq!(world.stores, [Some(id(2)), Some(id(2))]);
    }
}

/// A use in the future is possible: the clock of a run may be behind the one that recorded it.
#[test]
fn a_use_in_the_future() {
    let mut seen = seen(1);
    let later = Some(start() + DAY);
    seen.keys.push(Key { id: id(2), active: false, created: start(), last_used: later });
    let Step::MarkRetired(note) = next(&seen, &terms().goal()) else { panic!() };
    seen.notes.retired = note;
    assert!(matches!(next(&seen, &terms().goal()), Step::WaitUntil { why: Why::Quarantine, .. }));
}

/// A recorded use may be the first of several, and the grace time begins after them all.
#[test]
fn a_used_key_is_waited_for() {
    let (grace, used) = (DAY * 7 + MARGIN * 2, start() - DAY * 7);
    let mut seen = seen(1);
    seen.keys.push(Key { id: id(2), last_used: Some(used), ..seen.keys[0].clone() });
    let mut goal = terms().goal();
    let reason = Reason::StillUsed { key: id(2), used, handed_over: seen.keys[0].created };
    assert_eq!(next(&seen, &goal), Step::Stop(reason));
    goal.wait_unused = true;
    let until = used + USE_SPAN + grace;
    assert_eq!(next(&seen, &goal), Step::WaitUntil { until, why: Why::Unused, key: id(2) });
    seen.now = until;
    assert_eq!(next(&seen, &goal), Step::Deactivate(id(2)));
    goal.force = true;
    seen.now = start();
    assert_eq!(next(&seen, &goal), Step::Deactivate(id(2)));
}

/// Without an active key no mail is sent, so room is made with the inactive key whose quarantine ends first.
#[test]
fn of_two_inactive_keys_the_one_that_waits_already() {
    let mut seen = seen(1);
    seen.notes.hand_over = None;
    seen.keys.push(Key { id: id(2), created: start() - DAY * 99, ..seen.keys[0].clone() });
    seen.keys.iter_mut().for_each(|key| key.active = false);
    seen.notes.retired = format!("{} {}", id(2), start() - DAY * 20).parse().unwrap();
    assert_eq!(next(&seen, &terms().goal()), Step::Delete(id(2)));
}

#[test]
fn a_leak_is_stopped_first_where_it_is_read() {
    for held in [1, 2] {
        let mut seen = seen(1);
        seen.keys.push(Key { id: id(2), ..seen.keys[0].clone() });
        seen.stores[0].holds = [id(held)].into();
        assert_eq!(revoke(&seen), Step::Deactivate(id(held)));
    }
}

/// Any time in a tag is accepted, since anybody may have written it.
#[test]
fn the_end_of_time() {
    let mut seen = seen(1);
    seen.keys.push(Key { id: id(2), active: false, created: start(), last_used: None });
    for at in ["9999-12-30T22:00:00.999999999Z", "-009999-01-02T01:59:59Z"] {
        seen.notes.hand_over = Some(hand_over(1, at.parse().unwrap()));
        seen.notes.retired = format!("{} {at}", id(2)).parse().unwrap();
        for active in [true, false] {
            seen.keys[1].active = active;
            next(&seen, &terms().goal());
        }
    }
}
