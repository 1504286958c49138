//! Each IAM operation over the wire format: its answer, and its error for an entity that does not exist.

use crate::iam_client::{Client, SENDING};

#[test]
fn a_user_from_its_creation_to_its_end() {
    let mut iam = Client::new();
    let reply = iam.done(
        "CreateUser",
        &[
            ("UserName", "=+,.@-_"),
            ("Path", "/system/mail/"),
            ("Tags.member.1.Key", "seskey:region"),
            ("Tags.member.1.Value", "eu-west-1"),
        ],
    );
    assert!(reply.body.starts_with(
        "<CreateUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><CreateUserResult><User>"
    ));
    assert_eq!(reply.text("Arn"), "arn:aws:iam::111122223333:user/system/mail/=+,.@-_");
    assert_eq!(reply.text("CreateDate"), "2026-03-01T12:00:00Z");
    assert_eq!(reply.text("Key"), "seskey:region");
    let id = reply.text("UserId");
    assert!(id.starts_with("AIDA") && id.len() == 21, "{id}");

    let reply = iam.done("GetUser", &[("UserName", "=+,.@-_")]);
    assert_eq!((reply.text("UserId"), reply.text("Value")), (id.clone(), "eu-west-1".into()));

    let reply = iam
        .done("UpdateUser", &[("UserName", "=+,.@-_"), ("NewUserName", "Bob"), ("NewPath", "/")]);
    assert!(
        !reply.body.contains("UpdateUserResult"),
        "an operation without output has no result element"
    );
    assert_eq!(reply.text("RequestId"), reply.request_id);
    let reply = iam.done("GetUser", &[("UserName", "bob")]);
    assert_eq!((reply.text("UserName"), reply.text("UserId")), ("Bob".into(), id));
    assert_eq!(reply.text("Arn"), "arn:aws:iam::111122223333:user/Bob");

    iam.done("DeleteUser", &[("UserName", "Bob")]);
    assert_eq!(iam.refused("GetUser", &[("UserName", "Bob")]), no_such_user("Bob"));
}

#[test]
fn the_root_user_asks_about_itself() {
    let mut iam = Client::new();
    let reply = iam.done("GetUser", &[]);
    assert_eq!(reply.text("Arn"), "arn:aws:iam::111122223333:root");
    assert_eq!(iam.done("ListAccessKeys", &[]).texts("AccessKeyId"), [crate::iam_client::ROOT.0]);
    let key = iam.done("CreateAccessKey", &[]).text("AccessKeyId");
    assert_eq!(iam.refused("CreateAccessKey", &[]).1, "LimitExceeded");
    iam.done("DeleteAccessKey", &[("AccessKeyId", &key)]);
}

#[test]
fn access_keys() {
    let mut iam = Client::new();
    iam.done("CreateUser", &[("UserName", "Bob")]);
    let first = iam.done("CreateAccessKey", &[("UserName", "bob")]);
    assert_eq!((first.text("UserName"), first.text("Status")), ("Bob".into(), "Active".into()));
    assert_eq!(first.text("SecretAccessKey").len(), 40);
    let first = first.text("AccessKeyId");
    iam.done(
        "UpdateAccessKey",
        &[("UserName", "Bob"), ("AccessKeyId", &first), ("Status", "Inactive")],
    );
    iam.now += jiff::SignedDuration::from_mins(1);
    let second = iam.done("CreateAccessKey", &[("UserName", "Bob")]).text("AccessKeyId");

    let quota = "Cannot exceed quota for AccessKeysPerUser: 2";
    assert_eq!(
        iam.refused("CreateAccessKey", &[("UserName", "Bob")]),
        (409, "LimitExceeded".into(), quota.into())
    );

    let listed = iam.done("ListAccessKeys", &[("UserName", "Bob")]);
    let mut ids = listed.texts("AccessKeyId");
    ids.sort();
    let mut made = [first.clone(), second.clone()];
    made.sort();
    assert_eq!(ids, made);
    assert!(!listed.body.contains("Secret"));
    assert_eq!(listed.text("IsTruncated"), "false");

    let unused = iam.done("GetAccessKeyLastUsed", &[("AccessKeyId", &second)]);
    assert_eq!((unused.text("Region"), unused.text("ServiceName")), ("N/A".into(), "N/A".into()));
    assert!(unused.texts("LastUsedDate").is_empty());
    iam.account.record_use(&second, "ses", "eu-west-1", iam.now);
    let used = iam.done("GetAccessKeyLastUsed", &[("AccessKeyId", &second)]);
    assert_eq!((used.text("Region"), used.text("ServiceName")), ("eu-west-1".into(), "ses".into()));
    assert_eq!(
        (used.text("LastUsedDate"), used.text("UserName")),
        ("2026-03-01T12:01:00Z".into(), "Bob".into())
    );
    let root = iam.done("GetAccessKeyLastUsed", &[("AccessKeyId", crate::iam_client::ROOT.0)]);
    assert_eq!((root.text("Region"), root.text("ServiceName")), ("us-east-1".into(), "iam".into()));

    let conflict = "Cannot delete entity, must delete access keys first.";
    assert_eq!(
        iam.refused("DeleteUser", &[("UserName", "Bob")]),
        (409, "DeleteConflict".into(), conflict.into())
    );
    iam.done("CreateUser", &[("UserName", "Eve")]);
    for (action, more) in
        [("DeleteAccessKey", None), ("UpdateAccessKey", Some(("Status", "Active")))]
    {
        let parameters: Vec<_> =
            [("UserName", "Eve"), ("AccessKeyId", &*first)].into_iter().chain(more).collect();
        let missing = format!("The Access Key with id {first} cannot be found.");
        assert_eq!(iam.refused(action, &parameters), (404, "NoSuchEntity".into(), missing));
    }
    iam.done("UpdateUser", &[("UserName", "Bob"), ("NewUserName", "Rob")]);
    assert_eq!(
        iam.done("GetAccessKeyLastUsed", &[("AccessKeyId", &first)]).text("UserName"),
        "Rob"
    );
    iam.done("DeleteAccessKey", &[("UserName", "Rob"), ("AccessKeyId", &first)]);
    iam.done("DeleteAccessKey", &[("UserName", "Rob"), ("AccessKeyId", &second)]);
    iam.done("DeleteUser", &[("UserName", "Rob")]);
    assert!(iam.account.access_key(&first).is_none());
}

#[test]
fn groups() {
    let mut iam = Client::new();
    let group = iam.done("CreateGroup", &[("GroupName", "AWSSESSendingGroupDoNotRename")]);
    assert_eq!(group.text("Arn"), "arn:aws:iam::111122223333:group/AWSSESSendingGroupDoNotRename");
    assert!(group.text("GroupId").starts_with("AGPA"));
    iam.done("CreateUser", &[("UserName", "Bob")]);
    let both = [("GroupName", "AWSSESSendingGroupDoNotRename"), ("UserName", "Bob")];
    iam.done("AddUserToGroup", &both);
    iam.done("AddUserToGroup", &both);
    assert_eq!(iam.done("GetGroup", &both[..1]).texts("UserName"), ["Bob"]);
    assert_eq!(iam.done("ListGroups", &[]).texts("GroupName"), ["AWSSESSendingGroupDoNotRename"]);
    assert_eq!(
        iam.done("ListGroupsForUser", &both[1..]).texts("GroupName"),
        ["AWSSESSendingGroupDoNotRename"]
    );
    let conflict = (
        409,
        "DeleteConflict".into(),
        "Cannot delete entity, must remove users from group first.".into(),
    );
    assert_eq!(iam.refused("DeleteGroup", &both[..1]), conflict);
    assert_eq!(iam.refused("DeleteUser", &both[1..]), conflict);
    iam.done("RemoveUserFromGroup", &both);
    assert_eq!(iam.refused("RemoveUserFromGroup", &both).1, "NoSuchEntity");
    iam.done("DeleteGroup", &both[..1]);
    assert_eq!(
        iam.refused("GetGroup", &both[..1]),
        (
            404,
            "NoSuchEntity".into(),
            "The group with name AWSSESSendingGroupDoNotRename cannot be found.".into()
        )
    );
}

#[test]
fn inline_policies_of_users_and_groups() {
    for (kind, entity) in [("User", "user"), ("Group", "group")] {
        let mut iam = Client::new();
        let holder = format!("{kind}Name");
        let (name, policy) = ((holder.as_str(), "Bob"), ("PolicyName", "AmazonSesSendingAccess"));
        iam.done(&format!("Create{kind}"), &[name]);
        iam.done(&format!("Put{kind}Policy"), &[name, policy, ("PolicyDocument", SENDING)]);
        let got = iam.done(&format!("Get{kind}Policy"), &[name, policy]);
        assert_eq!(
            (got.text(&holder), got.text("PolicyName")),
            ("Bob".into(), "AmazonSesSendingAccess".into())
        );
        let document = got.text("PolicyDocument");
        assert!(document.starts_with("%7B%22Version%22%3A%222012-10-17%22%2C"), "{document}");
        assert_eq!(percent_encoding::percent_decode_str(&document).decode_utf8().unwrap(), SENDING);
        let listed = iam.done(&format!("List{kind}Policies"), &[name]);
        assert!(
            listed
                .body
                .contains("<PolicyNames><member>AmazonSesSendingAccess</member></PolicyNames>")
        );

        let conflict = "Cannot delete entity, must delete policies first.";
        let delete = format!("Delete{kind}");
        assert_eq!(iam.refused(&delete, &[name]), (409, "DeleteConflict".into(), conflict.into()));
        iam.done(&format!("Delete{kind}Policy"), &[name, policy]);
        let missing =
            format!("The {entity} policy with name AmazonSesSendingAccess cannot be found.");
        for action in ["Get", "Delete"] {
            let refusal = iam.refused(&format!("{action}{kind}Policy"), &[name, policy]);
            assert_eq!(refusal, (404, "NoSuchEntity".into(), missing.clone()));
        }
        iam.done(&delete, &[name]);
    }
}

#[test]
fn managed_policies() {
    let mut iam = Client::new();
    let made = iam.done(
        "CreatePolicy",
        &[
            ("PolicyName", "Sending"),
            ("Path", "/mail/"),
            ("PolicyDocument", SENDING),
            ("Description", "a\u{1}<b>"),
        ],
    );
    let arn = made.text("Arn");
    assert_eq!(arn, "arn:aws:iam::111122223333:policy/mail/Sending");
    assert!(made.texts("Description").is_empty(), "it is told by GetPolicy alone");
    let got = iam.done("GetPolicy", &[("PolicyArn", &arn)]);
    assert_eq!(got.text("Description"), "a\u{fffd}<b>");
    assert_eq!(got.text("Tags"), "");
    assert!(made.text("PolicyId").starts_with("ANPA"));
    iam.done("CreateUser", &[("UserName", "Bob"), ("PermissionsBoundary", &arn)]);
    let boundary = iam.done("GetUser", &[("UserName", "Bob")]);
    assert_eq!(boundary.text("PermissionsBoundaryArn"), arn);
    assert_eq!(boundary.text("PermissionsBoundaryType"), "Policy");
    let nowhere = "arn:aws:iam::111122223333:policy/nowhere";
    assert_eq!(
        iam.refused("CreateUser", &[("UserName", "Eve"), ("PermissionsBoundary", nowhere)]).1,
        "NoSuchEntity"
    );
    iam.done("CreateGroup", &[("GroupName", "Bobs")]);
    for (kind, name) in [("User", ("UserName", "Bob")), ("Group", ("GroupName", "Bobs"))] {
        iam.done(&format!("Attach{kind}Policy"), &[name, ("PolicyArn", &arn)]);
        iam.done(&format!("Attach{kind}Policy"), &[name, ("PolicyArn", &arn)]);
        let listed = iam.done(&format!("ListAttached{kind}Policies"), &[name]);
        assert_eq!(
            (listed.texts("PolicyArn"), listed.texts("PolicyName")),
            (vec![arn.clone()], vec!["Sending".into()])
        );
        assert!(
            iam.done(&format!("ListAttached{kind}Policies"), &[name, ("PathPrefix", "/x/")])
                .texts("PolicyArn")
                .is_empty()
        );
        let conflict = "Cannot delete entity, must detach all policies first.";
        assert_eq!(
            iam.refused(&format!("Delete{kind}"), &[name]),
            (409, "DeleteConflict".into(), conflict.into())
        );
    }
    let got = iam.done("GetPolicy", &[("PolicyArn", &arn)]);
    assert_eq!(
        (got.text("AttachmentCount"), got.text("PermissionsBoundaryUsageCount")),
        ("2".into(), "1".into())
    );
    let version = iam.done("GetPolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v1")]);
    assert!(version.text("Document").starts_with("%7B"));
    assert_eq!(
        iam.refused("GetPolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v2")]).1,
        "NoSuchEntity"
    );
    assert_eq!(
        iam.done("ListPolicies", &[("Scope", "Local"), ("OnlyAttached", "true")]).texts("Arn"),
        std::slice::from_ref(&arn)
    );
    let of_aws = [("Scope", "AWS"), ("OnlyAttached", "true")];
    assert!(iam.done("ListPolicies", &of_aws).texts("Arn").is_empty());
    assert_eq!(iam.refused("DeletePolicy", &[("PolicyArn", &arn)]).1, "DeleteConflict");
    for (kind, name) in [("User", ("UserName", "Bob")), ("Group", ("GroupName", "Bobs"))] {
        iam.done(&format!("Detach{kind}Policy"), &[name, ("PolicyArn", &arn)]);
        assert_eq!(
            iam.refused(&format!("Detach{kind}Policy"), &[name, ("PolicyArn", &arn)]).1,
            "NoSuchEntity"
        );
    }
    assert_eq!(
        iam.refused("DeletePolicy", &[("PolicyArn", &arn)]).1,
        "DeleteConflict",
        "it is a boundary still"
    );
    iam.done("DeleteUser", &[("UserName", "Bob")]);
    iam.done("DeletePolicy", &[("PolicyArn", &arn)]);
    assert_eq!(iam.refused("GetPolicy", &[("PolicyArn", &arn)]).1, "NoSuchEntity");
    let attach = iam.refused("AttachGroupPolicy", &[("GroupName", "Bobs"), ("PolicyArn", &arn)]);
    assert_eq!(
        attach,
        (404, "NoSuchEntity".into(), format!("Policy {arn} does not exist or is not attachable."))
    );
}

#[test]
fn tags() {
    let mut iam = Client::new();
    iam.done("CreateUser", &[("UserName", "Bob")]);
    let tag = |key, value| {
        [("UserName", "Bob"), ("Tags.member.1.Key", key), ("Tags.member.1.Value", value)]
    };
    iam.done("TagUser", &tag("Department", "finance"));
    iam.done("TagUser", &tag("department", "hr"));
    iam.done("TagUser", &tag("A", ""));
    let listed = iam.done("ListUserTags", &[("UserName", "Bob")]);
    assert_eq!(
        (listed.texts("Key"), listed.texts("Value")),
        (vec!["A".into(), "department".into()], vec!["".into(), "hr".into()])
    );
    assert_eq!(iam.refused("TagUser", &tag("aws:x", "y")).1, "InvalidInput");
    assert_eq!(iam.refused("TagUser", &tag("a*b", "y")).1, "ValidationError");
    let second = [("Tags.member.2.Key", "K"), ("Tags.member.2.Value", "2")];
    assert_eq!(iam.refused("TagUser", &[&tag("k", "1")[..], &second].concat()).1, "InvalidInput");
    iam.done(
        "UntagUser",
        &[("UserName", "Bob"), ("TagKeys.member.1", "DEPARTMENT"), ("TagKeys.member.2", "none")],
    );
    assert_eq!(iam.done("ListUserTags", &[("UserName", "Bob")]).texts("Key"), ["A"]);
}

#[test]
fn lists_come_in_pages_and_in_order() {
    let mut iam = Client::new();
    for n in (0..25).rev() {
        iam.done(
            "CreateUser",
            &[
                ("UserName", &format!("user-{n:02}")),
                ("Path", if n % 2 == 0 { "/even/" } else { "/" }),
            ],
        );
    }
    let (mut names, mut marker) = (Vec::new(), None::<String>);
    loop {
        let mut parameters = vec![("MaxItems", "7")];
        parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let reply = iam.done("ListUsers", &parameters);
        names.extend(reply.texts("UserName"));
        assert!(!reply.body.contains("<Tags>"));
        marker = reply.texts("Marker").pop();
        assert_eq!(reply.text("IsTruncated"), marker.is_some().to_string());
        if marker.is_none() {
            break;
        }
    }
    let all: Vec<String> = (0..25).map(|n| format!("user-{n:02}")).collect();
    assert_eq!(names, all);
    assert_eq!(iam.done("ListUsers", &[("PathPrefix", "/even")]).texts("UserName").len(), 13);
    for (name, value) in [
        ("MaxItems", "0"),
        ("MaxItems", "1001"),
        ("MaxItems", "x"),
        ("Marker", "?!"),
        ("PathPrefix", "x"),
    ] {
        assert_eq!(
            iam.refused("ListUsers", &[(name, value)]).1,
            "ValidationError",
            "{name}={value}"
        );
    }
}

#[test]
fn what_a_user_cannot_have_here_is_an_empty_list() {
    let mut iam = Client::new();
    iam.done("CreateUser", &[("UserName", "Bob")]);
    for (action, list) in [
        ("ListServiceSpecificCredentials", "ServiceSpecificCredentials"),
        ("ListSSHPublicKeys", "SSHPublicKeys"),
        ("ListSigningCertificates", "Certificates"),
        ("ListMFADevices", "MFADevices"),
    ] {
        let reply = iam.done(action, &[("UserName", "Bob")]);
        assert!(
            reply.body.contains(&format!("<{action}Result><{list}></{list}>")),
            "{}",
            reply.body
        );
        assert_eq!(iam.refused(action, &[("UserName", "Eve")]), no_such_user("Eve"));
    }
    let refusal = iam.refused("GetLoginProfile", &[("UserName", "Bob")]);
    assert_eq!(
        refusal,
        (404, "NoSuchEntity".into(), "Login Profile for User Bob cannot be found.".into())
    );
    let summary = iam.done("GetAccountSummary", &[]);
    assert!(summary.body.contains("<entry><key>Users</key><value>1</value></entry>"));
}

fn no_such_user(name: &str) -> (u16, String, String) {
    (404, "NoSuchEntity".into(), format!("The user with name {name} cannot be found."))
}
