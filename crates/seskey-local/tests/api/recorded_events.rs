//! Events recorded from AWS: the same messages are sent again, and the events compared member by member, in order.
//!
//! Source of `data/recorded_events.json`: the snapshots that LocalStack's tests of SES took of AWS itself, with the
//! name of the test and the day. Random names are replaced by names of ours. `<date>`, `<number>`, `<id>` and `<any>`
//! stand for values that differ each time.

use std::collections::BTreeMap;

use rand::{SeedableRng, rngs::StdRng};
use serde::Deserialize;
use serde_json::Value;
use seskey_local::event::Event;

use crate::iam_client::{Client, Unsigned};

#[derive(Deserialize)]
struct Recording {
    test: String,
    recorded: String,
    operation: String,
    event: Value,
}

/// The members that differ, with the reasons.
const DIFFERS: [(&str, &str); 1] = [(
    "event.mail.tags",
    "the order of tags is that of a hash table at AWS: the recorded messages have them in different orders",
)];

#[test]
fn the_events_are_those_that_aws_sent() {
    let recordings: Vec<Recording> =
        serde_json::from_str(include_str!("../data/recorded_events.json")).unwrap();
    assert_eq!(recordings.len(), 4);
    for Recording { test, recorded, operation, event } in recordings {
        let events = events_of(&operation);
        let given = events.iter().find(|given| given["eventType"] == event["eventType"]).unwrap();
        let mut wrong = BTreeMap::new();
        compare(&event, given, "event", &mut wrong);
        wrong.retain(|place, _| DIFFERS.iter().all(|(known, _)| known != place));
        assert!(wrong.is_empty(), "{test} ({recorded}): {wrong:#?}");
    }
}

/// Returns the events of a message that is sent like in the recorded tests.
fn events_of(operation: &str) -> Vec<Value> {
    let mut client = Client::new();
    let common = [
        ("Source", "ann@example.com"),
        ("ConfigurationSetName", "news"),
        ("Tags.member.1.Name", "custom-tag"),
        ("Tags.member.1.Value", "tag-value"),
    ];
    let of_operation = match operation {
        "SendEmail" => vec![
            ("Destination.ToAddresses.member.1", "bob@example.org"),
            ("Message.Subject.Data", "hi"),
            ("Message.Body.Text.Data", "hi"),
            ("Message.Body.Html.Data", "<p>hi"),
        ],
        _ => vec![("Destinations.member.1", "bob@example.org"), ("RawMessage.Data", "")],
    };
    for (action, parameters) in [
        ("VerifyEmailIdentity", vec![("EmailAddress", "ann@example.com")]),
        ("CreateConfigurationSet", vec![("ConfigurationSet.Name", "news")]),
        (operation, [&common[..], &of_operation].concat()),
    ] {
        let reply = client.send(&Unsigned::ses(action, &parameters));
        assert_eq!(reply.status, 200, "{action}: {}", reply.body);
    }
    let dispatch = client.dispatches.pop().unwrap();
    let rng = &mut StdRng::seed_from_u64(1);
    let events = Event::of(&dispatch.mail, &dispatch.fates, client.now, rng);
    events.iter().map(Event::published).collect()
}

fn compare(expected: &Value, given: &Value, place: &str, wrong: &mut BTreeMap<String, String>) {
    let mut differs = || {
        wrong.insert(place.to_owned(), format!("{expected}, not {given}"));
    };
    match (expected, given) {
        (Value::Object(wanted), Value::Object(members)) => {
            if !wanted.keys().eq(members.keys()) {
                differs();
            }
            for (name, value) in wanted {
                let inner = format!("{place}.{name}");
                compare(value, members.get(name).unwrap_or(&Value::Null), &inner, wrong);
            }
        }
        (Value::Array(wanted), Value::Array(items)) if wanted.len() == items.len() => {
            for (n, (value, item)) in wanted.iter().zip(items).enumerate() {
                compare(value, item, &format!("{place}[{n}]"), wrong);
            }
        }
        (Value::String(wanted), _) if wanted.starts_with('<') => {
            let text = given.as_str().unwrap_or_default();
            let fits = match wanted.as_str() {
                "<date>" => text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok(),
                "<number>" => given.is_u64(),
                "<id>" => text.starts_with("0100") && text.ends_with("-000000"),
                _ => !text.is_empty(),
            };
            if !fits {
                differs();
            }
        }
        _ if expected == given => {}
        _ => differs(),
    }
}
