//! Refused mail: the step, the reply and the reason.

use std::{collections::VecDeque, net::IpAddr, sync::Arc};

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::Dialogue;

/// An attempt that was refused on the way to the mailbox.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attempt {
    /// Its number among all messages and attempts since the start, as text.
    #[serde(rename = "Id", serialize_with = "as_text")]
    pub number: u64,
    /// The time when it was refused.
    pub timestamp: Timestamp,
    /// The region of the endpoint.
    pub region: String,
    /// The step that was refused.
    pub step: Step,
    /// The reply.
    pub reply: String,
    /// The operation of the API, if it came by one.
    pub operation: Option<&'static str>,
    /// The address that it came from.
    pub peer: IpAddr,
    /// The ARN of the principal, if it was known.
    pub user: Option<String>,
    /// The given access key ID, if it is one.
    pub access_key_id: Option<String>,
    /// The envelope's sender, if there was one.
    pub source: Option<String>,
    /// The envelope's recipients.
    pub recipients: Vec<String>,
    /// The subject of the message, if it had arrived.
    pub subject: Option<String>,
    /// The cause of a refused login.
    pub cause: Option<Cause>,
    /// The decision of the policies, if they refused it.
    pub decision: Option<Verdict>,
    /// The dialogue, if it came by SMTP.
    #[serde(skip)]
    pub dialogue: Option<Dialogue>,
}

/// The step at which mail is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// At AUTH.
    Login,
    /// At MAIL.
    Mail,
    /// At RCPT.
    Rcpt,
    /// At DATA.
    Data,
    /// At the end of the message.
    EndOfData,
    /// By the API.
    Api,
}

/// The cause of a refused login, from the table of causes of `seskey diagnose`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Cause {
    /// Its name in the table.
    pub id: &'static str,
    /// The cause in one sentence.
    pub sentence: &'static str,
    /// The evidence for it.
    pub evidence: String,
    /// The remedy.
    pub remedy: String,
}

/// A decision of the policies, as it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "Kind", rename_all_fields = "PascalCase")]
pub enum Verdict {
    /// A statement denies it.
    ExplicitDeny {
        /// The statement.
        by: Statement,
    },
    /// No statement allows it.
    ImplicitDeny {
        /// The policies that were evaluated.
        policies: Vec<String>,
    },
    /// A statement allows it, but the boundary of the principal does not.
    Bounded {
        /// The permissions boundary, or the policy of the session.
        boundary: String,
        /// The statement.
        allowed_by: Statement,
    },
}

/// A statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// The policy.
    pub policy: String,
    /// Its place in the policy, from 1.
    pub number: usize,
    /// Its `Sid`.
    pub sid: Option<String>,
    /// Its text in the policy.
    pub text: String,
}

/// The newest attempts.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    attempts: VecDeque<Arc<Attempt>>,
    bytes: usize,
}

const MAX_ATTEMPTS: usize = 1_000;
const MAX_BYTES: usize = 16 * 1024 * 1024;

impl Attempts {
    pub(super) fn push(&mut self, attempt: Attempt) {
        self.bytes += attempt.size();
        self.attempts.push_back(attempt.into());
        while self.attempts.len() > MAX_ATTEMPTS
            || (self.bytes > MAX_BYTES && self.attempts.len() > 1)
        {
            let Some(oldest) = self.attempts.pop_front() else { break };
            self.bytes -= oldest.size();
        }
    }

    /// Returns the attempts, the oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Attempt>> {
        self.attempts.iter()
    }

    /// Forgets one attempt, or all, and returns whether there was any.
    pub(super) fn delete(&mut self, number: Option<u64>) -> bool {
        let before = self.attempts.len();
        self.attempts.retain(|attempt| number.is_some_and(|number| number != attempt.number));
        self.bytes = self.attempts.iter().map(|attempt| attempt.size()).sum();
        self.attempts.len() < before
    }
}

impl Step {
    /// Returns its name in JSON and in a query.
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::EndOfData => "end-of-data",
            Self::Api => "api",
        }
    }
}

impl Attempt {
    /// Creates an attempt with only the values that are always known.
    pub fn new(
        timestamp: Timestamp,
        region: String,
        peer: IpAddr,
        step: Step,
        reply: String,
    ) -> Self {
        Self {
            number: 0,
            timestamp,
            region,
            step,
            reply,
            operation: None,
            peer,
            user: None,
            access_key_id: None,
            source: None,
            recipients: vec![],
            subject: None,
            cause: None,
            decision: None,
            dialogue: None,
        }
    }

    /// Returns the approximate bytes that it takes.
    fn size(&self) -> usize {
        let texts = [&self.user, &self.access_key_id, &self.source, &self.subject];
        let decision = match &self.decision {
            None => 0,
            Some(Verdict::ImplicitDeny { policies }) => policies.iter().map(String::len).sum(),
            Some(Verdict::ExplicitDeny { by: it } | Verdict::Bounded { allowed_by: it, .. }) => {
                it.text.len() + it.policy.len()
            }
        };
        size_of::<Self>()
            + self.reply.len()
            + texts.into_iter().flatten().map(String::len).sum::<usize>()
            + self.recipients.iter().map(|it| it.len() + size_of::<String>()).sum::<usize>()
            + self.cause.as_ref().map_or(0, |it| it.evidence.len() + it.remedy.len())
            + decision
            + self.dialogue.as_ref().map_or(0, Dialogue::whole_size)
    }
}

fn as_text<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(number: u64, reply: &str) -> Attempt {
        let peer = [127, 0, 0, 1].into();
        let at = Timestamp::UNIX_EPOCH;
        Attempt { number, ..Attempt::new(at, "us-east-1".into(), peer, Step::Login, reply.into()) }
    }

    #[test]
    fn only_the_newest_are_kept() {
        let mut attempts = Attempts::default();
        for number in 0..1_500 {
            attempts.push(attempt(number, "535"));
        }
        assert_eq!(attempts.iter().count(), MAX_ATTEMPTS);
        assert_eq!(attempts.iter().next().map(|it| it.number), Some(500));
        attempts.push(attempt(1_500, &"x".repeat(MAX_BYTES)));
        assert_eq!(attempts.iter().count(), 1, "it is larger than all may be");
        assert!(attempts.delete(Some(1_500)) && !attempts.delete(None));
        assert_eq!(attempts.bytes, 0);
    }
}
