//! `seskey local --data`: acknowledged changes are kept, whatever happens to the process or to the disk.

#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use testkit::process::{LocalSes, seskey};
use testkit::{
    apis::{Iam, empty_mailbox, mailbox, texts},
    mail,
};

/// The acknowledged changes.
#[derive(Default)]
struct Told {
    users: BTreeSet<String>,
    /// The keys, each with the name of its user.
    keys: Vec<(String, [String; 2])>,
    messages: BTreeSet<String>,
    /// Users whose deletion was acknowledged.
    deleted: BTreeSet<String>,
    /// Users whose deletion was begun, and may have been done without an acknowledgement.
    going: BTreeSet<String>,
}

/// Plays one client of IAM until it gets no answer: it creates users and their keys, and deletes every third user.
fn live(iam: &Iam, client: &str, told: &Mutex<Told>, answers: &AtomicUsize) {
    let tags = [("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "1")];
    for number in 0.. {
        let user = format!("{client}-{number}");
        let name = ("UserName", &*user);
        match iam.ask("CreateUser", &[name, tags[0], tags[1]]) {
            Ok((200, _)) => told.lock().unwrap().users.insert(user.clone()),
            Ok(other) => panic!("{other:?}"),
            Err(_) => return,
        };
        answers.fetch_add(1, Ordering::SeqCst);
        let Ok(key) = iam.key(&user) else { return };
        told.lock().unwrap().keys.push((user.clone(), key.clone().unwrap()));
        answers.fetch_add(1, Ordering::SeqCst);
        if number % 3 == 0 {
            told.lock().unwrap().going.insert(user.clone());
            let key = [name, ("AccessKeyId", &*key.unwrap()[0])];
            let (Ok((200, _)), Ok((200, _))) =
                (iam.ask("DeleteAccessKey", &key), iam.ask("DeleteUser", &[name]))
            else {
                return;
            };
            told.lock().unwrap().deleted.insert(user.clone());
            answers.fetch_add(2, Ordering::SeqCst);
        }
    }
}

#[test]
fn a_kill_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let start = || LocalSes::start(folder.path(), &["--data", data.to_str().unwrap()], &[]);
    let mut rng = StdRng::seed_from_u64(7);
    let told = Mutex::new(Told::default());
    let mut local = start();
    let sender = Iam::of(&local).sender("sender");
    for round in 0..12 {
        let iam = Iam::of(&local);
        let answers = AtomicUsize::new(0);
        thread::scope(|scope| {
            for client in 0..3 {
                let (iam, told, answers) = (&iam, &told, &answers);
                scope.spawn(move || live(iam, &format!("r{round}c{client}"), told, answers));
            }
            let (smtp, told, answers) = (mail::client(&local, &sender), &told, &answers);
            scope.spawn(move || {
                while let Ok(id) = mail::send(&smtp, "hello") {
                    told.lock().unwrap().messages.insert(id);
                    answers.fetch_add(1, Ordering::SeqCst);
                }
            });
            let enough = rng.random_range(1..60);
            let messages = told.lock().unwrap().messages.len();
            while answers.load(Ordering::SeqCst) < enough
                || told.lock().unwrap().messages.len() == messages
            {
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(Duration::from_micros(rng.random_range(0..20_000)));
            local.stop("-KILL");
        });
        local = start();
        look(&local, &told.lock().unwrap(), round);
    }
    let told = told.into_inner().unwrap();
    let Told { users, deleted, messages, .. } = &told;
    let acknowledged = [users.len(), deleted.len(), messages.len()];
    assert!(acknowledged.iter().all(|&number| number >= 12), "{acknowledged:?}");
    // the end by a signal loses no more than the end by force, and leaves the log empty
    let (status, _) = local.stop("-TERM");
    assert_eq!(status.code(), Some(0));
    assert!(!data.join("seskey.db-wal").exists());
    look(&start(), &told, 12);
}

fn look(local: &LocalSes, told: &Told, round: usize) {
    let iam = Iam::of(local);
    let users: BTreeSet<String> = iam.users().into_iter().collect();
    let stay: BTreeSet<_> = told.users.difference(&told.going).cloned().collect();
    let lost: Vec<_> = stay.difference(&users).collect();
    assert!(lost.is_empty(), "round {round}: {lost:?} are lost");
    let back: Vec<_> = users.intersection(&told.deleted).collect();
    assert!(back.is_empty(), "round {round}: {back:?} were deleted");
    let keys_of =
        |user: &str| texts(&iam.done("ListAccessKeys", &[("UserName", user)]), "AccessKeyId");
    let mut keys = told.keys.iter().filter(|(user, _)| stay.contains(user));
    for (user, [id, _]) in keys.clone() {
        assert_eq!(keys_of(user), [&**id], "round {round}: {user}");
    }
    // an unacknowledged change is there whole or not at all
    for user in users.difference(&told.users).filter(|user| *user != "sender") {
        assert_eq!(texts(&iam.done("ListUserTags", &[("UserName", user)]), "Value"), ["1"]);
    }
    for id in users.difference(&stay).flat_map(|user| keys_of(user)) {
        iam.done("GetAccessKeyLastUsed", &[("AccessKeyId", &id)]);
    }
    let mailbox: BTreeSet<String> = mailbox(local).into_iter().collect();
    assert!(told.messages.is_subset(&mailbox), "round {round}: a message is lost");
    if let Some((user, key)) = keys.next_back() {
        assert!(
            mail::client(local, key).test_connection().unwrap(),
            "round {round}: {user} logs in"
        );
    }
}

/// Checks that IAM and SMTP fail with their own errors on a full disk, until there is room again.
fn fails_and_goes_on(
    local: &LocalSes,
    fill: impl FnOnce(&LocalSes),
    make_room: impl FnOnce(&LocalSes),
) {
    let iam = Iam::of(local);
    let sender = iam.sender("sender");
    let smtp = mail::client(local, &sender);
    let first = mail::send(&smtp, "hello").unwrap();
    fill(local);
    let body = format!("{}\r\n", "x".repeat(900)).repeat(30);
    let refused = (0..200).find_map(|_| mail::send(&smtp, &body).err()).expect("the disk is full");
    assert!(refused.contains("451") && refused.contains("Temporary service failure"), "{refused}");
    let name = |number: usize| format!("{}-{number}", "a-long-name".repeat(5));
    let refused = (0..2000).find_map(|number| {
        let (status, body) = iam.ask("CreateUser", &[("UserName", &name(number))]).unwrap();
        (status != 200).then_some((number, status, body))
    });
    let (number, status, body) = refused.expect("the disk is full");
    assert_eq!((status, &*texts(&body, "Code")[0]), (500, "ServiceFailure"), "{body}");
    let before = iam.users();
    assert_eq!(before.len(), number + 1);
    for _ in 0..3 {
        assert_eq!(iam.ask("CreateUser", &[("UserName", &name(number))]).unwrap().0, 500);
        assert_eq!(iam.users(), before, "what failed has left no trace");
    }
    assert!(mailbox(local).contains(&first));
    assert!(local.log().contains("cannot keep the changes"));
    make_room(local);
    assert_eq!(empty_mailbox(local), 204);
    let last = mail::send(&smtp, "hello").unwrap();
    iam.done("CreateUser", &[("UserName", "somebody")]);
    assert_eq!((mailbox(local), iam.users().len()), (vec![last], number + 2));
}

#[test]
fn a_full_disk_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let Some(Disk(disk)) = &Disk::new(folder.path(), "3m") else { return };
    let data = disk.join("data");
    let start = || LocalSes::start(folder.path(), &["--data", data.to_str().unwrap()], &[]);
    let mut local = start();
    let filler = disk.join("filler");
    // SQLite allocates room a little ahead
    let fill = |_: &LocalSes| {
        let _ = fs::write(&filler, vec![0; 4 << 20]);
    };
    fails_and_goes_on(&local, fill, |_| fs::remove_file(&filler).unwrap());
    let before = (Iam::of(&local).users(), mailbox(&local));
    fill(&local);
    assert_eq!(empty_mailbox(&local), 500);
    local.stop("-KILL");
    fs::remove_file(&filler).unwrap();
    let local = start();
    assert_eq!((Iam::of(&local).users(), mailbox(&local)), before);
}

/// The log is made long at once only where that leaves room for others.
#[test]
fn little_room_is_left_to_others() {
    let folder = tempfile::tempdir().unwrap();
    for (size, log) in [("8m", 0..1_000_000), ("64m", 4_000_000..5_000_000)] {
        let Some(Disk(disk)) = &Disk::new(folder.path(), size) else { return };
        let data = disk.join("data");
        let local = LocalSes::start(folder.path(), &["--data", data.to_str().unwrap()], &[]);
        Iam::of(&local).done("CreateUser", &[("UserName", "app")]);
        assert!(log.contains(&fs::metadata(data.join("seskey.db-wal")).unwrap().len()), "{size}");
    }
}

/// A file system of its own.
struct Disk(PathBuf);

impl Disk {
    /// One of this size, where one may be made.
    fn new(folder: &Path, size: &str) -> Option<Self> {
        let disk = folder.join(size);
        fs::create_dir(&disk).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size},mode=700"), "tmpfs"])
            .arg(&disk)
            .output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            eprintln!(
                "SKIPPED: a full disk needs a file system of its own, which only root may mount"
            );
            return None;
        }
        Some(Self(disk))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_limit_of_file_size_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let limited = "ulimit -S -f 800; exec \"$0\" \"$@\"";
    let mut command = Command::new("/bin/sh");
    command.args(["-c", limited, env!("CARGO_BIN_EXE_seskey")]);
    command.env_clear().env("HOME", folder.path()).env("TMPDIR", folder.path());
    let data = folder.path().join("data");
    let local =
        LocalSes::start_by(command, folder.path(), &["--data", data.to_str().unwrap()], &[]);
    fails_and_goes_on(
        &local,
        |_| {},
        |local| {
            let id = local.id().to_string();
            let raised = Command::new("prlimit").args(["--pid", &id, "--fsize=unlimited"]).status();
            assert!(raised.unwrap().success());
        },
    );
}

#[test]
fn a_directory_that_cannot_be_used_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let _local = LocalSes::start(folder.path(), &["--data", "data"], &[]);
    fs::write(path("file"), "").unwrap();
    DirBuilder::new().mode(0o700).create(path("foreign")).unwrap();
    fs::write(path("foreign/seskey.db"), "a diary\n".repeat(100)).unwrap();
    let refused = |data: &str, arguments: &[&str]| {
        let output = seskey(folder.path())
            .args([
                "local",
                "--http",
                "127.0.0.1:0",
                "--smtp",
                "127.0.0.1:0",
                "--smtps",
                "127.0.0.1:0",
            ])
            .args(["--data", data, "--quiet"])
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!((output.status.code(), &*output.stdout), (Some(1), &b""[..]), "{data}");
        String::from_utf8(output.stderr).unwrap()
    };
    for (data, expected) in [
        (
            "data",
            "seskey: data is in use by another local SES\nseskey: hint: stop the other one, or take another directory\n",
        ),
        (
            "file",
            "seskey: cannot use file: not a directory\nseskey: hint: it is a file: name a folder\n",
        ),
        (
            "foreign",
            "seskey: foreign/seskey.db is not the database of a local SES\nseskey: hint: --data takes a directory of its own\n",
        ),
        (
            "no/where",
            "seskey: cannot use no/where: no such file or directory\nseskey: hint: check the path\n",
        ),
    ] {
        assert_eq!(refused(data, &[]), expected);
    }
    LocalSes::start(folder.path(), &["--data", "other", "--account", "123456789012"], &[])
        .stop("-TERM");
    let other = refused("other", &["--account", "000000000000"]);
    assert!(
        other.starts_with("seskey: the account in other is 123456789012, not 000000000000\n"),
        "{other}"
    );
    let other = refused("other", &["--region", "us-gov-west-1"]);
    assert!(
        other.starts_with(
            "seskey: the account in other is in the partition aws, not in aws-us-gov\n"
        ),
        "{other}"
    );
    let local = LocalSes::start(folder.path(), &["--data", "other"], &[]);
    assert_eq!(local.at("/account"), "123456789012");
}

#[test]
fn others_can_read_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut local = LocalSes::start(folder.path(), &["--data", "data"], &[]);
    // the path is absolute, so it is valid in every folder
    let authority = fs::read(local.at("/ca_file")).unwrap();
    Iam::of(&local).sender("sender");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let data = folder.path().join("data");
    assert_eq!(mode(&data), 0o700);
    for entry in fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    let root = local.ready["root"].clone();
    local.stop("-TERM");
    let local = LocalSes::start(folder.path(), &["--data", "data"], &[]);
    assert_eq!(local.ready["root"], root);
    assert_eq!(fs::read(local.at("/ca_file")).unwrap(), authority, "clients trust it still");
}
