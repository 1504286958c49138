//! The account that the verbs work on: its region, and its clients.

use std::{future::Future, num::NonZeroU32};

use futures_util::{StreamExt, stream};
use seskey::{AccessKeyId, Region, SecretAccessKey, user::UserError};
use seskey_aws::{Account, Options, profile};
use tokio::runtime::{Builder, Runtime};

use crate::{
    args::Global,
    environment::variable,
    explain::{self, Failure, Result},
    output::Output,
};

/// Parses a region as it was typed.
pub(crate) fn parse_region(text: &str, allow_unknown: bool) -> Result<Region> {
    let region = if allow_unknown { Region::parse_unknown(text) } else { Region::parse(text) };
    region.map_err(|error| explain::input::region(&error, text))
}

/// Returns the region of `--region`.
pub(crate) fn typed_region(global: &Global, allow_unknown: bool) -> Result<Option<Region>> {
    let typed = global.region.as_deref().map(|text| parse_region(text, allow_unknown));
    typed.transpose().map_err(|failure| failure.of("--region"))
}

/// Returns the region of the credential: typed, else of the environment, else of the profile.
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

/// Returns the region in the name of the host, if it has one. It outweighs another one that is typed, with a warning:
/// the password is for the endpoint that it is sent to.
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

/// Returns the region that is typed or set in the environment, and its source.
pub(crate) fn typed_or_set_region(global: &Global) -> Option<(&'static str, String)> {
    let set = |name: &'static str| variable(&name[1..]).map(|value| (name, value));
    let typed = global.region.clone().map(|text| ("--region", text));
    typed.or_else(|| set("$AWS_REGION")).or_else(|| set("$AWS_DEFAULT_REGION"))
}

/// Checks the name of an existing user. It may follow an older rule, so only a name that cannot be sent is refused; IAM
/// judges the rest.
pub(crate) fn existing_user(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(explain::input::user(&UserError::Empty, name));
    }
    match name.chars().find(|c| c.is_control() || *c == '/') {
        Some(character) => Err(explain::input::user(&UserError::Character { character }, name)),
        None => Ok(()),
    }
}

/// Returns the access key of a profile.
pub(crate) fn profile_access_key(name: &str) -> Result<(AccessKeyId, SecretAccessKey)> {
    block_on(profile::access_key(name))?.map_err(|error| explain::aws::profile(&error, name))
}

/// Returns the account of the caller.
pub(crate) async fn account(global: &Global, region: Option<&Region>) -> Account {
    Account::connect(&options(global, region)).await
}

fn options(global: &Global, region: Option<&Region>) -> Options {
    Options {
        profile: global.profile.clone(),
        region: region.cloned(),
        endpoint_url: global.endpoint_url.clone(),
        access_key: global.access_key.clone(),
        ..Options::default()
    }
}

/// Returns the account of the caller, with at most this many calls in a second.
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

/// Returns the account of the caller, for a verb that asks about many users. It slows down when IAM throttles.
pub(crate) async fn account_of_many(global: &Global) -> Account {
    const CALLS_PER_SECOND: NonZeroU32 = NonZeroU32::new(20).expect("it is not zero");
    account_at(global, None, CALLS_PER_SECOND).await
}

/// Runs several futures at a time. Returns their results in their order.
pub(crate) async fn several_at_a_time<T>(
    asked: impl IntoIterator<Item = impl Future<Output = T>>,
    at_a_time: NonZeroU32,
) -> Vec<T> {
    stream::iter(asked).buffered(at_a_time.get() as usize).collect().await
}

/// Runs a future that waits for the network.
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
