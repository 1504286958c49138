//! The manifest of a Kubernetes secret, as a whole file. Source: Kubernetes documentation, "Secrets", "Object Names and
//! IDs".

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

use super::{
    Entry, Grammar, Names, Place, RenderError, Row, Target, entry,
    names::{FROM, HOST, PASSWORD, PORT, USER_NAME},
    no_values,
};
use crate::credential::{Credential, SmtpCredential};

pub(super) const ROW: Row = Row {
    target: Target::Kubernetes,
    name: "kubernetes",
    description: "the manifest of a Kubernetes secret",
    file: "",
    source: "https://kubernetes.io/docs/concepts/configuration/secret/",
    judge: "PyYAML, kubectl",
    names: ["ses-smtp", "", HOST, PORT, USER_NAME, PASSWORD, FROM],
    whole: true,
    entry_fits: is_subdomain,
    namespace_fits: |name| name.is_empty() || name.len() <= 63 && is_label(name),
    key_fits: is_key,
    grammar: Grammar::Own { render, held, values: no_values },
};

fn render(entry: &Entry<Credential>, names: &Names, before: &str) -> Result<String, RenderError> {
    let manifest = manifest(entry, names);
    let is_ours = before.trim_ascii().is_empty() || outline(before).eq(outline(&manifest));
    if is_ours { Ok(manifest) } else { Err(RenderError::NotOurs) }
}

/// Reads a manifest, or the output of `kubectl get secret NAME --output json`.
fn held(
    text: &str,
    names: &Names,
    place: Place<'_>,
) -> Result<Option<SmtpCredential>, RenderError> {
    let object: Option<Value> = serde_json::from_str(text).ok();
    let encoded = |key: &str| match &object {
        Some(object) => object.get("data")?.get(key)?.as_str(),
        None => {
            text.lines().filter_map(datum).find(|(name, _)| *name == key).map(|(_, value)| value)
        }
    };
    entry::find(names, place, |key| {
        String::from_utf8(BASE64_STANDARD.decode(encoded(key)?).ok()?).ok()
    })
}

/// Writes the manifest, with chosen names in quotation marks: in YAML the name `on` is not a text.
fn manifest(entry: &Entry<Credential>, names: &Names) -> String {
    let namespace = match names.namespace.as_str() {
        "" => String::new(),
        namespace => format!("  namespace: \"{namespace}\"\n"),
    };
    let data = entry
        .values(names)
        .map(|(key, value)| format!("  \"{key}\": \"{}\"\n", BASE64_STANDARD.encode(value)));
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"{}\"\n{namespace}  labels:\n    \
         app.kubernetes.io/managed-by: seskey\ntype: Opaque\ndata:\n{}",
        names.entry,
        data.collect::<String>()
    )
}

/// Returns all but the values of the data: a manifest with another outline is another secret, or has been edited.
fn outline(manifest: &str) -> impl Iterator<Item = &str> {
    manifest.lines().map(|line| datum(line).map_or(line, |(key, _)| key))
}

fn datum(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("  \"")?.strip_suffix('"')?.split_once("\": \"")
}

/// Whether it is a name by RFC 1123, section 2.1, in lower case.
fn is_subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_label)
}

fn is_label(name: &str) -> bool {
    let is_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !name.is_empty() && name.bytes().all(is_byte) && !name.starts_with('-') && !name.ends_with('-')
}

fn is_key(name: &str) -> bool {
    let is_byte = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    (1..=253).contains(&name.len())
        && name.bytes().all(is_byte)
        && name != "."
        && !name.starts_with("..")
}
