//! The rotation of an SMTP credential as one pure function, from what is observed and a goal to one step.
//!
//! [`next`] is called after every step, with everything observed anew. It keeps no state: IAM and the stores are the
//! record, so a run that was killed anywhere is finished by another run. Facts that neither of them shows are written
//! as [`Notes`], three tags of the IAM user.
//!
//! ```
//! use seskey::{AccessKeyId, Region, rotation::{Goal, Key, Notes, RunId, Seen, Step, Store, StoreId, next}};
//!
//! let id = AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE")?;
//! let goal = Goal::days(90, 7, 7)?;
//! let store = Store::new(StoreId::of("file:/etc/mail/smtp.json us-east-1"), Region::parse("us-east-1")?);
//! let mut seen = Seen {
//!     keys: vec![Key { id: id.clone(), active: true, created: "2026-03-01T00:00:00Z".parse()?, last_used: None }],
//!     stores: vec![store.holding(id.clone())],
//!     ..Seen::at("2026-08-20T20:08:20Z".parse()?, RunId::of("mail1", "4711"))
//! };
//! // It was never rotated: what is there is proven first, and noted.
//! assert_eq!(next(&seen, &goal), Step::Prove(id.clone()));
//! let note = format!("{id} 2026-03-01T00:00:09Z in {}", seen.stores[0].id);
//! seen.notes = Notes::from_tags([("seskey:hand-over", note.as_str())])?;
//! // It is older than 90 days: before a key is made, the keys that there are go on record.
//! let Step::WriteIntent(intent) = next(&seen, &goal) else { panic!() };
//! assert_eq!(intent.to_string(), format!("before AKIAIOSFODNN7EXAMPLE for {}", seen.stores[0].id));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The conditions for retiring a key
//! The note of a hand-over names the key that was handed over, the time, and the stores that were seen to hold it. A
//! key is deactivated only while that note is true of every store that it names, in a run that names all of them. A
//! store that is empty, or not named, retires no key: the run stops and says so. A key in neither the note nor an
//! intent is a stranger's; it is adopted when a store holds it and it is proven, and the other key has the whole grace
//! time from that hand-over on. Before another key is delivered to a store in the note, the note is changed to say that
//! the store no longer holds the first: a run that is killed in between leaves no grace time that is too short.
//!
//! # The requirements on the caller
//! The caller carries out the steps. It
//! * observes everything anew after each step, and waits until ListAccessKeys and ListUserTags show what it has just
//!   made or written: IAM is eventually consistent. After a proof and a delivery, which change nothing in IAM, the next
//!   delivery or hand-over may use the earlier observation of IAM; after the hook, no step may;
//! * looks up the last uses of the keys that [`Seen::uses_behind`] names for a step that was decided without them, and
//!   whether the user may send if [`Seen::sending_is_behind`] says so, and then calls [`next`] again;
//! * begins a step at once, and gives it up before [`MARGIN`] minus [`LAG`] has passed since it began to observe. IAM
//!   has no conditional write: changes by another run in between must stay within what [`LEASE`] covers;
//! * takes `now` from IAM's own clock (the `Date` of its answers), in whole seconds, as IAM gives its times;
//! * counts a key as proven after [`PROOFS`] logins in a row in each region, each on a new connection, with the
//!   password that it will deliver or that a store holds; while the key is younger than [`YOUNG`], the first of them
//!   is [`FLAPPING`] before the last one;
//! * writes user name and password into a store in one atomic write, and says that a store holds a key only if it has
//!   both;
//! * forgets that the hook has run, and that a key is confirmed, whenever it delivers;
//! * never sends CreateAccessKey twice: a lost answer is a lost secret, and the key is discarded in time;
//! * counts a key that is gone as deactivated or deleted, and a note that does not exist as removed;
//! * waits itself for a matter of seconds, and leaves longer waits to the next run: see [`Step::ends_a_run`].
//!
//! # Two runs at the same time
//! A key that only its maker can deliver belongs to that run until [`LEASE`] after its creation, minus [`MARGIN`] for a
//! step under way. Only later does another run discard it, unless the run that is recorded as its maker is certainly
//! over. The maker records its name at once, in the same step: only if it is killed in between, or if IAM does not
//! answer it then, is there a key that cannot be told from the key of a run under way elsewhere. An old key stays
//! active for the grace time, and never for less than the lease: no step that was decided before the hand-over is still
//! under way when the key is deactivated.
//!
//! Two runs that both begin without a key may make two: the newer one is handed over, the other is retired like an old
//! key. If one of the runs is killed in between, the result may be a [`Reason`] for a person to look, but never an
//! outage.
//!
//! # One key for all regions
//! A key gives a password for each region, and only its secret gives them. A run that is about to deliver to stores of
//! several regions keeps them for the next run ([`Seen::kept`]). If they are lost, two keys are left, each read in one
//! region: [`Reason::BothRead`]. Both continue to work.
//!
//! # The one deletion without a quarantine
//! After a leak both keys may be inactive, with no room for a new one until a quarantine is over. If that is too late,
//! [`Goal::make_room`] deletes one key at once: the inactive one that no store holds, or else the one that has been
//! inactive for longer.
//!
//! # Changes that are shown late
//! Changes of another run, or of a killed one, may be shown up to [`LAG`] later, each key and each tag by itself. The
//! effect is as if the step were decided that much earlier, and is part of [`MARGIN`]. A key that is not listed yet
//! leads to no third one, because IAM refuses it; that run fails, and the next one sees the key. A note that is not
//! shown yet is written anew, and its time begins later, never earlier. [`revoke`] observes once more when everything
//! is shown.
//!
//! AWS does not say when a use is shown. A use after a pause as long as the grace time is missed if it is not shown
//! when the key is deactivated: the grace time should be hours longer than the pauses of every user of the key.
//!
//! A rotation under way may deactivate the old key again within [`MARGIN`] after [`undo`] is done. Nothing is deleted
//! too early, but the rotation should end first.
//!
//! # The 15 minutes in which a use may be missed
//! GetAccessKeyLastUsed is coarse: of several uses within [`USE_SPAN`] only the first is recorded. A key whose last use
//! is recorded as not later than the hand-over may have been used up to 15 minutes after it. But a use after that is
//! recorded as later than the hand-over, and the grace time is no shorter: a key whose record ends by the hand-over has
//! been idle since the first 15 minutes of its grace time. A wait for an idle key includes the span too.
//!
//! # Two more uses of the notes
//! A hand-over is noted even for the only key, so that a run that was killed before its hook runs the hook again. A key
//! is not deactivated while a note says that it is inactive: its quarantine would count from the earlier time. Such a
//! key was activated by a person: it is in use again, and the grace time begins anew.

mod fingerprint;
mod forecast;
mod function;
mod goal;
mod notes;
mod revoke;
mod room;
mod seen;
mod step;

pub use fingerprint::{NotAFingerprint, RunId, StoreId};
pub use forecast::{NEW_KEY, forecast, forecast_of};
pub use function::{
    Abandoned, CURRENT, FunctionStep, PENDING, SecretSeen, Value, Work, settle, work,
};
pub use goal::{Goal, GoalError};
pub use notes::{
    HAND_OVER_TAG, HandOver, INTENT_TAG, Intent, NoteError, Notes, RETIRED_TAG, Retired, STORES,
};
pub use revoke::{revoke, undo};
pub use room::{TAGS_PER_USER, tags_too_many};
pub use seen::{Denial, Key, Seen, Sending, Store};
pub use step::{Reason, Stage, Step, Why};

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

/// The time after its creation for which a key that is in no store is left to the run that may have made it.
pub const LEASE: SignedDuration = SignedDuration::from_mins(15);

/// The greatest delay with which IAM shows a change. AWS gives no time: 15 seconds have been observed.
pub const LAG: SignedDuration = SignedDuration::from_secs(15);

/// The delay of an observation ([`LAG`]), the duration of a step and the difference between two clocks, all together.
pub const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// The time within which IAM records only the first use of a key. Source: IAM User Guide, "Generate credential
/// reports".
pub const USE_SPAN: SignedDuration = SignedDuration::from_mins(15);

/// The number of logins in a row, each on a new connection, that prove a credential.
pub const PROOFS: usize = 3;

/// The age below which a key may not be known everywhere yet. AWS gives no time: up to 30 seconds have been reported.
pub const YOUNG: SignedDuration = SignedDuration::from_mins(1);

/// The time for which a young key may be accepted by one server and refused by the next. AWS gives no time: reports
/// speak of a few seconds, and the keys of the local SES flap for 6 seconds in the tests.
pub const FLAPPING: SignedDuration = SignedDuration::from_secs(10);

/// The number of keys that an IAM user may have. Source: IAM User Guide, "IAM and AWS STS quotas"; not adjustable.
pub const KEY_LIMIT: usize = 2;

/// Returns the next step towards one active key that every store holds and that is proven and not too old.
pub fn next(seen: &Seen, goal: &Goal) -> Step {
    let step = RULES
        .iter()
        .find_map(|rule| rule(seen, goal))
        .unwrap_or_else(|| Step::Done { due: seen.current().map(|key| goal.due(key)) });
    let step = match &seen.sending {
        Sending::Denied(denial) if needs_sending(&step) && !goal.force => {
            Step::Stop(Reason::MayNotSend(denial.clone()))
        }
        _ => step,
    };
    match step.stage() {
        Some(stage) if stage > goal.until => Step::Stop(Reason::Limit(Box::new(step))),
        _ => step,
    }
}

type Rule = fn(&Seen, &Goal) -> Option<Step>;

/// The first rule with something to do decides; each assumes that those above it have nothing to do.
const RULES: [Rule; 9] = [
    know_the_stores,
    put_back,
    finish_the_intent,
    miss_no_store,
    heed_a_deactivation,
    hand_over_current,
    name_every_store,
    retire_other,
    renew,
];

fn know_the_stores(seen: &Seen, goal: &Goal) -> Option<Step> {
    let noted = if goal.force { 0 } else { seen.unnamed().len() };
    match seen.stores.len() {
        0 => Some(Step::Stop(Reason::NoStore)),
        named if named + noted > STORES => Some(Step::Stop(Reason::TooManyStores)),
        _ => None,
    }
}

/// Puts the previous key back into a store whose new key is refused, until the new one is proven again.
fn put_back(seen: &Seen, _: &Goal) -> Option<Step> {
    seen.stores.iter().enumerate().find_map(|(store, held)| {
        let key = held.before.as_ref()?;
        let refused = held.holds.iter().find(|key| seen.refused.contains(key))?;
        let works = seen.keys.iter().any(|known| known.id == *key && known.active);
        let put_back = || Step::PutBack { store, key: key.clone() };
        let first =
            seen.notes.intent.as_ref().filter(|intent| {
                intent.made.contains_key(refused) && !intent.before.contains(refused)
            });
        works.then(|| first.map_or_else(put_back, |i| Step::RecordKey(i.exposing(refused))))
    })
}

/// Finishes an intent: the key is made and handed over, or discarded if its secret was lost.
fn finish_the_intent(seen: &Seen, goal: &Goal) -> Option<Step> {
    let intent = seen.notes.intent.as_ref()?;
    let new: Vec<&Key> = seen.keys.iter().filter(|key| intent.is_new(&key.id)).collect();
    let handed_over = seen.notes.hand_over.as_ref().map(|note| &note.key);
    let target =
        new.iter().filter(|key| key.active && seen.deliverable(key)).max_by_key(|key| key.age());
    let orphan = new.iter().min_by_key(|key| key.age());
    Some(match (target, orphan) {
        _ if new.iter().any(|key| Some(&key.id) == handed_over) => Step::ClearIntent,
        (Some(key), _) if seen.at_hand.contains(&key.id) && !intent.made.contains_key(&key.id) => {
            Step::RecordKey(intent.joined(seen).with_made(&key.id, seen.run))
        }
        (Some(key), _) => hand_over(seen, goal, key),
        (None, Some(orphan)) => discard(seen, goal, intent, orphan),
        (None, None) if seen.keys.len() >= KEY_LIMIT => Step::ClearIntent,
        (None, None) => Step::CreateKey(intent.joined(seen)),
    })
}

/// Stops if a store that held the key is empty now: it may only be out of reach, and be read again with the old key.
fn miss_no_store(seen: &Seen, goal: &Goal) -> Option<Step> {
    let note = seen.notes.hand_over.as_ref()?;
    let key = seen.keys.iter().find(|key| key.id == note.key && key.active)?;
    if goal.force || goal.replace.contains(&key.id) {
        return None;
    }
    let is_missing = |store: &Store| store.is_empty && note.stores.contains(&store.id);
    let store = seen.stores.iter().position(is_missing)?;
    Some(Step::Stop(Reason::EmptyStore { store, key: key.id.clone(), at: note.at }))
}

/// Stops if a person deactivated the key that is handed over, unless another key is in the stores by now.
fn heed_a_deactivation(seen: &Seen, goal: &Goal) -> Option<Step> {
    let note = seen.notes.hand_over.as_ref()?;
    let key = seen.keys.iter().find(|key| key.id == note.key && !key.active)?;
    let is_ours = seen.notes.retired.contains(&key.id);
    let is_replaced = seen.current().is_some_and(|current| seen.held(current));
    let is_heeded = !(is_ours || is_replaced || goal.force || goal.replace.contains(&key.id));
    is_heeded.then(|| Step::Stop(Reason::Deactivated(key.id.clone())))
}

/// Makes every store hold the current key, and the note record the true time.
fn hand_over_current(seen: &Seen, goal: &Goal) -> Option<Step> {
    match (seen.handed_over(), seen.current()) {
        // another run noted it first, perhaps with its hook before our delivery
        (Some(HandOver { key, .. }), _)
            if seen.proven.contains(key) && seen.hooked.as_ref() != Some(key) =>
        {
            Some(Step::RunHook(key.clone()))
        }
        (Some(_), _) => None,
        (None, Some(key)) if seen.held(key) && seen.deliverable(key) => {
            Some(hand_over(seen, goal, key))
        }
        // no store has the password of an active key for all regions: a new key will be made
        (None, _) => None,
    }
}

/// Stops for a store that this run does not name: its applications read a key that must not be retired, nor doubled.
fn name_every_store(seen: &Seen, goal: &Goal) -> Option<Step> {
    let note = seen.notes.hand_over.as_ref()?;
    let unnamed = seen.unnamed();
    if unnamed.is_empty() || seen.keys.iter().all(|key| !key.active) {
        return None;
    }
    match goal.force {
        true => seen.handed_over().map(|note| Step::MarkHandOver(note.but_for(&unnamed))),
        false => {
            Some(Step::Stop(Reason::OtherStores { key: note.key.clone(), at: note.at, unnamed }))
        }
    }
}

/// Retires every key except the one that is handed over; if none is, makes room for one.
fn retire_other(seen: &Seen, goal: &Goal) -> Option<Step> {
    let Some(note) = seen.handed_over() else { return make_room(seen, goal) };
    let others = || seen.keys.iter().filter(|key| key.id != note.key);
    let is_noted = |key: &&Key| seen.notes.retired.contains(&key.id);
    if let Some(key) = others().filter(is_noted).find(|key| key.active) {
        return Some(match seen.old_note() {
            Some(note) => Step::BeginGraceAgain(note.again(seen.now)),
            None => Step::MarkRetired(seen.notes.retired.without(&key.id)),
        });
    }
    let other = others().min_by_key(|key| (!is_noted(key), key.age()))?;
    Some(if other.active { deactivate(seen, goal, note, other) } else { delete(seen, goal, other) })
}

/// Makes room if no store holds a key to continue with and no further key is possible.
fn make_room(seen: &Seen, goal: &Goal) -> Option<Step> {
    if seen.keys.len() < KEY_LIMIT {
        return None;
    }
    let noted_at = |key: &Key| seen.notes.retired.at(&key.id);
    let inactive = || seen.keys.iter().filter(|key| !key.active);
    let since = |key: &Key| noted_at(key).unwrap_or(Timestamp::MAX);
    let missed_least = inactive().min_by_key(|key| (seen.held(key), since(key), key.age()));
    let waiting = inactive().min_by_key(|key| (noted_at(key).is_none(), key.age()));
    let current = seen.current().map(|key| &key.id);
    let spare = seen.keys.iter().find(|key| Some(&key.id) != current && !seen.held(key));
    // the note of a key whose stores became empty after the hand-over
    let note = seen.notes.hand_over.as_ref().filter(|note| current == Some(&note.key));
    let keys = || seen.keys.iter().map(|key| key.id.clone()).collect();
    Some(match (missed_least, waiting, spare) {
        (Some(key), ..) if goal.make_room => Step::Delete(key.id.clone()),
        (_, Some(key), _) => delete(seen, goal, key),
        (_, _, None) => Step::Stop(Reason::BothRead(keys())),
        (_, _, Some(key)) if noted_at(key).is_some() && (goal.force || note.is_some()) => {
            Step::MarkRetired(seen.notes.retired.without(&key.id))
        }
        (_, _, Some(key)) => match note {
            Some(note) => deactivate(seen, goal, note, key),
            None if goal.force => Step::Deactivate(key.id.clone()),
            None => Step::Stop(Reason::NoRoom(keys())),
        },
    })
}

/// Begins a new key if none is handed over, or if that one is too old.
fn renew(seen: &Seen, goal: &Goal) -> Option<Step> {
    let handed_over = seen.current().filter(|_| seen.handed_over().is_some());
    let due = handed_over.is_none_or(|key| seen.now >= goal.due(key));
    due.then(|| Step::WriteIntent(Intent::of(seen)))
}

fn hand_over(seen: &Seen, goal: &Goal, key: &Key) -> Step {
    let id = key.id.clone();
    let to_do = seen.stores.iter().enumerate().find(|(_, store)| !store.holds_only(&id));
    let note = seen.notes.hand_over.as_ref();
    match (to_do, note) {
        _ if !seen.proven.contains(&id) => Step::Prove(id),
        (Some((_, store)), Some(note)) if note.key == id && note.stores.contains(&store.id) => {
            Step::MarkHandOver(note.but_not_in(store.id))
        }
        (Some((store, _)), _) => Step::Deliver { store, key: id },
        _ if seen.unconfirmed.contains(&id) => Step::Confirm(id),
        _ if seen.hooked.as_ref() != Some(&id) => Step::RunHook(id),
        _ => Step::MarkHandOver(HandOver {
            key: id,
            at: seen.now,
            stores: seen.stores.iter().map(|store| store.id).collect(),
            elsewhere: if goal.force { BTreeSet::new() } else { seen.unnamed() },
        }),
    }
}

/// Discards a key that was made after the intent and whose password is lost or too late to deliver.
fn discard(seen: &Seen, goal: &Goal, intent: &Intent, key: &Key) -> Step {
    // its maker logs in with it too, but records it first, and only during the lease
    let strangers =
        |used: &Timestamp| !intent.made.contains_key(&key.id) || *used >= after(key.created, LEASE);
    let lease_ends = lease_ends(seen, intent, key);
    let unnamed = seen.unnamed();
    let is_exposed = intent.before.contains(&key.id);
    match key.last_used.filter(strangers) {
        // another person deactivated it, and decides when it may go
        _ if seen.held(key) => Step::ClearIntent,
        _ if seen.pending.contains(&key.id) => Step::Stop(Reason::Pending(key.id.clone())),
        _ if !intent.stores.is_disjoint(&unnamed) && !goal.force => {
            Step::Stop(Reason::OtherStores { key: key.id.clone(), at: key.created, unnamed })
        }
        _ if is_exposed && !key.active => delete(seen, goal, key),
        Some(used) if !goal.force => Step::Stop(Reason::StrangersKey { key: key.id.clone(), used }),
        _ if seen.now < lease_ends => wait(key, lease_ends, Why::Lease),
        _ if is_exposed => retire_exposed(seen, goal, key),
        _ => Step::Discard(key.id.clone()),
    }
}

/// Retires a key that was in a store for a moment of its lease: a reader of the store has the whole grace time.
fn retire_exposed(seen: &Seen, goal: &Goal, key: &Key) -> Step {
    let grace_ends = after(after(key.created, LEASE), goal.grace());
    match seen.now < grace_ends {
        true => wait(key, grace_ends, Why::Grace),
        false => Step::Deactivate(key.id.clone()),
    }
}

/// Returns the time from which no run can be about to deliver the key.
fn lease_ends(seen: &Seen, intent: &Intent, key: &Key) -> Timestamp {
    let is_gone = |run: &RunId| seen.gone.contains(run);
    match intent.made.get(&key.id) {
        Some(Some(run)) if is_gone(run) => key.created,
        _ => after(key.created, LEASE),
    }
}

/// Deactivates an active key that is not the one that was handed over.
fn deactivate(seen: &Seen, goal: &Goal, note: &HandOver, key: &Key) -> Step {
    // a stranger may have made it since, to use it soon
    let grace_ends = after(note.at.max(key.created), goal.grace());
    let idle_at = |used| after(used, goal.grace().saturating_add(USE_SPAN));
    match key.last_used.filter(|used| *used > note.at && !goal.force) {
        _ if seen.now < grace_ends => wait(key, grace_ends, Why::Grace),
        Some(used) if !goal.wait_unused => {
            Step::Stop(Reason::StillUsed { key: key.id.clone(), used, handed_over: note.at })
        }
        Some(used) if seen.now < idle_at(used) => wait(key, idle_at(used), Why::Unused),
        _ => Step::Deactivate(key.id.clone()),
    }
}

/// Deletes a key that is not active. A use after the note shows that it was active again: its quarantine begins anew.
fn delete(seen: &Seen, goal: &Goal, key: &Key) -> Step {
    let retired = &seen.notes.retired;
    let noted = retired.at(&key.id).filter(|at| key.last_used.is_none_or(|used| used <= *at));
    match noted.map(|at| after(at, goal.quarantine)) {
        None => Step::MarkRetired(retired.with(seen, key)),
        Some(ends) if seen.now < ends => wait(key, ends, Why::Quarantine),
        Some(_) => Step::Delete(key.id.clone()),
    }
}

/// Whether the step makes a key, or says that there is nothing to do: neither is right for a user that may not send.
fn needs_sending(step: &Step) -> bool {
    match step {
        Step::WriteIntent(_) | Step::CreateKey(_) | Step::Done { .. } => true,
        Step::WaitUntil { .. } => step.ends_a_run(),
        _ => false,
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
