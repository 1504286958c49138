//! Why a rotation went no further, in sentences.

use seskey::{Algorithm, recognise::Recognised, rotation::Reason};
use seskey_aws::{
    lifecycle::rotate::{RotateError, RotateFailure, Rotation},
    store::StoreError,
};

use crate::{aws, exit::Exit, explain::Failure, smtp};

/// Why a run failed.
pub(super) fn rotation(error: &RotateError, rotation: &Rotation) -> Failure {
    let failure = failure(&error.failure, rotation);
    match error.done.is_empty() {
        true => failure,
        false => Failure {
            exit: Exit::Unfinished,
            hint: format!("{}; then run it again to finish", failure.hint),
            ..failure
        },
    }
}

/// Why the plan goes no further.
pub(super) fn stopped(reason: &Reason) -> Failure {
    match reason {
        Reason::StillUsed { key, used, handed_over: Some(at) } => Failure::unfinished(
            format!("the old access key {key} was used {used}, after the hand-over {at}"),
            "find who still has it, and let them read the store; --wait-unused waits until it is idle, --even-if-used goes on",
        ),
        Reason::StillUsed { key, used, .. } => Failure::unfinished(
            format!(
                "there are two access keys, and {key} was used {used}: there is no room for a new one"
            ),
            "find who has it; --even-if-used deactivates it, --wait-unused waits until it is idle",
        ),
        Reason::StrangersKey { key, used } => Failure::unfinished(
            format!(
                "the access key {key} came up during the rotation, and somebody used it {used}"
            ),
            "find who made it; --even-if-used deactivates it",
        ),
        Reason::TooLate(key) => Failure::unfinished(
            format!("the quarantine of {key} is over: it may be deleted at any moment"),
            "make sure that no other run is at work, then activate it in the IAM console",
        ),
        Reason::NoStore => Failure::usage(
            "there is no store: a new credential would be lost",
            "name one by --to, such as file:/etc/mail/smtp.json",
        ),
        _ => Failure::unfinished("the plan goes no further", "run it again"),
    }
}

pub(super) fn failure(failure: &RotateFailure, rotation: &Rotation) -> Failure {
    let server = &rotation.proof.server;
    match failure {
        RotateFailure::Call(error) => aws::failure(error),
        RotateFailure::Note(error) => Failure::new(
            error.to_string(),
            "somebody has written it by hand: remove the tag in IAM, and look at the access keys of the user",
        ),
        RotateFailure::Store { store, error } => of_store(store, error),
        RotateFailure::Foreign { store } => Failure::new(
            format!("{store} holds something that was not written for it"),
            "take another store, or empty this one",
        ),
        RotateFailure::OtherUser { store, key } => Failure::new(
            format!("{store} holds the credential of {key}, which is another user's and is in use"),
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
                    "the credential in the store",
                    format!("{}; --now makes a new one and replaces it", failure.hint),
                ),
            };
            let seconds = error.elapsed.as_secs();
            Failure::new(
                format!(
                    "{} ({whose} {key}, after {} logins in {seconds} s)",
                    failure.message, error.attempts
                ),
                hint,
            )
        }
        RotateFailure::Hook(error) => Failure::new(
            format!("the command after the delivery failed: {error}"),
            "mend the command: the stores hold the new credential, and it logs in",
        ),
        RotateFailure::Unreachable(error) => smtp::failure(error, &Recognised::Nothing, server),
        RotateFailure::UnusableKey { id } => Failure::new(
            format!("the user has an access key that SMTP does not take: {id}"),
            "check that --endpoint-url leads to an IAM API",
        ),
        _ => Failure::new(failure.to_string(), "run it again"),
    }
}

fn of_store(store: &str, error: &StoreError) -> Failure {
    match error {
        StoreError::Call(error) => {
            let failure = aws::failure(error);
            Failure { message: format!("{store}: {}", failure.message), ..failure }
        }
        _ => Failure::new(format!("{store}: {error}"), "mend the store"),
    }
}
