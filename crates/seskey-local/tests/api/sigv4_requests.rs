//! Signed requests, intact and tampered with: each difference from the signed request is refused with its code.

use jiff::{SignedDuration, Timestamp};

use crate::iam_client::{Client, ROOT, Unsigned};

type Headers = Vec<(String, String)>;

/// A change to a request in transit: to its parts, or to its headers with the signature.
type Tamper = fn(&mut Unsigned, &mut Headers);

fn sent(tamper: Tamper) -> (u16, String, String) {
    let mut client = Client::new();
    let mut request = Unsigned::iam("ListUsers", &[]);
    let mut headers = client.sign(&request);
    tamper(&mut request, &mut headers);
    let reply = client.send_signed(&request, &headers);
    if reply.status == 200 { (200, String::new(), String::new()) } else { reply.refusal() }
}

#[test]
fn what_aws_signs_is_good() {
    assert_eq!(sent(|_, _| {}).0, 200);
}

#[test]
fn what_may_change_on_the_way() {
    let harmless: [(&str, Tamper); 7] = [
        ("the case of a header name", |_, headers| {
            headers.iter_mut().for_each(|(name, _)| name.make_ascii_uppercase())
        }),
        ("the order of the headers", |_, headers| headers.reverse()),
        ("blanks around a value", |_, headers| {
            edit(headers, "host", |value| format!("  {value} "))
        }),
        ("a value folded over two lines", |_, headers| {
            edit(headers, "content-type", |value| value.replace("; ", ";\r\n  "))
        }),
        ("a path that is the same", |request, _| request.path = "//./".into()),
        ("a header that is not signed", |_, headers| headers.push(("accept".into(), "*/*".into()))),
        ("an unsigned header that a proxy changes", |_, headers| {
            headers.push(("via".into(), "x".into()))
        }),
    ];
    for (name, tamper) in harmless {
        assert_eq!(sent(tamper).0, 200, "{name}");
    }
}

#[test]
fn what_was_tampered_with_is_refused() {
    let mismatch = (403, "SignatureDoesNotMatch");
    let incomplete = (400, "IncompleteSignature");
    let token = (403, "InvalidClientTokenId");
    let missing = (403, "MissingAuthenticationToken");
    let cases: Vec<(&str, (u16, &str), &str, Tamper)> = vec![
        ("method", mismatch, "calculated", |request, _| request.method = "GET"),
        ("path", mismatch, "calculated", |request, _| request.path = "/x".into()),
        ("query", mismatch, "calculated", |request, _| request.query = "Action=DeleteUser".into()),
        ("body", mismatch, "calculated", |request, _| {
            request.body = request.body.replace("ListUsers", "ListGroups")
        }),
        ("signed header changed", mismatch, "calculated", |_, headers| {
            edit(headers, "content-type", |_| "text/plain".into())
        }),
        ("signed header repeated", mismatch, "calculated", |_, headers| {
            headers.push(("host".into(), "evil".into()))
        }),
        (
            "signed header gone",
            mismatch,
            "'host' is a 'SignedHeader' that the request does not have",
            |_, headers| headers.retain(|(name, _)| name != "host"),
        ),
        ("time changed", mismatch, "calculated", |_, headers| {
            edit(headers, "x-amz-date", |_| "20260301T120001Z".into())
        }),
        ("time gone", incomplete, "'Date' header", |_, headers| {
            headers.retain(|(name, _)| name != "x-amz-date")
        }),
        ("time repeated", incomplete, "'Date' header", |_, headers| {
            headers.push(("X-Amz-Date".into(), "20260301T120000Z".into()))
        }),
        ("time malformed", incomplete, "'Date' header", |_, headers| {
            edit(headers, "x-amz-date", |_| "2026-03-01T12:00:00Z".into())
        }),
        ("time with blanks", incomplete, "'Date' header", |_, headers| {
            edit(headers, "x-amz-date", |_| "2026 301T120000Z".into())
        }),
        (
            "x-amz header not signed",
            mismatch,
            "'x-amz-target' must be a 'SignedHeader'",
            |_, headers| headers.push(("x-amz-target".into(), "x".into())),
        ),
        ("body hash wrong", mismatch, "not the hash of the body", |_, headers| {
            headers.push(("x-amz-content-sha256".into(), "UNSIGNED-PAYLOAD".into()));
            authorization(headers, |value| {
                value.replace(";x-amz-date", ";x-amz-content-sha256;x-amz-date")
            });
        }),
        ("host not signed", mismatch, "'host' must be a 'SignedHeader'", |_, headers| {
            authorization(headers, |value| value.replace("host;", ""))
        }),
        ("signature changed", mismatch, "calculated", |_, headers| {
            authorization(headers, |value| format!("{}{}", &value[..value.len() - 1], flip(value)));
        }),
        ("signature short", incomplete, "64 hexadecimal", |_, headers| {
            authorization(headers, |value| value[..value.len() - 1].into())
        }),
        ("signature in capitals", incomplete, "64 hexadecimal", |_, headers| {
            authorization(headers, |value| {
                let (start, signature) = value.split_once("Signature=").unwrap();
                format!("{start}Signature=A{}", &signature.to_ascii_uppercase()[1..])
            });
        }),
        ("signature gone", incomplete, "requires 'Signature'", |_, headers| {
            authorization(headers, |value| value.split(", Signature").next().unwrap().into());
        }),
        ("signature twice", incomplete, "'Signature' parameter, once", |_, headers| {
            authorization(headers, |value| format!("{value}, Signature={}", "0".repeat(64)));
        }),
        ("unknown parameter", incomplete, "not known", |_, headers| {
            authorization(headers, |value| format!("{value}, X=y"))
        }),
        ("signed headers out of order", incomplete, "in order", |_, headers| {
            authorization(headers, |value| value.replace("SignedHeaders=", "SignedHeaders=zzz;"));
        }),
        ("signed headers in capitals", incomplete, "lower case", |_, headers| {
            authorization(headers, |value| value.replace("host;", "Host;"));
        }),
        ("absent header signed", mismatch, "'absent' is a 'SignedHeader' that", |_, headers| {
            authorization(headers, |value| {
                value.replace("SignedHeaders=", "SignedHeaders=absent;")
            });
        }),
        ("another algorithm", incomplete, "algorithm", |_, headers| {
            authorization(headers, |value| value.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"));
        }),
        ("Basic", incomplete, "algorithm", |_, headers| {
            authorization(headers, |_| "Basic eDp5".into())
        }),
        ("no authorization", missing, "missing Authentication Token", |_, headers| {
            headers.retain(|(name, _)| name != "authorization")
        }),
        ("two authorizations", incomplete, "More than one", |_, headers| {
            headers.push(("Authorization".into(), "Basic eDp5".into()))
        }),
        ("presigned too", incomplete, "not in both", |request, _| {
            request.query = "x-amz-signature=00".into();
        }),
        ("four elements of a credential", incomplete, "exactly 5", |_, headers| {
            authorization(headers, |value| value.replace("/aws4_request", ""));
        }),
        ("empty access key", incomplete, "exactly 5", |_, headers| {
            authorization(headers, |value| value.replace(ROOT.0, ""))
        }),
        ("another terminator", mismatch, "terminator", |_, headers| {
            authorization(headers, |value| value.replace("aws4_request", "aws5_request"));
        }),
        ("another date of scope", mismatch, "Date in Credential scope", |_, headers| {
            authorization(headers, |value| value.replace("/20260301/", "/20260302/"));
        }),
        ("another service of scope", mismatch, "correct service", |_, headers| {
            authorization(headers, |value| value.replace("/iam/", "/s3/"));
        }),
        ("unknown key", token, "security token", |_, headers| {
            authorization(headers, |value| value.replace(ROOT.0, "AKIAIOSFODNN7EXAMPLF"));
        }),
        (
            "session token not signed",
            mismatch,
            "'x-amz-security-token' must be a 'SignedHeader'",
            |_, headers| headers.push(("X-Amz-Security-Token".into(), "x".into())),
        ),
        ("two session tokens", token, "security token", |_, headers| {
            headers.extend(["x", "y"].map(|v| ("X-Amz-Security-Token".into(), v.into())))
        }),
        ("signed header folded with another", mismatch, "calculated", |_, headers| {
            edit(headers, "content-type", |value| format!("{value},{value}"))
        }),
        ("path that is another once decoded", mismatch, "calculated", |request, _| {
            request.path = "/%2e".into()
        }),
        ("body added to", mismatch, "calculated", |request, _| request.body.push('&')),
        ("body gone", mismatch, "calculated", |request, _| request.body.clear()),
        ("another region of scope", mismatch, "calculated", |_, headers| {
            authorization(headers, |value| value.replace("/us-east-1/", "/us-east-2/"));
        }),
        ("region of another partition", mismatch, "valid region", |_, headers| {
            authorization(headers, |value| value.replace("/us-east-1/", "/cn-north-1/"));
        }),
    ];
    for (name, (status, code), text, tamper) in cases {
        let refusal = sent(tamper);
        assert_eq!((refusal.0, &*refusal.1), (status, code), "{name}: {}", refusal.2);
        assert!(refusal.2.contains(text), "{name}: {}", refusal.2);
    }
}

#[test]
fn a_signature_is_good_for_a_quarter_of_an_hour() {
    for (minutes, seconds, code) in [
        (15, 0, None),
        (15, 1, Some("SignatureDoesNotMatch")),
        (-15, 0, None),
        (-15, -1, Some("SignatureDoesNotMatch")),
    ] {
        let mut client = Client::new();
        let request = Unsigned::iam("ListUsers", &[]);
        let headers = client.sign(&request);
        client.now += SignedDuration::from_secs(60 * minutes + seconds);
        let reply = client.send_signed(&request, &headers);
        assert_eq!(
            reply.texts("Code").first().map(String::as_str),
            code,
            "{minutes} min {seconds} s"
        );
        if let Some(message) = reply.texts("Message").first() {
            let expected = match minutes {
                15 => {
                    "Signature expired: 20260301T120000Z is now earlier than 20260301T120001Z (20260301T121501Z - 15 min.)"
                }
                _ => {
                    "Signature not yet current: 20260301T120000Z is still later than 20260301T115959Z (20260301T114459Z + 15 min.)"
                }
            };
            assert_eq!(message, expected);
        }
    }
}

/// An AWS SDK sets its clock by the `Date` that it sees; other clients do not.
#[test]
fn a_signature_is_good_by_either_clock() {
    let mut client = Client::new();
    let request = Unsigned::iam("ListUsers", &[]);
    let signed_by_the_machine = client.sign(&request);
    client.ahead = SignedDuration::from_hours(90 * 24);
    client.now += client.ahead;
    let signed_by_the_account = client.sign(&request);
    for headers in [signed_by_the_machine, signed_by_the_account] {
        assert_eq!(client.send_signed(&request, &headers).status, 200);
    }
    client.now += SignedDuration::from_hours(1);
    let between = client.sign(&request);
    client.now += SignedDuration::from_hours(1);
    client.ahead += SignedDuration::from_hours(2);
    let (_, code, text) = client.send_signed(&request, &between).refusal();
    assert_eq!(code, "SignatureDoesNotMatch");
    assert!(text.starts_with("Signature expired: 20260530T130000Z is now earlier"), "{text}");
}

#[test]
fn a_wrong_secret_and_an_inactive_key() {
    let mut client = Client::new();
    client.become_user("Bob");
    let key = client.key.clone();
    client.key.1 = key.1.chars().rev().collect();
    let text = "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                Access Key and signing method. Consult the service documentation for details.";
    assert_eq!(client.refused("GetUser", &[]), (403, "SignatureDoesNotMatch".into(), text.into()));
    client.become_root();
    client.done(
        "UpdateAccessKey",
        &[("UserName", "Bob"), ("AccessKeyId", &key.0), ("Status", "Inactive")],
    );
    client.key = key;
    let text = "The security token included in the request is invalid.";
    assert_eq!(client.refused("GetUser", &[]), (403, "InvalidClientTokenId".into(), text.into()));
}

#[test]
fn a_temporary_credential() {
    let mut client = Client::new();
    let request = Unsigned { token: Some("token".into()), ..Unsigned::iam("ListUsers", &[]) };
    assert_eq!(client.send(&request).refusal().1, "InvalidClientTokenId");
}

#[test]
fn regions() {
    for (service, region, good) in [
        ("iam", "us-east-1", true),
        ("iam", "eu-west-1", true),
        ("iam", "aws-global", false),
        ("sts", "us-east-1", true),
        ("sts", "eu-west-1", true),
        ("sts", "EU-WEST-1", false),
        ("sts", "eu-west-9", true),
        ("sts", "us-gov-west-1", false),
        ("s3", "us-east-1", false),
    ] {
        let mut client = Client::new();
        let request = match service {
            "sts" => Unsigned { region, ..Unsigned::sts("GetCallerIdentity", &[]) },
            _ => Unsigned { region, service, ..Unsigned::iam("ListUsers", &[]) },
        };
        let reply = client.send(&request);
        assert_eq!(reply.status == 200, good, "{service} {region}: {}", reply.body);
        if !good {
            assert_eq!(reply.refusal().1, "SignatureDoesNotMatch");
        }
    }
}

#[test]
fn the_date_header_stands_in() {
    // signed by hand: AWS's signer always sends x-amz-date
    let mut client = Client::new();
    let request = Unsigned::iam("ListUsers", &[]);
    for (date, good) in
        [("Sun, 01 Mar 2026 12:00:00 GMT", true), ("20260301T120000Z", true), ("yesterday", false)]
    {
        let headers = by_hand(&request, date);
        let reply = client.send_signed(&request, &headers);
        assert_eq!(reply.status == 200, good, "{date}: {}", reply.body);
    }
}

fn by_hand(request: &Unsigned, date: &str) -> Headers {
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::{Digest, Sha256};
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let hmac = |key: &[u8], text: &str| {
        let mut hmac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        hmac.update(text.as_bytes());
        hmac.finalize().into_bytes().to_vec()
    };
    let body_hash = hex(&Sha256::digest(&request.body));
    let canonical = format!("POST\n/\n\ndate:{date}\nhost:localhost\n\ndate;host\n{body_hash}");
    let scope = "20260301/us-east-1/iam/aws4_request";
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n20260301T120000Z\n{scope}\n{}",
        hex(&Sha256::digest(&canonical))
    );
    let start = format!("AWS4{}", ROOT.1).into_bytes();
    let key = scope.split('/').fold(start, |key, part| hmac(&key, part));
    let signature = hex(&hmac(&key, &to_sign));
    let value = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders=date;host,Signature={signature}",
        ROOT.0
    );
    let more = [("date".to_owned(), date.to_owned()), ("Authorization".to_owned(), value)];
    request.headers.iter().cloned().chain(more).collect()
}

fn edit(headers: &mut Headers, name: &str, change: impl Fn(&str) -> String) {
    let header = headers.iter_mut().find(|(header, _)| header.eq_ignore_ascii_case(name)).unwrap();
    header.1 = change(&header.1);
}

fn authorization(headers: &mut Headers, change: impl Fn(&str) -> String) {
    edit(headers, "authorization", change);
}

fn flip(value: &str) -> char {
    if value.ends_with('0') { '1' } else { '0' }
}

#[test]
fn the_clock_may_stand_anywhere() {
    let mut client = Client::new();
    let request = Unsigned::iam("ListUsers", &[]);
    let headers = client.sign(&request);
    for now in [Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH] {
        client.now = now;
        assert_eq!(client.send_signed(&request, &headers).refusal().1, "SignatureDoesNotMatch");
    }
}
