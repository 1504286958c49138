//! The authorization to send: the policies of the user and of the identity, and the keys with which each works.

use base64::{Engine, prelude::BASE64_STANDARD};
use lettre::{
    AsyncSmtpTransport, Tokio1Executor,
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use serde_json::{Value, json};
use seskey::{Region, SecretAccessKey, SmtpPassword};
use seskey_local::server::{Config, Server};

use crate::iam_client::{ALLOW_ALL, Client, PEER, SENDING, Unsigned};

const IDENTITY: &str = "arn:aws:ses:us-east-1:111122223333:identity/example.com";
const BOB: &str = "arn:aws:iam::111122223333:user/Bob";

/// Makes Bob with a policy of his own and a policy of the identity.
fn bob(own: Option<&str>, of_identity: Option<&str>) -> Client {
    let mut client = Client::new();
    client.done("CreateUser", &[("UserName", "Bob")]);
    if let Some(document) = own {
        let put = [("UserName", "Bob"), ("PolicyName", "own"), ("PolicyDocument", document)];
        client.done("PutUserPolicy", &put);
    }
    client.send(&Unsigned::ses("VerifyDomainIdentity", &[("Domain", "example.com")]));
    if let Some(document) = of_identity {
        let put = [("Identity", "example.com"), ("PolicyName", "p"), ("Policy", document)];
        let reply = client.send(&Unsigned::ses("PutIdentityPolicy", &put));
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    let reply = client.done("CreateAccessKey", &[("UserName", "Bob")]);
    client.key = (reply.text("AccessKeyId"), reply.text("SecretAccessKey"));
    client
}

fn raw(headers: &str) -> String {
    BASE64_STANDARD.encode(format!(
        "From: News <news@example.com>\r\nTo: bob@example.org\r\n{headers}\r\nhi\r\n"
    ))
}

/// Sends a raw message, and returns the text of the refusal, which is empty if the message was accepted.
fn send_raw(client: &mut Client, headers: &str, parameters: &[(&str, &str)]) -> String {
    let data = raw(headers);
    let parameters: Vec<_> =
        [("RawMessage.Data", &*data)].iter().chain(parameters).copied().collect();
    let reply = client.send(&Unsigned::ses("SendRawEmail", &parameters));
    if reply.status == 200 { String::new() } else { reply.text("Message") }
}

fn simple(client: &mut Client) -> (u16, Value) {
    let body = json!({
        "FromEmailAddress": "news@example.com",
        "Destination": {"ToAddresses": ["bob@example.org"]},
        "Content": {"Simple": {"Subject": {"Data": "hi"}, "Body": {"Text": {"Data": "hello"}}}},
    });
    let reply =
        client.send(&Unsigned::ses_v2("POST", "/v2/email/outbound-emails", &body.to_string()));
    (reply.status, serde_json::from_str(&reply.body).unwrap())
}

fn denied(action: &str, resource: &str) -> String {
    format!("User `{BOB}' is not authorized to perform `{action}' on resource `{resource}'")
}

fn of_identity(effect: &str, principal: &Value, action: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": effect, "Principal": principal, "Action": action, "Resource": IDENTITY},
    ]})
    .to_string()
}

#[test]
fn the_users_policies_and_those_of_the_identity() {
    let bob_himself = json!({"AWS": BOB});
    let account = json!({"AWS": "111122223333"});
    let raw = "ses:SendRawEmail";
    for (own, identity, taken) in [
        (None, None, false),
        (Some(SENDING), None, true),
        (None, Some(of_identity("Allow", &bob_himself, raw)), true),
        (None, Some(of_identity("Allow", &json!("*"), "ses:*")), true),
        (None, Some(of_identity("Allow", &bob_himself, "ses:SendEmail")), false),
        (None, Some(of_identity("Allow", &account, raw)), false),
        (Some(SENDING), Some(of_identity("Deny", &bob_himself, raw)), false),
        (Some(SENDING), Some(of_identity("Deny", &json!({"AWS": format!("{BOB}2")}), raw)), true),
    ] {
        let mut client = bob(own, identity.as_deref());
        let expected = if taken { String::new() } else { denied(raw, IDENTITY) };
        assert_eq!(send_raw(&mut client, "", &[]), expected, "{own:?} {identity:?}");
        assert_eq!(send_raw(&mut client, "", &[("SourceArn", IDENTITY)]), expected);
    }
}

#[test]
fn an_arn_names_the_identity_that_is_sent_by() {
    let other_account = IDENTITY.replace("111122223333", "444455556666");
    let other_region = IDENTITY.replace("us-east-1", "eu-west-1");
    let unknown = IDENTITY.replace("example.com", "example.net");
    let unverified = "Email address is not verified. The following identities failed the check in region US-EAST-1: news@example.com";
    let header = |name: &str, arn: &str| format!("{name}: {arn}\r\n");
    let denied = |arn: &str| denied("ses:SendRawEmail", arn);
    for (headers, parameters, expected) in [
        (header("X-SES-SOURCE-ARN", IDENTITY), vec![], String::new()),
        (header("X-SES-SOURCE-ARN", &other_account), vec![], denied(&other_account)),
        (header("X-SES-FROM-ARN", &other_account), vec![], denied(&other_account)),
        (
            header("X-SES-FROM-ARN", IDENTITY) + &header("X-SES-SOURCE-ARN", &other_account),
            vec![],
            String::new(),
        ),
        (header("X-SES-RETURN-PATH-ARN", &other_account), vec![], denied(&other_account)),
        (
            header("X-SES-SOURCE-ARN", IDENTITY) + &header("X-SES-SOURCE-ARN", &other_account),
            vec![],
            String::new(),
        ),
        (header("X-SES-SOURCE-ARN", &other_account), vec![("SourceArn", IDENTITY)], String::new()),
        (String::new(), vec![("SourceArn", &*other_account)], denied(&other_account)),
        (String::new(), vec![("FromArn", &*other_account)], denied(&other_account)),
        (String::new(), vec![("ReturnPathArn", &*other_account)], denied(&other_account)),
        (String::new(), vec![("SourceArn", &*other_region)], denied(&other_region)),
        (String::new(), vec![("SourceArn", &*unknown)], unverified.to_owned()),
        (String::new(), vec![("SourceArn", "x")], "Invalid identity ARN: 'x'.".to_owned()),
    ] {
        let mut client = bob(Some(SENDING), None);
        assert_eq!(
            send_raw(&mut client, &headers, &parameters),
            expected,
            "{headers} {parameters:?}"
        );
    }
}

#[test]
fn each_operation_has_its_permission() {
    let mut client = bob(Some(SENDING), None);
    assert_eq!(simple(&mut client), (403, json!({"message": denied("ses:SendEmail", IDENTITY)})));
    let why = |action: &str, resource: &str| {
        format!(
            "User: {BOB} is not authorized to perform: {action} on resource: {resource} because no identity-based \
             policy allows the {action} action"
        )
    };
    let reply = client.send(&Unsigned::ses("ListIdentities", &[])).refusal();
    assert_eq!(reply, (403, "AccessDenied".into(), why("ses:ListIdentities", "*")));
    for (method, path, action, resource) in [
        ("GET", "/v2/email/account", "ses:GetAccount", "*"),
        ("GET", "/v2/email/identities/example.com", "ses:GetEmailIdentity", IDENTITY),
        ("POST", "/v2/email/identities", "ses:CreateEmailIdentity", IDENTITY),
    ] {
        let request = Unsigned::ses_v2(method, path, r#"{"EmailIdentity":"example.com"}"#);
        let reply = client.send(&request);
        assert_eq!(
            (reply.status, reply.error_type),
            (403, Some("AccessDeniedException")),
            "{path}"
        );
        let body: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(body["message"], why(action, resource), "{path}");
    }
}

/// Policies see the condition keys of a session for SES as for IAM, and only the beginning of a long user agent.
#[test]
fn a_session_and_a_long_user_agent_are_told_to_policies() {
    let mut client = bob(None, None);
    client.become_root();
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
        "Principal":{"AWS":"arn:aws:iam::111122223333:root"}}]}"#;
    client.done("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", trust)]);
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ses:*","sts:*"],"Resource":"*"},
        {"Effect":"Deny","Action":"ses:GetSendQuota","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}},
        {"Effect":"Deny","Action":"ses:ListIdentities","Resource":"*","Condition":{"StringLike":{"aws:UserAgent":"*z"}}}]}"#;
    for (action, name) in [("PutRolePolicy", "RoleName"), ("PutUserPolicy", "UserName")] {
        let holder = if name == "RoleName" { "r" } else { "Bob" };
        client.done(action, &[(name, holder), ("PolicyName", "p"), ("PolicyDocument", policy)]);
    }
    let reply = client.done("CreateAccessKey", &[("UserName", "Bob")]);
    client.key = (reply.text("AccessKeyId"), reply.text("SecretAccessKey"));
    let session = client.assume("r", &[]);
    let quota = Unsigned::ses("GetSendQuota", &[]);
    assert_eq!(client.send(&quota).status, 200, "a key of a user has no such key");
    assert_eq!(client.send_as(&session, &quota).status, 403);

    for (length, status) in [(1023, 403), (1024, 200)] {
        let mut list = Unsigned::ses("ListIdentities", &[]);
        list.headers[2].1 = format!("{}z", "a".repeat(length));
        assert_eq!(client.send(&list).status, status, "{length}");
    }
}

#[test]
fn a_configuration_set_needs_its_permission() {
    let only_identity = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"ses:*","Resource":"{IDENTITY}"}}]}}"#
    );
    let set = "arn:aws:ses:us-east-1:111122223333:configuration-set/";
    let mut client = bob(Some(&only_identity), None);
    let refused = |name: &str| denied("ses:SendRawEmail", &format!("{set}{name}"));
    assert_eq!(send_raw(&mut client, "", &[]), "");
    assert_eq!(send_raw(&mut client, "X-SES-CONFIGURATION-SET: a\r\n", &[]), refused("a"));
    let parameter = [("ConfigurationSetName", "b")];
    assert_eq!(send_raw(&mut client, "X-SES-CONFIGURATION-SET: a\r\n", &parameter), refused("b"));
}

#[test]
fn condition_keys() {
    let now = "2026-03-01T12:00:00Z";
    for (operator, key, value, of_v1, of_v2) in [
        ("StringEquals", "ses:ApiVersion", "1", true, false),
        ("StringEquals", "ses:ApiVersion", "2", false, true),
        ("StringEquals", "ses:FromAddress", "news@example.com", true, true),
        ("StringEquals", "ses:FromAddress", "News@example.com", false, false),
        ("StringEquals", "ses:FromDisplayName", "News", true, false),
        ("StringEquals", "ses:FeedbackAddress", "news@example.com", true, true),
        ("ForAllValues:StringLike", "ses:Recipients", "*@example.org", true, true),
        ("ForAllValues:StringLike", "ses:Recipients", "*@example.com", false, false),
        ("IpAddress", "aws:SourceIp", PEER, true, true),
        ("IpAddress", "aws:SourceIp", "192.0.2.8", false, false),
        ("Bool", "aws:SecureTransport", "false", true, true),
        ("StringLike", "aws:UserAgent", "seskey-test/*", true, true),
        ("DateEquals", "aws:CurrentTime", now, true, true),
        ("NumericEquals", "aws:EpochTime", "1772366400", true, true),
        ("StringEquals", "aws:username", "Bob", true, true),
    ] {
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "ses:Send*", "Resource": "*", "Condition": {operator: {key: value}}},
        ]});
        let mut client = bob(Some(&policy.to_string()), None);
        assert_eq!(send_raw(&mut client, "", &[]).is_empty(), of_v1, "version 1: {key} {value}");
        assert_eq!(simple(&mut client).0 == 200, of_v2, "version 2: {key} {value}");
    }
}

/// "Your SMTP password is different from your AWS secret access key" (SES Developer Guide, "Obtaining Amazon SES SMTP
/// credentials"): the secret works only at the API, the password only at SMTP.
#[tokio::test]
async fn the_api_takes_the_secret_and_smtp_the_password() {
    let server = Server::start(Config::ephemeral()).await.unwrap();
    let (id, secret) = &server.root;
    let password = SmtpPassword::derive(secret, &Region::parse("us-east-1").unwrap());
    for (word, taken) in [(password.expose(), true), (secret.expose(), false)] {
        let certificate = Certificate::from_pem(server.authority_pem.as_bytes()).unwrap();
        let tls = TlsParameters::builder("localhost".into()).add_root_certificate(certificate);
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("localhost");
        let transport: AsyncSmtpTransport<Tokio1Executor> = builder
            .port(server.smtps.port())
            .tls(Tls::Wrapper(tls.build().unwrap()))
            .credentials(Credentials::new(id.as_str().into(), word.into()))
            .build();
        assert_eq!(transport.test_connection().await.is_ok(), taken);
    }

    let mut client = bob(Some(ALLOW_ALL), None);
    assert_eq!(send_raw(&mut client, "", &[]), "");
    let secret = SecretAccessKey::parse(&client.key.1).unwrap();
    let password = SmtpPassword::derive(&secret, &Region::parse("us-east-1").unwrap());
    client.key.1 = password.expose().to_owned();
    let data = raw("");
    let request = Unsigned::ses("SendRawEmail", &[("RawMessage.Data", &data)]);
    assert_eq!(client.send(&request).refusal().1, "SignatureDoesNotMatch");
    assert_eq!(simple(&mut client).0, 403);
}
