//! Every refusal of the SES API, and its code and HTTP status in both versions.

use crate::{
    account::{IdentityPolicyError, SesResourceKind, SesResourceLimit, TooManyIdentities},
    message::HeaderError,
    refusal::{self as common, Code},
    sending,
};

/// The reason why a request is refused. `Display` is the text that the client gets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SesRefusal {
    /// A refusal that is the same for every API of AWS.
    #[error(transparent)]
    Common(#[from] common::ApiRefusal),
    /// The message is refused.
    #[error(transparent)]
    Sending(#[from] sending::SendingRefusal),
    /// The policy of an identity is not stored.
    #[error(transparent)]
    IdentityPolicy(#[from] IdentityPolicyError),
    /// Too many identities.
    #[error(transparent)]
    TooManyIdentities(#[from] TooManyIdentities),
    /// A parameter that SES does not accept.
    #[error("{0}")]
    InvalidParameter(String),
    /// AWS serves it; this server does not.
    #[error("{0} is not served here.")]
    NotServed(&'static str),
    /// There is no such identity in the region.
    #[error("Email identity {0} does not exist.")]
    NoSuchIdentity(String),
    /// The identity exists already.
    #[error("Email identity {0} already exist.")]
    IdentityAlreadyExists(String),
    /// The identity has a policy of that name already.
    #[error("Policy {0} already exists.")]
    PolicyAlreadyExists(String),
    /// The identity whose settings are to be changed does not exist.
    #[error("Identity {0} is not verified or does not exist.")]
    UnknownIdentity(String),
    /// There is no such configuration set, template or suppressed address.
    #[error("{}", there(*.0, .1, "does not exist."))]
    NoSuchResource(SesResourceKind, String),
    /// There is such a resource already.
    #[error("{}", there(*.0, .1, "already exists."))]
    ResourceAlreadyExists(SesResourceKind, String),
    /// The configuration set has no event destination of that name. The text is recorded.
    #[error("No EventDestination found for {0}")]
    NoEventDestination(String),
    /// The configuration set has such an event destination already. The text is a guess.
    #[error("Event destination <{name}> already exists in configuration set <{set}>.")]
    EventDestinationExists { set: String, name: String },
    /// Too many event destinations of a configuration set. The text is a guess.
    #[error("There are too many event destinations.")]
    TooManyEventDestinations,
    /// There is no such topic. The text is recorded.
    #[error("SNS topic <{0}> not found.")]
    NoTopic(String),
    /// A limit of resources would be exceeded.
    #[error(transparent)]
    SesResourceLimit(#[from] SesResourceLimit),
    /// The body is not the JSON that the operation expects.
    #[error("The request body cannot be read: {0}")]
    Serialization(String),
    /// No operation has this method and path.
    #[error("Unknown operation")]
    UnknownOperation,
}

impl From<HeaderError> for SesRefusal {
    fn from(error: HeaderError) -> Self {
        Self::Sending(error.into())
    }
}

impl SesRefusal {
    /// Returns the code and the HTTP status of version 1.
    pub(super) fn v1(&self) -> (&'static str, u16) {
        match self {
            Self::Common(refusal) => (refusal.code(), refusal.status()),
            Self::Sending(refusal) => refusal.class().v1,
            Self::IdentityPolicy(IdentityPolicyError::InvalidPolicy) => ("InvalidPolicy", 400),
            Self::IdentityPolicy(IdentityPolicyError::LimitExceeded)
            | Self::TooManyIdentities(_)
            | Self::TooManyEventDestinations
            | Self::SesResourceLimit(_) => ("LimitExceeded", 400),
            Self::NoEventDestination(_) => ("EventDestinationDoesNotExist", 400),
            Self::EventDestinationExists { .. } => ("EventDestinationAlreadyExists", 400),
            Self::NoTopic(_) => ("InvalidSNSDestination", 400),
            Self::UnknownIdentity(_) => ("MessageRejected", 400),
            Self::NoSuchResource(SesResourceKind::ConfigurationSet, _) => {
                ("ConfigurationSetDoesNotExist", 400)
            }
            Self::NoSuchResource(..) => ("TemplateDoesNotExist", 400),
            Self::ResourceAlreadyExists(SesResourceKind::ConfigurationSet, _) => {
                ("ConfigurationSetAlreadyExists", 400)
            }
            Self::ResourceAlreadyExists(..) => ("AlreadyExists", 400),
            _ => ("InvalidParameterValue", 400),
        }
    }

    /// Returns the error type and the HTTP status of version 2.
    pub(super) fn v2(&self) -> (&'static str, u16) {
        use common::ApiRefusal as C;
        match self {
            Self::Common(refusal) => match refusal {
                C::SignatureDoesNotMatch(_) => ("InvalidSignatureException", 403),
                C::InvalidClientTokenId => ("UnrecognizedClientException", 403),
                C::MissingAuthenticationToken => ("MissingAuthenticationTokenException", 403),
                C::IncompleteSignature(_) => ("IncompleteSignatureException", 400),
                C::AccessDenied { .. } => ("AccessDeniedException", 403),
                C::Failure(code) => failure(*code),
                _ => ("BadRequestException", 400),
            },
            Self::Sending(refusal) => refusal.class().v2,
            Self::NoSuchIdentity(_)
            | Self::NoSuchResource(..)
            | Self::NoEventDestination(_)
            | Self::UnknownIdentity(_)
            | Self::IdentityPolicy(IdentityPolicyError::NoSuchIdentity(_)) => {
                ("NotFoundException", 404)
            }
            Self::IdentityAlreadyExists(_)
            | Self::PolicyAlreadyExists(_)
            | Self::EventDestinationExists { .. }
            | Self::ResourceAlreadyExists(..) => ("AlreadyExistsException", 400),
            Self::IdentityPolicy(IdentityPolicyError::LimitExceeded)
            | Self::TooManyIdentities(_)
            | Self::TooManyEventDestinations
            | Self::SesResourceLimit(_) => ("LimitExceededException", 400),
            Self::Serialization(_) => ("SerializationException", 400),
            Self::UnknownOperation => ("UnknownOperationException", 404),
            Self::InvalidParameter(_)
            | Self::NotServed(_)
            | Self::NoTopic(_)
            | Self::IdentityPolicy(_) => ("BadRequestException", 400),
        }
    }
}

/// Returns the error type and the HTTP status of version 2 for a failure. Sources: botocore's `sesv2/2019-09-27`; SES
/// API v2 Reference, "Common Errors".
fn failure(code: Code) -> (&'static str, u16) {
    match code {
        Code::Throttling => ("TooManyRequestsException", 429),
        Code::ServiceUnavailable => ("ServiceUnavailable", 503),
        Code::ConcurrentModification => ("ConcurrentModificationException", 500),
        Code::ServiceFailure | Code::InternalFailure | Code::EntityTemporarilyUnmodifiable => {
            ("InternalServiceErrorException", 500)
        }
    }
}

/// Returns the text about a resource: recorded for a configuration set, a guess for the others.
fn there(kind: SesResourceKind, name: &str, what: &str) -> String {
    match kind {
        SesResourceKind::ConfigurationSet => format!("Configuration set <{name}> {what}"),
        SesResourceKind::EventDestination => format!("Event destination <{name}> {what}"),
        SesResourceKind::Template => format!("Template {name} {what}"),
        SesResourceKind::SuppressedAddress => {
            format!("Email address {name} {what}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A failure of the service has a status and a code on which clients retry.
    #[test]
    fn what_is_not_the_clients_fault() {
        for (code, expected) in [
            (Code::Throttling, ("TooManyRequestsException", 429)),
            (Code::ServiceFailure, ("InternalServiceErrorException", 500)),
            (Code::InternalFailure, ("InternalServiceErrorException", 500)),
            (Code::ServiceUnavailable, ("ServiceUnavailable", 503)),
        ] {
            let refusal = SesRefusal::Common(common::ApiRefusal::Failure(code));
            assert_eq!(refusal.v2(), expected, "{code:?}");
            assert_eq!(refusal.v1(), (code.as_str(), code.status()), "{code:?}");
        }
    }
}
