//! `seskey.toml`: what is read from it, and what is wrong with it.

use std::{collections::BTreeSet, path::Path};

use jiff::SignedDuration;
use proptest::prelude::*;
use seskey::{
    Fleet, Region,
    fleet::{Account, DEFAULT_ACCOUNT, KEYS, Table},
    rotation::Goal,
};

const EXAMPLE: &str = include_str!("../../../../contrib/seskey.toml");
const DOCUMENTATION: &str = include_str!("../../../../docs/fleet.md");

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

#[test]
fn the_whole_example() {
    let fleet = Fleet::parse(EXAMPLE).unwrap();
    assert_eq!((fleet.concurrency.get(), fleet.calls_per_second.get()), (32, 10));
    let prod = &fleet.accounts["prod"];
    assert_eq!(prod.profile.as_deref(), Some("prod"));
    assert_eq!(prod.role_arn.as_deref(), Some("arn:aws:iam::111122223333:role/seskey"));
    assert_eq!(prod.external_id.as_deref(), Some("mail-operations"));
    let local = &fleet.accounts["local"];
    assert_eq!(local.endpoint_url.as_deref(), Some("http://127.0.0.1:4566"));
    assert_eq!(local.smtp_endpoint.as_deref(), Some("127.0.0.1:2587"));
    assert_eq!(local.ca_file.as_deref(), Some(Path::new("ca.pem")));
    let users: Vec<_> = fleet.credentials.iter().map(|one| one.user.as_str()).collect();
    assert_eq!(users, ["prod-mailer", "newsletter", "app"]);

    let [mailer, newsletter, _] = &fleet.credentials[..] else { panic!() };
    assert_eq!((&*mailer.account, mailer.path.as_str()), ("prod", "/mail/"));
    assert_eq!(mailer.region, Some(Region::parse("us-east-1").unwrap()));
    assert_eq!(mailer.goal, Goal::days(30, 7, 7).unwrap());
    assert!(mailer.wait_unused && !mailer.create);
    assert!(mailer.after.as_deref().unwrap().ends_with("systemctl reload postfix"));
    let stores: Vec<_> = mailer.stores.iter().map(ToString::to_string).collect();
    let sasl = "file:/etc/postfix/sasl_passwd?format=postfix-sasl";
    assert_eq!(stores, ["secretsmanager:prod/smtp", sasl]);

    assert_eq!(newsletter.region, Some(Region::parse("eu-west-1").unwrap()));
    assert_eq!(newsletter.goal, Goal::new(hours(2160), hours(336), hours(12)).unwrap());
    assert_eq!(newsletter.from, ["*@example.com", "*@news.example.com"]);
    assert!(newsletter.create && !newsletter.wait_unused);

    // the example shows every key
    for key in KEYS {
        let shown = EXAMPLE.lines().any(|line| line.starts_with(&format!("{} = ", key.name)));
        let header = EXAMPLE.lines().any(|line| line.trim_matches('[').starts_with(key.name));
        assert!(shown || header, "{} is not in the example", key.name);
    }
}

#[test]
fn nothing_need_be_said_but_user_and_store() {
    let fleet = Fleet::parse("[[credential]]\nuser = \"app\"\nto = [\"ssm:/app/smtp\"]").unwrap();
    let [app] = &fleet.credentials[..] else { panic!() };
    assert_eq!(fleet.accounts[DEFAULT_ACCOUNT], Account::default());
    assert_eq!((&*app.account, app.path.as_str(), &app.region), (DEFAULT_ACCOUNT, "/", &None));
    assert_eq!(app.goal, Goal::days(90, 7, 7).unwrap());
    assert!(app.after.is_none() && !app.create && !app.wait_unused && app.from.is_empty());
    assert!(Fleet::parse("").unwrap().credentials.is_empty());
}

#[test]
fn the_same_name_elsewhere_is_another_one() {
    let text = r#"
        account = { a = {}, b = {} }
        credential = [
            { user = "app", account = "a", to = ["ssm:/smtp", "file:a.env?format=env"] },
            { user = "app", account = "b", to = ["ssm:/smtp", "file:b.env?format=env"] },
            { user = "web", account = "b", to = ["ssm:/smtp"], region = "us-east-1" },
        ]"#;
    assert_eq!(Fleet::parse(text).unwrap().credentials.len(), 3);
}

/// Each paragraph is a file, and its last lines are its faults, with what would be right in brackets.
#[test]
fn what_is_wrong_is_told_with_its_place_and_what_would_be_right() {
    for text in include_str!("../data/fleet-faults.txt").split("\n\n") {
        let found =
            Fleet::parse(text).expect_err(text).into_iter().map(|error| match error.remedy() {
                Some(remedy) => format!("{error} [{remedy}]"),
                None => error.to_string(),
            });
        let expected = text.lines().filter_map(|line| line.strip_prefix("#! "));
        assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{text}");
    }
}

/// A row of a table of keys: `| `key` | … | … |`.
fn documented(text: &str) -> BTreeSet<(&'static str, String)> {
    let mut table = "";
    let mut keys = BTreeSet::new();
    for line in text.lines() {
        match line {
            "## At the top" => table = "top",
            _ if line.starts_with("## An account") => table = "account",
            _ if line.starts_with("## A credential") => table = "credential",
            _ => {
                if let Some((key, _)) = line.strip_prefix("| `").and_then(|row| row.split_once('`'))
                {
                    keys.insert((table, key.to_owned()));
                }
            }
        }
    }
    keys
}

#[test]
fn every_key_is_documented_and_every_documented_key_is_one() {
    let name = |table| match table {
        Table::Root => "top",
        Table::Account => "account",
        Table::Credential => "credential",
    };
    let keys: BTreeSet<_> = KEYS.iter().map(|key| (name(key.table), key.name.to_owned())).collect();
    assert_eq!(documented(DOCUMENTATION), keys);
}

#[test]
fn the_example_in_the_documentation_is_one() {
    let example =
        DOCUMENTATION.split("```").find_map(|block| block.strip_prefix("toml\n")).unwrap();
    assert_eq!(Fleet::parse(example).map(|fleet| fleet.credentials.len()), Ok(1));
}

proptest! {
    /// Whatever stands in the file, its faults have a place in it.
    #[test]
    fn a_fault_has_a_place(
        lines in prop::collection::vec(
            prop_oneof![
                Just("[[credential]]"), Just("[account.ü]"), Just("user = 'a'"), Just("to = ['ssm:/a', 1]"),
                Just("[credential]"), Just("max-age = 7"), Just("account = 'é'"), Just("from = []"),
                Just("account = {}"), Just("credential = [1]"), Just("\u{feff}"), Just("x.y = 'z"),
            ],
            0..8,
        ),
    ) {
        let text = lines.join("\n");
        for error in Fleet::parse(&text).err().unwrap_or_default() {
            let line = text.split('\n').nth(error.line - 1);
            prop_assert!(line.is_some_and(|line| error.column <= line.chars().count() + 1), "{error}");
        }
    }
}
