//! `seskey.toml`: its content, and its faults.

use std::{collections::BTreeSet, path::Path};

use jiff::SignedDuration;
use proptest::prelude::*;
use seskey::{
    Fleet, Partition, Region,
    fleet::{Account, DEFAULT_ACCOUNT, KEYS, Members, Organization, Role, SameUser, Table},
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
    let role = Role {
        arn: "arn:aws:iam::111122223333:role/seskey".to_owned(),
        external_id: Some("mail-operations".to_owned()),
    };
    assert_eq!(prod.roles, [role]);
    let organization = fleet.organization.as_ref().unwrap();
    assert_eq!(organization.account.as_deref(), Some("prod"));
    assert_eq!(organization.role_name, "seskey");
    assert_eq!(organization.external_id.as_deref(), Some("mail-operations"));
    assert_eq!(organization.units, ["ou-ab12-11112222"]);
    assert_eq!(organization.exclude, ["444455556666", "ou-ab12-33334444"]);
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

const ORGANIZATION: &str = r#"
    [organization]
    role-name = "mail/seskey"
    external-id = "fleet"
    account = "management"
    exclude = ["444455556666"]

    [account.management]
    profile = "management"

    [account.mail]
    role-arn = "arn:aws:iam::222233334444:role/other"

    [account.333344445555]
    smtp-endpoint = "smtp.example.com:587"
"#;

/// The accounts of that organization; the last one is named nowhere else.
const IDS: [&str; 4] = ["111122223333", "222233334444", "333344445555", "555566667777"];

fn with_members(rows: &str) -> Result<Fleet, SameUser> {
    let names = [("management", IDS[0]), ("mail", IDS[1]), (IDS[2], IDS[2])];
    let members = Members {
        partition: Partition::Aws,
        caller: IDS[0].to_owned(),
        ids: IDS.map(str::to_owned).into(),
        declared: names.map(|(name, id)| (name.to_owned(), id.to_owned())).into(),
    };
    Fleet::parse(&format!("{rows}\n{ORGANIZATION}")).unwrap().with_members(&members)
}

#[test]
fn each_account_of_an_organization_is_there_once() {
    let fleet = with_members("").unwrap();
    let names: Vec<&str> = fleet.accounts.keys().map(String::as_str).collect();
    assert_eq!(names, [IDS[2], IDS[3], "mail", "management"]);
    let role = |id: &str| Role {
        arn: format!("arn:aws:iam::{id}:role/mail/seskey"),
        external_id: Some("fleet".to_owned()),
    };
    let [third, last] = [IDS[2], IDS[3]].map(|id| &fleet.accounts[id]);
    assert_eq!((&*last.roles, last.profile.as_deref()), (&[role(IDS[3])][..], Some("management")));
    assert_eq!(third.roles, [role(IDS[2])], "the file does not say how it is reached");
    assert_eq!(third.smtp_endpoint.as_deref(), Some("smtp.example.com:587"));
    assert_eq!(fleet.accounts["mail"].roles[0].arn, "arn:aws:iam::222233334444:role/other");
    assert!(fleet.accounts["management"].roles.is_empty(), "the caller is there already");
}

#[test]
fn a_credential_of_every_account_is_one_in_each() {
    let fleet = with_members(
        "credential = [{ user = 'app', account = '*', to = ['ssm:/smtp'] }, { user = 'web', account = '555566667777', \
         to = ['file:web.env'] }, { user = 'old', account = '999999999999', to = ['file:old.env'] }]",
    );
    let fleet = fleet.unwrap();
    let rows = fleet.credentials.iter().map(|row| (row.user.as_str(), &*row.account));
    let apps = [("app", "management"), ("app", "mail"), ("app", IDS[2]), ("app", IDS[3])];
    let others = [("web", IDS[3]), ("old", "999999999999")];
    assert!(rows.eq(apps.into_iter().chain(others)));
    assert!(!fleet.accounts.contains_key("999999999999"), "the organization has it not");
}

#[test]
fn an_account_by_its_name_and_by_its_id_has_no_user_twice() {
    let rows = "credential = [\n{ user = 'app', account = 'mail', to = ['ssm:/a'] },\n\
                { user = 'App', account = '222233334444', to = ['ssm:/b'] }]";
    let same = SameUser { user: "App".into(), account: IDS[1].into(), lines: [2, 3] };
    assert_eq!(with_members(rows), Err(same));
}

#[test]
fn an_account_that_is_excluded_is_not_gone_through_unless_it_is_named() {
    let text = ORGANIZATION.replace("444455556666", IDS[0]);
    let members = Members {
        partition: Partition::AwsCn,
        caller: IDS[0].to_owned(),
        ids: [IDS[3].to_owned()].into(),
        declared: [("management".to_owned(), IDS[0].to_owned())].into(),
    };
    let names = |text: &str| {
        let fleet = Fleet::parse(text).unwrap().with_members(&members).unwrap();
        fleet.accounts.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(names(&text), [IDS[2], IDS[3], "mail"]);
    let row = "[[credential]]\nuser = 'a'\nto = ['ssm:/a']\naccount = 'management'";
    assert_eq!(names(&format!("{text}{row}")), [IDS[2], IDS[3], "mail", "management"]);
}

#[test]
fn in_its_own_account_nobody_assumes_a_role() {
    let rows = "credential = [{ user = 'app', account = '*', to = ['ssm:/smtp'] }]";
    let fleet = Fleet::parse(&format!("{rows}\n{ORGANIZATION}")).unwrap().in_own_account(IDS[3]);
    let [app] = &fleet.credentials[..] else { panic!() };
    assert_eq!((&*app.account, &fleet.accounts[IDS[3]]), (IDS[3], &Account::default()));
    let every = Fleet::of_organization(Organization::of_role("audit").unwrap());
    assert!(every.has_several_accounts() && every.accounts.is_empty());
}

/// Each paragraph is a file, and its last lines are its faults, with the remedies in brackets.
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

/// Returns the keys of the tables, by their rows: `| `key` | … | … |`.
fn documented(text: &str) -> BTreeSet<(&'static str, String)> {
    let mut table = "";
    let mut keys = BTreeSet::new();
    for line in text.lines() {
        match line {
            "## At the top" => table = "top",
            _ if line.starts_with("## An account") => table = "account",
            _ if line.starts_with("## An organization") => table = "organization",
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
        Table::Organization => "organization",
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
    /// Every fault of a file has a place in it.
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
