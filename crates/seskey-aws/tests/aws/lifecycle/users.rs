//! Listing, deleting and checking SMTP users in the account of a local SES.

use super::stage::Stage;
use seskey::{
    AccessKeyId,
    rotation::Sending,
    user::{SENDING_GROUP, SENDING_POLICY, UserPath},
};
use seskey_aws::{
    Cause,
    iam::{KeyStatus, SignIn, Verdict},
    lifecycle::{
        Interrupt,
        converge::{Drift, converge, drift},
        create::{CreateRequest, Style, create},
        delete::{PlanError, Removal, delete, plan},
        list::{self, SmtpUser, list},
    },
    sender::{Envelope, may_send, user_of_key},
    smtp::Address,
};
use seskey_local::account::{Action, Tag};

const SEND: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ses:SendRawEmail","Resource":"*"}]}"#;

impl Stage {
    async fn make(&self, request: CreateRequest) -> AccessKeyId {
        let made = create(
            &self.root,
            &CreateRequest { proof: None, ..request },
            Interrupt::never(),
            &mut |_| {},
        )
        .await;
        made.unwrap().credential.user_name
    }

    /// Attaches a managed policy that allows sending; returns its ARN.
    async fn attach(&self, user: &str) -> String {
        let policy = self
            .iam
            .create_policy()
            .policy_name("managed")
            .policy_document(SEND)
            .send()
            .await
            .unwrap();
        let arn = policy.policy.unwrap().arn.unwrap();
        self.iam.attach_user_policy().user_name(user).policy_arn(&arn).send().await.unwrap();
        arn
    }
}

fn inline() -> Style {
    Style::Inline { policy: SEND.to_owned() }
}

#[tokio::test]
async fn lists_those_who_may_send() {
    let stage = Stage::new().await;
    for number in 0..120 {
        stage.iam.create_user().user_name(format!("user-{number:03}")).send().await.unwrap();
    }
    let id = stage.make(stage.request("by-group", Style::Group)).await;
    let mut request = stage.request("by-inline", inline());
    request.path = UserPath::parse("/system/mail/").unwrap();
    stage.make(request).await;
    stage.attach("user-007").await;
    let narrow =
        SEND.replace("\"Resource\":\"*\"", "\"Resource\":\"arn:aws:ses:*:*:identity/example.com\"");
    let put = stage
        .iam
        .put_user_policy()
        .user_name("user-008")
        .policy_name("narrow")
        .policy_document(narrow);
    put.send().await.unwrap();
    let put = stage.iam.put_user_policy().user_name("user-009").policy_name("s3");
    put.policy_document(SEND.replace("ses:SendRawEmail", "s3:*")).send().await.unwrap();

    let before = stage.answers("service").await;
    let users = list(&stage.root, false).await.unwrap();
    // users, groups and policies in one list; the keys of four users, and the last use of two keys
    assert_eq!(stage.answers("service").await - before, 1 + 4 + 2);
    let seen: Vec<_> = users.iter().map(|user| (user.name.as_str(), user.style)).collect();
    let expected = [
        ("by-group", Some(list::Style::Group)),
        ("by-inline", Some(list::Style::Inline)),
        ("user-007", Some(list::Style::Other)),
        ("user-008", Some(list::Style::Other)),
    ];
    assert_eq!(seen, expected);
    let [SmtpUser { keys, region, created, .. }, SmtpUser { path, arn, .. }, ..] = &users[..]
    else {
        panic!()
    };
    assert_eq!((region.as_deref(), created.is_some()), (Some("us-east-1"), true));
    assert_eq!((keys[0].key.id.as_str(), &keys[0].key.status), (id.as_str(), &KeyStatus::Active));
    assert_eq!(keys[0].last_used, None);
    assert_eq!(
        (path.as_str(), arn.as_str()),
        ("/system/mail/", "arn:aws:iam::000000000000:user/system/mail/by-inline")
    );

    let all = list(&stage.root, true).await.unwrap();
    assert_eq!(all.len(), 122);
    assert!(all.is_sorted_by_key(|user| user.name.clone()));

    // a caller that may not get the whole list reads user by user
    let caller = stage.all_but("caller", &["iam:GetAccountAuthorizationDetails"]).await;
    let unjudged = users.iter().map(|user| SmtpUser { worst: None, ..user.clone() });
    assert_eq!(list(&caller, false).await.unwrap(), unjudged.collect::<Vec<_>>());
    let worst = users.iter().map(|user| user.worst.as_ref().map(|finding| finding.kind.id));
    assert_eq!(worst.collect::<Vec<_>>(), [None, Some("direct-policy"), None, None]);
}

#[tokio::test]
async fn all_users_come_in_few_answers() {
    let stage = Stage::new().await;
    let tag = |key: &str| Tag { key: key.to_owned(), value: "mail".to_owned() };
    for number in 0..1100 {
        let create = Action::CreateUser {
            user_name: format!("user-{number:04}"),
            path: "/many/".to_owned(),
            permissions_boundary: None,
            tags: vec![tag("team"), tag("use")],
        };
        stage.server.apply(create).unwrap();
    }
    stage.make(stage.request("by-group", Style::Group)).await;
    stage.make(stage.request("by-inline", inline())).await;
    let before = stage.answers("service").await;
    let senders = stage.root.senders().await.unwrap();
    let (users, sending): (Vec<_>, Vec<_>) = senders.into_iter().unzip();
    assert_eq!((users.len(), stage.answers("service").await - before), (1102, 2));
    let of = |name: &str| users.iter().find(|user| user.name == name).unwrap();
    let user = of("user-1099");
    assert_eq!(
        (&*user.path, &*user.arn),
        ("/many/", "arn:aws:iam::000000000000:user/many/user-1099")
    );
    let tag = |key: &str| (key.to_owned(), "mail".to_owned());
    assert_eq!((&user.tags[..], user.created.is_some()), (&[tag("team"), tag("use")][..], true));
    assert!(user.groups.is_empty() && user.policies.is_empty());
    assert_eq!(sending.iter().filter(|sending| **sending == Sending::Allowed).count(), 2);
    assert_eq!(of("by-group").groups, [SENDING_GROUP]);
    assert_eq!(of("by-inline").policies, [(SENDING_POLICY.to_owned(), SEND.to_owned())]);
}

/// A policy of the group that somebody has removed is put back.
#[tokio::test]
async fn the_policy_of_the_group_is_put_back() {
    let stage = Stage::new().await;
    let request = stage.request("app", Style::Group);
    stage.make(request.clone()).await;
    let delete = stage.iam.delete_group_policy().group_name(SENDING_GROUP);
    delete.policy_name(SENDING_POLICY).send().await.unwrap();
    let seen = || async { stage.root.senders().await.unwrap().remove(0) };
    let (user, sending) = seen().await;
    assert_eq!(stage.root.sending_within(&user).await.unwrap(), sending);
    let lacks = drift(&user, &sending, &request);
    assert_eq!(lacks, [Drift::GroupPolicy]);
    converge(&stage.root, &request, &lacks, Interrupt::never(), &mut |_| {}).await.unwrap();
    let (user, sending) = seen().await;
    assert_eq!((&sending, drift(&user, &sending, &request)), (&Sending::Allowed, vec![]));
}

#[tokio::test]
async fn deletes_all_of_a_user_and_again() {
    let stage = Stage::new().await;
    let mut request = stage.request("app", Style::Group);
    request.path = UserPath::parse("/system/mail/").unwrap();
    let id = stage.make(request).await;
    let arn = stage.attach("app").await;
    let put = stage.iam.put_user_policy().user_name("app").policy_name("own").policy_document(SEND);
    put.send().await.unwrap();

    let planned = plan(&stage.root, "app").await.unwrap().unwrap();
    assert_eq!(planned.user_arn, "arn:aws:iam::000000000000:user/system/mail/app");
    let expected = [
        Removal::AccessKey { id: id.to_string() },
        Removal::UserPolicy { policy: "own".to_owned() },
        Removal::AttachedPolicy { arn },
        Removal::Membership { group: SENDING_GROUP.to_owned() },
        Removal::User,
    ];
    assert_eq!(planned.removals, expected);

    // a deletion that was stopped half-way goes on when it is run again
    let caller = stage.all_but("caller", &["iam:DetachUserPolicy"]).await;
    let mut removed = Vec::new();
    let error =
        delete(&caller, &planned, &mut |removal| removed.push(removal.clone())).await.unwrap_err();
    assert!(matches!(error.error.cause, Cause::AccessDenied { .. }), "{error:?}");
    assert_eq!((&error.at, &error.removed[..]), (&expected[2], &expected[..2]));
    assert_eq!(removed, error.removed);
    assert_eq!(plan(&stage.root, "app").await.unwrap().unwrap().removals, expected[2..]);

    for _ in 0..2 {
        delete(&stage.root, &planned, &mut |_| {}).await.unwrap();
        assert_eq!(plan(&stage.root, "app").await, Ok(None));
    }
    assert!(
        stage.snapshot().await.iter().any(|line| line.contains("0 members")),
        "the group stays"
    );
}

/// A user that signs in otherwise is refused before anything is deleted: its mail would stop, and the user stay.
#[tokio::test]
async fn who_signs_in_otherwise_is_not_deleted() {
    let stage = Stage::new().await;
    let id = stage.make(stage.request("app", Style::Group)).await;
    let profile = stage.iam.create_login_profile().user_name("app").password("correct Horse 1");
    profile.send().await.unwrap();
    let made = stage.iam.create_service_specific_credential().user_name("app");
    let made = made.service_name("codecommit.amazonaws.com").send().await.unwrap();
    let made = made.service_specific_credential.unwrap().service_specific_credential_id;
    let service = "codecommit.amazonaws.com".to_owned();
    let by =
        vec![SignIn::LoginProfile, SignIn::ServiceSpecificCredential { id: made.clone(), service }];
    let user_arn = "arn:aws:iam::000000000000:user/app".to_owned();
    assert_eq!(plan(&stage.root, "app").await, Err(PlanError::SignsIn { user_arn, by }));

    let gone = stage.iam.delete_service_specific_credential().user_name("app");
    gone.service_specific_credential_id(made).send().await.unwrap();
    assert!(matches!(plan(&stage.root, "app").await, Err(PlanError::SignsIn { .. })));
    stage.iam.delete_login_profile().user_name("app").send().await.unwrap();
    let planned = plan(&stage.root, "app").await.unwrap().unwrap();
    assert_eq!(planned.removals[0], Removal::AccessKey { id: id.to_string() });

    // a caller that may not look learns nothing, and deletes nothing
    for action in [
        "iam:GetLoginProfile",
        "iam:ListMFADevices",
        "iam:ListSSHPublicKeys",
        "iam:ListServiceSpecificCredentials",
        "iam:ListSigningCertificates",
    ] {
        let caller = stage.all_but(&action.replace(':', "-"), &[action]).await;
        let refused = plan(&caller, "app").await;
        assert!(
            matches!(&refused, Err(PlanError::Call(error)) if error.action == action),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn what_came_after_the_plan_is_a_conflict() {
    let stage = Stage::new().await;
    stage.make(stage.request("app", inline())).await;
    let planned = plan(&stage.root, "app").await.unwrap().unwrap();
    stage.iam.create_access_key().user_name("app").send().await.unwrap();
    let error = delete(&stage.root, &planned, &mut |_| {}).await.unwrap_err();
    assert!(matches!(error.error.cause, Cause::DeleteConflict { .. }), "{error:?}");
    assert_eq!((error.at, error.removed.len()), (Removal::User, 2));
}

#[tokio::test]
async fn says_whether_a_user_may_send() {
    let stage = Stage::in_region("us-gov-west-1").await;
    let policy = SEND.replace(
        "\"Resource\":\"*\"",
        r#""Resource":"arn:aws-us-gov:ses:us-gov-west-1:000000000000:identity/example.com",
           "Condition":{"StringLike":{"ses:FromAddress":"*@example.com"},"StringEquals":{"ses:ApiVersion":"2"},
           "ForAllValues:StringLike":{"ses:Recipients":["*@example.org"]}}"#,
    );
    let id = stage.make(stage.request("app", Style::Inline { policy })).await;
    assert_eq!(user_of_key(&stage.root, &id).await, Ok(Some("app".to_owned())));
    let stranger = AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap();
    assert_eq!(user_of_key(&stage.root, &stranger).await, Ok(None));

    let address = |text| Address::parse(text).unwrap();
    for (from, to, on_address, on_domain) in [
        ("a@example.com", "b@example.org", Verdict::ImplicitDeny, Verdict::Allowed),
        ("a@example.com", "b@example.net", Verdict::ImplicitDeny, Verdict::ImplicitDeny),
        ("a@example.net", "b@example.org", Verdict::ImplicitDeny, Verdict::ImplicitDeny),
    ] {
        let envelope =
            Envelope { from: address(from), to: vec![address(to)], region: stage.region.clone() };
        let simulated = may_send(&stage.root, "app", &envelope).await.unwrap();
        let verdicts: Vec<Verdict> = simulated.iter().map(|simulated| simulated.verdict).collect();
        assert_eq!(verdicts, [on_address, on_domain], "{from} to {to}: {simulated:?}");
        assert!(simulated[1].resource.starts_with("arn:aws-us-gov:ses:us-gov-west-1:"));
    }
}
