//! The credential report: the credentials of each user, with their dates. It is made at most every four hours.
//!
//! Source: IAM User Guide, "Generate credential reports for your AWS account".

use jiff::{SignedDuration, Timestamp, fmt::temporal::DateTimePrinter};
use serde::{Deserialize, Serialize};

use super::{AccessKey, Account, Answer, LastUsed, Status, users::UserEntry};
use crate::refusal::ApiRefusal;

/// The newest report.
#[derive(Serialize, Deserialize)]
pub(super) struct Report {
    generated_time: Timestamp,
    csv: String,
}

impl Account {
    pub(super) fn generate_credential_report(&mut self, now: Timestamp) -> Answer {
        let state = |state, description| Answer::CredentialReportState { state, description };
        let age = self.credential_report().map(|report| now.duration_since(report.generated_time));
        match age {
            Some(age) if age < TIME_TO_MAKE => state("INPROGRESS", None),
            Some(age) if age < KEPT => state("COMPLETE", None),
            before => {
                let report = Report { generated_time: now, csv: self.credential_csv() };
                self.credential_report.insert(String::new(), report);
                state("STARTED", before.is_none().then_some(NO_REPORT))
            }
        }
    }

    pub(super) fn get_credential_report(&self, now: Timestamp) -> Result<Answer, ApiRefusal> {
        let report = self.credential_report().ok_or(ApiRefusal::ReportNotPresent)?;
        match now.duration_since(report.generated_time) {
            age if age < TIME_TO_MAKE => Err(ApiRefusal::ReportInProgress),
            age if age < KEPT => Ok(Answer::CredentialReport {
                csv: report.csv.clone(),
                generated_time: report.generated_time,
            }),
            _ => Err(ApiRefusal::ReportExpired),
        }
    }

    fn credential_report(&self) -> Option<&Report> {
        self.credential_report.get("")
    }

    fn credential_csv(&self) -> String {
        let rows = self.users.values().map(|entry| self.user_row(entry));
        [COLUMNS.to_owned(), self.root_row()]
            .into_iter()
            .chain(rows)
            .flat_map(|row| [row, "\n".to_owned()])
            .collect()
    }

    fn root_row(&self) -> String {
        let root = self.root_user();
        let mut row = vec!["<root_account>".to_owned(), self.arn("root"), date(root.create_date)];
        row.extend(
            ["not_supported", "no_information", "not_supported", "not_supported", "false"]
                .map(str::to_owned),
        );
        self.finish(row, &root.access_keys)
    }

    fn user_row(&self, entry: &UserEntry) -> String {
        let user = &entry.user;
        let mut row = vec![quoted(&user.user_name), quoted(&user.arn), date(user.create_date)];
        row.extend(match &entry.login_profile {
            None => ["false", "N/A", "N/A", "N/A"].map(str::to_owned),
            Some(profile) => {
                ["true".into(), "no_information".into(), date(profile.create_date), "N/A".into()]
            }
        });
        row.push("false".to_owned());
        self.finish(row, &entry.access_keys)
    }

    /// Adds the columns of the access keys, of the signing certificates, which do not exist here, and of the rest.
    fn finish(&self, mut row: Vec<String>, access_keys: &[String]) -> String {
        for place in 0..2 {
            let id = access_keys.get(place);
            row.extend(of_key(id.map(|id| (&self.access_keys[id], self.last_used(id)))));
        }
        row.extend(["false", "N/A", "false", "N/A", "N/A"].map(str::to_owned));
        row.join(",")
    }
}

fn of_key(key: Option<(&AccessKey, Option<&LastUsed>)>) -> [String; 5] {
    let none = || "N/A".to_owned();
    let Some((key, used)) = key else {
        return ["false".to_owned(), none(), none(), none(), none()];
    };
    [
        (key.status() == Status::Active).to_string(),
        date(key.create_date),
        used.map_or_else(none, |used| date(used.last_used_date)),
        used.map_or_else(none, |used| used.region.clone()),
        used.map_or_else(none, |used| used.service_name.clone()),
    ]
}

/// Formats a date as reports do: `2026-03-01T12:00:00+00:00`.
fn date(date: Timestamp) -> String {
    DateTimePrinter::new().timestamp_with_offset_to_string(&date, jiff::tz::Offset::UTC)
}

/// Quotes a field if needed: a user name may have a comma, and a path even quotes.
fn quoted(text: &str) -> String {
    match text.contains([',', '"']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

/// The names of the columns, the newest last.
const COLUMNS: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
    password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
    access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
    access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
    cert_1_last_rotated,cert_2_active,cert_2_last_rotated,additional_credentials_info";

const NO_REPORT: &str = "No report exists. Starting a new report generation task";

const KEPT: SignedDuration = SignedDuration::from_hours(4);

/// The time to make a report. AWS documents none; a client must be able to see each state.
const TIME_TO_MAKE: SignedDuration = SignedDuration::from_secs(1);
