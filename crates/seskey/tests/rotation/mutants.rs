//! Plans that are wrong on purpose, one for each possible omission, with the invariant that each breaks.

use std::collections::BTreeSet;

use seskey::rotation::{Goal, HandOver, Intent, Key, LEASE, Reason, Seen, Step, Why, next, revoke};

use crate::{
    cuts::one_cut,
    evidence::{
        a_region_is_added, a_store_is_not_mounted, active_again, deactivated_by_a_person,
        emptied_within_the_grace_time, fewer_stores, one_key_for_two_regions, two_keys_of_a_person,
    },
    laws::Broken,
    leak::{everything_off, replaced},
    people::{
        a_client_is_slow, a_store_is_added, a_stranger_makes_a_key, reactivated,
        the_old_key_is_used,
    },
    races::a_leak_at_any_moment,
    run::Plan,
    together::overtaking,
};

type Trial = fn(Plan) -> Result<(), Broken>;

/// The broken invariant, the mistake, the plan, and the trial that shows it.
const MUTANTS: &[(u8, &str, Plan, Trial)] = &[
    (1, "hands over when the first store holds the key", one_store_is_enough, one_cut),
    (1, "discards a key that another run has just made", without_a_lease, overtaking),
    (1, "keeps the older one of two keys", retires_the_newer, one_cut),
    (2, "delivers before it has proven", without_proof, one_cut),
    (3, "deactivates at once", without_grace, one_cut),
    (3, "counts the grace time from the creation", grace_from_creation, one_cut),
    (3, "leaves the time in the note when a store is added", keeps_the_hand_over, a_store_is_added),
    (4, "deletes an active key", deletes_at_once, one_cut),
    (4, "deletes as soon as it is inactive", without_quarantine, one_cut),
    (4, "notes that a key is inactive before it is", notes_too_early, one_cut),
    (4, "leaves the note of a key that is active again", keeps_the_retirement, reactivated),
    (4, "does not see that a key was active again", blind_to_a_comeback, reactivated),
    (5, "retires a key that is used", blind_to_use, the_old_key_is_used),
    (5, "waits for the grace time alone", waits_no_longer, a_client_is_slow),
    (5, "discards a key that a stranger uses", blind_to_use, a_stranger_makes_a_key),
    (6, "leaves the old key", never_retires, one_cut),
    (6, "does not run the hook", without_the_hook, one_cut),
    (6, "rotates for ever", always_due, one_cut),
    (6, "makes a key without an intent", without_an_intent, one_cut),
    (7, "leaves a key whose secret was lost", never_discards, one_cut),
    (7, "makes a key where there are two", makes_a_third, one_cut),
    (5, "takes the older of two keys for the old one", takes_the_older, two_keys_of_a_person),
    (1, "forgets what it cannot see", forgets_what_is_missing, a_store_is_not_mounted),
    (1, "takes the stores that are named for all", forgets_the_unnamed, fewer_stores),
    (3, "takes what is empty for unread", empty_is_unread, emptied_within_the_grace_time),
    (6, "forgets what was kept", forgets_what_was_kept, one_key_for_two_regions),
    (1, "takes a password for one of any region", one_region_is_enough, a_region_is_added),
    (3, "deactivates what a person has activated", knows_better, active_again),
    (5, "replaces what a person has deactivated", heeds_nobody, deactivated_by_a_person),
    (4, "makes room with the key in the stores", makes_room_anywhere, replaced),
    (8, "notes a leak before it stops it", notes_a_leak_first, everything_off),
    (8, "takes what is shown of a leak for all", trusts_the_first_look, a_leak_at_any_moment),
];

#[test]
fn every_mutant_is_caught() {
    let caught =
        MUTANTS.iter().map(|(_, what, plan, trial)| (trial(*plan).err().map(|b| b.law), *what));
    let named = MUTANTS.iter().map(|(law, what, ..)| (Some(*law), *what));
    assert_eq!(caught.collect::<Vec<_>>(), named.collect::<Vec<_>>());
}

/// Returns the step of the plan for a false observation.
fn pretending(seen: &Seen, goal: &Goal, pretend: impl Fn(&mut Seen)) -> Step {
    let mut seen = seen.clone();
    pretend(&mut seen);
    next(&seen, goal)
}

fn one_store_is_enough(seen: &Seen, goal: &Goal) -> Step {
    pretending(seen, goal, |seen| {
        seen.stores.truncate(1);
        // or it would stop, since a reader of the other store still uses the old key
        seen.keys.iter_mut().for_each(|key| key.last_used = None);
    })
}

fn without_a_lease(seen: &Seen, goal: &Goal) -> Step {
    match next(seen, goal) {
        Step::WaitUntil { why: Why::Lease, key, .. } => Step::Discard(key),
        step => step,
    }
}

fn retires_the_newer(seen: &Seen, goal: &Goal) -> Step {
    match next(seen, goal) {
        Step::Deactivate(key) => {
            let other = seen.keys.iter().find(|other| other.id != key);
            Step::Deactivate(other.map_or(key, |other| other.id.clone()))
        }
        step => step,
    }
}

fn without_proof(seen: &Seen, goal: &Goal) -> Step {
    pretending(seen, goal, |seen| {
        seen.proven = seen.keys.iter().map(|key| key.id.clone()).collect();
    })
}

fn without_grace(seen: &Seen, goal: &Goal) -> Step {
    match next(seen, goal) {
        Step::WaitUntil { why: Why::Grace, key, .. } => Step::Deactivate(key),
        step => step,
    }
}

fn grace_from_creation(seen: &Seen, goal: &Goal) -> Step {
    pretending(seen, goal, |seen| {
        let created = |id| seen.keys.iter().find(|key: &&Key| key.id == id).map(|key| key.created);
        seen.notes.hand_over = seen
            .notes
            .hand_over
            .take()
            .map(|note| HandOver { at: created(note.key.clone()).unwrap_or(note.at), ..note });
        // or it would stop, since the old key is used after that time
        seen.keys.iter_mut().for_each(|key| key.last_used = None);
    })
}

fn keeps_the_hand_over(seen: &Seen, goal: &Goal) -> Step {
    match (blind_to_use(seen, goal), &seen.notes.hand_over) {
        (Step::MarkHandOver(note), Some(before)) if note.key == before.key => {
            Step::MarkHandOver(HandOver { at: before.at, ..note })
        }
        (step, _) => step,
    }
}

fn deletes_at_once(seen: &Seen, goal: &Goal) -> Step {
    match next(seen, goal) {
        Step::Deactivate(key) => Step::Delete(key),
        step => step,
    }
}

fn without_quarantine(seen: &Seen, goal: &Goal) -> Step {
    match next(seen, goal) {
        Step::WaitUntil { why: Why::Quarantine, key, .. } => Step::Delete(key),
        step => step,
    }
}

fn notes_too_early(seen: &Seen, goal: &Goal) -> Step {
    let noted = |id| seen.notes.retired.at(id).is_some();
    match next(seen, goal) {
        Step::Deactivate(id) if !noted(&id) => {
            let note = format!("{id} {}", seen.now);
            Step::MarkRetired(note.parse().unwrap())
        }
        Step::MarkRetired(note) => {
            match seen.keys.iter().find(|key| key.active && noted(&key.id)) {
                Some(key) => Step::Deactivate(key.id.clone()),
                None => Step::MarkRetired(note),
            }
        }
        step => step,
    }
}

fn keeps_the_retirement(seen: &Seen, goal: &Goal) -> Step {
    let active_again =
        seen.keys.iter().find(|key| key.active && seen.notes.retired.at(&key.id).is_some());
    match (next(seen, goal), active_again) {
        (Step::MarkRetired(_), Some(key)) => Step::Deactivate(key.id.clone()),
        (step, _) => step,
    }
}

fn blind_to_a_comeback(seen: &Seen, goal: &Goal) -> Step {
    pretending(seen, goal, |seen| {
        seen.keys.iter_mut().filter(|key| !key.active).for_each(|key| key.last_used = None);
    })
}

fn blind_to_use(seen: &Seen, goal: &Goal) -> Step {
    pretending(seen, goal, |seen| seen.keys.iter_mut().for_each(|key| key.last_used = None))
}

fn waits_no_longer(seen: &Seen, goal: &Goal) -> Step {
    match next(seen, goal) {
        Step::WaitUntil { why: Why::Unused, key, .. } => Step::Deactivate(key),
        step => step,
    }
}

fn never_retires(seen: &Seen, goal: &Goal) -> Step {
    match next(seen, goal) {
        Step::Deactivate(_) => Step::Done { due: None },
        step => step,
    }
}

fn without_the_hook(seen: &Seen, goal: &Goal) -> Step {
    pretending(seen, goal, |seen| seen.hooked = seen.stores[0].holds.first().cloned())
}

fn always_due(seen: &Seen, goal: &Goal) -> Step {
    let mut goal = goal.clone();
    goal.replace = seen.keys.iter().map(|key| key.id.clone()).collect();
    next(seen, &goal)
}

fn without_an_intent(seen: &Seen, goal: &Goal) -> Step {
    match next(seen, goal) {
        Step::WriteIntent(_) => Step::CreateKey(Intent::default()),
        Step::WaitUntil { until, why, key } => {
            // deliver the key at hand, as with an intent
            let at_hand = seen.keys.iter().find(|key| seen.at_hand.contains(&key.id));
            let at_hand = at_hand.filter(|key| seen.now < key.created + LEASE);
            let store = |id| seen.stores.iter().position(|store| !store.holds_only(id));
            match at_hand.map(|key| (&key.id, store(&key.id))) {
                Some((id, Some(_))) if !seen.proven.contains(id) => Step::Prove(id.clone()),
                Some((id, Some(store))) => Step::Deliver { store, key: id.clone() },
                _ => Step::WaitUntil { until, why, key },
            }
        }
        step => step,
    }
}

fn never_discards(seen: &Seen, goal: &Goal) -> Step {
    match next(seen, goal) {
        Step::Discard(_) => Step::ClearIntent,
        step => step,
    }
}

fn makes_a_third(seen: &Seen, goal: &Goal) -> Step {
    match next(seen, goal) {
        Step::WaitUntil { why: Why::Grace | Why::Quarantine, .. } => {
            Step::CreateKey(Intent::default())
        }
        step => step,
    }
}

fn notes_a_leak_first(seen: &Seen, _: &Goal) -> Step {
    match revoke(seen) {
        Step::Deactivate(id) if seen.notes.retired.at(&id).is_none() => {
            Step::MarkRetired(format!("{id} {}", seen.now).parse().unwrap())
        }
        step => step,
    }
}

fn trusts_the_first_look(seen: &Seen, _: &Goal) -> Step {
    match revoke(seen) {
        Step::WaitUntil { why: Why::Lag, .. } => Step::Done { due: None },
        step => step,
    }
}

fn takes_the_older(seen: &Seen, goal: &Goal) -> Step {
    match next(seen, goal) {
        Step::Stop(Reason::NoRoom(keys)) => Step::Deactivate(keys[0].clone()),
        step => step,
    }
}

/// Its note has only what it sees now.
fn forgets_what_is_missing(seen: &Seen, goal: &Goal) -> Step {
    pretending(seen, goal, |seen| {
        seen.stores.retain(|store| !store.is_empty);
        let here: BTreeSet<_> = seen.stores.iter().map(|store| store.id).collect();
        seen.notes.hand_over.iter_mut().for_each(|note| note.stores.retain(|id| here.contains(id)));
    })
}

fn forgets_the_unnamed(seen: &Seen, goal: &Goal) -> Step {
    pretending(seen, goal, |seen| {
        let here: BTreeSet<_> = seen.stores.iter().map(|store| store.id).collect();
        if let Some(note) = &mut seen.notes.hand_over {
            note.stores.retain(|id| here.contains(id));
            note.elsewhere.clear();
        }
    })
}

fn empty_is_unread(seen: &Seen, goal: &Goal) -> Step {
    match next(seen, goal) {
        Step::WaitUntil { key, why: Why::Grace, .. }
            if goal.force && seen.stores.iter().all(|store| store.is_empty) =>
        {
            Step::Deactivate(key)
        }
        step => step,
    }
}

fn forgets_what_was_kept(seen: &Seen, goal: &Goal) -> Step {
    pretending(seen, goal, |seen| seen.kept.clear())
}

fn one_region_is_enough(seen: &Seen, goal: &Goal) -> Step {
    pretending(seen, goal, |seen| {
        let one = seen.stores[0].region.clone();
        seen.stores.iter_mut().for_each(|store| store.region = one.clone());
    })
}

fn knows_better(seen: &Seen, goal: &Goal) -> Step {
    let again = seen.keys.iter().find(|key| seen.notes.retired.at(&key.id).is_some());
    match (next(seen, goal), again) {
        (Step::BeginGraceAgain(_), Some(key)) => Step::Deactivate(key.id.clone()),
        (step, _) => step,
    }
}

fn heeds_nobody(seen: &Seen, goal: &Goal) -> Step {
    let mut goal = goal.clone();
    goal.replace = seen.keys.iter().filter(|k| !k.active).map(|k| k.id.clone()).collect();
    next(seen, &goal)
}

fn makes_room_anywhere(seen: &Seen, goal: &Goal) -> Step {
    match next(seen, goal) {
        Step::Delete(key) if goal.make_room => {
            let held = seen.keys.iter().find(|other| other.id != key);
            Step::Delete(held.map_or(key, |other| other.id.clone()))
        }
        step => step,
    }
}
