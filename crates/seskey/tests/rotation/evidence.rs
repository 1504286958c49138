//! A run does not see everything: stores come and go, runs name different stores and regions, keys flap in every way,
//! deliveries fail for weeks, and a person acts between any two steps.

use proptest::prelude::*;
use seskey::{
    AccessKeyId,
    rotation::{
        Denial, FLAPPING, HAND_OVER_TAG, INTENT_TAG, RETIRED_TAG, Reason, STORES, Seen, Sending,
        Step, Why, next,
    },
};

use crate::{
    cuts::{EFFECTS, every_cut, terms},
    laws::{Broken, Terms},
    people::waiting,
    run::{Cut, End, Plan, Run, converge, one_run, run_on},
    world::{Client, DAY, Effect, MINUTE, SECOND, World},
};

/// Lets a run that does not name these stores go as far as it can.
fn run_without(world: &mut World, plan: Plan, stores: &[usize]) -> Result<End, Broken> {
    run_on(world, plan, &terms(), &[], &mut 0, Run::without(stores.iter().copied()))
}

/// Makes one run a day for this many days.
fn days(world: &mut World, plan: Plan, n: usize) -> Result<(), Broken> {
    for _ in 0..n {
        one_run(world, plan, &terms(), &[], &mut 0)?;
        world.pass(DAY);
    }
    Ok(())
}

/// With two keys of a person and an empty store, no key is deactivated: nobody knows which of them is in use.
pub(crate) fn two_keys_of_a_person(plan: Plan) -> Result<(), Broken> {
    for [one, two] in [[100, 90], [30, 1], [8, 8]] {
        let mut world = World::new(1);
        let keys = [one, two].map(|age| world.add_key(DAY * age));
        world.clients = keys.iter().cloned().map(Client::Stranger).collect();
        for _ in 0..30 {
            let end = one_run(&mut world, plan, &terms(), &[], &mut 0)?;
            if !world.keys.iter().all(|key| key.active) {
                return Err(Broken { law: 3, how: format!("{end:?}, {world:#?}") });
            }
            world.pass(DAY);
        }
    }
    Ok(())
}

/// If one of a person's two keys is put into the store, the other one has the whole grace time from then on.
fn one_of_two_is_adopted(plan: Plan) -> Result<(), Broken> {
    let mut world = World::new(1);
    let keys = [100, 90].map(|age| world.add_key(DAY * age));
    for held in 0..2 {
        let mut world = world.clone();
        world.fill(&keys[held]);
        // no store is known to have ever held the other key
        let adopted = world.now;
        world.key_mut(&keys[1 - held]).unwrap().held = Some(adopted);
        assert_eq!(converge(&mut world, plan, &terms(), &[])?, End::Done);
    }
    Ok(())
}

/// A store is not mounted for some runs. Its content is read again afterwards.
pub(crate) fn a_store_is_not_mounted(plan: Plan) -> Result<(), Broken> {
    for why in [None, Some(Why::Grace), Some(Why::Quarantine)] {
        for missing in [vec![0], vec![1], vec![0, 1]] {
            for away in [1, 9, 40] {
                let mut world = match why {
                    None => World::with_a_key(80),
                    Some(why) => waiting(plan, why)?,
                };
                one_run(&mut world, plan, &terms(), &[], &mut 0)?;
                world.pass(DAY * 3);
                // no client is left that would be seen to use a key from memory
                world.clients.retain(|client| matches!(client, Client::Reader(_)));
                let held = world.stores.clone();
                world.unmounted = missing.iter().copied().collect();
                days(&mut world, plan, away)?;
                world.unmounted.clear();
                for store in &missing {
                    world.stores[*store].clone_from(&held[*store]);
                }
                world.send_mail();
                days(&mut world, plan, 40)?;
            }
        }
    }
    Ok(())
}

/// A store loses its content within the grace time, and a person makes every run go on.
pub(crate) fn emptied_within_the_grace_time(plan: Plan) -> Result<(), Broken> {
    for missing in [vec![0], vec![1], vec![0, 1]] {
        let mut world = waiting(plan, Why::Grace)?;
        for store in missing {
            world.stores[store] = None;
        }
        let forced = Terms { force: true, ..terms() };
        assert_eq!(converge(&mut world, plan, &forced, &[])?, End::Done);
    }
    Ok(())
}

/// A run names fewer stores than another one, at any moment of a rotation.
pub(crate) fn fewer_stores(plan: Plan) -> Result<(), Broken> {
    for cut in (0..EFFECTS).flat_map(every_cut) {
        for left_out in [[0; 2], [1; 2], [0, 1]] {
            let mut world = World::with_a_key(1);
            converge(&mut world, plan, &terms(), &[])?;
            world.pass(DAY * 90);
            one_run(&mut world, plan, &terms(), std::slice::from_ref(&cut), &mut 0)?;
            // nobody sends mail for weeks, so that no use stops the rotation
            world.clients.clear();
            for day in 0..40 {
                run_without(&mut world, plan, &[left_out[day % 2]])?;
                world.pass(DAY);
            }
            days(&mut world, plan, 60)?;
        }
    }
    Ok(())
}

/// Every run names another store, as after a change of a template.
fn other_stores(plan: Plan) -> Result<(), Broken> {
    for why in [Why::Grace, Why::Quarantine] {
        let mut world = waiting(plan, why)?;
        world.stores.push(None);
        for _ in 0..30 {
            let end = run_without(&mut world, plan, &[0, 1])?;
            assert!(matches!(end, End::Stopped(Reason::OtherStores { .. })), "{end:?}");
            world.pass(DAY);
        }
        days(&mut world, plan, 40)?;
    }
    Ok(())
}

/// Returns a user with a store in another region, which is served by the same key.
fn two_regions(days_old: i32) -> World {
    let mut world = World::with_a_key(days_old);
    world.regions.insert(1, "eu-west-1");
    world
}

pub(crate) fn one_key_for_two_regions(plan: Plan) -> Result<(), Broken> {
    for cut in (0..EFFECTS).flat_map(every_cut) {
        let mut world = two_regions(100);
        match converge(&mut world, plan, &terms(), &[cut])? {
            End::Done => {}
            end => return Err(Broken { law: 6, how: format!("{end:?}") }),
        }
    }
    Ok(())
}

/// If a region is added there is a new key, since its password cannot be derived from the present one.
pub(crate) fn a_region_is_added(plan: Plan) -> Result<(), Broken> {
    let mut world = World::with_a_key(1);
    assert_eq!(converge(&mut world, plan, &terms(), &[])?, End::Done);
    world.stores.push(None);
    world.regions.insert(2, "eu-west-1");
    assert_eq!(converge(&mut world, plan, &terms(), &[])?, End::Done);
    assert_eq!(world.keys_ever, 2);
    Ok(())
}

/// A store refuses every delivery for weeks, and then works again.
fn no_delivery_for_weeks(plan: Plan) -> Result<(), Broken> {
    for pause in [MINUTE, DAY] {
        let mut world = World::with_a_key(100);
        for _ in 0..40 {
            let mut count = 0;
            let mut run = Run::default();
            for _ in 0..40 {
                let step = plan(&run.observe(&mut world), &terms().goal());
                if step.ends_a_run() || matches!(step, Step::Deliver { .. }) {
                    break;
                }
                if let Step::WaitUntil { until, .. } = step {
                    world.advance(until);
                }
                for effect in run.effects(&world, &step) {
                    assert!(run.act(&mut world, &effect), "{step:?} {world:#?}");
                    count += 1;
                }
            }
            assert!(count < 40, "{world:#?}");
            run.end(&mut world);
            world.pass(pause);
        }
        assert_eq!(converge(&mut world, plan, &terms(), &[])?, End::Done);
    }
    Ok(())
}

/// Rotates with a new key that flaps in this way. Unless `longer`, it has settled when it is delivered, so no reader is
/// refused.
fn flapping(appears: i64, flaps: i64, pattern: u32, longer: bool) -> World {
    let mut world = World::with_a_key(100);
    let mut run = Run::default();
    let goal = terms().goal();
    for _ in 0..60 {
        let step = next(&run.observe(&mut world), &goal);
        if step.ends_a_run() {
            break;
        }
        if let Step::WaitUntil { until, .. } = step {
            world.advance(until);
        }
        for effect in run.effects(&world, &step) {
            let is_new = effect == Effect::Create;
            run.act(&mut world, &effect);
            if is_new {
                let key = world.keys.last_mut().unwrap();
                key.appears = key.created + SECOND * appears as i32;
                key.settled = key.appears + SECOND * flaps as i32;
                key.flaps = pattern;
            }
            if let Effect::Deliver(_, key) = &effect {
                let settled = world.key(key).unwrap().settled;
                assert!(longer || world.now >= settled, "{key} is delivered while it flaps");
            }
        }
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_key_is_delivered_while_it_flaps(
        appears in 0..30_i64,
        flaps in 0..=FLAPPING.as_secs(),
        pattern: u32,
    ) {
        let world = flapping(appears, flaps, pattern, false);
        prop_assert!(world.stores.iter().all(|held| *held == Some(world.keys[1].id.clone())));
    }

    /// A key that flaps for longer than anybody has reported is put back if it is refused after its delivery.
    #[test]
    fn a_key_that_flaps_on_is_put_back(pattern: u32, flaps in 10..60_i64) {
        let world = flapping(0, flaps, pattern, true);
        for held in world.stores.iter().flatten() {
            let key = world.key(held).unwrap();
            prop_assert!(key.active);
        }
    }

    /// Stores come and go, runs name any stores and are killed, people activate and deactivate keys: no key that a
    /// store holds, and no key in its grace time, is ever deactivated.
    #[test]
    fn whatever_a_run_is_shown(
        moments in prop::collection::vec((0..6_usize, 0..3_usize, 0..8_usize, 0..EFFECTS), 0..30),
        age in 1..120_i32,
    ) {
        let mut world = World::with_a_key(age);
        world.stores.push(None);
        let mut hidden: Vec<Option<AccessKeyId>> = world.stores.clone();
        for (what, store, which, at) in moments {
            match what {
                0 => {
                    hidden[store].clone_from(&world.stores[store]);
                    world.unmounted.insert(store);
                }
                1 => {
                    if world.unmounted.remove(&store) {
                        world.stores[store].clone_from(&hidden[store]);
                    }
                }
                2 => drop(run_without(&mut world, next, &[store]).unwrap()),
                3 => {
                    let cut = every_cut(at).nth(which).unwrap();
                    one_run(&mut world, next, &terms(), &[cut], &mut 0).unwrap();
                }
                4 => drop(one_run(&mut world, next, &terms(), &[], &mut 0).unwrap()),
                _ => {
                    // people activate or deactivate a key that no store holds, but do not deactivate one that no run
                    // could have seen active
                    let spare = world.keys.get(store).map(|key| key.id.clone());
                    let note = world.tags.get(RETIRED_TAG).cloned().unwrap_or_default();
                    if let Some(key) = spare.filter(|key| !world.is_held(key)) {
                        let on = which % 2 == 0 || note.contains(key.as_str());
                        world.apply(&if on { Effect::Activate(key) } else { Effect::Deactivate(key) });
                    }
                }
            }
            world.pass(DAY * (which as i32 % 4) + MINUTE);
        }
    }
}

/// A retired key that somebody activates again has the whole grace time once more, from when that is seen.
pub(crate) fn active_again(plan: Plan) -> Result<(), Broken> {
    let mut world = waiting(plan, Why::Quarantine)?;
    let old = world.keys[0].id.clone();
    world.pass(DAY * 5);
    world.apply(&Effect::Activate(old.clone()));
    let seen = world.now;
    world.key_mut(&old).unwrap().held = Some(seen);
    days(&mut world, plan, 40)
}

/// If somebody deactivates the key that was handed over, a run stops: only that person knows the reason.
pub(crate) fn deactivated_by_a_person(plan: Plan) -> Result<(), Broken> {
    let mut world = waiting(plan, Why::Grace)?;
    let new = world.stores[0].clone().unwrap();
    world.apply(&Effect::Deactivate(new.clone()));
    match one_run(&mut world, plan, &terms(), &[], &mut 0)? {
        End::Stopped(Reason::Deactivated(key)) if key == new => Ok(()),
        end => Err(Broken { law: 5, how: format!("{end:?}") }),
    }
}

#[test]
fn nothing_is_retired_without_evidence() {
    two_keys_of_a_person(next).unwrap();
    one_of_two_is_adopted(next).unwrap();
    a_store_is_not_mounted(next).unwrap();
    emptied_within_the_grace_time(next).unwrap();
    fewer_stores(next).unwrap();
    other_stores(next).unwrap();
    one_key_for_two_regions(next).unwrap();
    a_region_is_added(next).unwrap();
    no_delivery_for_weeks(next).unwrap();
    active_again(next).unwrap();
    deactivated_by_a_person(next).unwrap();
}

/// The notes of a rotation that always fails stay short: they do not collect keys that are gone.
#[test]
fn notes_do_not_grow() {
    let mut world = World::with_a_key(100);
    for at in 0..200 {
        let cut = Cut { at: 6 + at % 8, done: at % 3 == 0, next_run: Some(DAY) };
        one_run(&mut world, next, &terms(), &[cut], &mut 0).unwrap();
        for tag in [INTENT_TAG, HAND_OVER_TAG] {
            let note = world.tags.get(tag).map_or("", String::as_str);
            assert!(note.len() <= 256, "{note}");
        }
        world.pass(DAY);
    }
}

/// The next run on the same host does not wait for the lease of a run that it knows has ended; one on another host
/// does.
#[test]
fn who_is_certainly_over_is_not_waited_for() {
    for host in [0, 1] {
        let mut world = World::with_a_key(100);
        // the run has made and recorded a key
        let made = (0..EFFECTS).find(|at| {
            let mut world = World::with_a_key(100);
            let cut = Cut { at: *at, done: false, next_run: Some(SECOND) };
            one_run(&mut world, next, &terms(), &[cut], &mut 0).unwrap();
            world.tags.get(INTENT_TAG).is_some_and(|note| note.contains("made"))
        });
        let cut = Cut { at: made.unwrap(), done: false, next_run: Some(SECOND) };
        one_run(&mut world, next, &terms(), &[cut], &mut 0).unwrap();
        let mut run = Run::on_host(host);
        let step = next(&run.observe(&mut world), &terms().goal());
        assert_eq!(matches!(step, Step::Discard(_)), host == 0, "{step:?}");
        assert_eq!(matches!(step, Step::WaitUntil { why: Why::Lease, .. }), host == 1, "{step:?}");
    }
}

/// A user that may not send gets no key, and is not reported as done.
#[test]
fn who_may_not_send() {
    for age in [1, 100] {
        let mut world = World::with_a_key(age);
        let mut run = Run::default();
        let mut goal = terms().goal();
        let denial = Denial::NotAllowed;
        let see = |run: &mut Run, world: &mut World| Seen {
            sending: Sending::Denied(denial.clone()),
            ..run.observe(world)
        };
        for _ in 0..10 {
            let step = next(&see(&mut run, &mut world), &goal);
            if let Step::Stop(reason) = step {
                assert_eq!(reason, Reason::MayNotSend(denial.clone()));
                assert_eq!(world.keys.len(), 1);
                break;
            }
            for effect in run.effects(&world, &step) {
                assert!(run.act(&mut world, &effect));
            }
        }
        goal.force = true;
        let step = next(&see(&mut run, &mut world), &goal);
        assert_eq!(matches!(step, Step::WriteIntent(_)), age == 100, "{step:?}");
    }
}

/// A run stops if there are more stores than a note has room for.
#[test]
fn more_stores_than_a_note_has_room_for() {
    let mut world = World::new(STORES + 1);
    let key = world.add_key(DAY);
    world.fill(&key);
    let end = one_run(&mut world, next, &terms(), &[], &mut 0).unwrap();
    assert_eq!(end, End::Stopped(Reason::TooManyStores));
    assert_eq!(run_without(&mut world, next, &[STORES]).unwrap(), End::Done);
}
