//! The failures of a rotation.

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
    /// The reason.
    pub failure: RotateFailure,
    /// The step that failed; none if the observation failed.
    pub step: Option<Step>,
    /// The steps that were carried out before.
    pub done: Vec<Step>,
}

/// The reason why a step failed, or could not be decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RotateFailure {
    /// A call to IAM failed.
    #[error(transparent)]
    Call(#[from] Error),
    /// A tag of rotations was written by somebody else.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A store was not read or written.
    #[error("{store}: {error}")]
    Store {
        /// The store.
        store: Box<Store>,
        /// The error.
        error: Box<StoreError>,
    },
    /// A store holds content that was not written as a credential.
    #[error("{store} holds something else")]
    Foreign {
        /// The store, as it was typed.
        store: String,
    },
    /// A store holds a credential that logs in and does not belong to a key of this user.
    #[error("{store} holds {key}, which is another user's and logs in")]
    OtherUser {
        /// The store, as it was typed.
        store: String,
        /// The key.
        key: AccessKeyId,
    },
    /// Whether a store holds the credential of somebody else could not be tried.
    #[error("whether {key} in {store} logs in cannot be tried: {error}")]
    Untried {
        /// The store, as it was typed.
        store: String,
        /// The key.
        key: AccessKeyId,
        /// The failure.
        error: SmtpError,
    },
    /// A credential does not log in.
    #[error("{key}: {error}")]
    NotProven {
        /// The key.
        key: AccessKeyId,
        /// Whether this run made the key; else a store holds it.
        made_here: bool,
        /// The failed proof.
        error: Box<NotProven>,
    },
    /// The command after a delivery failed.
    #[error("the command after the delivery: {0}")]
    Hook(#[from] ProcessError),
    /// The user has no room for the tags of a rotation; seen before a key was made.
    #[error("{too_many} tags too many")]
    Tags {
        /// The number of tags that must be removed.
        too_many: usize,
    },
    /// The command after a delivery cannot be run; seen before a key was made.
    #[error("the command after the delivery: {0}")]
    NoHook(ProcessError),
    /// The SMTP endpoint cannot be reached; seen before a key was made.
    #[error("{0}")]
    Unreachable(SmtpError),
    /// The change does not last: the same step was due [`REPEATS`](super::REPEATS) times in one run.
    #[error("the change did not last: {0:?}")]
    Undone(Step),
    /// A step was not done while its observations were still valid.
    #[error("it took too long: the observations before it are too old")]
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
            // otherwise a key at hand would be lost with this run
            Self::Store { error, .. } => match &**error {
                StoreError::Call(error) => error,
                _ => return false,
            },
            _ => return false,
        };
        match &error.cause {
            Cause::Throttled { .. } => true,
            Cause::Unreadable | Cause::Unreachable { .. } => error.ambiguous,
            // another step's effect is not visible yet: a key that was just deleted, or made
            Cause::NoSuchEntity { .. } | Cause::LimitExceeded { .. } => {
                error.action.ends_with("AccessKey")
            }
            Cause::Other { .. } => error.status.is_some_and(|status| status >= 500),
            _ => false,
        }
    }
}
