//! Last uses are read only where they matter: a decision without them is the same as with them.

use proptest::{collection::vec, prelude::*, sample::select};
use seskey::rotation::{Key, Seen, next};

use crate::{
    cuts::terms,
    run::Run,
    starts::{AGES, Found, USES, notes, world},
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn only_those_that_are_asked_for_count(
        found in vec((any::<bool>(), select(&AGES[..]), select(&USES[..])), 0..=2),
        notes in select(notes()),
        stores in vec(0..=2_usize, 1..=2),
        at_hand in vec(any::<bool>(), 2),
        options in any::<[bool; 3]>(),
    ) {
        let found: Vec<Found> = found;
        let mut seen = Run::default().observe(&mut world(&found, &notes, &stores));
        let made = seen.keys.iter().zip(&at_hand).filter(|(_, made)| **made);
        seen.at_hand = made.map(|(key, _)| key.id.clone()).collect();
        let mut goal = terms().goal();
        [goal.wait_unused, goal.force, goal.make_room] = options;

        let unseen = without_uses(&seen, |_| false);
        let first = next(&unseen, &goal);
        let asked = unseen.uses_behind(&first);
        let asked = without_uses(&seen, |key| asked.contains(&&key.id));
        prop_assert_eq!(next(&asked, &goal), next(&seen, &goal), "at first {:?}, {:?}", first, seen);
    }
}

fn without_uses(seen: &Seen, but_of: impl Fn(&Key) -> bool) -> Seen {
    let mut seen = seen.clone();
    for key in seen.keys.iter_mut().filter(|key| !but_of(key)) {
        key.last_used = None;
    }
    seen
}
