//! The plan of faults, in the form of a TOML file.

use std::{num::NonZeroU64, ops::RangeInclusive};

use serde::Deserialize;

use crate::{
    account::Lag,
    api::is_served,
    event::{Bounce, Fate},
    refusal::Code,
};

/// The faults and their times. The form is in `docs/faults.md`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Plan {
    /// The seed of the random numbers.
    pub seed: u64,
    /// The delays until changes of access keys are visible.
    pub keys: Lag,
    pub(super) rate: Vec<Bucket>,
    pub(super) api: Vec<Rule<ApiFault>>,
    pub(super) smtp: Vec<Rule<SmtpFault>>,
    pub(super) event: Vec<Rule<Fate>>,
    pub(super) session: Session,
    /// The TOML, as it was given.
    #[serde(skip)]
    toml: String,
}

/// A fault of an API call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiFault {
    /// The call is refused, and nothing is done.
    Refuse(Code),
    /// The connection is closed without an answer.
    Cut(Moment),
    /// No answer comes, and the connection stays open.
    Hang(Moment),
}

/// A fault of an SMTP command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SmtpFault {
    /// The command gets this reply, a code and a text, and nothing is done. After a 421 the connection is closed.
    Reply(u16, String),
    /// The connection is closed without a reply.
    Drop(Moment),
}

/// The moment of a fault: before or after the requested work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // the names say it all
pub enum Moment {
    Before,
    After,
}

/// The limit on an SMTP session.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Session {
    pub(super) messages: Option<NonZeroU64>,
}

/// A fault, and the calls that it applies to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule<Fault> {
    /// The action or the command; absent: all of them.
    pub(super) name: Option<String>,
    pub(super) mail: Chosen,
    /// The calls among those that the rule is about, counted from 1; empty: every call.
    pub(super) calls: Vec<Calls>,
    /// The rate within which calls succeed.
    pub(super) within: Option<Rate>,
    /// From 0 to 1.
    pub(super) probability: f64,
    pub(super) fault: Fault,
}

/// The mail that a rule is about, by patterns; an absent pattern matches any mail.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Chosen {
    /// The name of the IAM user.
    pub(super) user: Option<String>,
    /// The sender of the envelope.
    pub(super) from: Option<String>,
    /// A recipient of the envelope.
    pub(super) to: Option<String>,
}

/// The numbers of some calls: `2`, `"5-9"` or `"100-"`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "NumberOrRange")]
pub(super) struct Calls(pub(super) RangeInclusive<u64>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "a call is a number from 1, or a range such as \"5-9\" or \"100-\"")]
enum NumberOrRange {
    Number(NonZeroU64),
    Range(String),
}

/// A limit on the rate of calls.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Bucket {
    #[serde(default, deserialize_with = "served")]
    pub(super) action: Option<String>,
    #[serde(deserialize_with = "positive")]
    per_second: f64,
    #[serde(deserialize_with = "positive")]
    burst: f64,
}

/// The calls of a burst, and the calls in each second after it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rate {
    pub(super) per_second: f64,
    pub(super) burst: f64,
}

impl Plan {
    /// Parses a plan.
    ///
    /// # Errors
    /// The text is not TOML or not of this form; the error has the line and the column.
    pub fn parse(toml: &str) -> Result<Self, toml::de::Error> {
        Ok(Self { toml: toml.to_owned(), ..toml::from_str(toml)? })
    }

    /// Returns the text that it was parsed from.
    pub fn as_toml(&self) -> &str {
        &self.toml
    }
}

/// A table `[[api]]` of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApiTable {
    #[serde(default, deserialize_with = "served")]
    action: Option<String>,
    #[serde(default)]
    calls: Vec<Calls>,
    probability: Option<f64>,
    refuse: Option<Code>,
    cut: Option<Moment>,
    hang: Option<Moment>,
}

/// A table `[[smtp]]` of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SmtpTable {
    command: Option<String>,
    user: Option<String>,
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    calls: Vec<Calls>,
    per_second: Option<f64>,
    burst: Option<f64>,
    probability: Option<f64>,
    reply: Option<String>,
    drop: Option<Moment>,
}

/// A table `[[event]]` of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventTable {
    user: Option<String>,
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    calls: Vec<Calls>,
    probability: Option<f64>,
    event: String,
    bounce: Option<String>,
    delay: Option<String>,
}

/// The SMTP commands that may have a fault, and how much of a mail is known at each: nothing, the user, the sender, the
/// recipients.
const COMMANDS: [(&str, usize); 15] = [
    ("CONNECT", 0),
    ("EHLO", 0),
    ("HELO", 0),
    ("STARTTLS", 0),
    ("AUTH", 1),
    ("NOOP", 1),
    ("RSET", 1),
    ("HELP", 1),
    ("VRFY", 1),
    ("EXPN", 1),
    ("QUIT", 1),
    ("MAIL", 2),
    ("RCPT", 3),
    ("DATA", 3),
    (".", 3),
];

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
        Ok(Self {
            name: action,
            mail: Chosen::default(),
            calls,
            within: None,
            probability: chance(probability)?,
            fault,
        })
    }
}

impl<'de> Deserialize<'de> for Rule<SmtpFault> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = SmtpTable::deserialize(deserializer)?;
        let fault = match (table.reply, table.drop) {
            (Some(text), None) => negative_reply(&text)?,
            (None, Some(moment)) => SmtpFault::Drop(moment),
            _ => return Err(serde::de::Error::custom("one of `reply` and `drop` must be there")),
        };
        let name = table.command.map(|command| command.to_ascii_uppercase());
        let mail = Chosen { user: table.user, from: table.from, to: table.to };
        if let Some(name) = &name {
            mail.check_known_at(name)?;
        }
        let within = match (table.per_second, table.burst) {
            (None, None) => None,
            (Some(per_second), Some(burst)) if is_positive(per_second) && is_positive(burst) => {
                Some(Rate { per_second, burst })
            }
            _ => {
                return Err(serde::de::Error::custom(
                    "`per-second` and `burst` go together, and are above 0",
                ));
            }
        };
        let probability = chance(table.probability)?;
        Ok(Self { name, mail, calls: table.calls, within, probability, fault })
    }
}

impl Chosen {
    fn check_known_at<E: serde::de::Error>(&self, command: &str) -> Result<(), E> {
        let Some((_, known)) = COMMANDS.iter().find(|(name, _)| *name == command) else {
            let names = COMMANDS.map(|(name, _)| name).join(", ");
            return Err(E::custom(format!("`command` is one of {names}")));
        };
        let parts = [("user", &self.user), ("from", &self.from), ("to", &self.to)];
        match parts.iter().skip(*known).find(|(_, pattern)| pattern.is_some()) {
            Some((part, _)) => Err(E::custom(format!("`{part}` is not known yet at {command}"))),
            None => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for Rule<Fate> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = EventTable::deserialize(deserializer)?;
        Ok(Self {
            fault: table.fate().map_err(serde::de::Error::custom)?,
            name: None,
            mail: Chosen { user: table.user, from: table.from, to: table.to },
            calls: table.calls,
            within: None,
            probability: chance(table.probability)?,
        })
    }
}

impl EventTable {
    fn fate(&self) -> Result<Fate, String> {
        let (bounce, delay) = (self.bounce.as_deref(), self.delay.as_deref());
        match (self.event.to_ascii_lowercase().as_str(), bounce, delay) {
            ("delivery", None, None) => Ok(Fate::Delivered),
            ("complaint", None, None) => Ok(Fate::Complained),
            ("reject", None, None) => Ok(Fate::Rejected),
            ("bounce", name, None) => Bounce::named(name.unwrap_or("Permanent/General"))
                .map(Fate::Bounced)
                .ok_or_else(|| one_of("bounce", Bounce::names())),
            ("deliverydelay", None, reason) => Fate::delayed(reason.unwrap_or("General"))
                .ok_or_else(|| one_of("delay", Fate::delays().iter().map(|&it| it.to_owned()))),
            ("delivery" | "complaint" | "reject" | "bounce" | "deliverydelay", ..) => {
                Err("`bounce` is for a Bounce, and `delay` for a DeliveryDelay".to_owned())
            }
            _ => {
                let names = ["Delivery", "Bounce", "Complaint", "DeliveryDelay", "Reject"];
                Err(one_of("event", names.iter().map(|&it| it.to_owned())))
            }
        }
    }
}

fn one_of(what: &str, names: impl Iterator<Item = String>) -> String {
    format!("`{what}` is one of {}", names.collect::<Vec<_>>().join(", "))
}

impl TryFrom<NumberOrRange> for Calls {
    type Error = &'static str;

    fn try_from(calls: NumberOrRange) -> Result<Self, Self::Error> {
        const WRONG: &str = "a range of calls is such as \"5-9\" or \"100-\"";
        let range = match calls {
            NumberOrRange::Number(number) => return Ok(Self(number.get()..=number.get())),
            NumberOrRange::Range(range) => range,
        };
        let (first, last) = range.split_once('-').ok_or(WRONG)?;
        let number = |text: &str| text.trim().parse::<NonZeroU64>().map_err(|_| WRONG);
        let first = number(first)?.get();
        let last = if last.trim().is_empty() { u64::MAX } else { number(last)?.get() };
        if last < first { Err(WRONG) } else { Ok(Self(first..=last)) }
    }
}

impl Bucket {
    pub(super) fn rate(&self) -> Rate {
        Rate { per_second: self.per_second, burst: self.burst }
    }
}

/// Parses a reply such as `451 Temporary service failure`: a fault is never a success.
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

/// Reads the name of an operation that is served, spelled as in a request.
fn served<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let name = String::deserialize(deserializer)?;
    match is_served(&name) {
        true => Ok(Some(name)),
        false => Err(serde::de::Error::custom(format!(
            "{name:?} is no operation that is served: one is called CreateUser"
        ))),
    }
}

fn positive<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    match f64::deserialize(deserializer)? {
        number if is_positive(number) => Ok(number),
        _ => Err(serde::de::Error::custom("the number must be above 0")),
    }
}

fn is_positive(number: f64) -> bool {
    number.is_finite() && number > 0.0
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
            from = "*@example.com"
            calls = [2, "5-9", "100-"]
            per-second = 14
            burst = 14
            probability = 0.25
            reply = "454 Temporary service failure"
            "#,
        )
        .unwrap();
        assert_eq!(plan.keys.flaps, Duration::from_secs(90));
        assert_eq!(plan.rate[0].rate(), Rate { per_second: 5.0, burst: 20.0 });
        assert_eq!(plan.api[0].fault, ApiFault::Refuse(Code::Throttling));
        let rule = Rule {
            name: Some("MAIL".into()),
            mail: Chosen { from: Some("*@example.com".to_owned()), ..Chosen::default() },
            calls: vec![Calls(2..=2), Calls(5..=9), Calls(100..=u64::MAX)],
            within: Some(Rate { per_second: 14.0, burst: 14.0 }),
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
            ("[[api]]\naction = \"GetUser\"", "one of `refuse`, `cut` and `hang` must be there"),
            ("[[api]]\naction = \"listusers\"\ncut = \"after\"", "\"listusers\" is no operation"),
            (
                "[[rate]]\naction = \"List*\"\nper-second = 1\nburst = 1",
                "\"List*\" is no operation",
            ),
            ("[[api]]\ncut = \"after\"\nhang = \"after\"", "one of"),
            ("[[api]]\nrefuse = \"AccessDenied\"", "unknown variant `AccessDenied`"),
            ("[[api]]\ncalls = [0]\ncut = \"after\"", "a number from 1"),
            ("[[api]]\ncalls = [\"5\"]\ncut = \"after\"", "such as \"5-9\""),
            ("[[api]]\ncalls = [\"9-5\"]\ncut = \"after\"", "such as \"5-9\""),
            ("[[smtp]]\ncommand = \"SEND\"\ndrop = \"after\"", "`command` is one of CONNECT,"),
            (
                "[[smtp]]\ncommand = \"ehlo\"\nuser = \"a\"\ndrop = \"after\"",
                "not known yet at EHLO",
            ),
            ("[[smtp]]\ncommand = \"MAIL\"\nto = \"a\"\ndrop = \"after\"", "`to` is not known yet"),
            ("[[smtp]]\nburst = 1\ndrop = \"after\"", "go together"),
            ("[session]\nmessages = 0", "nonzero"),
            ("[[event]]\nto = \"a\"", "missing field `event`"),
            ("[[event]]\nevent = \"Open\"", "`event` is one of Delivery, Bounce,"),
            (
                "[[event]]\nevent = \"Bounce\"\nbounce = \"MailboxFull\"",
                "one of Permanent/General,",
            ),
            ("[[event]]\nevent = \"DeliveryDelay\"\ndelay = \"long\"", "one of InternalFailure,"),
            ("[[event]]\nevent = \"Reject\"\nbounce = \"a/b\"", "`bounce` is for a Bounce"),
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
