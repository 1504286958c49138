//! A rotation may begin anywhere: with any keys, notes and stores, made by anybody.

use jiff::SignedDuration;
use proptest::prelude::*;
use seskey::rotation::{HAND_OVER_TAG, INTENT_TAG, LEASE, RETIRED_TAG, Reason, StoreId, next};

use crate::{
    cuts::{EFFECTS, every_cut, terms},
    laws::Terms,
    run::{Cut, End, converge},
    world::{DAY, MINUTE, World, id, start},
};

/// A key at the start: whether it is active, its age, and the time since its last use.
pub(crate) type Found = (bool, SignedDuration, Option<SignedDuration>);

pub(crate) const AGES: [SignedDuration; 3] = [
    SignedDuration::from_mins(2),
    SignedDuration::from_hours(24 * 20),
    SignedDuration::from_hours(24 * 100),
];

pub(crate) const USES: [Option<SignedDuration>; 3] =
    [None, Some(SignedDuration::from_mins(1)), Some(SignedDuration::from_hours(24 * 10))];

/// Returns the tags that a user may have: they are or were true, or are about a key that is gone (the third one).
pub(crate) fn notes() -> Vec<Vec<(&'static str, String)>> {
    let [one, two, gone] = [1, 2, 99].map(id);
    let earlier = start() - DAY * 30;
    let [first, second] = [0, 1].map(|i| StoreId::of(&format!("{i} us-east-1")));
    let mut notes = vec![vec![]];
    for stores in
        [String::new(), format!(" in {first} {second}"), format!(" in {first} not {second}")]
    {
        let note = |key| format!("{key} {earlier}{stores}");
        notes.extend([&one, &two, &gone].map(|key| vec![(HAND_OVER_TAG, note(key))]));
    }
    notes.extend([&one, &two, &gone].map(|key| vec![(INTENT_TAG, format!("before {key}"))]));
    notes.push(vec![(INTENT_TAG, "before".to_owned())]);
    notes.push(vec![(INTENT_TAG, format!("before {one} {two}"))]);
    notes.push(vec![(INTENT_TAG, format!("before {one} made {two}"))]);
    notes.push(vec![(RETIRED_TAG, format!("{one} {earlier} {gone} {earlier}"))]);
    notes.push(vec![
        (HAND_OVER_TAG, format!("{two} {earlier} in {first} {second}")),
        (INTENT_TAG, format!("before {one} made {two}")),
        (RETIRED_TAG, format!("{one} {earlier}")),
    ]);
    notes
}

pub(crate) fn world(found: &[Found], notes: &[(&'static str, String)], stores: &[usize]) -> World {
    let mut world = World::new(stores.len());
    for &(active, age, used) in found {
        let key = world.add_key(age);
        let now = world.now;
        let key = world.key_mut(&key).unwrap();
        key.active = active;
        let recorded = used.filter(|&ago| ago < age).map(|ago| now - ago);
        key.recorded = recorded.into_iter().collect();
        // within the lease, a key that a run has recorded as its own was used for its proofs alone
        let made = notes.iter().any(|(_, note)| note.ends_with(&format!("made {}", key.id)));
        key.used = recorded.filter(|&at| !made || at >= key.created + LEASE);
        // long enough ago for any note
        key.inactive_since = (!active).then(|| now - DAY * 100);
    }
    world.keys_ever = 2;
    world.tags.extend(notes.iter().cloned());
    world.stores = stores.iter().map(|&key| (key > 0).then(|| id(key))).collect();
    world
}

/// Checks that a rotation ends with one key, or stops because somebody uses another and ends with one key when forced.
fn check(mut world: World, terms: &Terms, cuts: &[Cut]) {
    let before = format!("{world:?}");
    match converge(&mut world, next, terms, cuts).unwrap() {
        End::Done => {}
        End::Stopped(reason) => {
            let is_used = world.keys.iter().any(|key| key.used.is_some());
            let by_use = matches!(reason, Reason::StillUsed { .. } | Reason::StrangersKey { .. });
            assert!(!terms.force && (is_used || !by_use), "{reason:?} from {before}");
            let go_on = Terms { force: true, ..terms.clone() };
            assert_eq!(converge(&mut world, next, &go_on, cuts).unwrap(), End::Done, "{before}");
        }
        end => panic!("{end:?} from {before}"),
    }
}

#[test]
fn every_start() {
    let keys: Vec<Found> = [true, false]
        .into_iter()
        .flat_map(|active| AGES.into_iter().map(move |age| (active, age)))
        .flat_map(|(active, age)| USES.into_iter().map(move |used| (active, age, used)))
        .collect();
    let mut users: Vec<Vec<Found>> = vec![vec![]];
    users.extend(keys.iter().map(|&one| vec![one]));
    users.extend(keys.iter().flat_map(|&one| keys.iter().map(move |&two| vec![one, two])));
    for notes in notes() {
        for found in &users {
            for stores in [[0, 0], [1, 1], [2, 2], [1, 2], [2, 0], [99, 1]] {
                check(world(found, &notes, &stores), &terms(), &[]);
            }
        }
    }
}

pub(crate) fn any_world() -> impl Strategy<Value = World> {
    let found = prop::collection::vec(a_key(), 0..3);
    let stores = prop::collection::vec(prop::sample::select(vec![0, 1, 2, 99]), 1..4);
    (found, prop::sample::select(notes()), stores)
        .prop_map(|(found, notes, stores)| world(&found, &notes, &stores))
}

fn a_key() -> impl Strategy<Value = Found> {
    let minutes = |n: i64| (1..n).prop_map(SignedDuration::from_mins);
    let age = prop_oneof![minutes(30), minutes(60 * 24 * 200)];
    let used = prop_oneof![minutes(30), minutes(60 * 24 * 50)];
    (any::<bool>(), age, prop::option::of(used))
}

fn a_cut() -> impl Strategy<Value = Cut> {
    (0..EFFECTS, 0..8_usize).prop_map(|(at, which)| every_cut(at).nth(which).unwrap())
}

pub(crate) fn any_terms() -> impl Strategy<Value = Terms> {
    let time = || prop_oneof![Just(0), 0..60, 0..60 * 24 * 30];
    (time(), time(), 60 * 24..60 * 24 * 120).prop_map(|(grace, quarantine, more)| Terms {
        max_age: MINUTE * (grace + quarantine + more),
        grace: MINUTE * grace,
        quarantine: MINUTE * quarantine,
        force: false,
        wait_unused: false,
        make_room: false,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_start_any_terms_any_cuts(
        user in any_world(),
        terms in any_terms(),
        cuts in prop::collection::vec(a_cut(), 0..4),
    ) {
        check(user, &terms, &cuts);
    }
}
