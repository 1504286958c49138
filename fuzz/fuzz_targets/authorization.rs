//! The Authorization header: a header that was read can be written and is read again, and a request is good with its
//! own signature and with no other.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use seskey::{Secret, SecretAccessKey};
use seskey_local::{
    refusal::{ApiRefusal, Mismatch},
    sigv4::{
        Authorization, HttpRequest, Signer, SigningKey, canonical_request, sign, string_to_sign,
        verify,
    },
};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const NOW: &str = "2015-08-30T12:36:00Z";

// a request as in HTTP/1.1, with LF for CRLF
fuzz_target!(|request: &str| {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let mut lines = head.split('\n');
    let request_line = lines.next().unwrap_or_default();
    let (method, target) = request_line.split_once(' ').unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    let request = HttpRequest { method, path, query, headers: &headers, body: body.as_bytes() };
    // a signature in the query string has other properties
    let Some(_) = request.header("authorization") else { return };
    let Ok(authorization) = Authorization::of(&request) else { return };

    let canonical = canonical_request(&request, &authorization.signed_headers);
    let lines = canonical.split('\n').count();
    assert_eq!(lines, 6 + authorization.signed_headers.len(), "no part looks like another");

    let time = request.header("x-amz-date").unwrap_or_default();
    let to_sign = string_to_sign(time, &authorization.scope, &canonical);
    let signature = sign(SECRET, &authorization.scope, &to_sign);
    let right = Authorization { signature, ..authorization.clone() };
    let mut wrong = right.clone();
    wrong.signature[31] ^= 1;
    for (authorization, is_right) in
        [(&right, true), (&wrong, false), (&authorization, authorization == right)]
    {
        let header = written(authorization);
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|&(name, value)| match name.eq_ignore_ascii_case("authorization") {
                true => (name, header.as_str()),
                false => (name, value),
            })
            .collect();
        let request = HttpRequest { headers: &headers, ..request };
        assert_eq!(Authorization::of(&request).as_ref(), Ok(authorization));
        match verified(&request, authorization.session_token.as_ref()) {
            Ok(signer) => {
                assert!(is_right && request.body == body.as_bytes());
                assert_eq!(signer.access_key_id, authorization.access_key_id);
                assert_eq!(signer.scope, authorization.scope);
            }
            // a time is signed in one form: a leap second as the second before, a `Date` as an `X-Amz-Date`
            Err(ApiRefusal::SignatureDoesNotMatch(Mismatch::Signature)) => {
                assert!(!is_right || time.is_empty() || time.ends_with("60Z"));
            }
            Err(refusal) => assert!(!refusal.to_string().contains(SECRET)),
        }
    }
});

fn verified(
    request: &HttpRequest<'_>,
    session_token: Option<&Secret>,
) -> Result<Signer, ApiRefusal> {
    let now: Timestamp = NOW.parse().expect("it is a time");
    let key_of = |_: &str| {
        let secret = SecretAccessKey::parse(SECRET).expect("it is a secret access key");
        Some(SigningKey { secret, session_token: session_token.cloned() })
    };
    verify(request, |_| Ok(()), key_of, [now, now])
}

fn written(authorization: &Authorization) -> String {
    let Authorization { access_key_id, scope, signed_headers, signature, .. } = authorization;
    let signature: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "AWS4-HMAC-SHA256 Credential={access_key_id}/{}/{}/{}/aws4_request, SignedHeaders={}, Signature={signature}",
        scope.date,
        scope.region,
        scope.service,
        signed_headers.join(";"),
    )
}
