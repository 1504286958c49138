//! Why a login or a message fails: from what is known to the causes, the likeliest first.
//!
//! A cause is a row of a table. Its judge looks at the [`Evidence`] and says that the cause is refuted, possible or
//! certain, or nothing. What is refuted is no [`Finding`], so it cannot be shown as one.

mod after;
mod evidence;
mod file;
mod forms;
mod login;
mod network;
mod offline;
mod phrases;
mod place;
mod providers;
mod remedy;
mod said;
mod sending;
mod tls;
mod unexplained;

use std::fmt;

pub use evidence::{
    Banner, Certificate, ConfigurationSet, Derivation, Evidence, Host, Identity, Key, Permission,
    Ports, Tls, TlsMode, WrittenPlace,
};
pub use file::FileValues;
pub use forms::{Around, Password, UserName, Values};
pub use said::{Denied, Problem, Reason, Said};
pub use unexplained::UNEXPLAINED;

/// When a cause shows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // each says what it is in words, below
pub enum Phase {
    Offline,
    Network,
    Tls,
    Login,
    Sending,
    After,
}

/// A cause: a row of the table.
#[derive(Clone, Copy)]
pub struct Cause {
    /// Its name, which does not change.
    pub id: &'static str,
    /// When it shows itself.
    pub phase: Phase,
    /// What is wrong, in a sentence.
    pub sentence: &'static str,
    /// What mends it, with the places that [`Evidence`] fills. A command ends at a semicolon, a comma or a colon.
    pub remedy: &'static str,
    /// Where it is documented or was met.
    pub source: &'static str,
    /// Whether only AWS can show it, or the error text.
    pub is_shown_by_aws: bool,
    judge: fn(&Evidence) -> Option<Verdict>,
}

/// A row of the table. What comes after the login only AWS can show, or the error text.
const fn row(
    phase: Phase,
    id: &'static str,
    sentence: &'static str,
    remedy: &'static str,
    source: &'static str,
    judge: fn(&Evidence) -> Option<Verdict>,
) -> Cause {
    let is_shown_by_aws = matches!(phase, Phase::Sending | Phase::After);
    Cause { id, phase, sentence, remedy, source, is_shown_by_aws, judge }
}

/// A row before that, which only AWS can show all the same.
const fn of_aws(row: Cause) -> Cause {
    Cause { is_shown_by_aws: true, ..row }
}

/// What a judge says of a cause. Nothing at all is `None`.
enum Verdict {
    /// It is not so.
    Refuted,
    /// It may be so, on this evidence; of a smaller number more likely.
    Possible(u8, String),
    /// It is so, on this evidence.
    Certain(String),
}

/// A cause that is not refuted, and why it is taken for one.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The cause.
    pub cause: &'static Cause,
    /// How sure that is.
    pub certainty: Certainty,
    /// What it is concluded from. There is no secret in it.
    pub evidence: String,
    /// What mends it: a command, or what to do where there is none.
    pub remedy: String,
}

/// How sure a finding is. There is no third value: what is refuted is no finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// The evidence leaves no other explanation of itself.
    Certain,
    /// The evidence fits; of a smaller number more likely.
    Possible(u8),
}

/// What the evidence says.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The causes, the likeliest first.
    pub findings: Vec<Finding>,
    /// The causes that the evidence excludes.
    pub refuted: Vec<&'static str>,
}

/// All causes, in the order of their phases.
pub fn causes() -> impl Iterator<Item = &'static Cause> {
    [offline::CAUSES, network::CAUSES, tls::CAUSES, login::CAUSES, sending::CAUSES, after::CAUSES]
        .into_iter()
        .flatten()
}

/// Judges every cause by the evidence.
pub fn diagnose(evidence: &Evidence) -> Report {
    let mut report = Report::default();
    for cause in causes() {
        let (certainty, shown) = match (cause.judge)(evidence) {
            None => continue,
            Some(Verdict::Refuted) => {
                report.refuted.push(cause.id);
                continue;
            }
            Some(Verdict::Possible(rank, shown)) => (Certainty::Possible(rank), shown),
            Some(Verdict::Certain(shown)) => (Certainty::Certain, shown),
        };
        let remedy = evidence.filled(cause.remedy);
        report.findings.push(Finding { cause, certainty, evidence: shown, remedy });
    }
    if report.findings.is_empty() {
        report.findings.extend(unexplained::finding(evidence));
    }
    report.findings.sort_by_key(|finding| finding.certainty);
    report
}

impl Report {
    /// Whether a cause is certain, so that no more evidence is needed.
    pub fn is_certain(&self) -> bool {
        self.findings.first().is_some_and(|finding| finding.certainty == Certainty::Certain)
    }
}

impl Phase {
    /// Its name as printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Network => "network",
            Self::Tls => "TLS",
            Self::Login => "login",
            Self::Sending => "sending",
            Self::After => "after",
        }
    }
}

impl Certainty {
    /// Its name as printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Possible(_) => "possible",
        }
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

fn certain(evidence: impl Into<String>) -> Option<Verdict> {
    Some(Verdict::Certain(evidence.into()))
}

fn possible(rank: u8, evidence: impl Into<String>) -> Option<Verdict> {
    Some(Verdict::Possible(rank, evidence.into()))
}

fn refuted() -> Option<Verdict> {
    Some(Verdict::Refuted)
}

/// Refuted where it is known that it is not so, else nothing.
fn refuted_if(excluded: bool) -> Option<Verdict> {
    excluded.then_some(Verdict::Refuted)
}
