//! The retries of failed calls.

use std::{error::Error as StdError, fmt, marker::PhantomData};

use aws_sdk_iam::{
    config::{
        interceptors::InterceptorContext,
        retry::{ClassifyRetry, RetryAction},
    },
    error::ProvideErrorMetadata,
};

use crate::error::{is_throttling, never_connected};

/// Returns a configuration for a call that must not be sent twice: after a cut connection, a second CreateAccessKey
/// would make a second key, and a second CreateUser would find the user of the first. Only a throttled call is retried.
pub(crate) fn at_most_once<E>() -> aws_sdk_iam::config::Builder
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    aws_sdk_iam::Config::builder().retry_classifier(OnlyThrottling::<E>(PhantomData))
}

/// A classifier that does not retry an unreachable endpoint, since a user waits.
#[derive(Debug)]
pub(crate) struct Unreached;

impl ClassifyRetry for Unreached {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let failure = context.output_or_error().and_then(|outcome| outcome.err());
        match failure.and_then(|error| error.as_connector_error()) {
            Some(failure) if never_connected(failure) => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "Unreached"
    }
}

struct OnlyThrottling<E>(PhantomData<fn() -> E>);

impl<E> ClassifyRetry for OnlyThrottling<E>
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let failure = context.output_or_error().and_then(|outcome| outcome.err());
        let refusal = failure
            .and_then(|error| error.as_operation_error())
            .and_then(|error| error.downcast_ref::<E>());
        match refusal.and_then(|refusal| refusal.code()) {
            Some(code) if is_throttling(code) => RetryAction::NoActionIndicated,
            _ => RetryAction::RetryForbidden,
        }
    }

    fn name(&self) -> &'static str {
        "OnlyThrottling"
    }
}

impl<E> fmt::Debug for OnlyThrottling<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnlyThrottling")
    }
}
