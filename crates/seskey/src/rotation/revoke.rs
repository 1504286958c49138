//! A leak, and second thoughts: every key off at once, and back on.

use super::{Goal, LAG, MARGIN, Reason, Seen, Step, Why, after, before, wait};

/// The next step of a revocation: first every active key is deactivated, what the stores hold before the others, and
/// nothing else is done until none is active. Only then is it noted since when, for [`undo`] and the quarantine. It is
/// over when [`LAG`] has gone by since, for a key that was made or activated just before may be shown only then.
///
/// What a rotation makes after the first look stays, and so does, where no key was noted anew, one that was made within
/// [`LAG`] before. A key that other hands than [`undo`] had activated, and nobody has used since, keeps its old note.
///
/// It relies on the same as [`next`](super::next), which afterwards makes a new key, if there is room for one.
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

/// The next step towards all keys being active again whose quarantine is not over, or has not begun.
///
/// The notes go first: the grace time begins anew, and were it killed in between, the quarantine would too.
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
