//! The steps of a rotation.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Denial, HAND_OVER_TAG, HandOver, INTENT_TAG, Intent, RETIRED_TAG, Retired, StoreId};
use crate::access_key::AccessKeyId;

/// One step. Before the next one is decided, everything is observed anew.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Note the existing keys: a new one is about to be made.
    WriteIntent(Intent),
    /// Make a key, keep its secret at hand, and note at once, in this intent, that this run made it.
    CreateKey(Intent),
    /// Note that this run made a key, if that failed or was overwritten, or that a key is taken out of a store.
    RecordKey(Intent),
    /// Deactivate, then delete a key that was never delivered.
    Discard(AccessKeyId),
    /// Log in with it in each region of the stores, [`PROOFS`](super::PROOFS) times in a row, each on a new connection;
    /// while it is younger than [`YOUNG`](super::YOUNG), over [`FLAPPING`](super::FLAPPING).
    Prove(AccessKeyId),
    /// Put it into a store.
    Deliver {
        /// Its index in [`Seen::stores`](super::Seen::stores), counted from 0.
        store: usize,
        /// The key.
        key: AccessKeyId,
    },
    /// Log in once more, in each region, with the passwords that the stores hold now.
    Confirm(AccessKeyId),
    /// Put the previous key back into a store: the key that was delivered is refused.
    PutBack {
        /// Its index in [`Seen::stores`](super::Seen::stores), counted from 0.
        store: usize,
        /// The key that it held before.
        key: AccessKeyId,
    },
    /// Tell the readers of the stores that this key is there.
    RunHook(AccessKeyId),
    /// Note the stores that hold the key, and the time.
    MarkHandOver(HandOver),
    /// Begin the grace time anew: a retired key has been activated again.
    BeginGraceAgain(HandOver),
    /// Remove the note: there is a new key, and it is handed over.
    ClearIntent,
    /// Nothing may be done before this time.
    WaitUntil {
        /// The time.
        until: Timestamp,
        /// The reason for the wait.
        why: Why,
        /// The key that is waited for.
        key: AccessKeyId,
    },
    /// Deactivate a key.
    Deactivate(AccessKeyId),
    /// Note the times since which keys have been inactive.
    MarkRetired(Retired),
    /// Delete a key for good.
    Delete(AccessKeyId),
    /// Activate a key again. Only [`undo`](super::undo) returns it.
    Activate(AccessKeyId),
    /// Stop.
    Stop(Reason),
    /// Nothing is left to do.
    Done {
        /// The time at which the next rotation is due, if a key is handed over.
        due: Option<Timestamp>,
    },
}

/// The reason for a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// IAM may not show every change yet: a wait of seconds, within the run. Only [`revoke`](super::revoke) returns it.
    Lag,
    /// Another run may have made the key, and be about to deliver it: minutes at most.
    Lease,
    /// The old key may still be used.
    Grace,
    /// The old key was used since the hand-over: with [`Goal::wait_unused`](super::Goal::wait_unused).
    Unused,
    /// The old key may still be missed. If it leaves no room for a new one, [`Goal::make_room`](super::Goal::make_room)
    /// does not wait.
    Quarantine,
}

/// The reason for a stop.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// There is no store: a new key would be lost. No option overrides this.
    NoStore,
    /// The key that is to be retired is still used. [`Goal::wait_unused`](super::Goal::wait_unused) waits until it is
    /// not, [`Goal::force`](super::Goal::force) continues at once.
    StillUsed {
        /// The key.
        key: AccessKeyId,
        /// The time of its last use; perhaps up to [`USE_SPAN`](super::USE_SPAN) later.
        used: Timestamp,
        /// The time since which the stores have held another key.
        handed_over: Timestamp,
    },
    /// Somebody else uses a key that appeared during a rotation. [`Goal::force`](super::Goal::force) takes it away from
    /// them.
    StrangersKey {
        /// The key.
        key: AccessKeyId,
        /// The time of its last use.
        used: Timestamp,
    },
    /// The user may not send: a key of it would log in, and its mail would be refused.
    /// [`Goal::force`](super::Goal::force) continues.
    MayNotSend(Denial),
    /// The note and the run name more stores than a note has room for. [`Goal::force`](super::Goal::force) forgets the
    /// stores that the run does not name.
    TooManyStores,
    /// By the notes, stores that the run does not name hold a key of the user, or may hold one: their readers would be
    /// left with a dead key. [`Goal::force`](super::Goal::force) forgets these stores.
    OtherStores {
        /// The key.
        key: AccessKeyId,
        /// The time since which they hold it.
        at: Timestamp,
        /// The stores.
        unnamed: BTreeSet<StoreId>,
    },
    /// The note says that the store holds the key, but the store is empty: it may be out of reach, like a disk that is
    /// not mounted. A key in [`Goal::replace`](super::Goal::replace), or [`Goal::force`](super::Goal::force), overrides
    /// this.
    EmptyStore {
        /// Its index in [`Seen::stores`](super::Seen::stores), counted from 0.
        store: usize,
        /// The key.
        key: AccessKeyId,
        /// The time since which it has held the key.
        at: Timestamp,
    },
    /// A person has deactivated the key that was handed over. With a key in [`Goal::replace`](super::Goal::replace), or
    /// [`Goal::force`](super::Goal::force), a new one is made.
    Deactivated(AccessKeyId),
    /// A rotation by Secrets Manager has made this key, and has not finished. No option overrides this.
    Pending(AccessKeyId),
    /// There are two active keys, and no hand-over says which of them is no longer read.
    /// [`Goal::force`](super::Goal::force) retires the one that has been unused for longer.
    NoRoom(Vec<AccessKeyId>),
    /// There are two active keys, each in a store, and neither has a password for all stores.
    BothRead(Vec<AccessKeyId>),
    /// The quarantine of the key that is to be activated again is over: it may be deleted at any moment. No option
    /// overrides this; [`next`](super::next) makes a new key.
    TooLate(AccessKeyId),
    /// This step would be next, but it is beyond [`Goal::until`](super::Goal::until), in a later stage.
    Limit(Box<Step>),
}

/// The stages of a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// A key is made and proven; lost keys are discarded.
    Create,
    /// The stores get the key.
    Deliver,
    /// The previous key is retired.
    Retire,
}

impl Step {
    /// Returns the stage that it belongs to; `None` if it changes nothing.
    pub fn stage(&self) -> Option<Stage> {
        match self {
            Self::WriteIntent(_)
            | Self::CreateKey(_)
            | Self::RecordKey(_)
            | Self::Discard(_)
            | Self::Prove(_) => Some(Stage::Create),
            Self::Deliver { .. }
            | Self::Confirm(_)
            | Self::PutBack { .. }
            | Self::RunHook(_)
            | Self::MarkHandOver(_)
            | Self::BeginGraceAgain(_)
            | Self::ClearIntent => Some(Stage::Deliver),
            Self::Deactivate(_) | Self::MarkRetired(_) | Self::Delete(_) | Self::Activate(_) => {
                Some(Stage::Retire)
            }
            Self::WaitUntil { .. } | Self::Stop(_) | Self::Done { .. } => None,
        }
    }

    /// Whether the run is over: everything is done, or it stops, or it leaves a wait to the next run.
    pub fn ends_a_run(&self) -> bool {
        match self {
            Self::WaitUntil { why, .. } => !matches!(why, Why::Lag | Why::Lease),
            Self::Stop(_) | Self::Done { .. } => true,
            _ => false,
        }
    }

    /// Returns the tag of the IAM user that the step writes, or removes if there is no value.
    pub fn tag(&self) -> Option<(&'static str, Option<String>)> {
        match self {
            Self::WriteIntent(intent) | Self::RecordKey(intent) => {
                Some((INTENT_TAG, Some(intent.to_string())))
            }
            Self::ClearIntent => Some((INTENT_TAG, None)),
            Self::MarkHandOver(note) | Self::BeginGraceAgain(note) => {
                Some((HAND_OVER_TAG, Some(note.to_string())))
            }
            Self::MarkRetired(retired) => {
                Some((RETIRED_TAG, (!retired.is_empty()).then(|| retired.to_string())))
            }
            _ => None,
        }
    }
}
