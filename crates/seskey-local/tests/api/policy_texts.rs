//! IAM's errors for malformed policies, and the policies that it stores.
//!
//! Source of `data/policies.json`: the cases that moto's tests have from AWS (`tests/test_iam/test_iam_policies.py`),
//! with documents of ours. The cases of a `Sid` and of a `Principal` are from public reports.

use serde::Deserialize;
use serde_json::Value;

use crate::iam_client::Client;

#[derive(Deserialize)]
struct Case {
    document: Value,
    /// The error; `None` if the policy is stored.
    text: Option<String>,
}

#[test]
fn managed_policies_are_refused_in_the_words_of_iam() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../data/policies.json")).unwrap();
    let mut iam = Client::new();
    for Case { document, text } in &cases {
        let document = document.as_str().map_or_else(|| document.to_string(), str::to_owned);
        let policy = [("PolicyName", "p"), ("PolicyDocument", &*document)];
        match text {
            Some(text) => {
                let malformed = (400, "MalformedPolicyDocument".into(), text.clone());
                assert_eq!(iam.refused("CreatePolicy", &policy), malformed, "{document}");
            }
            None => {
                let made = iam.done("CreatePolicy", &policy);
                iam.done("DeletePolicy", &[("PolicyArn", &made.text("Arn"))]);
            }
        }
    }
}

/// An inline policy may be of the older version of the language, or name no version.
#[test]
fn inline_policies_need_no_version() {
    let mut iam = Client::new();
    iam.done("CreateUser", &[("UserName", "Bob")]);
    for document in [
        r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#,
        r#"{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#,
    ] {
        let policy = [("UserName", "Bob"), ("PolicyName", "p"), ("PolicyDocument", document)];
        iam.done("PutUserPolicy", &policy);
    }
}
