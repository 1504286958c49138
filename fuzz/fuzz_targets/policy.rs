//! A policy document that is read means the same in any JSON encoding and in any order, and the decisions over it
//! follow the logic of policy evaluation.

#![no_main]

use std::mem::discriminant;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use seskey::policy::{Context, Decision, Policy, PolicySource, Request, evaluate};

const DOCUMENTS: [&str; 2] = [
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#,
];

fuzz_target!(|document: &str| {
    let policy = match Policy::parse(document) {
        Ok(policy) => policy,
        Err(malformed) => {
            assert!(malformed.to_string().len() <= 200 + 4 * document.len());
            return;
        }
    };
    let json: Value = serde_json::from_str(document).expect("a policy is JSON");
    let written = in_ascii(&json.to_string());
    let written = Policy::parse(&written).unwrap_or_else(|fault| panic!("{fault}: {written}"));
    let reversed = in_ascii(&reversed(json).to_string());
    let reversed = Policy::parse(&reversed).unwrap_or_else(|fault| panic!("{fault}: {reversed}"));
    let [all, nothing] = DOCUMENTS.map(|text| Policy::parse(text).expect("it is a policy"));
    let inline = PolicySource::Inline { name: "p".into() };
    let boundary = PolicySource::Boundary { arn: "arn:aws:iam::aws:policy/b".into() };

    let context = context();
    for (action, resource) in REQUESTS {
        for context in [&context, &Context::new()] {
            let request = Request { action, resource, context };
            let decision = evaluate([(&inline, &policy)], &request);
            assert_eq!(evaluate([(&inline, &written)], &request), decision);
            let backwards = evaluate([(&inline, &reversed)], &request);
            assert_eq!(discriminant(&backwards), discriminant(&decision));
            assert!(!decision.is_allowed() || policy.may_allow(action));

            let denied = matches!(decision, Decision::ExplicitDeny { .. });
            let together = evaluate([(&inline, &all), (&inline, &policy)], &request);
            assert_eq!(together.is_allowed(), !denied, "what is not denied can be allowed");
            let bounded = evaluate([(&inline, &all), (&boundary, &policy)], &request);
            assert_eq!(
                bounded.is_allowed(),
                decision.is_allowed(),
                "a boundary lets its allows through"
            );
            let alone = evaluate([(&boundary, &policy)], &request);
            assert!(!alone.is_allowed(), "a boundary grants nothing");
            let under_deny = evaluate([(&inline, &policy), (&inline, &nothing)], &request);
            assert!(matches!(under_deny, Decision::ExplicitDeny { .. }));
        }
    }
});

const REQUESTS: [(&str, &str); 3] = [
    ("ses:SendRawEmail", "arn:aws:ses:eu-west-1:111122223333:identity/example.com"),
    ("iam:CreateUser", "arn:aws:iam::111122223333:user/app/jane"),
    ("s3:ListAllMyBuckets", "*"),
];

fn context() -> Context {
    [
        ("aws:username", vec!["jane"]),
        ("aws:userid", vec!["AIDACKCEVSQ6C2EXAMPLE"]),
        ("aws:SourceIp", vec!["192.0.2.7"]),
        ("aws:SecureTransport", vec!["true"]),
        ("aws:CurrentTime", vec!["2026-01-31T12:00:00Z"]),
        ("aws:EpochTime", vec!["1769860800"]),
        ("aws:MultiFactorAuthAge", vec!["10"]),
        ("aws:PrincipalArn", vec!["arn:aws:iam::111122223333:user/app/jane"]),
        ("ses:FromAddress", vec!["news@example.com"]),
        ("ses:Recipients", vec!["a@example.com", "b@example.org"]),
        ("aws:TagKeys", vec!["${aws:username}", "*"]),
        ("k", vec!["QUJD"]),
    ]
    .into_iter()
    .collect()
}

/// Escapes the characters outside ASCII in JSON: unescaped ones would have to be of Latin-1, escaped ones need not.
fn in_ascii(json: &str) -> String {
    let escaped = |c: char| match c {
        '\0'..='\x7f' => c.to_string(),
        c => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    };
    json.chars().map(escaped).collect()
}

/// Returns JSON with its lists and objects in reverse order.
fn reversed(json: Value) -> Value {
    match json {
        Value::Array(items) => items.into_iter().rev().map(reversed).collect(),
        Value::Object(elements) => Value::Object(
            elements.into_iter().rev().map(|(name, json)| (name, reversed(json))).collect(),
        ),
        scalar => scalar,
    }
}
