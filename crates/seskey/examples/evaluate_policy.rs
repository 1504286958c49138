//! Checks whether a policy lets a user send a message, and which statement decides.

#![allow(clippy::print_stdout, reason = "an example")]

use std::error::Error;

use seskey::policy::{Context, Decision, Policy, PolicySource, Request, evaluate};

fn main() -> Result<(), Box<dyn Error>> {
    let source = PolicySource::Inline { name: "AmazonSesSendingAccess".to_owned() };
    let policy: Policy = r#"{
        "Version": "2012-10-17",
        "Statement": {
            "Sid": "OnlyOurs",
            "Effect": "Allow",
            "Action": "ses:SendRawEmail",
            "Resource": "*",
            "Condition": {"StringLike": {"ses:FromAddress": "*@example.com"}}
        }
    }"#
    .parse()?;
    for from in ["news@example.com", "news@example.org"] {
        let context = Context::new().with("ses:FromAddress", [from]);
        let request = Request {
            action: "ses:SendRawEmail",
            resource: "arn:aws:ses:us-east-1:123456789012:identity/example.com",
            context: &context,
        };
        match evaluate([(&source, &policy)], &request) {
            Decision::Allowed { by } => println!("{from}: allowed by {:?}", by.sid),
            denied => println!("{from}: {denied:?}"),
        }
    }
    Ok(())
}
