//! The steps of a run in which nothing fails and no other change is made.

use super::{Goal, Key, Seen, Step, next};
use crate::access_key::AccessKeyId;

/// The ID in a forecast for the key that is yet to be made. It has digits that IAM's own IDs do not have.
pub const NEW_KEY: &str = "AKIA0000000000NEWKEY";

/// Returns the steps of [`next`] from here on, with the last one: [`Step::Done`], [`Step::Stop`] or a wait for the next
/// run.
///
/// No time passes except in waits for a lease: later notes and waits will be later by the duration of the steps.
pub fn forecast(seen: &Seen, goal: &Goal) -> Vec<Step> {
    forecast_of(|seen| next(seen, goal), seen)
}

/// Returns the steps of another plan, such as [`revoke`](super::revoke) or [`undo`](super::undo).
pub fn forecast_of(plan: impl Fn(&Seen) -> Step, seen: &Seen) -> Vec<Step> {
    let mut seen = seen.clone();
    let mut steps = vec![];
    loop {
        let step = plan(&seen);
        carry_out(&step, &mut seen);
        steps.push(step);
        if steps.last().is_some_and(Step::ends_a_run) {
            return steps;
        }
    }
}

/// Applies the step to the observation; facts that were not observed stay as before.
fn carry_out(step: &Step, seen: &mut Seen) {
    match step {
        Step::WriteIntent(intent) | Step::RecordKey(intent) => {
            seen.notes.intent = Some(intent.clone());
        }
        Step::ClearIntent => seen.notes.intent = None,
        Step::CreateKey(intent) => {
            let id = AccessKeyId::parse(NEW_KEY).expect("it has the form of an ID");
            seen.notes.intent = Some(intent.clone().with_made(&id, seen.run));
            seen.at_hand.insert(id.clone());
            seen.keys.push(Key { id, active: true, created: seen.now, last_used: None });
        }
        Step::Prove(id) => {
            seen.proven.insert(id.clone());
        }
        Step::Deliver { store, key } | Step::PutBack { store, key } => {
            let store = &mut seen.stores[*store];
            store.holds = [key.clone()].into();
            store.is_empty = false;
            seen.hooked = None;
            seen.unconfirmed.insert(key.clone());
        }
        Step::RunHook(id) => seen.hooked = Some(id.clone()),
        Step::Confirm(id) => {
            seen.unconfirmed.remove(id);
        }
        Step::MarkHandOver(note) | Step::BeginGraceAgain(note) => {
            seen.notes.hand_over = Some(note.clone());
        }
        Step::Deactivate(id) => set_active(seen, id, false),
        Step::Activate(id) => set_active(seen, id, true),
        Step::MarkRetired(note) => seen.notes.retired = note.clone(),
        Step::Discard(id) | Step::Delete(id) => seen.keys.retain(|key| key.id != *id),
        Step::WaitUntil { until, .. } => seen.now = *until,
        Step::Stop(_) | Step::Done { .. } => {}
    }
}

fn set_active(seen: &mut Seen, id: &AccessKeyId, active: bool) {
    seen.keys.iter_mut().filter(|key| key.id == *id).for_each(|key| key.active = active);
}
