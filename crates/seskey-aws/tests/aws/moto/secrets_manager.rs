//! Secrets Manager: new secrets, kept content, refusals.

use std::collections::HashMap;

use aws_sdk_secretsmanager::{Client, primitives::Blob};
use seskey::{
    Region,
    render::{Form, Names, Target},
    store::{AwsSecret, SecretText, Store, StoreKind},
};
use seskey_aws::{
    Account, Options,
    store::{Held, StoreError, previous},
};

use super::stage::{
    account, credential, held, json, json_made, named, read, sdk, secrets_manager, store, text,
    write,
};

async fn client() -> Client {
    Client::new(&sdk().await)
}

async fn current(client: &Client, name: &str) -> String {
    let value = client.get_secret_value().secret_id(named(name)).send().await;
    value.unwrap().secret_string.unwrap()
}

async fn labels(client: &Client, name: &str) -> HashMap<String, Vec<String>> {
    let secret = client.describe_secret().secret_id(named(name)).send().await.unwrap();
    secret.version_ids_to_stages.unwrap()
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn is_made_replaced_and_remembered() {
    let (account, client) = (account().await, client().await);
    let (old, new) = (credential(1), credential(2));
    for (form, name, of) in [
        (SecretText::Json, "made", json_made as fn(&_) -> _),
        (SecretText::UserPassword, "made-text", text as fn(&_) -> _),
    ] {
        let store = secrets_manager(name, form);
        assert_eq!(read(&account, &store).await, Ok(Held::Nothing));
        assert_eq!(previous(&account, &store).await, Ok(Held::Nothing));
        write(&account, &store, &old).await.unwrap();
        assert_eq!(current(&client, name).await, of(&old));
        assert_eq!(read(&account, &store).await, Ok(held(&old)));
        assert_eq!(previous(&account, &store).await, Ok(Held::Nothing));
        write(&account, &store, &new).await.unwrap();
        assert_eq!(current(&client, name).await, of(&new));
        assert_eq!(read(&account, &store).await, Ok(held(&new)));
        assert_eq!(previous(&account, &store).await, Ok(held(&old)));
    }
    let made = client.describe_secret().secret_id(named("made")).send().await.unwrap();
    assert_eq!(made.description(), Some("SES SMTP credential of the IAM user mailer"));
    assert_eq!(made.kms_key_id(), None);
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn a_repeated_write_makes_no_version() {
    let (account, client) = (account().await, client().await);
    let store = secrets_manager("repeated", SecretText::Json);
    for n in [1, 1, 2, 2, 2] {
        write(&account, &store, &credential(n)).await.unwrap();
    }
    assert_eq!(labels(&client, "repeated").await.len(), 2);
}

/// A version that has the token of the write and is not in use, as after a rollback, is not taken for the new one.
#[tokio::test]
#[ignore = "run by against_moto"]
async fn a_version_out_of_use_is_not_taken_for_the_new_one() {
    let (account, client) = (account().await, client().await);
    let token = "11111111-1111-4111-8111-111111111111";
    let mut written = None;
    for (name, parked) in [
        ("never-used", None),
        ("same", Some(json(&credential(1)))),
        ("other", Some("{}".to_owned())),
    ] {
        let store = secrets_manager(name, SecretText::Json);
        let create = client.create_secret().name(named(name)).client_request_token(token);
        create.secret_string("{}").send().await.unwrap();
        if let Some(parked) = &parked {
            let put = client.put_secret_value().secret_id(named(name)).secret_string(parked);
            let put = put.set_client_request_token(written.clone());
            put.version_stages("parked").send().await.unwrap();
        }
        write(&account, &store, &credential(1)).await.unwrap();
        assert_eq!(read(&account, &store).await, Ok(held(&credential(1))));
        let versions = labels(&client, name).await;
        let of = |label: &str| {
            versions.iter().find(|(_, labels)| **labels == [label]).map(|(id, _)| id.clone())
        };
        assert_eq!(of("AWSPREVIOUS").as_deref(), Some(token));
        assert_eq!(of("parked"), parked.and_then(|_| written.clone()));
        written = written.or_else(|| of("AWSCURRENT"));
        assert_eq!(written.as_ref().map(String::len), Some(36));
    }
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn labels_of_others_stay() {
    let (account, client) = (account().await, client().await);
    let store = secrets_manager("labels", SecretText::Json);
    write(&account, &store, &credential(1)).await.unwrap();
    let put = client.put_secret_value().secret_id(named("labels")).secret_string("{}");
    let token = "11111111-1111-4111-8111-111111111111";
    let put = put.version_stages("AWSPENDING").version_stages("of-another");
    put.client_request_token(token).send().await.unwrap();
    write(&account, &store, &credential(2)).await.unwrap();
    let mut labels = labels(&client, "labels").await.remove(token).unwrap();
    labels.sort();
    assert_eq!(labels, ["AWSPENDING", "of-another"]);
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn other_members_stay_in_their_order() {
    let (account, client) = (account().await, client().await);
    let before =
        r#"{"z":[1,{"b":null}],"pass":"","host":"old.example","database":"postgres","user":null}"#;
    client.create_secret().name(named("members")).secret_string(before).send().await.unwrap();
    let keys = ["user", "pass", "host", "port", "from"].map(str::to_owned);
    let [user_name, password, host, port, from] = keys;
    let usual = Names::of(Target::Json);
    let names = Names { user_name, password, host, port, from, ..usual };
    let store = Store {
        host: Some("127.0.0.1".to_owned()),
        port: Some(2587),
        from: Some("a@example.com".to_owned()),
        form: Form::new(Target::Json, names).unwrap(),
        ..secrets_manager("members", SecretText::Json)
    };
    assert_eq!(read(&account, &store).await, Ok(Held::Nothing));
    let new = credential(1);
    write(&account, &store, &new).await.unwrap();
    let after = format!(
        r#"{{"z":[1,{{"b":null}}],"pass":"{}","host":"127.0.0.1","database":"postgres","user":"{}","port":2587,"from":"a@example.com"}}"#,
        new.password.expose(),
        new.user_name,
    );
    assert_eq!(current(&client, "members").await, after);
    assert_eq!(read(&account, &store).await, Ok(held(&new)));
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn what_another_wrote_is_told_and_kept() {
    let (account, client) = (account().await, client().await);
    for (n, (form, value)) in [
        (SecretText::Json, "not JSON"),
        (SecretText::Json, "[]"),
        (SecretText::Json, r#"{"smtp_user_name":"admin","smtp_password":"hunter2"}"#),
        (SecretText::Json, r#"{"smtp_password":"hunter2"}"#),
        (SecretText::Json, r#"{"smtp_user_name":1,"smtp_password":2}"#),
        (SecretText::Json, &text(&credential(1))),
        (SecretText::UserPassword, "admin:hunter2"),
        (SecretText::UserPassword, &json(&credential(1))),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("another-{n}");
        let store = secrets_manager(&name, form);
        client.create_secret().name(named(&name)).secret_string(value).send().await.unwrap();
        assert_eq!(read(&account, &store).await, Ok(Held::Foreign), "{value}");
        let written = write(&account, &store, &credential(2)).await;
        assert_eq!(written, Err(StoreError::NotOurs), "{value}");
        assert_eq!(current(&client, &name).await, value);
    }
    let store = secrets_manager("binary", SecretText::Json);
    let create = client.create_secret().name(named("binary")).secret_binary(Blob::new("{}"));
    create.send().await.unwrap();
    assert_eq!(read(&account, &store).await, Ok(Held::Foreign));
    assert_eq!(write(&account, &store, &credential(2)).await, Err(StoreError::NotOurs));
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn a_secret_without_a_value_is_filled() {
    let (account, client) = (account().await, client().await);
    let store = secrets_manager("without", SecretText::UserPassword);
    let create = client.create_secret().name(named("without")).kms_key_id("alias/theirs");
    create.send().await.unwrap();
    assert_eq!(read(&account, &store).await, Ok(Held::Nothing));
    write(&account, &store, &credential(1)).await.unwrap();
    assert_eq!(current(&client, "without").await, text(&credential(1)));
    let made = client.describe_secret().secret_id(named("without")).send().await.unwrap();
    assert_eq!(made.kms_key_id(), Some("alias/theirs"));
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn a_secret_marked_for_deletion_is_told() {
    let (account, client) = (account().await, client().await);
    let store = secrets_manager("deleted", SecretText::Json);
    write(&account, &store, &credential(1)).await.unwrap();
    client.delete_secret().secret_id(named("deleted")).send().await.unwrap();
    assert_eq!(read(&account, &store).await, Err(StoreError::MarkedForDeletion));
    let written = write(&account, &store, &credential(2)).await;
    assert_eq!(written, Err(StoreError::MarkedForDeletion));
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn the_kms_key_is_that_of_the_first_write() {
    let (account, client) = (account().await, client().await);
    for (n, key) in [(1, "alias/first"), (2, "alias/second")] {
        let (name, kms_key) = (named("kms"), Some(key.to_owned()));
        let text = SecretText::Json;
        let kind = StoreKind::SecretsManager(AwsSecret { name, region: None, kms_key, text });
        write(&account, &store(kind), &credential(n)).await.unwrap();
        let made = client.describe_secret().secret_id(named("kms")).send().await.unwrap();
        assert_eq!(made.kms_key_id(), Some("alias/first"));
    }
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn the_region_is_the_stores_else_the_accounts() {
    let here = account().await;
    let name = named("region");
    let elsewhere = store(StoreKind::SecretsManager(AwsSecret {
        name: name.clone(),
        region: Some(Region::parse("us-west-2").unwrap()),
        kms_key: None,
        text: SecretText::Json,
    }));
    write(&here, &elsewhere, &credential(1)).await.unwrap();
    let unsaid = secrets_manager("region", SecretText::Json);
    assert_eq!(read(&here, &unsaid).await, Ok(Held::Nothing));
    assert_eq!(read(&here, &elsewhere).await, Ok(held(&credential(1))));
    let nowhere = Account::connect(&Options::default()).await;
    assert_eq!(read(&nowhere, &unsaid).await, Err(StoreError::NoRegion));
    assert_eq!(read(&nowhere, &elsewhere).await, Ok(held(&credential(1))));
}
