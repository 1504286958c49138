//! The findings as metrics.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};
use seskey::audit::kinds;

use super::Report;
use crate::metrics::{Accounts, OfAccount, count};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    account: String,
    id: &'static str,
    severity: &'static str,
}

pub(super) fn answer(report: &Report) -> String {
    let findings = Family::<Kind, Gauge>::default();
    let users = Family::<OfAccount, Gauge>::default();
    let mail_keys = Family::<OfAccount, Gauge>::default();
    let failed = Gauge::<i64>::default();
    let accounts = Accounts::default();
    for audited in &report.accounts {
        let account = audited.label();
        let of = OfAccount { account: account.to_owned() };
        // a kind without findings is 0: an alert needs a number to compare with
        for kind in kinds().filter(|kind| kind.severity >= report.least) {
            let severity = kind.severity.as_str();
            let _ = findings.get_or_create(&Kind {
                account: account.to_owned(),
                id: kind.id,
                severity,
            });
        }
        users.get_or_create(&of).set(count(audited.audit.senders.len()));
        mail_keys.get_or_create(&of).set(count(audited.audit.mail_keys));
        let (oldest, deadline) = (audited.audit.oldest_key, audited.audit.next_deadline);
        accounts.add(account, oldest, deadline, audited.snapshot.now);
    }
    for (of, finding) in report.findings() {
        let account = of.label().to_owned();
        let kind = Kind { account, id: finding.kind.id, severity: finding.severity.as_str() };
        findings.get_or_create(&kind).inc();
    }
    failed.set(count(report.unread));
    let mut registry = Registry::with_prefix("seskey_audit");
    registry.register("findings", "Findings of the audit", findings);
    registry.register("users", "The users that send by SMTP", users);
    registry.register("mail_keys", "The active keys whose last use sent mail", mail_keys);
    registry.register("accounts_failed", "The accounts that could not be read", failed);
    accounts.text(registry)
}
