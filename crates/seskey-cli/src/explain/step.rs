//! The steps of a rotation in words, done and to be done, and their names in JSON.

use jiff::Timestamp;
use seskey::{
    AccessKeyId,
    rotation::{NEW_KEY, PROOFS, Step, Why},
    store::Store,
};

/// The words of a step: its name, as it was done, and as it is to be done.
pub(crate) struct Words {
    pub(crate) name: &'static str,
    pub(crate) done: String,
    pub(crate) to_do: String,
}

pub(crate) fn words(step: &Step, stores: &[Store]) -> Words {
    let both = |name, verb: (&str, &str), object: String| Words {
        name,
        done: format!("{} {object}", verb.0),
        to_do: format!("{} {object}", verb.1),
    };
    match step {
        Step::WriteIntent(_) => both(
            "write-intent",
            ("noted", "note"),
            "on the user that an access key is being made".to_owned(),
        ),
        Step::CreateKey(_) => both("create-key", ("created", "create"), "an access key".to_owned()),
        Step::RecordKey(intent) => {
            let made = intent.made.keys().last().map_or_else(String::new, called);
            both("record-key", ("noted", "note"), format!("on the user that {made} was made"))
        }
        Step::Discard(key) => both(
            "discard-key",
            ("deleted", "delete"),
            format!("{}, whose secret was lost", called(key)),
        ),
        Step::Prove(key) => both(
            "prove",
            ("logged in", "log in"),
            format!("{PROOFS} times in a row with {}", called(key)),
        ),
        Step::Deliver { store, key } => {
            let store = stores.get(*store).map_or_else(String::new, ToString::to_string);
            both("deliver", ("delivered", "deliver"), format!("{} to {store}", called(key)))
        }
        Step::Confirm(key) => both(
            "confirm",
            ("logged in", "log in"),
            format!("with {} as the stores hold it", called(key)),
        ),
        Step::PutBack { store, key } => {
            let store = stores.get(*store).map_or_else(String::new, ToString::to_string);
            both("put-back", ("put", "put"), format!("{} back into {store}", called(key)))
        }
        Step::RunHook(_) => both("run-hook", ("ran", "run"), "the command of --after".to_owned()),
        Step::MarkHandOver(note) if !note.elsewhere.is_empty() => both(
            "mark-hand-over",
            ("noted", "note"),
            format!("on the user that not every store holds {}", called(&note.key)),
        ),
        Step::MarkHandOver(note) => both(
            "mark-hand-over",
            ("handed over", "hand over"),
            format!("{}: every store holds it", called(&note.key)),
        ),
        Step::BeginGraceAgain(_) => both(
            "begin-grace-again",
            ("began", "begin"),
            "the grace time anew, for an access key that was retired comes back".to_owned(),
        ),
        Step::ClearIntent => both(
            "clear-intent",
            ("removed", "remove"),
            "the note that an access key is being made".to_owned(),
        ),
        Step::Deactivate(key) => both("deactivate-key", ("deactivated", "deactivate"), called(key)),
        Step::MarkRetired(_) => both(
            "mark-retired",
            ("noted", "note"),
            "on the user since when access keys have been inactive".to_owned(),
        ),
        Step::Delete(key) => both("delete-key", ("deleted", "delete"), called(key)),
        Step::Activate(key) => {
            both("activate-key", ("activated", "activate"), format!("{} again", called(key)))
        }
        Step::WaitUntil { until, why, key } => {
            both("wait", ("waited", "wait"), format!("until {until}: {}", reason(*why, key)))
        }
        Step::Done { due: None } => both(
            "done",
            ("nothing", "nothing"),
            "to undo: there is no inactive access key".to_owned(),
        ),
        Step::Done { due: Some(due) } => {
            both("done", ("nothing", "nothing"), format!("is due until {due}"))
        }
        _ => both("stop", ("stopped", "stop"), "here".to_owned()),
    }
}

/// Whether a step is a detail, such as a note for the next run, that is shown only if details are asked for.
pub(crate) fn is_detail(step: &Step) -> bool {
    matches!(
        step,
        Step::WriteIntent(_)
            | Step::RecordKey(_)
            | Step::ClearIntent
            | Step::MarkRetired(_)
            | Step::Confirm(_)
    ) || matches!(step, Step::MarkHandOver(note) if !note.elsewhere.is_empty())
}

/// Says what a wait is for.
pub(crate) fn reason(why: Why, key: &AccessKeyId) -> String {
    match why {
        Why::Lag => format!("IAM may not show yet that {key} is inactive"),
        Why::Lease => format!("another run may be about to deliver {key}"),
        Why::Grace => format!("the old access key {key} stays active"),
        Why::Quarantine => format!("the old access key {key} stays inactive before it is deleted"),
        Why::Unused => format!("the old access key {key} is still used, and stays active"),
    }
}

/// Returns the name of a wait in JSON.
pub(crate) fn wait_name(why: Why) -> &'static str {
    match why {
        Why::Lag => "lag",
        Why::Lease => "lease",
        Why::Grace => "grace",
        Why::Quarantine => "quarantine",
        Why::Unused => "unused",
    }
}

/// Returns the key that a step is about; none for a key that is yet to be made in a plan.
pub(crate) fn key(step: &Step) -> Option<&AccessKeyId> {
    let key = match step {
        Step::Discard(key)
        | Step::Prove(key)
        | Step::Deliver { key, .. }
        | Step::Confirm(key)
        | Step::PutBack { key, .. }
        | Step::RunHook(key)
        | Step::Deactivate(key)
        | Step::Delete(key)
        | Step::Activate(key)
        | Step::WaitUntil { key, .. } => Some(key),
        Step::RecordKey(intent) => intent.made.keys().last(),
        Step::MarkHandOver(note) | Step::BeginGraceAgain(note) => Some(&note.key),
        _ => None,
    };
    key.filter(|key| key.as_str() != NEW_KEY)
}

fn called(key: &AccessKeyId) -> String {
    match key.as_str() {
        NEW_KEY => "the new access key".to_owned(),
        id => format!("the access key {id}"),
    }
}

/// Says that there is no old key to activate again.
pub(crate) fn nothing_to_undo(active: &[AccessKeyId]) -> String {
    let keys: Vec<_> = active.iter().map(AccessKeyId::as_str).collect();
    let has = if keys.is_empty() {
        "no access key at all".to_owned()
    } else {
        format!("only {}, active", keys.join(" and "))
    };
    format!("nothing to undo: there is no inactive access key, {has}")
}

/// The hint that says when there is something to undo.
pub(crate) const WHAT_IS_UNDONE: &str = "--undo activates a key again that rotate or revoke has deactivated, until it is deleted after --quarantine; seskey list shows the keys";

/// Formats a time.
pub(crate) fn time(time: Timestamp) -> String {
    time.to_string()
}
