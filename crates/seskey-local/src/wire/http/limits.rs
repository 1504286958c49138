//! The limits on one client, so that something is left for the others.

use std::time::Duration;

use axum::http::{header::AUTHORIZATION, request::Parts};

/// The limits on the connections of the HTTP side.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The time from the beginning of a connection to its first byte; from there, or from the last answer, to the end
    /// of the next request's header.
    pub header: Duration,
    /// The time from the end of a header to the end of the body.
    pub body: Duration,
    /// The time for which a client may read nothing of an answer.
    pub write: Duration,
    /// The number of connections in all.
    pub connections: usize,
    /// The number of connections of one address.
    pub connections_of_address: usize,
    /// The bytes of long answers that are made and not yet read.
    pub answers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(10),
            body: Duration::from_secs(60),
            write: Duration::from_secs(30),
            connections: 1_000,
            connections_of_address: 500,
            answers: 128 * 1024 * 1024,
        }
    }
}

/// The largest header, in bytes: a policy may be in the request line. Hyper allows 100 fields at most.
pub(super) const MAX_HEADER: usize = 32 * 1024;

/// The bytes of bodies over [`MAX_BODY`] that are in memory at once, as many as of messages by SMTP.
pub(super) const MAX_LARGE_BODIES: usize = 512 * 1024 * 1024;

/// The number of large bodies that are worked on at once: a message is decoded twice, and is in memory as many times
/// more meanwhile.
pub(super) const LARGE_BODIES_AT_WORK: usize = 2;

/// The longest answer that is not counted, in bytes; a thousand of them may wait to be read.
pub(super) const SHORT_ANSWER: u64 = 64 * 1024;

/// Returns the largest body of a request, in bytes. An IAM policy in a form is far smaller; a message of 40 MiB to SES
/// is larger by a third in Base64, and a little more in a form.
pub(super) fn max_body(request: &Parts) -> usize {
    let is_signed_for = |scope: &[u8]| {
        let mut values = request.headers.get_all(AUTHORIZATION).iter();
        values.any(|value| value.as_bytes().windows(scope.len()).any(|part| part == scope))
    };
    match request.uri.path() {
        "/" if SES_SCOPES.into_iter().any(is_signed_for) => MAX_MESSAGE_BODY,
        "/" if is_signed_for(SNS_SCOPE) => MAX_PUBLISHED_BODY,
        path if path.starts_with("/v2/email/") => MAX_MESSAGE_BODY,
        _ => MAX_BODY,
    }
}

pub(super) const MAX_BODY: usize = 256 * 1024;
const MAX_MESSAGE_BODY: usize = 64 * 1024 * 1024;
/// The largest body for SNS: a published message has 256 KiB at most, and three times that in a form.
const MAX_PUBLISHED_BODY: usize = 1024 * 1024;
const SNS_SCOPE: &[u8] = b"/sns/aws4_request";
const SES_SCOPES: [&[u8]; 2] = [b"/ses/aws4_request", b"/email/aws4_request"];
