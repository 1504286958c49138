//! The time by IAM's own clock, which dates the keys: the machine's may be wrong.

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
    /// The time by IAM's clock, in whole seconds: the `Date` of its last answer, refusals included, and what has passed
    /// since by a clock that nobody sets. `None` until there was an answer.
    pub fn now(&self) -> Option<Timestamp> {
        let last = *self.clock.0.lock().expect("nobody panics while holding the lock");
        let (date, received) = last?;
        let passed = i64::try_from(received.elapsed().as_secs()).unwrap_or(i64::MAX);
        date.checked_add(SignedDuration::from_secs(passed)).ok()
    }
}

/// How long ago something began. While the machine sleeps one clock stands still, and the other one may be set: the one
/// that says more is believed.
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

/// The date of the last answer, and when it came.
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
