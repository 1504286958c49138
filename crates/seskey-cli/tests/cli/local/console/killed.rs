//! The console is killed during a rotation.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use testkit::{
    apis::{Iam, advance, texts},
    process::Console,
};

use super::{Browser, client, opened};

/// The notes of a rotation are stored with its user, so the next console continues where the killed one stopped.
#[test]
fn a_rotation_outlives_its_console() {
    let folder = tempfile::tempdir().unwrap();
    let (local, mailbox) = opened(folder.path(), &[]);
    let iam = Iam::of(&local);
    let keys = || texts(&iam.done("ListAccessKeys", &[("UserName", "app")]), "AccessKeyId");
    let another = |known: &[&String]| {
        until("no key is made", || keys().into_iter().find(|key| !known.contains(&key)))
    };
    let file = folder.path().join("app.env");
    let store = format!("file:{}", file.display());
    let made = client(folder.path(), &local).args(["create", "app", "--to", &store]).output();
    assert!(made.as_ref().unwrap().status.success(), "{made:?}");
    let old = another(&[]);
    // the proof waits for the new key until the clock is moved
    let faults = mailbox.send("POST", "/_seskey/faults", &[], "[keys]\ncreated = \"50s\"\n");
    assert_eq!(faults.status, 204, "{}", faults.body);

    let fields = [("to", store.as_str()), ("now", "yes"), ("step", "begin")];
    let console = Console::start(client(folder.path(), &local), &[]);
    Browser::open(&console.url).post("/credentials/app/rotate", &fields);
    let lost = another(&[&old]);
    // before its note is written, the owner of the key is unknown, and the next run would wait for it
    until("no note is written", || {
        iam.done("ListUserTags", &[("UserName", "app")]).contains(&lost).then_some(())
    });
    // SIGKILL
    drop(console);

    let console = Console::start(client(folder.path(), &local), &[]);
    let browser = Browser::open(&console.url);
    let begun = browser.post("/credentials/app/rotate", &fields);
    let new = another(&[&old, &lost]);
    advance(&local, "1m");
    let end = browser.end(begun.header("location").unwrap());
    for said in [format!("deleted the access key {lost}, whose secret was lost"), "Done.".into()] {
        assert!(end.text().contains(&said), "{said}: {}", end.text());
    }
    assert!(keys().contains(&old) && !keys().contains(&lost), "{:?}", keys());
    assert!(fs::read_to_string(file).unwrap().contains(&new));
}

/// Looks until there is a result.
fn until<T>(why: &str, look: impl Fn() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{why}");
        thread::sleep(Duration::from_millis(50));
    }
}
