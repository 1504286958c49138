//! Metrics of accounts, for the textfile collector of Prometheus's node exporter. Source: OpenMetrics 1.0.
//!
//! Times are timestamps and not ages: a file is read long after it was written.

use std::sync::atomic::AtomicU64;

use jiff::Timestamp;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OfAccount {
    /// The name in `seskey.toml`, or the account ID.
    pub(crate) account: String,
}

/// Points in time, in seconds since 1970.
pub(crate) type Times<Label> = Family<Label, Gauge<f64, AtomicU64>>;

/// The metrics that each run over accounts writes of them.
#[derive(Default)]
pub(crate) struct Accounts {
    oldest_key: Times<OfAccount>,
    next_deadline: Times<OfAccount>,
    read: Times<OfAccount>,
}

impl Accounts {
    /// Adds an account: the time of its oldest active key, of its next deadline, and of the reading.
    pub(crate) fn add(
        &self,
        account: &str,
        oldest_key: Option<Timestamp>,
        next_deadline: Option<Timestamp>,
        read: Timestamp,
    ) {
        let of = OfAccount { account: account.to_owned() };
        let times = [(&self.oldest_key, oldest_key), (&self.next_deadline, next_deadline)];
        for (family, time) in times.into_iter().chain([(&self.read, Some(read))]) {
            if let Some(time) = time {
                family.get_or_create(&of).set(seconds(time));
            }
        }
    }

    /// Returns the text, with the metrics that were registered before.
    pub(crate) fn text(self, mut registry: Registry) -> String {
        for (name, help, times) in [
            ("oldest_key_timestamp", "When the oldest active key was made", self.oldest_key),
            ("next_deadline_timestamp", "When something is due next, or was", self.next_deadline),
            ("timestamp", "When the account was looked at", self.read),
        ] {
            registry.register_with_unit(name, help, Unit::Seconds, times);
        }
        let mut text = String::new();
        text::encode(&mut text, &registry).expect("a string takes all");
        text
    }
}

/// Returns a number as a gauge takes it.
pub(crate) fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a time in seconds has fewer digits than a number of 64 bits"
)]
pub(crate) fn seconds(time: Timestamp) -> f64 {
    time.as_second() as f64
}
