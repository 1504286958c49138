//! A rotation while IAM answers late or not at all, is interrupted, or is slower than somebody else.

use std::{
    fs,
    time::{Duration, Instant},
};

use seskey::rotation::{Step, YOUNG};
use seskey_aws::lifecycle::{
    Interrupt,
    rotate::{End, Event, rotate},
};
use seskey_local::account::{Action, Principal};

use super::scene::{Scene, USER};

fn has_made(event: &Event) -> bool {
    matches!(event, Event::Did { step: Step::CreateKey(_), .. })
}

/// While a new key is not listed yet and a call fails, no other key is made.
#[tokio::test]
async fn a_key_is_awaited_although_a_call_fails() {
    let scene = Scene::new().await;
    scene.faults(
        "[keys]\nlisted = \"25s\"\n[[api]]\naction = \"ListUserTags\"\ncalls = [3, 4, 5, 6, 7]\nrefuse = \"Throttling\"",
    );
    let outcome = scene.run(&scene.rotation()).await.unwrap();
    let made = outcome.steps.iter().filter(|step| matches!(step, Step::CreateKey(_))).count();
    assert_eq!((made, scene.keys().await.len()), (1, 1), "{outcome:?}");
}

/// A key whose answer was lost is discarded after the lease, and there is a new one in the end.
#[tokio::test]
async fn a_lost_answer() {
    for moment in ["before", "after"] {
        let mut scene = Scene::new().await;
        scene.faults(&format!(
            "[[api]]\naction = \"CreateAccessKey\"\ncalls = [1]\ncut = \"{moment}\""
        ));
        let (raise, interrupt) = Interrupt::new();
        let on_event = &mut |event| {
            if matches!(event, Event::Waits { .. }) {
                raise.send(true).unwrap();
            }
        };
        rotate(&scene.stage.root, &scene.rotation(), interrupt, on_event).await.unwrap();
        scene.days(1).await;
        scene.converge(&scene.rotation()).await.unwrap();
        assert_eq!(scene.keys().await, [(scene.held().unwrap(), true)], "{moment}");
    }
}

#[tokio::test]
async fn whoever_asks_to_stop_is_not_kept_waiting() {
    let scene = Scene::new().await;
    scene.faults("[keys]\nlisted = \"1h\"");
    let start = Instant::now();
    let outcome = scene.run_until(&scene.rotation(), has_made).await.unwrap();
    assert!(matches!(outcome.end, End::Interrupted { .. }), "{:?}", outcome.end);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    // the next run discards its key, which must not come into use
    assert_eq!(outcome.at_hand, None);
}

/// A deactivated key that somebody deletes is not waited for.
#[tokio::test]
async fn a_deactivated_key_that_is_gone() {
    let mut scene = Scene::new().await;
    scene.converge(&scene.rotation()).await.unwrap();
    scene.days(91).await;
    scene.run(&scene.rotation()).await.unwrap();
    scene.days(8).await;
    let (server, start) = (&scene.stage.server, Instant::now());
    let mut waited = None;
    let on_event = &mut |event| {
        if let Event::Did { step: Step::Deactivate(key), .. } = event {
            let principal = Principal::User(USER.to_owned());
            let delete = Action::DeleteAccessKey { principal, access_key_id: key.to_string() };
            assert!(server.apply(delete).is_ok());
            waited = Some(Instant::now());
        }
    };
    let root = &scene.stage.root;
    let outcome = rotate(root, &scene.rotation(), Interrupt::never(), on_event).await.unwrap();
    assert!(matches!(outcome.end, End::Done { .. }), "{outcome:?}");
    let waited = waited.unwrap().elapsed();
    assert!(waited < Duration::from_secs(30), "{waited:?} of {:?}", start.elapsed());
}

/// A wrong password in the store is replaced once, the command runs once, and the next run has nothing to do.
#[tokio::test]
async fn a_broken_password_is_replaced_once() {
    let mut scene = Scene::new().await;
    let (key, mut credential) = scene.new_key(USER).await;
    credential.password = scene.new_key(USER).await.1.password;
    let other = scene.keys().await.into_iter().find(|(id, _)| id != key.as_str()).unwrap().0;
    let delete = scene.stage.iam.delete_access_key().user_name(USER).access_key_id(other);
    delete.send().await.unwrap();
    scene.put(&credential);
    let mut rotation = scene.rotation();
    let told = scene.home.path().join("told");
    let command = format!("echo $SESKEY_SMTP_USER_NAME >> {}", told.display());
    rotation.hook = Some(seskey_aws::lifecycle::rotate::Hook::new(&command));
    // without `now`, nothing is changed
    assert!(scene.run(&rotation).await.is_err());
    assert_eq!((scene.keys().await.len(), scene.held()), (1, Some(key.to_string())));
    rotation.now = true;
    scene.run(&rotation).await.unwrap();
    let held = scene.held().unwrap();
    assert_ne!(held, key.as_str());
    rotation.now = false;
    scene.pass(YOUNG).await;
    scene.run(&rotation).await.unwrap();
    assert_eq!(scene.held(), Some(held.clone()));
    assert_eq!(fs::read_to_string(told).unwrap(), format!("{held}\n"));
}
