//! The verifier against AWS's own test suite of Signature Version 4.

use jiff::Timestamp;
use seskey::{Secret, SecretAccessKey};
use seskey_local::sigv4::{
    Authorization, HttpRequest, Scope, Signer, SigningKey, canonical_request, sign, string_to_sign,
    verify,
};

#[derive(serde::Deserialize)]
struct Suite {
    secret_access_key: String,
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
    canonical_request: String,
    string_to_sign: String,
}

#[test]
fn every_step_of_every_case_is_aws_own() {
    let suite: Suite =
        serde_json::from_str(include_str!("../data/sigv4-suite.json")).expect("the suite is JSON");
    assert!(suite.cases.len() > 50);
    let now: Timestamp = "2015-08-30T12:36:00Z".parse().expect("a time");
    for case in &suite.cases {
        let headers: Vec<(&str, &str)> =
            case.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let request = HttpRequest {
            method: &case.method,
            path: &case.path,
            query: &case.query,
            headers: &headers,
            body: case.body.as_bytes(),
        };
        let authorization = Authorization::of(&request).expect(&case.name);
        assert_eq!(authorization.access_key_id, "AKIDEXAMPLE");
        assert_eq!(authorization.signed_at, now);
        let (date, region, service) = ("20150830".into(), "us-east-1".into(), "service".into());
        assert_eq!(authorization.scope, Scope { date, region, service });

        let canonical = canonical_request(&request, &authorization.signed_headers);
        assert_eq!(canonical, case.canonical_request, "{}", case.name);
        let to_sign = string_to_sign("20150830T123600Z", &authorization.scope, &canonical);
        assert_eq!(to_sign, case.string_to_sign, "{}", case.name);
        let signature = sign(&suite.secret_access_key, &authorization.scope, &to_sign);
        assert_eq!(signature, authorization.signature, "{}", case.name);

        let token = authorization.session_token.as_ref().map(Secret::expose);
        assert_eq!(token.is_some(), case.canonical_request.to_lowercase().contains("-token"));
        let key_of = |_: &str| {
            let secret = SecretAccessKey::parse(&suite.secret_access_key).ok()?;
            Some(SigningKey { secret, session_token: authorization.session_token.clone() })
        };
        let Authorization { access_key_id, scope, .. } = authorization.clone();
        assert_eq!(
            verify(&request, |_| Ok(()), key_of, [now; 2]),
            Ok(Signer { access_key_id, scope }),
            "{}",
            case.name
        );
    }
}
