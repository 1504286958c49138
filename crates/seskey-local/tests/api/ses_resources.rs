//! What SES has beside identities and messages: DKIM, MAIL FROM domains, notifications, configuration sets, templates,
//! suppressed addresses. It is kept, told of, and there again after a restart.

use serde_json::{Value, json};
use seskey_local::{account::Account, mailbox::Message};

use crate::iam_client::{Client, Reply, Unsigned};

const DOMAIN: (&str, &str) = ("Identities.member.1", "example.com");

fn v1(client: &mut Client, action: &str, parameters: &[(&str, &str)]) -> Reply {
    client.send(&Unsigned::ses(action, parameters))
}

fn v2(client: &mut Client, method: &'static str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let reply = client.send(&Unsigned::ses_v2(method, path, &body));
    (reply.status, serde_json::from_str(&reply.body).unwrap())
}

#[test]
fn the_settings_of_an_identity() {
    let mut client = Client::new();
    let none = v1(&mut client, "GetIdentityDkimAttributes", &[DOMAIN]);
    assert_eq!(none.text("DkimVerificationStatus"), "NotStarted");
    let tokens = v1(&mut client, "VerifyDomainDkim", &[("Domain", "example.com")]).texts("member");
    assert_eq!((tokens.len(), tokens[0].len()), (3, 32));
    let again = v1(&mut client, "VerifyDomainDkim", &[("Domain", "Example.com")]).texts("member");
    assert_eq!(again, tokens, "the tokens of a domain stay");
    let mail_from = [("Identity", "example.com"), ("MailFromDomain", "m.example.com")];
    assert_eq!(v1(&mut client, "SetIdentityMailFromDomain", &mail_from).status, 200);
    let headers =
        [("Identity", "example.com"), ("NotificationType", "Bounce"), ("Enabled", "true")];
    assert_eq!(v1(&mut client, "SetIdentityHeadersInNotificationsEnabled", &headers).status, 200);
    let nowhere = [("Identity", "example.net"), mail_from[1]];
    assert_eq!(
        v1(&mut client, "SetIdentityMailFromDomain", &nowhere).refusal().1,
        "MessageRejected"
    );

    // what is kept of an account is the account
    client.account.record_changes();
    client.account = Account::restore(client.account.take_changes()).unwrap();
    let dkim = v1(&mut client, "GetIdentityDkimAttributes", &[DOMAIN]);
    assert!(tokens.iter().all(|token| dkim.body.contains(token)), "{}", dkim.body);
    let mail_from = v1(&mut client, "GetIdentityMailFromDomainAttributes", &[DOMAIN]);
    assert_eq!(mail_from.text("MailFromDomain"), "m.example.com");
    let notifications = v1(&mut client, "GetIdentityNotificationAttributes", &[DOMAIN]);
    assert_eq!(notifications.text("HeadersInBounceNotificationsEnabled"), "true");
    assert_eq!(notifications.text("HeadersInComplaintNotificationsEnabled"), "false");
}

/// What goes to an address on the list is taken, and not delivered to it.
#[test]
fn nothing_is_delivered_to_who_is_on_the_suppression_list() {
    let mut client = Client::new();
    let suppressed = json!({"EmailAddress": "x@Example.com", "Reason": "COMPLAINT"});
    assert_eq!(v2(&mut client, "PUT", "/v2/email/suppression/addresses", &suppressed).0, 200);
    for (to, delivered) in [
        (json!(["x@example.com"]), None),
        (json!(["x@EXAMPLE.com", "y@example.com"]), Some(vec!["y@example.com".to_owned()])),
    ] {
        client.mailbox.clear();
        let (status, answer) = send(&mut client, &to, &Value::Null);
        assert_eq!((status, answer["MessageId"].is_string()), (200, true), "{answer}");
        let delivered_to = |message: &Message| message.destination.to_addresses.clone();
        assert_eq!(client.mailbox.first().map(delivered_to), delivered, "{to}");
    }
}

/// Any name counts until there is one.
#[test]
fn a_configuration_set_must_be_there() {
    let mut client = Client::new();
    let to = json!(["x@example.com"]);
    assert_eq!(send(&mut client, &to, &json!("olds")).0, 200);
    let set = json!({"ConfigurationSetName": "news"});
    assert_eq!(v2(&mut client, "POST", "/v2/email/configuration-sets", &set).0, 200);
    assert_eq!(send(&mut client, &to, &json!("news")).0, 200);
    let text = "Configuration set <olds> does not exist.";
    assert_eq!(send(&mut client, &to, &json!("olds")), (404, json!({"message": text})));
}

fn send(client: &mut Client, to: &Value, set: &Value) -> (u16, Value) {
    let mut message = json!({
        "FromEmailAddress": "news@example.com",
        "Destination": {"ToAddresses": to},
        "Content": {"Simple": {
            "Subject": {"Data": "hi"},
            "Body": {"Text": {"Data": "hi"}},
        }},
    });
    if !set.is_null() {
        message["ConfigurationSetName"] = set.clone();
    }
    v2(client, "POST", "/v2/email/outbound-emails", &message)
}

/// A template has 500 KB at most, in all its parts; all of them together 64 MiB, which is ours.
#[test]
fn templates_have_bounds() {
    let mut client = Client::new();
    let mut create = |name: usize, size: usize| {
        let content = json!({"Subject": "s".repeat(1024), "Html": "h".repeat(size - 1024)});
        let body = json!({"TemplateName": format!("t{name}"), "TemplateContent": content});
        v2(&mut client, "POST", "/v2/email/templates", &body)
    };
    const MOST: usize = 500 * 1024;
    let (status, refused) = create(0, MOST + 1);
    assert_eq!(status, 400);
    assert_eq!(refused["message"], "Template is more than 512000 bytes long.");
    let fit = 64 * 1024 * 1024 / MOST;
    for name in 1..=fit {
        assert_eq!(create(name, MOST).0, 200, "{name}");
    }
    let (status, refused) = create(fit + 1, MOST);
    assert_eq!((status, &refused["message"]), (400, &json!("There are too many of them.")));
    assert_eq!(create(fit + 1, 2048).0, 200);
}

#[test]
fn resources_from_their_creation_to_their_end() {
    let mut client = Client::new();
    let set = json!({"ConfigurationSetName": "c1"});
    let template = json!({"TemplateName": "t", "TemplateContent": {"Subject": "s", "Text": "t"}});
    let suppressed = json!({"EmailAddress": "x@Example.com", "Reason": "BOUNCE"});
    let (sets, templates) = ("/v2/email/configuration-sets", "/v2/email/templates");
    let addresses = "/v2/email/suppression/addresses";
    for (path, body) in [(sets, &set), (templates, &template)] {
        assert_eq!(v2(&mut client, "POST", path, body).0, 200, "{path}");
        assert_eq!(v2(&mut client, "POST", path, body).0, 400, "{path}: it is there");
    }
    assert_eq!(v2(&mut client, "PUT", addresses, &suppressed).0, 200);
    assert_eq!(v2(&mut client, "PUT", addresses, &suppressed).0, 200);

    client.account.record_changes();
    client.account = Account::restore(client.account.take_changes()).unwrap();
    assert_eq!(v1(&mut client, "ListConfigurationSets", &[]).texts("Name"), ["c1"]);
    let got = v1(&mut client, "GetTemplate", &[("TemplateName", "t")]);
    assert_eq!((got.text("SubjectPart"), got.text("TextPart")), ("s".into(), "t".into()));
    let (_, listed) = v2(&mut client, "GET", addresses, &Value::Null);
    assert_eq!(listed["SuppressedDestinationSummaries"][0]["EmailAddress"], "x@example.com");

    let update = json!({"TemplateContent": {"Subject": "other"}});
    assert_eq!(v2(&mut client, "PUT", &format!("{templates}/t"), &update).0, 200);
    let (_, got) = v2(&mut client, "GET", &format!("{templates}/t"), &Value::Null);
    assert_eq!(got["TemplateContent"]["Subject"], "other");
    for path in
        [format!("{sets}/c1"), format!("{templates}/t"), format!("{addresses}/x%40example.com")]
    {
        for (method, status) in [("GET", 200), ("DELETE", 200), ("GET", 404), ("DELETE", 404)] {
            assert_eq!(v2(&mut client, method, &path, &Value::Null).0, status, "{method} {path}");
        }
    }
}
