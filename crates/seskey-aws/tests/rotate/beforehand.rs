//! What is in the way of a new key is found before there is one.

use seskey::rotation::Step;
use seskey_aws::{
    lifecycle::rotate::{Event, RotateFailure, Rotation},
    smtp::{Security, Server},
};

use super::scene::Scene;

async fn nothing_is_changed(scene: &Scene, rotation: &Rotation) -> RotateFailure {
    let error = scene.run(rotation).await.unwrap_err();
    assert_eq!((error.done.len(), scene.keys().await.len()), (0, 0), "{error:?}");
    error.failure
}

#[tokio::test]
async fn a_file_that_cannot_be_written() {
    let scene = Scene::new().await;
    for store in [
        // no new files there, not even for root
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

/// Whoever noted an intent and was killed does not let the next run make keys for nothing.
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
