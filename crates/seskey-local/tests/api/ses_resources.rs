//! The other resources of SES: DKIM, MAIL FROM domains, notifications, configuration sets, templates, suppressed
//! addresses. They are stored, returned, and there again after a restart.

use serde_json::{Value, json};
use seskey_local::{account::Account, mailbox::Message};

use crate::iam_client::Client;

const DOMAIN: (&str, &str) = ("Identities.member.1", "example.com");

#[test]
fn the_settings_of_an_identity() {
    let mut client = Client::new();
    let none = client.ses("GetIdentityDkimAttributes", &[DOMAIN]);
    assert_eq!(none.text("DkimVerificationStatus"), "NotStarted");
    let tokens = client.ses("VerifyDomainDkim", &[("Domain", "example.com")]).texts("member");
    assert_eq!((tokens.len(), tokens[0].len()), (3, 32));
    let again = client.ses("VerifyDomainDkim", &[("Domain", "Example.com")]).texts("member");
    assert_eq!(again, tokens, "the tokens of a domain stay");
    let mail_from = [("Identity", "example.com"), ("MailFromDomain", "m.example.com")];
    assert_eq!(client.ses("SetIdentityMailFromDomain", &mail_from).status, 200);
    let headers =
        [("Identity", "example.com"), ("NotificationType", "Bounce"), ("Enabled", "true")];
    assert_eq!(client.ses("SetIdentityHeadersInNotificationsEnabled", &headers).status, 200);
    let nowhere = [("Identity", "example.net"), mail_from[1]];
    assert_eq!(client.ses("SetIdentityMailFromDomain", &nowhere).refusal().1, "MessageRejected");

    // a restored account is the same
    client.account.record_changes();
    client.account = Account::restore(client.account.take_changes()).unwrap();
    let dkim = client.ses("GetIdentityDkimAttributes", &[DOMAIN]);
    assert!(tokens.iter().all(|token| dkim.body.contains(token)), "{}", dkim.body);
    let mail_from = client.ses("GetIdentityMailFromDomainAttributes", &[DOMAIN]);
    assert_eq!(mail_from.text("MailFromDomain"), "m.example.com");
    let notifications = client.ses("GetIdentityNotificationAttributes", &[DOMAIN]);
    assert_eq!(notifications.text("HeadersInBounceNotificationsEnabled"), "true");
    assert_eq!(notifications.text("HeadersInComplaintNotificationsEnabled"), "false");
}

/// A message to a suppressed address is accepted, and not delivered to that address.
#[test]
fn nothing_is_delivered_to_who_is_on_the_suppression_list() {
    let mut client = Client::new();
    let suppressed = json!({"EmailAddress": "x@Example.com", "Reason": "COMPLAINT"});
    assert_eq!(client.ses_v2("PUT", "/v2/email/suppression/addresses", &suppressed).0, 200);
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

/// Any name of a configuration set is accepted until there is a set.
#[test]
fn a_configuration_set_must_be_there() {
    let mut client = Client::new();
    let to = json!(["x@example.com"]);
    assert_eq!(send(&mut client, &to, &json!("olds")).0, 200);
    let set = json!({"ConfigurationSetName": "news"});
    assert_eq!(client.ses_v2("POST", "/v2/email/configuration-sets", &set).0, 200);
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
    client.ses_v2("POST", "/v2/email/outbound-emails", &message)
}

/// A template has 500 KB at most, in all its parts; all templates together 64 MiB, which is a limit of ours.
#[test]
fn templates_have_bounds() {
    let mut client = Client::new();
    let mut create = |name: usize, size: usize| {
        let content = json!({"Subject": "s".repeat(1024), "Html": "h".repeat(size - 1024)});
        let body = json!({"TemplateName": format!("t{name}"), "TemplateContent": content});
        client.ses_v2("POST", "/v2/email/templates", &body)
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
        assert_eq!(client.ses_v2("POST", path, body).0, 200, "{path}");
        assert_eq!(client.ses_v2("POST", path, body).0, 400, "{path}: it is there");
    }
    assert_eq!(client.ses_v2("PUT", addresses, &suppressed).0, 200);
    assert_eq!(client.ses_v2("PUT", addresses, &suppressed).0, 200);

    client.account.record_changes();
    client.account = Account::restore(client.account.take_changes()).unwrap();
    assert_eq!(client.ses("ListConfigurationSets", &[]).texts("Name"), ["c1"]);
    let got = client.ses("GetTemplate", &[("TemplateName", "t")]);
    assert_eq!((got.text("SubjectPart"), got.text("TextPart")), ("s".into(), "t".into()));
    let (_, listed) = client.ses_v2("GET", addresses, &Value::Null);
    assert_eq!(listed["SuppressedDestinationSummaries"][0]["EmailAddress"], "x@example.com");

    let update = json!({"TemplateContent": {"Subject": "other"}});
    assert_eq!(client.ses_v2("PUT", &format!("{templates}/t"), &update).0, 200);
    let (_, got) = client.ses_v2("GET", &format!("{templates}/t"), &Value::Null);
    assert_eq!(got["TemplateContent"]["Subject"], "other");
    for path in
        [format!("{sets}/c1"), format!("{templates}/t"), format!("{addresses}/x%40example.com")]
    {
        for (method, status) in [("GET", 200), ("DELETE", 200), ("GET", 404), ("DELETE", 404)] {
            assert_eq!(client.ses_v2(method, &path, &Value::Null).0, status, "{method} {path}");
        }
    }
}
