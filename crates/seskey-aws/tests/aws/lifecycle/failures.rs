//! Calls that fail on the way, and the output meanwhile.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use seskey::SecretAccessKey;
use seskey_aws::{
    Account, Cause, Options,
    lifecycle::{
        create::{CreateFailure, Style},
        undo::undo,
    },
};
use tracing_subscriber::{filter::Targets, layer::SubscriberExt};

use super::{
    create::run,
    proxy::{Fault, GARBLED_SECRET, fault_at},
    stage::Stage,
};

#[tokio::test]
async fn nothing_is_left_when_the_connection_is_cut() {
    let stage = Stage::new().await;
    let before = stage.snapshot().await;
    for action in
        ["CreateGroup", "PutGroupPolicy", "CreateUser", "AddUserToGroup", "CreateAccessKey"]
    {
        for fault in [Fault::CutBefore, Fault::CutAfter] {
            let url = fault_at(stage.server.http, action, fault);
            let account = stage.root_by(url).await;
            let error = run(&account, &stage.request("app", Style::Group)).await.0.unwrap_err();
            let CreateFailure::Call(call) = &error.failure else { panic!("{action}: {error:?}") };
            assert!(call.ambiguous, "{action} {fault:?}: {call:?}");
            assert_eq!(
                (error.left, stage.snapshot().await),
                (vec![], before.clone()),
                "{action} {fault:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_would_be_made_twice_is_not_sent_twice() {
    let stage = Stage::new().await;
    let before = stage.snapshot().await;
    for (action, harmless) in [
        ("CreateGroup", false),
        ("CreateUser", false),
        ("CreateAccessKey", false),
        ("PutGroupPolicy", true),
        ("AddUserToGroup", true),
    ] {
        let url = fault_at(stage.server.http, action, Fault::CutAfterOnce);
        let account = stage.root_by(url).await;
        let created = run(&account, &stage.request("app", Style::Group)).await.0;
        assert_eq!(created.is_ok(), harmless, "{action}: {created:?}");
        if let Ok(created) = created {
            undo(&account, &created.made, &mut |_| {}).await;
        }
        assert_eq!(stage.snapshot().await, before, "{action}");
    }
}

#[tokio::test]
async fn what_is_throttled_is_asked_again() {
    let stage = Stage::new().await;
    for (number, action) in
        ["CreateUser", "CreateAccessKey", "AddUserToGroup"].into_iter().enumerate()
    {
        let account =
            stage.root_by(fault_at(stage.server.http, action, Fault::ThrottledOnce)).await;
        let created = run(&account, &stage.request(&format!("app-{number}"), Style::Group)).await.0;
        assert!(created.is_ok(), "{action}: {created:?}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_shows_no_secret() {
    let stage = Stage::new().await;
    let before = stage.snapshot().await;
    let account =
        stage.root_by(fault_at(stage.server.http, "CreateAccessKey", Fault::Garbled)).await;
    let error = run(&account, &stage.request("app", Style::Group)).await.0.unwrap_err();
    let printed = format!("{error} {error:?}");
    assert!(!printed.contains(GARBLED_SECRET), "{printed}");
    let CreateFailure::Call(call) = &error.failure else { panic!("{error:?}") };
    assert_eq!((&call.cause, call.ambiguous, call.status), (&Cause::Unreadable, true, Some(200)));
    assert_eq!(stage.snapshot().await, before, "the key was made, and is gone");
}

#[tokio::test]
async fn no_secret_is_logged() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let ours = Targets::new().with_target("seskey_aws", tracing::Level::TRACE);
    let layer = tracing_subscriber::fmt::layer().with_writer(Arc::new(log.reopen().unwrap()));
    // for all threads: the log of the other tests is checked, too
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer).with(ours))
        .unwrap();
    let stage = Stage::new().await;
    let created = run(&stage.root, &stage.request("app", Style::Group)).await.0.unwrap();
    let logged = std::fs::read_to_string(log.path()).unwrap();
    assert!(logged.contains("made") && logged.contains("Auth"), "{logged}");
    assert!(!logged.contains(created.credential.password.expose()));
    assert!(!logged.contains(stage.server.root.1.expose()));
}

#[tokio::test]
async fn a_profile_that_is_not_there_gives_no_credentials() {
    let stage = Stage::new().await;
    let profile = Some("no-such-profile-of-seskey".to_owned());
    let options =
        Options { profile, endpoint_url: Some(stage.server.endpoint_url()), ..Options::default() };
    let error = Account::connect(&options).await.caller().await.unwrap_err();
    assert!(matches!(error.cause, Cause::NoCredentials { .. }), "{error:?}");
    assert!(!error.ambiguous);
}

#[tokio::test]
async fn no_secret_is_in_what_is_printed() {
    let stage = Stage::new().await;
    let (created, events) = run(&stage.root, &stage.request("app", Style::Group)).await;
    let created = created.unwrap();
    let printed = format!("{created:?} {events:?}");
    assert!(!printed.contains(created.credential.password.expose()));
    assert!(!printed.contains(stage.server.root.1.expose()));
}

#[tokio::test]
async fn an_endpoint_that_refuses_is_given_up_at_once() {
    let stage = Stage::new().await;
    let free = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let account = stage.root_by(format!("http://{free}")).await;
    let start = Instant::now();
    let error = run(&account, &stage.request("app", Style::Group)).await.0.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let CreateFailure::Call(call) = error.failure else { panic!("{error:?}") };
    assert!(!call.ambiguous, "nothing was sent");
    let Cause::Unreachable { endpoint: Some(endpoint), .. } = &call.cause else {
        panic!("{call:?}")
    };
    assert!(endpoint.contains(&free.to_string()));
}

#[tokio::test]
async fn a_wrong_secret_of_the_caller_is_told() {
    let stage = Stage::new().await;
    let mut account = stage.server.root.clone();
    account.1 = SecretAccessKey::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").unwrap();
    let account = stage.account_of(account).await;
    let error = account.caller().await.unwrap_err();
    assert!(
        matches!(&error.cause, Cause::CallerCredentials { code, .. } if code == "SignatureDoesNotMatch"),
        "{error:?}"
    );
}
