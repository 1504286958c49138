//! Why a rotation went no further.

use seskey::{
    AccessKeyId,
    rotation::{NoteError, Step},
    store::Store,
};

use super::super::prove::NotProven;
use crate::{Cause, Error, process::ProcessError, smtp::SmtpError, store::StoreError};

/// A run that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{failure}")]
pub struct RotateError {
    /// Why.
    pub failure: RotateFailure,
    /// The step that failed; none while it observed.
    pub step: Option<Step>,
    /// The steps that were carried out before.
    pub done: Vec<Step>,
}

/// Why a step failed, or could not be decided upon.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RotateFailure {
    /// A call to IAM failed.
    #[error(transparent)]
    Call(#[from] Error),
    /// A tag that rotations write was written by somebody else.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A store was not read or written.
    #[error("{store}: {error}")]
    Store {
        /// Which one.
        store: Box<Store>,
        /// Why.
        error: Box<StoreError>,
    },
    /// A store holds what was not written for it.
    #[error("{store} holds something else")]
    Foreign {
        /// Which one, as it was typed.
        store: String,
    },
    /// A store holds a credential that logs in, and is of no key of this user.
    #[error("{store} holds {key}, which is another user's and logs in")]
    OtherUser {
        /// Which one, as it was typed.
        store: String,
        /// The key.
        key: AccessKeyId,
    },
    /// Whether a store holds somebody else's credential cannot be tried.
    #[error("whether {key} in {store} logs in cannot be tried: {error}")]
    Untried {
        /// Which one, as it was typed.
        store: String,
        /// The key.
        key: AccessKeyId,
        /// Why.
        error: SmtpError,
    },
    /// A credential does not log in.
    #[error("{key}: {error}")]
    NotProven {
        /// The key.
        key: AccessKeyId,
        /// Whether this run has made it; else a store holds it.
        made_here: bool,
        /// Why.
        error: Box<NotProven>,
    },
    /// The command failed that is run after a delivery.
    #[error("the command after the delivery: {0}")]
    Hook(#[from] ProcessError),
    /// The user has no room for the tags that a rotation writes; seen before a key was made.
    #[error("{too_many} tags too many")]
    Tags {
        /// How many of its tags must go.
        too_many: usize,
    },
    /// The command that would be run after a delivery cannot be run; seen before a key was made.
    #[error("the command after the delivery: {0}")]
    NoHook(ProcessError),
    /// The SMTP endpoint cannot be reached; seen before a key was made.
    #[error("{0}")]
    Unreachable(SmtpError),
    /// What was done does not last: the same was to be done [`REPEATS`](super::REPEATS) times in one run.
    #[error("what was done did not last: {0:?}")]
    Undone(Step),
    /// A step was not done while what it was decided on could be relied on.
    #[error("it took too long: what was seen before is too old to go by")]
    TimeLimit,
    /// IAM made an access key that cannot be an SMTP credential.
    #[error("the access key {id} cannot be an SMTP credential")]
    UnusableKey {
        /// Its ID.
        id: String,
    },
}

impl RotateFailure {
    pub(super) fn of_store(store: &Store, error: StoreError) -> Self {
        Self::Store { store: Box::new(store.clone()), error: Box::new(error) }
    }

    /// Whether the same may succeed a moment later.
    pub(super) fn may_pass(&self) -> bool {
        let error = match self {
            Self::TimeLimit => return true,
            Self::Call(error) => error,
            // a key at hand would be lost with this run
            Self::Store { error, .. } => match &**error {
                StoreError::Call(error) => error,
                _ => return false,
            },
            _ => return false,
        };
        match &error.cause {
            Cause::Throttled { .. } => true,
            Cause::Unreadable | Cause::Unreachable { .. } => error.ambiguous,
            // an effect that another step still waits for: a key that was just deleted, or made
            Cause::NoSuchEntity { .. } | Cause::LimitExceeded { .. } => {
                error.action.ends_with("AccessKey")
            }
            Cause::Other { .. } => error.status.is_some_and(|status| status >= 500),
            _ => false,
        }
    }
}
