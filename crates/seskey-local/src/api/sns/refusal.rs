//! Every refusal of the SNS API, and its code and HTTP status. Source: the errors in botocore's `sns/2010-03-31`.

use crate::{
    account::TopicLimit,
    refusal::{ApiRefusal, Code},
};

/// The reason why a request is refused. `Display` is the text that the client gets, as recorded from AWS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum SnsRefusal {
    /// A refusal that is the same for every API of AWS.
    #[error(transparent)]
    Common(#[from] ApiRefusal),
    /// A parameter that SNS does not accept.
    #[error("Invalid parameter: {0}")]
    InvalidParameter(String),
    /// An ARN with too few elements.
    #[error("Invalid parameter: {0} Reason: An ARN must have at least 6 elements, not {1}")]
    TooFewElements(String, usize),
    /// The token is malformed.
    #[error("Invalid token")]
    InvalidToken,
    /// AWS serves it; this server does not.
    #[error("{0} is not served here.")]
    NotServed(String),
    /// There is no such topic or subscription.
    #[error("{0} does not exist")]
    NotFound(&'static str),
    /// The resource whose tags are requested is not a topic.
    #[error("Resource does not exist")]
    ResourceNotFound,
    /// The endpoint may not end its subscription.
    #[error("Not authorized to perform this action")]
    AuthenticateOnUnsubscribe,
    /// Too many topics.
    #[error(transparent)]
    TopicLimit(TopicLimit),
    /// Too many subscriptions.
    #[error(transparent)]
    SubscriptionLimit(TopicLimit),
}

impl SnsRefusal {
    pub(super) fn code_and_status(&self) -> (&'static str, u16) {
        match self {
            Self::Common(ApiRefusal::AccessDenied { .. }) | Self::AuthenticateOnUnsubscribe => {
                ("AuthorizationError", 403)
            }
            Self::Common(ApiRefusal::Failure(code)) => failure(*code),
            Self::Common(refusal) => (refusal.code(), refusal.status()),
            Self::InvalidParameter(_)
            | Self::TooFewElements(..)
            | Self::InvalidToken
            | Self::NotServed(_) => ("InvalidParameter", 400),
            Self::NotFound(_) => ("NotFound", 404),
            Self::ResourceNotFound => ("ResourceNotFound", 404),
            Self::TopicLimit(_) => ("TopicLimitExceeded", 403),
            Self::SubscriptionLimit(_) => ("SubscriptionLimitExceeded", 403),
        }
    }
}

fn failure(code: Code) -> (&'static str, u16) {
    match code {
        Code::Throttling => ("Throttled", 429),
        Code::ServiceUnavailable => ("ServiceUnavailable", 503),
        _ => ("InternalError", 500),
    }
}
