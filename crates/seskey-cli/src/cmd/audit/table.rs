//! The findings as a table, with a summary.

use comfy_table::{Table, presets::NOTHING};

use super::{Report, key_id};
use crate::{
    explain::Result,
    output::{Output, printable},
};

pub(super) fn tell(report: &Report, output: &Output) -> Result<()> {
    output.answer(&format!("{}{}\n", table(report), report.summary()))?;
    let mail_keys: usize = report.accounts.iter().map(|of| of.audit.mail_keys).sum();
    if mail_keys > 0 {
        let keys = if mail_keys == 1 { "1 key sends" } else { &format!("{mail_keys} keys send") };
        output.advice(&format!(
            "{keys} mail: what is sent by SMTP is in no CloudTrail event, so a tool that reads CloudTrail alone sees \
             such a key as unused"
        ));
    }
    let could: usize = report.accounts.iter().map(|of| of.audit.could_send.len()).sum();
    if could > 0 {
        let users = if could == 1 { "1 more user" } else { &format!("{could} more users") };
        output.note(&format!("{users} could send, by a permission for everything or for all of SES; --json names them"));
    }
    Ok(())
}

/// Returns the table, which is empty without findings.
fn table(report: &Report) -> String {
    let has_account = report.accounts.iter().any(|of| of.name.is_some());
    let mut lines = Table::new();
    let header = ["ACCOUNT", "SEVERITY", "FINDING", "USER", "ACCESS KEY", "EVIDENCE", "REMEDY"];
    lines.load_style(NOTHING).set_header(header.iter().skip(usize::from(!has_account)));
    for (of, finding) in report.findings() {
        let account = has_account.then(|| of.name.clone().unwrap_or_default());
        let cells = [
            finding.severity.to_string(),
            finding.kind.id.to_owned(),
            finding.user.clone(),
            key_id(finding).unwrap_or("-").to_owned(),
            finding.evidence.clone(),
            finding.remedy.clone(),
        ];
        lines.add_row(account.into_iter().chain(cells).map(|cell| printable(&cell)));
    }
    if lines.is_empty() {
        return String::new();
    }
    lines.lines().map(|line| format!("{}\n", line.trim())).chain(["\n".to_owned()]).collect()
}
