//! The proof of a credential: it logs in. A new key takes effect late and at first not everywhere, so the proof waits
//! and needs several logins in a row, over some seconds for a key that is young or was refused.

use std::time::{Duration, Instant};

use seskey::{
    SmtpCredential,
    diagnose::{Problem, Said},
};
use tokio::time::timeout;

use super::Interrupt;
use crate::smtp::{Client, Phase, Server, SmtpError, Transcript};

/// The way a credential is proven.
#[derive(Clone)]
pub struct Proof {
    /// The client that connects.
    pub client: Client,
    /// The server to log in to.
    pub server: Server,
    /// The number of logins that must succeed in a row, each on a connection of its own.
    pub logins: u32,
    /// The least time from the first of them to the last. A key that has just taken effect works on and off: three
    /// logins in a tenth of a second may succeed by chance, and the readers of the stores are refused a moment later.
    pub span: Duration,
    /// The time limit for all of it.
    pub patience: Duration,
    /// The part of that time in which it may be refused: longer for a new key, which is not known everywhere yet.
    pub refusals: Duration,
}

/// One login of a proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Its number, from 1.
    pub attempt: u32,
    /// Its result.
    pub outcome: Result<(), SmtpError>,
    /// The pause before the next login, if there is one.
    pub retry_in: Option<Duration>,
}

/// A credential that logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The number of logins, failed ones included.
    pub attempts: u32,
    /// The time that they took.
    pub elapsed: Duration,
    /// The record of the last login.
    pub transcript: Transcript,
}

/// A credential that was not proven.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not proven after {attempts} logins: {error}")]
pub struct NotProven {
    /// The failure of the last login.
    pub error: SmtpError,
    /// The number of logins.
    pub attempts: u32,
    /// The time that they took.
    pub elapsed: Duration,
    /// The record of the last login.
    pub transcript: Transcript,
}

impl Proof {
    /// Returns the proof that the rotation of a credential needs: three logins in a row, within a minute.
    pub fn new(client: Client, server: Server) -> Self {
        let patience = Duration::from_secs(60);
        Self { client, server, logins: 3, span: Duration::ZERO, patience, refusals: patience }
    }
}

/// Logs in until the proof is complete; `None` if it was interrupted.
///
/// # Errors
/// A refusal that waiting does not cure, at once; any other failure when the time is over.
pub async fn prove(
    proof: &Proof,
    credential: &SmtpCredential,
    interrupt: &mut Interrupt,
    on_login: &mut (dyn FnMut(Login) + Send),
) -> Result<Option<Proven>, NotProven> {
    let start = Instant::now();
    let (mut in_a_row, mut first, mut was_refused) = (0, start, false);
    let mut pause = FIRST_PAUSE;
    for attempt in 1.. {
        let mut transcript = Transcript::default();
        let outcome = tokio::select! {
            // a login changes nothing, so it may be dropped
            () = interrupt.raised() => return Ok(None),
            outcome = log_in(proof, credential, proof.patience.saturating_sub(start.elapsed()), &mut transcript) => outcome,
        };
        let elapsed = start.elapsed();
        let Err(error) = outcome else {
            in_a_row += 1;
            if in_a_row == 1 {
                first = Instant::now();
            }
            on_login(Login { attempt, outcome: Ok(()), retry_in: None });
            let left = proof.span.saturating_sub(first.elapsed());
            if in_a_row >= proof.logins && left.is_zero() {
                return Ok(Some(Proven { attempts: attempt, elapsed, transcript }));
            }
            let pause = match in_a_row >= proof.logins {
                true => left.min(STEADY),
                false if was_refused || !left.is_zero() => STEADY,
                false => Duration::ZERO,
            };
            if !interrupt.sleep(pause).await {
                return Ok(None);
            }
            continue;
        };
        in_a_row = 0;
        was_refused |= matches!(error, SmtpError::Refused { phase: Phase::Auth, .. });
        let patience = match is_refusal(&error) {
            true => proof.patience.min(proof.refusals),
            false => proof.patience,
        };
        let retry_in = (may_pass(&error) && elapsed + pause < patience).then_some(pause);
        on_login(Login { attempt, outcome: Err(error.clone()), retry_in });
        if retry_in.is_none() {
            return Err(NotProven { error, attempts: attempt, elapsed, transcript });
        }
        if !interrupt.sleep(pause).await {
            return Ok(None);
        }
        pause = (pause * 2).min(LAST_PAUSE);
    }
    unreachable!("the loop ends by the clock")
}

async fn log_in(
    proof: &Proof,
    credential: &SmtpCredential,
    patience: Duration,
    transcript: &mut Transcript,
) -> Result<(), SmtpError> {
    let SmtpCredential { user_name, password, .. } = credential;
    let login =
        proof.client.prove(&proof.server, user_name.as_str(), password.expose(), transcript);
    match timeout(patience, login).await {
        Ok(outcome) => outcome,
        Err(_) => {
            let phase = transcript.replies.last().map_or(Phase::Connect, |(phase, _)| *phase);
            Err(SmtpError::Timeout { phase })
        }
    }
}

/// Whether the next login may succeed after this failure: the key is new, the server is busy, the connection broke.
fn may_pass(error: &SmtpError) -> bool {
    match error {
        SmtpError::Refused { reply, .. } => {
            let said = Said::of_reply(reply.code, &reply.text());
            let is_unknown_yet = said.is_some_and(|it| it.problem == Problem::CredentialsInvalid);
            reply.is_transient() || is_unknown_yet
        }
        SmtpError::Closed { .. } => true,
        SmtpError::Timeout { phase } => *phase != Phase::Connect,
        _ => false,
    }
}

/// Whether the server has refused the credential for good.
pub(super) fn is_refusal(error: &SmtpError) -> bool {
    matches!(error, SmtpError::Refused { phase: Phase::Auth, reply } if !reply.is_transient())
}

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(2);

/// The pause between two successful logins with a key that is young or was refused before.
const STEADY: Duration = Duration::from_millis(1500);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp::{Malformed, Reply};

    #[test]
    fn what_waiting_mends() {
        let refused = |code, text: &str| SmtpError::Refused {
            phase: Phase::Auth,
            reply: Reply { code, lines: vec![text.to_owned()] },
        };
        for (error, mended) in [
            (refused(535, "Authentication Credentials Invalid"), true),
            (refused(535, "Account not subscribed to SES"), false),
            (refused(454, "Temporary authentication failure"), true),
            (refused(421, "Too many concurrent SMTP connections"), true),
            (refused(530, "Authentication required"), false),
            (SmtpError::Closed { phase: Phase::Handshake }, true),
            (SmtpError::Timeout { phase: Phase::Auth }, true),
            (SmtpError::Timeout { phase: Phase::Connect }, false),
            (SmtpError::StarttlsNotOffered, false),
            (SmtpError::Malformed { phase: Phase::Greeting, problem: Malformed::NotAReply }, false),
        ] {
            assert_eq!(may_pass(&error), mended, "{error}");
        }
    }
}
