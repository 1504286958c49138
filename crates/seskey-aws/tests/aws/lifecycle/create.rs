//! The creation of a credential in the account of a local SES: as the console does it, and with every step failing.

use std::time::Duration;

use super::stage::Stage;
use seskey::{
    Region,
    rotation::Denial,
    user::{SENDING_GROUP, SENDING_POLICY, UserPath},
};
use seskey_aws::{
    Account, Cause,
    lifecycle::{
        Interrupt,
        create::{CreateError, CreateFailure, CreateRequest, Created, Event, Style, create},
        undo::{Thing, undo},
    },
    smtp::{Phase, SmtpError},
};

const INLINE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ses:SendRawEmail","Resource":"*"}]}"#;

fn inline() -> Style {
    Style::Inline { policy: INLINE.to_owned() }
}

pub(crate) async fn run(
    account: &Account,
    request: &CreateRequest,
) -> (Result<Created, CreateError>, Vec<Event>) {
    let mut events = Vec::new();
    let created =
        create(account, request, Interrupt::never(), &mut |event| events.push(event)).await;
    (created, events)
}

fn things(created: &Created) -> Vec<&Thing> {
    created.made.iter().map(|made| &made.what).collect()
}

#[tokio::test]
async fn in_the_group_style() {
    let stage = Stage::new().await;
    let (created, events) = run(&stage.root, &stage.request("app", Style::Group)).await;
    let created = created.unwrap();
    let [group, group_policy, user, membership, key] = things(&created)[..] else {
        panic!("{created:?}")
    };
    assert_eq!(group, &Thing::Group { group: SENDING_GROUP.to_owned() });
    assert_eq!(
        group_policy,
        &Thing::GroupPolicy { group: SENDING_GROUP.to_owned(), members: vec![] }
    );
    assert_eq!(user, &Thing::User { user: "app".to_owned() });
    assert_eq!(
        membership,
        &Thing::Membership { user: "app".to_owned(), group: SENDING_GROUP.to_owned() }
    );
    let id = Some(created.credential.user_name.to_string());
    assert_eq!(key, &Thing::AccessKey { user: "app".to_owned(), id });
    assert_eq!(created.user_arn, "arn:aws:iam::000000000000:user/app");
    assert_eq!(created.proven.as_ref().unwrap().attempts, 3);
    assert!(matches!(events[0], Event::Caller(_)), "{events:?}");

    let tags = stage.iam.list_user_tags().user_name("app").send().await.unwrap().tags;
    assert_eq!((tags[0].key(), tags[0].value()), ("seskey:region", "us-east-1"));

    let (second, _) = run(&stage.root, &stage.request("app2", Style::Group)).await;
    assert!(
        !things(&second.unwrap())
            .iter()
            .any(|thing| matches!(thing, Thing::Group { .. } | Thing::GroupPolicy { .. }))
    );
}

#[tokio::test]
async fn in_the_inline_style_with_a_path_in_another_partition() {
    let stage = Stage::in_region("us-gov-west-1").await;
    let before = stage.snapshot().await;
    let mut request = stage.request("app", inline());
    request.path = UserPath::parse("/system/mail/").unwrap();
    let created = run(&stage.root, &request).await.0.unwrap();
    assert_eq!(created.user_arn, "arn:aws-us-gov:iam::000000000000:user/system/mail/app");
    let policy = stage
        .iam
        .get_user_policy()
        .user_name("app")
        .policy_name(SENDING_POLICY)
        .send()
        .await
        .unwrap();
    assert!(policy.policy_document.contains("ses%3ASendRawEmail"));

    assert_eq!(undo(&stage.root, &created.made, &mut |_| {}).await, []);
    assert_eq!(stage.snapshot().await, before);
}

#[tokio::test]
async fn for_another_region_than_the_accounts() {
    let stage = Stage::new().await;
    let region = Region::parse("eu-west-1").unwrap();
    let mut request = stage.request("app", inline());
    request.proof = Some(stage.proof(&region));
    request.region = region;
    let created = run(&stage.root, &request).await.0.unwrap();
    assert_eq!(created.credential.endpoint.as_deref(), Some("email-smtp.eu-west-1.amazonaws.com"));
}

#[tokio::test]
async fn nothing_is_left_when_one_action_is_denied() {
    let stage = Stage::new().await;
    for (style, action) in [
        (Style::Group, "iam:CreateGroup"),
        (Style::Group, "iam:PutGroupPolicy"),
        (Style::Group, "iam:CreateUser"),
        (Style::Group, "iam:AddUserToGroup"),
        (Style::Group, "iam:CreateAccessKey"),
        (inline(), "iam:PutUserPolicy"),
        (inline(), "iam:CreateAccessKey"),
    ] {
        // the simulator shows it beforehand
        let name = format!("may-ask-{}-{}", action.replace(':', "-"), style == Style::Group);
        let caller = stage.all_but(&name, &[action]).await;
        let (refused, events) = run(&caller, &stage.request("app", style.clone())).await;
        let Err(CreateError { failure: CreateFailure::NotPermitted { denied }, left }) = refused
        else {
            panic!("{action}: {refused:?}")
        };
        assert_eq!((&*denied[0].action, left), (action, vec![]));
        assert!(!events.iter().any(|event| matches!(event, Event::Made(_))), "{action}");

        // without the simulator, the change meets it and is undone
        let name = name.replace("may-ask", "may-not");
        let caller = stage.all_but(&name, &[action, "iam:SimulatePrincipalPolicy"]).await;
        let before = stage.snapshot().await;
        let error = run(&caller, &stage.request("app", style)).await.0.unwrap_err();
        let CreateFailure::Call(error) = &error.failure else { panic!("{action}: {error:?}") };
        assert!(
            matches!(&error.cause, Cause::AccessDenied { action: denied, .. } if denied == action),
            "{error:?}"
        );
        assert_eq!(stage.snapshot().await, before, "{action}");
    }
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_named() {
    let stage = Stage::new().await;
    let denied = ["iam:CreateAccessKey", "iam:SimulatePrincipalPolicy", "iam:DeleteUser"];
    let caller = stage.all_but("caller", &denied).await;
    let error = run(&caller, &stage.request("app", Style::Group)).await.0.unwrap_err();
    let [left] = &error.left[..] else { panic!("{error:?}") };
    assert_eq!(left.what.what, Thing::User { user: "app".to_owned() });
    assert_eq!(left.why.action, "iam:DeleteUser");
    // the later steps of the undoing were done all the same
    assert!(stage.snapshot().await.contains(&"user app: 0 keys, []".to_owned()));
    assert!(!stage.snapshot().await.iter().any(|line| line.starts_with("group")));
}

#[tokio::test]
async fn a_credential_that_does_not_log_in_is_taken_back() {
    let stage = Stage::new().await;
    let before = stage.snapshot().await;
    let mut request = stage.request("app", Style::Group);
    request.proof = Some(stage.proof(&Region::parse("eu-west-1").unwrap()));
    let (error, events) = run(&stage.root, &request).await;
    let CreateError { failure: CreateFailure::NotProven(proof), left } = error.unwrap_err() else {
        panic!()
    };
    let SmtpError::Refused { phase: Phase::Auth, reply } = &proof.error else {
        panic!("{proof:?}")
    };
    assert_eq!(reply.code, 535);
    assert!(proof.attempts > 2, "it waited");
    assert!(events.iter().any(|event| matches!(event, Event::TakenBack(Thing::AccessKey { .. }))));
    assert_eq!((left, stage.snapshot().await), (vec![], before.clone()));

    let mut unreachable = stage.proof(&stage.region);
    unreachable.server.port = 1;
    request.proof = Some(unreachable);
    let CreateFailure::NotProven(proof) = run(&stage.root, &request).await.0.unwrap_err().failure
    else {
        panic!()
    };
    assert!(matches!(proof.error, SmtpError::Connect { .. }), "{proof:?}");
    assert_eq!(proof.attempts, 1, "waiting would not mend it");
    assert_eq!(stage.snapshot().await, before);
}

#[tokio::test]
async fn an_interrupt_takes_everything_back() {
    let stage = Stage::new().await;
    let before = stage.snapshot().await;
    let mut request = stage.request("app", Style::Group);
    let mut proof = stage.proof(&Region::parse("eu-west-1").unwrap());
    proof.patience = Duration::from_secs(60);
    request.proof = Some(proof);
    for stop_at in 0..8 {
        let (raise, interrupt) = Interrupt::new();
        let mut seen = 0;
        let created = create(&stage.root, &request, interrupt, &mut |event| {
            if matches!(event, Event::Made(_) | Event::Login(_) | Event::Caller(_)) {
                if seen == stop_at {
                    raise.send(true).unwrap();
                }
                seen += 1;
            }
        })
        .await;
        let error = created.unwrap_err();
        assert_eq!(
            error,
            CreateError { failure: CreateFailure::Interrupted, left: vec![] },
            "{stop_at}"
        );
        assert_eq!(stage.snapshot().await, before, "{stop_at}");
    }
}

#[tokio::test]
async fn what_is_wrong_beforehand_changes_nothing() {
    let stage = Stage::new().await;
    stage.iam.create_user().user_name("app").send().await.unwrap();
    let error = run(&stage.root, &stage.request("app", Style::Group)).await.0.unwrap_err();
    let arn = "arn:aws:iam::000000000000:user/app".to_owned();
    assert_eq!(error.failure, CreateFailure::UserExists { arn });

    stage.iam.create_group().group_name(SENDING_GROUP).send().await.unwrap();
    let put = stage.iam.put_group_policy().group_name(SENDING_GROUP).policy_name("narrow");
    put.policy_document(INLINE.replace("ses:SendRawEmail", "s3:*")).send().await.unwrap();
    let before = stage.snapshot().await;
    let error = run(&stage.root, &stage.request("app2", Style::Group)).await.0.unwrap_err();
    let (group, policies) = (SENDING_GROUP.to_owned(), vec!["narrow".to_owned()]);
    assert_eq!(error.failure, CreateFailure::GroupCannotSend { group, policies });
    assert_eq!(stage.snapshot().await, before);
}

/// A user that is denied sending does not stay.
#[tokio::test]
async fn what_could_not_send_is_taken_back() {
    let stage = Stage::new().await;
    run(&stage.root, &stage.request("first", Style::Group)).await.0.unwrap();
    let put = stage.iam.put_group_policy().group_name(SENDING_GROUP).policy_name("no-mail");
    put.policy_document(INLINE.replace("Allow", "Deny")).send().await.unwrap();
    let before = stage.snapshot().await;
    let error = run(&stage.root, &stage.request("app", Style::Group)).await.0.unwrap_err();
    let (policy, statement) = ("no-mail".to_owned(), Some("1".to_owned()));
    let denial = Denial::Denied { policy, statement };
    assert_eq!((error.failure, error.left), (CreateFailure::MayNotSend(denial), vec![]));
    assert_eq!(stage.snapshot().await, before);
}

#[tokio::test]
async fn a_managed_policy_on_the_group_will_do() {
    let stage = Stage::new().await;
    stage.iam.create_group().group_name(SENDING_GROUP).send().await.unwrap();
    let policy = stage
        .iam
        .create_policy()
        .policy_name(SENDING_POLICY)
        .policy_document(INLINE)
        .send()
        .await
        .unwrap();
    let arn = policy.policy.unwrap().arn.unwrap();
    stage.iam.attach_group_policy().group_name(SENDING_GROUP).policy_arn(arn).send().await.unwrap();
    let created = run(&stage.root, &stage.request("app", Style::Group)).await.0.unwrap();
    assert_eq!(things(&created).len(), 3, "user, membership, key: {created:?}");
}

#[tokio::test]
async fn the_rights_that_the_console_needs_are_enough() {
    let stage = Stage::new().await;
    let reads =
        ["iam:Get*", "iam:List*", "iam:Simulate*", "iam:Delete*", "iam:Remove*", "iam:Attach*"];
    let caller = stage.all_but("caller", &reads).await;
    for name in ["app", "app2"] {
        let (created, events) = run(&caller, &stage.request(name, Style::Group)).await;
        assert!(created.unwrap().proven.is_some());
        assert!(events.iter().any(|event| matches!(event, Event::Unchecked { .. })), "{events:?}");
    }
}

#[tokio::test]
async fn a_caller_who_may_only_join_the_group_joins_it() {
    let stage = Stage::new().await;
    run(&stage.root, &stage.request("first", Style::Group)).await.0.unwrap();
    let caller =
        stage.all_but("caller", &["iam:Get*", "iam:List*", "iam:CreateGroup", "iam:Put*"]).await;
    let created = run(&caller, &stage.request("app", Style::Group)).await.0.unwrap();
    assert_eq!(things(&created).len(), 3, "user, membership, key: {created:?}");
}

#[tokio::test]
async fn a_group_that_somebody_joined_stays() {
    let stage = Stage::new().await;
    let created = run(&stage.root, &stage.request("app", Style::Group)).await.0.unwrap();
    stage.iam.create_user().user_name("other").send().await.unwrap();
    stage
        .iam
        .add_user_to_group()
        .group_name(SENDING_GROUP)
        .user_name("other")
        .send()
        .await
        .unwrap();
    let mut kept = Vec::new();
    let left = undo(&stage.root, &created.made, &mut |event| {
        if let Event::Kept(thing) = event {
            kept.push(thing);
        }
    })
    .await;
    assert_eq!(left, []);
    assert!(matches!(kept[..], [Thing::GroupPolicy { .. }, Thing::Group { .. }]), "{kept:?}");
    let group = format!("group {SENDING_GROUP}: 1 members, [\"{SENDING_POLICY}\"]");
    assert_eq!(stage.snapshot().await, [group, "user other: 0 keys, []".to_owned()]);
}
