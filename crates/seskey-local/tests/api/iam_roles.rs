//! Roles from their creation to their deletion, with AWS's texts.

use crate::iam_client::{Client, SENDING, trust};

fn anyone() -> String {
    trust(r#"{"AWS":"111122223333"}"#)
}

#[test]
fn a_role_from_its_creation_to_its_end() {
    let mut iam = Client::new();
    let document = anyone();
    let made = iam.done(
        "CreateRole",
        &[
            ("RoleName", "Mailer"),
            ("Path", "/service/"),
            ("AssumeRolePolicyDocument", &document),
            ("Description", "sends mail"),
            ("MaxSessionDuration", "7200"),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", "mail"),
        ],
    );
    let arn = "arn:aws:iam::111122223333:role/service/Mailer";
    assert_eq!((made.text("Arn"), made.text("Path")), (arn.into(), "/service/".into()));
    assert!(made.text("RoleId").starts_with("AROA"));
    let got = iam.done("GetRole", &[("RoleName", "mailer")]);
    let settings = "<MaxSessionDuration>7200</MaxSessionDuration>";
    let made = made.text("Role").replace("</Description>", &format!("</Description>{settings}"));
    assert_eq!(got.text("Role"), made + "<RoleLastUsed></RoleLastUsed>");
    assert!(got.text("AssumeRolePolicyDocument").starts_with("%7B%22Version%22"));
    assert_eq!(
        (got.text("Description"), got.text("MaxSessionDuration")),
        ("sends mail".into(), "7200".into())
    );
    assert_eq!(got.text("Key"), "team");

    let updated = iam.done("UpdateRole", &[("RoleName", "Mailer"), ("Description", "")]);
    assert!(updated.body.contains("<UpdateRoleResult></UpdateRoleResult>"), "{}", updated.body);
    let got = iam.done("GetRole", &[("RoleName", "Mailer")]);
    assert_eq!(
        (got.text("Description"), got.text("MaxSessionDuration")),
        (String::new(), "7200".into())
    );

    for (prefix, count) in [("/", 1), ("/service/", 1), ("/other/", 0)] {
        let listed = iam.done("ListRoles", &[("PathPrefix", prefix)]);
        assert_eq!(listed.texts("RoleName").len(), count, "{prefix}");
        assert!(listed.texts("Key").is_empty(), "no tags in lists");
    }
    let summary = iam.done("GetAccountSummary", &[]);
    assert!(summary.body.contains("<entry><key>Roles</key><value>1</value></entry>"));

    iam.done(
        "PutRolePolicy",
        &[("RoleName", "Mailer"), ("PolicyName", "p"), ("PolicyDocument", SENDING)],
    );
    assert_eq!(iam.done("ListRolePolicies", &[("RoleName", "Mailer")]).texts("member"), ["p"]);
    let got = iam.done("GetRolePolicy", &[("RoleName", "Mailer"), ("PolicyName", "p")]);
    assert!(
        got.body
            .contains("<GetRolePolicyResult><RoleName>Mailer</RoleName><PolicyName>p</PolicyName>")
    );
    let conflict = |text: &str| (409, "DeleteConflict".to_owned(), text.to_owned());
    let name = [("RoleName", "Mailer")];
    let text = "Cannot delete entity, must delete policies first.";
    assert_eq!(iam.refused("DeleteRole", &name), conflict(text));
    iam.done("DeleteRolePolicy", &[name[0], ("PolicyName", "p")]);
    let missing = "The role policy with name p cannot be found.";
    assert_eq!(
        iam.refused("DeleteRolePolicy", &[name[0], ("PolicyName", "p")]),
        (404, "NoSuchEntity".into(), missing.into())
    );

    let ses = "arn:aws:iam::aws:policy/AmazonSESFullAccess";
    iam.done("AttachRolePolicy", &[name[0], ("PolicyArn", ses)]);
    let attached = iam.done("ListAttachedRolePolicies", &name);
    assert_eq!(attached.texts("PolicyName"), ["AmazonSESFullAccess"]);
    let text = "Cannot delete entity, must detach all policies first.";
    assert_eq!(iam.refused("DeleteRole", &name), conflict(text));
    iam.done("DetachRolePolicy", &[name[0], ("PolicyArn", ses)]);
    iam.done("DeleteRole", &name);
    let missing = "The role with name Mailer cannot be found.";
    assert_eq!(iam.refused("GetRole", &name), (404, "NoSuchEntity".into(), missing.into()));
}

#[test]
fn the_tags_of_a_role() {
    let mut iam = Client::new();
    let role = ("RoleName", "Mailer");
    iam.done("CreateRole", &[role, ("AssumeRolePolicyDocument", &anyone())]);
    iam.done("TagRole", &[role, ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "mail")]);
    assert_eq!(iam.done("ListRoleTags", &[role]).texts("Value"), ["mail"]);
    iam.done("UntagRole", &[role, ("TagKeys.member.1", "TEAM")]);
    assert!(iam.done("ListRoleTags", &[role]).texts("Value").is_empty());
}

#[test]
fn a_role_is_in_no_instance_profile() {
    let mut iam = Client::new();
    let (action, role) = ("ListInstanceProfilesForRole", ("RoleName", "Mailer"));
    let missing = "The role with name Mailer cannot be found.";
    assert_eq!(iam.refused(action, &[role]), (404, "NoSuchEntity".into(), missing.into()));
    iam.done("CreateRole", &[role, ("AssumeRolePolicyDocument", &anyone())]);
    let result = iam.done(action, &[role]).text("ListInstanceProfilesForRoleResult");
    assert_eq!(result, "<InstanceProfiles></InstanceProfiles><IsTruncated>false</IsTruncated>");
    assert_eq!(iam.refused(action, &[role, ("MaxItems", "0")]).1, "ValidationError");
}

#[test]
fn a_name_is_taken_in_upper_and_lower_case() {
    let mut iam = Client::new();
    let document = anyone();
    iam.done("CreateRole", &[("RoleName", "Mailer"), ("AssumeRolePolicyDocument", &document)]);
    let again = [("RoleName", "mailer"), ("Path", "/x/"), ("AssumeRolePolicyDocument", &*document)];
    let text = "Role with name mailer already exists.";
    assert_eq!(iam.refused("CreateRole", &again), (409, "EntityAlreadyExists".into(), text.into()));
}

#[test]
fn what_is_no_trust_policy() {
    let mut iam = Client::new();
    iam.done("CreateUser", &[("UserName", "Bob"), ("Path", "/staff/")]);
    let good = anyone();
    let (syntax, resource) = ("Syntax errors in policy.", "Has prohibited field Resource");
    let action = "AssumeRole policy may only specify STS AssumeRole actions.";
    let bob = r#"Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/Bob""#;
    for (document, text) in [
        ("{}".to_owned(), syntax),
        ("[]".to_owned(), syntax),
        (r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned(), syntax),
        (SENDING.to_owned(), resource),
        (good.replace("sts:AssumeRole", "iam:GetUser"), action),
        (good.replace("sts:AssumeRole", "*"), action),
        (good.replace("sts:AssumeRole", "sts:BadAssumeRole"), action),
        (good.replace("sts:AssumeRole", "sts:AssumeRoles"), action),
        (good.replace("}]}", ",}]}"), "This policy contains invalid Json"),
        (good.replace("Principal", "NotPrincipal"), syntax),
        (good.replace("AWS", "Aws"), syntax),
        (good.replace("Allow", "allow"), "The policy failed legacy parsing"),
        (good.replace("2012", "2013"), syntax),
        (trust("{}"), syntax),
        (trust(r#"{"AWS":[]}"#), syntax),
        (trust(r#"{"AWS":"arn:aws:iam::111122223333:user/Bob"}"#), bob),
        (trust(r#"{"AWS":"x"}"#), r#"Invalid principal in policy: "AWS":"x""#),
        (
            trust(r#"{"AWS":"arn:aws:iam::111122223333:user/*"}"#),
            r#"Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/*""#,
        ),
    ] {
        let role = [("RoleName", "r"), ("AssumeRolePolicyDocument", &*document)];
        let malformed = (400, "MalformedPolicyDocument".into(), text.into());
        assert_eq!(iam.refused("CreateRole", &role), malformed, "{document}");
    }
    for action in ["sts:*", "STS:assumerole", "sts:TagSession", "sts:Assume*"] {
        let document = good.replace("sts:AssumeRole", action);
        let name = action.replace([':', '*'], "-");
        let role = [("RoleName", &*name), ("AssumeRolePolicyDocument", &*document)];
        iam.done("CreateRole", &role);
    }
    let by_path = trust(r#"{"AWS":"arn:aws:iam::111122223333:user/staff/Bob"}"#);
    iam.done("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", &by_path)]);
    let names = (0..200).map(|n| format!(r#""{:012}""#, n)).collect::<Vec<_>>().join(",");
    let long = trust(&format!(r#"{{"AWS":[{names}]}}"#));
    let refusal =
        iam.refused("UpdateAssumeRolePolicy", &[("RoleName", "r"), ("PolicyDocument", &long)]);
    let text = "Cannot exceed quota for ACLSizePerRole: 2048";
    assert_eq!(refusal, (409, "LimitExceeded".into(), text.into()));
}
