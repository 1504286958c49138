//! The time by IAM's clock, which dates the keys: the machine's clock may be wrong.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use aws_sdk_iam::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::BeforeDeserializationInterceptorContextRef,
    },
    error::BoxError,
    primitives::{DateTime, DateTimeFormat},
};
use jiff::{SignedDuration, Timestamp};

use crate::{Account, iam::timestamp};

impl Account {
    /// Returns the time by IAM's clock in whole seconds: the `Date` of its last answer, refusals included, plus the
    /// time since then by a monotonic clock. `None` before the first answer.
    pub fn now(&self) -> Option<Timestamp> {
        let last = *self.clock.0.lock().expect("nobody panics while holding the lock");
        let (date, received) = last?;
        let passed = i64::try_from(received.elapsed().as_secs()).unwrap_or(i64::MAX);
        date.checked_add(SignedDuration::from_secs(passed)).ok()
    }
}

/// The time since something began. One clock stands still while the machine sleeps, and the other may be set: the
/// larger of the two times counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant, SystemTime);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now(), SystemTime::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed().max(self.1.elapsed().unwrap_or_default())
    }
}

/// The date of the last answer, and the time of its arrival.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock(Arc<Mutex<Option<(Timestamp, Instant)>>>);

impl Intercept for Clock {
    fn name(&self) -> &'static str {
        "Clock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok());
        if let Some(date) = date.as_ref().and_then(timestamp) {
            let mut last = self.0.lock().expect("nobody panics while holding the lock");
            *last = Some((date, Instant::now()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_the_machine_slept_counts() {
        let slept = Duration::from_secs(3600);
        let before = Stopwatch(Instant::now(), SystemTime::now() - slept);
        assert!(before.elapsed() >= slept);
        let set_back = Stopwatch(Instant::now(), SystemTime::now() + slept);
        assert!(set_back.elapsed() < slept);
    }
}
