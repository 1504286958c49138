//! The function over the accounts of an organization, one at a time.

use std::{env, fs, process::Command, time::Duration};

use serde_json::json;
use testkit::lambda::{Function, Invoked};

use crate::stage::{Inhabitants, Stage};

/// A function that is sent an event for each account need not be allowed to list the accounts.
#[test]
fn one_account_is_gone_through_without_a_list() {
    let home = tempfile::tempdir().unwrap();
    let stage = Stage::new(home.path(), Inhabitants::Organization);
    let value = |name: &str| &stage.environment.iter().find(|(key, _)| *key == name).unwrap().1;
    let (smtp, authority) = (value("SMTP_OF_222222222222"), value("CA_OF_222222222222"));
    let fleet = |organization: &str| {
        format!(
            r#"
            region = "us-east-1"
            [account.222222222222]
            smtp-endpoint = {smtp:?}
            ca-file = {authority:?}
            [organization]
            role-name = "seskey"
            {organization}
            [[credential]]
            user = "fresh"
            account = "*"
            to = ["ssm:/fresh"]
            create = true
            "#
        )
    };
    let file = home.path().join("seskey.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_seskey"));
    command
        .arg("lambda")
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap())
        .env("HOME", home.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("SESKEY_CONFIG", &file)
        .envs(stage.environment.iter().map(|(name, value)| (name, value)));
    let mut function = Function::start(command);
    let mut apply = |organization: &str| {
        fs::write(&file, fleet(organization)).unwrap();
        function.invoke(&json!({"apply": {"account": "222222222222"}}), Duration::from_secs(120))
    };

    let done = apply("exclude = [\"444444444444\"]");
    let Invoked::Answered(answer) = done else { panic!("{done:?}") };
    assert_eq!(
        (&answer["summary"]["users"], &answer["summary"]["changed"]),
        (&1.into(), &1.into())
    );
    // filters that must be looked up fail, because the lookup is not allowed
    for organization in [
        "ou = [\"ou-ab12-11112222\"]",
        "exclude = [\"ou-ab12-55556666\"]",
        "exclude = [\"222222222222\"]",
    ] {
        let failed = apply(organization);
        let Invoked::Failed(error) = failed else { panic!("{failed:?}") };
        assert!(error["errorMessage"].as_str().unwrap().contains("ListAccounts"), "{error}");
    }
}
