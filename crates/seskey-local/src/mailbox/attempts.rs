//! Mail that was refused: where, in which words, and why.

use std::{collections::VecDeque, net::IpAddr, sync::Arc};

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::Dialogue;

/// Something that was refused on the way to the mailbox.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attempt {
    /// Its number among all that came in since the start, as text.
    #[serde(rename = "Id", serialize_with = "as_text")]
    pub number: u64,
    /// When it was refused.
    pub timestamp: Timestamp,
    /// The region of the endpoint.
    pub region: String,
    /// What was refused.
    pub step: Step,
    /// In which words.
    pub reply: String,
    /// The operation of the API, if it came by one.
    pub operation: Option<&'static str>,
    /// From where it came.
    pub peer: IpAddr,
    /// The ARN of whoever it was, if that was known.
    pub user: Option<String>,
    /// The access key ID that was named, if it is one.
    pub access_key_id: Option<String>,
    /// The envelope's sender, if there was one.
    pub source: Option<String>,
    /// The envelope's recipients.
    pub recipients: Vec<String>,
    /// The subject of the message, if it had come.
    pub subject: Option<String>,
    /// Why a login was refused.
    pub cause: Option<Cause>,
    /// What the policies say, if it was refused by them.
    pub decision: Option<Verdict>,
    /// What was said, if it came by SMTP.
    #[serde(skip)]
    pub dialogue: Option<Dialogue>,
}

/// Where mail is refused.
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
    /// When the message was there.
    EndOfData,
    /// By the API.
    Api,
}

/// Why a login was refused, by the table of causes of `seskey diagnose`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Cause {
    /// Its name in the table.
    pub id: &'static str,
    /// What it is.
    pub sentence: &'static str,
    /// What it is concluded from.
    pub evidence: String,
    /// What mends it.
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
        /// The policies that were looked at.
        policies: Vec<String>,
    },
    /// A statement allows it, and what bounds the user does not.
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
    /// As it stands there.
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

    /// The oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Attempt>> {
        self.attempts.iter()
    }

    /// Forgets one, or all; says whether there was any.
    pub(super) fn delete(&mut self, number: Option<u64>) -> bool {
        let before = self.attempts.len();
        self.attempts.retain(|attempt| number.is_some_and(|number| number != attempt.number));
        self.bytes = self.attempts.iter().map(|attempt| attempt.size()).sum();
        self.attempts.len() < before
    }
}

impl Step {
    /// As it is said in JSON and in a query.
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
    /// One that was refused so, of which no more is known.
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

    /// About the bytes that it takes.
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
