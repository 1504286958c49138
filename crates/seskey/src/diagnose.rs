//! The diagnosis of a failed login or message: from the known facts to the causes, the likeliest first.
//!
//! A cause is a row of a table. Its judge examines the [`Evidence`] and returns that the cause is refuted, possible or
//! certain, or nothing. A refuted cause is not a [`Finding`], so it cannot be shown as one.

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

/// The phase in which a cause shows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // `as_str` has each in words, below
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
    /// The phase in which it shows itself.
    pub phase: Phase,
    /// The problem, in a sentence.
    pub sentence: &'static str,
    /// The remedy, with the placeholders that [`Evidence`] fills. A command ends at a semicolon, a comma or a colon.
    pub remedy: &'static str,
    /// The page where it is documented or was met.
    pub source: &'static str,
    /// Whether only AWS or the error text can show it.
    pub is_shown_by_aws: bool,
    judge: fn(&Evidence) -> Option<Verdict>,
}

/// Makes a row of the table. Only AWS or the error text can show a cause after the login.
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

/// Marks a row of an earlier phase that also only AWS can show.
const fn of_aws(row: Cause) -> Cause {
    Cause { is_shown_by_aws: true, ..row }
}

/// The verdict of a judge on a cause; `None` if it has none.
enum Verdict {
    /// The cause is excluded.
    Refuted,
    /// The cause fits this evidence; a smaller number is more likely.
    Possible(u8, String),
    /// The cause is proven by this evidence.
    Certain(String),
}

/// A cause that is not refuted, and its evidence.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The cause.
    pub cause: &'static Cause,
    /// Its certainty.
    pub certainty: Certainty,
    /// The facts that it is concluded from. They contain no secret.
    pub evidence: String,
    /// The remedy: a command, or an instruction if there is none.
    pub remedy: String,
}

/// The certainty of a finding. There is no third value: a refuted cause is not a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// The evidence has no other explanation.
    Certain,
    /// The evidence fits; a smaller number is more likely.
    Possible(u8),
}

/// The result of a diagnosis.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The causes, the likeliest first.
    pub findings: Vec<Finding>,
    /// The causes that the evidence excludes.
    pub refuted: Vec<&'static str>,
}

/// Returns all causes, in the order of their phases.
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
    /// Returns its name as printed.
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
    /// Returns its name as printed.
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

/// Refutes a cause if it is excluded, and otherwise says nothing.
fn refuted_if(excluded: bool) -> Option<Verdict> {
    excluded.then_some(Verdict::Refuted)
}
