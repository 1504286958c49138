//! The clock of the local SES: the machine's, moved by as much as a test wants.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// All that ages in the account ages by this clock.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// How far it is ahead of the machine's, in milliseconds.
    ahead: AtomicI64,
}

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        let (machine, ahead) = (Timestamp::now(), self.ahead());
        machine.saturating_add(ahead).unwrap_or(machine)
    }

    /// How far it is ahead of the machine's clock.
    pub(crate) fn ahead(&self) -> SignedDuration {
        SignedDuration::from_millis(self.ahead.load(Ordering::Relaxed))
    }

    /// Puts it ahead of the machine's clock by so much, or behind it.
    pub(crate) fn put_ahead(&self, ahead: SignedDuration) {
        let millis = ahead.as_millis().clamp(i64::MIN.into(), i64::MAX.into());
        self.ahead.store(millis.try_into().expect("clamped"), Ordering::Relaxed);
    }
}
