//! The rotation of an SMTP credential as one pure function: what is seen and what is wanted in, one step out.
//!
//! [`next`] is asked after every step, with everything observed afresh. It remembers nothing: IAM and the stores are
//! the record, so a run that was killed anywhere is finished by running it again. What neither of them shows is
//! written as [`Notes`], three tags of the IAM user.
//!
//! ```
//! use seskey::{AccessKeyId, rotation::{Goal, Key, Notes, Seen, Step, Store, next}};
//!
//! let id = AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE")?;
//! let goal = Goal::days(90, 7, 7)?;
//! let mut seen = Seen {
//!     keys: vec![Key { id: id.clone(), active: true, created: "2026-03-01T00:00:00Z".parse()?, last_used: None }],
//!     stores: vec![Store { holds: [id.clone()].into() }],
//!     ..Seen::at("2026-08-20T20:08:20Z".parse()?)
//! };
//! // It was never rotated: what is there is proven first, and noted.
//! assert_eq!(next(&seen, &goal), Step::Prove(id.clone()));
//! seen.notes = Notes::from_tags([("seskey:hand-over", "AKIAIOSFODNN7EXAMPLE 2026-03-01T00:00:09Z")])?;
//! // It is older than 90 days: before a key is made, the keys that there are go on record.
//! let Step::WriteIntent(intent) = next(&seen, &goal) else { panic!() };
//! assert_eq!(intent.to_string(), "before AKIAIOSFODNN7EXAMPLE");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What the plan relies on
//! Whoever carries out the steps
//! * observes everything anew after each step, and lets time pass until ListAccessKeys and ListUserTags show what it
//!   has just made or written: IAM is eventually consistent. After a proof, a delivery or the hook, which change nothing
//!   there, the next delivery, hook or hand-over may build on what IAM showed before;
//! * knows the last uses of the keys that [`Seen::uses_behind`] names of the step that is decided without them, and asks
//!   once more;
//! * begins a step at once and gives it up before [`MARGIN`] less [`LAG`] has gone by since it began to observe. IAM has
//!   no conditional write: what another run does in between must stay within what [`LEASE`] covers;
//! * takes `now` from IAM's own clock (the `Date` of its answers), in whole seconds, as IAM gives its times;
//! * counts a key as proven after [`PROOFS`] logins in a row, each on a new connection, with the password that it will
//!   deliver or that a store holds; a new key may work, fail and work again for some seconds;
//! * writes user name and password into a store in one atomic write, and says that a store holds a key only if it has
//!   both;
//! * forgets that the hook has run whenever it delivers;
//! * never sends CreateAccessKey twice: a lost answer is a lost secret, and the key is discarded in time;
//! * takes a key to be deactivated or deleted that is gone, and a note to be removed that is not there, as done;
//! * waits itself for what is a matter of minutes, and leaves the rest to the next run: see [`Step::ends_a_run`].
//!
//! # Where two runs at once could hurt
//! A key that only its maker can deliver is his until [`LEASE`] after its creation, less [`MARGIN`] for a step under
//! way; only later does another run discard it. An old key stays active for the grace time, and never for less than
//! the lease: nothing that was decided before the hand-over is still on its way when it is deactivated.
//!
//! Two runs that both begin with no key may make two: the newer one is handed over, the other retired like an old key.
//! If one of them is killed in between, the last of it may be a [`Reason`] for a person to look, but never an outage.
//!
//! # The one key that goes without its quarantine
//! After a leak both keys may be off, with no room for a new one until a quarantine is over. Whoever cannot wait says so:
//! with [`Goal::make_room`] the key that is missed least is deleted at once. That is the inactive one that no store
//! holds, or else the one that has been inactive for longer.
//!
//! # What is shown late
//! What another run has done, or one that was killed, may be shown up to [`LAG`] later, each key and each tag by itself.
//! It is as if the step were decided that much earlier, and part of [`MARGIN`]. A key that is not listed yet leads to no
//! third one, for IAM refuses it; that run fails, and the next one sees the key. A note that is not shown yet is written
//! anew, and its time begins later, never earlier. [`revoke`] looks once more when all is shown.
//!
//! When a use is shown AWS does not say. One that comes after a pause as long as the grace time, and is not shown when
//! the key is deactivated, is missed: the grace time should be longer than the pauses of every user of the key by hours.
//!
//! A rotation under way writes again what [`undo`] removes, and may deactivate the old key once more within [`MARGIN`]
//! after it is done. Nothing is deleted too early, but the rotation should end first.
//!
//! # Why a use may be missed by 15 minutes, and why that is enough
//! GetAccessKeyLastUsed is coarse: of several uses within [`USE_SPAN`] only the first is recorded. A key last used not
//! later than the hand-over as recorded may have been used up to 15 minutes after it. But whoever uses it later than that
//! is recorded later than the hand-over, and the grace time is no shorter: a key whose record ends by the hand-over
//! was idle ever since the first 15 minutes of its grace time. Whoever waits for an idle key waits for the span too.
//!
//! # More notes than one would think
//! A hand-over is noted even of the only key, so that a run that was killed before its hook runs it again. The note is
//! removed as soon as a store holds another key, such as one that was added: its readers get the whole grace time. And
//! a key is not deactivated while a note says that it is: its quarantine would count from the earlier time.

mod forecast;
mod goal;
mod notes;
mod revoke;
mod room;
mod seen;
mod step;

pub use forecast::{NEW_KEY, forecast, forecast_of};
pub use goal::{Goal, GoalError};
pub use notes::{
    HAND_OVER_TAG, HandOver, INTENT_TAG, Intent, NoteError, Notes, RETIRED_TAG, Retired,
};
pub use revoke::{revoke, undo};
pub use room::{TAGS_PER_USER, tags_too_many};
pub use seen::{Key, Seen, Store};
pub use step::{Reason, Stage, Step, Why};

use jiff::{SignedDuration, Timestamp};

/// For how long after its creation a key that is in no store is left to the run that may have made it.
pub const LEASE: SignedDuration = SignedDuration::from_mins(15);

/// By how much what IAM shows may be late. AWS gives no time: 15 seconds have been observed.
pub const LAG: SignedDuration = SignedDuration::from_secs(15);

/// How late what is seen may be ([`LAG`]), how long a step may take, and by how much two clocks may differ, all together.
pub const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// Of the uses of a key within this time IAM records the first. Source: IAM User Guide, "Generate credential reports".
pub const USE_SPAN: SignedDuration = SignedDuration::from_mins(15);

/// How many logins in a row, each on a new connection, prove a credential.
pub const PROOFS: usize = 3;

/// The keys that an IAM user may have. Source: IAM User Guide, "IAM and AWS STS quotas"; not adjustable.
pub const KEY_LIMIT: usize = 2;

/// The next step towards one active key that every store holds, is proven, and is not too old.
pub fn next(seen: &Seen, goal: &Goal) -> Step {
    let step = RULES
        .iter()
        .find_map(|rule| rule(seen, goal))
        .unwrap_or_else(|| Step::Done { due: seen.current().map(|key| goal.due(key)) });
    match step.stage() {
        Some(stage) if stage > goal.until => Step::Stop(Reason::Limit(Box::new(step))),
        _ => step,
    }
}

type Rule = fn(&Seen, &Goal) -> Option<Step>;

/// The first rule that has something to do decides; each relies on those above it having nothing.
const RULES: [Rule; 5] = [know_a_store, finish_the_intent, hand_over_current, retire_other, renew];

fn know_a_store(seen: &Seen, _: &Goal) -> Option<Step> {
    seen.stores.is_empty().then_some(Step::Stop(Reason::NoStore))
}

/// A key was to be made, or has been: it is handed over, or discarded if its secret was lost.
fn finish_the_intent(seen: &Seen, goal: &Goal) -> Option<Step> {
    let intent = seen.notes.intent.as_ref()?;
    let new: Vec<&Key> = seen.keys.iter().filter(|key| !intent.before.contains(&key.id)).collect();
    let handed_over = seen.notes.hand_over.as_ref().map(|note| &note.key);
    let target =
        new.iter().filter(|key| key.active && seen.deliverable(key)).max_by_key(|key| key.age());
    let orphan = new.iter().min_by_key(|key| key.age());
    Some(match (target, orphan) {
        _ if new.iter().any(|key| Some(&key.id) == handed_over) => Step::ClearIntent,
        (Some(key), _) if seen.at_hand.contains(&key.id) && !intent.made.contains(&key.id) => {
            Step::RecordKey(intent.with_made(&key.id))
        }
        (Some(key), _) => hand_over(seen, key),
        (None, Some(orphan)) => discard(seen, goal, intent, orphan),
        (None, None) if seen.keys.len() < KEY_LIMIT => Step::CreateKey,
        (None, None) => Step::ClearIntent,
    })
}

/// Every store is to hold the current key, and the note is to say since when, truly.
fn hand_over_current(seen: &Seen, _: &Goal) -> Option<Step> {
    let current = seen.current();
    let true_note = |note: &&HandOver| {
        current.is_some_and(|key| note.key == key.id && seen.held_everywhere(key))
    };
    let note = seen.notes.hand_over.as_ref();
    match (note.filter(true_note), current) {
        // another run was the first to note it, perhaps with its hook before our delivery
        (Some(HandOver { key, .. }), _)
            if seen.proven.contains(key) && seen.hooked.as_ref() != Some(key) =>
        {
            Some(Step::RunHook(key.clone()))
        }
        (Some(_), _) => None,
        (None, _) if note.is_some() => Some(Step::ClearHandOver),
        (None, Some(key)) if seen.held(key) => Some(hand_over(seen, key)),
        // no store has the password of an active key: there will be a new one
        (None, _) => None,
    }
}

/// Beside the key that is handed over there is to be none; without one, there must be room for it.
fn retire_other(seen: &Seen, goal: &Goal) -> Option<Step> {
    if seen.notes.hand_over.is_none() && seen.keys.len() < KEY_LIMIT {
        return None;
    }
    let current = seen.current().map(|key| &key.id);
    let noted = |key: &Key| seen.notes.retired.contains(&key.id);
    let others = seen.keys.iter().filter(|key| Some(&key.id) != current);
    if goal.make_room && seen.notes.hand_over.is_none() {
        let since = |key: &Key| seen.notes.retired.at(&key.id).unwrap_or(Timestamp::MAX);
        let inactive = others.clone().filter(|key| !key.active);
        if let Some(key) = inactive.min_by_key(|key| (seen.held(key), since(key), key.age())) {
            return Some(Step::Delete(key.id.clone()));
        }
    }
    let other = others.min_by_key(|key| (!noted(key), key.age()))?;
    Some(if other.active { deactivate(seen, goal, other) } else { delete(seen, goal, other) })
}

/// A new key is due if none is handed over, or if it is too old.
fn renew(seen: &Seen, goal: &Goal) -> Option<Step> {
    let handed_over = seen.current().filter(|_| seen.notes.hand_over.is_some());
    let due = handed_over.is_none_or(|key| seen.now >= goal.due(key));
    due.then(|| Step::WriteIntent(Intent::of(&seen.keys)))
}

fn hand_over(seen: &Seen, key: &Key) -> Step {
    let id = key.id.clone();
    match seen.stores.iter().position(|store| !store.holds_only(&id)) {
        _ if !seen.proven.contains(&id) => Step::Prove(id),
        Some(store) => Step::Deliver { store, key: id },
        None if seen.hooked.as_ref() != Some(&id) => Step::RunHook(id),
        None => Step::MarkHandOver(HandOver { key: id, at: seen.now }),
    }
}

/// A key that came after the intent, and whose password is lost or too late to deliver.
fn discard(seen: &Seen, goal: &Goal, intent: &Intent, key: &Key) -> Step {
    let lease_ends = after(key.created, LEASE);
    // its maker logs in with it too, but records it first, and only during the lease
    let strangers = |used: &Timestamp| !intent.made.contains(&key.id) || *used >= lease_ends;
    match key.last_used.filter(strangers) {
        // somebody else deactivated it: it is for them to say when it may go
        _ if seen.held(key) => Step::ClearIntent,
        Some(used) if !goal.even_if_used => {
            Step::Stop(Reason::StrangersKey { key: key.id.clone(), used })
        }
        _ if seen.now < lease_ends => wait(key, lease_ends, Why::Lease),
        _ => Step::Discard(key.id.clone()),
    }
}

/// An active key that is not the current one: after a hand-over, or to make room.
fn deactivate(seen: &Seen, goal: &Goal, key: &Key) -> Step {
    let handed_over = seen.notes.hand_over.as_ref().map(|note| note.at);
    // a stranger may have made it since, to use it soon
    let grace_ends = after(handed_over.map_or(key.created, |at| at.max(key.created)), goal.grace());
    let idle_since = handed_over.unwrap_or_else(|| before(seen.now, goal.grace()));
    let idle_at = |used| after(used, goal.grace().saturating_add(USE_SPAN));
    match key.last_used.filter(|used| *used > idle_since && !goal.even_if_used) {
        _ if seen.now < grace_ends => wait(key, grace_ends, Why::Grace),
        Some(used) if !goal.wait_unused => {
            Step::Stop(Reason::StillUsed { key: key.id.clone(), used, handed_over })
        }
        Some(used) if seen.now < idle_at(used) => wait(key, idle_at(used), Why::Unused),
        _ if seen.notes.retired.contains(&key.id) => {
            Step::MarkRetired(seen.notes.retired.without(&key.id))
        }
        _ => Step::Deactivate(key.id.clone()),
    }
}

/// A key that is not active. A use after the note says that it was active again: its quarantine begins anew.
fn delete(seen: &Seen, goal: &Goal, key: &Key) -> Step {
    let retired = &seen.notes.retired;
    let noted = retired.at(&key.id).filter(|at| key.last_used.is_none_or(|used| used <= *at));
    match noted.map(|at| after(at, goal.quarantine)) {
        None => Step::MarkRetired(retired.with(seen, key)),
        Some(ends) if seen.now < ends => wait(key, ends, Why::Quarantine),
        Some(_) => Step::Delete(key.id.clone()),
    }
}

fn wait(key: &Key, until: Timestamp, why: Why) -> Step {
    Step::WaitUntil { until, why, key: key.id.clone() }
}

// Times come from tags that anybody may have written: no sum overflows.
fn after(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.checked_add(duration).unwrap_or(Timestamp::MAX)
}

fn before(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.checked_sub(duration).unwrap_or(Timestamp::MIN)
}
