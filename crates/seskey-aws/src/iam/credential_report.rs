//! The credential report: the sign-in data of every user in one text. IAM makes a new one at most every four hours.
//! Source: IAM API, `GenerateCredentialReport` and `GetCredentialReport`.

use std::time::Duration;

use aws_sdk_iam::types::ReportStateType;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::timestamp;
use crate::{Account, Cause, Error};

/// A report, as CSV.
#[derive(Debug)]
pub(crate) struct CredentialReport {
    pub(crate) text: String,
    /// The time of its generation, if IAM gives it.
    pub(crate) made: Option<Timestamp>,
}

impl Account {
    /// Requests a report, so that there is one when it is needed.
    pub(crate) async fn generate_credential_report(&self) -> Result<Generation, Error> {
        let answer = self.iam.generate_credential_report().send().await;
        let answer = answer.map_err(self.failed("iam:GenerateCredentialReport"))?;
        let is_complete = answer.state == Some(ReportStateType::Complete);
        Ok(Generation { begun: Instant::now(), is_complete })
    }

    /// Returns the report, once it is generated.
    pub(crate) async fn credential_report(
        &self,
        generation: Generation,
    ) -> Result<CredentialReport, Error> {
        const ACTION: &str = "iam:GetCredentialReport";
        if !generation.is_complete {
            sleep(PAUSE.saturating_sub(generation.begun.elapsed())).await;
        }
        let answer = loop {
            let answer = self.iam.get_credential_report().send().await;
            match answer.map_err(self.failed(ACTION)) {
                Err(error) if is_in_progress(&error) && generation.begun.elapsed() < PATIENCE => {
                    sleep(PAUSE).await;
                }
                answer => break answer?,
            }
        };
        let content = answer.content.ok_or_else(|| Error::unreadable(ACTION))?;
        let text = String::from_utf8(content.into_inner());
        Ok(CredentialReport {
            text: text.map_err(|_| Error::unreadable(ACTION))?,
            made: answer.generated_time.as_ref().and_then(timestamp),
        })
    }
}

/// A requested report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Generation {
    begun: Instant,
    is_complete: bool,
}

/// Whether the report is still being made, by the codes of the model. A missing or expired report is being made as
/// well.
fn is_in_progress(error: &Error) -> bool {
    let Cause::Other { code, .. } = &error.cause else { return false };
    ["ReportInProgress", "ReportNotPresent", "ReportExpired"].contains(&code.as_str())
}

const PAUSE: Duration = Duration::from_secs(2);

const PATIENCE: Duration = Duration::from_mins(2);
