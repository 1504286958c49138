//! A credential, and stores with names that no other test has.

use std::{collections::BTreeSet, process};

use seskey::{
    AccessKeyId, Region, SecretAccessKey, SmtpCredential, SmtpPassword,
    render::Target,
    store::{AwsSecret, SecretText, Store, StoreKind},
};
use seskey_aws::{
    Account, Options,
    store::{self, Held, StoreError},
};

pub(crate) const REGION: &str = "eu-west-1";

/// Returns the account, in [`REGION`].
pub(crate) async fn account() -> Account {
    let region = Some(Region::parse(REGION).unwrap());
    Account::connect(&Options { region, ..Options::default() }).await
}

/// Returns the configuration for AWS's own clients.
pub(crate) async fn sdk() -> aws_config::SdkConfig {
    let region = aws_config::Region::new(REGION);
    aws_config::defaults(aws_config::BehaviorVersion::latest()).region(region).load().await
}

/// Returns a name for a test; one emulator may serve several runs.
pub(crate) fn named(test: &str) -> String {
    format!("/seskey/{}/{test}", process::id())
}

pub(crate) fn secrets_manager(name: &str, text: SecretText) -> Store {
    store(StoreKind::SecretsManager(AwsSecret {
        name: named(name),
        region: None,
        kms_key: None,
        text,
    }))
}

pub(crate) fn ssm(name: &str, text: SecretText) -> Store {
    store(StoreKind::Ssm(AwsSecret { name: named(name), region: None, kms_key: None, text }))
}

pub(crate) async fn read(account: &Account, store: &Store) -> Result<Held, StoreError> {
    store::read(account, store, &Region::parse(REGION).unwrap(), &BTreeSet::new()).await
}

pub(crate) async fn write(
    account: &Account,
    store: &Store,
    credential: &SmtpCredential,
) -> Result<(), StoreError> {
    store::write(account, store, &Region::parse(REGION).unwrap(), credential, &BTreeSet::new())
        .await
}

pub(crate) fn store(kind: StoreKind) -> Store {
    Store { kind, form: Target::Json.into(), region: None, host: None, port: None, from: None }
}

/// Returns the credential of the n-th key.
pub(crate) fn credential(n: u32) -> SmtpCredential {
    let region = Region::parse(REGION).unwrap();
    let secret = SecretAccessKey::parse(&format!("{n:0>40}")).unwrap();
    SmtpCredential {
        iam_user: Some("mailer".to_owned()),
        user_name: AccessKeyId::parse(&format!("AKIA{n:0>16}")).unwrap(),
        password: SmtpPassword::derive(&secret, &region),
        endpoint: Some(region.smtp_endpoint()),
    }
}

pub(crate) fn held(credential: &SmtpCredential) -> Held {
    let SmtpCredential { user_name, password, .. } = credential.clone();
    Held::Credentials(vec![(user_name, password)])
}

/// Returns the text of a secret that was made for the credential.
pub(crate) fn json_made(credential: &SmtpCredential) -> String {
    let json = json(credential).replace("{\"", "{\n  \"").replace(",\"", ",\n  \"");
    json.replace("\":", "\": ").replace('}', "\n}")
}

/// Returns the text of the credential, in JSON with the usual keys and no blanks.
pub(crate) fn json(credential: &SmtpCredential) -> String {
    let (user_name, password) = (credential.user_name.as_str(), credential.password.expose());
    format!(
        r#"{{"smtp_endpoint":"email-smtp.eu-west-1.amazonaws.com","smtp_port":587,"smtp_user_name":"{user_name}","smtp_password":"{password}"}}"#
    )
}

pub(crate) fn text(credential: &SmtpCredential) -> String {
    format!("{}:{}", credential.user_name, credential.password.expose())
}
