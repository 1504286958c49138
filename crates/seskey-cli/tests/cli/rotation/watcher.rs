//! A watcher that logs in and sends a message, ten times a second, with the credential in a store.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::Value;
use testkit::mail::{self, Endpoint};

pub(crate) const TEN_TIMES_A_SECOND: Duration = Duration::from_millis(100);

/// An SMTP user name and its password.
pub(crate) type Login = (String, String);

/// Logs in on a connection of its own, and sends a message.
pub(crate) fn send(endpoint: &Endpoint, (user_name, password): &Login) -> Result<(), String> {
    let sent = mail::send(&endpoint.client(user_name, password), "Hello");
    sent.map(drop).map_err(|error| format!("{user_name}: {error}"))
}

/// A round of a watcher, which gives the result of each message.
pub(crate) type Round = Box<dyn FnMut() -> Vec<Result<(), String>> + Send>;

pub(crate) struct Watcher {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicUsize>,
    thread: JoinHandle<Vec<String>>,
}

impl Watcher {
    pub(crate) fn start(every: Duration, mut round: Round) -> Self {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let thread = thread::spawn({
            let (stop, sent) = (stop.clone(), sent.clone());
            move || {
                let mut failures = vec![];
                while !stop.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    for outcome in round() {
                        match outcome {
                            Ok(()) => drop(sent.fetch_add(1, Ordering::Relaxed)),
                            Err(failure) => failures.push(failure),
                        }
                    }
                    thread::sleep(every.saturating_sub(begun.elapsed()));
                }
                failures
            }
        });
        Self { stop, sent, thread }
    }

    /// Returns the number of sent messages.
    pub(crate) fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }

    /// Ends the watcher, and returns the number of sent messages and the failures.
    pub(crate) fn end(self) -> (usize, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let failures = self.thread.join().unwrap();
        (self.sent.load(Ordering::Relaxed), failures)
    }

    /// Ends the watcher, and checks that no message failed and that some were sent.
    pub(crate) fn judge(self) {
        let (sent, failures) = self.end();
        assert_eq!(failures, Vec::<String>::new());
        assert!(sent > 3, "nobody sent anything");
    }
}

/// Returns the access keys of SES in a file, with their passwords, each pair once; none if the file does not exist.
pub(crate) fn logins(file: &Path) -> BTreeSet<Login> {
    let Ok(text) = fs::read_to_string(file) else { return BTreeSet::new() };
    let value = |name: &str| {
        let mut values = text.lines().filter_map(|line| line.trim_start().strip_prefix(name));
        values.next().map(|value| value.trim_matches(['"', '\'']))
    };
    let pairs: Vec<_> = match file.file_name().and_then(|name| name.to_str()).unwrap() {
        "sasl_passwd" => {
            let entries = text.lines().filter_map(|line| line.split_once(' '));
            entries.filter_map(|(_, entry)| entry.trim().split_once(':')).collect()
        }
        ".msmtprc" => value("user ").zip(value("password ")).into_iter().collect(),
        name if name.ends_with(".env") => {
            value("SMTP_USERNAME=").zip(value("SMTP_PASSWORD=")).into_iter().collect()
        }
        _ => {
            let json: Value = serde_json::from_str(&text).unwrap();
            let [user_name, password] = ["smtp_user_name", "smtp_password"].map(|it| &json[it]);
            return [(user_name.as_str().unwrap().into(), password.as_str().unwrap().into())]
                .into();
        }
    };
    let ours = pairs.into_iter().filter(|(user_name, _)| user_name.starts_with("AKIA"));
    ours.map(|(user_name, password)| (user_name.to_owned(), password.to_owned())).collect()
}
