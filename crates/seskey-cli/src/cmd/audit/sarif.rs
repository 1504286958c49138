//! The findings as SARIF 2.1.0, for tools that read code scanning results. A finding about a user that `seskey.toml`
//! declares is at its line; any other finding has a logical location alone. Source: OASIS, "Static Analysis Results
//! Interchange Format (SARIF) Version 2.1.0".

use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use seskey::audit::{Finding, Kind, Severity, kinds};

use super::{Audited, Report, ocsf::uid};

pub(super) fn answer(report: &Report) -> Value {
    let rules: Vec<Value> = kinds().map(rule).collect();
    let results = report.findings().map(|(of, finding)| result(report, of, finding));
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "seskey",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

fn rule(kind: &Kind) -> Value {
    let mut rule = json!({
        "id": kind.id,
        "shortDescription": {"text": kind.sentence},
        "defaultConfiguration": {"level": level(kind.severity)},
        "properties": {"tags": kind.controls},
    });
    if kind.source.starts_with("https://") {
        rule["helpUri"] = kind.source.into();
    }
    rule
}

fn result(report: &Report, of: &Audited, finding: &Finding) -> Value {
    let name = finding.user_arn.as_deref().unwrap_or(&finding.user);
    let mut location =
        json!({"logicalLocations": [{"fullyQualifiedName": name, "kind": "resource"}]});
    if let (Some(file), Some(line)) = (&report.file, finding.line) {
        location["physicalLocation"] = json!({
            "artifactLocation": {"uri": uri(file)},
            "region": {"startLine": line},
        });
    }
    json!({
        "ruleId": finding.kind.id,
        "ruleIndex": kinds().position(|kind| kind == finding.kind),
        "level": level(finding.severity),
        "message": {"text": format!(
            "{}: {}: {}. Remedy: {}", finding.user, finding.kind.sentence, finding.evidence, finding.remedy
        )},
        "locations": [location],
        "partialFingerprints": {"finding/v1": uid(of, finding)},
    })
}

/// Returns the level of a severity. SARIF has no more levels.
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "note",
        Severity::Low | Severity::Medium => "warning",
        Severity::High => "error",
    }
}

/// Returns a path as a URI reference, which is relative if the path is. Source: RFC 3986, section 3.3.
fn uri(path: &Path) -> String {
    const OTHERS: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');
    let text = path.to_string_lossy();
    utf8_percent_encode(text.strip_prefix("./").unwrap_or(&text), OTHERS).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_references() {
        for (path, reference) in
            [("./seskey.toml", "seskey.toml"), ("a b/#1.toml", "a%20b/%231.toml")]
        {
            assert_eq!(uri(Path::new(path)), reference);
        }
    }
}
