//! The authorization of calls by the caller's own policies, with AWS's texts; `GetCallerIdentity` needs no policy.

use seskey_local::account::{Action, Answer, Principal};

use crate::iam_client::{ALLOW_ALL, Client, ROOT, Unsigned};

const BOB: &str = "arn:aws:iam::111122223333:user/Bob";

/// Makes Bob with a policy, and returns a client that signs as Bob.
fn bob_with(statements: &str) -> Client {
    let mut iam = Client::new();
    iam.become_user("Bob");
    let bob = std::mem::replace(&mut iam.key, (ROOT.0.into(), ROOT.1.into()));
    let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    iam.done(
        "PutUserPolicy",
        &[("UserName", "Bob"), ("PolicyName", "p"), ("PolicyDocument", &document)],
    );
    iam.key = bob;
    iam
}

fn allow(action: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}","Condition":{{{condition}}}}}"#
    )
}

#[test]
fn no_policy_allows_it() {
    let mut iam = Client::new();
    iam.become_user("Bob");
    for (action, parameters, resource) in [
        ("ListUsers", vec![], "arn:aws:iam::111122223333:user/"),
        ("ListUsers", vec![("PathPrefix", "/mail/")], "arn:aws:iam::111122223333:user/mail/"),
        ("CreateUser", vec![("UserName", "test")], "arn:aws:iam::111122223333:user/test"),
        (
            "CreateUser",
            vec![("UserName", "test"), ("Path", "/a/")],
            "arn:aws:iam::111122223333:user/a/test",
        ),
        ("CreateAccessKey", vec![], BOB),
        ("GetUser", vec![("UserName", "nobody")], "arn:aws:iam::111122223333:user/nobody"),
        ("CreateGroup", vec![("GroupName", "g")], "arn:aws:iam::111122223333:group/g"),
        ("GetAccountSummary", vec![], "*"),
    ] {
        let text = format!(
            "User: {BOB} is not authorized to perform: iam:{action} on resource: {resource} because no identity-based \
             policy allows the iam:{action} action"
        );
        assert_eq!(iam.refused(action, &parameters), (403, "AccessDenied".into(), text));
    }
}

#[test]
fn an_explicit_deny_says_so() {
    let deny = r#"{"Effect":"Deny","Action":"iam:DeleteUser","Resource":"*"}"#;
    let mut iam = bob_with(&format!("{},{deny}", allow("iam:*", "*", "")));
    iam.done("ListUsers", &[]);
    let text = format!(
        "User: {BOB} is not authorized to perform: iam:DeleteUser on resource: {BOB} with an explicit deny"
    );
    assert_eq!(
        iam.refused("DeleteUser", &[("UserName", "Bob")]),
        (403, "AccessDenied".into(), text)
    );
}

#[test]
fn a_new_name_takes_the_permission_for_both_names() {
    let mut iam = bob_with(&allow("iam:*", "arn:aws:iam::111122223333:user/Bob*", ""));
    iam.done("UpdateUser", &[("UserName", "Bob"), ("NewUserName", "Bobby")]);
    for (name, value, arn) in
        [("NewUserName", "Eve", "user/Eve"), ("NewPath", "/x/", "user/x/Bobby")]
    {
        let refusal = iam.refused("UpdateUser", &[("UserName", "Bobby"), (name, value)]);
        assert_eq!(refusal.1, "AccessDenied");
        assert!(refusal.2.contains(&format!(":{arn} because")), "{}", refusal.2);
    }
}

#[test]
fn condition_keys_of_the_caller_and_of_the_request() {
    let granted = |statement: &str, action: &str, parameters: &[(&str, &str)]| {
        let mut iam = bob_with(statement);
        let owner = std::mem::replace(&mut iam.key, (ROOT.0.into(), ROOT.1.into()));
        iam.done(
            "TagUser",
            &[("UserName", "Bob"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "mail")],
        );
        iam.key = owner;
        let reply = iam.iam(action, parameters);
        assert!(reply.status == 200 || reply.text("Code") == "AccessDenied", "{}", reply.body);
        reply.status == 200
    };
    for (operator, key, good, bad) in [
        ("IpAddress", "aws:SourceIp", "192.0.2.0/24", "198.51.100.0/24"),
        ("Bool", "aws:SecureTransport", "false", "true"),
        ("DateLessThan", "aws:CurrentTime", "2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("NumericLessThan", "aws:EpochTime", "9999999999", "1"),
        ("StringLike", "aws:UserAgent", "seskey-test/*", "curl*"),
        ("StringEquals", "aws:username", "Bob", "Eve"),
        ("StringLike", "aws:userid", "AIDA*", "AROA*"),
        ("ArnEquals", "aws:PrincipalArn", BOB, "arn:aws:iam::111122223333:user/Eve"),
        ("StringEquals", "aws:PrincipalAccount", "111122223333", "444455556666"),
        ("StringEquals", "aws:PrincipalType", "User", "Account"),
        ("StringEquals", "aws:PrincipalTag/team", "mail", "web"),
    ] {
        for (value, expected) in [(good, true), (bad, false)] {
            let statement =
                allow("iam:ListUsers", "*", &format!(r#""{operator}":{{"{key}":"{value}"}}"#));
            assert_eq!(granted(&statement, "ListUsers", &[]), expected, "{key} {value}");
        }
    }
    let tagged = [("UserName", "x"), ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")];
    for (condition, expected) in [
        (r#""StringEquals":{"aws:RequestTag/a":"b"}"#, true),
        (r#""StringEquals":{"aws:RequestTag/a":"c"}"#, false),
        (r#""ForAllValues:StringEquals":{"aws:TagKeys":["a"]}"#, true),
        (r#""ForAllValues:StringEquals":{"aws:TagKeys":["z"]}"#, false),
        (r#""Null":{"iam:PermissionsBoundary":"false"}"#, false),
    ] {
        let statement = allow("iam:CreateUser", "*", condition);
        assert_eq!(granted(&statement, "CreateUser", &tagged), expected, "{condition}");
    }
    for (tag, expected) in [("mail", true), ("web", false)] {
        let statement = allow(
            "iam:GetUser",
            "*",
            &format!(r#""StringEquals":{{"aws:ResourceTag/team":"{tag}"}}"#),
        );
        assert_eq!(granted(&statement, "GetUser", &[]), expected, "{tag}");
    }
}

#[test]
fn policies_of_groups_and_boundaries_count() {
    let mut iam = Client::new();
    iam.become_user("Bob");
    let bob = iam.key.clone();
    iam.become_root();
    iam.done("CreateGroup", &[("GroupName", "admins")]);
    iam.done(
        "PutGroupPolicy",
        &[("GroupName", "admins"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)],
    );
    iam.done("AddUserToGroup", &[("GroupName", "admins"), ("UserName", "Bob")]);
    iam.key.clone_from(&bob);
    iam.done("ListUsers", &[]);

    let only_list = ALLOW_ALL.replace("\"Action\":\"*\"", "\"Action\":\"iam:List*\"");
    let made = iam.done("CreatePolicy", &[("PolicyName", "bound"), ("PolicyDocument", &only_list)]);
    let arn = made.text("Arn");
    iam.done("CreateUser", &[("UserName", "Eve"), ("PermissionsBoundary", &arn)]);
    let key = iam.done("CreateAccessKey", &[("UserName", "Eve")]);
    let all = iam
        .done("CreatePolicy", &[("PolicyName", "all"), ("PolicyDocument", ALLOW_ALL)])
        .text("Arn");
    iam.done("AttachUserPolicy", &[("UserName", "Eve"), ("PolicyArn", &all)]);
    iam.key = (key.text("AccessKeyId"), key.text("SecretAccessKey"));
    iam.done("ListUsers", &[]);
    let refusal = iam.refused("GetUser", &[]);
    assert!(
        refusal.2.ends_with("because no permissions boundary allows the iam:GetUser action"),
        "{}",
        refusal.2
    );
}

#[test]
fn simulation() {
    let mut iam = bob_with(&format!(
        r#"{},{{"Effect":"Deny","Action":"ses:SendRawEmail","Resource":"*","Condition":{{"StringLike":{{"ses:FromAddress":"ceo@*"}}}}}}"#,
        allow("ses:SendRawEmail", "*", "")
    ));
    iam.become_root();
    let asked = [
        ("PolicySourceArn", BOB),
        ("ActionNames.member.1", "ses:SendRawEmail"),
        ("ActionNames.member.2", "iam:ListUsers"),
    ];
    assert_eq!(
        iam.done("SimulatePrincipalPolicy", &asked).texts("EvalDecision"),
        ["allowed", "implicitDeny"]
    );
    let context = [
        ("ContextEntries.member.1.ContextKeyName", "ses:FromAddress"),
        ("ContextEntries.member.1.ContextKeyValues.member.1", "ceo@example.com"),
        ("ContextEntries.member.1.ContextKeyType", "string"),
    ];
    let reply = iam.done("SimulatePrincipalPolicy", &[&asked[..], &context].concat());
    assert_eq!(reply.texts("EvalDecision"), ["explicitDeny", "implicitDeny"]);
    let bound = ALLOW_ALL.replace("\"Action\":\"*\"", "\"Action\":\"iam:*\"");
    let more = [
        ("PermissionsBoundaryPolicyInputList.member.1", &*bound),
        ("PolicyInputList.member.1", ALLOW_ALL),
    ];
    let reply = iam.done("SimulatePrincipalPolicy", &[&asked[..], &more].concat());
    assert_eq!(reply.texts("EvalDecision"), ["implicitDeny", "allowed"]);
    assert_eq!(reply.texts("AllowedByPermissionsBoundary"), ["false"]);
    let missing = [("PolicySourceArn", "arn:aws:iam::111122223333:user/Eve"), asked[1]];
    assert_eq!(iam.refused("SimulatePrincipalPolicy", &missing).1, "NoSuchEntity");
}

#[test]
fn sts_tells_who_asks() {
    let mut client = Client::new();
    let reply = client.send(&Unsigned::sts("GetCallerIdentity", &[]));
    assert!(reply.body.starts_with(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>"
    ));
    assert_eq!(reply.text("Arn"), "arn:aws:iam::111122223333:root");
    assert_eq!(
        (reply.text("UserId"), reply.text("Account")),
        ("111122223333".into(), "111122223333".into())
    );

    client.become_user("Bob");
    let (query, body) = ("Action=GetCallerIdentity&Version=2011-06-15".into(), String::new());
    let by_get = Unsigned { method: "GET", query, body, ..Unsigned::sts("", &[]) };
    let reply = client.send(&by_get);
    assert_eq!(reply.text("Arn"), BOB);
    assert!(reply.text("UserId").starts_with("AIDA"));
    let used = client.account.last_used(&client.key.0).unwrap();
    assert_eq!((&*used.service_name, &*used.region), ("sts", "eu-west-1"));

    let info = |id: &str| Unsigned::sts("GetAccessKeyInfo", &[("AccessKeyId", id)]);
    let own = client.key.0.clone();
    let text = format!(
        "User: {BOB} is not authorized to perform: sts:GetAccessKeyInfo on resource: * because no identity-based \
         policy allows the sts:GetAccessKeyInfo action"
    );
    assert_eq!(client.send(&info(&own)).refusal(), (403, "AccessDenied".into(), text));
    client.become_root();
    assert_eq!(client.send(&info(&own)).text("Account"), "111122223333");
    assert_eq!(client.send(&info("AKIA1111111111111111")).refusal().1, "ValidationError");
    let reply = client.send(&Unsigned::sts("AssumeRoleWithSAML", &[]));
    assert!(reply.body.contains("https://sts.amazonaws.com/doc/2011-06-15/"), "{}", reply.body);
    assert_eq!(reply.refusal().1, "InvalidAction");
}

#[test]
fn nothing_shows_a_secret() {
    let mut client = Client::new();
    client.become_user("Bob");
    let key = client.account.access_key(&client.key.0).unwrap();
    for shown in [format!("{:?}", client.account), format!("{key:?}")] {
        assert!(!shown.contains(&client.key.1) && !shown.contains(ROOT.1), "{shown}");
    }
    let action = Action::CreateAccessKey { principal: Principal::User("Bob".into()) };
    let answer = client.account.apply(action, client.now, &mut client.rng).unwrap();
    let shown = format!("{answer:?}");
    let Answer::NewAccessKey { secret_access_key, .. } = answer else { panic!("{shown}") };
    assert!(shown.contains("[redacted]") && !shown.contains(secret_access_key.expose()), "{shown}");
}
