//! Refusals of the IAM API: names that are taken, quotas, malformed parameters, malformed requests.

use crate::iam_client::{Client, SENDING, Unsigned};

#[test]
fn names_are_the_same_in_upper_and_lower_case() {
    let mut iam = Client::new();
    iam.done("CreateUser", &[("UserName", "Bob")]);
    iam.done("CreateUser", &[("UserName", "Rob")]);
    iam.done("CreateGroup", &[("GroupName", "Bob")]);
    iam.done("CreatePolicy", &[("PolicyName", "Bob"), ("PolicyDocument", SENDING)]);
    let exists = |text: &str| (409, "EntityAlreadyExists".to_owned(), text.to_owned());
    assert_eq!(
        iam.refused("CreateUser", &[("UserName", "BOB")]),
        exists("User with name BOB already exists.")
    );
    assert_eq!(
        iam.refused("UpdateUser", &[("UserName", "Rob"), ("NewUserName", "bob")]),
        exists("User with name bob already exists.")
    );
    iam.done("UpdateUser", &[("UserName", "Bob"), ("NewUserName", "bob")]);
    assert_eq!(iam.refused("CreateGroup", &[("GroupName", "bob")]).1, "EntityAlreadyExists");
    let policy = [("PolicyName", "bob"), ("Path", "/x/"), ("PolicyDocument", SENDING)];
    assert_eq!(iam.refused("CreatePolicy", &policy).1, "EntityAlreadyExists");
}

#[test]
fn quotas() {
    let mut iam = Client::new();
    iam.done("CreateUser", &[("UserName", "Bob")]);
    for n in 0..10 {
        let (name, arn) = (format!("g{n}"), format!("arn:aws:iam::111122223333:policy/g{n}"));
        iam.done("CreateGroup", &[("GroupName", &name)]);
        iam.done("AddUserToGroup", &[("GroupName", &name), ("UserName", "Bob")]);
        iam.done("CreatePolicy", &[("PolicyName", &name), ("PolicyDocument", SENDING)]);
        iam.done("AttachUserPolicy", &[("UserName", "Bob"), ("PolicyArn", &arn)]);
    }
    iam.done("CreateGroup", &[("GroupName", "more")]);
    iam.done("CreatePolicy", &[("PolicyName", "more"), ("PolicyDocument", SENDING)]);
    let of_size =
        |size| SENDING.replace('*', &format!("arn:aws:ses:*:*:identity/{}", "x".repeat(size)));
    let (big, huge) = (of_size(1900), of_size(6144));
    let spaced = SENDING.replace("\":", &format!("\":{}", " ".repeat(4000)));
    iam.done(
        "PutUserPolicy",
        &[("UserName", "Bob"), ("PolicyName", "spaced"), ("PolicyDocument", &spaced)],
    );
    // this replaces the policy of that name
    for _ in 0..2 {
        let fits = of_size(1700);
        iam.done(
            "PutUserPolicy",
            &[("UserName", "Bob"), ("PolicyName", "fits"), ("PolicyDocument", &fits)],
        );
    }
    let tag_members: Vec<(String, String)> = (1..=51)
        .flat_map(|n| {
            [
                (format!("Tags.member.{n}.Key"), format!("k{n}")),
                (format!("Tags.member.{n}.Value"), "v".into()),
            ]
        })
        .collect();
    let fifty: Vec<(&str, &str)> =
        tag_members[..100].iter().map(|(name, value)| (&**name, &**value)).collect();
    iam.done("TagUser", &[&[("UserName", "Bob")], &fifty[..]].concat());
    for (action, parameters, message) in [
        (
            "AddUserToGroup",
            vec![("GroupName", "more"), ("UserName", "Bob")],
            "Cannot exceed quota for GroupsPerUser: 10",
        ),
        (
            "AttachUserPolicy",
            vec![("UserName", "Bob"), ("PolicyArn", "arn:aws:iam::111122223333:policy/more")],
            "Cannot exceed quota for PoliciesPerUser: 10",
        ),
        (
            "PutUserPolicy",
            vec![("UserName", "Bob"), ("PolicyName", "big"), ("PolicyDocument", &big)],
            "Maximum policy size of 2048 bytes exceeded for user Bob",
        ),
        (
            "CreatePolicy",
            vec![("PolicyName", "huge"), ("PolicyDocument", &huge)],
            "Cannot exceed quota for PolicySize: 6144",
        ),
        (
            "TagUser",
            vec![("UserName", "Bob"), ("Tags.member.1.Key", "more"), ("Tags.member.1.Value", "")],
            "Cannot exceed quota for TagsPerUser: 50",
        ),
    ] {
        assert_eq!(iam.refused(action, &parameters), (409, "LimitExceeded".into(), message.into()));
    }
    let fifty_one: Vec<(&str, &str)> =
        tag_members.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(
        iam.refused("TagUser", &[&[("UserName", "Bob")], &fifty_one[..]].concat()).1,
        "ValidationError"
    );
    for n in 11..300 {
        iam.done("CreateGroup", &[("GroupName", &format!("g{n}"))]);
    }
    let message = "Cannot exceed quota for GroupsPerAccount: 300";
    assert_eq!(
        iam.refused("CreateGroup", &[("GroupName", "x")]),
        (409, "LimitExceeded".into(), message.into())
    );
}

#[test]
fn malformed_parameters() {
    let mut iam = Client::new();
    iam.done("CreateUser", &[("UserName", "Bob")]);
    let (long, raw_secret) = ("x".repeat(65), "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    for (action, parameters, member, constraint) in [
        ("CreateUser", vec![], "userName", "Member must not be null"),
        (
            "CreateUser",
            vec![("UserName", "")],
            "userName",
            "Member must have length greater than or equal to 1",
        ),
        (
            "CreateUser",
            vec![("UserName", &*long)],
            "userName",
            "Member must have length less than or equal to 64",
        ),
        ("CreateGroup", vec![], "groupName", "Member must not be null"),
        ("TagUser", vec![("UserName", "Bob")], "tags", "Member must not be null"),
        (
            "TagUser",
            vec![("UserName", "Bob"), ("Tags.member.1.Key", "k")],
            "tags.1.member.value",
            "Member must not be null",
        ),
        ("UntagUser", vec![("UserName", "Bob")], "tagKeys", "Member must not be null"),
        (
            "UpdateAccessKey",
            vec![("AccessKeyId", crate::iam_client::ROOT.0), ("Status", "active")],
            "status",
            "Member must satisfy enum value set",
        ),
        (
            "UpdateAccessKey",
            vec![("AccessKeyId", crate::iam_client::ROOT.0)],
            "status",
            "Member must not be null",
        ),
        (
            "PutUserPolicy",
            vec![("UserName", "Bob"), ("PolicyName", "p")],
            "policyDocument",
            "Member must not be null",
        ),
    ] {
        let null = if constraint.ends_with("null") { " null" } else { "" };
        let message = format!(
            "1 validation error detected: Value{null} at '{member}' failed to satisfy constraint: {constraint}"
        );
        assert_eq!(
            iam.refused(action, &parameters),
            (400, "ValidationError".into(), message),
            "{action}"
        );
    }
    let named = "It must contain only alphanumeric characters and/or the following: +=,.@_-";
    let path = "It must begin and end with / and contain only alphanumeric characters and/or / characters.";
    let prefix = "It must begin with the / character and contain only alphanumeric characters and/or / characters.";
    for (action, parameters, member, form) in [
        ("CreateUser", vec![("UserName", "a b")], "userName", named),
        ("CreateGroup", vec![("GroupName", "a/b")], "groupName", named),
        ("DeleteUserPolicy", vec![("UserName", "Bob"), ("PolicyName", "a:b")], "policyName", named),
        ("GetRole", vec![("RoleName", "é")], "roleName", named),
        ("CreateUser", vec![("UserName", "a"), ("Path", "x")], "path", path),
        ("ListUsers", vec![("PathPrefix", "x")], "pathPrefix", prefix),
        ("ListPolicies", vec![("PathPrefix", "/x")], "pathPrefix", prefix),
        (
            "GetAccessKeyLastUsed",
            vec![("AccessKeyId", raw_secret)],
            "accessKeyId",
            "It must contain only alphanumeric characters.",
        ),
    ] {
        let message = format!("The specified value for {member} is invalid. {form}");
        assert_eq!(
            iam.refused(action, &parameters),
            (400, "ValidationError".into(), message),
            "{action}"
        );
    }
    let no_marker = (400, "ValidationError".to_owned(), "Invalid Marker.".to_owned());
    assert_eq!(iam.refused("ListUsers", &[("Marker", "?")]), no_marker);
}

#[test]
fn what_is_no_request_of_the_api() {
    let mut iam = Client::new();
    let body = |body: &str| Unsigned { body: body.into(), ..Unsigned::iam("", &[]) };
    for (request, status, code) in [
        (body("Action=ListUsers"), 400, "InvalidAction"),
        (body("Action=ListUsers&Version=2011-06-15"), 400, "InvalidAction"),
        (body("Action=CreateInstanceProfile&Version=2010-05-08"), 400, "InvalidAction"),
        (body("Version=2010-05-08"), 400, "MissingAction"),
        (body(""), 400, "MissingAction"),
        (
            body("Action=ListUsers&Version=2010-05-08&Version=2010-05-08"),
            404,
            "MalformedQueryString",
        ),
        (body("Action=ListUsers&Version=2010-05-08&Marker=%ff"), 404, "MalformedQueryString"),
        (Unsigned { method: "PUT", ..Unsigned::iam("ListUsers", &[]) }, 400, "MissingAction"),
        (
            Unsigned {
                headers: vec![("host".into(), "localhost".into())],
                ..Unsigned::iam("ListUsers", &[])
            },
            400,
            "MissingAction",
        ),
    ] {
        let refusal = iam.send(&request).refusal();
        assert_eq!((refusal.0, &*refusal.1), (status, code), "{}", request.body);
    }
    let refusal = iam.refused("MakeCoffee", &[]);
    assert_eq!(refusal.2, "Could not find operation MakeCoffee for version 2010-05-08");
}
