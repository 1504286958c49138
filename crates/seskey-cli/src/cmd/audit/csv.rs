//! The findings as CSV, a line each.

use super::{Report, key_id};

pub(super) fn answer(report: &Report) -> String {
    let mut lines = ::csv::Writer::from_writer(vec![]);
    let header = [
        "severity",
        "id",
        "account",
        "account_name",
        "user_name",
        "access_key_id",
        "sentence",
        "evidence",
        "controls",
        "remedy",
        "source",
    ];
    lines.write_record(header).expect("memory takes all");
    for (of, finding) in report.findings() {
        let controls = finding.kind.controls.join(" ");
        let cells = [
            finding.severity.as_str(),
            finding.kind.id,
            &of.snapshot.account,
            of.name.as_deref().unwrap_or_default(),
            &finding.user,
            key_id(finding).unwrap_or_default(),
            finding.kind.sentence,
            &finding.evidence,
            &controls,
            &finding.remedy,
            finding.kind.source,
        ];
        lines.write_record(cells.map(harmless)).expect("memory takes all");
    }
    let bytes = lines.into_inner().expect("memory takes all");
    String::from_utf8(bytes).expect("what was written is text")
}

/// Escapes a cell that a spreadsheet would take for a formula: a user may be named `=cmd`. Source: OWASP, "CSV
/// Injection".
fn harmless(cell: &str) -> String {
    match cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, written) in
            [("=1+1", "'=1+1"), ("@x", "'@x"), ("-x", "'-x"), ("a=b", "a=b"), ("", "")]
        {
            assert_eq!(harmless(cell), written);
        }
    }
}
