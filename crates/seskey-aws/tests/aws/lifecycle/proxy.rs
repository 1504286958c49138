//! A proxy in front of the local SES that injects a fault into one action of the API.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
};

use testkit::proxy::{self, answer};

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is cut each time, before the request has an effect.
    CutBefore,
    /// The connection is cut each time, after the effect and before the answer.
    CutAfter,
    /// The same, but only the first time.
    CutAfterOnce,
    /// The first request is throttled.
    ThrottledOnce,
    /// The answer cannot be parsed, though the secret in it can be read.
    Garbled,
}

/// A secret that no error may show.
pub(crate) const GARBLED_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// Starts a proxy; returns its URL.
pub(crate) fn fault_at(upstream: SocketAddr, action: &'static str, fault: Fault) -> String {
    let first = AtomicBool::new(true);
    let address = proxy::start(upstream, move |request, ask| {
        if !String::from_utf8_lossy(request).contains(&format!("Action={action}&")) {
            return ask();
        }
        let is_first = || first.swap(false, Ordering::Relaxed);
        match fault {
            Fault::CutBefore => None,
            Fault::ThrottledOnce if is_first() => Some(answer(400, "text/xml", THROTTLED)),
            Fault::CutAfter => ask().and(None),
            Fault::CutAfterOnce if is_first() => ask().and(None),
            Fault::Garbled => ask().map(|_| answer(200, "text/xml", &garbled())),
            Fault::ThrottledOnce | Fault::CutAfterOnce => ask(),
        }
    });
    format!("http://{address}")
}

const THROTTLED: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code>\
    <Message>Rate exceeded</Message></Error><RequestId>1</RequestId></ErrorResponse>";

fn garbled() -> String {
    format!("<CreateAccessKeyResponse><SecretAccessKey>{GARBLED_SECRET}</SecretAccess")
}
