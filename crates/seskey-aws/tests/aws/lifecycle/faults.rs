//! The life of a credential while the local SES misbehaves on purpose.

use std::time::Duration;

use aws_sdk_iam::{error::ProvideErrorMetadata, types::PolicyEvaluationDecisionType};
use seskey_aws::lifecycle::create::Style;
use seskey_local::faults::Plan;
use tokio::task::JoinSet;

use super::{create::run, stage::Stage};

fn plan(toml: &str) -> Plan {
    Plan::parse(toml).unwrap()
}

#[tokio::test]
async fn a_credential_is_proven_when_its_key_has_taken_effect() {
    let stage = Stage::new().await;
    stage.server.set_faults(plan("[keys]\ncreated = \"1500ms\"\nflaps = \"1s\"\n"));
    let mut request = stage.request("app", Style::Group);
    let proof = request.proof.as_mut().unwrap();
    proof.patience = Duration::from_secs(60);
    let created = run(&stage.root, &request).await.0;
    assert!(created.is_ok(), "{created:?}");
}

#[tokio::test]
async fn what_is_throttled_or_fails_once_is_asked_again() {
    let stage = Stage::new().await;
    stage.server.set_faults(plan(
        "[[api]]\naction = \"CreateUser\"\ncalls = [1]\nrefuse = \"Throttling\"\n\
         [[api]]\naction = \"AddUserToGroup\"\ncalls = [1]\nrefuse = \"ServiceUnavailable\"\n",
    ));
    let created = run(&stage.root, &stage.request("app", Style::Group)).await.0;
    assert!(created.is_ok(), "{created:?}");
}

#[tokio::test]
async fn nothing_is_left_when_an_answer_is_lost() {
    let stage = Stage::new().await;
    let before = stage.snapshot().await;
    for moment in ["before", "after"] {
        let cut = format!("[[api]]\naction = \"CreateAccessKey\"\ncut = \"{moment}\"\n");
        stage.server.set_faults(plan(&cut));
        let created = run(&stage.root, &stage.request("app", Style::Group)).await.0;
        assert!(created.is_err(), "{moment}: {created:?}");
        stage.server.set_faults(Plan::default());
        assert_eq!(stage.snapshot().await, before, "{moment}");
    }
}

/// Wherever the creation of a key and its undoing are cut off, a key that exists may send.
#[tokio::test]
async fn no_key_lives_without_its_policy() {
    let inline = Style::Inline {
        policy: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ses:SendRawEmail","Resource":"*"}]}"#
            .to_owned(),
    };
    let (by_group, by_inline) = ("AddUserToGroup", "PutUserPolicy");
    let mut deaths = JoinSet::new();
    for (style, permission) in [(Style::Group, by_group), (inline, by_inline)] {
        for (action, moment, keys) in [
            ("CreateUser", "after", 0),
            (permission, "before", 0),
            (permission, "after", 0),
            ("CreateAccessKey", "before", 0),
            ("CreateAccessKey", "after", 1),
        ] {
            deaths.spawn(die(style.clone(), action, moment, keys));
        }
    }
    while let Some(death) = deaths.join_next().await {
        death.unwrap();
    }
}

async fn die(style: Style, action: &str, moment: &str, keys: usize) {
    let cut = |action: &str, moment: &str| {
        format!("[[api]]\naction = \"{action}\"\ncut = \"{moment}\"\n")
    };
    let stage = Stage::new().await;
    let undoing = ["DeleteUser", "DeleteUserPolicy", "DeleteAccessKey", "ListAccessKeys"];
    let undoing = undoing.iter().chain(&["RemoveUserFromGroup", "DeleteGroupPolicy"]);
    let dead: String = undoing.map(|action| cut(action, "before")).collect();
    stage.server.set_faults(plan(&(cut(action, moment) + &dead)));
    let created = run(&stage.root, &stage.request("app", style)).await.0;
    assert!(!created.unwrap_err().left.is_empty(), "{action} {moment}");
    stage.server.set_faults(Plan::default());
    let found = stage.iam.list_access_keys().user_name("app").send().await.unwrap();
    assert_eq!(found.access_key_metadata.len(), keys, "{action} {moment}");
    let arn = "arn:aws:iam::000000000000:user/app";
    let asked = stage.iam.simulate_principal_policy().policy_source_arn(arn);
    let answer = asked.action_names("ses:SendRawEmail").send().await.unwrap();
    let decision = answer.evaluation_results()[0].eval_decision.clone();
    let may_send = decision == PolicyEvaluationDecisionType::Allowed;
    assert!(may_send || keys == 0, "{action} {moment}: {decision:?}");
}

#[tokio::test]
async fn a_temporary_reply_is_no_failure() {
    let stage = Stage::new().await;
    stage.server.set_faults(plan(
        "[[smtp]]\ncommand = \"AUTH\"\ncalls = [2]\nreply = \"454 Temporary authentication failure\"\n",
    ));
    let mut request = stage.request("app", Style::Group);
    request.proof.as_mut().unwrap().patience = Duration::from_secs(60);
    let created = run(&stage.root, &request).await.0.unwrap();
    assert_eq!(created.proven.unwrap().attempts, 5, "one, the 454, and three in a row");
}

/// The client gives up a call that is not answered, and the effect of the call stays.
#[tokio::test]
async fn a_call_hangs_before_or_after_its_work() {
    let stage = Stage::new().await;
    for (moment, users) in [("before", 0), ("after", 1)] {
        let hang = format!("[[api]]\naction = \"CreateUser\"\nhang = \"{moment}\"\n");
        stage.server.set_faults(plan(&hang));
        let call = stage.iam.create_user().user_name("app").send();
        assert!(tokio::time::timeout(Duration::from_secs(2), call).await.is_err(), "{moment}");
        stage.server.set_faults(Plan::default());
        let found = stage.iam.list_users().send().await.unwrap().users;
        assert_eq!(found.len(), users, "{moment}");
    }
}

#[tokio::test]
async fn a_new_key_is_listed_late_and_a_deleted_one_signs_on() {
    let stage = Stage::new().await;
    stage.server.set_faults(plan("[keys]\nlisted = \"1h\"\ndeleted = \"1h\"\n"));
    stage.iam.create_user().user_name("app").send().await.unwrap();
    let key = stage.iam.create_access_key().user_name("app").send().await.unwrap();
    let key = key.access_key.unwrap();
    let listed = || stage.iam.list_access_keys().user_name("app").send();
    assert!(listed().await.unwrap().access_key_metadata.is_empty());
    let move_clock = |hours| stage.server.move_clock(jiff::SignedDuration::from_hours(hours));
    move_clock(1).await.unwrap();
    assert_eq!(listed().await.unwrap().access_key_metadata.len(), 1);

    let id = seskey::AccessKeyId::parse(&key.access_key_id).unwrap();
    let secret = seskey::SecretAccessKey::parse(&key.secret_access_key).unwrap();
    let delete = stage.iam.delete_access_key().user_name("app").access_key_id(id.as_str());
    delete.send().await.unwrap();
    let asked = || stage.client_of((&id, &secret)).get_user().send();
    let code =
        |error: aws_sdk_iam::operation::get_user::GetUserError| error.code().map(String::from);
    assert_eq!(code(asked().await.unwrap_err().into_service_error()).unwrap(), "AccessDenied");
    move_clock(2).await.unwrap();
    let refused = asked().await.unwrap_err().into_service_error();
    assert_eq!(code(refused).unwrap(), "InvalidClientTokenId");
}
