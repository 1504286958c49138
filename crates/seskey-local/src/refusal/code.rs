//! The errors that do not depend on the content of a request.

use serde::Deserialize;

/// An error that does not depend on the content of a request.
/// Source: IAM API Reference, "Common Errors" and the errors of the actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[allow(missing_docs)] // the codes of the API
pub enum Code {
    Throttling,
    ServiceFailure,
    InternalFailure,
    ServiceUnavailable,
    ConcurrentModification,
    EntityTemporarilyUnmodifiable,
}

impl Code {
    /// Returns the error code of the API.
    pub fn as_str(self) -> &'static str {
        self.facts().0
    }

    /// Returns the HTTP status.
    pub fn status(self) -> u16 {
        self.facts().1
    }

    /// Returns a text for people.
    pub fn message(self) -> &'static str {
        self.facts().2
    }

    fn facts(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::Throttling => ("Throttling", 400, "Rate exceeded"),
            Self::ServiceFailure => ("ServiceFailure", 500, UNKNOWN_FAILURE),
            Self::InternalFailure => ("InternalFailure", 500, UNKNOWN_FAILURE),
            Self::ServiceUnavailable => (
                "ServiceUnavailable",
                503,
                "The request has failed due to a temporary failure of the server.",
            ),
            Self::ConcurrentModification => (
                "ConcurrentModification",
                409,
                "Multiple requests to change this object were submitted simultaneously. Wait a few minutes and submit your request again.",
            ),
            Self::EntityTemporarilyUnmodifiable => (
                "EntityTemporarilyUnmodifiable",
                409,
                "The entity is temporarily in an unmodifiable state. Try again after waiting several minutes.",
            ),
        }
    }
}

const UNKNOWN_FAILURE: &str =
    "The request processing has failed because of an unknown error, exception or failure.";
