//! The clock of the local SES: the machine's clock, moved by as much as a test wants.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// The clock by which everything in the account ages.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// The time by which it is ahead of the machine's clock, in milliseconds.
    ahead: AtomicI64,
}

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        let (machine, ahead) = (Timestamp::now(), self.ahead());
        machine.saturating_add(ahead).unwrap_or(machine)
    }

    /// Returns how far it is ahead of the machine's clock.
    pub(crate) fn ahead(&self) -> SignedDuration {
        SignedDuration::from_millis(self.ahead.load(Ordering::Relaxed))
    }

    /// Sets how far it is ahead of the machine's clock, or behind it.
    pub(crate) fn put_ahead(&self, ahead: SignedDuration) {
        let millis = ahead.as_millis().clamp(i64::MIN.into(), i64::MAX.into());
        self.ahead.store(millis.try_into().expect("clamped"), Ordering::Relaxed);
    }
}
