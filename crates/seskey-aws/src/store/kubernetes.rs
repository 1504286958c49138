//! A Kubernetes secret, through the user's own kubectl and with all of its ways to authenticate. It is applied on the
//! server, where each field has a manager: foreign fields are not touched, and another manager of our fields is
//! reported. Source: Kubernetes, "Server-Side Apply", "Conflicts".

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Stdio,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};
use seskey::{
    AccessKeyId, SmtpPassword,
    render::{Entry, Form, Names, Target},
    store::Kubectl,
};
use tokio::process::Command;
use zeroize::Zeroizing;

use super::{Held, ProcessError, StoreError, json::held_of, process};

/// The values of a secret, as text.
type Values = BTreeMap<String, String>;

pub(super) async fn read(
    kubectl: &Kubectl,
    form: &Form,
    keys: &BTreeSet<AccessKeyId>,
    hidden: &[&str],
) -> Result<Held, StoreError> {
    let values = get(kubectl, form.names(), hidden).await?;
    held_of(&members(form), &object(&values), keys)
}

pub(super) async fn write(
    kubectl: &Kubectl,
    form: &Form,
    entry: &Entry,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<(), StoreError> {
    let password = entry.credential.password.expose();
    let before = get(kubectl, form.names(), &[password]).await?;
    let ours = ours(form, entry, &before, keys)?;
    let passwords = before.values().filter(|value| SmtpPassword::parse(value).is_ok());
    let hidden: Vec<&str> = passwords.map(String::as_str).chain([password]).collect();
    apply(kubectl, form.names(), &ours, &hidden, &[]).await?;
    read(kubectl, form, keys, &hidden).await?.confirm(&entry.credential)
}

/// Asks the server for a dry run: whether a credential may be applied, and whether another field manager owns the
/// values. Source: Kubernetes, "API Concepts", "Dry-run": "the same as it would be", all admission included.
pub(super) async fn probe(
    kubectl: &Kubectl,
    form: &Form,
    entry: &Entry,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<(), StoreError> {
    let before = get(kubectl, form.names(), &[]).await?;
    let ours = ours(form, entry, &before, keys)?;
    match apply(kubectl, form.names(), &ours, &[], &["--dry-run=server"]).await {
        // a webhook with side effects is not called; it may accept the write
        Err(StoreError::Process(ProcessError::Failed { said, .. }))
            if said.contains("does not support dry run") =>
        {
            Ok(())
        }
        applied => applied,
    }
}

async fn get(kubectl: &Kubectl, names: &Names, hidden: &[&str]) -> Result<Values, StoreError> {
    let mut get = command(kubectl);
    get.args(["get", "secrets", "-n", &names.namespace, &names.entry]);
    get.args(["-o", "json", "--ignore-not-found"]);
    let printed = process::run(get.stdout(Stdio::piped()), b"", LIMIT).await?;
    let printed = printed.success(hidden, is_error)?.stdout;
    if printed.trim_ascii().is_empty() {
        return Ok(Values::new());
    }
    let mut object: Value =
        serde_json::from_slice(&printed).map_err(|_| ProcessError::Unreadable)?;
    let Value::Object(data) = object["data"].take() else { return Ok(Values::new()) };
    // a value that is not text is as foreign as one that is not a credential
    let text = |value: &str| String::from_utf8(BASE64_STANDARD.decode(value).ok()?).ok();
    let decoded = |(name, value): (String, Value)| {
        Some((name, text(value.as_str()?).unwrap_or_else(|| "\u{fffd}".to_owned())))
    };
    Ok(data.into_iter().filter_map(decoded).collect())
}

/// Returns the values to apply: all of ours, since a value that is left out is removed, and no others.
fn ours(
    form: &Form,
    entry: &Entry,
    before: &Values,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<Values, StoreError> {
    let (members, text) = (members(form), object(before));
    if held_of(&members, &text, keys)? == Held::Foreign {
        return Err(StoreError::NotOurs);
    }
    let after = Zeroizing::new(members.render(entry, &text, keys)?);
    let after: Map<String, Value> =
        serde_json::from_str(&after).map_err(|_| StoreError::NotOurs)?;
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut after: Values = after.into_iter().map(|(name, value)| (name, text(value))).collect();
    let (names, credential) = (form.names(), &entry.credential);
    let has_our_names =
        after.get(&names.user_name).is_some_and(|name| *name == *credential.user_name.as_str());
    let own: Vec<_> = entry.values(names).map(|(name, _)| name.to_owned()).collect();
    after.retain(|name, value| {
        let carries =
            value == credential.user_name.as_str() || value == credential.password.expose();
        carries || before.get(name) != Some(value) || has_our_names && own.contains(name)
    });
    Ok(after)
}

/// Returns the form for JSON: the values of a secret follow the same rules as the members of a JSON object.
fn members(form: &Form) -> Form {
    let names = Names { namespace: String::new(), entry: String::new(), ..form.names().clone() };
    Form::new(Target::Json, names).expect("every key of a secret may be the name of a member")
}

fn object(values: &Values) -> Zeroizing<String> {
    Zeroizing::new(format!("{:#}", json!(values)))
}

async fn apply(
    kubectl: &Kubectl,
    names: &Names,
    values: &Values,
    hidden: &[&str],
    options: &[&str],
) -> Result<(), StoreError> {
    let mut apply = command(kubectl);
    apply.args(["apply", "--server-side", "--field-manager=seskey"]).args(options);
    let input = manifest(names, values);
    apply.args(["-f", "-"]).stdout(Stdio::null());
    let finished = process::run(&mut apply, input.as_bytes(), LIMIT).await?;
    finished.success(hidden, is_error).map(drop).map_err(|error| match error {
        ProcessError::Failed { said, .. } if rival(&said).is_some() => {
            StoreError::Conflict { manager: rival(&said).unwrap_or_default().to_owned() }
        }
        error => error.into(),
    })
}

/// Returns the manifest with our values alone: without the label of the manifest that is rendered into a file, which
/// would become ours, and without the type, which cannot be changed.
fn manifest(names: &Names, values: &Values) -> Zeroizing<String> {
    let encoded =
        |(name, value): (&String, &String)| (name.clone(), BASE64_STANDARD.encode(value).into());
    let data: Map<String, Value> = values.iter().map(encoded).collect();
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

/// Whether the line is an error. After its error, kubectl explains at length how to force the write.
fn is_error(line: &str) -> bool {
    line.starts_with("error") || line.starts_with("Error")
}

/// Returns the field manager that kubectl names in a conflict: `conflict with "helm" using v1: .data.SMTP_PASSWORD`.
fn rival(said: &str) -> Option<&str> {
    let (_, rest) =
        said.split_once(" with \"").filter(|(before, _)| before.contains("conflict"))?;
    rest.split_once('"').map(|(manager, _)| manager)
}

/// The time limit of kubectl.
const LIMIT: Duration = Duration::from_secs(60);
