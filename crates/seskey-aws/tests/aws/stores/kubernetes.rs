//! Kubernetes secrets, through a stand-in for kubectl, and through kubectl itself to a stand-in for the cluster.

use std::{collections::BTreeSet, fs};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};
use seskey::SmtpCredential;
use seskey_aws::{
    process::ProcessError,
    store::{self, Held, StoreError},
};
use tempfile::{TempDir, tempdir};

use super::{account, cluster::Cluster, credential, held, parsed, read, region, write};

const KUBECTL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/aws/stores/kubectl");

fn store(folder: &TempDir, options: &str) -> String {
    let folder = folder.path().display();
    format!("kubernetes:mail/smtp?kubectl={KUBECTL}&kubeconfig={folder}{options}")
}

fn encoded(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

fn text(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

fn mark(folder: &TempDir, name: &str, content: &str) {
    fs::write(folder.path().join(name), content).unwrap();
}

#[tokio::test]
async fn only_our_values_are_applied() {
    let folder = tempdir().unwrap();
    let store = store(&folder, "&context=prod&password-key=pass&port=2587&from=a@b.example");
    assert_eq!(read(&store).await, Ok(Held::Nothing));
    assert_eq!(write(&store, &credential(1)).await, Ok(()));
    assert_eq!(read(&store).await, Ok(held(&credential(1))));
    let given: Value = serde_json::from_str(&text(&folder, "given")).unwrap();
    let expected = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "namespace": "mail", "name": "smtp" },
        "data": {
            "SMTP_USERNAME": encoded(credential(1).user_name.as_str()),
            "pass": encoded(credential(1).password.expose()),
            "SMTP_HOST": encoded("email-smtp.us-east-1.amazonaws.com"),
            "SMTP_PORT": encoded("2587"),
            "SMTP_FROM": encoded("a@b.example"),
        },
    });
    assert_eq!(given, expected);
    let get = "--context prod get secrets -n mail smtp -o json --ignore-not-found\n";
    let apply = "--context prod apply --server-side --field-manager=seskey -f -\n";
    assert_eq!(text(&folder, "asked"), [get, get, apply, get, get].concat());
    let environment = text(&folder, "environment");
    for secret in [credential(1).password.expose(), &encoded(credential(1).password.expose())] {
        assert!(!environment.contains(secret));
    }
}

async fn probe(store: &str) -> Result<(), StoreError> {
    store::probe(&account().await, &parsed(store), &region(), "mailer", &BTreeSet::new()).await
}

#[tokio::test]
async fn a_probe_applies_nothing() {
    let folder = tempdir().unwrap();
    let store = store(&folder, "");
    assert_eq!(probe(&store).await, Ok(()));
    let get = "get secrets -n mail smtp -o json --ignore-not-found\n";
    let apply = "apply --server-side --field-manager=seskey --dry-run=server -f -\n";
    assert_eq!(text(&folder, "asked"), [get, apply].concat());
    assert_eq!(read(&store).await, Ok(Held::Nothing));
    mark(&folder, "webhook", "");
    assert_eq!(probe(&store).await, Ok(()));
    mark(&folder, "manager", "helm");
    assert_eq!(probe(&store).await, Err(StoreError::Conflict { manager: "helm".to_owned() }));
    mark(&folder, "no-namespace", "");
    assert!(matches!(probe(&store).await, Err(StoreError::Process(ProcessError::Failed { .. }))));
    mark(&folder, "secret", &json!({ "data": { "SMTP_USERNAME": "eA==" } }).to_string());
    assert_eq!(probe(&store).await, Err(StoreError::NotOurs));
}

#[tokio::test]
async fn what_is_there_is_told_apart() {
    let folder = tempdir().unwrap();
    let store = store(&folder, "");
    let (user_name, password) = (credential(1).user_name, credential(1).password);
    let (user_name, password) = (encoded(user_name.as_str()), encoded(password.expose()));
    for (data, expected) in [
        (json!(null), Held::Nothing),
        (json!({ "other": "eA==" }), Held::Nothing),
        (
            json!({ "other": "eA==", "SMTP_USERNAME": user_name, "SMTP_PASSWORD": password }),
            held(&credential(1)),
        ),
        (json!({ "SMTP_USERNAME": user_name }), Held::Foreign),
        (json!({ "SMTP_USERNAME": user_name, "SMTP_PASSWORD": "eA==" }), Held::Foreign),
        (json!({ "SMTP_USERNAME": "gICA", "SMTP_PASSWORD": password }), Held::Foreign),
    ] {
        mark(&folder, "secret", &json!({ "kind": "Secret", "data": data }).to_string());
        assert_eq!(read(&store).await, Ok(expected.clone()), "{data}");
        let refused = write(&store, &credential(2)).await == Err(StoreError::NotOurs);
        assert_eq!(refused, expected == Held::Foreign, "{data}");
    }
}

/// A key of the user is replaced in place under any name. Our values stay ours: a value that is left out of what is
/// applied is removed.
#[tokio::test]
async fn values_of_other_names_are_replaced() {
    let folder = tempdir().unwrap();
    let store = parsed(&store(&folder, ""));
    let (one, two) = (credential(1), credential(2));
    let keys = BTreeSet::from([one.user_name.clone()]);
    let account = account().await;
    let pair = |prefix: &str, credential: &SmtpCredential| {
        let (user, password) = (format!("{prefix}USER"), format!("{prefix}PASSWORD"));
        [
            (user, encoded(credential.user_name.as_str())),
            (password, encoded(credential.password.expose())),
        ]
    };
    let data = |pairs: Vec<[(String, String); 2]>| -> Map<String, Value> {
        pairs.into_iter().flatten().map(|(name, value)| (name, value.into())).collect()
    };
    let put = |data: &Map<String, Value>| {
        mark(&folder, "secret", &json!({ "kind": "Secret", "data": data }).to_string());
    };
    let mut secret = data(vec![pair("MAIL_", &one), pair("OTHER_", &credential(3))]);
    secret.insert("SMTP_HOST".to_owned(), encoded("mail.example.com").into());
    put(&secret);
    assert_eq!(store::read(&account, &store, &region(), &keys).await, Ok(held(&one)));
    assert_eq!(store::write(&account, &store, &region(), &two, &keys).await, Ok(()));
    let given: Value = serde_json::from_str(&text(&folder, "given")).unwrap();
    assert_eq!(given["data"], Value::Object(data(vec![pair("MAIL_", &two)])));

    // a person was half done; a value that was applied once is applied again
    put(&data(vec![pair("MAIL_", &two), pair("SMTP_", &one)]));
    assert_eq!(store::write(&account, &store, &region(), &two, &keys).await, Ok(()));
    let given: Value = serde_json::from_str(&text(&folder, "given")).unwrap();
    let expected = data(vec![pair("MAIL_", &two), pair("SMTP_", &two)]);
    assert_eq!(given["data"], Value::Object(expected));

    // a key inside a value that is a file is not replaced, and reading and writing fail
    let line = format!("[h]:587 {}:x", one.user_name);
    put(&Map::from_iter([("sasl_passwd".to_owned(), encoded(&line).into())]));
    for refused in [
        store::read(&account, &store, &region(), &keys).await.map(drop),
        store::write(&account, &store, &region(), &two, &keys).await,
    ] {
        assert!(matches!(refused, Err(StoreError::Render(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn what_fails_has_failed() {
    let failed = |said: &str| {
        StoreError::Process(ProcessError::Failed { code: Some(1), said: said.to_owned() })
    };
    let unreachable = "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?";
    for (name, content, expected) in [
        ("unreachable", "", failed(unreachable)),
        ("no-namespace", "", failed("Error from server (NotFound): namespaces \"mail\" not found")),
        ("manager", "helm", StoreError::Conflict { manager: "helm".to_owned() }),
        ("forgetful", "", StoreError::NotKept { held: Held::Nothing }),
        ("secret", "no JSON", ProcessError::Unreadable.into()),
    ] {
        let folder = tempdir().unwrap();
        mark(&folder, name, content);
        assert_eq!(write(&store(&folder, ""), &credential(1)).await, Err(expected), "{name}");
    }
    let missing = read("kubernetes:mail/smtp?kubectl=/nowhere/kubectl").await.unwrap_err();
    let StoreError::Process(ProcessError::NotStarted { program, kind, .. }) = missing else {
        panic!("{missing:?}")
    };
    assert_eq!((program.as_str(), kind), ("/nowhere/kubectl", std::io::ErrorKind::NotFound));
}

/// kubectl itself does what is asked, if it is 1.27 or newer: the one in Debian's registry asks for more than the
/// stand-in answers.
#[tokio::test]
async fn kubectl_itself_does_what_is_asked() {
    let version = std::process::Command::new("kubectl").args(["version", "--client"]).output();
    if !version.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: there is no kubectl");
        return;
    }
    let folder = tempdir().unwrap();
    let cluster = Cluster::start("mail", "smtp").await;
    mark(&folder, "config", &cluster.kubeconfig());
    let options = format!("kubeconfig={}/config&context=stand-in", folder.path().display());
    let store = format!("kubernetes:mail/smtp?{options}");
    assert_eq!(read(&store).await, Ok(Held::Nothing));
    for number in 1..3 {
        assert_eq!(write(&store, &credential(number)).await, Ok(()));
        assert_eq!(read(&store).await, Ok(held(&credential(number))));
    }

    assert_eq!(probe(&store).await, Ok(()));
    assert_eq!(read(&store).await, Ok(held(&credential(2))));

    // the values of others are neither taken nor lost
    cluster.put("helm", "TOKEN", "x");
    assert_eq!(write(&store, &credential(3)).await, Ok(()));
    assert_eq!(cluster.owner("TOKEN").as_deref(), Some("helm"));
    assert_eq!(cluster.owner("SMTP_PASSWORD").as_deref(), Some("seskey"));
    cluster.put("helm", "SMTP_PASSWORD", credential(3).password.expose());
    let conflict = StoreError::Conflict { manager: "helm".to_owned() };
    assert_eq!(probe(&store).await, Err(conflict.clone()));
    assert_eq!(write(&store, &credential(4)).await, Err(conflict.clone()));
    cluster.put("helm", "SMTP_USERNAME", credential(3).user_name.as_str());
    assert_eq!(write(&store, &credential(4)).await, Err(conflict));
    assert_eq!(read(&store).await, Ok(held(&credential(3))));

    let elsewhere = format!("kubernetes:nowhere/smtp?{options}");
    assert_eq!(read(&elsewhere).await, Ok(Held::Nothing));
    let said = "Error from server (NotFound): namespaces \"nowhere\" not found".to_owned();
    let failed = StoreError::Process(ProcessError::Failed { code: Some(1), said });
    assert_eq!(probe(&elsewhere).await, Err(failed.clone()));
    assert_eq!(write(&elsewhere, &credential(1)).await, Err(failed));
}
