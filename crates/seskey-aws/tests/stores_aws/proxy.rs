//! A proxy in front of moto that puts a fault in the way of requests whose secret is named after it.

use std::{collections::HashMap, net::SocketAddr, sync::Mutex};

use testkit::proxy;

/// Each write is answered by a cut connection the first time, after its effect.
pub(crate) const LOST: &str = "lost-answer";
/// The first request of each kind is throttled.
pub(crate) const THROTTLED: &str = "throttled";
/// Nothing is permitted.
pub(crate) const DENIED: &str = "denied";
/// The first three readings after a write give what was there before.
pub(crate) const STALE: &str = "stale";
/// Readings give for ever what the first gave.
pub(crate) const STUCK: &str = "stuck";

/// The requests and the last answer to a reading, for each secret.
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

/// What stands between.
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
