//! A file of credentials that is read is written again with the same credentials, and no part of one is shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seskey::{
    AccessKeyId, SecretAccessKey, SmtpCredential, SmtpPassword,
    credential::{Found, csv},
    recognise::{Recognised, recognise},
    render::{Entry, Target, render},
};

fuzz_target!(|text: &str| {
    for word in text.split(|c: char| c.is_whitespace() || "=,\"'".contains(c)).take(64) {
        check_recognised(word);
    }
    let credentials = match SmtpCredential::read(text) {
        Ok(credentials) => credentials,
        Err(error) => {
            let shown = format!("{error} {error:?}");
            assert!(shown.len() <= 250, "{shown}");
            return;
        }
    };
    assert!(!credentials.is_empty());
    for credential in &credentials {
        assert!(
            !format!("{credential:?}").contains(credential.password.expose())
                || is_elsewhere(credential)
        );
        check_rendered(credential);
    }
    // not for names that begin with an apostrophe, which makes a cell inert
    if credentials
        .iter()
        .flat_map(|credential| &credential.iam_user)
        .any(|name| name.starts_with('\''))
    {
        return;
    }
    let written: Vec<_> = credentials
        .iter()
        .map(|credential| SmtpCredential { endpoint: None, ..credential.clone() })
        .collect();
    assert_eq!(SmtpCredential::read(&csv::write(&credentials)), Ok(written));
});

/// Checks that a credential is read from every form that can hold it.
fn check_rendered(credential: &SmtpCredential) {
    let host = credential.endpoint.clone().unwrap_or_else(|| "localhost".to_owned());
    let credential = SmtpCredential { iam_user: None, ..credential.clone() };
    let entry = Entry { credential, host, port: 2587, from: None };
    for target in [Target::Env, Target::Systemd, Target::Json, Target::Kubernetes, Target::Msmtp] {
        if let Ok(text) = render(target, &entry, "") {
            let endpoint = Some(entry.host.clone());
            let credential = SmtpCredential { endpoint, ..entry.credential.clone() };
            let found = Found { credential: credential.into(), port: Some(entry.port) };
            assert_eq!(Found::read(&text), Ok(vec![found]), "{target}");
        }
    }
}

/// Whether the password is in a name as well.
fn is_elsewhere(credential: &SmtpCredential) -> bool {
    let password = credential.password.expose();
    [&credential.iam_user, &credential.endpoint]
        .into_iter()
        .flatten()
        .any(|name| name.contains(password))
}

/// Checks that the forms do not overlap, and that each is accepted by its own parser.
fn check_recognised(word: &str) {
    let recognised = recognise(word);
    assert_eq!(recognised == Recognised::AccessKeyId, AccessKeyId::parse(word).is_ok());
    let password = SmtpPassword::parse(word);
    let algorithm = password.ok().map(|password| password.algorithm());
    assert_eq!(
        algorithm.map(Recognised::SmtpPassword),
        matches!(recognised, Recognised::SmtpPassword(_)).then(|| recognised.clone())
    );
    if recognised == Recognised::SecretAccessKey {
        assert!(SecretAccessKey::parse(word).is_ok());
    }
    assert!(!format!("{recognised:?}").contains(word) || word.len() < 20);
}
