//! Whatever a file holds, the rendered credential is read back and a second rendering changes nothing, or the file is
//! refused. If it has a key of the user, the key and its password are replaced, and nothing else.

#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use seskey::{
    AccessKeyId, SmtpCredential, SmtpPassword,
    render::{Entry, Form, Target, held, render},
};

fuzz_target!(|before: &str| {
    let credential = SmtpCredential {
        iam_user: None,
        user_name: AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap(),
        password: SmtpPassword::parse("BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9").unwrap(),
        endpoint: Some("email-smtp.eu-west-1.amazonaws.com".to_owned()),
    };
    let host = credential.endpoint.clone().unwrap();
    let entry = Entry { credential, host, port: 587, from: None };
    for target in Target::all().filter(|target| target.is_read()) {
        let Ok(text) = render(target, &entry, before) else { continue };
        let read = held(target, &text, &entry.host, entry.port).expect("it was just written");
        assert_eq!(read.user_name, entry.credential.user_name, "{target}");
        assert_eq!(read.password, entry.credential.password, "{target}");
        assert_eq!(render(target, &entry, &text).as_ref(), Ok(&text), "{target}");
    }
    for target in Target::all().filter(|target| target.is_store()) {
        replaces_a_key_of_the_user(target, &entry, before);
    }
});

fn replaces_a_key_of_the_user(target: Target, entry: &Entry, before: &str) {
    let form = Form::from(target);
    let old = AccessKeyId::parse("AKIAI44QH8DHBEXAMPLE").unwrap();
    let keys = BTreeSet::from([old.clone()]);
    let read = form.read(before, &entry.host, entry.port, &keys);
    let Ok(text) = form.render(entry, before, &keys) else { return };
    let new = &entry.credential;
    let all = BTreeSet::from([old.clone(), new.user_name.clone()]);
    let after = form.read(&text, &entry.host, entry.port, &all).expect("it was just written");
    assert!(!after.is_empty(), "{target}");
    let is_new =
        |read: &SmtpCredential| read.user_name == new.user_name && read.password == new.password;
    assert!(after.iter().all(is_new), "{target}");

    let is_old = |read: &&SmtpCredential| read.user_name == old;
    let read = read.unwrap_or_default();
    let Some(was) = read.iter().find(is_old) else { return };
    let has_new =
        [new.user_name.as_str(), new.password.expose()].iter().any(|new| before.contains(new));
    // a whole file has more than the values; in JSON and in URLs the old values may be written with escapes
    let is_whole =
        matches!(target, Target::Csv | Target::Kubernetes | Target::Json | Target::Listed(_));
    if has_new || is_whole {
        return;
    }
    let back = text.replace(new.user_name.as_str(), old.as_str());
    assert_eq!(back.replace(new.password.expose(), was.password.expose()), before, "{target}");
}
