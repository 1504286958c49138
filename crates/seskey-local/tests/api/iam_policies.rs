//! Managed policies: their versions, AWS's own policies, the entities that use them, tags, and permissions boundaries.

use crate::iam_client::{ALLOW_ALL, Client, SENDING, trust};

const ARN: &str = "arn:aws:iam::111122223333:policy/Sending";
const ADMIN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const SES: &str = "arn:aws:iam::aws:policy/AmazonSESFullAccess";

fn with_policy() -> Client {
    let mut iam = Client::new();
    iam.done("CreatePolicy", &[("PolicyName", "Sending"), ("PolicyDocument", SENDING)]);
    iam
}

#[test]
fn versions_from_the_first_to_the_sixth() {
    let mut iam = with_policy();
    let of = |version| [("PolicyArn", ARN), ("VersionId", version)];
    let new = [("PolicyArn", ARN), ("PolicyDocument", ALLOW_ALL)];
    iam.now += jiff::SignedDuration::from_hours(1);
    let made = iam.done("CreatePolicyVersion", &[&new[..], &[("SetAsDefault", "true")]].concat());
    assert_eq!(
        (made.text("VersionId"), made.text("IsDefaultVersion")),
        ("v2".into(), "true".into())
    );
    let policy = iam.done("GetPolicy", &[("PolicyArn", ARN)]);
    assert_eq!(policy.text("DefaultVersionId"), "v2");
    assert_eq!(policy.text("CreateDate"), "2026-03-01T12:00:00Z");
    assert_eq!(policy.text("UpdateDate"), "2026-03-01T13:00:00Z");
    for expected in ["v3", "v4", "v5"] {
        let made = iam.done("CreatePolicyVersion", &new);
        assert_eq!(
            (made.text("VersionId"), made.text("IsDefaultVersion")),
            (expected.into(), "false".into())
        );
    }
    let text = "A managed policy can have up to 5 versions. Before you create a new version, you must delete an \
                existing version.";
    assert_eq!(
        iam.refused("CreatePolicyVersion", &new),
        (409, "LimitExceeded".into(), text.into())
    );
    let listed = iam.done("ListPolicyVersions", &[("PolicyArn", ARN), ("MaxItems", "2")]);
    assert_eq!(listed.texts("VersionId"), ["v5", "v4"]);
    let rest = [("PolicyArn", ARN), ("Marker", &*listed.text("Marker"))];
    assert_eq!(iam.done("ListPolicyVersions", &rest).texts("VersionId"), ["v3", "v2", "v1"]);

    let text = "Cannot delete the default version of a policy.";
    let conflict = (409, "DeleteConflict".to_owned(), text.to_owned());
    assert_eq!(iam.refused("DeletePolicyVersion", &of("v2")), conflict);
    iam.done("SetDefaultPolicyVersion", &of("v1"));
    iam.done("DeletePolicyVersion", &of("v2"));
    let text = format!("Policy {ARN} version v2 does not exist or is not attachable.");
    for action in ["GetPolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion"] {
        assert_eq!(iam.refused(action, &of("v2")), (404, "NoSuchEntity".into(), text.clone()));
    }
    assert_eq!(
        iam.done("CreatePolicyVersion", &new).text("VersionId"),
        "v6",
        "no number comes twice"
    );

    let text = "This policy has more than one version. Before you delete a policy, you must delete the policy's \
                versions. The default version is deleted with the policy.";
    let conflict = (409, "DeleteConflict".to_owned(), text.to_owned());
    assert_eq!(iam.refused("DeletePolicy", &[("PolicyArn", ARN)]), conflict);
    for version in ["v3", "v4", "v5", "v6"] {
        iam.done("DeletePolicyVersion", &of(version));
    }
    iam.done("DeletePolicy", &[("PolicyArn", ARN)]);
}

#[test]
fn the_default_version_counts() {
    let mut iam = with_policy();
    iam.become_user("Bob");
    let bob = iam.key.clone();
    iam.become_root();
    iam.done("AttachUserPolicy", &[("UserName", "Bob"), ("PolicyArn", ARN)]);
    let may_list = |iam: &mut Client| {
        let root = std::mem::replace(&mut iam.key, bob.clone());
        let status = iam.iam("ListUsers", &[]).status;
        iam.key = root;
        status == 200
    };
    assert!(!may_list(&mut iam));
    iam.done("CreatePolicyVersion", &[("PolicyArn", ARN), ("PolicyDocument", ALLOW_ALL)]);
    assert!(!may_list(&mut iam));
    iam.done("SetDefaultPolicyVersion", &[("PolicyArn", ARN), ("VersionId", "v2")]);
    assert!(may_list(&mut iam));
}

#[test]
fn policies_of_aws_can_be_read_and_attached_and_not_changed() {
    let mut iam = with_policy();
    iam.become_user("Bob");
    let bob = iam.key.clone();
    iam.become_root();
    let of_aws = iam.done("ListPolicies", &[("Scope", "AWS")]).texts("Arn");
    let is_of_aws = |name: &str| of_aws.contains(&format!("arn:aws:iam::aws:policy/{name}"));
    for name in [
        "AdministratorAccess",
        "AmazonSESFullAccess",
        "AmazonSESReadOnlyAccess",
        "IAMFullAccess",
        "IAMReadOnlyAccess",
        "IAMUserChangePassword",
        "PowerUserAccess",
    ] {
        assert!(is_of_aws(name), "{name}");
    }
    let all = iam.done("ListPolicies", &[]).texts("Arn");
    assert_eq!(all, [&of_aws[..], &[ARN.to_owned()]].concat());
    assert_eq!(iam.done("ListPolicies", &[("Scope", "Local")]).texts("Arn"), [ARN]);
    let first = iam.done("ListPolicies", &[("MaxItems", "1")]);
    let rest = iam.done("ListPolicies", &[("Marker", &*first.text("Marker"))]);
    assert_eq!(rest.texts("Arn"), all[1..]);

    iam.done("AttachUserPolicy", &[("UserName", "Bob"), ("PolicyArn", ADMIN)]);
    assert_eq!(iam.done("GetPolicy", &[("PolicyArn", ADMIN)]).text("AttachmentCount"), "1");
    let document = iam.done("GetPolicyVersion", &[("PolicyArn", SES), ("VersionId", "v1")]);
    assert!(document.text("Document").contains("ses%3A%2A"), "{}", document.body);
    iam.key = bob;
    iam.done("ListUsers", &[]);

    let outside =
        (403, "AccessDenied".to_owned(), "Policy is outside your own account.".to_owned());
    let arn = ("PolicyArn", ADMIN);
    for (action, more) in [
        ("DeletePolicy", vec![]),
        ("CreatePolicyVersion", vec![("PolicyDocument", SENDING)]),
        ("DeletePolicyVersion", vec![("VersionId", "v1")]),
        ("SetDefaultPolicyVersion", vec![("VersionId", "v1")]),
        ("TagPolicy", vec![("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")]),
    ] {
        assert_eq!(iam.refused(action, &[&[arn], &more[..]].concat()), outside, "{action}");
    }
    let unknown = "arn:aws:iam::aws:policy/NoSuchPolicy";
    let gov = "arn:aws-us-gov:iam::aws:policy/AdministratorAccess";
    for unknown in [unknown, gov] {
        assert_eq!(iam.refused("GetPolicy", &[("PolicyArn", unknown)]).1, "NoSuchEntity");
    }
}

#[test]
fn who_uses_a_policy() {
    let mut iam = with_policy();
    let trust = trust(r#"{"AWS":"111122223333"}"#);
    iam.done("CreateUser", &[("UserName", "Bob"), ("Path", "/staff/")]);
    iam.done("CreateUser", &[("UserName", "Eve"), ("PermissionsBoundary", ARN)]);
    iam.done("CreateGroup", &[("GroupName", "Bobs")]);
    iam.done("CreateRole", &[("RoleName", "Mailer"), ("AssumeRolePolicyDocument", &trust)]);
    iam.done("AttachUserPolicy", &[("UserName", "Bob"), ("PolicyArn", ARN)]);
    iam.done("AttachGroupPolicy", &[("GroupName", "Bobs"), ("PolicyArn", ARN)]);
    iam.done("AttachRolePolicy", &[("RoleName", "Mailer"), ("PolicyArn", ARN)]);
    let names = |iam: &mut Client, more: &[(&str, &str)]| {
        let reply = iam.done("ListEntitiesForPolicy", &[&[("PolicyArn", ARN)], more].concat());
        ["GroupName", "UserName", "RoleName"].map(|name| reply.texts(name).join(" "))
    };
    assert_eq!(names(&mut iam, &[]), ["Bobs", "Bob Eve", "Mailer"]);
    assert_eq!(names(&mut iam, &[("EntityFilter", "User")]), ["", "Bob Eve", ""]);
    assert_eq!(names(&mut iam, &[("PathPrefix", "/staff/")]), ["", "Bob", ""]);
    assert_eq!(names(&mut iam, &[("PolicyUsageFilter", "PermissionsBoundary")]), ["", "Eve", ""]);
    assert_eq!(
        names(&mut iam, &[("PolicyUsageFilter", "PermissionsPolicy")]),
        ["Bobs", "Bob", "Mailer"]
    );
    assert_eq!(names(&mut iam, &[("MaxItems", "2")]), ["Bobs", "Bob", ""]);
    let bounds = [("PolicyUsageFilter", "PermissionsBoundary")];
    assert_eq!(iam.done("ListPolicies", &bounds).texts("Arn"), [ARN]);
    let strange = [("PolicyArn", ARN), ("EntityFilter", "user")];
    assert_eq!(iam.refused("ListEntitiesForPolicy", &strange).1, "ValidationError");
}

#[test]
fn tags_of_a_policy() {
    let mut iam = with_policy();
    iam.done(
        "TagPolicy",
        &[("PolicyArn", ARN), ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")],
    );
    assert_eq!(iam.done("ListPolicyTags", &[("PolicyArn", ARN)]).texts("Key"), ["a"]);
    assert_eq!(iam.done("GetPolicy", &[("PolicyArn", ARN)]).texts("Key"), ["a"]);
    iam.done("UntagPolicy", &[("PolicyArn", ARN), ("TagKeys.member.1", "A")]);
    assert!(iam.done("ListPolicyTags", &[("PolicyArn", ARN)]).texts("Key").is_empty());
}

#[test]
fn a_boundary_is_set_and_taken_away() {
    let mut iam = with_policy();
    iam.become_user("Bob");
    let bob = iam.key.clone();
    iam.become_root();
    iam.done("AttachUserPolicy", &[("UserName", "Bob"), ("PolicyArn", ADMIN)]);
    let bound = [("UserName", "Bob"), ("PermissionsBoundary", ARN)];
    iam.done("PutUserPermissionsBoundary", &bound);
    assert_eq!(iam.done("GetUser", &[("UserName", "Bob")]).text("PermissionsBoundaryArn"), ARN);
    assert_eq!(iam.refused("DeletePolicy", &[("PolicyArn", ARN)]).1, "DeleteConflict");
    let root = std::mem::replace(&mut iam.key, bob.clone());
    assert_eq!(iam.refused("ListUsers", &[]).1, "AccessDenied");
    iam.key = root;
    iam.done("DeleteUserPermissionsBoundary", &[("UserName", "Bob")]);
    assert_eq!(
        iam.refused("DeleteUserPermissionsBoundary", &[("UserName", "Bob")]).1,
        "NoSuchEntity"
    );
    let missing =
        [("UserName", "Bob"), ("PermissionsBoundary", "arn:aws:iam::111122223333:policy/no")];
    assert_eq!(iam.refused("PutUserPermissionsBoundary", &missing).1, "NoSuchEntity");
    iam.key = bob;
    iam.done("ListUsers", &[]);
}
