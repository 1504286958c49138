//! The stores that need no AWS: kept content, refusals, and the state after a failure.

mod cluster;
mod exec;
mod file;
mod file_danger;
mod file_entries;
mod file_place;
mod kubernetes;

use std::collections::BTreeSet;

use seskey::{AccessKeyId, Region, SecretAccessKey, SmtpCredential, SmtpPassword, store::Store};
use seskey_aws::{
    Account, Options,
    store::{self, Held, StoreError},
};

async fn read(store: &str) -> Result<Held, StoreError> {
    store::read(&account().await, &parsed(store), &region(), &BTreeSet::new()).await
}

async fn write(store: &str, credential: &SmtpCredential) -> Result<(), StoreError> {
    let (account, store) = (account().await, parsed(store));
    let result = store::write(&account, &store, &region(), credential, &BTreeSet::new()).await;
    if let Err(error) = &result {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(credential.password.expose()), "{shown}");
    }
    result
}

fn region() -> Region {
    Region::parse("us-east-1").unwrap()
}

/// Returns the credential with this number; each has a key of its own.
fn credential(number: u32) -> SmtpCredential {
    let secret = SecretAccessKey::parse(&format!("{number:0>40}")).unwrap();
    let region = region();
    SmtpCredential {
        iam_user: Some("mailer".to_owned()),
        user_name: AccessKeyId::parse(&format!("AKIA{number:Q>16}")).unwrap(),
        password: SmtpPassword::derive(&secret, &region),
        endpoint: Some(region.smtp_endpoint().to_string()),
    }
}

fn held(credential: &SmtpCredential) -> Held {
    Held::Credentials(vec![(credential.user_name.clone(), credential.password.clone())])
}

/// Returns an account that is offline: only its region is used.
async fn account() -> Account {
    let key = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    Account::connect(&Options {
        region: Some(Region::parse("us-east-1").unwrap()),
        access_key: Some((
            AccessKeyId::parse(key.0).unwrap(),
            SecretAccessKey::parse(key.1).unwrap(),
        )),
        ..Options::default()
    })
    .await
}

fn parsed(store: &str) -> Store {
    store.parse().unwrap()
}
