//! Why a step of a rotation by Secrets Manager was not done, in sentences.

use seskey::rotation::{Abandoned, Reason, Step};
use seskey_aws::lifecycle::{
    function::{FunctionError, Request},
    rotate::{End, Rotation},
};

use super::{Failure, aws, rotation as rotations, step::words, store};

pub(crate) fn failure(error: &FunctionError, request: &Request, rotation: &Rotation) -> Failure {
    let secret = &request.secret;
    match error {
        FunctionError::Abandoned(abandoned) => {
            Failure::new(format!("{secret}: {abandoned}"), hint(abandoned))
        }
        FunctionError::Call(error) => aws::failure(error),
        FunctionError::Store(error) => store::failure(rotation.stores.first().expect("a job has a store"), error),
        FunctionError::Rotate(error) => rotations::run(error, rotation, false),
        FunctionError::Ended(outcome) => {
            rotations::problem(outcome, rotation).unwrap_or_else(|| match next(&outcome.end) {
                Some(next) => Failure::unfinished(
                    format!(
                        "there is no room for a new key before this is done: {}",
                        words(next, &rotation.stores).to_do
                    ),
                    r#"send the function {"apply": …} every day: a rotation deletes nothing"#,
                ),
                None => Failure::unfinished(
                    format!("no access key can be made for {} now", rotation.user),
                    r#"send the function {"apply": …} every day: a user has two access keys at most, and the old one goes when its time is over"#,
                ),
            })
        }
        FunctionError::NotProven { key, error } => Failure::new(
            format!("{secret}: the password of {key} is not accepted: {}", error.error),
            "seskey diagnose says why a login fails",
        ),
        FunctionError::Withdrawn { key } => Failure::unfinished(
            format!("{secret}: {key} is inactive or gone, so this rotation is given up"),
            "the next rotation makes another key: aws secretsmanager rotate-secret begins one",
        ),
        FunctionError::OtherRegion { store, region } => Failure::usage(
            format!("{} has a password for {region} in {store}, and its key is made for one region here", rotation.user),
            "a user with stores of several regions is rotated by seskey apply; leave the rotation by Secrets Manager off",
        ),
        FunctionError::Interrupted => Failure::unfinished(
            "the time of the function was over",
            "Secrets Manager sends the step again; set the timeout of the function to 2 minutes",
        ),
        error => Failure::unfinished(error.to_string(), "send the step again"),
    }
}

/// Returns the first step of a later stage, if the run stopped before it.
fn next(end: &End) -> Option<&Step> {
    match end {
        End::Stopped(Reason::Limit(step)) => Some(step),
        _ => None,
    }
}

fn hint(abandoned: &Abandoned) -> &'static str {
    match abandoned {
        Abandoned::NotEnabled => "turn the rotation of the secret on",
        Abandoned::NoVersion { .. } | Abandoned::NotPending { .. } => {
            "this step is of a rotation that is over; nothing is to be done"
        }
        Abandoned::Empty { .. } => "createSecret comes first; Secrets Manager sends it again",
        _ => "take AWSPENDING off that version, and rotate again",
    }
}
