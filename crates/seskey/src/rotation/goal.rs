//! What is wanted: how old a key may grow, and how slowly the old one goes.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{Key, LEASE, MARGIN, Stage, after};
use crate::access_key::AccessKeyId;

/// What a rotation is to reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    pub(super) max_age: SignedDuration,
    pub(super) grace: SignedDuration,
    pub(super) quarantine: SignedDuration,
    /// These keys are due, whatever their age: all that a run which is to rotate now has found at its start.
    pub replace: BTreeSet<AccessKeyId>,
    /// Go on where a person would have to look first: the old key, or one that somebody else made, is still used; the
    /// note speaks of stores that are not named, or are empty; the user may not send.
    pub force: bool,
    /// Wait for as long as the old key is still used: it goes when it was idle for a whole grace time. A key that
    /// somebody else made during a rotation is none that would ever be idle, and stops the plan all the same.
    pub wait_unused: bool,
    /// Where two keys leave no room for a new one, and no store holds one that is active, delete an inactive one although
    /// its quarantine is not over, nor [`undo`](super::undo) possible any more. For one run that a person has started.
    pub make_room: bool,
    /// How far to go. A key that is only created must be delivered by other hands within [`LEASE`]: later it is
    /// discarded, for nobody can tell that its secret was not lost.
    pub until: Stage,
}

/// Why times are no goal.
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
    /// Keys as old as `max_age` at most. The key before stays active for `grace` after the hand-over (for [`LEASE`] at
    /// least), and inactive for `quarantine` until it is deleted.
    ///
    /// # Errors
    /// A negative time, and no time at all for `max_age`.
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

    /// The same in days of 24 hours.
    ///
    /// # Errors
    /// No time at all for `max_age`.
    pub fn days(max_age: u16, grace: u16, quarantine: u16) -> Result<Self, GoalError> {
        let [max_age, grace, quarantine] = [max_age, grace, quarantine]
            .map(|days| SignedDuration::from_hours(24 * i64::from(days)));
        Self::new(max_age, grace, quarantine)
    }

    /// Whether a key grows too old while the one before it is not yet gone. It is served, later than it is due, and
    /// worth a warning.
    pub fn is_crowded(&self) -> bool {
        self.grace().saturating_add(self.quarantine) >= self.max_age
    }

    /// How long a key stays inactive until it is deleted.
    pub fn quarantine(&self) -> SignedDuration {
        self.quarantine
    }

    /// How long the key before stays active, from the time in the note of a hand-over. The note is decided before it is written, and what another run decided
    /// before it could see the note it does later still: a store may show the old key for that long.
    pub fn grace(&self) -> SignedDuration {
        self.grace.max(LEASE).saturating_add(MARGIN * 2)
    }

    /// From when on a key is too old.
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
