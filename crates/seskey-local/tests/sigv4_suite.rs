//! The verifier against AWS's own test suite of Signature Version 4.

use seskey_local::sigv4::{Authorization, Scope, Signed, canonical_request, sign, string_to_sign};

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
        serde_json::from_str(include_str!("data/sigv4-suite.json")).expect("the suite is JSON");
    assert!(suite.cases.len() > 20);
    for case in &suite.cases {
        let headers: Vec<(&str, &str)> =
            case.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let request = Signed {
            method: &case.method,
            path: &case.path,
            query: &case.query,
            headers: &headers,
            body: case.body.as_bytes(),
        };
        let authorization = Authorization::of(&request).expect(&case.name);
        assert_eq!(authorization.access_key_id, "AKIDEXAMPLE");
        let (date, region, service) = ("20150830".into(), "us-east-1".into(), "service".into());
        assert_eq!(authorization.scope, Scope { date, region, service });

        let canonical = canonical_request(&request, &authorization.signed_headers);
        assert_eq!(canonical, case.canonical_request, "{}", case.name);
        let to_sign = string_to_sign("20150830T123600Z", &authorization.scope, &canonical);
        assert_eq!(to_sign, case.string_to_sign, "{}", case.name);
        let signature = sign(&suite.secret_access_key, &authorization.scope, &to_sign);
        assert_eq!(signature, authorization.signature, "{}", case.name);
    }
}
