//! The audit of the SMTP users of an account: keys that are old or unused, permissions that are too wide or missing,
//! rotations that are unfinished.
//!
//! A kind of finding is a row of a table ([`kinds`]). Its judge examines one user, one key or one row of `seskey.toml`,
//! and returns its evidence or nothing. Only users that send by SMTP are judged ([`Sign`]).
//!
//! ```
//! use seskey::audit::{Limits, Snapshot, audit};
//!
//! let snapshot = Snapshot {
//!     account: "123456789012".to_owned(),
//!     now: "2026-08-20T20:08:20Z".parse()?,
//!     users: vec![],
//!     groups: Default::default(),
//!     managed: Default::default(),
//!     reach: Default::default(),
//! };
//! assert!(audit(&snapshot, None, &Limits::default()).findings.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod explain;
mod fleet;
mod keys;
mod reach;
mod remedy;
pub mod report;
mod rights;
mod sign;
mod snapshot;
mod subject;

use std::{collections::BTreeMap, fmt};

use jiff::{SignedDuration, Timestamp};

pub use explain::{Explanation, explain};
pub use reach::Reach;
pub use sign::Sign;
pub use snapshot::{Console, Key, LastUse, Policies, Snapshot, User};

use self::subject::Subject;
use crate::{fleet::Credential, policy::Policy};

/// A kind of finding: a row of the table.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name, which does not change.
    pub id: &'static str,
    /// Its severity; a finding may be worse.
    pub severity: Severity,
    /// The problem, in a sentence.
    pub sentence: &'static str,
    /// The controls of AWS Security Hub, and of the CIS AWS Foundations Benchmark by version, that require the same.
    pub controls: &'static [&'static str],
    /// The command that fixes it, with placeholders.
    pub remedy: &'static str,
    /// The source of the rule.
    pub source: &'static str,
    judge: Judge,
}

/// The judge of a kind of finding, for a user, a key or a row.
#[derive(Clone, Copy)]
enum Judge {
    User(fn(&Subject<'_>) -> Option<Found>),
    Key(fn(&Subject<'_>, &Key) -> Option<Found>),
    /// A row of `seskey.toml` whose user is not in the account.
    Absent(fn(&Credential) -> Option<Found>),
}

/// The evidence of a judge, and its severity if that is not the usual one.
struct Found {
    evidence: String,
    severity: Option<Severity>,
}

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing, not wrong.
    Informational,
    /// A rule is broken.
    Low,
    /// A key or a permission that should be removed, or mail that is not sent.
    Medium,
    /// A way in for others.
    High,
}

/// A problem that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub kind: &'static Kind,
    /// Its severity.
    pub severity: Severity,
    /// The name of the user.
    pub user: String,
    /// The ARN of the user; absent if there is none.
    pub user_arn: Option<String>,
    /// The access key, if the finding concerns one.
    pub key: Option<Key>,
    /// The facts that it is concluded from.
    pub evidence: String,
    /// The command that fixes it; a comment of the shell if there is none.
    pub remedy: String,
    /// Whether the remedy has a placeholder for the ID of a key, which is not known.
    pub lacks_key_id: bool,
    /// The line of the user in `seskey.toml`, if it is there.
    pub line: Option<usize>,
}

/// The results of an audit of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// The users that send by SMTP, by name, with the sign that shows it.
    pub senders: BTreeMap<String, Sign>,
    /// The users that could send because they may do everything, or all of SES.
    pub could_send: Vec<String>,
    /// The findings, the worst first.
    pub findings: Vec<Finding>,
    /// The number of keys that send mail, which no event of CloudTrail shows.
    pub mail_keys: usize,
    /// The time at which a sender's oldest active key was made.
    pub oldest_key: Option<Timestamp>,
    /// The time at which the next active key of a sender grows, or grew, too old.
    pub next_deadline: Option<Timestamp>,
}

/// The limits at which a key is too old, or unused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The greatest age. Source: AWS Config, `access-keys-rotated`.
    pub max_age: SignedDuration,
    /// The longest time without a use. Source: AWS Security Hub, IAM.22.
    pub unused: SignedDuration,
}

/// Returns all kinds of findings.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    [keys::KINDS, rights::KINDS, fleet::KINDS].into_iter().flatten()
}

/// Whether this is the name of a kind of finding, or a control that one answers.
pub fn is_control(text: &str) -> bool {
    kinds().any(|kind| kind.id == text || kind.controls.contains(&text))
}

/// Judges every user of an account that sends by SMTP. `declared` are the rows of `seskey.toml` for this account, if
/// there is such a file.
pub fn audit(snapshot: &Snapshot, declared: Option<&[Credential]>, limits: &Limits) -> Audit {
    let policies = Documents::of(snapshot);
    let mut audit = Audit::default();
    for user in &snapshot.users {
        let subject = Subject::new(snapshot, user, &policies, declared, limits);
        let Some(sign) = subject.sign else { continue };
        if sign == Sign::Could {
            audit.could_send.push(user.name.clone());
            continue;
        }
        audit.senders.insert(user.name.clone(), sign);
        audit.findings.extend(kinds().flat_map(|kind| judged(kind, &subject)));
        let sends = |key: &&Key| key.last_use.as_ref().is_some_and(LastUse::is_mail);
        audit.mail_keys += user.active_keys().filter(sends).count();
        let oldest = user.active_keys().map(|key| key.created).min();
        audit.oldest_key = audit.oldest_key.into_iter().chain(oldest).min();
        let due = oldest.map(|oldest| later(oldest, limits.max_age));
        audit.next_deadline = audit.next_deadline.into_iter().chain(due).min();
    }
    let is_absent =
        |row: &&Credential| !snapshot.users.iter().any(|user| user.name == row.user.as_str());
    for row in declared.into_iter().flatten().filter(is_absent) {
        audit.findings.extend(kinds().filter_map(|kind| absent(kind, row, &snapshot.reach)));
    }
    audit.could_send.sort_unstable();
    audit
        .findings
        .sort_by(|a, b| (b.severity, &a.user, a.kind.id).cmp(&(a.severity, &b.user, b.kind.id)));
    audit
}

fn judged(kind: &'static Kind, subject: &Subject<'_>) -> Vec<Finding> {
    let finding = |key: Option<&Key>, found: Found| {
        let (remedy, lacks_key_id) = remedy::of_user(kind.remedy, subject, key);
        Finding {
            kind,
            severity: found.severity.unwrap_or(kind.severity),
            user: subject.user.name.clone(),
            user_arn: Some(subject.user.arn.clone()),
            key: key.cloned(),
            evidence: found.evidence,
            remedy,
            lacks_key_id,
            line: subject.declared.map(|row| row.line),
        }
    };
    match kind.judge {
        Judge::User(judge) => {
            judge(subject).map(|found| finding(None, found)).into_iter().collect()
        }
        Judge::Key(judge) => {
            let keys = subject.user.keys.iter();
            keys.filter_map(|key| Some(finding(Some(key), judge(subject, key)?))).collect()
        }
        Judge::Absent(_) => vec![],
    }
}

fn absent(kind: &'static Kind, row: &Credential, reach: &Reach) -> Option<Finding> {
    let Judge::Absent(judge) = kind.judge else { return None };
    let found = judge(row)?;
    Some(Finding {
        kind,
        severity: kind.severity,
        user: row.user.to_string(),
        user_arn: None,
        key: None,
        evidence: found.evidence,
        remedy: remedy::of_row(kind.remedy, row, reach),
        lacks_key_id: false,
        line: Some(row.line),
    })
}

/// The documents of an account, each parsed once regardless of the number of its users.
struct Documents<'a>(BTreeMap<&'a str, Option<Policy>>);

impl<'a> Documents<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        let held = snapshot.users.iter().map(|user| &user.policies).chain(snapshot.groups.values());
        let inline = held.flat_map(|policies| policies.inline.iter().map(|(_, text)| text));
        let mut documents = BTreeMap::new();
        for text in inline.chain(snapshot.managed.values()) {
            documents.entry(text.as_str()).or_insert_with(|| Policy::parse_stored(text).ok());
        }
        Self(documents)
    }

    /// Returns a document; `None` if it cannot be read and so counts for nothing.
    fn get(&self, text: &str) -> Option<&Policy> {
        self.0.get(text)?.as_ref()
    }
}

impl Finding {
    /// Whether it depends on the ID, the status or the last use of a key.
    pub fn depends_on_keys(&self) -> bool {
        let is_of_keys = self.severity > Severity::Informational && keys::KINDS.contains(self.kind);
        is_of_keys || self.lacks_key_id
    }
}

impl Severity {
    /// Returns its name as printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        Self { max_age: days(90), unused: days(45) }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

/// Each ID exists once.
impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Kind {}

fn found(evidence: impl Into<String>) -> Option<Found> {
    Some(Found { evidence: evidence.into(), severity: None })
}

fn worse(severity: Severity, evidence: impl Into<String>) -> Option<Found> {
    Some(Found { evidence: evidence.into(), severity: Some(severity) })
}

/// Adds a length of time; the sum is at most the latest time.
fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// Formats `2026-08-20`.
fn date(time: Timestamp) -> String {
    time.strftime("%F").to_string()
}

/// Formats `120 days`.
fn days(time: SignedDuration) -> String {
    match time.as_hours() / 24 {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}
