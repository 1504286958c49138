//! The SNS API over the wire format: topics, subscriptions, published messages, and their authorization.

use jiff::SignedDuration;
use seskey_local::{
    account::Account,
    api::{Confirmation, Notice},
};

use crate::iam_client::{Client, Reply, Unsigned};

const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:events";

fn sns(client: &mut Client, action: &str, parameters: &[(&str, &str)]) -> Reply {
    client.send(&Unsigned::sns(action, parameters))
}

fn done(client: &mut Client, action: &str, parameters: &[(&str, &str)]) -> Reply {
    let reply = sns(client, action, parameters);
    assert_eq!(reply.status, 200, "{action} {parameters:?}: {}", reply.body);
    reply
}

fn refused(
    client: &mut Client,
    action: &str,
    parameters: &[(&str, &str)],
) -> (u16, String, String) {
    sns(client, action, parameters).refusal()
}

fn invalid(text: &str) -> (u16, String, String) {
    (400, "InvalidParameter".into(), format!("Invalid parameter: {text}"))
}

fn not_found(what: &str) -> (u16, String, String) {
    (404, "NotFound".into(), format!("{what} does not exist"))
}

/// Sends an unsigned request, like the URL in a message.
fn by_url(client: &mut Client, query: &str) -> Reply {
    let post = Unsigned::sns("", &[]);
    let get = Unsigned { method: "GET", query: query.into(), body: String::new(), ..post };
    client.send_signed(&get, &get.headers)
}

/// Returns the value of an attribute.
fn attribute(reply: &Reply, name: &str) -> String {
    let at =
        reply.texts("key").iter().position(|key| key == name).unwrap_or_else(|| panic!("{name}"));
    reply.texts("value").swap_remove(at)
}

fn with_topic() -> Client {
    let mut client = Client::new();
    done(&mut client, "CreateTopic", &[("Name", "events")]);
    client
}

/// Subscribes a URL, and returns the confirmation for its endpoint.
fn subscribe(client: &mut Client, endpoint: &str) -> Confirmation {
    let protocol = endpoint.split(':').next().unwrap();
    let parameters = [("TopicArn", TOPIC), ("Protocol", protocol), ("Endpoint", endpoint)];
    let reply = done(client, "Subscribe", &parameters);
    assert_eq!(reply.text("SubscriptionArn"), "pending confirmation");
    match client.notices.pop() {
        Some(Notice::SubscriptionConfirmation(confirmation)) => confirmation,
        other => panic!("{other:?}"),
    }
}

fn confirm(client: &mut Client, token: &str) -> Reply {
    by_url(client, &format!("Action=ConfirmSubscription&TopicArn={TOPIC}&Token={token}"))
}

#[test]
fn topics() {
    let mut client = Client::new();
    let tagged =
        [("Name", "events"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "mail")];
    for _ in 0..2 {
        assert_eq!(done(&mut client, "CreateTopic", &tagged).text("TopicArn"), TOPIC);
    }
    assert_eq!(done(&mut client, "CreateTopic", &tagged[..1]).text("TopicArn"), TOPIC);
    let other = [("Name", "events"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
    let text = "Tags Reason: Topic already exists with different tags";
    assert_eq!(refused(&mut client, "CreateTopic", &other), invalid(text));
    let tags = done(&mut client, "ListTagsForResource", &[("ResourceArn", TOPIC)]);
    assert_eq!((tags.text("Key"), tags.text("Value")), ("team".into(), "mail".into()));

    for name in ["", "a b", "é", &"x".repeat(257)] {
        assert_eq!(refused(&mut client, "CreateTopic", &[("Name", name)]), invalid("Topic Name"));
    }
    let fifo = (400, "InvalidParameter".into(), "A FIFO topic is not served here.".into());
    assert_eq!(refused(&mut client, "CreateTopic", &[("Name", "a.fifo")]), fifo);

    let elsewhere = Unsigned { region: "eu-west-1", ..Unsigned::sns("ListTopics", &[]) };
    assert!(client.send(&elsewhere).texts("TopicArn").is_empty(), "a region has its own topics");
    assert_eq!(done(&mut client, "ListTopics", &[]).texts("TopicArn"), [TOPIC]);
    for _ in 0..2 {
        done(&mut client, "DeleteTopic", &[("TopicArn", TOPIC)]);
    }
    assert!(done(&mut client, "ListTopics", &[]).texts("TopicArn").is_empty());
}

#[test]
fn attributes_of_topics() {
    let mut client = with_topic();
    let get = |client: &mut Client| done(client, "GetTopicAttributes", &[("TopicArn", TOPIC)]);
    let first = get(&mut client);
    for (name, value) in [
        ("DisplayName", ""),
        ("Owner", "111122223333"),
        ("SignatureVersion", "2"),
        ("SubscriptionsConfirmed", "0"),
        ("TopicArn", TOPIC),
    ] {
        assert_eq!(attribute(&first, name), value, "{name}");
    }
    assert!(attribute(&first, "Policy").contains(&format!(r#""Resource":"{TOPIC}""#)));

    let set =
        |name, value| [("TopicArn", TOPIC), ("AttributeName", name), ("AttributeValue", value)];
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    done(&mut client, "SetTopicAttributes", &set("Policy", policy));
    done(&mut client, "SetTopicAttributes", &set("SignatureVersion", "2"));
    assert_eq!(attribute(&get(&mut client), "Policy"), policy);
    for (name, value, text) in [
        ("FifoTopic", "false", "AttributeName"),
        ("DeliveryPolicy", "{}", "AttributeName"),
        ("SignatureVersion", "1", "SignatureVersion: only version 2 is served here"),
    ] {
        assert_eq!(refused(&mut client, "SetTopicAttributes", &set(name, value)), invalid(text));
    }
    let with = [
        ("Name", "events"),
        ("Attributes.entry.1.key", "DisplayName"),
        ("Attributes.entry.1.value", "x"),
    ];
    let text = "Attributes Reason: Topic already exists with different attributes";
    assert_eq!(refused(&mut client, "CreateTopic", &with), invalid(text));
}

#[test]
fn a_subscription_from_its_beginning_to_its_end() {
    let mut client = with_topic();
    let endpoint = "https://user:secret@app.example.com/hook?a=b";
    let first = subscribe(&mut client, endpoint);
    let again = subscribe(&mut client, endpoint);
    assert_eq!(first.subscription_arn, again.subscription_arn);
    assert_ne!(first.subscription.token, again.subscription.token, "it is asked once more");
    let arn = again.subscription_arn;
    let listed = done(&mut client, "ListSubscriptions", &[]);
    assert_eq!(listed.text("SubscriptionArn"), "PendingConfirmation");
    assert_eq!(listed.text("Endpoint"), "https://user:****@app.example.com/hook?a=b");

    let wrong = [
        ("0123", "Invalid parameter: Token"),
        ("token", "Invalid token"),
        (&*first.subscription.token, "Invalid parameter: Token"),
    ];
    for (token, text) in wrong {
        assert_eq!(confirm(&mut client, token).refusal().2, text, "{token}");
    }
    for _ in 0..2 {
        assert_eq!(confirm(&mut client, &again.subscription.token).text("SubscriptionArn"), arn);
    }
    let parameters = [("TopicArn", TOPIC), ("Protocol", "https"), ("Endpoint", endpoint)];
    let third = done(&mut client, "Subscribe", &parameters);
    assert_eq!((third.text("SubscriptionArn"), client.notices.len()), (arn.clone(), 0));
    let of_topic = done(&mut client, "ListSubscriptionsByTopic", &[("TopicArn", TOPIC)]);
    assert_eq!(of_topic.text("SubscriptionArn"), arn);
    let topic = done(&mut client, "GetTopicAttributes", &[("TopicArn", TOPIC)]);
    assert_eq!(attribute(&topic, "SubscriptionsConfirmed"), "1");

    let get = [("SubscriptionArn", &*arn)];
    let set = [get[0], ("AttributeName", "RawMessageDelivery"), ("AttributeValue", "true")];
    done(&mut client, "SetSubscriptionAttributes", &set);
    let attributes = done(&mut client, "GetSubscriptionAttributes", &get);
    for (name, value) in [
        ("RawMessageDelivery", "true"),
        ("PendingConfirmation", "false"),
        ("Protocol", "https"),
        ("SubscriptionPrincipal", "arn:aws:iam::111122223333:root"),
        ("TopicArn", TOPIC),
    ] {
        assert_eq!(attribute(&attributes, name), value, "{name}");
    }

    // a restored account is the same
    client.account.record_changes();
    client.account = Account::restore(client.account.take_changes()).unwrap();

    assert_eq!(
        by_url(&mut client, &format!("Action=Unsubscribe&SubscriptionArn={arn}")).status,
        200
    );
    assert_eq!(refused(&mut client, "GetSubscriptionAttributes", &get), not_found("Subscription"));
    let Some(Notice::UnsubscribeConfirmation(ended)) = client.notices.pop() else {
        panic!("no notice")
    };
    assert_eq!(ended.subscription.endpoint, endpoint);
    assert_eq!(confirm(&mut client, &ended.subscription.token).text("SubscriptionArn"), arn);
    done(&mut client, "GetSubscriptionAttributes", &get);
    for _ in 0..2 {
        done(&mut client, "Unsubscribe", &get);
    }
    assert_eq!(confirm(&mut client, &ended.subscription.token).status, 400);
    assert!(client.notices.is_empty());
}

#[test]
fn a_token_is_good_for_two_days() {
    let mut client = with_topic();
    let first = subscribe(&mut client, "http://localhost/").subscription.token;
    client.now += SignedDuration::from_hours(49);
    assert_eq!(confirm(&mut client, &first).refusal(), invalid("Token"));
    subscribe(&mut client, "http://localhost/other");
    let all = done(&mut client, "ListSubscriptions", &[]).texts("Endpoint");
    assert_eq!(all, ["http://localhost/other"], "what nobody confirmed is forgotten");
}

#[test]
fn an_endpoint_may_be_kept_from_ending_its_subscription() {
    let mut client = with_topic();
    let Confirmation { subscription_arn, subscription, .. } =
        subscribe(&mut client, "http://localhost/");
    let parameters = [
        ("TopicArn", TOPIC),
        ("Token", &*subscription.token),
        ("AuthenticateOnUnsubscribe", "true"),
    ];
    done(&mut client, "ConfirmSubscription", &parameters);
    let ended =
        by_url(&mut client, &format!("Action=Unsubscribe&SubscriptionArn={subscription_arn}"));
    assert_eq!(ended.refusal().1, "AuthorizationError");
    done(&mut client, "Unsubscribe", &[("SubscriptionArn", &subscription_arn)]);
}

#[test]
fn what_cannot_be_subscribed() {
    let mut client = with_topic();
    let with =
        |protocol, endpoint| [("TopicArn", TOPIC), ("Protocol", protocol), ("Endpoint", endpoint)];
    for (protocol, endpoint, text) in [
        ("test-protocol", "x", "Amazon SNS does not support this protocol string: test-protocol"),
        ("http", "https://localhost/", "Endpoint must match the specified protocol"),
        ("https", "", "Endpoint must match the specified protocol"),
        ("http", "http://", "HTTP(S) Endpoint"),
        ("http", "http:///path", "HTTP(S) Endpoint"),
    ] {
        assert_eq!(refused(&mut client, "Subscribe", &with(protocol, endpoint)), invalid(text));
    }
    let sqs = with("sqs", "arn:aws:sqs:us-east-1:111122223333:queue");
    assert_eq!(refused(&mut client, "Subscribe", &sqs).2, "The protocol sqs is not served here.");
    let raw = [
        ("Attributes.entry.1.key", "RawMessageDelivery"),
        ("Attributes.entry.1.value", "wrongvalue"),
    ];
    let raw = [&with("http", "http://localhost/")[..], &raw[..]].concat();
    let text =
        "Attributes Reason: RawMessageDelivery: Invalid value [wrongvalue]. Must be true or false.";
    assert_eq!(refused(&mut client, "Subscribe", &raw), invalid(text));
    done(&mut client, "DeleteTopic", &[("TopicArn", TOPIC)]);
    let gone = refused(&mut client, "Subscribe", &with("http", "http://localhost/"));
    assert_eq!(gone, not_found("Topic"));
}

#[test]
fn a_topic_takes_its_subscriptions_along() {
    let mut client = with_topic();
    let arn = subscribe(&mut client, "http://localhost/").subscription_arn;
    done(&mut client, "DeleteTopic", &[("TopicArn", TOPIC)]);
    let get = refused(&mut client, "GetSubscriptionAttributes", &[("SubscriptionArn", &arn)]);
    assert_eq!(get, not_found("Subscription"));
}

#[test]
fn lists_come_in_pages() {
    let mut client = with_topic();
    // its subscriptions sort before those of the shorter name
    done(&mut client, "CreateTopic", &[("Name", "events-2")]);
    for n in 0..150 {
        let topic = if n % 2 == 0 { TOPIC.to_owned() } else { format!("{TOPIC}-2") };
        let endpoint = format!("http://localhost/{n}");
        let parameters = [("TopicArn", &*topic), ("Protocol", "http"), ("Endpoint", &endpoint)];
        done(&mut client, "Subscribe", &parameters);
    }
    let first = done(&mut client, "ListSubscriptions", &[]);
    let token = first.text("NextToken");
    let second = done(&mut client, "ListSubscriptions", &[("NextToken", &token)]);
    let mut all = [first.texts("Endpoint"), second.texts("Endpoint")].concat();
    all.sort();
    all.dedup();
    assert_eq!((first.texts("Endpoint").len(), all.len()), (100, 150));
    assert!(second.texts("NextToken").is_empty());
}

#[test]
fn what_is_published() {
    let mut client = with_topic();
    let publish = |message, more: &[(&'static str, &'static str)]| {
        [&[("TopicArn", TOPIC), ("Message", message)][..], more].concat()
    };
    let id =
        done(&mut client, "Publish", &publish("text", &[("Subject", "line")])).text("MessageId");
    let Some(Notice::Notification(publication)) = client.notices.pop() else { panic!("no notice") };
    assert_eq!((publication.message_id, publication.message.as_str()), (id, "text"));
    let target = [("TargetArn", TOPIC), ("Message", "text")];
    done(&mut client, "Publish", &target);

    let (most, more) = ("é".repeat(131_072), "é".repeat(131_072) + "x");
    done(&mut client, "Publish", &[("TopicArn", TOPIC), ("Message", &most)]);
    client.notices.clear();
    let long = refused(&mut client, "Publish", &[("TopicArn", TOPIC), ("Message", &more)]);
    assert_eq!(long, invalid("Message too long"));
    for (parameters, text) in [
        (publish("", &[]), "Empty message"),
        (publish("x", &[("Subject", "")]), "Subject"),
        (publish("x", &[("Subject", "two\nlines")]), "Subject"),
    ] {
        assert_eq!(refused(&mut client, "Publish", &parameters), invalid(text));
    }
    for (arn, elements) in [("randomstring", 1), ("randomstring:1", 2), ("", 1)] {
        let text = format!("TopicArn Reason: An ARN must have at least 6 elements, not {elements}");
        let parameters = [("TopicArn", arn), ("Message", "x")];
        assert_eq!(refused(&mut client, "Publish", &parameters), invalid(&text));
    }
    let unknown = [("TopicArn", &*format!("{TOPIC}-2")), ("Message", "x")];
    assert_eq!(refused(&mut client, "Publish", &unknown), not_found("Topic"));
    let structure = publish("{}", &[("MessageStructure", "json")]);
    assert_eq!(refused(&mut client, "Publish", &structure).1, "ValidationError");
    assert!(client.notices.is_empty());
}

#[test]
fn a_user_may_do_what_his_policies_say() {
    let mut client = with_topic();
    done(&mut client, "CreateTopic", &[("Name", "others")]);
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sns:Publish","Resource":"{TOPIC}"}}]}}"#
    );
    client.become_user("app");
    let key = client.key.clone();
    client.become_root();
    client.done(
        "PutUserPolicy",
        &[("UserName", "app"), ("PolicyName", "p"), ("PolicyDocument", &policy)],
    );
    client.key = key;
    done(&mut client, "Publish", &[("TopicArn", TOPIC), ("Message", "x")]);
    let others = "arn:aws:sns:us-east-1:111122223333:others";
    let denied = refused(&mut client, "Publish", &[("TopicArn", others), ("Message", "x")]);
    let text = format!(
        "User: arn:aws:iam::111122223333:user/app is not authorized to perform: SNS:Publish on resource: {others} \
         because no identity-based policy allows the SNS:Publish action"
    );
    assert_eq!(denied, (403, "AuthorizationError".into(), text));
    for (action, parameters) in [
        ("ListTopics", vec![]),
        ("CreateTopic", vec![("Name", "more")]),
        ("DeleteTopic", vec![("TopicArn", TOPIC)]),
        ("Unsubscribe", vec![("SubscriptionArn", TOPIC)]),
    ] {
        assert_eq!(refused(&mut client, action, &parameters).1, "AuthorizationError", "{action}");
    }
}

#[test]
fn nobody_may_do_more_by_a_url_than_confirm_and_unsubscribe() {
    let mut client = with_topic();
    for query in [
        format!("Action=DeleteTopic&TopicArn={TOPIC}"),
        "Action=ListTopics&Version=2010-03-31".to_owned(),
    ] {
        assert_eq!(by_url(&mut client, &query).refusal().1, "MissingAuthenticationToken");
    }
    assert_eq!(by_url(&mut client, "Action=Unsubscribe").refusal().1, "ValidationError");
    // a wrong signature is not treated as an absent one
    let confirm = Unsigned::sns("ConfirmSubscription", &[("TopicArn", TOPIC), ("Token", "00")]);
    client.key.1 = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKE0".into();
    assert_eq!(client.send(&confirm).refusal().1, "SignatureDoesNotMatch");
}
