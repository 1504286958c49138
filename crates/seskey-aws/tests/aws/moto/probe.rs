//! The obstacles to a write are found without a write. IAM is that of a local SES.

use std::collections::BTreeSet;

use aws_sdk_secretsmanager::types::ReplicaRegionType;
use aws_sdk_ssm::types::ParameterType;
use seskey::{
    Region,
    store::{AwsSecret, SecretText, Store, StoreKind},
};
use seskey_aws::{
    Account, Options,
    store::{Held, StoreError, probe},
};
use seskey_local::{
    account::Holder,
    server::{Config, Server},
};
use testkit::users;

use super::stage::{REGION, credential, named, read, sdk, secrets_manager, ssm, write};

async fn iam() -> Server {
    Server::start(Config::ephemeral()).await.unwrap()
}

async fn account_of(iam: &Server, key: (seskey::AccessKeyId, seskey::SecretAccessKey)) -> Account {
    Account::connect(&Options {
        region: Some(Region::parse(REGION).unwrap()),
        endpoint_url: Some(iam.endpoint_url()),
        access_key: Some(key),
        ..Options::default()
    })
    .await
}

/// Returns the account of a new user with a policy of these statements.
async fn user(iam: &Server, name: &str, statements: &str) -> Account {
    users::create_user(iam, name, "/", None);
    let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    users::put_policy(iam, Holder::User(name.to_owned()), "p", &document);
    account_of(iam, users::create_access_key(iam, name)).await
}

async fn probed(account: &Account, store: &Store) -> Result<(), StoreError> {
    probe(account, store, &Region::parse(REGION).unwrap(), "mailer", &BTreeSet::new()).await
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn nothing_is_made() {
    let iam = iam().await;
    let account = account_of(&iam, iam.root.clone()).await;
    for store in [secrets_manager("probed", SecretText::Json), ssm("probed", SecretText::Json)] {
        assert_eq!(probed(&account, &store).await, Ok(()));
        assert_eq!(read(&account, &store).await, Ok(Held::Nothing));
        write(&account, &store, &credential(1)).await.unwrap();
        assert_eq!(probed(&account, &store).await, Ok(()));
    }
    let client = aws_sdk_ssm::Client::new(&sdk().await);
    let history = client.get_parameter_history().name(named("probed")).send().await.unwrap();
    assert_eq!(history.parameters().len(), 1);
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn what_cannot_be_written_is_found() {
    let iam = iam().await;
    let account = account_of(&iam, iam.root.clone()).await;
    let secrets = aws_sdk_secretsmanager::Client::new(&sdk().await);
    let replica = ReplicaRegionType::builder().region("eu-central-1").build();
    let made = secrets.create_secret().name(named("replicated")).secret_string("{}");
    made.add_replica_regions(replica).send().await.unwrap();
    let in_region = |region: &str| {
        let mut store = secrets_manager("replicated", SecretText::Json);
        let StoreKind::SecretsManager(AwsSecret { region: of, .. }) = &mut store.kind else {
            panic!()
        };
        *of = Some(Region::parse(region).unwrap());
        store
    };
    assert_eq!(probed(&account, &in_region(REGION)).await, Ok(()));
    let replica = StoreError::Replica { primary: REGION.to_owned() };
    assert_eq!(probed(&account, &in_region("eu-central-1")).await, Err(replica));

    let gone = secrets_manager("going", SecretText::Json);
    write(&account, &gone, &credential(1)).await.unwrap();
    secrets.delete_secret().secret_id(named("going")).send().await.unwrap();
    assert_eq!(probed(&account, &gone).await, Err(StoreError::MarkedForDeletion));

    let parameters = aws_sdk_ssm::Client::new(&sdk().await);
    let full = format!(r#"{{"more":"{}"}}"#, "x".repeat(8100));
    for (name, kind, text) in
        [("clear", ParameterType::String, "x"), ("full", ParameterType::SecureString, &*full)]
    {
        let put = parameters.put_parameter().name(named(name)).value(text).r#type(kind);
        put.tier(aws_sdk_ssm::types::ParameterTier::Advanced).send().await.unwrap();
    }
    let clear = probed(&account, &ssm("clear", SecretText::Json)).await;
    assert_eq!(clear, Err(StoreError::NotSecure));
    let full = probed(&account, &ssm("full", SecretText::Json)).await;
    assert!(matches!(full, Err(StoreError::NoRoom { limit: 8192, .. })), "{full:?}");
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn what_the_caller_may_not_is_found() {
    let iam = iam().await;
    let root = account_of(&iam, iam.root.clone()).await;
    let new = [secrets_manager("may-new", SecretText::Json), ssm("may-new", SecretText::Json)];
    let old = [secrets_manager("may-old", SecretText::Json), ssm("may-old", SecretText::Json)];
    for store in &old {
        write(&root, store, &credential(1)).await.unwrap();
    }
    let allow =
        |actions: &str| format!(r#"{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}"#);
    let ask = r#""iam:SimulatePrincipalPolicy""#;
    let all = format!(
        r#"{ask},"secretsmanager:CreateSecret","secretsmanager:PutSecretValue","ssm:PutParameter""#
    );
    let deny = r#"{"Effect":"Deny","Action":["secretsmanager:*","ssm:*"],"Resource":"*"}"#;
    let may = user(&iam, "may", &allow(&all)).await;
    let may_not = user(&iam, "may-not", &allow(ask)).await;
    let must_not = user(&iam, "must-not", &format!("{},{deny}", allow(&all))).await;
    let unknown = user(&iam, "unknown", &allow(r#""iam:GetUser""#)).await;
    let (new_actions, old_actions) = (
        ["secretsmanager:CreateSecret", "ssm:PutParameter"],
        ["secretsmanager:PutSecretValue", "ssm:PutParameter"],
    );
    for (stores, actions) in [(&new, new_actions), (&old, old_actions)] {
        for (store, action) in stores.iter().zip(actions) {
            assert_eq!(probed(&may, store).await, Ok(()));
            // a caller that may not ask learns nothing
            assert_eq!(probed(&unknown, store).await, Ok(()));
            for account in [&may_not, &must_not] {
                let found = probed(account, store).await;
                let Err(StoreError::NotPermitted { denied }) = found else { panic!("{found:?}") };
                assert_eq!(denied.iter().map(|it| &*it.action).collect::<Vec<_>>(), [action]);
            }
        }
    }
    // a policy of the secret may allow what the caller's policies do not, but outweighs no deny
    let secrets = aws_sdk_secretsmanager::Client::new(&sdk().await);
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let put = secrets.put_resource_policy().secret_id(named("may-old")).resource_policy(policy);
    put.send().await.unwrap();
    assert_eq!(probed(&may_not, &old[0]).await, Ok(()));
    assert!(probed(&must_not, &old[0]).await.is_err());
}
