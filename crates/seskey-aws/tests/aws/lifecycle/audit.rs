//! An audit of a large account: it finds the planted problems and no others, in few calls.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use seskey::{
    audit::{Audit, Limits, Reach, Severity},
    user::{SENDING_GROUP, SENDING_POLICY},
};
use seskey_aws::audit::audit;
use seskey_local::account::{Action, Answer, Holder, Principal, Status};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::stage::Stage;

const USERS: usize = 2_000;

const MAY_SEND: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ses:SendRawEmail","Resource":"*"}}"#;

struct Crowd(Stage);

impl Crowd {
    /// Returns an account with the group of the SES console, without members.
    async fn new() -> Self {
        let crowd = Self(Stage::new().await);
        let group_name = SENDING_GROUP.to_owned();
        crowd.apply(Action::CreateGroup { group_name: group_name.clone(), path: "/".into() });
        crowd.put_policy(Holder::Group(group_name), SENDING_POLICY);
        crowd
    }

    fn apply(&self, action: Action) -> Answer {
        self.0.server.apply(action).unwrap()
    }

    /// Adds a user as the console makes it; returns its key.
    fn add(&self, name: &str) -> String {
        self.apply(Action::CreateUser {
            user_name: name.to_owned(),
            path: "/".to_owned(),
            permissions_boundary: None,
            tags: vec![],
        });
        self.apply(Action::AddUserToGroup {
            group_name: SENDING_GROUP.to_owned(),
            user_name: name.to_owned(),
        });
        self.add_key(name)
    }

    fn add_key(&self, name: &str) -> String {
        let principal = Principal::User(name.to_owned());
        match self.apply(Action::CreateAccessKey { principal }) {
            Answer::NewAccessKey { access_key, .. } => access_key.access_key_id,
            other => panic!("an answer to another action: {other:?}"),
        }
    }

    fn put_policy(&self, holder: Holder, name: &str) {
        let (policy_name, document) = (name.to_owned(), MAY_SEND.to_owned());
        self.apply(Action::PutPolicy { holder, policy_name, document });
    }

    /// Returns the findings, and the number of calls.
    async fn audit(&self) -> (Audit, usize) {
        let before = self.calls().await;
        let (_, found) =
            audit(&self.0.root, None, &Limits::default(), Reach::default(), None).await.unwrap();
        (found, self.calls().await - before)
    }

    /// Returns the number of requests to IAM, as the local SES counts them.
    async fn calls(&self) -> usize {
        let mut stream = TcpStream::connect(self.0.server.http).await.unwrap();
        let request =
            "GET /_seskey/metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let of_iam = text.lines().filter(|line| {
            line.starts_with("seskey_api_requests_total{") && line.contains("service=\"iam\"")
        });
        of_iam.map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum()
    }
}

/// Returns the problems that were found, by user.
fn told(audit: &Audit) -> BTreeSet<(String, &'static str)> {
    let told = audit.findings.iter().filter(|it| it.severity > Severity::Informational);
    told.map(|finding| (finding.user.clone(), finding.kind.id)).collect()
}

#[tokio::test]
async fn two_thousand_users_take_few_calls() {
    let crowd = Crowd::new().await;
    (0..USERS).for_each(|number| drop(crowd.add(&format!("app-{number}"))));
    let (audit, calls) = crowd.audit().await;
    assert_eq!(audit.senders.len(), USERS);
    assert_eq!(told(&audit), BTreeSet::new());
    // the report, requested and read, and 2,000 users, a group and a policy a thousand at a time
    assert!((5..=8).contains(&calls), "{calls} calls");
}

#[tokio::test]
async fn what_is_planted_is_found() {
    let crowd = Crowd::new().await;
    let mut planted = BTreeSet::new();
    for number in 0..10 {
        let name = format!("old-{number}");
        crowd.add(&name);
        planted.extend([(name.clone(), "key-old"), (name, "key-never-used")]);
    }
    crowd.0.server.move_clock(SignedDuration::from_hours(24 * 100)).await.unwrap();
    for number in 0..USERS - 10 {
        let name = format!("app-{number}");
        let key = crowd.add(&name);
        let principal = || Principal::User(name.clone());
        let id = match number % 400 {
            0 => {
                crowd.add_key(&name);
                "two-active-keys"
            }
            1 => {
                let (access_key_id, status) = (key, Status::Inactive);
                let principal = principal();
                crowd.apply(Action::UpdateAccessKey { principal, access_key_id, status });
                "inactive-key"
            }
            2 => {
                crowd.put_policy(Holder::User(name.clone()), "mail");
                "direct-policy"
            }
            _ => continue,
        };
        planted.insert((name, id));
    }
    let (audit, calls) = crowd.audit().await;
    assert_eq!(told(&audit), planted);
    let close: BTreeSet<&String> =
        planted.iter().filter(|(_, id)| *id != "direct-policy").map(|(name, _)| name).collect();
    // the keys of each are listed; the report cannot distinguish two keys of the same second
    assert!(calls <= 8 + 3 * close.len(), "{calls} calls for {} users", close.len());
    let keys = audit.findings.iter().filter(|it| it.severity > Severity::Informational);
    assert!(keys.flat_map(|finding| &finding.key).all(|key| key.id.is_some()));
    // four hours later IAM makes a new report; until then the old one lacks a new user
    crowd.add("newer");
    crowd.put_policy(Holder::User("newer".into()), "mail");
    let (audit, _) = crowd.audit().await;
    planted.insert(("newer".into(), "direct-policy"));
    assert_eq!(told(&audit), planted);
}
