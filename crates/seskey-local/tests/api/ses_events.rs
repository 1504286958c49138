//! The destinations of events: the event destinations of configuration sets in both versions, the topics of identities,
//! the configuration set of messages that name none, and the reasons to suppress an address.

use serde_json::{Value, json};
use seskey_local::account::Account;

use crate::iam_client::{Client, Unsigned};

const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:mail";
const DESTINATIONS: &str = "/v2/email/configuration-sets/news/event-destinations";

/// Creates an account with a topic and the configuration set `news`.
fn started() -> Client {
    let mut client = Client::new();
    let topic = client.send(&Unsigned::sns("CreateTopic", &[("Name", "mail")]));
    assert_eq!(topic.text("TopicArn"), TOPIC);
    let set = json!({"ConfigurationSetName": "news"});
    assert_eq!(client.ses_v2("POST", "/v2/email/configuration-sets", &set).0, 200);
    client
}

fn kept(client: &mut Client) {
    client.account.record_changes();
    client.account = Account::restore(client.account.take_changes()).unwrap();
}

fn described<'a>(name: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let set = [("ConfigurationSetName", "news"), ("EventDestination.Name", name)];
    [&set[..], more].concat()
}

const TO_TOPIC: [(&str, &str); 3] = [
    ("EventDestination.Enabled", "true"),
    ("EventDestination.MatchingEventTypes.member.1", "bounce"),
    ("EventDestination.SNSDestination.TopicARN", TOPIC),
];

#[test]
fn an_event_destination_of_version_1_is_one_of_version_2() {
    let mut client = started();
    let create = "CreateConfigurationSetEventDestination";
    assert_eq!(client.ses(create, &described("d1", &TO_TOPIC)).status, 200);
    let again = client.ses(create, &described("d1", &TO_TOPIC)).refusal();
    assert_eq!(again.1, "EventDestinationAlreadyExists");
    kept(&mut client);
    let (_, listed) = client.ses_v2("GET", DESTINATIONS, &Value::Null);
    assert_eq!(
        listed,
        json!({"EventDestinations": [{
            "Name": "d1", "Enabled": true, "MatchingEventTypes": ["BOUNCE"], "SnsDestination": {"TopicArn": TOPIC},
        }]})
    );
    let updated = json!({"EventDestination": {
        "MatchingEventTypes": ["DELIVERY_DELAY", "SEND"], "SnsDestination": {"TopicArn": TOPIC},
    }});
    assert_eq!(client.ses_v2("PUT", &format!("{DESTINATIONS}/d1"), &updated).0, 200);
    let attributes = [
        ("ConfigurationSetName", "news"),
        ("ConfigurationSetAttributeNames.member.1", "eventDestinations"),
    ];
    let set = client.ses("DescribeConfigurationSet", &attributes);
    assert_eq!((set.text("Enabled"), set.text("TopicARN")), ("false".into(), TOPIC.into()));
    assert!(
        set.body.contains("<member>DELIVERY_DELAY</member><member>send</member>"),
        "{}",
        set.body
    );
    let short = client.ses("DescribeConfigurationSet", &attributes[..1]);
    assert!(!short.body.contains("EventDestinations"), "{}", short.body);

    let named = [("ConfigurationSetName", "news"), ("EventDestinationName", "d1")];
    let delete = "DeleteConfigurationSetEventDestination";
    assert_eq!(client.ses(delete, &named).status, 200);
    assert_eq!(client.ses(delete, &named).refusal().1, "EventDestinationDoesNotExist");
    let gone = client.ses_v2("DELETE", &format!("{DESTINATIONS}/d1"), &Value::Null);
    assert_eq!(gone, (404, json!({"message": "No EventDestination found for news"})));
}

#[test]
fn what_is_wrong_with_an_event_destination() {
    let mut client = started();
    let create = "CreateConfigurationSetEventDestination";
    let elsewhere = "arn:aws:sns:us-east-1:111122223333:other";
    for (parameters, code) in [
        (
            vec![TO_TOPIC[1], ("EventDestination.SNSDestination.TopicARN", elsewhere)],
            "InvalidSNSDestination",
        ),
        (vec![TO_TOPIC[2]], "InvalidParameterValue"),
        (vec![TO_TOPIC[1]], "InvalidParameterValue"),
        (
            vec![("EventDestination.MatchingEventTypes.member.1", "BOUNCE"), TO_TOPIC[2]],
            "InvalidParameterValue",
        ),
        (
            vec![TO_TOPIC[1], ("EventDestination.KinesisFirehoseDestination.IAMRoleARN", "arn")],
            "InvalidParameterValue",
        ),
    ] {
        let refused = client.ses(create, &described("d1", &parameters)).refusal();
        assert_eq!(refused.1, code, "{parameters:?}: {}", refused.2);
    }
    let no_set = json!({"EventDestinationName": "d", "EventDestination": {
        "MatchingEventTypes": ["SEND"], "SnsDestination": {"TopicArn": TOPIC},
    }});
    let nowhere = DESTINATIONS.replace("news", "olds");
    assert_eq!(client.ses_v2("POST", &nowhere, &no_set).0, 404);
    for n in 0..10 {
        let mut one = no_set.clone();
        one["EventDestinationName"] = json!(format!("d{n}"));
        assert_eq!(client.ses_v2("POST", DESTINATIONS, &one).0, 200, "{n}");
    }
    let (status, refused) = client.ses_v2("POST", DESTINATIONS, &no_set);
    assert_eq!(
        (status, &refused["message"]),
        (400, &json!("There are too many event destinations."))
    );

    // the event destinations are deleted with their set
    let set = "/v2/email/configuration-sets/news";
    assert_eq!(client.ses_v2("DELETE", set, &Value::Null).0, 200);
    let anew = json!({"ConfigurationSetName": "news"});
    assert_eq!(client.ses_v2("POST", "/v2/email/configuration-sets", &anew).0, 200);
    let none = client.ses_v2("GET", DESTINATIONS, &Value::Null);
    assert_eq!(none, (200, json!({"EventDestinations": []})));
}

#[test]
fn an_identity_has_topics_and_a_configuration_set() {
    let mut client = started();
    let identity = json!({"EmailIdentity": "example.com", "ConfigurationSetName": "olds"});
    assert_eq!(client.ses_v2("POST", "/v2/email/identities", &identity).0, 404);
    let identity = json!({"EmailIdentity": "example.com", "ConfigurationSetName": "news"});
    assert_eq!(client.ses_v2("POST", "/v2/email/identities", &identity).0, 200);
    let topic = [("Identity", "example.com"), ("NotificationType", "Bounce"), ("SnsTopic", TOPIC)];
    assert_eq!(client.ses("SetIdentityNotificationTopic", &topic).status, 200);
    let nowhere = [topic[0], topic[1], ("SnsTopic", "arn:aws:sns:us-east-1:111122223333:other")];
    assert_eq!(client.ses("SetIdentityNotificationTopic", &nowhere).status, 400);
    kept(&mut client);
    let list = [("Identities.member.1", "example.com")];
    let notifications = client.ses("GetIdentityNotificationAttributes", &list);
    assert_eq!(notifications.text("BounceTopic"), TOPIC);
    assert_eq!(notifications.text("ComplaintTopic"), "");
    assert_eq!(client.ses("SetIdentityNotificationTopic", &topic[..2]).status, 200);
    let notifications = client.ses("GetIdentityNotificationAttributes", &list);
    assert_eq!(notifications.text("BounceTopic"), "");

    let path = "/v2/email/identities/example.com";
    assert_eq!(client.ses_v2("GET", path, &Value::Null).1["ConfigurationSetName"], "news");
    let message = json!({
        "FromEmailAddress": "Ann <ann@example.com>",
        "Destination": {"ToAddresses": ["bob@example.org"]},
        "Content": {"Simple": {"Subject": {"Data": "hi"}, "Body": {"Text": {"Data": "hi"}}}},
    });
    let sent_with = |client: &mut Client| {
        let sent = client.ses_v2("POST", "/v2/email/outbound-emails", &message);
        assert_eq!(sent.0, 200, "{}", sent.1);
        client.dispatches.pop().unwrap().mail
    };
    let mail = sent_with(&mut client);
    assert_eq!(mail.configuration_set.as_deref(), Some("news"));
    assert_eq!((&*mail.source, mail.operation), ("Ann <ann@example.com>", "SendEmail"));
    assert_eq!(
        mail.source_arn.as_deref(),
        Some("arn:aws:ses:us-east-1:111122223333:identity/example.com")
    );
    let none = format!("{path}/configuration-set");
    assert_eq!(client.ses_v2("PUT", &none, &json!({})).0, 200);
    assert_eq!(sent_with(&mut client).configuration_set, None);
}

#[test]
fn what_puts_an_address_on_the_suppression_list_is_chosen() {
    let mut client = Client::new();
    let reasons = |client: &mut Client| {
        client.ses_v2("GET", "/v2/email/account", &Value::Null).1["SuppressionAttributes"].clone()
    };
    let both = json!({"SuppressedReasons": ["BOUNCE", "COMPLAINT"]});
    assert_eq!(reasons(&mut client), both);
    let path = "/v2/email/account/suppression";
    for (chosen, status) in [
        (json!({"SuppressedReasons": ["BOUNCE"]}), 200),
        (json!({"SuppressedReasons": ["bounce"]}), 400),
    ] {
        assert_eq!(client.ses_v2("PUT", path, &chosen).0, status, "{chosen}");
    }
    kept(&mut client);
    assert_eq!(reasons(&mut client), json!({"SuppressedReasons": ["BOUNCE"]}));
    assert_eq!(client.ses_v2("PUT", path, &json!({})).0, 200);
    assert_eq!(reasons(&mut client), json!({"SuppressedReasons": []}));
}
