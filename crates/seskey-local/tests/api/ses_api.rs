//! The SES sending API over the wire format, both versions: identities, messages, every refusal.

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::SignedDuration;
use serde_json::{Value, json};
use seskey::Region;
use seskey_local::{
    account::{Account, Identity},
    sending::{Quota, Settings},
};

use crate::iam_client::{Client, Reply, Unsigned};

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ses:SendEmail","Resource":"arn:aws:ses:us-east-1:111122223333:identity/example.com"}]}"#;

const RAW: &str = "From: News <news@example.com>\r\nTo: bob@example.org\r\nBcc: eve@example.org\r\nSubject: hi\r\n\r\nhello\r\n";

fn raw_of(client: &Client, number: usize) -> &str {
    str::from_utf8(&client.mailbox[number].raw_data).unwrap()
}

fn v1(client: &mut Client, action: &str, parameters: &[(&str, &str)]) -> Reply {
    client.send(&Unsigned::ses(action, parameters))
}

fn v2(client: &mut Client, method: &'static str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let reply = client.send(&Unsigned::ses_v2(method, path, &body));
    let mut answer: Value = serde_json::from_str(&reply.body).unwrap();
    if let Some(error_type) = reply.error_type {
        answer["type"] = error_type.into();
    }
    (reply.status, answer)
}

#[test]
fn identities_of_version_1() {
    let mut client = Client::new();
    for (action, name, identity) in [
        ("VerifyEmailIdentity", "EmailAddress", "Ann@Example.com"),
        ("VerifyEmailAddress", "EmailAddress", "bob@example.com"),
        ("VerifyDomainIdentity", "Domain", "Example.com"),
        ("VerifyDomainIdentity", "Domain", "example.com"),
    ] {
        assert_eq!(v1(&mut client, action, &[(name, identity)]).status, 200, "{action}");
    }
    let mut list = |parameters: &[(&str, &str)]| {
        let reply = v1(&mut client, "ListIdentities", parameters);
        (reply.texts("member"), reply.texts("NextToken").pop())
    };
    assert_eq!(list(&[]).0, ["Ann@example.com", "bob@example.com", "example.com"]);
    assert_eq!(list(&[("IdentityType", "Domain")]).0, ["example.com"]);
    let (first, token) = list(&[("MaxItems", "2")]);
    let (second, end) = list(&[("MaxItems", "2"), ("NextToken", &token.unwrap())]);
    assert_eq!((first.len(), second, end), (2, vec!["example.com".to_owned()], None));

    let asked = [("Identities.member.1", "example.com"), ("Identities.member.2", "example.net")];
    let reply = v1(&mut client, "GetIdentityVerificationAttributes", &asked);
    assert_eq!(
        (reply.texts("key"), reply.texts("VerificationStatus")),
        (vec!["example.com".into()], vec!["Success".into()])
    );

    for identity in ["example.com", "nobody@example.com"] {
        assert_eq!(v1(&mut client, "DeleteIdentity", &[("Identity", identity)]).status, 200);
    }
    let addresses = v1(&mut client, "ListVerifiedEmailAddresses", &[]).texts("member");
    assert_eq!(addresses, ["Ann@example.com", "bob@example.com"]);
    let elsewhere = Unsigned { region: "eu-west-1", ..Unsigned::ses("ListIdentities", &[]) };
    assert!(client.send(&elsewhere).texts("member").is_empty(), "a region has its own identities");
}

#[test]
fn policies_of_version_1() {
    let mut client = Client::new();
    let arn = "arn:aws:ses:us-east-1:111122223333:identity/example.com";
    let put = [("Identity", "example.com"), ("PolicyName", "p"), ("Policy", POLICY)];
    let missing =
        (400, "InvalidParameterValue".into(), "Identity example.com does not exist.".into());
    assert_eq!(v1(&mut client, "PutIdentityPolicy", &put).refusal(), missing);
    v1(&mut client, "VerifyDomainIdentity", &[("Domain", "example.com")]);
    for (policy, code) in [("{}", "InvalidPolicy"), (&" ".repeat(5000), "InvalidPolicy")] {
        let put = [("Identity", arn), ("PolicyName", "p"), ("Policy", policy)];
        assert_eq!(v1(&mut client, "PutIdentityPolicy", &put).refusal().1, code);
    }
    let put = |name| [("Identity", arn), ("PolicyName", name), ("Policy", POLICY)];
    assert_eq!(
        v1(&mut client, "PutIdentityPolicy", &put("p q")).refusal().1,
        "InvalidParameterValue"
    );
    assert_eq!(v1(&mut client, "PutIdentityPolicy", &put("p")).status, 200);
    let names = v1(&mut client, "ListIdentityPolicies", &[("Identity", arn)]).texts("member");
    assert_eq!(names, ["p"]);
    let get = [("Identity", arn), ("PolicyNames.member.1", "p"), ("PolicyNames.member.2", "q")];
    let reply = v1(&mut client, "GetIdentityPolicies", &get);
    assert_eq!((reply.texts("key"), reply.text("value")), (vec!["p".into()], POLICY.into()));

    // a restored account is the same
    client.account.record_changes();
    client.account = Account::restore(client.account.take_changes()).unwrap();
    assert_eq!(v1(&mut client, "GetIdentityPolicies", &get).text("value"), POLICY);
    v1(&mut client, "DeleteIdentityPolicy", &put("p")[..2]);
    assert!(
        v1(&mut client, "ListIdentityPolicies", &[("Identity", arn)]).texts("member").is_empty()
    );
}

#[test]
fn identities_have_a_bound() {
    let mut client = Client::new();
    let region = Region::parse("us-east-1").unwrap();
    for n in 0..10_000 {
        let identity = Identity::parse(&format!("d{n}.example.com")).unwrap();
        client.account.create_identity(&region, &identity).unwrap();
    }
    let one = v1(&mut client, "VerifyDomainIdentity", &[("Domain", "one-more.example.com")]);
    let text = "There are too many identities.".to_owned();
    assert_eq!(one.refusal(), (400, "LimitExceeded".into(), text));
    let create = json!({"EmailIdentity": "one-more.example.com"});
    let (status, answer) = v2(&mut client, "POST", "/v2/email/identities", &create);
    assert_eq!((status, &answer["type"]), (400, &json!("LimitExceededException")));
}

#[test]
fn identities_of_version_2() {
    let mut client = Client::new();
    let create = json!({"EmailIdentity": "Example.com", "Tags": []});
    let identities = "/v2/email/identities";
    let (status, answer) = v2(&mut client, "POST", identities, &create);
    assert_eq!((status, &answer["IdentityType"]), (200, &json!("DOMAIN")));
    assert_eq!(answer["VerifiedForSendingStatus"], json!(true));
    v2(&mut client, "POST", identities, &json!({"EmailIdentity": "ann@example.com"}));

    let address = "/v2/email/identities/ann%40example.com";
    let policy = &format!("{address}/policies/p");
    let document = json!({"Policy": POLICY});
    for (method, path, body, expected) in [
        ("POST", identities, &create, (400, "AlreadyExistsException")),
        ("POST", identities, &json!({"EmailIdentity": "no"}), (400, "BadRequestException")),
        ("POST", identities, &json!({}), (400, "SerializationException")),
        ("GET", address, &Value::Null, (200, "")),
        ("GET", "/v2/email/identities/example.net", &Value::Null, (404, "NotFoundException")),
        ("PUT", policy, &document, (200, "")),
        ("POST", policy, &document, (200, "")),
        ("POST", policy, &document, (400, "AlreadyExistsException")),
        ("PUT", policy, &document, (200, "")),
        ("PUT", policy, &json!({"Policy": "{}"}), (400, "BadRequestException")),
        ("GET", &format!("{address}/policies"), &Value::Null, (200, "")),
        ("DELETE", policy, &Value::Null, (200, "")),
        ("DELETE", policy, &Value::Null, (200, "")),
        ("PATCH", address, &Value::Null, (404, "UnknownOperationException")),
        ("GET", "/v2/email/tenants", &Value::Null, (404, "UnknownOperationException")),
    ] {
        let (status, answer) = v2(&mut client, method, path, body);
        let error_type = answer["type"].as_str().unwrap_or_default();
        assert_eq!((status, error_type), expected, "{method} {path} {body}: {answer}");
        if path.ends_with("/policies") {
            assert_eq!(answer, json!({"Policies": {"p": POLICY}}));
        }
    }
    let (_, list) = v2(&mut client, "GET", &format!("{identities}?PageSize=1"), &Value::Null);
    assert_eq!(list["EmailIdentities"][0]["IdentityName"], "ann@example.com");
    let by_post = |client: &mut Client, filter: Value| {
        let body = json!({"PageSize": 10, "Filter": filter});
        let (_, list) = v2(client, "POST", "/v2/email/list-identities", &body);
        let listed = list["EmailIdentities"].as_array().expect("a list").clone();
        listed.iter().map(|it| it["IdentityName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for (filter, expected) in [
        (json!({}), &["ann@example.com", "example.com"][..]),
        (json!({"IDENTITY_TYPE": "DOMAIN"}), &["example.com"]),
        (json!({"IDENTITY_NAME_CONTAINS": "ann"}), &["ann@example.com"]),
        (json!({"VERIFICATION_STATUS": "PENDING"}), &[]),
    ] {
        assert_eq!(by_post(&mut client, filter.clone()), expected, "{filter}");
    }
    let next = format!("{identities}?NextToken={}", list["NextToken"].as_str().unwrap());
    let (_, list) = v2(&mut client, "GET", &next, &Value::Null);
    assert_eq!(
        (list["EmailIdentities"].as_array().unwrap().len(), &list["NextToken"]),
        (1, &Value::Null)
    );
    assert_eq!(v2(&mut client, "DELETE", address, &Value::Null).0, 200);
    assert_eq!(v2(&mut client, "DELETE", address, &Value::Null).0, 404);
}

#[test]
fn a_message_that_ses_composes() {
    let mut client = Client::new();
    let parameters = [
        ("Source", "\"News, Daily\" <news@example.com>"),
        ("Destination.ToAddresses.member.1", "bob@example.org"),
        ("Destination.BccAddresses.member.1", "Eve <eve@example.org>"),
        ("ReplyToAddresses.member.1", "reply@example.com"),
        ("ReturnPath", "bounces@example.com"),
        ("Message.Subject.Data", "Grüße"),
        ("Message.Body.Text.Data", "text"),
        ("Message.Body.Html.Data", "<p>html</p>"),
        ("Tags.member.1.Name", "kind"),
        ("Tags.member.1.Value", "test"),
    ];
    let id = v1(&mut client, "SendEmail", &parameters).text("MessageId");
    let simple = json!({
        "FromEmailAddress": "\"News, Daily\" <news@example.com>",
        "Destination": {"ToAddresses": ["bob@example.org"], "BccAddresses": ["eve@example.org"]},
        "ReplyToAddresses": ["reply@example.com"],
        "Content": {"Simple": {
            "Subject": {"Data": "Grüße", "Charset": "UTF-8"},
            "Body": {"Text": {"Data": "text"}, "Html": {"Data": "<p>html</p>"}},
            "Headers": [{"Name": "List-Unsubscribe", "Value": "<https://example.com/u>"}],
        }},
    });
    let (status, answer) = v2(&mut client, "POST", "/v2/email/outbound-emails", &simple);
    assert_eq!(status, 200, "{answer}");
    for (message, id) in client.mailbox.iter().zip([&*id, answer["MessageId"].as_str().unwrap()]) {
        let shown = serde_json::to_value(message).unwrap();
        let mut keys: Vec<&String> = shown.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(
            keys,
            ["Body", "Destination", "Id", "RawData", "Region", "Source", "Subject", "Timestamp"]
        );
        assert_eq!((&shown["Id"], &shown["Source"]), (&json!(id), &json!("news@example.com")));
        assert_eq!(shown["Subject"], "Grüße");
        assert_eq!(shown["Body"], json!({"html_part": "<p>html</p>", "text_part": "text"}));
        let destination = json!({"ToAddresses": ["bob@example.org"], "CcAddresses": [], "BccAddresses": ["eve@example.org"]});
        assert_eq!(shown["Destination"], destination);
        let raw = str::from_utf8(&message.raw_data).unwrap();
        assert!(raw.contains("From: \"News, Daily\" <news@example.com>\r\n"), "{raw}");
        assert!(raw.contains("Reply-To: reply@example.com\r\n") && !raw.contains("eve@"), "{raw}");
        assert!(raw.contains("multipart/alternative"), "{raw}");
    }
    assert!(raw_of(&client, 1).contains("List-Unsubscribe: <https://example.com/u>\r\n"));
}

#[test]
fn a_raw_message() {
    let data = BASE64_STANDARD.encode(RAW);
    let mut client = Client::new();
    let listed: &[(&str, &str)] = &[("RawMessage.Data", &data)];
    let given = &[
        &listed[0],
        &("Source", "other@example.com"),
        &("Destinations.member.1", "x@example.org"),
    ];
    v1(&mut client, "SendRawEmail", listed);
    v1(&mut client, "SendRawEmail", &given.map(|&pair| pair));
    let raw = json!({"Content": {"Raw": {"Data": data}}});
    assert_eq!(v2(&mut client, "POST", "/v2/email/outbound-emails", &raw).0, 200);
    let sent: Vec<(String, Value)> = client
        .mailbox
        .iter()
        .map(|message| {
            (message.source.clone(), serde_json::to_value(&message.destination).unwrap())
        })
        .collect();
    let of_header = json!({"ToAddresses": ["bob@example.org"], "CcAddresses": [], "BccAddresses": ["eve@example.org"]});
    let of_parameters =
        json!({"ToAddresses": [], "CcAddresses": [], "BccAddresses": ["x@example.org"]});
    assert_eq!(
        sent,
        [
            ("news@example.com".into(), of_header.clone()),
            ("other@example.com".into(), of_parameters),
            ("news@example.com".into(), of_header),
        ]
    );
    let shown = serde_json::to_value(&client.mailbox[0]).unwrap();
    assert_eq!((shown.get("Subject"), shown.get("Body")), (None, None));
    assert!(!raw_of(&client, 0).contains("eve@"));
}

/// Both versions refuse the same requests, each with its own code.
#[test]
fn refusals() {
    let many: String = (0..51).map(|n| format!("a{n}@example.org,")).collect();
    let with = |field: &str| RAW.replace("Subject: hi", field);
    let rejected = |v1, v2, text| {
        ((400, v1), (if v2 == "TooManyRequestsException" { 429 } else { 400 }, v2), text)
    };
    let invalid = |text| rejected("InvalidParameterValue", "BadRequestException", text);
    let unverified = "Email address is not verified. The following identities failed the check in region US-EAST-1: ";
    let parts = format!(
        "Content-Type: multipart/mixed; boundary=x\r\n\r\n{}--x--\r\n",
        "--x\r\n\r\na\r\n".repeat(500)
    );
    type Prepare = fn(&mut Client);
    let none: Prepare = |_| {};
    let cases: Vec<(String, Prepare, _)> = vec![
        (with("Subject: a\r\nSubject: b"), none, invalid("Duplicate header 'Subject'.".to_owned())),
        (with("X: a\rb"), none, invalid("Malformed header.".to_owned())),
        (RAW.replace("From: News <news@example.com>\r\n", ""), none, invalid("Missing required header 'From'.".into())),
        (RAW.replace("news@example.com", "news@"), none, invalid("Missing domain".into())),
        (with(&format!("Cc: {many}")), none, invalid("Recipient count exceeds 50.".to_owned())),
        ("From: news@example.com\r\n\r\n".into(), none, invalid("Missing required header 'To'.".into())),
        (with("X-SES-SOURCE-ARN: arn:aws:sns:x"), none, invalid("Invalid identity ARN: 'arn:aws:sns:x'.".into())),
        (with(&parts), none, invalid("Message has more than 500 MIME parts.".into())),
        (
            RAW.into(),
            |client| drop(v1(client, "VerifyDomainIdentity", &[("Domain", "example.net")])),
            rejected("MessageRejected", "MessageRejected", format!("{unverified}News <news@example.com>, news@example.com")),
        ),
        (
            RAW.into(),
            |client| {
                v1(client, "VerifyDomainIdentity", &[("Domain", "example.com")]);
                client.settings.sandbox = true;
            },
            rejected("MessageRejected", "MessageRejected", format!("{unverified}bob@example.org, eve@example.org")),
        ),
        (
            RAW.into(),
            |client| drop(v1(client, "UpdateAccountSendingEnabled", &[("Enabled", "false")])),
            rejected(
                "AccountSendingPausedException",
                "SendingPausedException",
                "Sending paused for this account. For more information, please check the inbox of the email address \
                 associated with your AWS account.".to_owned(),
            ),
        ),
        (
            RAW.into(),
            |client| client.settings.quota.max_24_hour_send = Some(1),
            rejected("Throttling", "TooManyRequestsException", "Daily message quota exceeded".to_owned()),
        ),
        (
            RAW.into(),
            |client| client.settings.quota.max_send_rate = Some(0),
            rejected("Throttling", "TooManyRequestsException", "Maximum sending rate exceeded".to_owned()),
        ),
    ];
    for (message, prepare, ((status_1, code_1), (status_2, code_2), text)) in cases {
        let mut client = Client::new();
        prepare(&mut client);
        let data = BASE64_STANDARD.encode(&message);
        let reply = v1(&mut client, "SendRawEmail", &[("RawMessage.Data", &data)]);
        assert_eq!(reply.refusal(), (status_1, code_1.to_owned(), text.clone()), "{message}");
        let raw = json!({"Content": {"Raw": {"Data": data}}});
        let answer = v2(&mut client, "POST", "/v2/email/outbound-emails", &raw);
        assert_eq!(answer, (status_2, json!({"message": text, "type": code_2})), "{message}");
        assert!(client.mailbox.is_empty());
    }
}

#[test]
fn what_one_version_refuses() {
    let mut client = Client::new();
    let source = ("Source", "news@example.com");
    let to = ("Destination.ToAddresses.member.1", "bob@example.org");
    let subject = ("Message.Subject.Data", "hi");
    let text = ("Message.Body.Text.Data", "hello");
    for (action, parameters, code) in [
        ("SendRawEmail", vec![], "ValidationError"),
        ("SendRawEmail", vec![("RawMessage.Data", "*")], "InvalidParameterValue"),
        ("SendEmail", vec![to, subject, text], "ValidationError"),
        ("SendEmail", vec![source, to, text], "ValidationError"),
        ("SendEmail", vec![source, to, subject], "InvalidParameterValue"),
        ("SendEmail", vec![source, subject, text], "InvalidParameterValue"),
        (
            "SendEmail",
            vec![source, to, ("Message.Subject.Data", "a\r\nBcc: b@c.d"), text],
            "InvalidParameterValue",
        ),
        (
            "SendEmail",
            vec![("Source", "a@b.c\r\nBcc: d@e.f"), to, subject, text],
            "InvalidParameterValue",
        ),
        (
            "SendEmail",
            vec![source, to, subject, text, ("ConfigurationSetName", "a\r\nb")],
            "InvalidParameterValue",
        ),
        (
            "SendEmail",
            vec![
                source,
                to,
                subject,
                text,
                ("Tags.member.1.Name", "a b"),
                ("Tags.member.1.Value", "c"),
            ],
            "InvalidParameterValue",
        ),
        ("SendTemplatedEmail", vec![], "InvalidAction"),
        ("VerifyEmailIdentity", vec![("EmailAddress", "example.com")], "InvalidParameterValue"),
        ("VerifyDomainIdentity", vec![("Domain", "a@example.com")], "InvalidParameterValue"),
    ] {
        assert_eq!(
            v1(&mut client, action, &parameters).refusal().1,
            code,
            "{action} {parameters:?}"
        );
    }
    let simple = json!({"Subject": {"Data": "hi"}, "Body": {"Text": {"Data": "hello"}}});
    let with = |name: &str, value: Value| {
        let mut simple = simple.clone();
        simple[name] = value;
        json!({"Simple": simple})
    };
    for (content, error_type) in [
        (json!({"Template": {"TemplateName": "t"}}), "BadRequestException"),
        (json!({}), "BadRequestException"),
        (json!({"Simple": simple, "Raw": {"Data": ""}}), "BadRequestException"),
        (json!({"Raw": {"Data": "*"}}), "BadRequestException"),
        (json!({"Raw": {}}), "SerializationException"),
        (with("Attachments", json!([{"FileName": "f"}])), "BadRequestException"),
        (
            with("Headers", json!([{"Name": "X-A", "Value": "a\r\nBcc: b@c.d"}])),
            "BadRequestException",
        ),
        (
            with("Headers", json!(vec![json!({"Name": "X-A", "Value": "a"}); 16])),
            "BadRequestException",
        ),
    ] {
        let body = json!({"FromEmailAddress": source.1, "Destination": {"ToAddresses": [to.1]}, "Content": content});
        let (_, answer) = v2(&mut client, "POST", "/v2/email/outbound-emails", &body);
        assert_eq!(answer["type"], error_type, "{content}: {answer}");
    }
}

#[test]
fn quotas() {
    let mut client = Client::new();
    let quota = |client: &mut Client| {
        let reply = v1(client, "GetSendQuota", &[]);
        ["Max24HourSend", "MaxSendRate", "SentLast24Hours"].map(|name| reply.text(name))
    };
    assert_eq!(quota(&mut client), ["-1.0", "1000000.0", "0.0"]);
    client.settings = Settings { sandbox: true, quota: Quota::SANDBOX };
    let to = |recipient: &str| {
        RAW.replace("bob@example.org", recipient).replace("Bcc: eve@example.org\r\n", "")
    };
    let send = |client: &mut Client, recipient: &str| {
        let data = BASE64_STANDARD.encode(to(recipient));
        v1(client, "SendRawEmail", &[("RawMessage.Data", &data)]).status
    };
    assert_eq!(send(&mut client, "success+a@simulator.amazonses.com"), 200);
    assert_eq!(send(&mut client, "bob@example.org"), 400, "the simulator counts for the rate");
    client.now += SignedDuration::from_secs(1);
    assert_eq!(send(&mut client, "bob@example.org"), 200);
    assert_eq!(quota(&mut client), ["200.0", "1.0", "1.0"]);
    let (_, account) = v2(&mut client, "GET", "/v2/email/account", &Value::Null);
    assert_eq!(
        account["SendQuota"],
        json!({"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 1.0})
    );
    assert_eq!(
        (&account["ProductionAccessEnabled"], &account["SendingEnabled"]),
        (&json!(false), &json!(true))
    );
    let statistics = v1(&mut client, "GetSendStatistics", &[]);
    assert_eq!(statistics.text("DeliveryAttempts"), "1");
    assert_eq!(statistics.text("Timestamp"), "2026-03-01T12:00:00Z");
    client.now += SignedDuration::from_hours(25);
    assert_eq!(quota(&mut client)[2], "0.0");
}

#[test]
fn sending_is_paused_and_resumed() {
    let mut client = Client::new();
    let path = "/v2/email/account/sending";
    assert_eq!(v2(&mut client, "PUT", path, &json!({"SendingEnabled": false})).0, 200);
    assert_eq!(v1(&mut client, "GetAccountSendingEnabled", &[]).text("Enabled"), "false");
    v1(&mut client, "UpdateAccountSendingEnabled", &[("Enabled", "true")]);
    let (_, account) = v2(&mut client, "GET", "/v2/email/account", &Value::Null);
    assert_eq!(account["SendingEnabled"], json!(true));
}
