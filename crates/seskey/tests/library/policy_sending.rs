//! The sending policy: its text, and the exact extent of what it allows.

use proptest::{prelude::*, sample::subsequence};
use serde_json::{Value, json};
use seskey::{
    Partition, Region,
    policy::{
        Context, Policy, PolicySource, Reach, Request, SendingPolicy, SendingPolicyError, evaluate,
    },
};

#[test]
fn without_a_restriction_it_is_the_consoles() {
    let console = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "ses:SendRawEmail", "Resource": "*" }],
    });
    let paris = Region::parse("eu-west-3").expect("a region");
    for policy in [
        SendingPolicy::default(),
        SendingPolicy { reach: Reach::Region(paris), ..SendingPolicy::default() },
    ] {
        assert_eq!(policy.to_value(), Ok(console.clone()));
        assert_eq!(policy.to_json(), Ok(format!("{console:#}")));
    }
}

#[test]
fn with_every_restriction_it_is_one_statement() {
    let policy = SendingPolicy {
        reach: Reach::Region(Region::parse("us-gov-west-1").expect("a region")),
        account: Some("111122223333".into()),
        identities: vec!["example.com".into(), "jane@example.org".into()],
        configuration_sets: vec!["prod".into()],
        from_addresses: vec!["*@example.com".into()],
        recipients: vec!["*@example.com".into(), "*@example.net".into()],
        source_ips: vec!["203.0.113.0/24".into(), "2001:db8::1".into()],
    };
    let expected = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": "ses:SendRawEmail",
            "Resource": [
                "arn:aws-us-gov:ses:us-gov-west-1:111122223333:identity/example.com",
                "arn:aws-us-gov:ses:us-gov-west-1:111122223333:identity/jane@example.org",
                "arn:aws-us-gov:ses:us-gov-west-1:111122223333:configuration-set/prod",
            ],
            "Condition": {
                "StringLike": { "ses:FromAddress": "*@example.com" },
                "ForAllValues:StringLike": { "ses:Recipients": ["*@example.com", "*@example.net"] },
                "IpAddress": { "aws:SourceIp": ["203.0.113.0/24", "2001:db8::1"] },
            },
        }],
    });
    assert_eq!(policy.to_json(), Ok(format!("{expected:#}")));
}

#[test]
fn a_configuration_set_alone_leaves_every_identity() {
    let policy = SendingPolicy {
        reach: Reach::Partition(Partition::AwsCn),
        configuration_sets: vec!["prod".into()],
        ..SendingPolicy::default()
    };
    let resources =
        json!(["arn:aws-cn:ses:*:*:identity/*", "arn:aws-cn:ses:*:*:configuration-set/prod"]);
    assert_eq!(policy.to_value().expect("a policy")["Statement"][0]["Resource"], resources);
}

#[test]
fn what_iam_would_not_store_or_misread_is_refused() {
    use SendingPolicyError as E;
    type Set = fn(&mut SendingPolicy, String);
    let identity: (Set, fn(String) -> E) =
        (|policy, text| policy.identities.push(text), |given| E::Identity { given });
    let configuration_set: (Set, fn(String) -> E) = (
        |policy, text| policy.configuration_sets.push(text),
        |given| E::ConfigurationSet { given },
    );
    let from: (Set, fn(String) -> E) =
        (|policy, text| policy.from_addresses.push(text), |given| E::AddressPattern { given });
    let recipient: (Set, fn(String) -> E) =
        (|policy, text| policy.recipients.push(text), |given| E::AddressPattern { given });
    let source_ip: (Set, fn(String) -> E) =
        (|policy, text| policy.source_ips.push(text), |given| E::SourceIp { given });
    let account: (Set, fn(String) -> E) =
        (|policy, text| policy.account = Some(text), |given| E::Account { given });
    for ((set, error), refused) in [
        (
            identity,
            vec![
                "",
                "*",
                "*.example.com",
                "a b",
                "${aws:username}",
                "x/y",
                "\u{4e2d}.cn",
                "a\nb",
                "Example.com",
                "example.com.",
            ],
        ),
        (configuration_set, vec!["", "*", "a.b", "a b", &"a".repeat(65)]),
        (
            from,
            vec![
                "",
                " ",
                "a b@example.com",
                "\u{1F600}@example.com",
                "a\u{0}",
                "example.com",
                "@example.com",
                "a@Example.com",
                "a@example.com,b@example.com",
            ],
        ),
        (recipient, vec!["", "\t", "example.net"]),
        (source_ip, vec!["", "203.0.113.0/33", "203.0.113.*", "2001:db8::/129", "localhost"]),
        (account, vec!["", "1234", "11112222333a", "1111222233334"]),
    ] {
        for text in refused {
            let mut policy = SendingPolicy::default();
            set(&mut policy, text.to_owned());
            assert_eq!(policy.to_value(), Err(error(text.to_owned())), "{text:?}");
        }
    }
}

const IDENTITIES: [&str; 3] = ["example.com", "example.org", "jane@example.com"];
const CONFIGURATION_SETS: [&str; 2] = ["prod", "test"];
const PATTERNS: [&str; 4] = ["*@example.com", "jane@example.com", "j???@example.org", "*"];
const ADDRESSES: [&str; 5] =
    ["jane@example.com", "joe@example.com", "jane@example.org", "Jane@Example.com", "x@evil.net"];
const BLOCKS: [&str; 3] = ["203.0.113.0/24", "198.51.100.7", "2001:db8::/32"];
const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];

/// The `ADDRESSES` that each of `PATTERNS` matches, and below the `SOURCES` that each of `BLOCKS` contains: by hand.
const MATCHED: [[bool; 5]; 4] = [
    [true, true, false, false, false],
    [true, false, false, false, false],
    [false, false, true, false, false],
    [true, true, true, true, true],
];
const SOURCES: [&str; 4] = ["203.0.113.200", "198.51.100.7", "198.51.100.8", "2001:db8::9"];
const CONTAINED: [[bool; 4]; 3] =
    [[true, false, false, false], [false, true, false, false], [false, false, false, true]];

fn names(all: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    subsequence(all, 0..=all.len()).prop_map(|some| some.into_iter().map(str::to_owned).collect())
}

fn any_sending_policy() -> impl Strategy<Value = SendingPolicy> {
    let reach = prop_oneof![
        Just(Reach::default()),
        prop::sample::select(&REGIONS[..])
            .prop_map(|code| Reach::Region(Region::parse(code).expect("a region"))),
    ];
    let account = prop::option::of(Just("111122223333".to_owned()));
    let lists = (
        names(&IDENTITIES),
        names(&CONFIGURATION_SETS),
        names(&PATTERNS),
        names(&PATTERNS),
        names(&BLOCKS),
    );
    (reach, account, lists).prop_map(
        |(
            reach,
            account,
            (identities, configuration_sets, from_addresses, recipients, source_ips),
        )| {
            SendingPolicy {
                reach,
                account,
                identities,
                configuration_sets,
                from_addresses,
                recipients,
                source_ips,
            }
        },
    )
}

/// One permission that a message needs.
#[derive(Debug, Clone)]
struct Asked {
    action: &'static str,
    region: &'static str,
    account: &'static str,
    kind: &'static str,
    name: &'static str,
    from: usize,
    recipients: Vec<usize>,
    source: usize,
}

fn any_asked() -> impl Strategy<Value = Asked> {
    use prop::sample::select;
    let resource = prop_oneof![
        select(&IDENTITIES[..]).prop_map(|name| ("identity", name)),
        select(&CONFIGURATION_SETS[..]).prop_map(|name| ("configuration-set", name)),
    ];
    let action = prop_oneof![9 => Just("ses:SendRawEmail"), 1 => Just("ses:SendEmail")];
    let account = select(vec!["111122223333", "999999999999"]);
    let message = (0..ADDRESSES.len(), subsequence(vec![0, 1, 2, 3, 4], 1..4), 0..SOURCES.len());
    (action, select(&REGIONS[..]), account, resource, message).prop_map(
        |(action, region, account, (kind, name), (from, recipients, source))| Asked {
            action,
            region,
            account,
            kind,
            name,
            from,
            recipients,
            source,
        },
    )
}

/// Whether the fields of a sending policy allow the request, evaluated without IAM.
fn should_allow(policy: &SendingPolicy, asked: &Asked) -> bool {
    let position =
        |all: &[&str], text: &String| all.iter().position(|one| one == text).expect("one of all");
    let matched = |patterns: &[String], address: usize| {
        patterns.is_empty()
            || patterns.iter().any(|text| MATCHED[position(&PATTERNS, text)][address])
    };
    let unnamed = policy.identities.is_empty() && policy.configuration_sets.is_empty();
    let named = match asked.kind {
        "identity" => {
            policy.identities.is_empty() || policy.identities.iter().any(|name| name == asked.name)
        }
        _ => policy.configuration_sets.iter().any(|name| name == asked.name),
    };
    let there = match &policy.reach {
        Reach::Region(region) => region.as_str() == asked.region,
        Reach::Partition(_) => true,
    } && policy.account.as_ref().is_none_or(|account| account == asked.account);
    let sources = &policy.source_ips;
    asked.action == "ses:SendRawEmail"
        && (unnamed || (named && there))
        && matched(&policy.from_addresses, asked.from)
        && asked.recipients.iter().all(|recipient| matched(&policy.recipients, *recipient))
        && (sources.is_empty()
            || sources.iter().any(|block| CONTAINED[position(&BLOCKS, block)][asked.source]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn it_allows_exactly_what_it_says(sending in any_sending_policy(), asked in any_asked()) {
        let text = sending.to_json().expect("valid fields");
        let policy = Policy::parse(&text).expect("what is written is read");
        let Asked { action, region, account, kind, name, .. } = &asked;
        let resource = &format!("arn:aws:ses:{region}:{account}:{kind}/{name}");
        let context = Context::new()
            .with("ses:FromAddress", [ADDRESSES[asked.from]])
            .with("ses:Recipients", asked.recipients.iter().map(|index| ADDRESSES[*index]))
            .with("aws:SourceIp", [SOURCES[asked.source]]);
        let source = PolicySource::Inline { name: "AmazonSesSendingAccess".into() };
        let request = Request { action, resource, context: &context };
        let decision = evaluate([(&source, &policy)], &request);
        prop_assert_eq!(decision.is_allowed(), should_allow(&sending, &asked), "{}", text);
    }

    #[test]
    fn whatever_the_fields_hold_what_is_written_is_read(
        identities in prop::collection::vec(".{0,8}", 0..3),
        configuration_sets in prop::collection::vec("[a*./ ]{0,4}", 0..3),
        from_addresses in prop::collection::vec(".{0,8}", 0..3),
        source_ips in prop::collection::vec("[0-9a-f.:/]{0,9}", 0..3),
    ) {
        let sending =
            SendingPolicy { identities, configuration_sets, from_addresses, source_ips, ..Default::default() };
        if let Ok(text) = sending.to_json() {
            prop_assert!(Policy::parse(&text).is_ok(), "{}", text);
            let value: Value = serde_json::from_str(&text)?;
            prop_assert_eq!(Ok(value), sending.to_value());
        }
    }
}
