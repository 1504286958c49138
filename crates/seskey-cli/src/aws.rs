//! The account that the verbs work on: its region, its clients, and what its refusals mean.

use std::{env, future::Future, num::NonZeroU32};

use serde_json::json;
use seskey::{AccessKeyId, Region, SecretAccessKey, user::UserError};
use seskey_aws::{
    Account, Cause, Error, Options,
    iam::Simulated,
    profile::{self, ProfileError},
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    args::Global,
    explain::{self, Failure, Result},
    output::Output,
};

/// A region as somebody typed it.
pub(crate) fn parse_region(text: &str, allow_unknown: bool) -> Result<Region> {
    let region = if allow_unknown { Region::parse_unknown(text) } else { Region::parse(text) };
    region.map_err(|error| explain::region(&error, text))
}

/// The region of `--region`.
pub(crate) fn typed_region(global: &Global, allow_unknown: bool) -> Result<Option<Region>> {
    let typed = global.region.as_deref().map(|text| parse_region(text, allow_unknown));
    typed.transpose().map_err(|failure| failure.of("--region"))
}

/// The region of the credential: typed, else of the environment, else of the profile.
pub(crate) fn region(global: &Global, allow_unknown: bool) -> Result<Region> {
    match typed_or_set_region(global) {
        Some((source, text)) => {
            parse_region(&text, allow_unknown).map_err(|failure| failure.of(source))
        }
        None => match block_on(profile::region(global.profile.as_deref()))? {
            Some(text) => {
                let profile = global.profile.as_deref().unwrap_or("default");
                let source = format!("the region of the profile {profile}");
                parse_region(&text, allow_unknown).map_err(|failure| failure.of(&source))
            }
            None => Err(Failure::usage(
                "no region is given, and an SMTP password is for one region",
                "name it, such as us-east-1, or set AWS_REGION; seskey regions lists them",
            )),
        },
    }
}

/// The region in the name of the host, if it has one. It counts, and a word says so where another one is typed: the
/// password is for the endpoint that it is sent to.
pub(crate) fn region_of_host(
    host: &str,
    global: &Global,
    output: &Output,
) -> Result<Option<Region>> {
    let of_host = Region::of_smtp_endpoint(host);
    if let (Some(of_host), Some(typed)) = (&of_host, typed_region(global, true)?)
        && *of_host != typed
    {
        output.warn(&format!(
            "{host} is used, so the region is {of_host}, and not {typed}, as --region says"
        ));
    }
    Ok(of_host)
}

/// The region that is typed or set in the environment, and where.
pub(crate) fn typed_or_set_region(global: &Global) -> Option<(&'static str, String)> {
    let set = |variable: &'static str| set(&variable[1..]).map(|value| (variable, value));
    let typed = global.region.clone().map(|text| ("--region", text));
    typed.or_else(|| set("$AWS_REGION")).or_else(|| set("$AWS_DEFAULT_REGION"))
}

/// The name of a user that is there: it may be so by an older rule, so IAM judges all but what cannot be sent.
pub(crate) fn existing_user(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(explain::user(&UserError::Empty, name));
    }
    match name.chars().find(|c| c.is_control() || *c == '/') {
        Some(character) => Err(explain::user(&UserError::Character { character }, name)),
        None => Ok(()),
    }
}

/// The access key that a profile holds.
pub(crate) fn profile_access_key(name: &str) -> Result<(AccessKeyId, SecretAccessKey)> {
    block_on(profile::access_key(name))?.map_err(|error| match error {
        ProfileError::Temporary => explain::temporary(&format!("the profile {name}")),
        ProfileError::Unusable { reason } => Failure::new(
            format!("the profile {name} gives no access key: {reason}"),
            "check ~/.aws/credentials and ~/.aws/config, or give the secret in another way",
        ),
        ProfileError::SecretAccessKey(error) => {
            explain::secret_access_key(&error, &format!("the profile {name}"))
        }
        _ => Failure::new(
            format!("the profile {name} gives no access key"),
            "check ~/.aws/credentials",
        ),
    })
}

/// The account of the caller.
pub(crate) async fn account(global: &Global, region: Option<&Region>) -> Account {
    Account::connect(&options(global, region)).await
}

fn options(global: &Global, region: Option<&Region>) -> Options {
    Options {
        profile: global.profile.clone(),
        region: region.cloned(),
        endpoint_url: global.endpoint_url.clone(),
        ..Options::default()
    }
}

/// The account of the caller, with no more calls in a second than these.
pub(crate) async fn account_at(
    global: &Global,
    region: Option<&Region>,
    calls_per_second: NonZeroU32,
) -> Account {
    Account::connect(&Options {
        calls_per_second: Some(calls_per_second),
        ..options(global, region)
    })
    .await
}

/// Runs what waits for the network.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> Result<T> {
    Ok(runtime()?.block_on(future))
}

fn runtime() -> Result<Runtime> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| {
        Failure::new(
            format!("cannot start: {}", explain::reason(&error)),
            "the system is out of resources",
        )
    })
}

/// What a call of AWS failed with, in a sentence, and what to do.
pub(crate) fn failure(error: &Error) -> Failure {
    let Error { action, cause, request_id, .. } = error;
    let id = request_id.as_ref().map(|id| format!(" (request ID {id})")).unwrap_or_default();
    match cause {
        Cause::AccessDenied { action: denied, message } => {
            Failure::new(format!("{denied} is denied: {message}"), mend(denied, message))
        }
        Cause::NoSuchEntity { message } => Failure::new(
            missing(message).map_or_else(
                || format!("{action}: {message}"),
                |thing| format!("there is no {thing}"),
            ),
            match *action {
                // a new user names nothing else that must be there
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
            // where all was asked, the SDK names each place on a line of its own
            match reason.contains("no credentials found in chain") {
                true => "there are no AWS credentials to call with".to_owned(),
                false => format!("there are no AWS credentials to call with: {reason}"),
            },
            match set("AWS_PROFILE") {
                Some(name) => format!("$AWS_PROFILE names the profile {name}: check ~/.aws, or name another by --profile"),
                None => "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a --profile".to_owned(),
            },
        ),
        Cause::Unreachable { endpoint, reason } => Failure::new(
            format!(
                "no answer from {}: {}",
                endpoint.as_deref().unwrap_or("AWS"),
                explain::innermost(reason)
            ),
            match ENDPOINT_URLS.iter().find(|name| set(name).is_some()) {
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

/// What there is none of, where IAM says so in its usual words: "The user with name X cannot be found."
fn missing(message: &str) -> Option<String> {
    let thing = message.strip_prefix("The ")?.strip_suffix(" cannot be found.")?;
    let (kind, name) =
        [" with name ", " with id "].into_iter().find_map(|with| thing.split_once(with))?;
    Some(format!("{} {name}", kind.to_ascii_lowercase()))
}

/// What the simulator says that the caller may not do, known before anything was changed.
pub(crate) fn not_permitted(denied: &[Simulated], verb: &str) -> Failure {
    let actions: Vec<&str> = denied.iter().map(|denied| denied.action.as_str()).collect();
    let statement = |denied: &Simulated| json!({"Effect": "Allow", "Action": denied.action, "Resource": denied.resource});
    let statements: Vec<_> = denied.iter().map(statement).collect();
    Failure::new(
        format!("the caller is not authorized to perform: {}", actions.join(", ")),
        format!(
            "give the caller this permission: {}; seskey policy operator --for {verb} prints all that it takes",
            json!({"Version": "2012-10-17", "Statement": statements}),
        ),
    )
}

/// Where the endpoint of IAM comes from, if it is not typed.
const ENDPOINT_URLS: [&str; 2] = ["AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL"];

/// What a variable holds, unless it is empty.
fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

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
    matches!(&error.cause, Cause::AccessDenied { message, .. } if !is_explicit(message))
}

/// Whether a policy denies it, which outweighs every permission.
fn is_explicit(denial: &str) -> bool {
    denial.contains("explicit deny")
}

/// The smallest policy that lets the caller do what was denied.
fn mend(action: &str, message: &str) -> String {
    if is_explicit(message) {
        return "a policy denies it explicitly: that statement must go, no permission outweighs it"
            .to_owned();
    }
    let resource = message
        .split_once("on resource: ")
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .unwrap_or("*");
    let statement = json!({"Effect": "Allow", "Action": action, "Resource": resource});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
    format!("give the caller this permission: {policy}")
}
