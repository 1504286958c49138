//! The data directory of a local SES: its contents, and the failures to write to it.

#![allow(clippy::unwrap_used)]

mod place;
mod strangers;

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use lettre::{
    SmtpTransport, Transport,
    address::Envelope,
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use place::{Place, mode};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rusqlite::Connection;
use seskey::{AccessKeyId, Region, SecretAccessKey, SmtpPassword};
use seskey_local::{
    JournalError,
    account::{AccountId, Action, Answer, Holder, LastUsed, Page, Principal, Status},
    refusal::{ApiRefusal, Code},
    server::{Config, Server},
};

fn create_user(name: &str) -> Action {
    let user_name = name.to_owned();
    Action::CreateUser { user_name, path: "/".into(), permissions_boundary: None, tags: vec![] }
}

fn add_key(server: &Server, user: &str) -> (AccessKeyId, SecretAccessKey) {
    let principal = Principal::User(user.to_owned());
    let Answer::NewAccessKey { access_key, secret_access_key } =
        server.apply(Action::CreateAccessKey { principal }).unwrap()
    else {
        panic!("a new key");
    };
    let id = AccessKeyId::parse(&access_key.access_key_id).unwrap();
    (id, SecretAccessKey::parse(secret_access_key.expose()).unwrap())
}

/// Returns a client that sends as the owner of a key, over one connection.
fn sender(server: &Server, (id, secret): &(AccessKeyId, SecretAccessKey)) -> SmtpTransport {
    let password = SmtpPassword::derive(secret, &server.region).expose().to_owned();
    let authority = Certificate::from_pem(server.authority_pem.as_bytes()).unwrap();
    let tls = TlsParameters::builder("localhost".into()).add_root_certificate(authority).build();
    SmtpTransport::builder_dangerous("127.0.0.1")
        .port(server.smtp.port())
        .tls(Tls::Required(tls.unwrap()))
        .credentials(Credentials::new(id.as_str().to_owned(), password))
        .build()
}

/// Sends a message, and returns the text of the last reply.
fn send(sender: &SmtpTransport, body: &str) -> Result<String, String> {
    let envelope = Envelope::new(
        Some("a@example.com".parse().unwrap()),
        vec!["b@example.com".parse().unwrap()],
    );
    let message = format!("From: a@example.com\r\nTo: b@example.com\r\n\r\n{body}\r\n");
    let reply = sender.send_raw(&envelope.unwrap(), message.as_bytes());
    let text = |reply: lettre::transport::smtp::response::Response| {
        format!("{} {}", reply.code(), reply.message().collect::<String>())
    };
    reply.map(text).map_err(|error| error.to_string())
}

fn http(server: &Server, method: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(server.http).unwrap();
    write!(stream, "{method} /_aws/ses HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn mailbox(server: &Server) -> serde_json::Value {
    serde_json::from_str(http(server, "GET").split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn last_used(server: &Server, id: &AccessKeyId) -> LastUsed {
    let access_key_id = id.to_string();
    match server.apply(Action::GetAccessKeyLastUsed { access_key_id }).unwrap() {
        Answer::AccessKeyLastUsed { last_used, .. } => last_used.unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Returns the answers to all questions about the users, as text.
fn told(server: &Server) -> String {
    let page = || Page { marker: None, max_items: 1000 };
    let ask = |action| server.apply(action).unwrap();
    let users = ask(Action::ListUsers { path_prefix: "/".into(), page: page() });
    let groups = ask(Action::ListGroups { path_prefix: "/".into(), page: page() });
    let mut told = format!("{users:?}\n{groups:?}\n");
    let Answer::Users(users) = users else { panic!("users") };
    for user in users.items {
        let holder = Holder::User(user.user_name.clone());
        let principal = Principal::User(user.user_name.clone());
        for question in [
            Action::GetUser { principal: principal.clone() },
            Action::ListAccessKeys { principal, page: page() },
            Action::ListGroupsForUser { user_name: user.user_name, page: page() },
            Action::ListInlinePolicies { holder: holder.clone(), page: page() },
            Action::ListAttachedPolicies { holder, path_prefix: "/".into(), page: page() },
        ] {
            told += &format!("{:?}\n", ask(question));
        }
    }
    told
}

fn random_action(rng: &mut StdRng, keys: &[String]) -> Action {
    let user_name = format!("user-{}", rng.random_range(0..6));
    let group_name = format!("group-{}", rng.random_range(0..3));
    let principal = Principal::User(user_name.clone());
    let holder = Holder::User(user_name.clone());
    let access_key_id = keys[rng.random_range(0..keys.len())].clone();
    let policy_name = "p".to_owned();
    match rng.random_range(0..12) {
        0..3 => create_user(&user_name),
        3 => Action::DeleteUser { user_name },
        4 => Action::UpdateUser {
            user_name,
            new_path: None,
            new_user_name: Some(format!("user-{}", rng.random_range(0..6))),
        },
        5 | 6 => Action::CreateAccessKey { principal },
        7 => Action::UpdateAccessKey { principal, access_key_id, status: Status::Inactive },
        8 => Action::DeleteAccessKey { principal, access_key_id },
        9 => Action::CreateGroup { group_name, path: "/".into() },
        10 => Action::AddUserToGroup { group_name, user_name },
        _ => Action::PutPolicy { holder, policy_name, document: ALLOW.to_owned() },
    }
}

const ALLOW: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

#[test]
fn the_same_account_is_there_after_any_actions() {
    for seed in 0..4 {
        let place = Place::new();
        let mut rng = StdRng::seed_from_u64(seed);
        let mut keys = vec!["AKIAIOSFODNN7EXAMPLE".to_owned()];
        for _ in 0..3 {
            let server = place.start();
            for _ in 0..30 {
                if let Ok(Answer::NewAccessKey { access_key, .. }) =
                    server.apply(random_action(&mut rng, &keys))
                {
                    keys.push(access_key.access_key_id);
                }
            }
            let before = told(&server);
            drop(server);
            assert_eq!(told(&place.start()), before, "seed {seed}");
        }
    }
}

#[test]
fn a_restart_keeps_all_there_is() {
    let place = Place::new();
    let config = Config {
        region: Some(Region::parse("eu-west-1").unwrap()),
        account_id: AccountId::parse("123456789012"),
        ..place.config()
    };
    let server = place.try_start(config).unwrap();
    let (root, authority) = (server.root.clone(), server.authority_pem.clone());
    server.apply(create_user("mailer")).unwrap();
    let key = add_key(&server, "mailer");
    let holder = Holder::User("mailer".into());
    let policy = Action::PutPolicy { holder, policy_name: "p".into(), document: ALLOW.into() };
    server.apply(policy).unwrap();
    for text in ["first", "second", "third"] {
        assert!(send(&sender(&server, &key), text).unwrap().starts_with("250 Ok"), "{text}");
    }
    place.runtime.block_on(server.move_clock(SignedDuration::from_hours(24 * 90))).unwrap();
    server.apply(create_user("later")).unwrap();
    let (used, mailbox_before) = (last_used(&server, &key.0), mailbox(&server));
    assert_eq!(used.service_name, "ses-smtp");
    drop(server);

    let server = place.start();
    assert_eq!((&server.root, &server.authority_pem), (&root, &authority));
    assert_eq!((server.region.as_str(), server.account_id.as_str()), ("eu-west-1", "123456789012"));
    assert_eq!(last_used(&server, &key.0), used);
    assert_eq!(mailbox(&server), mailbox_before);
    assert_eq!(mailbox_before["messages"].as_array().unwrap().len(), 3);
    // the leaf is new, and is signed by the authority that the client trusts
    assert!(send(&sender(&server, &key), "fourth").unwrap().starts_with("250 Ok"));
    let created = |user: &str| match server
        .apply(Action::GetUser { principal: Principal::User(user.into()) })
        .unwrap()
    {
        Answer::User(user) => user.create_date,
        other => panic!("{other:?}"),
    };
    server.apply(create_user("after")).unwrap();
    let ahead = created("after").duration_since(created("mailer"));
    assert!(ahead >= SignedDuration::from_hours(24 * 90), "the clock is still ahead: {ahead}");

    assert!(http(&server, "DELETE").starts_with("HTTP/1.0 204"));
    drop(server);
    assert_eq!(mailbox(&place.start())["messages"], serde_json::json!([]));
}

#[test]
fn the_root_user_is_never_without_a_key() {
    let place = Place::new();
    let server = place.start();
    let first = server.root.0.to_string();
    server
        .apply(Action::DeleteAccessKey { principal: Principal::Root, access_key_id: first.clone() })
        .unwrap();
    drop(server);
    let second = place.start().root.0.to_string();
    assert_ne!(second, first);
    assert_eq!(place.start().root.0.to_string(), second, "it is kept");
}

#[test]
fn who_comes_together_shares_a_commit() {
    const WRITERS: usize = 100;
    let place = Place::new();
    let server = place.start();
    // another connection holds the write lock, so the first commit waits
    let other = place.database();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = AtomicUsize::new(0);
    thread::scope(|scope| {
        for number in 0..WRITERS {
            let (server, begun) = (&server, &begun);
            scope.spawn(move || {
                begun.fetch_add(1, Ordering::SeqCst);
                server.apply(create_user(&format!("user-{number}"))).unwrap();
            });
        }
        while begun.load(Ordering::SeqCst) < WRITERS {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(300));
        assert_eq!(server.journal_commits(), 0, "nobody was told before a commit");
        other.execute_batch("ROLLBACK").unwrap();
    });
    assert!(server.journal_commits() <= 20, "{} commits", server.journal_commits());
    let before = told(&server);
    drop(server);
    assert_eq!(told(&place.start()), before);
}

#[test]
fn logins_do_not_wake_the_disk() {
    let place = Place::new();
    let server = place.start();
    server.apply(create_user("mailer")).unwrap();
    let key = add_key(&server, "mailer");
    let (began, before) = (Instant::now(), server.journal_commits());
    for _ in 0..20 {
        assert!(sender(&server, &key).test_connection().unwrap());
    }
    let commits = server.journal_commits() - before;
    assert!(commits <= began.elapsed().as_secs() + 1, "{commits} commits");
}

#[test]
fn reads_and_logins_wait_for_no_commit() {
    let place = Place::new();
    let server = place.start();
    server.apply(create_user("mailer")).unwrap();
    let key = add_key(&server, "mailer");
    let other = place.database();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let commits = server.journal_commits();
    assert!(sender(&server, &key).test_connection().unwrap());
    told(&server);
    assert_eq!(server.journal_commits(), commits);
    other.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn a_full_disk_fails_what_it_must_and_harms_nothing() {
    let place = Place::new();
    let server = place.start();
    server.apply(create_user("mailer")).unwrap();
    let key = add_key(&server, "mailer");
    let holder = Holder::User("mailer".into());
    let policy = Action::PutPolicy { holder, policy_name: "p".into(), document: ALLOW.into() };
    server.apply(policy).unwrap();
    drop(server);

    let server = place.try_start(Config { max_pages: Some(64), ..place.config() }).unwrap();
    let sender = sender(&server, &key);
    let body = "x".repeat(900) + "\r\n";
    let mut accepted = 0;
    let refused = loop {
        match send(&sender, &body.repeat(20)) {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert!(refused.contains("451") && refused.contains("Temporary service failure"), "{refused}");
    let mut users = 0;
    while let Ok(answer) = server.apply(create_user(&format!("a-long-name-of-a-user-{users}"))) {
        assert!(matches!(answer, Answer::User(_)));
        users += 1;
    }
    // every write fails, again and again, and leaves no trace; reads go on
    let before = told(&server);
    for _ in 0..3 {
        assert_eq!(
            server.apply(create_user("nobody")).unwrap_err(),
            ApiRefusal::Failure(Code::ServiceFailure)
        );
        assert!(send(&sender, &body.repeat(20)).is_err());
        assert_eq!(told(&server), before);
        assert!(!before.contains("nobody"));
        assert_eq!(mailbox(&server)["messages"].as_array().unwrap().len(), accepted);
    }
    // there is room again
    assert!(http(&server, "DELETE").starts_with("HTTP/1.0 204"));
    server.apply(create_user("somebody")).unwrap();
    assert!(send(&sender, "short").is_ok());
    let (before, mail) = (told(&server), mailbox(&server));
    drop((sender, server));
    let server = place.start();
    assert_eq!((told(&server), mailbox(&server)), (before, mail));
}

#[test]
fn a_directory_is_of_one_process() {
    let place = Place::new();
    let server = place.start();
    let error = place.refusal(place.config());
    assert!(matches!(&error, JournalError::InUse { directory } if *directory == place.directory()));
    drop(server);
    place.start();
}

#[test]
fn another_account_is_refused_and_nothing_is_changed() {
    let place = Place::new();
    let root = (
        AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap(),
        SecretAccessKey::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").unwrap(),
    );
    let region = |name| Some(Region::parse(name).unwrap());
    let account_id = || AccountId::parse("123456789012");
    let right = Config {
        account_id: account_id(),
        root: Some(root.clone()),
        region: region("us-gov-west-1"),
        ..place.config()
    };
    drop(place.try_start(right.clone()).unwrap());
    let before = place.files();

    let other = Config { account_id: AccountId::parse("000000000000"), ..right.clone() };
    assert!(matches!(place.refusal(other), JournalError::OtherAccount { .. }));
    let other = Config { region: region("us-east-1"), ..right.clone() };
    assert!(matches!(place.refusal(other), JournalError::OtherPartition { .. }));
    let secret = SecretAccessKey::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEz").unwrap();
    let other = Config { root: Some((root.0, secret)), ..right.clone() };
    assert!(matches!(place.refusal(other), JournalError::OtherRootKey { .. }));
    assert!(place.files() == before);

    let server = place.try_start(place.config()).unwrap();
    assert_eq!(
        (Some(server.account_id.clone()), server.region.as_str()),
        (account_id(), "us-gov-west-1")
    );
    drop(server);
    let other = Config { region: region("us-gov-east-1"), ..right };
    assert_eq!(place.try_start(other).unwrap().region.as_str(), "us-gov-east-1");
}

type Spoil = fn(&Path);

#[test]
fn what_is_no_database_of_ours_is_left_alone() {
    let cases: [(&str, Spoil); 4] = [
        ("text", |path| fs::write(path, "a diary, and no database at all\n".repeat(40)).unwrap()),
        ("another program's", |path| {
            let database = Connection::open(path).unwrap();
            database.execute_batch("CREATE TABLE account (name); PRAGMA user_version = 1").unwrap();
        }),
        ("a newer version's", |path| {
            let database = Connection::open(path).unwrap();
            database.pragma_update(None, "user_version", 3).unwrap();
        }),
        ("damaged", |path| {
            let database = Connection::open(path).unwrap();
            database.execute_batch("UPDATE account SET value = '{}' WHERE name = 'root'").unwrap();
        }),
    ];
    for (case, spoil) in cases {
        let place = Place::new();
        let database = place.directory().join("seskey.db");
        if ["a newer version's", "damaged"].contains(&case) {
            drop(place.start());
        } else {
            fs::create_dir(place.directory()).unwrap();
        }
        spoil(&database);
        let before = (fs::read(&database).unwrap(), mode(&database));
        let error = place.refusal(place.config());
        match case {
            "a newer version's" => {
                assert!(
                    matches!(error, JournalError::Newer { found: 3, known: 2, .. }),
                    "{error:?}"
                );
            }
            "damaged" => assert!(matches!(error, JournalError::NoAccount { .. }), "{error:?}"),
            _ => assert!(matches!(error, JournalError::Foreign { .. }), "{case}: {error:?}"),
        }
        assert!((fs::read(&database).unwrap(), mode(&database)) == before, "{case}");
    }
}

#[test]
fn a_file_is_no_directory() {
    let place = Place::new();
    fs::write(place.directory(), "").unwrap();
    assert!(matches!(place.refusal(place.config()), JournalError::File { .. }));
    let below = Config { data: Some(place.directory().join("below")), ..place.config() };
    assert!(matches!(place.refusal(below), JournalError::File { .. }));
    let nowhere = Config { data: Some(place.folder.path().join("not/there")), ..place.config() };
    assert!(matches!(place.refusal(nowhere), JournalError::File { .. }));
}

#[test]
fn only_the_owner_can_read_it() {
    let place = Place::new();
    let server = place.start();
    server.apply(create_user("mailer")).unwrap();
    let modes =
        || place.files().into_iter().map(|(name, mode, _)| (name, mode)).collect::<Vec<_>>();
    assert_eq!(mode(&place.directory()), 0o700);
    let names = ["lock", "seskey.db", "seskey.db-shm", "seskey.db-wal"];
    assert_eq!(modes(), names.map(|name| (name.to_owned(), 0o600)));
    drop(server);
    // modes that are too open are corrected at the next start
    for name in ["seskey.db", "lock"] {
        fs::set_permissions(place.directory().join(name), Permissions::from_mode(0o644)).unwrap();
    }
    let _server = place.start();
    assert_eq!(modes(), names.map(|name| (name.to_owned(), 0o600)));
}
