//! A proxy in front of moto that injects a fault into the requests for a secret with the fault's name.

use std::{collections::HashMap, net::SocketAddr, sync::Mutex};

use testkit::proxy;

/// The first write of each kind is answered by a cut connection, after its effect.
pub(crate) const LOST: &str = "lost-answer";
/// The first request of each kind is throttled.
pub(crate) const THROTTLED: &str = "throttled";
/// Every request is denied.
pub(crate) const DENIED: &str = "denied";
/// The first three reads after a write give the old content.
pub(crate) const STALE: &str = "stale";
/// Every read gives the content of the first one.
pub(crate) const STUCK: &str = "stuck";

/// The requests for each secret, and the last answer to a read.
type Seen = HashMap<String, (Vec<String>, Vec<u8>)>;

/// Starts a proxy; returns its URL.
pub(crate) fn start(upstream: SocketAddr) -> String {
    let seen = Mutex::new(Seen::new());
    let address = proxy::start(upstream, move |request, ask| {
        let text = String::from_utf8_lossy(request);
        let target = value(&text, "x-amz-target: ", "\r\n");
        let Some((service, action)) = target.split_once('.') else { return ask() };
        let name = ["\"SecretId\":\"", "\"Name\":\""].map(|key| value(&text, key, "\""));
        let name = name.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
        let is = |fault: &str| name.contains(fault);
        let reading = action.starts_with("Get");

        let mut seen = seen.lock().unwrap();
        let (before, read) = seen.entry(format!("{service} {name}")).or_default();
        let first = !before.iter().any(|before| before == action);
        let since_write =
            before.iter().rev().take_while(|action| action.starts_with("Get")).count();
        let written = since_write < before.len();
        before.push(action.to_owned());
        let answer = if is(DENIED) {
            Some(refusal("AccessDeniedException", DENIED_MESSAGE))
        } else if is(THROTTLED) && first {
            Some(refusal("ThrottlingException", "Rate exceeded"))
        } else if reading && written && (is(STUCK) || is(STALE) && since_write < 3) {
            Some(read.clone())
        } else {
            None
        };
        let answer = answer.or_else(ask)?;
        if reading {
            read.clone_from(&answer);
        } else if is(LOST) && first {
            return None;
        }
        Some(answer)
    });
    format!("http://{address}")
}

/// Returns the text between these two.
fn value(text: &str, before: &str, after: &str) -> String {
    let at = text.find(before).map(|at| at + before.len());
    at.and_then(|at| text[at..].split(after).next()).unwrap_or_default().to_owned()
}

fn refusal(code: &str, message: &str) -> Vec<u8> {
    let body = format!("{{\"__type\":\"{code}\",\"message\":\"{message}\"}}");
    proxy::answer(400, "application/x-amz-json-1.1", &body)
}

const DENIED_MESSAGE: &str = "User: arn:aws:iam::123456789012:user/u is not authorized to perform: kms:Decrypt on \
                              resource: x because no identity-based policy allows the kms:Decrypt action";
