//! A page reports a denied action like the command line does, and leaves nothing behind.

use std::{path::Path, thread};

use serde_json::{Value, json};
use testkit::{
    apis::Iam,
    process::{Console, LocalSes},
};

use super::{Browser, client};

/// Returns all actions that these verbs need, as `seskey policy operator` lists them.
fn actions(folder: &Path, local: &LocalSes, verbs: &str) -> Vec<String> {
    let policy =
        client(folder, local).args(["policy", "operator", "--for", verbs]).output().unwrap();
    let policy: Value = serde_json::from_slice(&policy.stdout).unwrap();
    let statements = policy["Statement"].as_array().unwrap().iter();
    let of = |action: &Value| match action {
        Value::Array(actions) => actions.iter().map(|it| it.as_str().unwrap().to_owned()).collect(),
        action => vec![action.as_str().unwrap().to_owned()],
    };
    let mut actions: Vec<String> = statements.flat_map(|it| of(&it["Action"])).collect();
    actions.sort_unstable();
    actions.dedup();
    actions
}

/// Creates a caller who may do everything but one action, and returns the access key.
fn caller_without(local: &LocalSes, denied: &str) -> [String; 2] {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": denied, "Resource": "*"},
    ]});
    let (iam, policy) = (Iam::of(local), policy.to_string());
    iam.done("CreateUser", &[("UserName", "operator")]);
    let put = [("UserName", "operator"), ("PolicyName", "p"), ("PolicyDocument", &*policy)];
    iam.done("PutUserPolicy", &put);
    iam.key("operator").unwrap().unwrap()
}

/// Creates a user by the command line and one by the pages, compares the answers, and returns whether they refuse.
fn is_refused(denied: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let (folder, local) = (folder.path(), &LocalSes::start(folder.path(), &[], &[]));
    let [id, secret] = caller_without(local, denied);
    let command = || {
        let mut command = client(folder, local);
        command.env("AWS_ACCESS_KEY_ID", &id).env("AWS_SECRET_ACCESS_KEY", &secret);
        command
    };
    let (typed, page) = ("typed", "page");
    let ran = command().args(["create", typed, "--region", "us-east-1"]).output().unwrap();
    let said = String::from_utf8(ran.stderr).unwrap().replace(typed, page);

    let console = Console::start(command(), &[]);
    let browser = Browser::open(&console.url);
    let fields = [("user", page), ("region", "us-east-1")];
    let review = browser.post("/credentials/new", &[&fields[..], &[("step", "review")]].concat());
    let told = match review.status {
        200 => browser.done("/credentials/new", &fields).1,
        _ => review,
    };
    let users = Iam::of(local).users();
    if ran.status.success() {
        assert!(told.text().contains("Retrieve SMTP credentials"), "{denied}: {}", told.text());
        return false;
    }
    let mut lines = said.lines().filter_map(|line| line.strip_prefix("seskey: ")).rev();
    let (hint, message) = (lines.next().unwrap(), lines.next().unwrap());
    for said in [message, hint.trim_start_matches("hint: ")] {
        assert!(told.text().contains(said), "{denied}: {said}\n{}", told.text());
    }
    assert!(users == ["operator"], "{denied}: {users:?}");
    true
}

#[test]
fn what_is_denied_is_said_as_the_command_line_says_it() {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalSes::start(folder.path(), &[], &[]);
    let denied = actions(folder.path(), &local, "create");
    assert!(denied.len() > 8, "{denied:?}");
    thread::scope(|scope| {
        let tried: Vec<_> =
            denied.iter().map(|denied| scope.spawn(move || is_refused(denied))).collect();
        let refused = tried.into_iter().map(|tried| tried.join().unwrap());
        assert!(refused.filter(|refused| *refused).count() >= 4);
    });
}
