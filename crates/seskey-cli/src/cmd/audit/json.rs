//! The findings as JSON, as `docs/audit.schema.json` describes it.

use serde_json::{Value, json};
use seskey::audit::Finding;

use super::{Audited, Report, key_id};

pub(super) fn answer(report: &Report) -> Value {
    let findings: Vec<Value> = report.findings().map(|(of, finding)| row(of, finding)).collect();
    let senders = report.accounts.iter().flat_map(|of| {
        of.audit.senders.iter().filter(|(name, _)| report.is_wanted(name)).map(|(name, sign)| {
            json!({"user_name": name, "account": of.snapshot.account, "sign": sign.id()})
        })
    });
    let could_send = report.accounts.iter().flat_map(|of| {
        of.audit
            .could_send
            .iter()
            .filter(|name| report.is_wanted(name))
            .map(|name| json!({"user_name": name, "account": of.snapshot.account}))
    });
    json!({
        "findings": findings,
        "users": report.users(),
        "senders": senders.collect::<Vec<_>>(),
        "could_send": could_send.collect::<Vec<_>>(),
        "limits": {
            "max_age_seconds": report.limits.max_age.as_secs(),
            "unused_seconds": report.limits.unused.as_secs(),
        },
        "time": report.now().to_string(),
    })
}

pub(super) fn row(of: &Audited, finding: &Finding) -> Value {
    json!({
        "id": finding.kind.id,
        "severity": finding.severity.as_str(),
        "user_name": finding.user,
        "account": of.snapshot.account,
        "account_name": of.name,
        "access_key_id": key_id(finding),
        "sentence": finding.kind.sentence,
        "evidence": finding.evidence,
        "controls": finding.kind.controls,
        "remedy": finding.remedy,
        "source": finding.kind.source,
        "line": finding.line,
    })
}
