//! The end of a credential: a deactivated key may work for some seconds more, and ends with a 535.

use std::time::{Duration, Instant};

use seskey::SmtpCredential;

use super::{Interrupt, prove::Proof};
use crate::smtp::{Phase, SmtpError, Transcript};

/// The observed end of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// It no longer logs in.
    Ended {
        /// The time until then.
        after: Duration,
    },
    /// It still logs in.
    StillWorks {
        /// The time for which it was tried.
        after: Duration,
    },
    /// The login could not be tried.
    Untried(SmtpError),
}

/// Logs in until a login is refused, within the patience of the proof.
pub async fn watch_end(
    proof: &Proof,
    credential: &SmtpCredential,
    interrupt: &mut Interrupt,
) -> Ending {
    let (start, mut pause) = (Instant::now(), FIRST_PAUSE);
    loop {
        let SmtpCredential { user_name, password, .. } = credential;
        let mut transcript = Transcript::default();
        let login = proof.client.prove(
            &proof.server,
            user_name.as_str(),
            password.expose(),
            &mut transcript,
        );
        let after = start.elapsed();
        match login.await {
            Err(SmtpError::Refused { phase: Phase::Auth, reply }) if !reply.is_transient() => {
                return Ending::Ended { after };
            }
            Err(error) if after > proof.patience => return Ending::Untried(error),
            Ok(()) if after > proof.patience => return Ending::StillWorks { after },
            outcome if !interrupt.sleep(pause).await => {
                return outcome.map_or_else(Ending::Untried, |()| Ending::StillWorks { after });
            }
            _ => pause = (pause * 2).min(LAST_PAUSE),
        }
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(2);
