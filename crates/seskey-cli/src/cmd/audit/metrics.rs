//! The findings as numbers, for the textfile collector of Prometheus's node exporter. Source: OpenMetrics 1.0.

use std::sync::atomic::AtomicU64;

use jiff::Timestamp;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use seskey::audit::kinds;

use super::Report;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    account: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    account: String,
    id: &'static str,
    severity: &'static str,
}

pub(super) fn answer(report: &Report) -> String {
    let findings = Family::<Kind, Gauge>::default();
    let users = Family::<Of, Gauge>::default();
    let mail_keys = Family::<Of, Gauge>::default();
    let age = Family::<Of, Gauge<f64, AtomicU64>>::default();
    let deadline = Family::<Of, Gauge<f64, AtomicU64>>::default();
    let time = Family::<Of, Gauge<f64, AtomicU64>>::default();
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    for audited in &report.accounts {
        let account = audited.snapshot.account.clone();
        let of = Of { account: account.clone() };
        // what was not found is 0: an alert needs a number to compare with
        for kind in kinds().filter(|kind| kind.severity >= report.least) {
            let severity = kind.severity.as_str();
            let _ =
                findings.get_or_create(&Kind { account: account.clone(), id: kind.id, severity });
        }
        users.get_or_create(&of).set(count(audited.audit.senders.len()));
        mail_keys.get_or_create(&of).set(count(audited.audit.mail_keys));
        time.get_or_create(&of).set(seconds(audited.snapshot.now));
        if let Some(oldest) = audited.audit.oldest_key {
            age.get_or_create(&of).set(audited.snapshot.now.duration_since(oldest).as_secs_f64());
        }
        if let Some(next) = audited.audit.next_deadline {
            deadline.get_or_create(&of).set(seconds(next));
        }
    }
    for (of, finding) in report.findings() {
        let account = of.snapshot.account.clone();
        let kind = Kind { account, id: finding.kind.id, severity: finding.severity.as_str() };
        findings.get_or_create(&kind).inc();
    }
    let mut registry = Registry::with_prefix("seskey_audit");
    registry.register("findings", "What was found", findings);
    registry.register("users", "The users that send by SMTP", users);
    registry.register("mail_keys", "The active keys whose last use sent mail", mail_keys);
    registry.register_with_unit(
        "oldest_key_age",
        "The age of the oldest active key",
        Unit::Seconds,
        age,
    );
    registry.register_with_unit(
        "next_deadline_timestamp",
        "When the next active key grows too old, or did",
        Unit::Seconds,
        deadline,
    );
    registry.register_with_unit("timestamp", "When the account was read", Unit::Seconds, time);
    let mut text = String::new();
    text::encode(&mut text, &registry).expect("a string takes all");
    text
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a time in seconds has fewer digits than a number of 64 bits"
)]
fn seconds(time: Timestamp) -> f64 {
    time.as_second() as f64
}
