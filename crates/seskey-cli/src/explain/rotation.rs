//! Why a rotation went no further, in sentences.

use jiff::Timestamp;
use seskey::{
    AccessKeyId, Algorithm,
    recognise::Recognised,
    rotation::{Denial, Reason, STORES, Step, TAGS_PER_USER, Why},
    store::Store,
};
use seskey_aws::{
    Error,
    iam::LastUsed,
    lifecycle::{
        revoke::{NotNoted, Revoked},
        rotate::{End, Outcome, RotateError, RotateFailure, Rotation},
    },
};

use super::{
    Failure, aws, smtp,
    step::{self, words},
    store,
};
use crate::exit::Exit;

/// Explains why a run failed, and whether anything was changed: logins change nothing, the creation of the user does.
pub(crate) fn run(error: &RotateError, rotation: &Rotation, has_made: bool) -> Failure {
    let failure = failure(&error.failure, rotation);
    match !has_made && error.done.iter().all(|step| matches!(step, Step::Prove(_))) {
        true => failure,
        false => {
            let next = if has_replaced(&error.done, rotation) {
                by_rotation(&rotation.user)
            } else {
                "run it again to finish".to_owned()
            };
            let hint = format!("{}; then {next}", failure.hint);
            Failure { exit: Exit::Unfinished, hint, ..failure }
        }
    }
}

/// Whether a revocation has made the new access key.
fn has_replaced(done: &[Step], rotation: &Rotation) -> bool {
    rotation.forgoes_notes && done.iter().any(|step| matches!(step, Step::CreateKey(_)))
}

/// Says how the rest of such a revocation is finished.
fn by_rotation(user: &str) -> String {
    format!(
        "seskey rotate {user} with the same --to and --after finishes it: another revoke turns off the new access key too"
    )
}

/// Explains why a run that did not fail cannot finish by itself, if it cannot.
pub(crate) fn problem(outcome: &Outcome, rotation: &Rotation) -> Option<Failure> {
    let failure = unreached(outcome, &rotation.user, &rotation.stores)?;
    Some(match has_replaced(&outcome.steps, rotation) {
        true => Failure {
            hint: format!("{}; {}", failure.hint, by_rotation(&rotation.user)),
            ..failure
        },
        false => failure,
    })
}

fn unreached(outcome: &Outcome, user: &str, stores: &[Store]) -> Option<Failure> {
    match &outcome.end {
        End::Stopped(Reason::Limit(_)) | End::Done { .. } => None,
        End::Stopped(reason) => Some(stopped(reason, user, stores, outcome.last_used.as_ref())),
        End::Waits { until, why: why @ (Why::Lease | Why::Lag), key } => Some(Failure::unfinished(
            format!("until {until} {}", step::reason(*why, key)),
            "run it again then; --wait TIME waits here",
        )),
        End::Waits { until, why, key } if !outcome.is_served => Some(Failure::unfinished(
            format!(
                "no store holds an active access key, and there is no room for a new one until {until}: {}",
                step::reason(*why, key)
            ),
            match why {
                Why::Quarantine => format!(
                    "seskey revoke {user} --replace --make-room --to STORE deletes it now; if it has not leaked, seskey rotate {user} --undo activates it again"
                ),
                _ => "wait, or delete the one in IAM that nobody uses".to_owned(),
            },
        )),
        End::Waits { until, why, key } if outcome.owes_a_key => Some(no_room(*until, *why, key)),
        End::Waits { .. } => None,
        _ if outcome.steps.is_empty() => Some(Failure::new("interrupted", "run it again")),
        _ => Some(Failure::unfinished("interrupted", "run it again to go on")),
    }
}

/// Says that a new key is wanted now, if these steps make none.
pub(crate) fn owed(rotation: &Rotation, steps: &[Step]) -> Option<Failure> {
    let makes_one = steps.iter().any(|step| matches!(step, Step::CreateKey(_)));
    match steps.last() {
        Some(Step::WaitUntil { until, why, key }) if rotation.now && !makes_one => {
            Some(no_room(*until, *why, key))
        }
        _ => None,
    }
}

fn no_room(until: Timestamp, why: Why, key: &AccessKeyId) -> Failure {
    Failure::unfinished(
        format!("no access key can be made before {until}: {}", step::reason(why, key)),
        "run it again then: a user has two access keys at most",
    )
}

/// Says where a plan of a dry run stops, and why.
pub(crate) fn end_of_plan(reason: &Reason, user: &str, stores: &[Store]) -> String {
    match reason {
        Reason::Limit(step) => format!("stop by --stage, before: {}", words(step, stores).to_do),
        reason => {
            let Failure { message, hint, .. } = stopped(reason, user, stores, None);
            format!("stop, for {message} ({hint})")
        }
    }
}

fn stopped(reason: &Reason, user: &str, stores: &[Store], last_used: Option<&LastUsed>) -> Failure {
    let by = last_used.map_or_else(String::new, |used| match used.region.as_str() {
        "N/A" => format!(" by {}", used.service),
        region => format!(" by {} in {region}", used.service),
    });
    match reason {
        Reason::StillUsed { key, used, handed_over } => Failure::unfinished(
            format!(
                "the old access key {key} was used {used}{by}, after the hand-over {handed_over}"
            ),
            "find who still has it, and let them read the store; --wait-unused waits until it is idle, --force deactivates it",
        ),
        Reason::MayNotSend(denial) => Failure::unfinished(
            format!("it may not send mail: {}", denied(denial)),
            "mend its policies: seskey policy prints one that is enough; --force rotates it all the same",
        ),
        Reason::OtherStores { key, at, unnamed } => Failure::unfinished(
            format!(
                "the access key {key} is in {} not named here, since {at}; named {} {}",
                match unnamed.len() {
                    1 => "a store that is".to_owned(),
                    count => format!("{count} stores that are"),
                },
                if stores.len() == 1 { "is" } else { "are" },
                stores.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "),
            ),
            "name every store of the user in one run; a file by another path, or with another ?region=, is another store; --force forgets those that are gone for good",
        ),
        Reason::TooManyStores => Failure::unfinished(
            format!("it has more stores than can be noted on it, which are {STORES}"),
            "one exec: store can deliver to any number; --force forgets stores that are not named",
        ),
        Reason::EmptyStore { store, key, at } => Failure::unfinished(
            format!(
                "{} is empty, and has held the access key {key} since {at}",
                stores.get(*store).map_or_else(String::new, ToString::to_string)
            ),
            "mount it, or put it back; if what it held is gone for good, --now makes a new access key as soon as there is room",
        ),
        Reason::Pending(key) => Failure::unfinished(
            format!("a rotation by Secrets Manager is about to put the access key {key} in use"),
            "it finishes by itself; if it was cancelled, take AWSPENDING off that version: aws secretsmanager update-secret-version-stage --remove-from-version-id",
        ),
        Reason::Deactivated(key) => Failure::unfinished(
            format!("somebody has deactivated the access key {key}, which was handed over"),
            format!(
                "activate it in IAM, or --now makes a new one as soon as there is room; seskey revoke {user} if it has leaked"
            ),
        ),
        Reason::NoRoom(keys) => Failure::unfinished(
            format!(
                "there are two active access keys, {}, and no hand-over says which of them nobody reads any more",
                both(keys)
            ),
            "put the credential that is read into the store, or delete the access key that nobody uses; --force retires one that is in no store",
        ),
        Reason::BothRead(keys) => Failure::unfinished(
            format!(
                "there are two active access keys, each of them in a store, and no room for a third: {}",
                both(keys)
            ),
            format!(
                "put the credential of one of them into every store; or seskey revoke {user} --replace, which turns off both and makes a new one"
            ),
        ),
        Reason::StrangersKey { key, used } => Failure::unfinished(
            format!(
                "the access key {key} came up during the rotation, and somebody used it {used}{by}"
            ),
            "find who made it; --force deletes it",
        ),
        Reason::TooLate(key) => Failure::unfinished(
            format!("the quarantine of {key} is over, so it may be deleted at any moment"),
            "make sure that no other run is at work, then activate it in the IAM console",
        ),
        Reason::NoStore => Failure::usage(
            "there is no store, and a new credential would be lost",
            "name one by --to, such as file:/etc/mail/smtp.json",
        ),
        _ => Failure::unfinished("the plan goes no further", "run it again"),
    }
}

fn both(keys: &[AccessKeyId]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

pub(crate) fn denied(denial: &Denial) -> String {
    match denial {
        Denial::NotAllowed => "no policy of it or of its groups allows ses:SendRawEmail".to_owned(),
        Denial::Denied { policy, statement: Some(statement) } => {
            format!("statement {statement} of the policy {policy} denies it")
        }
        Denial::Denied { policy, .. } => format!("the policy {policy} denies it"),
        Denial::Organization => "a policy of the organization denies it".to_owned(),
        Denial::Boundary { policy } => {
            format!("its permissions boundary {policy} does not allow it")
        }
        _ => "it is denied".to_owned(),
    }
}

/// Explains the failure of a rotation.
pub(crate) fn failure(failure: &RotateFailure, rotation: &Rotation) -> Failure {
    let (server, user) = (&rotation.proof.server, &rotation.user);
    match failure {
        RotateFailure::Call(error) => call(error),
        RotateFailure::Note(error) => Failure::new(
            error.to_string(),
            "somebody has written it by hand: remove the tag in IAM, and look at the access keys of the user",
        ),
        RotateFailure::Store { store: at, error } => store::failure(at, error),
        RotateFailure::Foreign { store: at } => store::foreign(at),
        RotateFailure::OtherUser { store, key } => Failure::new(
            format!("{store} holds the credential of {key}, which is another user's"),
            "one store is for one user: check --to",
        ),
        RotateFailure::Untried { store, key, error } => {
            let failure = smtp::failure(error, &Recognised::Nothing, server);
            Failure {
                message: format!(
                    "{store} holds {key}, which is no access key of this user, and whether it is in use cannot be tried: {}",
                    failure.message
                ),
                ..failure
            }
        }
        RotateFailure::NotProven { key, made_here, error } => {
            let form = Recognised::SmtpPassword(Algorithm::V4);
            let failure = smtp::failure(&error.error, &form, server);
            let (whose, hint) = match made_here {
                true => ("the new credential", failure.hint),
                false => (
                    "the credential in the store,",
                    format!("{}; --now makes a new one in its place", failure.hint),
                ),
            };
            let seconds = error.elapsed.as_secs();
            Failure::new(
                format!(
                    "{} ({whose} {key}, after {} {} in {seconds} s)",
                    failure.message,
                    error.attempts,
                    if error.attempts == 1 { "login" } else { "logins" }
                ),
                hint,
            )
        }
        RotateFailure::Hook(error) => Failure::new(
            format!("--after: {}", store::process(error)),
            "mend it: the stores hold the credential, and nothing is turned off before it has run",
        ),
        RotateFailure::Undone(Step::Deliver { store, .. }) => Failure::new(
            format!(
                "{} does not keep the delivered credential: something puts back the earlier content",
                rotation.stores[*store]
            ),
            "see what else writes to it, such as the command of --after, or a second name of the same place",
        ),
        RotateFailure::Undone(_) => Failure::new(
            "each new access key is gone at once: something deletes them",
            "see what else changes the user, such as the command of --after",
        ),
        RotateFailure::NoHook(error) => Failure::new(
            format!("--after cannot be run: {}", store::process(error)),
            "mend the command: nothing was made yet",
        ),
        RotateFailure::Tags { too_many } => Failure::new(
            format!(
                "there is no room for the notes of a rotation: {} of the user must go, of {TAGS_PER_USER} that there can be",
                if *too_many == 1 { "1 tag".to_owned() } else { format!("{too_many} tags") },
            ),
            format!(
                "aws iam list-user-tags --user-name {user} shows them, aws iam untag-user takes them away"
            ),
        ),
        RotateFailure::Unreachable(error) => smtp::failure(error, &Recognised::Nothing, server),
        RotateFailure::UnusableKey { id } => Failure::new(
            format!("the user has an access key that SMTP does not take: {id}"),
            "check that --endpoint-url leads to an IAM API",
        ),
        _ => Failure::new(failure.to_string(), "run it again"),
    }
}

/// Explains what keeps a user that is yet to be made from its first key.
pub(crate) fn not_ready(failure: &RotateFailure, rotation: &Rotation) -> Failure {
    let explained = self::failure(failure, rotation);
    match failure {
        // the tags are not on a user yet
        RotateFailure::Tags { .. } => Failure {
            hint: "leave so many out: three notes and the region have their place there".to_owned(),
            ..explained
        },
        _ => explained,
    }
}

/// Explains why a call failed.
pub(crate) fn call(error: &Error) -> Failure {
    let failure = aws::failure(error);
    match aws::lacks_permission(error) {
        true => aws::with_operator_policy(failure, "rotate"),
        false => failure,
    }
}

/// Says that it was not noted on the user since when keys are inactive.
pub(crate) fn not_noted(error: &NotNoted) -> String {
    let reason = match error {
        NotNoted::Call(error) => aws::failure(error).message,
        error => error.to_string(),
    };
    format!("it was not noted on the user since when: {reason}")
}

/// Explains why keys are still active after a revocation, if some are.
pub(crate) fn still_active(revoked: &Revoked) -> Option<Failure> {
    let exit = if revoked.deactivated.is_empty() { Exit::Failed } else { Exit::Unfinished };
    let still_active = |(key, error): &(AccessKeyId, Error)| {
        let failure = aws::failure(error);
        let message = format!("the access key {key} is still active: {}", failure.message);
        Failure { exit, message, ..failure }
    };
    let failures = revoked.active.iter().map(still_active);
    failures.reduce(|first, next| Failure {
        message: format!("{}; {}", first.message, next.message),
        ..first
    })
}
