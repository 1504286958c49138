//! A secret of Kubernetes, through the user's own kubectl and with all of its ways to authenticate. It is applied on the
//! server, where a field has a manager: what is not ours is not touched, and who else claims ours is told.
//! Source: Kubernetes, "Server-Side Apply", "Conflicts".

use std::{process::Stdio, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};
use seskey::{
    render::{Entry, Names},
    store::Kubectl,
};
use tokio::process::Command;
use zeroize::Zeroizing;

use super::{Held, ProcessError, StoreError, process};

pub(super) async fn read(
    kubectl: &Kubectl,
    names: &Names,
    hidden: &[&str],
) -> Result<Held, StoreError> {
    let mut get = command(kubectl);
    get.args(["get", "secrets", "-n", &names.namespace, &names.entry]);
    get.args(["-o", "json", "--ignore-not-found"]);
    let printed = process::run(get.stdout(Stdio::piped()), b"", LIMIT).await?;
    let printed = printed.success(hidden, is_error)?.stdout;
    if printed.trim_ascii().is_empty() {
        return Ok(Held::Nothing);
    }
    let object: Value = serde_json::from_slice(&printed).map_err(|_| ProcessError::Unreadable)?;
    // what cannot be decoded is as foreign as what is no credential
    let value = |key: &str| match &object["data"][key] {
        Value::Null => Ok(String::new()),
        value => {
            String::from_utf8(BASE64_STANDARD.decode(value.as_str().ok_or(())?).map_err(drop)?)
                .map_err(drop)
        }
    };
    Ok(match (value(&names.user_name), value(&names.password)) {
        (Ok(user_name), Ok(password)) => Held::values(&user_name, &password),
        _ => Held::Foreign,
    })
}

pub(super) async fn write(
    kubectl: &Kubectl,
    names: &Names,
    entry: &Entry,
) -> Result<(), StoreError> {
    let password = entry.credential.password.expose();
    let before = read(kubectl, names, &[password]).await?;
    if before == Held::Foreign {
        return Err(StoreError::NotOurs);
    }
    let hidden: Vec<&str> = before.passwords().chain([password]).collect();
    apply(kubectl, names, entry, &hidden, &[]).await?;
    read(kubectl, names, &hidden).await?.confirm(&entry.credential)
}

/// Asks the server to apply a credential and keep nothing of it: whether it may be, and whether another field manager
/// owns the values. Source: Kubernetes, "API Concepts", "Dry-run": "the same as it would be", all admission included.
pub(super) async fn probe(
    kubectl: &Kubectl,
    names: &Names,
    entry: &Entry,
) -> Result<(), StoreError> {
    if read(kubectl, names, &[]).await? == Held::Foreign {
        return Err(StoreError::NotOurs);
    }
    match apply(kubectl, names, entry, &[], &["--dry-run=server"]).await {
        // a webhook with effects of its own is not asked; it may take what is written
        Err(StoreError::Process(ProcessError::Failed { said, .. }))
            if said.contains("does not support dry run") =>
        {
            Ok(())
        }
        applied => applied,
    }
}

async fn apply(
    kubectl: &Kubectl,
    names: &Names,
    entry: &Entry,
    hidden: &[&str],
    options: &[&str],
) -> Result<(), StoreError> {
    let mut apply = command(kubectl);
    apply.args(["apply", "--server-side", "--field-manager=seskey"]).args(options);
    let input = manifest(names, entry);
    apply.args(["-f", "-"]).stdout(Stdio::null());
    let finished = process::run(&mut apply, input.as_bytes(), LIMIT).await?;
    finished.success(hidden, is_error).map(drop).map_err(|error| match error {
        ProcessError::Failed { said, .. } if rival(&said).is_some() => {
            StoreError::Conflict { manager: rival(&said).unwrap_or_default().to_owned() }
        }
        error => error.into(),
    })
}

/// Our values and nothing else: not the label of the manifest that is rendered into a file, which would be ours as well,
/// and not its type, which cannot be changed.
fn manifest(names: &Names, entry: &Entry) -> Zeroizing<String> {
    let values = entry.values(names);
    let data: Map<String, Value> =
        values.map(|(key, value)| (key.to_owned(), BASE64_STANDARD.encode(value).into())).collect();
    let metadata = json!({ "namespace": names.namespace, "name": names.entry });
    let object =
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data });
    Zeroizing::new(object.to_string())
}

fn command(kubectl: &Kubectl) -> Command {
    let mut command = Command::new(kubectl.program.as_deref().unwrap_or("kubectl"));
    if let Some(path) = &kubectl.kubeconfig {
        command.arg("--kubeconfig").arg(path);
    }
    if let Some(context) = &kubectl.context {
        command.args(["--context", context]);
    }
    command
}

/// Behind its error, kubectl explains at length how to force it.
fn is_error(line: &str) -> bool {
    line.starts_with("error") || line.starts_with("Error")
}

/// The field manager that kubectl names in a conflict: `conflict with "helm" using v1: .data.SMTP_PASSWORD`.
fn rival(said: &str) -> Option<&str> {
    let (_, rest) =
        said.split_once(" with \"").filter(|(before, _)| before.contains("conflict"))?;
    rest.split_once('"').map(|(manager, _)| manager)
}

/// How long kubectl may take.
const LIMIT: Duration = Duration::from_secs(60);
