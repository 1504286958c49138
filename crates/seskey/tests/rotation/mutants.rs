//! Plans that are wrong on purpose, one for each thing that could be forgotten: the invariant that it breaks is named.

use seskey::rotation::{Goal, HandOver, Key, LEASE, Seen, Step, Why, next, revoke};

use crate::{
    cuts::one_cut,
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

/// The invariant, what is wrong, the plan, and where it shows.
const MUTANTS: &[(u8, &str, Plan, Trial)] = &[
    (1, "hands over when the first store holds the key", one_store_is_enough, one_cut),
    (1, "discards a key that another run has just made", without_a_lease, overtaking),
    (1, "keeps the older one of two keys", retires_the_newer, one_cut),
    (2, "delivers before it has proven", without_proof, one_cut),
    (3, "deactivates at once", without_grace, one_cut),
    (3, "counts the grace time from the creation", grace_from_creation, one_cut),
    (3, "leaves the note when a store is added", keeps_the_hand_over, a_store_is_added),
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
    (7, "makes a key without an intent", without_an_intent, one_cut),
    (7, "leaves a key whose secret was lost", never_discards, one_cut),
    (7, "makes a key where there are two", makes_a_third, one_cut),
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

/// The plan, for what is not so.
fn pretending(seen: &Seen, goal: &Goal, pretend: impl Fn(&mut Seen)) -> Step {
    let mut seen = seen.clone();
    pretend(&mut seen);
    next(&seen, goal)
}

fn one_store_is_enough(seen: &Seen, goal: &Goal) -> Step {
    pretending(seen, goal, |seen| {
        seen.stores.truncate(1);
        // or it would stop, for who reads the other store still uses the old key
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
        // or it would stop, for the old key is used after that time
        seen.keys.iter_mut().for_each(|key| key.last_used = None);
    })
}

fn keeps_the_hand_over(seen: &Seen, goal: &Goal) -> Step {
    match blind_to_use(seen, goal) {
        Step::ClearHandOver => {
            let key = seen.notes.hand_over.as_ref().unwrap().key.clone();
            match seen.stores.iter().position(|store| !store.holds_only(&key)) {
                Some(_) if !seen.proven.contains(&key) => Step::Prove(key),
                Some(store) => Step::Deliver { store, key },
                None => Step::ClearHandOver,
            }
        }
        step => step,
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
    goal.renew_before = Some(seen.now);
    next(seen, &goal)
}

fn without_an_intent(seen: &Seen, goal: &Goal) -> Step {
    match next(seen, goal) {
        Step::WriteIntent(_) => Step::CreateKey,
        Step::WaitUntil { until, why, key } => {
            // it delivers what it has at hand, as it would with an intent
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
        Step::WaitUntil { why: Why::Grace | Why::Quarantine, .. } => Step::CreateKey,
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

fn makes_room_anywhere(seen: &Seen, goal: &Goal) -> Step {
    match next(seen, goal) {
        Step::Delete(key) if goal.make_room => {
            let held = seen.keys.iter().find(|other| other.id != key);
            Step::Delete(held.map_or(key, |other| other.id.clone()))
        }
        step => step,
    }
}
