//! A secret of Kubernetes, through the user's own kubectl and with all of its ways to authenticate. It is applied on the
//! server, where a field has a manager: what is not ours is not touched, and who else claims ours is told.
//! Source: Kubernetes, "Server-Side Apply", "Conflicts".

use std::{process::Stdio, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};
use seskey::{
    AccessKeyId, SmtpPassword,
    render::Entry,
    store::{Keys, KubernetesSecret},
};
use tokio::process::Command;
use zeroize::Zeroizing;

use super::{Held, ProcessError, StoreError, process};

pub(super) async fn read(secret: &KubernetesSecret, keys: &Keys) -> Result<Held, StoreError> {
    let KubernetesSecret { namespace, name, .. } = secret;
    let mut get = kubectl(secret);
    get.args(["get", "secrets", "-n", namespace, name, "-o", "json", "--ignore-not-found"]);
    let printed = process::run(get.stdout(Stdio::piped()), b"", LIMIT).await?;
    let printed = printed.success(&[], is_error)?.stdout;
    if printed.trim_ascii().is_empty() {
        return Ok(Held::Nothing);
    }
    let object: Value = serde_json::from_slice(&printed).map_err(|_| ProcessError::Unreadable)?;
    let value = |key: &str| {
        let value = object["data"].get(key)?.as_str()?;
        let value = BASE64_STANDARD.decode(value).unwrap_or_default();
        Some(String::from_utf8(value).unwrap_or_default())
    };
    let (user_name, password) = (value(&keys.user_name), value(&keys.password));
    Ok(match (user_name, password) {
        (None, None) => Held::Nothing,
        (user_name, password) => user_name
            .and_then(|user_name| AccessKeyId::parse(&user_name).ok())
            .zip(password.and_then(|password| SmtpPassword::parse(&password)))
            .map_or(Held::Foreign, |(user_name, password)| Held::Credential {
                user_name,
                password,
            }),
    })
}

pub(super) async fn write(
    secret: &KubernetesSecret,
    keys: &Keys,
    entry: &Entry,
) -> Result<(), StoreError> {
    if read(secret, keys).await? == Held::Foreign {
        return Err(StoreError::NotOurs);
    }
    let (input, password) = (manifest(secret, keys, entry), entry.credential.password.expose());
    let mut apply = kubectl(secret);
    apply.args(["apply", "--server-side", "--field-manager=seskey", "-f", "-"]);
    let finished = process::run(apply.stdout(Stdio::null()), input.as_bytes(), LIMIT).await?;
    let encoded = BASE64_STANDARD.encode(password);
    finished.success(&[password, &encoded], is_error).map_err(|error| match error {
        ProcessError::Failed { said, .. } if rival(&said).is_some() => {
            StoreError::Conflict { manager: rival(&said).unwrap_or_default().to_owned() }
        }
        error => error.into(),
    })?;
    read(secret, keys).await?.confirm(&entry.credential)
}

/// Our values and nothing else: not even the type, which cannot be changed.
fn manifest(secret: &KubernetesSecret, keys: &Keys, entry: &Entry) -> Zeroizing<String> {
    let port = entry.port.to_string();
    let values = [
        (&keys.user_name, Some(entry.credential.user_name.as_str())),
        (&keys.password, Some(entry.credential.password.expose())),
        (&keys.host, Some(&entry.host)),
        (&keys.port, Some(&port)),
        (&keys.from, entry.from.as_deref()),
    ];
    let data: Map<String, Value> = values
        .into_iter()
        .filter_map(|(key, value)| Some((key.clone(), BASE64_STANDARD.encode(value?).into())))
        .collect();
    let metadata = json!({ "namespace": secret.namespace, "name": secret.name });
    let object =
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data });
    Zeroizing::new(object.to_string())
}

fn kubectl(secret: &KubernetesSecret) -> Command {
    let mut kubectl = Command::new(secret.kubectl.as_deref().unwrap_or("kubectl"));
    if let Some(path) = &secret.kubeconfig {
        kubectl.arg("--kubeconfig").arg(path);
    }
    if let Some(context) = &secret.context {
        kubectl.args(["--context", context]);
    }
    kubectl
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
