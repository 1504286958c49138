//! Presigned URLs and session tokens, signed by AWS's own signer, intact and tampered with.

use std::time::Duration;

use jiff::SignedDuration;
use proptest::{prelude::*, sample::Index};
use seskey::{Secret, SecretAccessKey};
use seskey_local::{
    refusal::ApiRefusal,
    sigv4::{Authorization, HttpRequest, Signer, SigningKey, canonical_request, verify},
};

use crate::iam_client::{Client, ROOT, Reply, Unsigned};

const HOUR: Duration = Duration::from_secs(3600);

fn presigned(client: &Client, request: Unsigned) -> Unsigned {
    let query = client.presign(&request, HOUR);
    Unsigned { query, ..request }
}

fn send(client: &mut Client, request: &Unsigned) -> Reply {
    client.send_signed(request, &request.headers.clone())
}

#[test]
fn a_presigned_url_is_good() {
    let mut client = Client::new();
    for request in [Unsigned::iam("ListUsers", &[]), Unsigned::sts("GetCallerIdentity", &[])] {
        for request in [request.clone().by_get(), request] {
            let request = presigned(&client, request);
            let reply = send(&mut client, &request);
            assert_eq!(reply.status, 200, "{} {}: {}", request.method, request.query, reply.body);
        }
    }
}

/// An edit of a request whose query string has the signature.
type Tamper = fn(&mut Unsigned);

#[test]
fn what_was_tampered_with_is_refused() {
    let (mismatch, incomplete) = ((403, "SignatureDoesNotMatch"), (400, "IncompleteSignature"));
    let token = (403, "InvalidClientTokenId");
    let cases: &[(&str, (u16, &str), &str, Tamper)] = &[
        ("action", mismatch, "calculated", |r| swap(r, "ListUsers", "ListGroups")),
        ("parameter added", mismatch, "calculated", |r| r.query.push_str("&MaxItems=1")),
        ("method", mismatch, "calculated", |r| r.method = "POST"),
        ("path", mismatch, "calculated", |r| r.path = "/x".into()),
        ("host", mismatch, "calculated", |r| r.headers[0].1 = "evil".into()),
        ("host gone", mismatch, "'host' is a 'SignedHeader'", |r| r.headers.clear()),
        ("body", mismatch, "calculated", |r| r.body = "Action=ListGroups".into()),
        ("header not signed", mismatch, "'x-amz-target' must be", |r| {
            r.headers.push(("X-Amz-Target".into(), "x".into()))
        }),
        ("unsigned body", mismatch, "calculated", |r| {
            r.query.push_str("&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD")
        }),
        ("longer life", mismatch, "calculated", |r| swap(r, "Expires=3600", "Expires=7200")),
        ("eternal life", incomplete, "X-Amz-Expires", |r| {
            swap(r, "Expires=3600", "Expires=604801")
        }),
        ("no life", incomplete, "X-Amz-Expires", |r| swap(r, "Expires=3600", "Expires=0")),
        ("life in words", incomplete, "X-Amz-Expires", |r| swap(r, "Expires=3600", "Expires=+1")),
        ("life that overflows", incomplete, "X-Amz-Expires", |r| {
            swap(r, "Expires=3600", "Expires=99999999999999999999")
        }),
        ("time", mismatch, "calculated", |r| swap(r, "T120000Z", "T120001Z")),
        ("time malformed", incomplete, "X-Amz-Date", |r| swap(r, "T120000Z", "")),
        ("date of scope", mismatch, "Date in Credential scope", |r| {
            swap(r, "%2F20260301%2F", "%2F20260302%2F")
        }),
        ("service of scope", mismatch, "correct service", |r| swap(r, "%2Fiam%2F", "%2Fs3%2F")),
        ("region of scope", mismatch, "calculated", |r| swap(r, "us-east-1", "us-east-2")),
        ("terminator", mismatch, "terminator", |r| swap(r, "aws4_request", "aws5_request")),
        ("key", token, "security token", |r| swap(r, ROOT.0, "AKIAIOSFODNN7EXAMPLF")),
        ("algorithm", incomplete, "algorithm", |r| swap(r, "SHA256&", "SHA512&")),
        ("token", token, "security token", |r| r.query.push_str("&X-Amz-Security-Token=x")),
        ("parameter gone", incomplete, "include 'X-Amz-Credential'", |r| {
            swap(r, "X-Amz-Credential", "x")
        }),
        ("parameter twice", incomplete, "'X-Amz-Expires', once", |r| {
            r.query.push_str("&X-Amz%2DExpires=3600")
        }),
        ("signature twice", incomplete, "'X-Amz-Signature', once", |r| {
            r.query.push_str("&X-Amz-Signature=0")
        }),
        ("no signature", incomplete, "include 'X-Amz-Signature'", |r| {
            r.query.truncate(r.query.find("&X-Amz-Signature").unwrap())
        }),
        ("nothing but a signature", incomplete, "include 'X-Amz-Algorithm'", |r| {
            r.query = "X-Amz-Signature=0".into()
        }),
        ("both forms", incomplete, "not in both", |r| {
            r.headers.push(("Authorization".into(), "AWS4-HMAC-SHA256 x".into()))
        }),
    ];
    let mut client = Client::new();
    let whole = presigned(&client, Unsigned::iam("ListUsers", &[]).by_get());
    for (name, expected, text, tamper) in cases {
        let mut request = whole.clone();
        tamper(&mut request);
        assert!(
            request.query != whole.query
                || request.headers != whole.headers
                || (request.method, &request.path, &request.body)
                    != (whole.method, &whole.path, &whole.body),
            "{name}: nothing was changed"
        );
        let (status, code, message) = send(&mut client, &request).refusal();
        assert_eq!((status, &*code), *expected, "{name}: {message}");
        assert!(message.contains(text), "{name}: {message}");
    }
}

fn swap(request: &mut Unsigned, from: &str, to: &str) {
    request.query = request.query.replace(from, to);
}

#[test]
fn a_presigned_url_expires() {
    for (expires, after, message) in [
        (60, 60, None),
        (
            59,
            60,
            Some(
                "Signature expired: 20260301T120000Z is now earlier than 20260301T120001Z (20260301T120100Z - 59 s.)",
            ),
        ),
        (3600, 900, None),
        (
            3600,
            901,
            Some(
                "Signature expired: 20260301T120000Z is now earlier than 20260301T120001Z (20260301T121501Z - 15 min.)",
            ),
        ),
        (1, -900, None),
        (
            1,
            -901,
            Some(
                "Signature not yet current: 20260301T120000Z is still later than 20260301T115959Z (20260301T114459Z + 15 min.)",
            ),
        ),
    ] {
        let mut client = Client::new();
        let request = Unsigned::iam("ListUsers", &[]).by_get();
        let query = client.presign(&request, Duration::from_secs(expires));
        client.now += SignedDuration::from_secs(after);
        let reply = send(&mut client, &Unsigned { query, ..request });
        assert_eq!(reply.texts("Message").first().map(String::as_str), message);
    }
}

#[test]
fn a_session_token_is_there_exactly_when_the_key_has_one() {
    let client = Client::new();
    for (of_key, sent) in [
        (None, None),
        (None, Some("token")),
        (Some("token"), None),
        (Some("token"), Some("token")),
        (Some("token"), Some("tokem")),
        (Some("token"), Some("token+")),
    ] {
        let request =
            Unsigned { token: sent.map(str::to_owned), ..Unsigned::iam("ListUsers", &[]) };
        let in_headers = Unsigned { headers: client.sign(&request), ..request.clone() };
        for request in [in_headers, presigned(&client, request.clone().by_get())] {
            let good = of_key == sent;
            let signer = signer(&client, &request, of_key);
            assert_eq!(signer.is_ok(), good, "{of_key:?} {sent:?} {signer:?}");
            assert!(good || signer == Err(ApiRefusal::InvalidClientTokenId), "{signer:?}");
        }
    }
}

/// A session token counts only in the same place as the signature.
#[test]
fn a_session_token_stands_beside_the_signature() {
    let client = Client::new();
    let mut request = Unsigned::iam("ListUsers", &[]).by_get();
    request.headers.push(("x-amz-security-token".into(), "token".into()));
    let request = presigned(&client, request);
    assert_eq!(signer(&client, &request, Some("token")), Err(ApiRefusal::InvalidClientTokenId));
}

fn signer(client: &Client, request: &Unsigned, token: Option<&str>) -> Result<Signer, ApiRefusal> {
    let key_of = |_: &str| {
        let session_token = token.map(|token| Secret::new(token.to_owned()));
        Some(SigningKey { secret: SecretAccessKey::parse(ROOT.1).unwrap(), session_token })
    };
    with_signed(request, |signed| verify(signed, |_| Ok(()), key_of, [client.now; 2]))
}

fn with_signed<T>(request: &Unsigned, use_it: impl FnOnce(&HttpRequest<'_>) -> T) -> T {
    let headers: Vec<(&str, &str)> =
        request.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    use_it(&HttpRequest {
        method: request.method,
        path: &request.path,
        query: &request.query,
        headers: &headers,
        body: request.body.as_bytes(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// A request with one character changed is refused, unless everything that is signed stays the same.
    #[test]
    fn no_tampering_goes_unseen(
        user in "[ -~]{1,20}",
        post: bool,
        part in 0..5usize,
        place: Index,
        character in "[ -~&&[^#]]",
    ) {
        let client = Client::new();
        let request = Unsigned::iam("GetUser", &[("UserName", &user)]);
        let request = presigned(&client, if post { request } else { request.by_get() });
        prop_assert!(signer(&client, &request, None).is_ok());

        let mut tampered = request.clone();
        let text = match part {
            0 | 1 => &mut tampered.query,
            2 => &mut tampered.path,
            3 => &mut tampered.headers[0].1,
            _ => &mut tampered.body,
        };
        if text.is_empty() {
            text.push_str(&character);
        } else {
            let place = place.index(text.len());
            text.replace_range(place..=place, &character);
        }
        let all_that_is_signed = |request: &Unsigned| with_signed(request, |signed| {
            let authorization = Authorization::of(signed).ok()?;
            Some((canonical_request(signed, &authorization.signed_headers), authorization))
        });
        let same = all_that_is_signed(&tampered) == all_that_is_signed(&request);
        prop_assert_eq!(signer(&client, &tampered, None).is_ok(), same);
    }
}
