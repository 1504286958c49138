//! The plan of what goes wrong, as it stands in a TOML file.

use std::num::NonZeroU64;

use serde::Deserialize;

use crate::{account::Lag, refusal::Code};

/// What goes wrong, and when. Its form is in `docs/faults.md`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Plan {
    /// What chance is made of.
    pub seed: u64,
    /// How late changes of access keys are seen.
    pub keys: Lag,
    pub(super) rate: Vec<Bucket>,
    pub(super) api: Vec<Rule<ApiFault>>,
    pub(super) smtp: Vec<Rule<SmtpFault>>,
    /// As it was given.
    #[serde(skip)]
    toml: String,
}

/// What goes wrong with a call of an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiFault {
    /// It is refused, and nothing is done.
    Refuse(Code),
    /// The connection is closed without an answer.
    Cut(Moment),
    /// No answer comes, and the connection stays open.
    Hang(Moment),
}

/// What goes wrong with a command of SMTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SmtpFault {
    /// It gets this reply, a code and a text, and nothing is done. After a 421 the connection is closed.
    Reply(u16, String),
    /// The connection is closed without a reply.
    Drop(Moment),
}

/// Before or after that is done which was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // the names say it all
pub enum Moment {
    Before,
    After,
}

/// What goes wrong, and with which calls.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule<Fault> {
    /// Of which action or command; absent: of all.
    pub(super) name: Option<String>,
    /// Counted from 1; empty: every one.
    pub(super) calls: Vec<NonZeroU64>,
    /// From 0 to 1.
    pub(super) probability: f64,
    pub(super) fault: Fault,
}

/// A limit of the rate of calls.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Bucket {
    pub(super) action: Option<String>,
    #[serde(deserialize_with = "positive")]
    pub(super) per_second: f64,
    #[serde(deserialize_with = "positive")]
    pub(super) burst: f64,
}

impl Plan {
    /// Reads a plan.
    ///
    /// # Errors
    /// A text that is no TOML or not of this form, with the line and the column.
    pub fn parse(toml: &str) -> Result<Self, toml::de::Error> {
        Ok(Self { toml: toml.to_owned(), ..toml::from_str(toml)? })
    }

    /// The text that it was read from.
    pub fn as_toml(&self) -> &str {
        &self.toml
    }
}

/// A table `[[api]]` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApiTable {
    action: Option<String>,
    #[serde(default)]
    calls: Vec<NonZeroU64>,
    probability: Option<f64>,
    refuse: Option<Code>,
    cut: Option<Moment>,
    hang: Option<Moment>,
}

/// A table `[[smtp]]` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SmtpTable {
    command: Option<String>,
    #[serde(default)]
    calls: Vec<NonZeroU64>,
    probability: Option<f64>,
    reply: Option<String>,
    drop: Option<Moment>,
}

impl<'de> Deserialize<'de> for Rule<ApiFault> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ApiTable { action, calls, probability, refuse, cut, hang } =
            ApiTable::deserialize(deserializer)?;
        let fault = match (refuse, cut, hang) {
            (Some(code), None, None) => ApiFault::Refuse(code),
            (None, Some(moment), None) => ApiFault::Cut(moment),
            (None, None, Some(moment)) => ApiFault::Hang(moment),
            _ => {
                return Err(serde::de::Error::custom(
                    "one of `refuse`, `cut` and `hang` must be there",
                ));
            }
        };
        Ok(Self { name: action, calls, probability: chance(probability)?, fault })
    }
}

impl<'de> Deserialize<'de> for Rule<SmtpFault> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SmtpTable { command, calls, probability, reply, drop } =
            SmtpTable::deserialize(deserializer)?;
        let fault = match (reply, drop) {
            (Some(text), None) => negative_reply(&text)?,
            (None, Some(moment)) => SmtpFault::Drop(moment),
            _ => return Err(serde::de::Error::custom("one of `reply` and `drop` must be there")),
        };
        let name = command.map(|command| command.to_ascii_uppercase());
        Ok(Self { name, calls, probability: chance(probability)?, fault })
    }
}

/// Such as `451 Temporary service failure`: a fault is never a success.
fn negative_reply<E: serde::de::Error>(text: &str) -> Result<SmtpFault, E> {
    let (code, words) = text.split_once(' ').unwrap_or((text, ""));
    match code.parse() {
        Ok(code @ 400..=599) => Ok(SmtpFault::Reply(code, words.to_owned())),
        _ => Err(E::custom("a reply is a number from 400 to 599 and a text")),
    }
}

fn chance<E: serde::de::Error>(probability: Option<f64>) -> Result<f64, E> {
    match probability.unwrap_or(1.0) {
        chance @ 0.0..=1.0 => Ok(chance),
        _ => Err(E::custom("a probability is from 0 to 1")),
    }
}

fn positive<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    match f64::deserialize(deserializer)? {
        number if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err(serde::de::Error::custom("the number must be above 0")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_whole_plan() {
        let plan = Plan::parse(
            r#"
            seed = 7
            [keys]
            created = "10s"
            flaps = "1m 30s"
            deleted = "4s"
            [[rate]]
            per-second = 5
            burst = 20.0
            [[api]]
            action = "CreateUser"
            calls = [1, 3]
            refuse = "Throttling"
            [[smtp]]
            command = "mail"
            probability = 0.25
            reply = "454 Temporary service failure"
            "#,
        )
        .unwrap();
        assert_eq!(plan.keys.flaps, Duration::from_secs(90));
        assert_eq!(plan.rate[0].burst, 20.0);
        assert_eq!(plan.api[0].fault, ApiFault::Refuse(Code::Throttling));
        let rule = Rule {
            name: Some("MAIL".into()),
            calls: vec![],
            probability: 0.25,
            fault: SmtpFault::Reply(454, "Temporary service failure".to_owned()),
        };
        assert_eq!(plan.smtp, [rule]);
        assert_eq!(Plan::parse("").unwrap(), Plan::default());
    }

    #[test]
    fn what_is_wrong_in_a_plan_is_named_with_its_line() {
        for (toml, expected) in [
            ("sed = 1", "unknown field `sed`"),
            ("\n[keys]\ncreated = 5", "line 3"),
            ("[keys]\ncreated = \"-5s\"", "negative"),
            ("[[api]]\naction = \"X\"", "one of `refuse`, `cut` and `hang` must be there"),
            ("[[api]]\ncut = \"after\"\nhang = \"after\"", "one of"),
            ("[[api]]\nrefuse = \"AccessDenied\"", "unknown variant `AccessDenied`"),
            ("[[api]]\ncalls = [0]\ncut = \"after\"", "nonzero"),
            ("[[smtp]]\nreply = \"250 Ok\"", "from 400 to 599"),
            ("[[smtp]]\ndrop = \"after\"\nprobability = 1.5", "from 0 to 1"),
            ("[[rate]]\nper-second = 0\nburst = 1", "above 0"),
            ("[[rate]]\nper-second = 1", "missing field `burst`"),
        ] {
            let error = Plan::parse(toml).expect_err(toml).to_string();
            assert!(error.contains(expected), "{toml}: {error}");
        }
    }
}
