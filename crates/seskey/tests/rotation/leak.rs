//! A leak: every key is deactivated before anything else, and may be activated again.

use seskey::rotation::{Goal, Reason, Seen, Step, Why, next, revoke, undo};

use crate::{
    cuts::{EFFECTS, every_cut, terms, users},
    laws::{Broken, Terms},
    people::waiting,
    run::{End, Plan, Run, converge, one_run},
    world::{DAY, Effect, MINUTE, SECOND, World, effects},
};

/// Returns users at any moment of a rotation.
fn at_any_moment() -> Vec<World> {
    let cut_at = |at| {
        every_cut(at).flat_map(|cut| {
            users().into_iter().map(move |mut user| {
                one_run(&mut user, next, &terms(), std::slice::from_ref(&cut), &mut 0).unwrap();
                user
            })
        })
    };
    let waits = [Why::Grace, Why::Quarantine].map(|why| waiting(next, why).unwrap());
    (0..EFFECTS).flat_map(cut_at).chain(waits).collect()
}

/// Runs the plan until nothing is left to do; the effect with the number `killed` fails.
fn carry_out(
    world: &mut World,
    plan: Plan,
    killed: Option<usize>,
    allowed: fn(&World, &Effect) -> bool,
) -> Result<Step, Broken> {
    for count in 0..20 {
        let step = plan(&Run::default().observe(world), &terms().goal());
        match step {
            Step::Done { .. } | Step::Stop(_) => return Ok(step),
            Step::WaitUntil { until, .. } => world.now = until,
            _ => {}
        }
        for effect in effects(&step) {
            if !allowed(world, &effect) {
                return Err(Broken { law: 8, how: format!("{effect:?} in {world:#?}") });
            }
            world.now += SECOND;
            if killed != Some(count) {
                assert!(world.apply(&effect));
            }
        }
    }
    Err(Broken { law: 8, how: format!("it never ends: {world:#?}") })
}

/// Keys are only deactivated until none is active; later a new key is made, if it is wanted.
pub(crate) fn everything_off(plan: Plan) -> Result<(), Broken> {
    let allowed = |world: &World, effect: &Effect| {
        matches!(effect, Effect::Deactivate(_)) || world.keys.iter().all(|key| !key.active)
    };
    for world in at_any_moment() {
        for killed in [None, Some(0), Some(1), Some(2), Some(3)] {
            let mut world = world.clone();
            let step = carry_out(&mut world, plan, killed, allowed)?;
            assert_eq!(step, Step::Done { due: None });
            assert!(world.keys.iter().all(|key| !key.active));
            world.pass(DAY);
            assert_eq!(converge(&mut world, next, &terms(), &[])?, End::Done);
        }
    }
    Ok(())
}

#[test]
fn a_leak_turns_everything_off_first() {
    everything_off(|seen: &Seen, _: &Goal| revoke(seen)).unwrap();
}

#[test]
fn what_was_turned_off_is_turned_on_again() {
    for days in [0, 1, 13] {
        for killed in [None, Some(0), Some(1), Some(2)] {
            let mut world = waiting(next, Why::Quarantine).unwrap();
            world.pass(DAY * days);
            let step = carry_out(&mut world, undo, killed, |_, _| true).unwrap();
            assert_eq!(step, Step::Done { due: None });
            assert!(world.keys.len() == 2 && world.keys.iter().all(|key| key.active));
            // they stay active for another grace time
            let end = one_run(&mut world, next, &terms(), &[], &mut 0).unwrap();
            let End::Waits(until, Why::Grace) = end else { panic!("{end:?}") };
            assert!(until + MINUTE >= world.now + terms().grace);
            assert_eq!(converge(&mut world, next, &terms(), &[]).unwrap(), End::Done);
        }
    }
}

/// With both keys inactive there is a new one at once, if one of them may be deleted: the one that no store holds.
pub(crate) fn replaced(plan: Plan) -> Result<(), Broken> {
    let at_once = Terms { make_room: true, ..terms() };
    for mut world in at_any_moment() {
        carry_out(&mut world, |seen: &Seen, _: &Goal| revoke(seen), None, |_, _| true)?;
        let revoked = world.now;
        one_run(&mut world, plan, &at_once, &[], &mut 0)?;
        let new = world.stores[0].as_ref().and_then(|id| world.key(id));
        let is_new = new.is_some_and(|key| key.active && key.created >= revoked);
        assert!(is_new && world.now < revoked + MINUTE * 60, "{world:#?}");
        assert_eq!(converge(&mut world, plan, &terms(), &[])?, End::Done);
    }
    Ok(())
}

#[test]
fn a_leak_is_replaced_at_once() {
    replaced(next).unwrap();
    let mut world = waiting(next, Why::Grace).unwrap();
    carry_out(&mut world, |seen: &Seen, _: &Goal| revoke(seen), None, |_, _| true).unwrap();
    let at_once = Terms { make_room: true, ..terms() };
    for cut in (0..EFFECTS).flat_map(every_cut) {
        let end = converge(&mut world.clone(), next, &at_once, &[cut]).unwrap();
        assert_eq!(end, End::Done);
    }
}

/// No quarantine is cut short, even if undo is killed and a rotation follows at any moment.
#[test]
fn undone_by_halves() {
    for steps in 0..4 {
        let mut world = waiting(next, Why::Quarantine).unwrap();
        world.pass(DAY * 13);
        for _ in 0..steps {
            let step = undo(&Run::default().observe(&mut world), &terms().goal());
            effects(&step).iter().for_each(|effect| assert!(world.apply(effect)));
        }
        assert_eq!(converge(&mut world, next, &terms(), &[]).unwrap(), End::Done);
    }
}

#[test]
fn too_late() {
    let mut world = waiting(next, Why::Quarantine).unwrap();
    let old = world.keys[0].id.clone();
    world.pass(DAY * 14 - MINUTE * 5);
    let step = carry_out(&mut world, undo, None, |_, _| true).unwrap();
    assert_eq!(step, Step::Stop(Reason::TooLate(old)));
}

#[test]
fn a_leak_that_was_none() {
    let mut world = World::with_a_key(1);
    carry_out(&mut world, |seen: &Seen, _: &Goal| revoke(seen), None, |_, _| true).unwrap();
    carry_out(&mut world, undo, None, |_, _| true).unwrap();
    assert!(world.keys[0].active && world.tags.is_empty());
}
