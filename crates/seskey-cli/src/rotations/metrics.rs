//! The metrics of a run in a file: the number of credentials in each state, and when each was last found in order.

use std::{collections::BTreeMap, fs, path::Path};

use jiff::Timestamp;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use seskey_aws::lifecycle::rotate::End;

use super::{Who, report::Ended};
use crate::{
    explain::Result,
    metrics::{Accounts, Times, seconds},
    output_file::OutputFile,
};

/// The metrics of a run that is under way.
pub(crate) struct Metrics {
    file: OutputFile,
    /// The name of the account if it is the only one.
    only: String,
    /// When each credential was last in order, from the file of the last run.
    before: BTreeMap<Credential, f64>,
    now: BTreeMap<Credential, f64>,
    accounts: BTreeMap<String, Account>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct Credential {
    account: String,
    user: String,
}

/// The credentials of an account, as they were seen.
#[derive(Default)]
struct Account {
    states: [i64; STATES.len()],
    oldest_key: Option<Timestamp>,
    next_deadline: Option<Timestamp>,
}

/// The outcome of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing is left to do until its deadline.
    Done,
    /// The old key is in its grace time or its quarantine.
    Waiting,
    /// The run did not begin it, or did not finish it.
    Due,
    /// It went no further: a person must decide, or another run is under way.
    Stopped,
    Failed,
}

const STATES: [&str; 5] = ["done", "waiting", "due", "stopped", "failed"];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InState {
    account: String,
    state: &'static str,
}

impl Metrics {
    /// Reads the file, and checks before anything is changed that it can be written.
    pub(crate) fn open(path: &Path, only: String) -> Result<Self> {
        let file = OutputFile::again(path)?;
        // without a file, or with a foreign one, nothing was in order before
        let before = fs::read_to_string(path).unwrap_or_default();
        let before = before.lines().filter_map(success).collect();
        let (now, accounts) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { file, only, before, now, accounts })
    }

    pub(super) fn ended(&mut self, who: &Who, ended: &Ended, has_problem: bool) {
        let Ended::Out(outcome, _) = ended else { return self.add(who, State::Failed) };
        let (state, due) = match &outcome.end {
            End::Interrupted { .. } => (State::Due, None),
            End::Done { due } => (State::Done, *due),
            End::Waits { until, .. } => (State::Waiting, Some(*until)),
            _ => (State::Stopped, None),
        };
        let is_stopped = has_problem && state != State::Due;
        self.add(who, if is_stopped { State::Stopped } else { state });
        let account = self.accounts.entry(self.name(who)).or_default();
        account.oldest_key = account.oldest_key.into_iter().chain(outcome.oldest).min();
        account.next_deadline = account.next_deadline.into_iter().chain(due).min();
    }

    pub(super) fn not_begun(&mut self, who: &Who) {
        self.add(who, State::Due);
    }

    /// Writes the file and moves it to its place.
    pub(super) fn finish(self) -> Result<()> {
        let now = Timestamp::now();
        let states = Family::<InState, Gauge>::default();
        let successes = Times::<Credential>::default();
        let accounts = Accounts::default();
        for (name, account) in &self.accounts {
            for (state, count) in STATES.into_iter().zip(account.states) {
                states.get_or_create(&InState { account: name.clone(), state }).set(count);
            }
            accounts.add(name, account.oldest_key, account.next_deadline, now);
        }
        for (credential, at) in &self.now {
            successes.get_or_create(credential).set(*at);
        }
        let mut registry = Registry::with_prefix("seskey_apply");
        registry.register("credentials", "The credentials by outcome", states);
        let help = "When the credential was last found or left in order";
        registry.register_with_unit(SUCCESS, help, Unit::Seconds, successes);
        self.file.finish(&accounts.text(registry)).map(drop)
    }

    fn add(&mut self, who: &Who, state: State) {
        let account = self.name(who);
        let credential = Credential { account: account.clone(), user: who.user.clone() };
        let success = match state {
            State::Done | State::Waiting => Some(seconds(Timestamp::now())),
            _ => self.before.get(&credential).copied(),
        };
        self.now.extend(success.map(|at| (credential, at)));
        self.accounts.entry(account).or_default().states[state as usize] += 1;
    }

    fn name(&self, who: &Who) -> String {
        who.account.clone().unwrap_or_else(|| self.only.clone())
    }
}

const SUCCESS: &str = "last_success_timestamp";

/// Parses a line about the last success of a credential.
fn success(line: &str) -> Option<(Credential, f64)> {
    let rest = line.strip_prefix("seskey_apply_")?.strip_prefix(SUCCESS)?;
    let (account, rest) = quoted(rest.strip_prefix("_seconds{account=")?)?;
    let (user, rest) = quoted(rest.strip_prefix(",user=")?)?;
    let at = rest.strip_prefix("} ")?.parse().ok()?;
    Some((Credential { account, user }, at))
}

/// Returns the value of a label at the beginning, and the rest of the text. Source: OpenMetrics 1.0, "Escaping".
fn quoted(text: &str) -> Option<(String, &str)> {
    let text = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut letters = text.char_indices();
    loop {
        match letters.next()? {
            (at, '"') => return Some((value, &text[at + 1..])),
            (_, '\\') => value.push(match letters.next()?.1 {
                'n' => '\n',
                letter => letter,
            }),
            (_, letter) => value.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(account: &str, user: &str) -> Who {
        Who { user: user.to_owned(), account: Some(account.to_owned()) }
    }

    #[test]
    fn a_success_outlives_a_run_that_fails() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("seskey.prom");
        let odd = who("a \"b\"\\n", "a+b=c");
        let mut first = Metrics::open(&path, String::new()).expect("it can be written");
        first.add(&odd, State::Waiting);
        first.add(&who("a", "fails"), State::Failed);
        first.finish().expect("it is written");
        let text = fs::read_to_string(&path).expect("it is there");
        let successes: Vec<_> = text.lines().filter_map(success).collect();
        let [(credential, at)] = &successes[..] else { panic!("{text}") };
        assert_eq!((&*credential.account, &*credential.user), ("a \"b\"\\n", "a+b=c"));

        let mut second = Metrics::open(&path, String::new()).expect("it can be written");
        second.add(&odd, State::Failed);
        second.finish().expect("it is written");
        let text = fs::read_to_string(&path).expect("it is there");
        let again: Vec<_> = text.lines().filter_map(success).collect();
        assert_eq!(again, [(credential.clone(), *at)]);
    }
}
