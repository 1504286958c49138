//! The things that `create` makes or a user lacks, and why the creation failed, in sentences.

use seskey::{
    Algorithm,
    recognise::Recognised,
    user::{SENDING_GROUP, SENDING_POLICY},
};
use seskey_aws::lifecycle::{
    converge::Drift,
    create::{CreateError, CreateFailure, CreateRequest, Event, Style},
    undo::{LeftOver, Thing},
};

use super::{Failure, aws, rotation::denied, smtp};

pub(crate) fn failure(error: &CreateError, request: &CreateRequest) -> Failure {
    let user = &request.user_name;
    let failure = match &error.failure {
        CreateFailure::Call(error) => aws::failure(error),
        CreateFailure::UserExists { arn } => Failure::new(
            format!("the user {user} exists: {arn}"),
            format!(
                "take another name; seskey rotate {user} --to STORE gives this one a new credential"
            ),
        )
        .about("NAME"),
        CreateFailure::NotPermitted { denied } => {
            aws::with_operator_policy(aws::not_permitted(denied), "create")
        }
        CreateFailure::GroupCannotSend { group, policies } => Failure::new(
            format!(
                "no policy of the group {group} allows ses:SendRawEmail: {}",
                policies.join(", ")
            ),
            "mend the policy of the group, or take --style inline",
        ),
        CreateFailure::MayNotSend(denial) => Failure::new(
            format!("it could not send mail: {}", denied(denial)),
            "mend that policy, or leave the boundary or the group out",
        ),
        CreateFailure::UnusableKey { id } => Failure::new(
            format!("IAM made an access key that SMTP does not take: {id}"),
            "check that --endpoint-url leads to an IAM API",
        ),
        CreateFailure::NotProven(not_proven) => {
            let form = Recognised::SmtpPassword(Algorithm::V4);
            let server = request.proof.as_ref().map(|proof| &proof.server);
            let failure = server.map(|server| smtp::failure(&not_proven.error, &form, server));
            let failure =
                failure.unwrap_or_else(|| Failure::new(not_proven.to_string(), "try again"));
            let seconds = not_proven.elapsed.as_secs();
            Failure {
                message: format!(
                    "{} (the new credential, after {} logins in {seconds} s)",
                    failure.message, not_proven.attempts
                ),
                ..failure
            }
        }
        CreateFailure::Interrupted => Failure::new("interrupted", "run it again"),
        _ => Failure::new(error.failure.to_string(), "try again"),
    };
    with_leftovers(failure, &error.left)
}

/// Names the things that are left, if there are any.
pub(crate) fn with_leftovers(failure: Failure, left: &[LeftOver]) -> Failure {
    if left.is_empty() {
        return failure;
    }
    let names: Vec<String> = left
        .iter()
        .map(|left| {
            let maybe = if left.what.certain { "" } else { "perhaps " };
            format!("{maybe}{}", name(&left.what.what))
        })
        .collect();
    let user = left.iter().find_map(|left| match &left.what.what {
        Thing::User { user }
        | Thing::AccessKey { user, .. }
        | Thing::UserPolicy { user }
        | Thing::Membership { user, .. } => Some(user),
        _ => None,
    });
    let hint = match user {
        Some(user) => format!("seskey delete {user} --yes takes away the user and all of its keys"),
        None => "delete it in the IAM console, or leave it: it grants nothing to nobody".to_owned(),
    };
    let reasons: Vec<String> = left.iter().map(|left| aws::failure(&left.why).message).collect();
    Failure::unfinished(
        format!(
            "{}; this was made and could not be taken back: {} ({})",
            failure.message,
            names.join(", "),
            reasons.join("; ")
        ),
        hint,
    )
}

pub(crate) fn event(event: &Event) -> String {
    match event {
        Event::Made(thing) => format!("made {}", name(thing)),
        Event::TakenBack(thing) => format!("took back {}", name(thing)),
        Event::Kept(thing) => format!("left {}, since somebody else uses it", name(thing)),
        Event::Unchecked { why: Some(error), .. } => {
            format!("not looked at beforehand: {} is denied", error.action)
        }
        Event::Login(login) => match &login.outcome {
            Ok(()) => format!("login {} succeeded", login.attempt),
            Err(error) => format!("login {}: {error}", login.attempt),
        },
        _ => String::new(),
    }
}

/// Says how to give a user what it lacks, and that it was given.
pub(crate) fn drift(drift: &Drift) -> (String, String) {
    let both = |to_do: &str, done: &str, rest: String| {
        (format!("{to_do} {rest}"), format!("{done} {rest}"))
    };
    match drift {
        Drift::Membership => both("put", "put", format!("it into the group {SENDING_GROUP}")),
        Drift::GroupPolicy => {
            both("give", "gave", format!("the group {SENDING_GROUP} its policy, which it lacks"))
        }
        Drift::Policy { found: None, .. } => {
            both("give", "gave", format!("it the policy {SENDING_POLICY}"))
        }
        Drift::Policy { .. } => {
            both("replace", "replaced", format!("its policy {SENDING_POLICY}, which is another"))
        }
        Drift::Region { wanted } => both("tag", "tagged", format!("it with its region, {wanted}")),
        _ => both("put right", "put right", "what it lacks".to_owned()),
    }
}

/// Returns the name of a thing in a sentence.
fn name(thing: &Thing) -> String {
    match thing {
        Thing::Group { group } => format!("the group {group}"),
        Thing::GroupPolicy { group, .. } => format!("the policy of the group {group}"),
        Thing::User { user } => format!("the user {user}"),
        Thing::Membership { user, group } => {
            format!("the membership of {user} in the group {group}")
        }
        Thing::UserPolicy { user } => format!("the policy of the user {user}"),
        Thing::AccessKey { user, id: Some(id) } => {
            format!("the access key {id} of the user {user}")
        }
        Thing::AccessKey { user, id: None } => format!("the access key of the user {user}"),
        _ => "something that has no name".to_owned(),
    }
}

/// Says how a user is to be made, in lines.
pub(crate) fn making(request: &CreateRequest, tells_all: bool) -> Vec<String> {
    let permission = match &request.style {
        Style::Group => format!("put it into the group {SENDING_GROUP}"),
        Style::Inline { .. } if !tells_all => {
            format!("give it the policy {SENDING_POLICY}; -v shows it")
        }
        Style::Inline { policy } => {
            let policy = serde_json::from_str::<serde_json::Value>(policy).unwrap_or_default();
            format!("give it the policy {SENDING_POLICY}: {policy}")
        }
    };
    let CreateRequest { user_name, path, .. } = request;
    vec![format!("create the IAM user {}{user_name}", path.as_str()), permission]
}
