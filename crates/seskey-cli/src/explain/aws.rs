//! Why a call to AWS failed.

use serde_json::json;
use seskey_aws::{Cause, Denial, Error, iam::Simulated, profile::ProfileError};

use super::{Failure, innermost, input, organization};
use crate::environment::variable;

/// Explains why a call to AWS failed, and what to do.
pub(crate) fn failure(error: &Error) -> Failure {
    let Error { action, cause, request_id, .. } = error;
    let id = request_id.as_ref().map(|id| format!(" (request ID {id})")).unwrap_or_default();
    match cause {
        Cause::AccessDenied { action: denied, resource, denial, message } => Failure::new(
            format!("{denied} is denied: {message}"),
            match denial {
                Denial::Explicit => "a policy denies it explicitly: that statement must go, no permission outweighs it".to_owned(),
                Denial::Organization => organization::CONTROL_POLICY.to_owned(),
                Denial::NotAllowed => permission([(denied.as_str(), resource.as_deref().unwrap_or("*"))]),
            },
        ),
        Cause::Role(cause) => {
            let mut error = error.clone();
            error.cause = (**cause).clone();
            let failure = failure(&error);
            match lacks_permission(&error) {
                true => Failure { hint: organization::ROLE.to_owned(), ..failure },
                false => failure,
            }
        }
        Cause::NoSuchEntity { message } => Failure::new(
            missing(message).map_or_else(
                || format!("{action}: {message}"),
                |thing| format!("there is no {thing}"),
            ),
            match *action {
                // a new user names nothing else that must exist
                "iam:CreateUser" => "check --permissions-boundary",
                _ => "seskey list --all shows the users that there are",
            },
        ),
        Cause::EntityAlreadyExists { message } => {
            Failure::new(format!("{action}: {message}"), "take another name")
        }
        Cause::LimitExceeded { message } => Failure::new(
            format!("{action}: {message}"),
            "delete what is not used any more, or ask AWS for a higher quota where there is one",
        ),
        Cause::DeleteConflict { message } => Failure::new(
            format!("{action}: {message}"),
            "somebody has just given it something more: run it again to see what",
        ),
        Cause::Throttled { message } => Failure::new(
            format!("{action}: {message}"),
            "IAM takes so many calls an account: wait a minute and try again",
        ),
        Cause::CallerCredentials { code, message } => Failure::new(
            format!("the credentials that call AWS are refused: {code}: {message}{id}"),
            caller_credentials_hint(code),
        ),
        Cause::NoCredentials { reason } => Failure::new(
            match reason {
                None => "there are no AWS credentials to call with".to_owned(),
                Some(reason) => format!("there are no AWS credentials to call with: {reason}"),
            },
            match variable("AWS_PROFILE") {
                Some(name) => format!("$AWS_PROFILE names the profile {name}: check ~/.aws, or name another by --profile"),
                None => "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a --profile".to_owned(),
            },
        ),
        Cause::Unreachable { endpoint, reason } => Failure::new(
            format!(
                "no answer from {}: {}",
                endpoint.as_deref().unwrap_or("AWS"),
                innermost(reason)
            ),
            match ENDPOINT_URLS.iter().find(|name| variable(name).is_some()) {
                Some(name) if endpoint.is_none() => {
                    format!("check ${name}: a URL begins with http:// or https://")
                }
                _ => "check the network and --endpoint-url; seskey local runs an endpoint on this machine"
                    .to_owned(),
            },
        ),
        Cause::Unreadable => Failure::new(
            format!(
                "{action}: the answer cannot be read, and is not shown since it may have a secret in it{id}"
            ),
            "check that --endpoint-url leads to an IAM API",
        ),
        Cause::Other { code, message } => {
            Failure::new(format!("{action}: {code}: {message}{id}"), "this is what AWS says")
        }
        _ => Failure::new(format!("{error}{id}"), "this is what AWS says"),
    }
}

/// Returns the missing thing, if IAM names it in its usual words: "The user with name X cannot be found."
fn missing(message: &str) -> Option<String> {
    let thing = message.strip_prefix("The ")?.strip_suffix(" cannot be found.")?;
    let (kind, name) =
        [" with name ", " with id "].into_iter().find_map(|with| thing.split_once(with))?;
    Some(format!("{} {name}", kind.to_ascii_lowercase()))
}

/// Explains what the caller may not do, as the simulator says before anything is changed.
pub(crate) fn not_permitted(denied: &[Simulated]) -> Failure {
    let actions: Vec<&str> = denied.iter().map(|denied| denied.action.as_str()).collect();
    let wanted = denied.iter().map(|denied| (denied.action.as_str(), denied.resource.as_str()));
    Failure::new(
        format!("the caller is not authorized to perform: {}", actions.join(", ")),
        permission(wanted),
    )
}

/// Adds how to find all permissions of a verb: a caller that lacks one may lack others too.
pub(crate) fn with_operator_policy(failure: Failure, verb: &str) -> Failure {
    let hint =
        format!("{}; seskey policy operator --for {verb} prints all that it takes", failure.hint);
    Failure { hint, ..failure }
}

/// Returns a hint with the smallest policy that lets the caller do this, each action on its resource.
fn permission<'a>(wanted: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let statement =
        |(action, resource)| json!({"Effect": "Allow", "Action": action, "Resource": resource});
    let statements: Vec<_> = wanted.into_iter().map(statement).collect();
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    format!("give the caller this permission: {policy}")
}

/// The variables that set the endpoint of IAM, if it is not typed.
const ENDPOINT_URLS: [&str; 2] = ["AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL"];

fn caller_credentials_hint(code: &str) -> &'static str {
    match code {
        "InvalidClientTokenId" | "UnrecognizedClientException" => {
            "the access key is unknown, inactive or deleted, or of another partition"
        }
        "SignatureDoesNotMatch" => "check the secret access key, and the clock of this machine",
        "RequestExpired" => "check the clock of this machine",
        "ExpiredToken" | "ExpiredTokenException" => "log in again: the session is over",
        _ => "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, or the profile",
    }
}

/// Whether a permission would help the caller.
pub(crate) fn lacks_permission(error: &Error) -> bool {
    matches!(error.cause, Cause::AccessDenied { denial: Denial::NotAllowed, .. })
}

/// Explains why a profile has no access key to derive from.
pub(crate) fn profile(error: &ProfileError, name: &str) -> Failure {
    match error {
        ProfileError::Temporary => input::temporary(&format!("the profile {name}")),
        ProfileError::Unusable { reason } => Failure::new(
            format!("the profile {name} gives no access key: {reason}"),
            "check ~/.aws/credentials and ~/.aws/config, or give the secret in another way",
        ),
        ProfileError::SecretAccessKey(error) => {
            input::secret_access_key(error, &format!("the profile {name}"))
        }
        _ => Failure::new(
            format!("the profile {name} gives no access key"),
            "check ~/.aws/credentials",
        ),
    }
}
