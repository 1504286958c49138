//! A second opinion on a control of another tool.

use std::fmt::Write;

use serde_json::json;
use seskey::audit::{Explanation, Sign, explain};

use super::{Audited, Report, json::row, no_user};
use crate::{
    explain::Result,
    output::{Output, printable},
};

/// Prints the explanation. Returns whether the control has findings.
pub(super) fn tell(report: &Report, control: &str, output: &Output) -> Result<bool> {
    let user = report.user.as_deref().unwrap_or_default();
    let explained = report.accounts.iter().filter_map(|of| {
        let declared = of.declared.as_deref();
        Some((of, explain(&of.snapshot, declared, &report.limits, control, user)?))
    });
    let explained: Vec<(&Audited, Explanation)> = explained.collect();
    if explained.is_empty() {
        return Err(no_user(user));
    }
    if output.json {
        let rows = explained.iter().map(|(of, it)| {
            json!({
                "user_name": user,
                "account": of.snapshot.account,
                "control": control,
                "sign": it.sign.map(|sign| sign.id()),
                "access_keys": it.keys,
                "findings": it.findings.iter().map(|finding| row(of, finding)).collect::<Vec<_>>(),
                "verdict": it.verdict,
            })
        });
        output.answer_json(&rows.collect())?;
    } else {
        let texts = explained.iter().map(|(of, it)| text(of, it, control, user));
        output.answer(&printable(&texts.collect::<Vec<_>>().join("\n")))?;
    }
    Ok(explained.iter().any(|(_, it)| !it.findings.is_empty()))
}

fn text(of: &Audited, it: &Explanation, control: &str, user: &str) -> String {
    let sign = it.sign.map_or("nothing shows that it sends by SMTP", |sign| sign.sentence());
    let mut text = format!("{user} in {}: {sign}\n", of.snapshot.account);
    for key in &it.keys {
        writeln!(text, "  {key}").expect("a string takes all");
    }
    for finding in &it.findings {
        writeln!(text, "{control}: {}: {}", finding.kind.id, finding.evidence)
            .expect("a string takes all");
        writeln!(text, "  remedy: {}", finding.remedy).expect("a string takes all");
    }
    if it.findings.is_empty() {
        let why = match it.sign {
            None | Some(Sign::Could) => {
                "the user is not seen to send, so it is not judged here; the other tool may be right"
            }
            Some(_) => "nothing is found here by it",
        };
        writeln!(text, "{control}: {why}").expect("a string takes all");
    }
    writeln!(text, "if it is deleted: {}", it.verdict).expect("a string takes all");
    text
}
