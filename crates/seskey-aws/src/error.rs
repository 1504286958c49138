//! The failures of calls to AWS, as facts. Nothing here prints an answer of AWS that could not be read: the answer to
//! CreateAccessKey contains a secret.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_iam::{
    error::{ConnectorError, ProvideErrorMetadata, SdkError},
    operation::RequestId,
};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use seskey::redact::redact;

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{action}: {cause}")]
#[non_exhaustive]
pub struct Error {
    /// The IAM action that the call needs, such as `iam:CreateUser`.
    pub action: &'static str,
    /// The cause.
    pub cause: Cause,
    /// Whether the call may have taken effect all the same: it was sent, and no clear refusal came back.
    pub ambiguous: bool,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The request ID, which AWS Support asks for.
    pub request_id: Option<String>,
}

/// The cause of a failed call. Sources: IAM API, "Common Error Types", and the errors of each operation. Other codes of
/// Secrets Manager, Systems Manager, SES and S3 are mapped to IAM's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// The caller may not do this.
    #[error("access denied: {message}")]
    AccessDenied {
        /// The denied action: the one in the message, else the one that the call is known to need.
        action: String,
        /// The resource, if the message names it.
        resource: Option<Box<str>>,
        /// The reason, as far as the message gives it.
        denial: Denial,
        /// AWS's message.
        message: String,
    },
    /// The role that was to make the call cannot be assumed.
    #[error("no session of the role: {0}")]
    Role(Box<Self>),
    /// The user, group, policy, key, secret, parameter or object does not exist.
    #[error("no such entity: {message}")]
    NoSuchEntity {
        /// AWS's message.
        message: String,
    },
    /// The name is taken.
    #[error("already exists: {message}")]
    EntityAlreadyExists {
        /// AWS's message.
        message: String,
    },
    /// A quota is used up, such as two access keys per user.
    #[error("limit exceeded: {message}")]
    LimitExceeded {
        /// AWS's message.
        message: String,
    },
    /// Something that depends on the entity must be deleted first.
    #[error("delete conflict: {message}")]
    DeleteConflict {
        /// AWS's message.
        message: String,
    },
    /// Too many calls, even after waiting.
    #[error("throttled: {message}")]
    Throttled {
        /// AWS's message.
        message: String,
    },
    /// The credentials of the caller are wrong, inactive or expired.
    #[error("the caller's credentials were refused: {code}: {message}")]
    CallerCredentials {
        /// AWS's code, such as `InvalidClientTokenId`.
        code: String,
        /// AWS's message.
        message: String,
    },
    /// The default chain found no credentials for the caller.
    #[error("no credentials{}", reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    NoCredentials {
        /// The message of the chain, unless it only says that all places were asked.
        reason: Option<String>,
    },
    /// There was no connection, it broke, or no answer came in time.
    #[error("no answer from {}: {reason}", endpoint.as_deref().unwrap_or("AWS"))]
    Unreachable {
        /// The endpoint that was called, if any.
        endpoint: Option<String>,
        /// The reason.
        reason: String,
    },
    /// An answer came that is not one of the API. It is not shown, since it may contain a secret.
    #[error("the answer could not be read")]
    Unreadable,
    /// Any other refusal.
    #[error("{code}: {message}")]
    Other {
        /// AWS's code.
        code: String,
        /// AWS's message.
        message: String,
    },
}

/// The reason why a call is denied. Source: IAM User Guide, "Troubleshoot access denied error messages".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// No policy allows it, or the message does not say.
    NotAllowed,
    /// A policy denies it, which overrides every allow.
    Explicit,
    /// A service control policy or a resource control policy of the organization denies it, or none allows it.
    Organization,
}

impl Error {
    /// Whether the user, group, policy, key, secret or parameter does not exist.
    pub fn is_no_such_entity(&self) -> bool {
        matches!(self.cause, Cause::NoSuchEntity { .. })
    }

    /// Whether the name is taken.
    pub fn is_already_exists(&self) -> bool {
        matches!(self.cause, Cause::EntityAlreadyExists { .. })
    }

    /// Whether the caller may not do this.
    pub fn is_access_denied(&self) -> bool {
        matches!(self.cause, Cause::AccessDenied { .. })
    }

    /// Removes these secrets from AWS's message.
    pub(crate) fn without(mut self, secrets: &[&str]) -> Self {
        match &mut self.cause {
            Cause::AccessDenied { message, .. }
            | Cause::NoSuchEntity { message }
            | Cause::EntityAlreadyExists { message }
            | Cause::LimitExceeded { message }
            | Cause::DeleteConflict { message }
            | Cause::Throttled { message }
            | Cause::CallerCredentials { message, .. }
            | Cause::Other { message, .. } => *message = redact(message, secrets),
            Cause::Role(_)
            | Cause::NoCredentials { .. }
            | Cause::Unreachable { .. }
            | Cause::Unreadable => {}
        }
        self
    }

    /// Returns the error for an answer without a required part.
    pub(crate) fn unreadable(action: &'static str) -> Self {
        Self { action, cause: Cause::Unreadable, ambiguous: true, status: None, request_id: None }
    }

    pub(crate) fn of<E>(action: &'static str, endpoint: Option<&str>, error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let unreachable =
            |reason| Cause::Unreachable { endpoint: endpoint.map(str::to_owned), reason };
        let status = error.raw_response().map(|response| response.status().as_u16());
        let (cause, ambiguous) = match error {
            // a refusal has a code; a client error is a refusal even if an intermediary wrote the body
            SdkError::ServiceError(_) => match (error.code(), status.unwrap_or_default() / 100) {
                (Some(code), class) => {
                    (of_code(action, code, error.message().unwrap_or_default()), class == 5)
                }
                (None, class) => (Cause::Unreadable, class != 4),
            },
            SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
                Some(failure) if let Some(refusal) = role_refused(failure) => {
                    let Self { cause, request_id, .. } = Self::of(ASSUME_ROLE, None, refusal);
                    let cause = Cause::Role(Box::new(cause));
                    return Self {
                        action: ASSUME_ROLE,
                        cause,
                        ambiguous: false,
                        status: None,
                        request_id,
                    };
                }
                Some(failure) if no_credentials(failure) => {
                    // after it asked every place, the SDK names each on a line of its own
                    let reason = Some(reason(failure))
                        .filter(|reason| !reason.contains("no credentials found in chain"));
                    (Cause::NoCredentials { reason }, false)
                }
                Some(failure) => (unreachable(reason(failure)), !never_connected(failure)),
                None => (unreachable("dispatch failure".to_owned()), true),
            },
            SdkError::TimeoutError(_) => (unreachable("timed out".to_owned()), true),
            SdkError::ResponseError(_) => (Cause::Unreadable, true),
            // nothing was sent
            other => {
                (Cause::Other { code: "NotSent".to_owned(), message: other.to_string() }, false)
            }
        };
        tracing::debug!(action, status, ambiguous, %cause, "failed");
        Self { action, cause, ambiguous, status, request_id: error.request_id().map(str::to_owned) }
    }
}

/// Returns the answer, or `None` if the caller may not ask.
pub(crate) fn permitted<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Err(error) if error.is_access_denied() => Ok(None),
        answer => answer.map(Some),
    }
}

/// Whether the failure came before the request could be sent. The HTTP client's own types are not public, so its
/// messages are compared; they are tested against a refused connection.
pub(crate) fn never_connected(failure: &ConnectorError) -> bool {
    chain(failure).any(|error| {
        let text = error.to_string();
        text == "client error (Connect)" || text.starts_with("HTTP connect timeout")
    })
}

pub(crate) fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "SlowDown"
            | "TooManyUpdates"
    )
}

fn of_code(action: &str, code: &str, message: &str) -> Cause {
    let (code, message) = (code.to_owned(), message.to_owned());
    match code.as_str() {
        "AccessDenied" | "AccessDeniedException" | "NotAuthorized" => {
            let named = |before| {
                let (_, rest) = message.split_once(before)?;
                rest.split_ascii_whitespace().next()
            };
            Cause::AccessDenied {
                action: named("not authorized to perform: ").unwrap_or(action).to_owned(),
                resource: named("on resource: ").map(Into::into),
                denial: denial(&message),
                message,
            }
        }
        "NoSuchEntity"
        | "NotFoundException"
        | "ResourceNotFoundException"
        | "ParameterNotFound"
        | "NoSuchBucket"
        | "NoSuchKey" => Cause::NoSuchEntity { message },
        "EntityAlreadyExists" | "ResourceExistsException" | "ParameterAlreadyExists" => {
            Cause::EntityAlreadyExists { message }
        }
        "LimitExceeded" | "LimitExceededException" | "ParameterLimitExceeded" => {
            Cause::LimitExceeded { message }
        }
        "DeleteConflict" => Cause::DeleteConflict { message },
        "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "InvalidToken"
        | "RequestTimeTooSkewed"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "RequestExpired"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "UnrecognizedClientException" => Cause::CallerCredentials { code, message },
        throttling if is_throttling(throttling) => Cause::Throttled { message },
        _ => Cause::Other { code, message },
    }
}

fn denial(message: &str) -> Denial {
    let is_of_organization =
        ["service control policy", "resource control policy"].iter().any(|it| message.contains(it));
    match (is_of_organization, message.contains("explicit deny")) {
        (true, _) => Denial::Organization,
        (false, true) => Denial::Explicit,
        (false, false) => Denial::NotAllowed,
    }
}

const ASSUME_ROLE: &str = "sts:AssumeRole";

fn role_refused(failure: &ConnectorError) -> Option<&SdkError<AssumeRoleError>> {
    chain(failure).find_map(|error| error.downcast_ref())
}

fn no_credentials(failure: &ConnectorError) -> bool {
    chain(failure).any(|error| error.is::<CredentialsError>())
}

fn reason(failure: &ConnectorError) -> String {
    let mut texts: Vec<String> = chain(failure).skip(1).map(ToString::to_string).collect();
    texts.dedup();
    texts.join(": ")
}

fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_aws_quotes() {
        let password = "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9";
        let cause =
            of_code("ssm:PutParameter", "ValidationException", &format!("Value '{password}'"));
        let error = Error { cause, ..Error::unreadable("ssm:PutParameter") }.without(&[password]);
        assert_eq!(error.cause.to_string(), "ValidationException: Value '[redacted]'");
    }

    #[test]
    fn codes() {
        let message = "m".to_owned();
        let explicit = "User: u is not authorized to perform: iam:TagUser on resource: user/x with an explicit deny in an \
                        identity-based policy";
        let by_scp = "User: u is not authorized to perform: iam:TagUser on resource: user/x with an explicit deny in a service \
                      control policy";
        let no_scp = "User: u is not authorized to perform: iam:TagUser on resource: user/x because no service control \
                      policy allows the iam:TagUser action";
        let denied = |action: &str, resource: Option<&str>, message: &str| Cause::AccessDenied {
            action: action.to_owned(),
            resource: resource.map(Into::into),
            denial: match message {
                _ if message == explicit => Denial::Explicit,
                _ if message.contains("control policy") => Denial::Organization,
                _ => Denial::NotAllowed,
            },
            message: message.to_owned(),
        };
        let named = "User: arn:aws:iam::111122223333:user/u is not authorized to perform: iam:TagUser on resource: \
                     arn:aws:iam::111122223333:user/x because no identity-based policy allows the iam:TagUser action";
        for (code, text, cause) in [
            (
                "AccessDenied",
                named,
                denied("iam:TagUser", Some("arn:aws:iam::111122223333:user/x"), named),
            ),
            ("AccessDenied", explicit, denied("iam:TagUser", Some("user/x"), explicit)),
            ("AccessDenied", "m", denied("iam:CreateUser", None, "m")),
            ("AccessDenied", by_scp, denied("iam:TagUser", Some("user/x"), by_scp)),
            ("AccessDenied", no_scp, denied("iam:TagUser", Some("user/x"), no_scp)),
            ("NoSuchEntity", "m", Cause::NoSuchEntity { message: message.clone() }),
            ("ResourceNotFoundException", "m", Cause::NoSuchEntity { message: message.clone() }),
            ("ParameterNotFound", "m", Cause::NoSuchEntity { message: message.clone() }),
            (
                "ParameterAlreadyExists",
                "m",
                Cause::EntityAlreadyExists { message: message.clone() },
            ),
            ("EntityAlreadyExists", "m", Cause::EntityAlreadyExists { message: message.clone() }),
            ("LimitExceeded", "m", Cause::LimitExceeded { message: message.clone() }),
            ("DeleteConflict", "m", Cause::DeleteConflict { message: message.clone() }),
            ("Throttling", "m", Cause::Throttled { message: message.clone() }),
            (
                "SignatureDoesNotMatch",
                "m",
                Cause::CallerCredentials {
                    code: "SignatureDoesNotMatch".to_owned(),
                    message: message.clone(),
                },
            ),
            (
                "ServiceFailure",
                "m",
                Cause::Other { code: "ServiceFailure".to_owned(), message: message.clone() },
            ),
        ] {
            assert_eq!(of_code("iam:CreateUser", code, text), cause, "{code}");
        }
    }
}
