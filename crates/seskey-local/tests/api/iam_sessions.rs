//! Temporary credentials: their issue, their permissions, and their end.

use jiff::SignedDuration;

use crate::iam_client::{ALLOW_ALL, Client, SENDING, Session, Unsigned, trust};

const BOB: &str = "arn:aws:iam::111122223333:user/Bob";
const MAY_ASSUME: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}"#;

/// Makes the role `Mailer`, which may list users, and Bob with a policy; returns a client that signs as Bob.
fn bob_and_role(principal: &str, of_bob: Option<&str>) -> Client {
    let mut client = Client::new();
    client.become_user("Bob");
    let bob = client.key.clone();
    client.become_root();
    let trust = trust(principal);
    client.done("CreateRole", &[("RoleName", "Mailer"), ("AssumeRolePolicyDocument", &trust)]);
    let list = ALLOW_ALL.replace(r#""Action":"*""#, r#""Action":["iam:ListUsers","iam:Get*"]"#);
    let policy = [("RoleName", "Mailer"), ("PolicyName", "p"), ("PolicyDocument", &*list)];
    client.done("PutRolePolicy", &policy);
    if let Some(document) = of_bob {
        let policy = [("UserName", "Bob"), ("PolicyName", "p"), ("PolicyDocument", document)];
        client.done("PutUserPolicy", &policy);
    }
    client.key = bob;
    client
}

fn by_name() -> Client {
    bob_and_role(&format!(r#"{{"AWS":"{BOB}"}}"#), None)
}

fn session_token(client: &mut Client, parameters: &[(&str, &str)]) -> (Session, String) {
    let reply = client.send(&Unsigned::sts("GetSessionToken", parameters));
    let session = Session {
        access_key_id: reply.text("AccessKeyId"),
        secret_access_key: reply.text("SecretAccessKey"),
        session_token: reply.text("SessionToken"),
    };
    (session, reply.text("Expiration"))
}

fn code(client: &mut Client, session: &Session, request: &Unsigned) -> String {
    let reply = client.send_as(session, request);
    if reply.status == 200 { String::new() } else { reply.text("Code") }
}

#[test]
fn the_trust_policy_and_the_callers_own_decide() {
    let deny = MAY_ASSUME.replace("Allow", "Deny");
    let by_name = format!(r#"{{"AWS":["{BOB}"]}}"#);
    for (principal, of_bob, allowed) in [
        (&*by_name, None, true),
        (&*by_name, Some(&*deny), false),
        (r#"{"AWS":"*"}"#, None, true),
        (r#""*""#, None, true),
        (r#"{"AWS":"111122223333"}"#, None, false),
        (r#"{"AWS":"111122223333"}"#, Some(MAY_ASSUME), true),
        (r#"{"AWS":"arn:aws:iam::111122223333:root"}"#, Some(MAY_ASSUME), true),
        (r#"{"AWS":"444455556666"}"#, Some(MAY_ASSUME), false),
        (r#"{"AWS":"arn:aws:iam::444455556666:user/Bob"}"#, Some(MAY_ASSUME), false),
        (r#"{"Service":"ec2.amazonaws.com"}"#, Some(MAY_ASSUME), false),
        (r#"{"Service":"ec2.amazonaws.com","AWS":"111122223333"}"#, Some(MAY_ASSUME), true),
    ] {
        let mut client = bob_and_role(principal, of_bob);
        let reply = client.send(&Unsigned::assume_role("Mailer", &[]));
        assert_eq!(reply.status == 200, allowed, "{principal} {of_bob:?} {}", reply.body);
    }
}

#[test]
fn an_external_id_is_a_condition() {
    let mut client = by_name();
    client.become_root();
    let bob = trust(&format!(r#"{{"AWS":"{BOB}"}}"#));
    let with_id = bob.replace(
        r#""Action""#,
        r#""Condition":{"StringEquals":{"sts:ExternalId":"secret-1"}},"Action""#,
    );
    let policy = [("RoleName", "Mailer"), ("PolicyDocument", &*with_id)];
    client.done("UpdateAssumeRolePolicy", &policy);
    let key = client.done("CreateAccessKey", &[("UserName", "Bob")]);
    client.key = (key.text("AccessKeyId"), key.text("SecretAccessKey"));
    client.assume("Mailer", &[("ExternalId", "secret-1")]);
    for more in [&[][..], &[("ExternalId", "secret-2")]] {
        let refusal = client.send(&Unsigned::assume_role("Mailer", more)).refusal();
        let text = format!(
            "User: {BOB} is not authorized to perform: sts:AssumeRole on resource: \
             arn:aws:iam::111122223333:role/Mailer"
        );
        assert_eq!(refusal, (403, "AccessDenied".into(), text));
    }
    assert_eq!(client.send(&Unsigned::assume_role("Nobody", &[])).refusal().1, "AccessDenied");
}

#[test]
fn a_session_is_the_role() {
    let mut client = by_name();
    let reply = client.send(&Unsigned::assume_role("Mailer", &[]));
    assert!(reply.body.contains("<AssumeRoleResult><Credentials><AccessKeyId>ASIA"));
    assert_eq!(reply.text("Expiration"), "2026-03-01T13:00:00Z");
    let arn = "arn:aws:sts::111122223333:assumed-role/Mailer/session";
    assert_eq!(reply.text("Arn"), arn);
    assert!(reply.text("AssumedRoleId").starts_with("AROA"));
    assert!(reply.text("AssumedRoleId").ends_with(":session"));

    let session = client.assume("Mailer", &[]);
    let who = client.send_as(&session, &Unsigned::sts("GetCallerIdentity", &[]));
    assert_eq!((who.text("Arn"), who.text("UserId")), (arn.into(), reply.text("AssumedRoleId")));
    client.send_as(&session, &Unsigned::iam("ListUsers", &[])).text("Users");
    let denied = client.send_as(&session, &Unsigned::iam("ListGroups", &[])).refusal();
    assert!(
        denied.2.starts_with(&format!("User: {arn} is not authorized to perform: iam:ListGroups"))
    );
    let text = "Must specify userName when calling with non-User credentials";
    let refusal = client.send_as(&session, &Unsigned::iam("GetUser", &[])).refusal();
    assert_eq!(refusal, (400, "ValidationError".into(), text.into()));
    let get = Unsigned::iam("GetUser", &[("UserName", "Bob")]);
    assert_eq!(client.send_as(&session, &get).text("Arn"), BOB);
}

#[test]
fn the_context_of_a_session_tells_of_the_role() {
    for (operator, key, value, allowed) in [
        ("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::111122223333:role/Mailer", true),
        ("StringEquals", "aws:PrincipalType", "AssumedRole", true),
        ("StringLike", "aws:userid", "AROA*:session", true),
        ("Null", "aws:username", "true", true),
        ("Bool", "aws:MultiFactorAuthPresent", "false", true),
        ("DateEquals", "aws:TokenIssueTime", "2026-03-01T12:00:00Z", true),
        ("StringEquals", "aws:PrincipalTag/team", "mail", true),
        ("StringEquals", "aws:PrincipalTag/team", "web", false),
    ] {
        let mut client = by_name();
        let bob = client.key.clone();
        client.become_root();
        let tag = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "mail")];
        client.done("TagRole", &[&[("RoleName", "Mailer")], &tag[..]].concat());
        let condition = format!(r#""Condition":{{"{operator}":{{"{key}":"{value}"}}}},"Action""#);
        let document = ALLOW_ALL.replace(r#""Action""#, &condition);
        let policy = [("RoleName", "Mailer"), ("PolicyName", "p"), ("PolicyDocument", &*document)];
        client.done("PutRolePolicy", &policy);
        client.key = bob;
        let session = client.assume("Mailer", &[]);
        let code = code(&mut client, &session, &Unsigned::iam("ListUsers", &[]));
        assert_eq!(code.is_empty(), allowed, "{key} {value}");
    }
}

#[test]
fn a_session_policy_and_a_boundary_take_away() {
    let mut client = by_name();
    let list = ALLOW_ALL.replace(r#""Action":"*""#, r#""Action":"iam:List*""#);
    let session = client.assume("Mailer", &[("Policy", &list)]);
    assert_eq!(code(&mut client, &session, &Unsigned::iam("ListUsers", &[])), "");
    // the session policy grants nothing
    assert_eq!(code(&mut client, &session, &Unsigned::iam("ListGroups", &[])), "AccessDenied");
    let get = Unsigned::iam("GetUser", &[("UserName", "Bob")]);
    let refusal = client.send_as(&session, &get).refusal();
    assert!(
        refusal.2.ends_with(" because no session policy allows the iam:GetUser action"),
        "{}",
        refusal.2
    );

    let session = client.assume("Mailer", &[]);
    client.become_root();
    let arn =
        client.done("CreatePolicy", &[("PolicyName", "b"), ("PolicyDocument", &list)]).text("Arn");
    client.done(
        "PutRolePermissionsBoundary",
        &[("RoleName", "Mailer"), ("PermissionsBoundary", &arn)],
    );
    let refusal = client.send_as(&session, &get).refusal();
    assert!(refusal.2.ends_with(" because no permissions boundary allows the iam:GetUser action"));
    client.done("DeleteRolePermissionsBoundary", &[("RoleName", "Mailer")]);
    assert_eq!(code(&mut client, &session, &get), "");
    let malformed = [("Policy", "{}")];
    let mut client = by_name();
    let refusal = client.send(&Unsigned::assume_role("Mailer", &malformed)).refusal();
    assert_eq!(refusal.1, "MalformedPolicyDocument");
    let long = SENDING.replace('*', &format!("arn:aws:ses:*:*:identity/{}", "x".repeat(2048)));
    let refusal = client.send(&Unsigned::assume_role("Mailer", &[("Policy", &long)])).refusal();
    assert_eq!(refusal.1, "PackedPolicyTooLarge");
}

#[test]
fn a_session_lasts_as_long_as_it_may() {
    let mut client = by_name();
    let refused = |client: &mut Client, seconds: &str| {
        client.send(&Unsigned::assume_role("Mailer", &[("DurationSeconds", seconds)])).refusal()
    };
    let too_long =
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    assert_eq!(refused(&mut client, "3601"), (400, "ValidationError".into(), too_long.into()));
    for (seconds, constraint) in [
        ("899", "greater than or equal to 900"),
        ("43201", "less than or equal to 43200"),
        ("x", "900"),
    ] {
        assert!(refused(&mut client, seconds).2.contains(constraint), "{seconds}");
    }
    let session = client.assume("Mailer", &[("DurationSeconds", "900")]);
    client.now += SignedDuration::from_secs(899);
    assert_eq!(code(&mut client, &session, &Unsigned::iam("ListUsers", &[])), "");
    assert!(client.account.temporary_credential(&session.access_key_id, client.now).is_some());
    client.now += SignedDuration::from_secs(1);
    assert_eq!(code(&mut client, &session, &Unsigned::iam("ListUsers", &[])), "ExpiredToken");
    assert!(client.account.temporary_credential(&session.access_key_id, client.now).is_none());

    let of_bob = std::mem::replace(
        &mut client.key,
        (session.access_key_id.clone(), session.secret_access_key.clone()),
    );
    let token = Some(session.session_token.clone());
    let signed = Unsigned { token: token.clone(), ..Unsigned::iam("ListUsers", &[]) };
    let expired = "The security token included in the request is expired";
    assert_eq!(client.send(&signed).refusal(), (403, "ExpiredToken".into(), expired.into()));
    // an expired session that was removed is unknown
    client.now += SignedDuration::from_hours(37);
    client.key = of_bob;
    client.assume("Mailer", &[]);
    client.key = (session.access_key_id.clone(), session.secret_access_key);
    assert_eq!(client.send(&signed).refusal().1, "InvalidClientTokenId");
}

#[test]
fn a_session_ends_with_its_role_and_goes_with_its_user() {
    let mut client = by_name();
    let session = client.assume("Mailer", &[]);
    let (token, _) = session_token(&mut client, &[]);
    client.become_root();
    client.done("UpdateUser", &[("UserName", "Bob"), ("NewUserName", "Rob")]);
    let who = client.send_as(&token, &Unsigned::sts("GetCallerIdentity", &[]));
    assert_eq!(who.text("Arn"), "arn:aws:iam::111122223333:user/Rob");
    client.done("DeleteRolePolicy", &[("RoleName", "Mailer"), ("PolicyName", "p")]);
    client.done("DeleteRole", &[("RoleName", "Mailer")]);
    let identity = Unsigned::sts("GetCallerIdentity", &[]);
    assert_eq!(code(&mut client, &session, &identity), "InvalidClientTokenId");
    let keys = client.done("ListAccessKeys", &[("UserName", "Rob")]).text("AccessKeyId");
    client.done("DeleteAccessKey", &[("UserName", "Rob"), ("AccessKeyId", &keys)]);
    client.done("DeleteUser", &[("UserName", "Rob")]);
    assert_eq!(code(&mut client, &token, &identity), "InvalidClientTokenId");
}

#[test]
fn a_role_takes_on_a_role_for_an_hour() {
    let mut client = by_name();
    let session = client.assume("Mailer", &[]);
    client.become_root();
    let next = trust(r#"{"AWS":"arn:aws:iam::111122223333:role/Mailer"}"#);
    let role = [("RoleName", "Next"), ("AssumeRolePolicyDocument", &*next)];
    client.done("CreateRole", &[&role[..], &[("MaxSessionDuration", "43200")]].concat());
    assert_eq!(code(&mut client, &session, &Unsigned::assume_role("Next", &[])), "");
    let bob = client.done("CreateAccessKey", &[("UserName", "Bob")]);
    let root =
        std::mem::replace(&mut client.key, (bob.text("AccessKeyId"), bob.text("SecretAccessKey")));
    let list = ALLOW_ALL.replace(r#""Action":"*""#, r#""Action":"iam:List*""#);
    let bounded = client.assume("Mailer", &[("Policy", &list)]);
    client.key = root;
    let next = Unsigned::assume_role("Next", &[]);
    assert_eq!(code(&mut client, &bounded, &next), "AccessDenied", "by the policy of the session");
    let two_hours = Unsigned::assume_role("Next", &[("DurationSeconds", "7200")]);
    let refusal = client.send_as(&session, &two_hours).refusal();
    assert!(refusal.2.ends_with("1 hour session limit for roles assumed by role chaining."));
    let own = Unsigned::assume_role("Mailer", &[]);
    assert_eq!(code(&mut client, &session, &own), "AccessDenied", "the role does not trust itself");
    let root = client.send(&Unsigned::assume_role("Next", &[])).refusal();
    assert_eq!(root.1, "AccessDenied");
}

#[test]
fn the_root_user_takes_on_no_role() {
    let mut client = bob_and_role(r#"{"AWS":"111122223333"}"#, None);
    client.become_root();
    let refusal = client.send(&Unsigned::assume_role("Mailer", &[])).refusal();
    let text = "Roles may not be assumed by root accounts.";
    assert_eq!(refusal, (403, "AccessDenied".into(), text.into()));
}

#[test]
fn a_session_token_is_good_for_little() {
    let mut client = by_name();
    let (session, expiration) = session_token(&mut client, &[]);
    assert_eq!(expiration, "2026-03-02T00:00:00Z");
    let who = client.send_as(&session, &Unsigned::sts("GetCallerIdentity", &[]));
    assert_eq!(who.text("Arn"), BOB);
    assert_eq!(code(&mut client, &session, &Unsigned::assume_role("Mailer", &[])), "");
    let list = Unsigned::iam("ListUsers", &[]);
    assert_eq!(code(&mut client, &session, &list), "InvalidClientTokenId");
    let again = Unsigned::sts("GetSessionToken", &[]);
    let refusal = client.send_as(&session, &again).refusal();
    let text = "Cannot call GetSessionToken with session credentials";
    assert_eq!(refusal, (403, "AccessDenied".into(), text.into()));
    let of_role = client.assume("Mailer", &[]);
    assert_eq!(client.send_as(&of_role, &again).refusal().2, text);
    client.become_root();
    assert_eq!(
        session_token(&mut client, &[]).1,
        "2026-03-01T13:00:00Z",
        "an hour for the root user"
    );
}

#[test]
fn nothing_shows_a_temporary_secret() {
    let mut client = by_name();
    let session = client.assume("Mailer", &[]);
    let credential =
        client.account.temporary_credential(&session.access_key_id, client.now).unwrap();
    assert_eq!(credential.secret().expose(), session.secret_access_key);
    assert_eq!(credential.session_token().expose(), session.session_token);
    assert!(session.session_token.len() > 200);
    assert!(client.account.access_key(&session.access_key_id).is_none());
}
