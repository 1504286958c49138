//! The account as a whole: the credential report, all details, passwords, renamed groups, bounded simulations.

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::SignedDuration;

use crate::iam_client::{ALLOW_ALL, Client, SENDING, trust};

const BOB: &str = "arn:aws:iam::111122223333:user/Bob";

#[test]
fn the_credential_report_and_its_states() {
    let mut iam = Client::new();
    iam.become_user("Bob");
    iam.become_root();
    let refusal = iam.refused("GetCredentialReport", &[]);
    assert_eq!((refusal.0, &*refusal.1), (410, "ReportNotPresent"));
    let state = |iam: &mut Client| iam.done("GenerateCredentialReport", &[]).text("State");
    let started = iam.done("GenerateCredentialReport", &[]);
    assert_eq!(started.text("State"), "STARTED");
    assert_eq!(
        started.text("Description"),
        "No report exists. Starting a new report generation task"
    );
    assert_eq!(state(&mut iam), "INPROGRESS");
    let refusal = iam.refused("GetCredentialReport", &[]);
    assert_eq!((refusal.0, &*refusal.1), (404, "ReportInProgress"));

    iam.done("CreateUser", &[("UserName", "Eve")]);
    iam.now += SignedDuration::from_secs(1);
    assert_eq!(state(&mut iam), "COMPLETE");
    let report = iam.done("GetCredentialReport", &[]);
    assert_eq!(report.text("ReportFormat"), "text/csv");
    assert_eq!(report.text("GeneratedTime"), "2026-03-01T12:00:00Z");
    let csv = String::from_utf8(BASE64_STANDARD.decode(report.text("Content")).unwrap()).unwrap();
    assert!(!csv.contains("Eve"), "she came after it was made");

    iam.now += SignedDuration::from_hours(4);
    let refusal = iam.refused("GetCredentialReport", &[]);
    assert_eq!((refusal.0, &*refusal.1), (410, "ReportExpired"));
    assert_eq!(state(&mut iam), "STARTED");
}

#[test]
fn the_columns_of_the_credential_report() {
    let mut iam = Client::new();
    iam.become_user("Bob");
    iam.iam("ListUsers", &[]);
    let bob = iam.key.0.clone();
    iam.become_root();
    iam.done("CreateLoginProfile", &[("UserName", "Bob"), ("Password", "correct Horse 1")]);
    iam.done("CreateAccessKey", &[("UserName", "Bob")]);
    iam.done(
        "UpdateAccessKey",
        &[("UserName", "Bob"), ("AccessKeyId", &bob), ("Status", "Inactive")],
    );
    iam.done("CreateUser", &[("UserName", "a,b")]);
    iam.done("GenerateCredentialReport", &[]);
    iam.now += SignedDuration::from_secs(1);
    let report = iam.done("GetCredentialReport", &[]);
    let csv = String::from_utf8(BASE64_STANDARD.decode(report.text("Content")).unwrap()).unwrap();
    let rows: Vec<&str> = csv.lines().collect();
    let header: Vec<&str> = rows[0].split(',').collect();
    assert_eq!((header.len(), header[0], header[22]), (23, "user", "additional_credentials_info"));
    let now = "2026-03-01T12:00:00+00:00";
    let key = |active, used: &str| format!("{active},{now},{used}");
    let (unused, none) = (key("true", "N/A,N/A,N/A"), "false,N/A,N/A,N/A,N/A");
    let certificates = "false,N/A,false,N/A,N/A";
    let used = |active| key(active, &format!("{now},us-east-1,iam"));
    assert_eq!(
        rows[1],
        format!(
            "<root_account>,arn:aws:iam::111122223333:root,{now},not_supported,no_information,not_supported,\
             not_supported,false,{},{none},{certificates}",
            used("true")
        )
    );
    assert_eq!(
        rows[2],
        format!(
            "\"a,b\",\"arn:aws:iam::111122223333:user/a,b\",{now},false,N/A,N/A,N/A,false,{none},{none},{certificates}"
        )
    );
    assert_eq!(
        rows[3],
        format!(
            "Bob,{BOB},{now},true,no_information,{now},N/A,false,{},{unused},{certificates}",
            used("false")
        )
    );
    assert_eq!(rows.len(), 4);
}

#[test]
fn all_details_in_pages() {
    let mut iam = Client::new();
    let trust = trust(r#"{"AWS":"111122223333"}"#);
    let arn =
        iam.done("CreatePolicy", &[("PolicyName", "P"), ("PolicyDocument", SENDING)]).text("Arn");
    iam.done("CreatePolicyVersion", &[("PolicyArn", &arn), ("PolicyDocument", ALLOW_ALL)]);
    iam.done(
        "CreateUser",
        &[("UserName", "Bob"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")],
    );
    iam.done("CreateUser", &[("UserName", "Eve"), ("PermissionsBoundary", &arn)]);
    iam.done("CreateGroup", &[("GroupName", "Bobs")]);
    iam.done("AddUserToGroup", &[("GroupName", "Bobs"), ("UserName", "Bob")]);
    iam.done(
        "PutUserPolicy",
        &[("UserName", "Bob"), ("PolicyName", "inline"), ("PolicyDocument", SENDING)],
    );
    iam.done("CreateRole", &[("RoleName", "Mailer"), ("AssumeRolePolicyDocument", &trust)]);
    let aws = "arn:aws:iam::aws:policy/AmazonSESFullAccess";
    iam.done("AttachRolePolicy", &[("RoleName", "Mailer"), ("PolicyArn", aws)]);

    let all = iam.done("GetAccountAuthorizationDetails", &[]);
    for list in ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"] {
        assert_eq!(all.texts(list).len(), 1, "{list}");
    }
    let users = all.text("UserDetailList");
    assert!(users.contains("inline") && users.contains("Bobs") && users.contains("k"), "{users}");
    assert!(all.body.contains("<PolicyVersionList><member><Document>%7B"));
    let arns = |iam: &mut Client, parameters: &[(&str, &str)]| {
        let reply = iam.done("GetAccountAuthorizationDetails", parameters);
        (reply.texts("Arn"), reply.texts("Marker").pop())
    };
    let whole = [
        BOB,
        "arn:aws:iam::111122223333:user/Eve",
        "arn:aws:iam::111122223333:group/Bobs",
        "arn:aws:iam::111122223333:role/Mailer",
        &arn,
        aws,
    ];
    assert_eq!(arns(&mut iam, &[]), (whole.map(str::to_owned).to_vec(), None));
    let (mut paged, mut marker) = (vec![], None::<String>);
    loop {
        let mut parameters = vec![("MaxItems", "1")];
        parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let (arns, next) = arns(&mut iam, &parameters);
        assert_eq!(arns.len(), 1);
        paged.extend(arns);
        marker = next;
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(paged, whole);
    for (filter, expected) in [
        ("User", &whole[..2]),
        ("Group", &whole[2..3]),
        ("Role", &whole[3..4]),
        ("LocalManagedPolicy", &whole[4..5]),
        ("AWSManagedPolicy", &whole[5..]),
    ] {
        assert_eq!(arns(&mut iam, &[("Filter.member.1", filter)]).0, expected, "{filter}");
    }
    let strange = [("Filter.member.1", "Policy")];
    assert_eq!(iam.refused("GetAccountAuthorizationDetails", &strange).1, "ValidationError");
}

#[test]
fn every_conflict_of_a_user_by_its_text() {
    let mut iam = Client::new();
    let bob = ("UserName", "Bob");
    iam.done("CreateUser", &[bob]);
    iam.done("CreateGroup", &[("GroupName", "Bobs")]);
    let aws = "arn:aws:iam::aws:policy/AmazonSESFullAccess";
    let in_group = [("GroupName", "Bobs"), bob];
    let service = [bob, ("ServiceName", "codecommit.amazonaws.com")];
    let inline = [bob, ("PolicyName", "p"), ("PolicyDocument", SENDING)];
    let profile = [bob, ("Password", "correct Horse 1")];
    for (make, with, text, undo) in [
        ("CreateAccessKey", &[bob][..], "must delete access keys first.", "DeleteAccessKey"),
        ("CreateLoginProfile", &profile, "must delete login profile first.", "DeleteLoginProfile"),
        (
            "CreateServiceSpecificCredential",
            &service,
            "must remove referenced objects first.",
            "DeleteServiceSpecificCredential",
        ),
        ("PutUserPolicy", &inline, "must delete policies first.", "DeleteUserPolicy"),
        (
            "AttachUserPolicy",
            &[bob, ("PolicyArn", aws)],
            "must detach all policies first.",
            "DetachUserPolicy",
        ),
        ("AddUserToGroup", &in_group, "must remove users from group first.", "RemoveUserFromGroup"),
    ] {
        let made = iam.done(make, with);
        let text = format!("Cannot delete entity, {text}");
        assert_eq!(iam.refused("DeleteUser", &[bob]), (409, "DeleteConflict".into(), text));
        let id = made.texts("AccessKeyId").pop();
        let credential = made.texts("ServiceSpecificCredentialId").pop();
        let undoing: Vec<(&str, &str)> = match undo {
            "DeleteAccessKey" => vec![bob, ("AccessKeyId", id.as_deref().unwrap())],
            "DeleteServiceSpecificCredential" => {
                vec![bob, ("ServiceSpecificCredentialId", credential.as_deref().unwrap())]
            }
            "DeleteUserPolicy" => with[..2].to_vec(),
            "DeleteLoginProfile" => vec![bob],
            _ => with.to_vec(),
        };
        iam.done(undo, &undoing);
    }
    iam.done("DeleteUser", &[bob]);
}

#[test]
fn a_login_profile_keeps_no_password() {
    let mut iam = Client::new();
    iam.done("CreateUser", &[("UserName", "Bob")]);
    let with =
        |password| [("UserName", "Bob"), ("Password", password), ("PasswordResetRequired", "true")];
    for weak in ["aB3!", "abcdefgh", "abcdefg1", "ABCDEFG1"] {
        let refusal = iam.refused("CreateLoginProfile", &with(weak));
        assert_eq!((refusal.0, &*refusal.1), (400, "PasswordPolicyViolation"), "{weak}");
    }
    let made = iam.done("CreateLoginProfile", &with("correct Horse 1"));
    assert_eq!(made.text("PasswordResetRequired"), "true");
    let refusal = iam.refused("CreateLoginProfile", &with("correct Horse 1"));
    assert_eq!((refusal.0, &*refusal.1), (409, "EntityAlreadyExists"));
    assert_eq!(iam.done("GetLoginProfile", &[("UserName", "bob")]).text("UserName"), "Bob");
    iam.account.record_changes();
    let kept = iam.account.take_changes();
    assert!(
        kept.iter().all(|row| row.value.as_ref().is_none_or(|value| !value.contains("correct")))
    );
    iam.done("DeleteLoginProfile", &[("UserName", "Bob")]);
    assert_eq!(iam.refused("DeleteLoginProfile", &[("UserName", "Bob")]).1, "NoSuchEntity");
}

#[test]
fn service_specific_credentials() {
    let mut iam = Client::new();
    iam.done("CreateUser", &[("UserName", "Bob")]);
    let of = |service| [("UserName", "Bob"), ("ServiceName", service)];
    let made = iam.done("CreateServiceSpecificCredential", &of("codecommit.amazonaws.com"));
    assert_eq!(made.text("ServiceUserName"), "Bob-at-111122223333");
    assert_eq!(made.text("ServicePassword").len(), 40);
    assert!(made.text("ServiceSpecificCredentialId").starts_with("ACCA"));
    iam.done("CreateServiceSpecificCredential", &of("codecommit.amazonaws.com"));
    let refusal = iam.refused("CreateServiceSpecificCredential", &of("codecommit.amazonaws.com"));
    assert_eq!(refusal.1, "LimitExceeded");
    iam.done("CreateServiceSpecificCredential", &of("cassandra.amazonaws.com"));
    let ses = iam.refused("CreateServiceSpecificCredential", &of("email.amazonaws.com"));
    assert_eq!((ses.0, &*ses.1), (404, "NoSuchEntity"));
    let listed = iam.done("ListServiceSpecificCredentials", &[("UserName", "Bob")]);
    assert_eq!(listed.texts("Status").len(), 3);
    assert!(listed.texts("ServicePassword").is_empty());
    let listed = iam.done("ListServiceSpecificCredentials", &of("cassandra.amazonaws.com"));
    assert_eq!(listed.texts("Status").len(), 1);
    let unknown = [("UserName", "Bob"), ("ServiceSpecificCredentialId", "ACCAEXAMPLE123EXAMPLE")];
    assert_eq!(iam.refused("DeleteServiceSpecificCredential", &unknown).1, "NoSuchEntity");
}

#[test]
fn a_renamed_group_keeps_its_members_and_policies() {
    let mut iam = Client::new();
    iam.become_user("Bob");
    let bob = iam.key.clone();
    iam.become_root();
    iam.done("CreateGroup", &[("GroupName", "Bobs")]);
    iam.done("CreateGroup", &[("GroupName", "Taken")]);
    iam.done(
        "PutGroupPolicy",
        &[("GroupName", "Bobs"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)],
    );
    iam.done("AddUserToGroup", &[("GroupName", "Bobs"), ("UserName", "Bob")]);
    let taken = [("GroupName", "Bobs"), ("NewGroupName", "taken")];
    assert_eq!(iam.refused("UpdateGroup", &taken).1, "EntityAlreadyExists");
    iam.done("UpdateGroup", &[("GroupName", "Bobs"), ("NewGroupName", "Robs"), ("NewPath", "/x/")]);
    assert_eq!(iam.refused("GetGroup", &[("GroupName", "Bobs")]).1, "NoSuchEntity");
    let group = iam.done("GetGroup", &[("GroupName", "Robs")]);
    assert_eq!(group.texts("Arn"), ["arn:aws:iam::111122223333:group/x/Robs", BOB]);
    iam.key = bob;
    assert_eq!(iam.done("ListGroupsForUser", &[("UserName", "Bob")]).texts("GroupName"), ["Robs"]);
}

#[test]
fn a_simulation_names_the_statement_that_decides() {
    let mut iam = Client::new();
    let aws = "arn:aws:iam::aws:policy/AmazonSESFullAccess";
    iam.done("CreateUser", &[("UserName", "Bob")]);
    iam.done("AttachUserPolicy", &[("UserName", "Bob"), ("PolicyArn", aws)]);
    let deny = ALLOW_ALL.replace("Allow", "Deny").replace(r#""Action":"*""#, r#""Action":"iam:*""#);
    let asked = [
        ("PolicySourceArn", BOB),
        ("ActionNames.member.1", "ses:SendRawEmail"),
        ("ActionNames.member.2", "iam:GetUser"),
        ("PolicyInputList.member.1", &*deny),
    ];
    let reply = iam.done("SimulatePrincipalPolicy", &asked);
    assert_eq!(reply.texts("EvalDecision"), ["allowed", "explicitDeny"]);
    assert_eq!(reply.texts("SourcePolicyId"), ["AmazonSESFullAccess", "PolicyInputList.1"]);
    assert_eq!(reply.texts("SourcePolicyType"), ["IAM Policy", "none"]);
    let trust = trust(r#"{"AWS":"111122223333"}"#);
    iam.done("CreateRole", &[("RoleName", "Mailer"), ("AssumeRolePolicyDocument", &trust)]);
    iam.done(
        "PutRolePolicy",
        &[("RoleName", "Mailer"), ("PolicyName", "own"), ("PolicyDocument", SENDING)],
    );
    let role = [("PolicySourceArn", "arn:aws:iam::111122223333:role/Mailer"), asked[1]];
    let reply = iam.done("SimulatePrincipalPolicy", &role);
    assert_eq!(
        (reply.text("SourcePolicyId"), reply.text("SourcePolicyType")),
        ("own".into(), "IAM Policy".into())
    );
}

#[test]
fn a_simulation_does_not_keep_the_account_for_itself() {
    let mut iam = Client::new();
    iam.done("CreateUser", &[("UserName", "Bob")]);
    let arn = format!("arn:aws:ses:us-east-1:111122223333:identity/{}", "a".repeat(500));
    // half of the pattern is matched at every position of the text
    let pattern = format!("arn:aws:ses:*:*:identity/*{}b", "a".repeat(250));
    let statement =
        SENDING.replace(r#""Resource":"*""#, &format!(r#""Resource":["{pattern}","{pattern}x"]"#));
    let names: Vec<String> = (1..=30).map(|n| format!("ActionNames.member.{n}")).collect();
    let lists: Vec<String> = (1..=10).map(|n| format!("PolicyInputList.member.{n}")).collect();
    let mut asked = vec![("PolicySourceArn", BOB), ("ResourceArns.member.1", &*arn)];
    asked.extend(names.iter().map(|name| (&**name, "ses:SendRawEmail")));
    asked.extend(lists.iter().map(|name| (&**name, &*statement)));
    let mut marker = None::<String>;
    let (mut pages, mut results) = (0, 0);
    loop {
        let mut asked = asked.clone();
        asked.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let reply = iam.done("SimulatePrincipalPolicy", &asked);
        pages += 1;
        results += reply.texts("EvalDecision").len();
        marker = reply.texts("Marker").pop();
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(results, 30);
    assert!(pages > 1, "a page ends before the work is too much");

    let long = "a".repeat(2000);
    let huge = SENDING.replace('*', &"arn:aws:s3:::*a".repeat(8000));
    let mut too_much = vec![asked[0], ("ResourceArns.member.1", &*long), asked[2]];
    too_much.extend(lists[..5].iter().map(|name| (&**name, &*huge)));
    assert_eq!(iam.refused("SimulatePrincipalPolicy", &too_much).1, "InvalidInput");
    let arns: Vec<String> = (1..=334).map(|n| format!("ResourceArns.member.{n}")).collect();
    let mut many = vec![asked[0]];
    many.extend(names.iter().map(|name| (&**name, "ses:SendRawEmail")));
    many.extend(arns.iter().map(|name| (&**name, "*")));
    assert_eq!(iam.refused("SimulatePrincipalPolicy", &many).1, "InvalidInput");
}
