//! The obstacles to a new key are found before it is made.

use aws_sdk_iam::types::Tag;
use seskey::rotation::{Denial, Reason, Sending, Step};
use seskey_aws::{
    lifecycle::rotate::{End, Event, Hook, RotateFailure, Rotation},
    smtp::{Security, Server},
};

use super::scene::{Scene, USER};

async fn nothing_is_changed(scene: &Scene, rotation: &Rotation) -> RotateFailure {
    let error = scene.run(rotation).await.unwrap_err();
    assert_eq!((error.done.len(), scene.keys().await.len()), (0, 0), "{error:?}");
    error.failure
}

#[tokio::test]
async fn a_file_that_cannot_be_written() {
    let scene = Scene::new().await;
    for store in [
        // no file can be made there, not even by root
        "file:/proc/self/smtp.json".to_owned(),
        format!("file:{}/missing/smtp.json", scene.home.path().display()),
    ] {
        let stores = vec![store.parse().unwrap()];
        let failure = nothing_is_changed(&scene, &Rotation { stores, ..scene.rotation() }).await;
        assert!(matches!(failure, RotateFailure::Store { .. }), "{store}: {failure}");
        assert_eq!(scene.tags().await, [""; 0], "{store}");
    }
    let left = std::fs::read_dir(scene.home.path()).unwrap().count();
    assert_eq!(left, 0, "an attempt was left behind");
}

/// An endpoint that cannot be reached is found before a key is made, even if a killed run has noted an intent.
#[tokio::test]
async fn an_endpoint_that_nobody_reaches() {
    let scene = Scene::new().await;
    let mut rotation = scene.rotation();
    rotation.proof.server = Server::new("127.0.0.1", 1, Security::Starttls);
    for killed in [false, true] {
        if killed {
            let has_noted = |event: &Event| matches!(event, Event::Did { .. });
            let outcome = scene.run_until(&scene.rotation(), has_noted).await.unwrap();
            assert!(matches!(outcome.steps[..], [Step::WriteIntent(_)]), "{outcome:?}");
        }
        let failure = nothing_is_changed(&scene, &rotation).await;
        assert!(matches!(failure, RotateFailure::Unreachable(_)), "{failure}");
    }
}

/// Three notes and the region need room among the 50 tags of a user.
#[tokio::test]
async fn tags_without_room_for_the_notes() {
    for (others, too_many) in [(46, 0), (47, 1), (50, 4)] {
        let scene = Scene::new().await;
        let tags = (0..others)
            .map(|number| Tag::builder().key(format!("tag-{number}")).value("x").build().unwrap());
        let call = scene.stage.iam.tag_user().user_name(USER).set_tags(Some(tags.collect()));
        call.send().await.unwrap();
        if too_many == 0 {
            scene.run(&scene.rotation()).await.unwrap();
            continue;
        }
        let failure = nothing_is_changed(&scene, &scene.rotation()).await;
        assert!(
            matches!(failure, RotateFailure::Tags { too_many: n } if n == too_many),
            "{failure}"
        );
        assert_eq!((scene.tags().await.len(), scene.held()), (others, None));
    }
}

#[tokio::test]
async fn a_command_that_cannot_be_run() {
    let scene = Scene::new().await;
    for command in
        ["no-such-command-of-ours now", "/etc/passwd", "/etc && true", "echo 'x", "if true", "a\0b"]
    {
        let hook = Some(Hook::new(command));
        let failure = nothing_is_changed(&scene, &Rotation { hook, ..scene.rotation() }).await;
        assert!(matches!(failure, RotateFailure::NoHook(_)), "{command}: {failure}");
        assert_eq!(scene.tags().await, [""; 0], "{command}");
    }
    // a command that can only be judged when it is run is not refused
    let command = "cd /tmp; N=true\n$N; f() { :; }; f; [ 1 = 1 ] && . /dev/null";
    let hook = Some(Hook::new(command));
    scene.run(&Rotation { hook, ..scene.rotation() }).await.unwrap();
}

/// The statement that keeps the user from sending is named, by a call for the one user as by the list of all.
#[tokio::test]
async fn a_user_that_may_not_send() {
    let denied = |policy: &str, statement: &str| {
        let statement = Some(statement.to_owned());
        Sending::Denied(Denial::Denied { policy: policy.to_owned(), statement })
    };
    let any = r#""Action":"ses:*","Resource":"*""#;
    let every = r#""Action":"ses:SendRawEmail","Resource":"arn:aws:ses:*:*:identity/*""#;
    let but_one = r#""Action":"ses:*","NotResource":"arn:aws:ses:*:*:identity/example.com""#;
    let unsaid = format!(r#"{any},"Condition":{{"Null":{{"ses:FromAddress":"true"}}}}"#);
    for (deny, statements, expected) in [
        ("", 1, Sending::Allowed),
        ("", 0, Sending::Denied(Denial::NotAllowed)),
        (any, 1, denied("q", "NoMail")),
        (every, 1, denied("q", "NoMail")),
        (but_one, 1, Sending::Allowed),
        (&unsaid, 1, Sending::Allowed),
    ] {
        let scene = Scene::new().await;
        let iam = &scene.stage.iam;
        if statements == 0 {
            iam.delete_user_policy().user_name(USER).policy_name("p").send().await.unwrap();
        }
        if !deny.is_empty() {
            let text = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"NoMail","Effect":"Deny",{deny}}}]}}"#
            );
            let put = iam.put_user_policy().user_name(USER).policy_name("q").policy_document(text);
            put.send().await.unwrap();
        }
        let listed = scene.stage.root.senders().await.unwrap();
        assert_eq!(listed[0].1, expected, "{deny}");
        let outcome = scene.run(&scene.rotation()).await.unwrap();
        match expected {
            Sending::Denied(denial) => {
                assert_eq!(outcome.end, End::Stopped(Reason::MayNotSend(denial)), "{deny}");
                assert_eq!((outcome.steps.len(), scene.keys().await.len()), (0, 0), "{deny}");
            }
            _ => assert_eq!(scene.keys().await.len(), 1, "{deny}"),
        }
    }
}
