//! Policies as IAM reads and evaluates them: a table of cases, then properties of any policy.

use std::{borrow::Borrow, cell::Cell};

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use seskey::policy::{
    Context, Decision, Effect, Fault, MalformedPolicy, MissingAllow, Policy, PolicySource, Request,
    StatementRef, counted_size, evaluate,
};

/// A row of `data/policy/cases.json`, in the shape that `seskey policy check --request` takes.
#[derive(Deserialize)]
struct Case {
    why: String,
    expected: String,
    policies: Vec<Attached>,
    request: Asked,
}

#[derive(Deserialize)]
struct Attached {
    via: String,
    doc: Option<Value>,
    raw: Option<String>,
}

#[derive(Deserialize)]
struct Asked {
    action: String,
    resource: String,
    context: std::collections::BTreeMap<String, Vec<String>>,
}

#[test]
fn every_case_is_decided_as_documented() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../data/policy/cases.json"))
        .expect("the cases are JSON");
    assert!(cases.len() >= 120);
    let wrong: Vec<_> = cases.iter().filter(|case| decide(case) != case.expected).collect();
    assert!(
        wrong.is_empty(),
        "{}",
        wrong.iter().map(|c| format!("{}: not {}\n", c.why, c.expected)).collect::<String>()
    );
}

fn decide(case: &Case) -> &'static str {
    let attached: Result<Vec<_>, _> = case
        .policies
        .iter()
        .map(|attached| {
            let text = attached.doc.as_ref().map(Value::to_string);
            let text = text.or_else(|| attached.raw.clone()).expect("a case has doc or raw");
            let parse = match attached.via.as_str() {
                "resource" => Policy::parse_resource,
                "managed" | "boundary" => Policy::parse_managed,
                _ => Policy::parse,
            };
            parse(&text).map(|policy| (source(&attached.via), policy))
        })
        .collect();
    let Ok(attached) = attached else { return "reject" };
    let context: Context = case.request.context.iter().collect();
    let Asked { action, resource, .. } = &case.request;
    let request = Request { action, resource, context: &context };
    let decision = evaluate(attached.iter().map(|(source, policy)| (source, policy)), &request);
    if decision.is_allowed() { "allow" } else { "deny" }
}

fn source(via: &str) -> PolicySource {
    let name = "p".to_owned();
    match via {
        "inline" => PolicySource::Inline { name },
        "group" => PolicySource::Group { group: "g".to_owned(), name },
        "managed" => PolicySource::Managed { arn: name },
        "boundary" => PolicySource::Boundary { arn: name },
        "resource" => PolicySource::Resource { arn: "r".to_owned(), name },
        other => panic!("no such source: {other}"),
    }
}

#[test]
fn the_decision_names_the_statement() {
    let context = Context::new();
    let request = Request { action: "ses:SendRawEmail", resource: "*", context: &context };
    let allow = Policy::parse(
        r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},
                         {"Sid":"Send","Effect":"Allow","Action":"ses:*","Resource":"*"}]}"#,
    )
    .expect("a policy");
    let deny = Policy::parse(r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#)
        .expect("a policy");
    let limit = Policy::parse(r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#)
        .expect("a policy");
    let [inline, group, boundary] = ["inline", "group", "boundary"].map(source);

    let by_send = StatementRef { source: &inline, index: 1, sid: Some("Send") };
    assert_eq!(evaluate([(&inline, &allow)], &request), Decision::Allowed { by: by_send });
    assert_eq!(
        evaluate([(&inline, &allow), (&group, &deny)], &request),
        Decision::ExplicitDeny { by: StatementRef { source: &group, index: 0, sid: None } }
    );
    let missing = MissingAllow::Boundary { source: &boundary, allowed_by: by_send };
    assert_eq!(
        evaluate([(&boundary, &limit), (&inline, &allow)], &request),
        Decision::ImplicitDeny { missing }
    );
    assert_eq!(
        evaluate([(&boundary, &limit)], &request),
        Decision::ImplicitDeny { missing: MissingAllow::IdentityPolicy }
    );
    assert_eq!(by_send.to_string(), "statement Send of inline policy p");
    assert!(allow.may_allow("SES:SendRawEmail") && !limit.may_allow("ses:SendRawEmail"));
    assert!(!deny.may_allow("ses:SendRawEmail"));
}

#[test]
fn an_error_says_where_and_what() {
    let element = |path: &str, fault| MalformedPolicy::Element { path: path.to_owned(), fault };
    let statement = |rest: &str| {
        format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},{{{rest}}}]}}"#)
    };
    let ending = |rest: &str| {
        statement(&format!(r#""Effect":"Allow","Action":"ses:*","Resource":"*",{rest}"#))
    };
    for (text, error) in [
        ("{}".into(), element("", Fault::Missing("Statement"))),
        ("7".into(), element("", Fault::NotAnObject)),
        (r#"{"Version":"2012-10-17","Version":"x"}"#.into(), element("Version", Fault::Duplicate)),
        (r#"{"Statement":{"Effect":"grant"}}"#.into(), element("Statement.Effect", Fault::Effect)),
        (
            r#"{"Statement":{"Effect":"allow"}}"#.into(),
            element("Statement.Effect", Fault::EffectCase),
        ),
        (statement(""), element("Statement[1]", Fault::Missing("Effect"))),
        (
            statement(r#""Effect":"Deny","Action":["ses:*","Send"],"Resource":"*""#),
            element("Statement[1].Action[1]", Fault::Action),
        ),
        (
            statement(r#""Effect":"Deny","Action":["ses:*","Send"],"Resource":[]"#),
            element("Statement[1].Action[1]", Fault::Action),
        ),
        (
            statement(r#""Effect":"Deny","Action":["ses:*"],"Resource":[]"#),
            element("Statement[1]", Fault::NoResources),
        ),
        (
            statement(r#""Effect":"Deny","Action":"*","Resource":"*","NotResource":"*""#),
            element("Statement[1]", Fault::Both("Resource", "NotResource")),
        ),
        (ending(r#""Principal":"*""#), element("Statement[1].Principal", Fault::Principal)),
        (ending(r#""Conditon":{}"#), element("Statement[1].Conditon", Fault::UnknownElement)),
        (
            ending(r#""Condition":{"StringLikes":{"k":"v"}}"#),
            element("Statement[1].Condition.StringLikes", Fault::Operator),
        ),
        (
            ending(r#""Condition":{"DateEquals":{"aws:CurrentTime":["2026-01-01","x"]}}"#),
            element("Statement[1].Condition.DateEquals.aws:CurrentTime[1]", Fault::Date),
        ),
        (
            "{\n \"Statement\": [}".into(),
            MalformedPolicy::Syntax { line: 2, column: 16, reason: "expected value".into() },
        ),
        (
            "{\n \"\u{1F600}".into(),
            MalformedPolicy::Character { line: 2, column: 3, character: '\u{1F600}' },
        ),
    ] {
        assert_eq!(Policy::parse(&text).map(|_| ()), Err(error), "{text}");
    }
    let error = Policy::parse(&ending(r#""Sid":"a b""#)).expect_err("a blank in the Sid");
    assert_eq!(error.to_string(), "Statement[1].Sid: is not alphanumeric");
}

/// A stored policy is read again, and keeps its meaning.
#[test]
fn a_stored_policy_is_read_by_its_syntax_alone() {
    let statement = |resource: &str| {
        let statement = json!({"Effect": "Allow", "Action": "iam:*", "Resource": resource});
        json!({"Statement": statement}).to_string()
    };
    let of_region = statement("arn:aws:iam:us-east-1:111122223333:user/*");
    assert!(Policy::parse(&of_region).is_err());
    assert!(Policy::parse_managed(&statement("*")).is_err());
    let context = Context::new();
    let inline = source("inline");
    for (document, resource, expected) in [
        (&of_region, "arn:aws:iam:us-east-1:111122223333:user/a", true),
        (&of_region, "arn:aws:iam::111122223333:user/a", false),
        (&statement("*"), "arn:aws:iam::111122223333:user/a", true),
    ] {
        let policy = Policy::parse_stored(document).unwrap();
        let request = Request { action: "iam:GetUser", resource, context: &context };
        assert_eq!(evaluate([(&inline, &policy)], &request).is_allowed(), expected, "{resource}");
    }
    assert!(Policy::parse_stored("{}").is_err());
}

/// Without a resource, a policy shows whether it may allow an action, may deny it, allows it everywhere, and allows
/// nothing else.
#[test]
fn what_a_policy_says_of_an_action() {
    const SEND: &str = "ses:SendRawEmail";
    let statement = |effect: &str, action: Value, resource: Value| json!({"Effect": effect, "Action": action, "Resource": resource});
    let allow = |action: Value, resource: Value| statement("Allow", action, resource);
    let here = json!("arn:aws:ses:*:*:identity/*");
    let mut on_condition = allow(json!(SEND), json!("*"));
    on_condition["Condition"] = json!({"StringLike": {"ses:FromAddress": "*"}});
    let but_s3 = json!({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"});
    let but_here = json!({"Effect": "Allow", "Action": SEND, "NotResource": here});
    for (statements, expected) in [
        (json!([allow(json!(SEND), json!("*"))]), [true, false, true, true]),
        (json!([allow(json!("SES:sendrawemail"), json!([here, "*"]))]), [true, false, true, true]),
        (json!([allow(json!("ses:*"), json!("*"))]), [true, false, true, false]),
        (json!([allow(json!(["ses:SendEmail", SEND]), json!("*"))]), [true, false, true, false]),
        (json!([allow(json!(SEND), here.clone())]), [true, false, false, true]),
        (json!([allow(json!(SEND), json!("arn:aws:ses:*:*:*"))]), [true, false, false, true]),
        (json!([on_condition]), [true, false, false, true]),
        (json!([but_here]), [true, false, false, true]),
        (json!([but_s3]), [true, false, true, false]),
        (json!([allow(json!("ses:SendEmail"), json!("*"))]), [false, false, false, false]),
        (
            json!([
                allow(json!(SEND), json!("*")),
                statement("Deny", json!("ses:*"), here.clone())
            ]),
            [true, true, true, true],
        ),
    ] {
        let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let policy = Policy::parse(&document).unwrap();
        let says = [
            policy.may_allow(SEND),
            policy.may_deny(SEND),
            policy.allows_everywhere(SEND),
            policy.allows_nothing_but(SEND),
        ];
        assert_eq!(says, expected, "{document}");
    }
}

#[test]
fn white_space_does_not_count() {
    assert_eq!(counted_size("{ \"Version\" :\r\n\t\"2012-10-17\" }"), 24);
}

const ACTIONS: [&str; 5] = ["*", "ses:*", "ses:SendRawEmail", "ses:Send?awEmail", "iam:*"];
const RESOURCES: [&str; 4] = [
    "*",
    "arn:aws:ses:*:*:identity/*",
    "arn:aws:ses:us-east-1:111122223333:identity/${aws:username}",
    "arn:aws:ses:us-east-1:111122223333:configuration-set/prod",
];
const KEYS: [&str; 3] = ["ses:FromAddress", "ses:Recipients", "aws:username"];
const VALUES: [&str; 6] = ["", "jane", "*", "j*", "${aws:username}", "10"];
const OPERATORS: [&str; 10] = [
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringNotLikeIfExists",
    "ForAllValues:StringLike",
    "ForAnyValue:StringNotLike",
    "NumericLessThan",
    "NumericNotEquals",
    "NotIpAddress",
    "ArnNotLike",
];

fn any_statement(effect: &'static str) -> impl Strategy<Value = Value> {
    use prop::sample::{select, subsequence};
    let condition = (select(&OPERATORS[..]), select(&KEYS[..]), subsequence(&VALUES[..], 1..3))
        .prop_map(|(operator, key, values)| json!({ operator: { key: values } }));
    let conditions = prop_oneof![Just(json!({})), condition];
    let names = (select(vec!["Action", "NotAction"]), select(vec!["Resource", "NotResource"]));
    (names, select(&ACTIONS[..]), select(&RESOURCES[..]), conditions).prop_map(
        move |((actions, resources), action, resource, condition)| {
            json!({ "Effect": effect, actions: action, resources: resource, "Condition": condition })
        },
    )
}

fn any_statements(most: usize) -> impl Strategy<Value = Vec<Value>> {
    let statement = prop_oneof![any_statement("Allow"), any_statement("Deny")];
    prop::collection::vec(statement, 1..=most)
}

fn any_context() -> impl Strategy<Value = Context> {
    use prop::sample::subsequence;
    let values = || subsequence(vec!["", "jane", "joe", "9", "10", "*"], 0..3);
    (values(), values(), values()).prop_map(|(a, b, c)| KEYS.into_iter().zip([a, b, c]).collect())
}

fn policy(statements: &[Value]) -> Policy {
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    Policy::parse(&document.to_string()).expect("made of what IAM stores")
}

/// Whether the policies, each inline, allow each of a few requests.
fn allowed(policies: &[&Policy], context: &Context) -> Vec<bool> {
    let inline = source("inline");
    let resources = ["identity/jane", "identity/joe", "configuration-set/prod"];
    let decide = |name: &str| {
        let resource = &format!("arn:aws:ses:us-east-1:111122223333:{name}");
        let request = Request { action: "ses:SendRawEmail", resource, context };
        evaluate(policies.iter().map(|policy| (&inline, *policy)), &request).is_allowed()
    };
    resources.map(decide).to_vec()
}

/// Whether nothing is allowed after that was not allowed before.
fn no_more(before: &[bool], after: &[bool]) -> bool {
    before.iter().zip(after).all(|(before, after)| *before || !*after)
}

proptest! {
    #[test]
    fn a_deny_more_never_grants(
        statements in any_statements(4),
        deny in any_statement("Deny"),
        context in any_context(),
    ) {
        let (old, deny) = (policy(&statements), policy(&[deny]));
        prop_assert!(no_more(&allowed(&[&old], &context), &allowed(&[&old, &deny], &context)));
    }

    #[test]
    fn an_allow_less_never_grants(statements in any_statements(5), context in any_context()) {
        let before = allowed(&[&policy(&statements)], &context);
        for index in 0..statements.len() {
            let mut fewer = statements.clone();
            if fewer.remove(index)["Effect"] == "Allow" && !fewer.is_empty() {
                prop_assert!(no_more(&before, &allowed(&[&policy(&fewer)], &context)));
            }
        }
    }

    #[test]
    fn the_order_changes_nothing(statements in any_statements(5), context in any_context()) {
        let mut turned = statements.clone();
        turned.reverse();
        let split: Vec<_> = turned.iter().map(|one| policy(std::slice::from_ref(one))).collect();
        let together = allowed(&[&policy(&statements)], &context);
        prop_assert_eq!(&together, &allowed(&[&policy(&turned)], &context));
        prop_assert_eq!(&together, &allowed(&split.iter().collect::<Vec<_>>(), &context));
    }

    #[test]
    fn a_boundary_only_takes_away(
        statements in any_statements(3),
        limit in any_statements(3),
        context in any_context(),
    ) {
        let (granted, limit) = (policy(&statements), policy(&limit));
        let (inline, boundary) = (source("inline"), source("boundary"));
        let resource = "arn:aws:ses:us-east-1:111122223333:identity/jane";
        let request = Request { action: "ses:SendRawEmail", resource, context: &context };
        let both = evaluate([(&boundary, &limit), (&inline, &granted)], &request).is_allowed();
        let each = evaluate([(&inline, &granted)], &request).is_allowed()
            && evaluate([(&inline, &limit)], &request).is_allowed();
        prop_assert_eq!(both, each);
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".*") {
        let _ = Policy::parse(&text);
    }

    #[test]
    fn a_damaged_policy_is_read_or_refused(
        statements in any_statements(3),
        cut in 0.0..1.0,
        inserted in r#"[{}\[\]",:*$ a-zé]{0,3}"#,
    ) {
        let mut text = json!({ "Statement": statements }).to_string();
        text.insert_str((cut * text.len() as f64) as usize, &inserted);
        if let Ok(policy) = Policy::parse(&text) {
            prop_assert_eq!(policy.statements().len(), statements.len());
            prop_assert!(policy.statements().iter().all(|s| matches!(s.effect(), Effect::Allow | Effect::Deny)));
        }
    }
}

/// Only a policy that needs the context asks for it: computing one for each message takes longer than deciding.
#[test]
fn a_context_is_asked_for_by_those_who_need_it() {
    struct Watched(Context, Cell<bool>);
    impl Borrow<Context> for Watched {
        fn borrow(&self) -> &Context {
            self.1.set(true);
            &self.0
        }
    }
    let statement = |rest: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"ses:*",{rest}}}}}"#
        )
    };
    let condition = r#""Resource":"*","Condition":{"StringEquals":{"ses:FromAddress":"a@b.c"}}"#;
    for (rest, expected) in [
        (r#""Resource":"*""#, false),
        (r#""Resource":"arn:aws:ses:*:*:identity/b.c""#, false),
        (r#""Resource":"arn:aws:ses:*:*:identity/${aws:username}""#, true),
        (condition, true),
    ] {
        let policy = Policy::parse(&statement(rest)).unwrap();
        let context = Watched(Context::new(), Cell::new(false));
        let resource = "arn:aws:ses:us-east-1:111122223333:identity/b.c";
        let request = Request { action: "ses:SendRawEmail", resource, context: &context };
        evaluate([(&source("inline"), &policy)], &request);
        assert_eq!(context.1.get(), expected, "{rest}");
    }
}
