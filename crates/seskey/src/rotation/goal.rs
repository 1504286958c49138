//! The goal of a rotation: the greatest age of a key, and the pace of its replacement.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{Key, LEASE, MARGIN, Stage, after};
use crate::access_key::AccessKeyId;

/// The goal of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    pub(super) max_age: SignedDuration,
    pub(super) grace: SignedDuration,
    pub(super) quarantine: SignedDuration,
    /// The keys that are due regardless of their age: for a run that is to rotate now, all keys that it found at its
    /// start.
    pub replace: BTreeSet<AccessKeyId>,
    /// Whether to continue where a person would have to look first: the old key, or one that somebody else made, is
    /// still used; the note has stores that are not named, or are empty; the user may not send.
    pub force: bool,
    /// Whether to wait as long as the old key is still used: it is deactivated when it was idle for a whole grace time.
    /// A key that somebody else made during a rotation would never be idle, and stops the plan all the same.
    pub wait_unused: bool,
    /// Whether to delete an inactive key before its quarantine is over, if two keys leave no room for a new one and no
    /// store holds an active one. [`undo`](super::undo) is then no longer possible. For one run that a person has
    /// started.
    pub make_room: bool,
    /// The last stage to go to. A key that is only created must be delivered by other means within [`LEASE`]: later it
    /// is discarded, since its secret may have been lost.
    pub until: Stage,
}

/// The reason why times are not a goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GoalError {
    /// A key would be due as soon as it is made.
    #[error("the greatest age of a key is zero")]
    NoAge,
    /// A time is less than nothing.
    #[error("a time is negative")]
    Negative,
}

impl Goal {
    /// Makes a goal of keys as old as `max_age` at most. The previous key stays active for `grace` after the hand-over
    /// (for [`LEASE`] at least), and inactive for `quarantine` until it is deleted.
    ///
    /// # Errors
    /// Fails for a negative time, and for a `max_age` of zero.
    pub fn new(
        max_age: SignedDuration,
        grace: SignedDuration,
        quarantine: SignedDuration,
    ) -> Result<Self, GoalError> {
        match [max_age, grace, quarantine] {
            times if times.iter().any(SignedDuration::is_negative) => Err(GoalError::Negative),
            [age, ..] if age.is_zero() => Err(GoalError::NoAge),
            _ => Ok(Self {
                max_age,
                grace,
                quarantine,
                replace: BTreeSet::new(),
                force: false,
                wait_unused: false,
                make_room: false,
                until: Stage::Retire,
            }),
        }
    }

    /// Makes a goal from days of 24 hours.
    ///
    /// # Errors
    /// Fails for a `max_age` of zero.
    pub fn days(max_age: u16, grace: u16, quarantine: u16) -> Result<Self, GoalError> {
        let [max_age, grace, quarantine] = [max_age, grace, quarantine]
            .map(|days| SignedDuration::from_hours(24 * i64::from(days)));
        Self::new(max_age, grace, quarantine)
    }

    /// Whether a key becomes too old before the previous one is deleted. The goal is accepted, but met late, and
    /// deserves a warning.
    pub fn is_crowded(&self) -> bool {
        self.grace().saturating_add(self.quarantine) >= self.max_age
    }

    /// Returns the time that a key stays inactive until it is deleted.
    pub fn quarantine(&self) -> SignedDuration {
        self.quarantine
    }

    /// Returns the time that the previous key stays active, from the time in the note of a hand-over. The note is
    /// decided before it is written, and another run may carry out later still what it decided before it saw the note:
    /// a store may show the old key for that long.
    pub fn grace(&self) -> SignedDuration {
        self.grace.max(LEASE).saturating_add(MARGIN * 2)
    }

    /// Returns the time from which a key is too old.
    pub(super) fn due(&self, key: &Key) -> Timestamp {
        match self.replace.contains(&key.id) {
            true => key.created,
            false => after(key.created, self.max_age),
        }
    }
}

/// Keys of 90 days, a week of grace and a week of quarantine.
impl Default for Goal {
    fn default() -> Self {
        Self::days(90, 7, 7).expect("90 days are an age")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_are_no_goal() {
        let minus = SignedDuration::from_secs(-1);
        let day = SignedDuration::from_hours(24);
        assert_eq!(Goal::days(0, 7, 7), Err(GoalError::NoAge));
        for [age, grace, quarantine] in [[minus, day, day], [day, minus, day], [day, day, minus]] {
            assert_eq!(Goal::new(age, grace, quarantine), Err(GoalError::Negative));
        }
    }

    #[test]
    fn a_crowded_goal_is_served_but_told() {
        assert!(!Goal::days(90, 7, 7).unwrap().is_crowded());
        assert!(Goal::days(14, 7, 7).unwrap().is_crowded());
    }

    #[test]
    fn the_grace_time_covers_the_lease() {
        assert_eq!(Goal::days(90, 0, 0).unwrap().grace(), LEASE + MARGIN * 2);
    }
}
