//! Access to an account, by a role and at a pace, and the time of the account.

use std::num::NonZeroU32;

use jiff::SignedDuration;
use seskey_aws::{Account, Cause, Options, Role};
use seskey_local::faults::Plan;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use super::stage::{ALL_OF_IAM, Stage};

const NOTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:*","Resource":"*"}]}"#;

fn role(external_id: Option<&str>) -> Role {
    Role {
        arn: "arn:aws:iam::000000000000:role/seskey".to_owned(),
        external_id: external_id.map(str::to_owned),
        session_name: None,
    }
}

impl Stage {
    /// Returns the account by way of a role that requires the external ID `fleet`.
    async fn by(&self, role: Role) -> Account {
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
            "Principal":{"AWS":"arn:aws:iam::000000000000:user/operator"},
            "Condition":{"StringEquals":{"sts:ExternalId":"fleet"}}}]}"#;
        let operator = self.key_of("operator", NOTHING).await;
        let create = self.iam.create_role().role_name("seskey").assume_role_policy_document(trust);
        create.send().await.unwrap();
        let put = self.iam.put_role_policy().role_name("seskey").policy_name("p");
        put.policy_document(ALL_OF_IAM).send().await.unwrap();
        Account::connect(&Options {
            region: Some(self.region.clone()),
            endpoint_url: Some(self.server.endpoint_url()),
            access_key: Some(operator),
            roles: vec![role],
            ..Options::default()
        })
        .await
    }

    /// Makes calls at once at such a pace, all of which must succeed in the end. Returns how many requests were
    /// throttled.
    async fn throttled(&self, calls: usize, calls_per_second: u32) -> usize {
        let account = Account::connect(&Options {
            region: Some(self.region.clone()),
            endpoint_url: Some(self.server.endpoint_url()),
            access_key: Some(self.server.root.clone()),
            calls_per_second: NonZeroU32::new(calls_per_second),
            ..Options::default()
        })
        .await;
        let id = self.key_of("app", ALL_OF_IAM).await.0;
        let plan = "[[rate]]\nper-second = 20\nburst = 10\n";
        self.server.set_faults(Plan::parse(plan).unwrap());
        let mut tasks = JoinSet::new();
        for call in 0..calls {
            let (account, id) = (account.clone(), id.clone());
            tasks.spawn(async move {
                match call % 2 {
                    0 => account.caller().await.map(drop),
                    _ => account.update_access_key("app", id.as_str(), true).await,
                }
            });
        }
        while let Some(call) = tasks.join_next().await {
            call.unwrap().unwrap();
        }
        self.answers("status=\"400\"").await
    }

    /// Returns how often the APIs have given such an answer, by the metrics.
    pub(crate) async fn answers(&self, label: &str) -> usize {
        let mut stream = TcpStream::connect(self.server.http).await.unwrap();
        let get = "GET /_seskey/metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(get.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let requests =
            text.lines().filter(|line| line.contains("api_requests") && line.contains(label));
        requests.map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum()
    }
}

#[tokio::test]
async fn at_a_pace_that_it_bears_nothing_is_throttled() {
    let stage = Stage::new().await;
    let throttled = stage.throttled(50, 15).await;
    assert!(throttled < 5, "{throttled}");
    assert!(stage.answers("status=\"200\"").await >= 50);
}

#[tokio::test]
async fn a_pace_that_it_does_not_bear_is_made_slower() {
    let throttled = Stage::new().await.throttled(60, 120).await;
    assert!((1..20).contains(&throttled), "{throttled}");
}

#[tokio::test]
async fn by_a_role_it_is_seen_as_its_session_sees_it() {
    let stage = Stage::new().await;
    let account = stage.by(role(Some("fleet"))).await;
    let arn = "arn:aws:sts::000000000000:assumed-role/seskey/seskey";
    assert_eq!(account.caller().await.unwrap().arn, arn);
    assert!(account.create_access_key("operator").await.is_ok(), "what the operator may not do");
}

#[tokio::test]
async fn a_role_that_may_not_be_assumed_gives_no_credentials() {
    let stage = Stage::new().await;
    let account = stage.by(role(None)).await;
    let error = account.caller().await.unwrap_err();
    let Cause::Role(cause) = &error.cause else { panic!("{error:?}") };
    let Cause::AccessDenied { action, resource, .. } = &**cause else { panic!("{error:?}") };
    let role = Some("arn:aws:iam::000000000000:role/seskey");
    assert_eq!((&**action, resource.as_deref()), ("sts:AssumeRole", role));
}

#[tokio::test]
async fn its_time_is_that_of_iams_clock() {
    let stage = Stage::new().await;
    assert_eq!(stage.root.now(), None, "nothing was asked yet");
    let mut before = jiff::Timestamp::now();
    for ahead in [0, 90 * 24, -48].map(SignedDuration::from_hours) {
        stage.server.move_clock(ahead).await.unwrap();
        // a refusal has a date too
        stage.root.create_access_key("nobody").await.unwrap_err();
        let machines = stage.root.now().unwrap().saturating_sub(ahead).unwrap();
        let now = jiff::Timestamp::now();
        // the times are whole seconds
        before = before.saturating_sub(SignedDuration::from_secs(1)).unwrap();
        assert!((before..=now).contains(&machines), "{ahead}: {machines}, {before} to {now}");
        before = now;
    }
    let then = stage.root.now().unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert!(stage.root.clone().now().unwrap() > then, "it goes on without an answer");
}
