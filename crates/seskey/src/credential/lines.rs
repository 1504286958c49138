//! The reader of line-based forms of `render`: Postfix's `smtp_sasl_password_maps`, msmtp's accounts, the manifest of a
//! Kubernetes secret.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{
    CredentialError, Found, Kind,
    values::{Called, Values, place},
};

const CALLED: Called =
    Called { user_name: "user", password: "password", neither: "user and no password" };

/// Reads `[host]:port user:password`, the entries of SES only.
pub(super) fn postfix(text: &str) -> Result<Vec<Found>, CredentialError> {
    let mut entries: Vec<(u64, String)> = vec![];
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !is_comment(text)) {
        match entries.last_mut() {
            Some((_, entry)) if text.starts_with([' ', '\t']) => entry.push_str(text),
            _ => entries.push((line, text.to_owned())),
        }
    }
    let found = entries.iter().filter_map(|(line, entry)| {
        let (key, login) = entry.trim().split_once([' ', '\t'])?;
        let (user_name, password) = login.trim().split_once(':')?;
        Kind::of_user_name(user_name)?;
        let (host, port) = place(key);
        // a map by sender has the address in place of the host, and a table of OpenSMTPD has a label
        let is_host = !key.contains('@') && key.contains(['.', ':', '[']);
        let host = host.filter(|_| is_host).unwrap_or_default();
        Some(found(*line, user_name, password, &host, port.map(|port| port.to_string())))
    });
    found.collect()
}

/// Reads the accounts of SES only.
pub(super) fn msmtp(text: &str) -> Result<Vec<Found>, CredentialError> {
    let mut accounts: Vec<(u64, Vec<(&str, &str)>)> = vec![];
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !is_comment(text)) {
        let (key, value) = text.trim().split_once([' ', '\t']).unwrap_or_else(|| (text.trim(), ""));
        if matches!(key, "account" | "defaults") || accounts.is_empty() {
            accounts.push((line, vec![]));
        }
        let values = &mut accounts.last_mut().expect("one was just pushed").1;
        values.push((key, value.trim().trim_matches('"')));
    }
    let found = accounts.iter().filter_map(|(line, values)| {
        let value =
            |key| values.iter().rev().find(|(name, _)| *name == key).map(|(_, value)| *value);
        let user_name = value("user").filter(|user| Kind::of_user_name(user).is_some())?;
        let port = value("port").map(str::to_owned);
        let (password, host) = (value("password"), value("host"));
        Some(found(*line, user_name, password.unwrap_or_default(), host.unwrap_or_default(), port))
    });
    found.collect()
}

/// Returns the values of the secret, decoded.
pub(super) fn kubernetes(text: &str) -> Values {
    let mut section = "";
    let values = (1..).zip(text.lines()).filter_map(|(line, text)| {
        let (name, value) = text.trim().split_once(':')?;
        let unquoted = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
        if !text.starts_with([' ', '\t']) {
            section = name;
            return None;
        }
        let value = match section {
            "data" => decoded(&unquoted(value))?,
            "stringData" => unquoted(value),
            _ => return None,
        };
        Some((line, unquoted(name), value))
    });
    Values::new(values)
}

/// Decodes a value of the data of a Kubernetes secret.
pub(super) fn decoded(value: &str) -> Option<String> {
    String::from_utf8(BASE64_STANDARD.decode(value).ok()?).ok()
}

fn found(
    line: u64,
    user_name: &str,
    password: &str,
    host: &str,
    port: Option<String>,
) -> Result<Found, CredentialError> {
    let named = [
        ("smtp_user_name", user_name.to_owned()),
        ("smtp_password", password.to_owned()),
        ("smtp_host", host.to_owned()),
        ("smtp_port", port.unwrap_or_default()),
    ];
    let values = named.map(|(name, value)| (line, name.to_owned(), value));
    Values::new(values).found(&CALLED)
}

fn is_comment(line: &str) -> bool {
    line.trim().is_empty() || line.trim_start().starts_with('#')
}
