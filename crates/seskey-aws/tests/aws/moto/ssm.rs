//! SSM Parameter Store: new parameters, kept content, refusals.

use aws_sdk_ssm::{
    Client,
    types::{ParameterHistory, ParameterTier, ParameterType},
};
use seskey::{
    Region,
    store::{AwsSecret, SecretText, StoreKind},
};
use seskey_aws::{
    Account, Options,
    store::{Held, StoreError, previous},
};

use super::stage::{
    account, credential, held, json, json_made, named, read, sdk, ssm, store, text, write,
};

async fn client() -> Client {
    Client::new(&sdk().await)
}

/// Returns every version, the oldest first.
async fn history(client: &Client, name: &str) -> Vec<ParameterHistory> {
    let history = client.get_parameter_history().name(named(name)).with_decryption(true);
    history.send().await.unwrap().parameters.unwrap()
}

async fn put(client: &Client, name: &str, kind: ParameterType, value: &str) {
    let put = client.put_parameter().name(named(name)).r#type(kind).value(value);
    put.send().await.unwrap();
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn is_made_and_replaced_and_repeated_without_a_version() {
    let (account, client) = (account().await, client().await);
    for (form, name, of) in [
        (SecretText::Json, "made", json_made as fn(&_) -> _),
        (SecretText::UserPassword, "made-text", text as fn(&_) -> _),
    ] {
        let store = ssm(name, form);
        assert_eq!(read(&account, &store).await, Ok(Held::Nothing));
        for n in [1, 1, 2, 2] {
            write(&account, &store, &credential(n)).await.unwrap();
            assert_eq!(read(&account, &store).await, Ok(held(&credential(n))));
        }
        assert_eq!(previous(&account, &store).await, Ok(Held::Nothing));
        let history = history(&client, name).await;
        let values: Vec<_> = history.iter().map(|version| version.value().unwrap()).collect();
        assert_eq!(values, [of(&credential(1)), of(&credential(2))]);
        for version in history {
            assert_eq!(version.r#type, Some(ParameterType::SecureString));
            assert_eq!(version.tier, Some(ParameterTier::Standard));
            assert_eq!(version.description(), Some("SES SMTP credential of the IAM user mailer"));
        }
    }
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn what_is_not_the_value_stays() {
    let (account, client) = (account().await, client().await);
    let theirs = client.put_parameter().name(named("theirs")).r#type(ParameterType::SecureString);
    let theirs = theirs.value(r#"{"database":"postgres"}"#).description("of others");
    let theirs = theirs.key_id("alias/theirs").tier(ParameterTier::Advanced);
    theirs.allowed_pattern("^\\{.*\\}$").send().await.unwrap();
    let label = client.label_parameter_version().name(named("theirs")).parameter_version(1);
    label.labels("of-another").send().await.unwrap();
    let kms_key = Some("alias/ours".to_owned());
    let text = SecretText::Json;
    let kind = StoreKind::Ssm(AwsSecret { name: named("theirs"), region: None, kms_key, text });
    write(&account, &store(kind), &credential(1)).await.unwrap();
    let [before, after] = &history(&client, "theirs").await[..] else { panic!("two versions") };
    assert_eq!(before.labels(), ["of-another"]);
    let value = json(&credential(1)).replacen('{', r#"{"database":"postgres","#, 1);
    assert_eq!(after.value(), Some(&value[..]));
    assert_eq!(after.key_id(), Some("alias/theirs"));
    assert_eq!(after.description(), Some("of others"));
    assert_eq!(after.allowed_pattern(), Some("^\\{.*\\}$"));
    assert_eq!(after.tier, Some(ParameterTier::Advanced));
    assert!(after.labels().is_empty());
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn the_kms_key_is_that_of_the_first_write() {
    let (account, client) = (account().await, client().await);
    for (n, key) in [(1, "alias/first"), (2, "alias/second")] {
        let (name, kms_key) = (named("kms"), Some(key.to_owned()));
        let kind = StoreKind::Ssm(AwsSecret {
            name,
            region: None,
            kms_key,
            text: SecretText::UserPassword,
        });
        write(&account, &store(kind), &credential(n)).await.unwrap();
    }
    for version in history(&client, "kms").await {
        assert_eq!(version.key_id(), Some("alias/first"));
    }
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn more_than_4_kb_are_an_advanced_parameter() {
    let (account, client) = (account().await, client().await);
    let filled = |bytes: usize| format!("{{\"x\":\"{}\"}}", "x".repeat(bytes));
    let ours = json(&credential(1)).len() + ",\"x\":\"\"".len();
    for (name, bytes, tier) in [
        ("kb-4096", 4096 - ours, ParameterTier::Standard),
        ("kb-4097", 4097 - ours, ParameterTier::Advanced),
    ] {
        put(&client, name, ParameterType::SecureString, &filled(bytes)).await;
        write(&account, &ssm(name, SecretText::Json), &credential(1)).await.unwrap();
        assert_eq!(history(&client, name).await[1].tier, Some(tier), "{name}");
    }
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn a_parameter_in_clear_is_refused() {
    let (account, client) = (account().await, client().await);
    for kind in [ParameterType::String, ParameterType::StringList] {
        let name = format!("clear-{}", kind.as_str());
        put(&client, &name, kind, &text(&credential(1))).await;
        let store = ssm(&name, SecretText::UserPassword);
        assert_eq!(read(&account, &store).await, Err(StoreError::NotSecure));
        let written = write(&account, &store, &credential(2)).await;
        assert_eq!(written, Err(StoreError::NotSecure));
        assert_eq!(history(&client, &name).await.len(), 1);
    }
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn what_another_wrote_is_told_and_kept() {
    let (account, client) = (account().await, client().await);
    for (name, form) in [("another", SecretText::Json), ("another-text", SecretText::UserPassword)]
    {
        put(&client, name, ParameterType::SecureString, "hunter2").await;
        let store = ssm(name, form);
        assert_eq!(read(&account, &store).await, Ok(Held::Foreign));
        let written = write(&account, &store, &credential(1)).await;
        assert_eq!(written, Err(StoreError::NotOurs));
        assert_eq!(history(&client, name).await.len(), 1);
    }
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn the_region_is_the_stores_else_the_accounts() {
    let here = account().await;
    let elsewhere = store(StoreKind::Ssm(AwsSecret {
        name: named("region"),
        region: Some(Region::parse("us-west-2").unwrap()),
        kms_key: None,
        text: SecretText::Json,
    }));
    write(&here, &elsewhere, &credential(1)).await.unwrap();
    let unsaid = ssm("region", SecretText::Json);
    assert_eq!(read(&here, &unsaid).await, Ok(Held::Nothing));
    assert_eq!(read(&here, &elsewhere).await, Ok(held(&credential(1))));
    let nowhere = Account::connect(&Options::default()).await;
    assert_eq!(read(&nowhere, &unsaid).await, Err(StoreError::NoRegion));
}
