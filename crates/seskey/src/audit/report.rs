//! The reader of the credential report.
//!
//! Source: IAM User Guide, "Generate credential reports for your AWS account", the format of the report.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Console, Key, LastUse};

/// A user in the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// Its password for the console.
    pub console: Option<Console>,
    /// Its access keys, without their IDs.
    pub keys: Vec<Key>,
}

/// The error for a report that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the credential report cannot be read")]
pub struct ReportError {
    /// The line, from 1.
    pub line: u64,
}

/// Reads a report: its users by ARN, including the root user. Unknown columns are left out.
///
/// # Errors
/// Fails for the first line that is not in IAM's documented form.
pub fn read(text: &str) -> Result<BTreeMap<String, Reported>, ReportError> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut users = BTreeMap::new();
    for (row, line) in reader.deserialize::<Row>().zip(2..) {
        let row = row.map_err(|_| ReportError { line })?;
        let keys = [row.first(), row.second()].into_iter().flatten().collect();
        users.insert(row.arn.clone(), Reported { console: row.console(), keys });
    }
    Ok(users)
}

#[derive(Deserialize)]
struct Row {
    arn: String,
    password_enabled: String,
    password_last_used: String,
    mfa_active: String,
    access_key_1_active: String,
    access_key_1_last_rotated: String,
    access_key_1_last_used_date: String,
    access_key_1_last_used_region: String,
    access_key_1_last_used_service: String,
    access_key_2_active: String,
    access_key_2_last_rotated: String,
    access_key_2_last_used_date: String,
    access_key_2_last_used_region: String,
    access_key_2_last_used_service: String,
}

impl Row {
    fn console(&self) -> Option<Console> {
        is_true(&self.password_enabled).then(|| Console {
            has_mfa: is_true(&self.mfa_active),
            last_used: time(&self.password_last_used),
        })
    }

    fn first(&self) -> Option<Key> {
        key([
            &self.access_key_1_active,
            &self.access_key_1_last_rotated,
            &self.access_key_1_last_used_date,
            &self.access_key_1_last_used_region,
            &self.access_key_1_last_used_service,
        ])
    }

    fn second(&self) -> Option<Key> {
        key([
            &self.access_key_2_active,
            &self.access_key_2_last_rotated,
            &self.access_key_2_last_used_date,
            &self.access_key_2_last_used_region,
            &self.access_key_2_last_used_service,
        ])
    }
}

/// Returns a key; `None` if there is none: an inactive key has a date too.
fn key([active, rotated, used, region, service]: [&str; 5]) -> Option<Key> {
    let last_use =
        time(used).map(|at| LastUse { at, service: service.to_owned(), region: region.to_owned() });
    Some(Key { id: None, is_active: is_true(active), created: time(rotated)?, last_use })
}

/// Whether it is true: AWS documents `TRUE`, but writes `true`.
fn is_true(text: &str) -> bool {
    text.eq_ignore_ascii_case("true")
}

/// Parses a time; `None` for `N/A` and `no_information`.
fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,\
        password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,\
        access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,\
        access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,\
        access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated,\
        additional_credentials_info";

    #[test]
    fn a_report() {
        let text = format!(
            "{HEADER}\n\
            app,arn:aws:iam::123456789012:user/app,2026-01-01T00:00:00+00:00,TRUE,no_information,N/A,N/A,false,\
            true,2026-01-01T00:00:00+00:00,2026-03-01T12:00:00+00:00,eu-west-1,ses-smtp,\
            false,2025-01-01T00:00:00+00:00,N/A,N/A,N/A,false,N/A,false,N/A,N/A\n\
            \"a,b\",\"arn:aws:iam::123456789012:user/a,b\",2026-01-01T00:00:00+00:00,false,N/A,N/A,N/A,false,\
            false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A,N/A\n"
        );
        let users = read(&text).expect("it is a report");
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let app = &users["arn:aws:iam::123456789012:user/app"];
        assert_eq!(app.console, Some(Console { has_mfa: false, last_used: None }));
        let last_use = LastUse {
            at: at("2026-03-01T12:00:00Z"),
            service: "ses-smtp".into(),
            region: "eu-west-1".into(),
        };
        let created = at("2026-01-01T00:00:00Z");
        let first = Key { id: None, is_active: true, created, last_use: Some(last_use) };
        let created = at("2025-01-01T00:00:00Z");
        let second = Key { id: None, is_active: false, created, last_use: None };
        assert_eq!(app.keys, [first, second]);
        let nothing = Reported { console: None, keys: vec![] };
        assert_eq!(users["arn:aws:iam::123456789012:user/a,b"], nothing);
    }

    #[test]
    fn what_is_no_report() {
        assert_eq!(read("<html>\nno"), Err(ReportError { line: 2 }));
        assert_eq!(read(&format!("{HEADER}\napp,short\n")), Err(ReportError { line: 2 }));
    }
}
