//! Runs that are killed, or whose answer is an error, at every effect and at every pair of effects.

use jiff::SignedDuration;
use seskey::rotation::next;

use crate::{
    laws::{Broken, Terms},
    run::{Cut, End, Plan, converge},
    world::{DAY, SECOND, World},
};

/// More effects than a rotation has, with those that two cuts add.
pub(crate) const EFFECTS: usize = 24;

pub(crate) fn terms() -> Terms {
    Terms {
        max_age: DAY * 90,
        grace: DAY * 7,
        quarantine: DAY * 14,
        force: false,
        wait_unused: false,
        make_room: false,
    }
}

/// Returns every way in which the effect with this number fails.
pub(crate) fn every_cut(at: usize) -> impl Iterator<Item = Cut> {
    const PAUSES: [Option<SignedDuration>; 4] = [
        None,
        Some(SECOND),
        Some(SignedDuration::from_mins(20)),
        Some(SignedDuration::from_hours(24 * 30)),
    ];
    [false, true]
        .into_iter()
        .flat_map(move |done| PAUSES.into_iter().map(move |next_run| Cut { at, done, next_run }))
}

/// Returns typical users, each with a rotation that is due.
pub(crate) fn users() -> Vec<World> {
    let never_rotated = World::with_a_key(100);
    let new = World::new(2);
    let mut half_moved = World::with_a_key(100);
    let newer = half_moved.add_key(DAY * 95);
    half_moved.stores[1] = Some(newer);
    let mut after_a_revocation = World::with_a_key(100);
    after_a_revocation.keys[0].active = false;
    after_a_revocation.keys[0].inactive_since = Some(after_a_revocation.now);
    let mut not_delivered = World::new(1);
    not_delivered.add_key(DAY * 100);
    vec![never_rotated, new, half_moved, after_a_revocation, not_delivered]
}

pub(crate) fn one_cut(plan: Plan) -> Result<(), Broken> {
    for user in users() {
        for cut in (0..EFFECTS).flat_map(every_cut) {
            match converge(&mut user.clone(), plan, &terms(), &[cut])? {
                End::Done => {}
                end => return Err(Broken { law: 6, how: format!("{end:?}") }),
            }
        }
    }
    Ok(())
}

#[test]
fn nothing_goes_wrong() {
    for mut user in users() {
        assert_eq!(converge(&mut user, next, &terms(), &[]).unwrap(), End::Done);
    }
}

#[test]
fn every_effect_goes_wrong() {
    one_cut(next).unwrap();
}

#[test]
fn every_pair_of_effects_goes_wrong() {
    let seldom = |cut: &Cut| cut.next_run != Some(SignedDuration::from_mins(20));
    for user in users() {
        for first in (0..EFFECTS).flat_map(every_cut).filter(seldom) {
            for second in (first.at + 1..EFFECTS).flat_map(every_cut).filter(seldom) {
                let cuts = [first.clone(), second];
                let end = converge(&mut user.clone(), next, &terms(), &cuts).unwrap();
                assert_eq!(end, End::Done);
            }
        }
    }
}

#[test]
fn ten_rotations_in_a_row() {
    for cut in (0..EFFECTS).flat_map(every_cut) {
        let mut user = World::with_a_key(100);
        for _ in 0..10 {
            let end = converge(&mut user, next, &terms(), std::slice::from_ref(&cut)).unwrap();
            assert_eq!(end, End::Done);
            user.pass(DAY * 91);
        }
        assert!(user.keys_ever > 10);
    }
}
