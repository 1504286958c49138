//! How an account is reached: by a role, at a pace, and what time it is there.

use jiff::SignedDuration;
use seskey_aws::{Account, Cause, Options, Role};

use crate::stage::{ALL_OF_IAM, Stage};

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
    /// The account by way of a role that asks for the external ID `fleet`.
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
            role: Some(role),
            ..Options::default()
        })
        .await
    }
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
    let Cause::NoCredentials { reason } = &error.cause else { panic!("{error:?}") };
    assert!(reason.contains("not authorized to perform: sts:AssumeRole"), "{reason}");
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
        // whole seconds
        before = before.saturating_sub(SignedDuration::from_secs(1)).unwrap();
        assert!((before..=now).contains(&machines), "{ahead}: {machines}, {before} to {now}");
        before = now;
    }
    let then = stage.root.now().unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert!(stage.root.clone().now().unwrap() > then, "it goes on without an answer");
}
