//! What is to be done next.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Denial, HAND_OVER_TAG, HandOver, INTENT_TAG, Intent, RETIRED_TAG, Retired, StoreId};
use crate::access_key::AccessKeyId;

/// One step. Before the next one is asked for, everything is observed anew.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Write down which keys there are: one is about to be made.
    WriteIntent(Intent),
    /// Make a key, keep its secret at hand, and write down at once, in this intent, that it was made by us.
    CreateKey(Intent),
    /// Write down that a key was made by us, where that has failed or was written over, or that it is taken out of a store.
    RecordKey(Intent),
    /// Deactivate, then delete a key that was never delivered.
    Discard(AccessKeyId),
    /// Log in with it in each region of the stores, [`PROOFS`](super::PROOFS) times in a row, each on a new connection;
    /// while it is younger than [`YOUNG`](super::YOUNG), over [`FLAPPING`](super::FLAPPING).
    Prove(AccessKeyId),
    /// Put it into a store.
    Deliver {
        /// Which one of [`Seen::stores`](super::Seen::stores), counted from 0.
        store: usize,
        /// The key.
        key: AccessKeyId,
    },
    /// Log in once more, in each region, with what the stores hold now.
    Confirm(AccessKeyId),
    /// Put into a store what it held before: the key that was delivered is refused.
    PutBack {
        /// Which one of [`Seen::stores`](super::Seen::stores), counted from 0.
        store: usize,
        /// The key that it held before.
        key: AccessKeyId,
    },
    /// Tell those who read the stores that this key is there.
    RunHook(AccessKeyId),
    /// Write down which stores hold the key, and since when.
    MarkHandOver(HandOver),
    /// Let the grace time begin anew: somebody has activated a retired key again.
    BeginGraceAgain(HandOver),
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
    /// Another run may have made the key, and be about to deliver it: minutes at most.
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
    /// not, [`Goal::force`](super::Goal::force) goes on at once.
    StillUsed {
        /// The key.
        key: AccessKeyId,
        /// When it was last used; perhaps up to [`USE_SPAN`](super::USE_SPAN) later.
        used: Timestamp,
        /// Since when the stores have held another one.
        handed_over: Timestamp,
    },
    /// A key that came up during a rotation is in somebody else's use.
    /// [`Goal::force`](super::Goal::force) takes it away from them.
    StrangersKey {
        /// The key.
        key: AccessKeyId,
        /// When it was last used.
        used: Timestamp,
    },
    /// The user may not send: a key of it would log in, and its mail would be refused. [`Goal::force`](super::Goal::force)
    /// goes on.
    MayNotSend(Denial),
    /// The note and the run speak of more stores than a note has room for. [`Goal::force`](super::Goal::force) forgets
    /// those that the run does not name.
    TooManyStores,
    /// The notes say of stores that they hold a key of the user, or may, and the run does not name them: whoever reads
    /// them would be left with a dead key. [`Goal::force`](super::Goal::force) forgets them.
    OtherStores {
        /// The key.
        key: AccessKeyId,
        /// Since when.
        at: Timestamp,
        /// The stores.
        unnamed: BTreeSet<StoreId>,
    },
    /// The note says that the store holds the key, and it is empty: it may be out of reach, like a disk that is not
    /// mounted. A key in [`Goal::replace`](super::Goal::replace), or [`Goal::force`](super::Goal::force), goes on.
    EmptyStore {
        /// Which one of [`Seen::stores`](super::Seen::stores), counted from 0.
        store: usize,
        /// The key.
        key: AccessKeyId,
        /// Since when it has held it.
        at: Timestamp,
    },
    /// Somebody has deactivated the key that was handed over. A key in [`Goal::replace`](super::Goal::replace), or
    /// [`Goal::force`](super::Goal::force), makes a new one.
    Deactivated(AccessKeyId),
    /// A rotation by Secrets Manager has made this key, and has not finished. Nothing goes on without it.
    Pending(AccessKeyId),
    /// There are two active keys, and no hand-over says which of them nobody reads any more.
    /// [`Goal::force`](super::Goal::force) retires the one that was not used for longer.
    NoRoom(Vec<AccessKeyId>),
    /// There are two active keys, each is in a store, and neither has a password for all of them.
    BothRead(Vec<AccessKeyId>),
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
