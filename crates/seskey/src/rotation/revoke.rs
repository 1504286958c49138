//! The deactivation of every key at once after a leak, and its reversal.

use super::{Goal, LAG, MARGIN, Reason, Seen, Step, Why, after, before, wait};

/// Returns the next step of a revocation. First every active key is deactivated, those in stores before the others, and
/// nothing else is done until none is active. Only then is the time noted, for [`undo`] and the quarantine. It is over
/// when [`LAG`] has passed since, because a key that was made or activated just before may be shown only then.
///
/// A key that a rotation makes after the first observation stays. If no key was noted anew, so does a key that was made
/// within [`LAG`] before. A key that was activated by other means than [`undo`], and not used since, keeps its old
/// note.
///
/// It requires the same as [`next`](super::next), which makes a new key afterwards, if there is room for one.
pub fn revoke(seen: &Seen) -> Step {
    let active = seen.keys.iter().filter(|key| key.active).max_by_key(|key| seen.held(key));
    let unnoted = seen.keys.iter().filter(|key| !seen.notes.retired.contains(&key.id));
    let shown = |at| after(at, LAG);
    let noted = seen.keys.iter().filter_map(|key| Some((key, seen.notes.retired.at(&key.id)?)));
    let new_note = noted.filter(|(_, at)| (*at..shown(*at)).contains(&seen.now));
    match (active, unnoted.min_by_key(|key| key.age())) {
        (Some(key), _) => Step::Deactivate(key.id.clone()),
        (None, Some(key)) => Step::MarkRetired(seen.notes.retired.with(seen, key)),
        (None, None) => match new_note.max_by_key(|(key, at)| (*at, key.age())) {
            Some((key, at)) => wait(key, shown(at), Why::Lag),
            None => Step::Done { due: None },
        },
    }
}

/// Returns the next step towards activating every key again whose quarantine is not over, or has not begun.
///
/// The notes are changed first: the grace time begins anew, and after a kill in between the quarantine does too.
pub fn undo(seen: &Seen, goal: &Goal) -> Step {
    let retired = &seen.notes.retired;
    // a run that saw the quarantine end may be about to delete the key
    let ends = |at| before(after(at, goal.quarantine), MARGIN);
    let (late, early): (Vec<_>, Vec<_>) = seen
        .keys
        .iter()
        .filter(|key| !key.active)
        .partition(|key| retired.at(&key.id).is_some_and(|at| seen.now >= ends(at)));
    match (early.first(), late.first()) {
        (Some(_), _) if let Some(note) = seen.old_note() => {
            Step::BeginGraceAgain(note.again(seen.now))
        }
        (Some(key), _) if retired.contains(&key.id) => Step::MarkRetired(retired.without(&key.id)),
        (Some(key), _) => Step::Activate(key.id.clone()),
        (None, Some(key)) => Step::Stop(Reason::TooLate(key.id.clone())),
        (None, None) => Step::Done { due: None },
    }
}
