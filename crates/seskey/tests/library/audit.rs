//! The findings of an audit, row by row of its table, and in accounts with planted findings.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use seskey::{
    Fleet,
    audit::{
        Audit, Console, Key, LastUse, Limits, Policies, Reach, Severity, Sign, Snapshot, User,
        audit, explain, kinds,
    },
    fleet::Credential,
    policy::{SendingPolicy, written},
    user::{SENDING_GROUP, SENDING_POLICY},
};

const ADMIN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

fn now() -> Timestamp {
    "2026-08-20T20:08:20Z".parse().unwrap()
}

fn ago(days: i64) -> Timestamp {
    now() - SignedDuration::from_hours(24 * days)
}

fn key(id: &str, age: i64, used: Option<i64>) -> Key {
    let last_use = used.map(|days| LastUse {
        at: ago(days),
        service: "ses-smtp".into(),
        region: "us-east-1".into(),
    });
    Key { id: Some(id.to_owned()), is_active: true, created: ago(age), last_use }
}

/// Returns a user as the SES console makes it today, with a key that sends.
fn healthy(name: &str) -> User {
    User {
        name: name.to_owned(),
        arn: format!("arn:aws:iam::123456789012:user/{name}"),
        created: Some(ago(30)),
        tags: vec![],
        groups: [SENDING_GROUP.to_owned()].into(),
        policies: Policies::default(),
        boundary: None,
        console: None,
        keys: vec![key("AKIAIOSFODNN7EXAMPLE", 30, Some(1))],
    }
}

fn account(users: Vec<User>) -> Snapshot {
    let sending = SendingPolicy::default().to_json().unwrap();
    let group = Policies { inline: vec![(SENDING_POLICY.into(), sending)], attached: vec![] };
    Snapshot {
        account: "123456789012".into(),
        now: now(),
        users,
        groups: [(SENDING_GROUP.to_owned(), group)].into(),
        managed: [(ADMIN.to_owned(), allow("*"))].into(),
        reach: Reach::default(),
    }
}

fn allow(action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"{action}","Resource":"*"}}}}"#
    )
}

fn judge(users: Vec<User>) -> Audit {
    audit(&account(users), None, &Limits::default())
}

/// Returns the findings on one user, except the informational ones.
fn found(user: User) -> Vec<&'static str> {
    let findings = judge(vec![user]).findings;
    let told = findings.iter().filter(|finding| finding.severity > Severity::Informational);
    told.map(|finding| finding.kind.id).collect()
}

fn tagged(tag: &str, value: &str) -> User {
    let mut user = healthy("app");
    user.tags.push((tag.into(), value.into()));
    user
}

/// Returns each finding, with a user that has no other.
fn planted() -> Vec<(&'static str, User)> {
    let with = |change: fn(&mut User)| {
        let mut user = healthy("app");
        change(&mut user);
        user
    };
    vec![
        ("key-old", with(|user| user.keys[0].created = ago(91))),
        ("key-unused", with(|user| user.keys = vec![key("AKIAI44QH8DHBEXAMPLE", 60, Some(46))])),
        ("key-never-used", with(|user| user.keys = vec![key("AKIAI44QH8DHBEXAMPLE", 46, None)])),
        ("two-active-keys", with(|user| user.keys.push(key("AKIAI44QH8DHBEXAMPLE", 10, Some(1))))),
        (
            "inactive-key",
            with(|user| {
                let old = key("AKIAI44QH8DHBEXAMPLE", 200, Some(100));
                user.keys.push(Key { is_active: false, ..old });
            }),
        ),
        ("stuck-note", tagged("seskey:intent", "before AKIAIOSFODNN7EXAMPLE")),
        ("stuck-note", tagged("seskey:hand-over", "by hand")),
        ("stuck-note", tagged("seskey:hand-over", "AKIAI44QH8DHBEXAMPLE 2026-08-01T00:00:00Z")),
        (
            "policy-too-wide",
            with(|user| {
                user.groups.insert("managers".into());
            }),
        ),
        (
            "direct-policy",
            with(|user| user.policies.inline.push(("mail".into(), allow("ses:SendRawEmail")))),
        ),
        (
            "console-password",
            with(|user| user.console = Some(Console { has_mfa: true, last_used: None })),
        ),
        ("cannot-send", with(|user| user.boundary = Some("arn:aws:iam::aws:policy/Other".into()))),
        ("region-differs", tagged("seskey:region", "eu-west-1")),
    ]
}

fn account_with_managers(users: Vec<User>) -> Snapshot {
    let mut account = account(users);
    let managers = Policies { inline: vec![("ses".into(), allow("ses:*"))], attached: vec![] };
    account.groups.insert("managers".into(), managers);
    account
}

#[test]
fn a_healthy_user_has_no_finding() {
    assert_eq!(found(healthy("app")), [""; 0]);
}

/// Each planted finding is found, and no other with it.
#[test]
fn each_is_found_alone() {
    for (id, user) in planted() {
        let audit = audit(&account_with_managers(vec![user]), None, &Limits::default());
        let told = audit.findings.iter().filter(|it| it.severity > Severity::Informational);
        assert_eq!(told.map(|finding| finding.kind.id).collect::<Vec<_>>(), [id]);
    }
}

#[test]
fn the_limits_are_those_that_are_given() {
    let mut user = healthy("app");
    user.keys[0] = key("AKIAIOSFODNN7EXAMPLE", 90, Some(45));
    assert_eq!(found(user.clone()), [""; 0]);
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    let strict = Limits { max_age: days(89), unused: days(44) };
    let audit = audit(&account(vec![user]), None, &strict);
    let ids: BTreeSet<&str> = audit.findings.iter().map(|finding| finding.kind.id).collect();
    assert!(ids.is_superset(&["key-old", "key-unused"].into()), "{ids:?}");
    assert_eq!(audit.oldest_key, Some(ago(90)));
    assert_eq!(audit.next_deadline, Some(ago(1)));
}

#[test]
fn a_key_from_before_passwords_had_a_region() {
    let mut user = healthy("app");
    user.keys[0].created = "2019-01-09T23:59:59Z".parse().unwrap();
    assert_eq!(found(user.clone()), ["key-old", "v2-age-key"]);
    user.keys[0].created = "2019-01-10T00:00:00Z".parse().unwrap();
    assert_eq!(found(user), ["key-old"]);
}

/// The two keys of a rotation are not leftovers before its times are over.
#[test]
fn a_rotation_under_way_is_no_finding() {
    let [old, new] = ["AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE"];
    let rotating = |handed_over: i64, retired: Option<i64>| {
        let mut user = healthy("app");
        user.keys.push(key(new, handed_over, Some(0)));
        user.tags.push(("seskey:hand-over".into(), format!("{new} {}", ago(handed_over))));
        if let Some(days) = retired {
            user.keys[0].is_active = false;
            user.tags.push(("seskey:retired".into(), format!("{old} {}", ago(days))));
        }
        user
    };
    assert_eq!(found(rotating(6, None)), [""; 0]);
    assert_eq!(found(rotating(9, None)), ["two-active-keys"]);
    assert_eq!(found(rotating(13, Some(6))), [""; 0]);
    assert_eq!(found(rotating(20, Some(9))), ["inactive-key"]);
    // the report has no IDs, and such a user needs no call of its own
    let mut user = rotating(13, Some(6));
    user.keys.iter_mut().for_each(|key| key.id = None);
    assert_eq!(found(user), [""; 0]);
}

#[test]
fn an_administrator_is_worse() {
    let mut user = healthy("app");
    user.policies.attached.push(("AdministratorAccess".into(), ADMIN.into()));
    let findings = judge(vec![user]).findings;
    assert_eq!((findings[0].kind.id, findings[0].severity), ("policy-too-wide", Severity::High));
}

#[test]
fn what_shows_that_a_user_sends() {
    let bare = |name: &str| User {
        groups: BTreeSet::new(),
        keys: vec![key("AKIAIOSFODNN7EXAMPLE", 30, None)],
        ..healthy(name)
    };
    let with = |change: fn(&mut User)| {
        let mut user = bare("app");
        change(&mut user);
        user
    };
    let inline = |name: &str, action: &str| {
        let mut user = bare("app");
        user.policies.inline.push((name.into(), allow(action)));
        user
    };
    let without_key = |mut user: User| {
        user.keys.clear();
        user
    };
    for (sign, user) in [
        (Some(Sign::UsedForSmtp), with(|user| user.keys = healthy("app").keys)),
        (Some(Sign::SendingGroup), without_key(healthy("app"))),
        (
            Some(Sign::ConsoleTag),
            with(|user| user.tags.push(("InvokedBy".into(), "SESConsole".into()))),
        ),
        (Some(Sign::ConsolePolicy), inline(SENDING_POLICY, "ses:GetSendQuota")),
        (Some(Sign::ConsoleName), bare("ses-smtp-user.20260820-200820")),
        (
            Some(Sign::Seskey),
            with(|user| user.tags.push(("seskey:region".into(), "us-east-1".into()))),
        ),
        (Some(Sign::MaySend), inline("mail", "ses:Send*")),
        (None, without_key(inline("mail", "ses:Send*"))),
        (Some(Sign::Could), inline("mail", "ses:*")),
        (Some(Sign::Could), inline("all", "*")),
        (None, inline("s3", "s3:*")),
        (None, bare("app")),
    ] {
        let name = user.name.clone();
        let audit = judge(vec![user]);
        let could = (audit.could_send == [name.clone()]).then_some(Sign::Could);
        assert_eq!(audit.senders.get(&name).copied().or(could), sign);
        if could.is_some() {
            assert_eq!(audit.findings, []);
        }
    }
}

/// Returns the rows of the file that are for this account.
fn declared() -> Vec<Credential> {
    let text = "[[credential]]\nuser = \"app\"\nregion = \"us-east-1\"\nto = [\"file:a.env\"]\n\n\
                [[credential]]\nuser = \"gone\"\nto = [\"file:b.env\", \"file:c?format=env\"]\n";
    Fleet::parse(text).unwrap().credentials
}

#[test]
fn what_the_file_declares() {
    let account = account(vec![healthy("app"), healthy("other")]);
    let audit = audit(&account, Some(&declared()), &Limits::default());
    let told = audit.findings.iter().filter(|it| it.severity > Severity::Informational);
    let told: Vec<_> =
        told.map(|it| (it.kind.id, it.user.as_str(), it.line, it.remedy.as_str())).collect();
    let toml = r#"# write a [[credential]] into seskey.toml, with user = "other", region = "us-east-1", and in to where it is delivered"#;
    let create = "seskey create --to 'file:b.env?format=env' --to 'file:c?format=env' gone";
    let expected =
        [("not-in-account", "gone", Some(7), create), ("not-in-fleet", "other", None, toml)];
    assert_eq!(told, expected);
}

/// For every kind of finding and every way to reach the account, no remedy is for another account.
#[test]
fn no_remedy_is_for_another_account() {
    let file = "[account.named]\nprofile = \"prod\"\n[account.role]\n\
                role-arn = \"arn:aws:iam::123456789012:role/fleet\"\n[account.default]\n\
                [[credential]]\nuser = \"x\"\naccount = \"named\"\nto = [\"file:a.env\"]\n";
    let fleet = Fleet::parse(file).unwrap();
    for (name, declared) in &fleet.accounts {
        for (_, user) in planted() {
            let mut account = account_with_managers(vec![user]);
            account.reach = Reach::declared(name, declared, false, None, None);
            for rows in [None, Some(&fleet.credentials[..])] {
                for finding in audit(&account, rows, &Limits::default()).findings {
                    let remedy = finding.remedy;
                    let commands =
                        remedy.matches("aws ").count() + remedy.matches("seskey ").count();
                    let named = remedy.matches(" --profile prod ").count();
                    assert!(remedy.starts_with("# ") || commands == named, "{name}: {remedy}");
                }
            }
        }
    }
}

#[test]
fn a_name_that_begins_as_an_option_does_is_none() {
    for (_, user) in planted() {
        let account = account_with_managers(vec![User { name: "-n".into(), ..user }]);
        for finding in audit(&account, None, &Limits::default()).findings {
            assert!(!finding.remedy.contains(" -n "), "{}", finding.remedy);
            let operand = finding.remedy.strip_suffix(" -n");
            assert!(operand.is_none_or(|rest| rest.ends_with(" --")), "{}", finding.remedy);
        }
    }
}

fn remedy_of(id: &str, user: User) -> String {
    let audit = audit(&account_with_managers(vec![user]), None, &Limits::default());
    audit.findings.into_iter().find(|it| it.kind.id == id).unwrap().remedy
}

#[test]
fn the_domain_is_to_be_filled_in() {
    assert!(written::address_pattern("*@<your domain>").is_err());
}

#[test]
fn a_wide_policy_is_replaced_and_one_of_a_group_is_not_hidden() {
    let mut user = healthy("app");
    user.groups.clear();
    user.policies.inline.push(("mail".into(), allow("ses:*")));
    assert_eq!(
        remedy_of("policy-too-wide", user.clone()),
        "policy=$(seskey policy --from '*@<your domain>') && aws iam put-user-policy --user-name app --policy-name mail \
         --policy-document \"$policy\""
    );
    assert!(remedy_of("direct-policy", user.clone()).starts_with("# "));
    user.groups.insert("managers".into());
    let remedy = remedy_of("policy-too-wide", user);
    assert!(remedy.starts_with("# ") && remedy.contains("managers"), "{remedy}");
    assert!(remedy_of("any-sender", healthy("app")).starts_with("# "));
}

#[test]
fn a_key_that_was_used_of_late_is_not_deleted_at_once() {
    for (used, at_once) in [(Some(6), false), (Some(8), true), (None, true)] {
        let mut user = healthy("app");
        let old = key("AKIAI44QH8DHBEXAMPLE", 200, used);
        user.keys.push(Key { is_active: false, ..old });
        assert_eq!(remedy_of("inactive-key", user).starts_with("aws iam delete"), at_once);
    }
}

#[test]
fn a_second_opinion() {
    let account = account(vec![healthy("app")]);
    let explained = explain(&account, None, &Limits::default(), "IAM.22", "app").unwrap();
    assert_eq!(explained.sign, Some(Sign::UsedForSmtp));
    assert_eq!(explained.findings, []);
    assert!(explained.verdict.contains("CloudTrail"), "{}", explained.verdict);
    assert_eq!(explain(&account, None, &Limits::default(), "IAM.22", "nobody"), None);
}

/// Of two thousand users, every seventh with a planted finding, exactly these findings are made.
#[test]
fn all_that_is_planted_is_found_and_nothing_is_invented() {
    let planted = planted();
    let mut expected = BTreeMap::<String, &str>::new();
    let users = (0..2_000).map(|number: usize| {
        let name = format!("app-{number}");
        if !number.is_multiple_of(7) {
            return healthy(&name);
        }
        let (id, user) = planted[number / 7 % planted.len()].clone();
        expected.insert(name.clone(), id);
        User { arn: format!("arn:aws:iam::123456789012:user/{name}"), name, ..user }
    });
    let account = account_with_managers(users.collect());
    let audit = audit(&account, None, &Limits::default());
    assert_eq!(audit.senders.len(), 2_000);
    let told = audit.findings.iter().filter(|it| it.severity > Severity::Informational);
    let told: Vec<_> = told.map(|it| (it.user.clone(), it.kind.id)).collect();
    assert_eq!(told.len(), expected.len());
    assert_eq!(told.into_iter().collect::<BTreeMap<_, _>>(), expected);
}

/// The page has a row for each kind of finding, with all its controls.
#[test]
fn each_is_documented() {
    let page = include_str!("../../../../docs/audit.md");
    let mut ids = BTreeSet::new();
    for kind in kinds() {
        assert!(ids.insert(kind.id), "{} is there twice", kind.id);
        let row = page.lines().find(|line| line.starts_with(&format!("| `{}` |", kind.id)));
        let row = row.unwrap_or_else(|| panic!("{} has no row", kind.id));
        let row = row.replace("as `key-unused`", page);
        assert!(row.contains(kind.severity.as_str()), "{row}");
        assert!(kind.controls.iter().all(|control| row.contains(control)), "{row}");
    }
}
