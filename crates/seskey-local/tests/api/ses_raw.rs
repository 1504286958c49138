//! Raw messages through both versions of the SES sending API: their line ends, their senders, and the other parameters.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::iam_client::{Client, Unsigned};

/// A raw message like AWS's own examples: each line ends in LF.
const LF: &str = "From: news@example.com\nTo: bob@example.org\nSubject: hi\n\nhello\n";

/// Sends a raw message, and returns the text of the refusal, which is empty if the message was accepted.
fn v1(client: &mut Client, message: &str, parameters: &[(&str, &str)]) -> String {
    let data = BASE64_STANDARD.encode(message);
    let parameters: Vec<_> =
        [("RawMessage.Data", &*data)].iter().chain(parameters).copied().collect();
    let reply = client.send(&Unsigned::ses("SendRawEmail", &parameters));
    if reply.status == 200 { String::new() } else { reply.text("Message") }
}

fn v2(client: &mut Client, message: &str, mut parameters: Value) -> String {
    parameters["Content"] = json!({"Raw": {"Data": BASE64_STANDARD.encode(message)}});
    let request = Unsigned::ses_v2("POST", "/v2/email/outbound-emails", &parameters.to_string());
    let reply = client.send(&request);
    let answer: Value = serde_json::from_str(&reply.body).unwrap();
    answer["message"].as_str().unwrap_or_default().to_owned()
}

/// Returns the accepted messages.
fn raw_data(client: &Client) -> Vec<String> {
    let raw = client.mailbox.iter().map(|message| message.raw_data.clone());
    raw.map(|raw| String::from_utf8(raw).unwrap()).collect()
}

#[test]
fn lines_may_end_in_lf() {
    let mut client = Client::new();
    for message in [LF, &LF.replace("\nTo", "\r\nTo"), &LF.replace('\n', "\r\n")] {
        assert_eq!(v1(&mut client, message, &[]), "");
        assert_eq!(v2(&mut client, message, json!({})), "");
    }
    for raw in raw_data(&client) {
        assert!(raw.ends_with("\r\nSubject: hi\r\n\r\nhello\r\n"), "{raw:?}");
    }
    let hidden = "From: news@example.com\nTo: bob@example.org\nX: a\rFrom: b@example.net\n\n";
    assert_eq!(v1(&mut client, hidden, &[]), "Malformed header.");
}

#[test]
fn a_source_is_the_author_of_a_message_without_one() {
    let message = "To: bob@example.org\r\nSubject: hi\r\n\r\nhello\r\n";
    let mut client = Client::new();
    let missing = "Missing required header 'From'.";
    assert_eq!(v1(&mut client, message, &[]), missing);
    assert_eq!(v2(&mut client, message, json!({})), missing);
    let source = "News <news@example.com>";
    assert_eq!(v1(&mut client, message, &[("Source", source)]), "");
    assert_eq!(v2(&mut client, message, json!({"FromEmailAddress": source})), "");
    assert_eq!(v1(&mut client, LF, &[("Source", "other@example.com")]), "");
    let authors =
        ["\"News\" <news@example.com>", "\"News\" <news@example.com>", "news@example.com"];
    assert_eq!(client.mailbox.len(), authors.len());
    for (raw, author) in raw_data(&client).into_iter().zip(authors) {
        assert!(raw.contains(&format!("\r\nFrom: {author}\r\nTo: ")), "{raw}");
    }
    client.send(&Unsigned::ses("VerifyDomainIdentity", &[("Domain", "example.net")]));
    let unverified = v1(&mut client, message, &[("Source", source)]);
    assert!(unverified.ends_with(": News <news@example.com>, news@example.com"), "{unverified}");
}

#[test]
fn whom_the_header_names_must_be_verified() {
    let mut client = Client::new();
    client.send(&Unsigned::ses("VerifyDomainIdentity", &[("Domain", "example.com")]));
    for (fields, expected) in [
        ("Sender: boss@example.net", "boss@example.net"),
        ("Return-Path: <bounces@example.net>", "bounces@example.net"),
        ("Sender: boss@example.com\nReturn-Path: bounces@example.com", ""),
    ] {
        let message = LF.replace("Subject: hi", fields);
        for refusal in [v1(&mut client, &message, &[]), v2(&mut client, &message, json!({}))] {
            assert_eq!(refusal.rsplit(": ").next().unwrap(), expected, "{fields}: {refusal}");
        }
    }
    // the parameter takes precedence over the field
    let message = LF.replace("Subject: hi", "Return-Path: bounces@example.net");
    let bounces = |address: &str| json!({"FeedbackForwardingEmailAddress": address});
    assert_eq!(v2(&mut client, &message, bounces("bounces@example.com")), "");
}

#[test]
fn a_policy_sees_where_bounces_go_to() {
    let mut client = Client::new();
    client.done("CreateUser", &[("UserName", "Bob")]);
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "ses:SendRawEmail", "Resource": "*",
        "Condition": {"StringEquals": {"ses:FeedbackAddress": "bounces@example.com"}},
    }]});
    let put = [("UserName", "Bob"), ("PolicyName", "p"), ("PolicyDocument", &*policy.to_string())];
    client.done("PutUserPolicy", &put);
    let key = client.done("CreateAccessKey", &[("UserName", "Bob")]);
    client.key = (key.text("AccessKeyId"), key.text("SecretAccessKey"));
    let with = |address: &str| LF.replace("Subject: hi", &format!("Return-Path: <{address}>"));
    for (message, source, is_allowed) in [
        (with("bounces@example.com"), "news@example.com", true),
        (with("other@example.com"), "bounces@example.com", false),
        (with("bounces@example.com>, <other@example.com"), "news@example.com", false),
        (with("other@example.com>, <bounces@example.com"), "news@example.com", false),
        (LF.to_owned(), "bounces@example.com", true),
        (LF.to_owned(), "news@example.com", false),
    ] {
        let refusal = v1(&mut client, &message, &[("Source", source)]);
        assert_eq!(refusal.is_empty(), is_allowed, "{message} {source}: {refusal}");
    }
    let bounces = json!({"FeedbackForwardingEmailAddress": "bounces@example.com"});
    assert_eq!(v2(&mut client, &with("other@example.com"), bounces), "");
}

/// Recorded from AWS by LocalStack's authors (`test_invalid_tags_send_email`).
#[test]
fn tags() {
    let (long, mut client) = ("a".repeat(256), Client::new());
    let name = |name: &str| {
        format!(
            "Invalid tag name <{name}>: only alphanumeric ASCII characters, '_',  '-' are allowed."
        )
    };
    for (tag, value, expected) in [
        ("a:1", "b", name("a:1")),
        ("a:1", "b:1", name("a:1")),
        ("a@1", "b@1", name("a@1")),
        (
            "a",
            "b:1",
            "Invalid tag value <b:1>: only alphanumeric ASCII characters, '_',  '-' , '.', '@' are allowed.".into(),
        ),
        (&long, "b", "Tag name cannot exceed 255 characters.".into()),
        ("a", &long, "Tag value cannot exceed 255 characters.".into()),
        ("", "", "The tag name must be specified.".into()),
        ("", "b", "The tag name must be specified.".into()),
        ("a", "", "The tag value must be specified.".into()),
        ("ses:feedback-id-a", "b", String::new()),
    ] {
        let parameters = [("Tags.member.1.Name", tag), ("Tags.member.1.Value", value)];
        assert_eq!(v1(&mut client, LF, &parameters), expected);
        let tags = json!({"EmailTags": [{"Name": tag, "Value": value}]});
        assert_eq!(v2(&mut client, LF, tags), expected);
    }
    assert_eq!(client.mailbox.len(), 2);
    for raw in raw_data(&client) {
        assert!(raw.contains("\r\nFeedback-ID: b::1.us-east-1."), "{raw}");
    }
}

/// SES shows the texts of JavaMail; see `src/address/list.rs`.
#[test]
fn addresses_of_parameters() {
    let mut client = Client::new();
    for (address, expected) in [
        ("bob@example.org", ""),
        ("Bob <bob@example.org>", ""),
        ("Bøb <bob@example.org>", ""),
        ("bob", "Missing final '@domain'"),
        ("bob@", "Missing domain"),
        ("bob smith@example.org", "Local address contains control or whitespace"),
        ("bøb@example.org", "Local address contains control or whitespace"),
        ("bob@exämple.org", "Domain contains control or whitespace"),
        ("To: bob@example.org", "Local address contains illegal character"),
        ("a@example.org, b@example.org", "Invalid email address a@example.org, b@example.org."),
        ("\"a\r\nb\"@example.org", "Invalid email address \"a\r\nb\"@example.org."),
    ] {
        let destination = [("Destinations.member.1", address)];
        assert_eq!(v1(&mut client, LF, &destination), expected, "{address}");
        let destination = json!({"Destination": {"ToAddresses": [address]}});
        assert_eq!(v2(&mut client, LF, destination), expected, "{address}");
    }
}

#[test]
fn a_domain_is_no_address_and_does_not_end_in_a_dot() {
    let mut client = Client::new();
    for domain in ["example.com.", "example", "ann@example.com", "exa mple.com"] {
        let reply = client.send(&Unsigned::ses("VerifyDomainIdentity", &[("Domain", domain)]));
        let expected =
            (400, "InvalidParameterValue".into(), format!("Invalid domain name {domain}."));
        assert_eq!(reply.refusal(), expected);
    }
}
