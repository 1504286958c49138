//! The findings as Compliance Findings of the Open Cybersecurity Schema Framework. Source: schema.ocsf.io, version
//! 1.4.0, class 2003, with the profile `cloud`.

use serde_json::{Value, json};
use seskey::audit::{Finding, Kind, Severity};

use super::{Audited, Report, key_id};

/// Returns the findings as a list, for consumers that take batches.
pub(super) fn answer(report: &Report) -> Value {
    report.findings().map(|(of, finding)| event(of, finding)).collect()
}

fn event(of: &Audited, finding: &Finding) -> Value {
    let Finding { kind, severity, .. } = finding;
    let time = of.snapshot.now.as_millisecond();
    let user = json!({"name": finding.user, "type": "AWS::IAM::User", "uid": finding.user_arn});
    let key = key_id(finding).map(|id| {
        json!({"name": id, "type": "AWS::IAM::AccessKey", "uid": id, "owner": {"name": finding.user}})
    });
    let resources: Vec<Value> = [without_nulls(user)].into_iter().chain(key).collect();
    json!({
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "type_uid": 200_301,
        "type_name": "Compliance Finding: Create",
        "time": time,
        "severity_id": severity_id(*severity),
        "severity": severity_name(*severity),
        "status_id": 1,
        "status": "New",
        "message": format!("{}: {}", kind.sentence, finding.evidence),
        "metadata": {
            "version": "1.4.0",
            "profiles": ["cloud"],
            "product": {"name": "seskey", "vendor_name": "seskey", "version": env!("CARGO_PKG_VERSION")},
        },
        "finding_info": {
            "uid": uid(of, finding),
            "title": kind.sentence,
            "desc": finding.evidence,
            "types": [kind.id],
            "created_time": time,
        },
        "compliance": {
            "control": kind.id,
            "requirements": kind.controls,
            "standards": standards(finding),
            "status_id": 3,
        },
        "remediation": {"desc": finding.remedy, "references": references(kind)},
        "resources": resources,
        "cloud": {
            "provider": "AWS",
            "account": {
                "uid": of.snapshot.account,
                "name": of.name.as_ref().unwrap_or(&of.snapshot.account),
                "type_id": 10,
                "type": "AWS Account",
            },
        },
    })
}

/// Returns an ID that a finding keeps in each run, so that it is not counted twice.
pub(super) fn uid(of: &Audited, finding: &Finding) -> String {
    let key = finding.key.as_ref().map(|key| {
        key.id.as_ref().map_or_else(|| format!("/{}", key.created), |id| format!("/{id}"))
    });
    format!(
        "{}/{}{}/{}",
        of.snapshot.account,
        finding.user,
        key.unwrap_or_default(),
        finding.kind.id
    )
}

/// Returns the standards of the controls, each once.
fn standards(finding: &Finding) -> Vec<&'static str> {
    let mut standards: Vec<&str> = finding
        .kind
        .controls
        .iter()
        .map(|control| match control.split_once('/') {
            Some((standard, _)) => standard,
            None => "AWS Security Hub",
        })
        .collect();
    standards.dedup();
    match standards.is_empty() {
        true => vec!["seskey"],
        false => standards,
    }
}

/// Returns the source of a kind if it is a URL; the documentation of this program has none.
fn references(kind: &Kind) -> Vec<&'static str> {
    [kind.source].into_iter().filter(|source| source.starts_with("https://")).collect()
}

fn severity_id(severity: Severity) -> u8 {
    match severity {
        Severity::Informational => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
    }
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "Informational",
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
    }
}

fn without_nulls(mut value: Value) -> Value {
    if let Some(object) = value.as_object_mut() {
        object.retain(|_, value| !value.is_null());
    }
    value
}
