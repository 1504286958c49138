//! Somebody who logs in ten times a second with what a store holds.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use lettre::{
    SmtpTransport,
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::{Certificate, Tls, TlsParameters},
    },
};
use seskey::SmtpCredential;

pub(crate) struct Watcher {
    stop: Arc<AtomicBool>,
    logins: Arc<AtomicUsize>,
    thread: Option<JoinHandle<Vec<String>>>,
}

impl Watcher {
    /// Begins when the file is there.
    pub(crate) fn start(file: PathBuf, port: u16, authority: &str) -> Self {
        let (stop, logins) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let certificate = Certificate::from_pem(authority.as_bytes()).unwrap();
        let thread = thread::spawn({
            let (stop, logins) = (stop.clone(), logins.clone());
            move || watch(&file, port, &certificate, &stop, &logins)
        });
        Self { stop, logins, thread: Some(thread) }
    }

    /// Ends it; none of its logins may have failed, and there must have been some.
    pub(crate) fn judge(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let failures = self.thread.take().unwrap().join().unwrap();
        assert_eq!(failures, Vec::<String>::new());
        assert!(self.logins.load(Ordering::Relaxed) > 3, "nobody logged in");
    }
}

fn watch(
    file: &PathBuf,
    port: u16,
    certificate: &Certificate,
    stop: &AtomicBool,
    logins: &AtomicUsize,
) -> Vec<String> {
    let mut failures = vec![];
    while !stop.load(Ordering::Relaxed) {
        let begun = Instant::now();
        if let Ok(text) = fs::read_to_string(file) {
            let credential = SmtpCredential::read(&text).unwrap().remove(0);
            match log_in(&credential, port, certificate) {
                Ok(()) => drop(logins.fetch_add(1, Ordering::Relaxed)),
                Err(error) => failures.push(format!("{}: {error}", credential.user_name)),
            }
        }
        thread::sleep(Duration::from_millis(100).saturating_sub(begun.elapsed()));
    }
    failures
}

/// Logs in and out.
pub(crate) fn log_in(
    credential: &SmtpCredential,
    port: u16,
    certificate: &Certificate,
) -> Result<(), String> {
    let tls = TlsParameters::builder("email-smtp.us-east-1.amazonaws.com".to_owned())
        .add_root_certificate(certificate.clone())
        .build_rustls()
        .unwrap();
    let transport = SmtpTransport::builder_dangerous("127.0.0.1")
        .port(port)
        .tls(Tls::Required(tls))
        .authentication(vec![Mechanism::Plain])
        .credentials(Credentials::new(
            credential.user_name.to_string(),
            credential.password.expose().to_owned(),
        ))
        .build();
    match transport.test_connection() {
        Ok(true) => Ok(()),
        Ok(false) => Err("not connected".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
