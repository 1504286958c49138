//! What is to be done next.

use jiff::Timestamp;

use super::{HAND_OVER_TAG, HandOver, INTENT_TAG, Intent, RETIRED_TAG, Retired};
use crate::access_key::AccessKeyId;

/// One step. Before the next one is asked for, everything is observed anew.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Write down which keys there are: one is about to be made.
    WriteIntent(Intent),
    /// Make a key and keep its secret at hand.
    CreateKey,
    /// Write down that this key was made by us.
    RecordKey(Intent),
    /// Deactivate, then delete a key that was never delivered.
    Discard(AccessKeyId),
    /// Log in with it, [`PROOFS`](super::PROOFS) times in a row, each on a new connection.
    Prove(AccessKeyId),
    /// Put it into a store.
    Deliver {
        /// Which one of [`Seen::stores`](super::Seen::stores), counted from 0.
        store: usize,
        /// The key.
        key: AccessKeyId,
    },
    /// Tell those who read the stores that this key is there.
    RunHook(AccessKeyId),
    /// Write down that every store holds the key, and since when.
    MarkHandOver(HandOver),
    /// Remove the note: not every store holds the key any more.
    ClearHandOver,
    /// Remove the note: there is a new key, and it is handed over.
    ClearIntent,
    /// Nothing may be done before this time.
    WaitUntil {
        /// The time.
        until: Timestamp,
        /// What for.
        why: Why,
        /// The key that is waited for.
        key: AccessKeyId,
    },
    /// Deactivate a key.
    Deactivate(AccessKeyId),
    /// Write down since when keys have been inactive.
    MarkRetired(Retired),
    /// Delete a key for good.
    Delete(AccessKeyId),
    /// Activate a key again. Only [`undo`](super::undo) asks for it.
    Activate(AccessKeyId),
    /// Go no further.
    Stop(Reason),
    /// All is as it should be.
    Done {
        /// When the next rotation is due, if a key is handed over.
        due: Option<Timestamp>,
    },
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// IAM may not show all that was done before: seconds, worth waiting for. Only [`revoke`](super::revoke) asks for it.
    Lag,
    /// Another run may have made the key, and be about to deliver it: minutes, worth waiting for.
    Lease,
    /// Somebody may still use the old key.
    Grace,
    /// Somebody has used the old key since the hand-over: with [`Goal::wait_unused`](super::Goal::wait_unused).
    Unused,
    /// Somebody may still miss the old key. If it is in the way of a new one,
    /// [`Goal::make_room`](super::Goal::make_room) does not wait.
    Quarantine,
}

/// Why it goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// There is no store: a new key would be lost. Nothing goes on without one.
    NoStore,
    /// The key that is to be retired is still used. [`Goal::wait_unused`](super::Goal::wait_unused) waits until it is
    /// not, [`Goal::even_if_used`](super::Goal::even_if_used) goes on at once.
    StillUsed {
        /// The key.
        key: AccessKeyId,
        /// When it was last used; perhaps up to [`USE_SPAN`](super::USE_SPAN) later.
        used: Timestamp,
        /// Since when the stores have held another one. None if it is in the way of a new key.
        handed_over: Option<Timestamp>,
    },
    /// A key that came up during a rotation is in somebody else's use.
    /// [`Goal::even_if_used`](super::Goal::even_if_used) takes it away from them.
    StrangersKey {
        /// The key.
        key: AccessKeyId,
        /// When it was last used.
        used: Timestamp,
    },
    /// The quarantine of the key that is to be activated again is over: it may be deleted at any moment.
    /// Nothing goes on; [`next`](super::next) makes a new key.
    TooLate(AccessKeyId),
    /// This step would be next, beyond [`Goal::until`](super::Goal::until): a later stage takes it.
    Limit(Box<Step>),
}

/// How far a rotation may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// A key is made and proven; lost ones are discarded.
    Create,
    /// The stores get it.
    Deliver,
    /// The key before it goes.
    Retire,
}

impl Step {
    /// The stage that it belongs to; none if it changes nothing.
    pub fn stage(&self) -> Option<Stage> {
        match self {
            Self::WriteIntent(_)
            | Self::CreateKey
            | Self::RecordKey(_)
            | Self::Discard(_)
            | Self::Prove(_) => Some(Stage::Create),
            Self::Deliver { .. }
            | Self::RunHook(_)
            | Self::MarkHandOver(_)
            | Self::ClearHandOver
            | Self::ClearIntent => Some(Stage::Deliver),
            Self::Deactivate(_) | Self::MarkRetired(_) | Self::Delete(_) | Self::Activate(_) => {
                Some(Stage::Retire)
            }
            Self::WaitUntil { .. } | Self::Stop(_) | Self::Done { .. } => None,
        }
    }

    /// Whether the run is over: all is done, or it goes no further, or waits for what is not worth waiting for.
    pub fn ends_a_run(&self) -> bool {
        match self {
            Self::WaitUntil { why, .. } => !matches!(why, Why::Lag | Why::Lease),
            Self::Stop(_) | Self::Done { .. } => true,
            _ => false,
        }
    }

    /// The tag of the IAM user that the step writes, or removes if there is no value.
    pub fn tag(&self) -> Option<(&'static str, Option<String>)> {
        match self {
            Self::WriteIntent(intent) | Self::RecordKey(intent) => {
                Some((INTENT_TAG, Some(intent.to_string())))
            }
            Self::ClearIntent => Some((INTENT_TAG, None)),
            Self::MarkHandOver(hand_over) => Some((HAND_OVER_TAG, Some(hand_over.to_string()))),
            Self::ClearHandOver => Some((HAND_OVER_TAG, None)),
            Self::MarkRetired(retired) => {
                Some((RETIRED_TAG, (!retired.is_empty()).then(|| retired.to_string())))
            }
            _ => None,
        }
    }
}
