//! The faults of the network and of AWS during a write.

use std::sync::Arc;

use seskey::store::{SecretText, Store, StoreKind};
use seskey_aws::{
    Cause,
    store::{Held, StoreError},
};
use tracing_subscriber::layer::SubscriberExt;

use super::{
    proxy::{DENIED, LOST, STALE, STUCK, THROTTLED},
    stage::{account, credential, held, named, read, sdk, secrets_manager, ssm, write},
};

fn stores(name: &str) -> [Store; 2] {
    [secrets_manager(name, SecretText::Json), ssm(name, SecretText::Json)]
}

async fn versions(store: &Store, name: &str) -> usize {
    let (sdk, name) = (sdk().await, named(name));
    if let StoreKind::SecretsManager(_) = store.kind {
        let client = aws_sdk_secretsmanager::Client::new(&sdk);
        let secret = client.describe_secret().secret_id(name).send().await.unwrap();
        secret.version_ids_to_stages.unwrap().len()
    } else {
        let client = aws_sdk_ssm::Client::new(&sdk);
        let history = client.get_parameter_history().name(name).send().await.unwrap();
        history.parameters.unwrap().len()
    }
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn an_answer_that_is_lost_makes_one_version() {
    for store in stores(LOST) {
        let account = account().await;
        write(&account, &store, &credential(1)).await.unwrap();
        assert_eq!(read(&account, &store).await, Ok(held(&credential(1))));
        assert_eq!(versions(&store, LOST).await, 1);
    }
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn a_throttled_call_is_repeated() {
    for store in stores(THROTTLED) {
        let account = account().await;
        for n in [1, 2] {
            write(&account, &store, &credential(n)).await.unwrap();
        }
        assert_eq!(versions(&store, THROTTLED).await, 2);
    }
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn what_is_denied_is_named() {
    for store in stores(DENIED) {
        let account = account().await;
        let read = read(&account, &store).await.unwrap_err();
        let written = write(&account, &store, &credential(1)).await.unwrap_err();
        for error in [read, written] {
            let StoreError::Call(error) = error else { panic!("{error:?}") };
            let Cause::AccessDenied { action, .. } = error.cause else { panic!("{error:?}") };
            assert_eq!(action, "kms:Decrypt");
        }
    }
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn an_old_answer_is_waited_out() {
    for store in stores(STALE) {
        let account = account().await;
        for n in [1, 2] {
            write(&account, &store, &credential(n)).await.unwrap();
        }
        assert_eq!(versions(&store, STALE).await, 2);
    }
}

#[tokio::test]
#[ignore = "run by against_moto"]
async fn what_is_not_as_written_is_told() {
    for store in stores(STUCK) {
        let account = account().await;
        let written = write(&account, &store, &credential(1)).await;
        assert_eq!(written, Err(StoreError::NotKept { held: Held::Nothing }));
        assert_eq!(read(&account, &store).await, Ok(Held::Nothing));
    }
}

/// No secret is logged, not even by the SDK at its most verbose.
#[tokio::test]
#[ignore = "run by against_moto"]
async fn no_secret_is_logged() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(Arc::new(log.reopen().unwrap()))
        .with_ansi(false);
    // for all threads: the log of the other tests is checked, too
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
    let account = account().await;
    for store in stores("logged") {
        for n in [1, 2] {
            write(&account, &store, &credential(n)).await.unwrap();
            read(&account, &store).await.unwrap();
        }
    }
    let logged = std::fs::read_to_string(log.path()).unwrap();
    for write in
        ["secretsmanager.PutSecretValue", "secretsmanager.CreateSecret", "AmazonSSM.PutParameter"]
    {
        assert!(logged.contains(write), "{write}: {logged}");
    }
    for n in [1, 2] {
        let password = credential(n).password;
        let (password, escaped) = (password.expose(), format!("{:?}", password.expose()));
        let found = logged.lines().find(|line| line.contains(password) || line.contains(&escaped));
        assert_eq!(found, None);
    }
}
