//! The credential report: the sign-ins of every user, in one text. IAM makes a new one at most every four hours.
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
    /// When it was made, so far as IAM says.
    pub(crate) made: Option<Timestamp>,
}

impl Account {
    /// Asks for a report, so that there is one when it is wanted.
    pub(crate) async fn generate_credential_report(&self) -> Result<Generation, Error> {
        let answer = self.iam.generate_credential_report().send().await;
        let answer = answer.map_err(self.failed("iam:GenerateCredentialReport"))?;
        let is_complete = answer.state == Some(ReportStateType::Complete);
        Ok(Generation { begun: Instant::now(), is_complete })
    }

    /// The report, once it is made.
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

/// A report that was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Generation {
    begun: Instant,
    is_complete: bool,
}

/// The codes are those of the model; a report that has just gone is being made as well.
fn is_in_progress(error: &Error) -> bool {
    let Cause::Other { code, .. } = &error.cause else { return false };
    ["ReportInProgress", "ReportNotPresent", "ReportExpired"].contains(&code.as_str())
}

const PAUSE: Duration = Duration::from_secs(2);

const PATIENCE: Duration = Duration::from_mins(2);
