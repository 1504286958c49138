//! The report of a diagnosis. It has no secret in it, so it can go into a ticket.

use std::fmt::Write;

use serde_json::json;
use seskey::diagnose::{Finding, Report};

use crate::{
    explain::Result,
    output::{Output, printable},
};

pub(super) fn tell(report: &Report, asked: &[&str], output: &Output) -> Result<()> {
    if output.json {
        let causes: Vec<_> = report.findings.iter().map(row).collect();
        output
            .answer_json(&json!({"causes": causes, "refuted": report.refuted, "asked": asked}))?;
        return Ok(());
    }
    let mut text = String::new();
    for (number, finding) in (1..).zip(&report.findings) {
        write!(text, "{}", paragraph(number, finding)).expect("a string takes all");
    }
    if report.findings.is_empty() {
        text.push_str("nothing wrong was found\n");
    }
    output.answer(&printable(&text))?;
    output.note(&format!(
        "asked: {}; {} of the causes are refuted",
        asked.join(", "),
        report.refuted.len()
    ));
    Ok(())
}

fn paragraph(number: usize, Finding { cause, certainty, evidence, remedy }: &Finding) -> String {
    let gap = if number == 1 { "" } else { "\n" };
    format!(
        "{gap}{number}. {} ({}, {})\n   {}\n   evidence: {evidence}\n   remedy:   {remedy}\n   source:   {}\n",
        cause.id,
        certainty.as_str(),
        cause.phase.as_str(),
        cause.sentence,
        cause.source,
    )
}

fn row(Finding { cause, certainty, evidence, remedy }: &Finding) -> serde_json::Value {
    json!({
        "id": cause.id,
        "certainty": certainty.as_str(),
        "phase": cause.phase.as_str(),
        "sentence": cause.sentence,
        "evidence": evidence,
        "remedy": remedy,
        "source": cause.source,
    })
}
