//! AWS's recorded answers: each request is made again, and the answer is compared field by field and word by word.
//!
//! Source of the answers in `data/recorded.json`: the snapshots that LocalStack's tests of IAM, STS, SES and SNS took
//! of AWS itself, with the name of the test and the day. Random names and the account number are replaced by ours.
//! `<…>` stands for a value that is the same wherever it occurs, `<any>` for any value, `<date>` for any time.

use std::collections::BTreeMap;

use quick_xml::events::Event;
use serde::Deserialize;
use serde_json::{Map, Value};
use seskey_local::sending::{Quota, Settings};

use crate::iam_client::{Client, Reply, Unsigned};

#[derive(Deserialize)]
struct Recording {
    test: String,
    recorded: String,
    #[serde(default)]
    sandbox: bool,
    steps: Vec<Step>,
}

/// A request, and AWS's answer if it was recorded.
#[derive(Deserialize)]
struct Step {
    call: String,
    with: Map<String, Value>,
    answer: Option<Value>,
    refused: Option<(u16, String, String)>,
    /// The access key that signs the request, if it is not the root user's.
    signed_by: Option<[String; 2]>,
    /// The members in which the answer differs, with the reasons.
    #[serde(default)]
    differs: BTreeMap<String, String>,
}

/// The values of the placeholders.
type Bound = BTreeMap<String, String>;

#[test]
fn the_answers_are_those_that_aws_gave() {
    let recordings: Vec<Recording> =
        serde_json::from_str(include_str!("../data/recorded.json")).unwrap();
    let wrong: Vec<String> = recordings.iter().flat_map(replay).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(recordings.len(), 72);
}

/// Operations that were recorded and are not served are refused.
#[test]
fn what_is_not_served_is_not_answered() {
    let mut client = Client::new();
    for operation in NOT_SERVED {
        let request = match operation.split_once(':') {
            Some(("sts", name)) => Unsigned::sts(name, &[]),
            Some((_, name)) => Unsigned::ses(name, &[]),
            None => Unsigned::iam(operation, &[]),
        };
        assert_eq!(client.send(&request).refusal().1, "InvalidAction", "{operation}");
    }
}

const NOT_SERVED: [&str; 7] = [
    "CreateServiceLinkedRole",
    "DeleteServiceLinkedRole",
    "GetServiceLinkedRoleDeletionStatus",
    "GetServerCertificate",
    "UploadServerCertificate",
    "sts:GetFederationToken",
    "ses:CloneReceiptRuleSet",
];

fn replay(recording: &Recording) -> Vec<String> {
    let mut client = Client::new();
    if recording.sandbox {
        client.settings = Settings { sandbox: true, quota: Quota::SANDBOX };
    }
    let mut bound = Bound::new();
    let mut wrong = Vec::new();
    for step in &recording.steps {
        let reply = make(&mut client, step, &bound);
        let mut differences = BTreeMap::new();
        match (&step.answer, &step.refused) {
            (_, Some(refused)) if reply.status == 200 || reply.refusal() != *refused => {
                differences.insert("refused".to_owned(), format!("{refused:?}: {}", reply.body));
            }
            (_, Some(_)) => {}
            (_, None) if reply.status != 200 => {
                differences.insert("status".to_owned(), reply.body.clone());
            }
            (Some(answer), None) => {
                let operation = step.call.rsplit(':').next().unwrap();
                let given = result(&reply.body, operation);
                compare(answer, &given, "", &mut bound, &mut differences);
            }
            (None, None) => {}
        }
        differences.retain(|place, _| !step.differs.contains_key(place));
        wrong.extend(differences.into_iter().map(|(place, difference)| {
            let Recording { test, recorded, .. } = recording;
            format!("{test} ({recorded}), {}: {place}: {difference}", step.call)
        }));
    }
    wrong
}

fn make(client: &mut Client, step: &Step, bound: &Bound) -> Reply {
    let text = |value: &Value| match value {
        Value::String(text) => bound.get(text).cloned().unwrap_or_else(|| text.clone()),
        document => document.to_string(),
    };
    let with: Vec<(&str, String)> =
        step.with.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
    let with: Vec<(&str, &str)> =
        with.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let request = match step.call.split_once(':') {
        Some(("sts", name)) => Unsigned::sts(name, &with),
        Some(("sns", name)) => Unsigned::sns(name, &with),
        Some((_, name)) => Unsigned::ses(name, &with),
        None => Unsigned::iam(&step.call, &with),
    };
    if let Some([id, secret]) = &step.signed_by {
        client.key = (bound[id].clone(), bound[secret].clone());
    }
    let reply = client.send(&request);
    client.become_root();
    reply
}

/// An XML node: its child elements, or its text.
#[derive(Debug, Clone)]
enum Node {
    Text(String),
    Elements(Vec<(String, Self)>),
}

impl Node {
    /// Returns the key and the value of an entry of a map.
    fn into_entry(self) -> (String, Self) {
        let Self::Elements(parts) = self else { panic!("{self:?}") };
        let [(_, Self::Text(key)), (_, value)] = <[_; 2]>::try_from(parts).unwrap() else {
            panic!("no entry")
        };
        (key, value)
    }
}

/// Returns the content of the result in an answer.
fn result(document: &str, operation: &str) -> Node {
    let mut reader = quick_xml::Reader::from_str(document);
    let Node::Elements(root) = node(&mut reader) else { panic!("{document}") };
    let Some((_, Node::Elements(response))) = root.into_iter().next() else { panic!("{document}") };
    let wanted = format!("{operation}Result");
    let found = response.into_iter().find(|(name, _)| *name == wanted);
    found.map_or(Node::Text(String::new()), |(_, node)| node)
}

fn node(reader: &mut quick_xml::Reader<&[u8]>) -> Node {
    let (mut elements, mut text) = (Vec::new(), String::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                let name = start.name().as_ref().to_owned();
                elements.push((name, node(reader)));
            }
            Event::Text(part) => text.push_str(part.as_ref()),
            Event::GeneralRef(name) => {
                let escaped = format!("&{};", AsRef::<str>::as_ref(&name));
                text.push_str(&quick_xml::escape::unescape(&escaped).unwrap());
            }
            Event::End(_) | Event::Eof if elements.is_empty() => return Node::Text(text),
            Event::End(_) | Event::Eof => return Node::Elements(elements),
            other => panic!("{other:?}"),
        }
    }
}

fn compare(
    expected: &Value,
    given: &Node,
    place: &str,
    bound: &mut Bound,
    differences: &mut BTreeMap<String, String>,
) {
    let mut differs = || {
        differences.insert(place.to_owned(), format!("{expected}, not {given:?}"));
    };
    match (expected, given) {
        (Value::Object(members), Node::Text(text))
            if text.starts_with("%7B") || text.starts_with('{') =>
        {
            let text = percent_encoding::percent_decode_str(text).decode_utf8().unwrap();
            let document: Value = serde_json::from_str(&text).unwrap();
            if document != Value::Object(members.clone()) {
                differs();
            }
        }
        (Value::Object(members), Node::Text(text)) if members.is_empty() && text.is_empty() => {}
        (Value::Array(items), Node::Text(text)) if items.is_empty() && text.is_empty() => {}
        (Value::Object(_), Node::Elements(elements))
            if elements.iter().all(|(name, _)| name == "entry") =>
        {
            let map = elements.iter().map(|(_, entry)| entry.clone().into_entry()).collect();
            compare(expected, &Node::Elements(map), place, bound, differences);
        }
        (Value::Object(members), Node::Elements(elements)) => {
            let inner = |name: &str| [place, name].join(if place.is_empty() { "" } else { "." });
            for (name, expected) in members {
                match elements.iter().find(|(other, _)| other == name) {
                    Some((_, given)) => compare(expected, given, &inner(name), bound, differences),
                    None => {
                        differences.insert(inner(name), format!("{expected} is missing"));
                    }
                }
            }
            for (name, given) in elements.iter().filter(|(name, _)| !members.contains_key(name)) {
                differences.insert(inner(name), format!("{given:?} is too much"));
            }
        }
        (Value::Array(items), Node::Elements(elements)) if items.len() == elements.len() => {
            for (n, (expected, (name, given))) in items.iter().zip(elements).enumerate() {
                assert_eq!(name, "member");
                compare(expected, given, &format!("{place}[{n}]"), bound, differences);
            }
        }
        (Value::String(wanted), Node::Text(text)) if wanted.starts_with('<') => {
            let same = match wanted.split_once('>') {
                Some(("<any", "")) => !text.is_empty(),
                Some(("<date", "")) => text.parse::<jiff::Timestamp>().is_ok(),
                Some((name, rest)) => text.strip_suffix(rest).is_some_and(|text| {
                    let value = bound.entry(format!("{name}>")).or_insert_with(|| text.to_owned());
                    !text.is_empty() && value == text
                }),
                None => false,
            };
            if !same {
                differs();
            }
        }
        (Value::String(wanted), Node::Text(text)) if wanted == text => {}
        (Value::Bool(_) | Value::Number(_), Node::Text(text))
            if serde_json::from_str::<Value>(text).is_ok_and(|given| given == *expected) => {}
        _ => differs(),
    }
}
