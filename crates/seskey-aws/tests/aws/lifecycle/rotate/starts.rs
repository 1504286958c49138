//! From any start, a rotation ends with one key, which is active and in the store.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use seskey::{
    Region, SmtpCredential,
    rotation::{Reason, Step, Why, YOUNG},
};
use seskey_aws::lifecycle::rotate::{End, Event, RotateFailure};
use tokio::task::{JoinSet, LocalSet};

use super::scene::{Scene, USER};

/// The content of the store at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Nothing,
    /// The password of one of the keys, counted from 0.
    Key(usize),
    /// A credential of a deleted key.
    Dead,
    /// A credential of another user.
    Other,
}

async fn start(keys: &[bool], holds: Holds) -> Scene {
    let scene = Scene::new().await;
    let dead = scene.new_key(USER).await;
    let delete = scene.stage.iam.delete_access_key().user_name(USER);
    delete.access_key_id(dead.0.as_str()).send().await.unwrap();
    let mut made = vec![];
    for active in keys {
        let key = scene.new_key(USER).await;
        if !active {
            scene.deactivate(&key.0).await;
        }
        made.push(key);
    }
    match holds {
        Holds::Nothing => {}
        Holds::Key(index) => scene.put(&made[index].1),
        Holds::Dead => scene.put(&dead.1),
        Holds::Other => {
            scene.stage.key_of("other", r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ses:SendRawEmail","Resource":"*"}]}"#).await;
            scene.put(&scene.new_key("other").await.1);
        }
    }
    scene
}

#[tokio::test]
async fn from_every_start() {
    let all: [&[bool]; 6] =
        [&[], &[true], &[false], &[true, true], &[true, false], &[false, false]];
    let (local, mut runs) = (LocalSet::new(), JoinSet::new());
    for keys in all {
        let held = (0..keys.len()).map(Holds::Key);
        for holds in [Holds::Nothing, Holds::Dead].into_iter().chain(held) {
            runs.spawn_local_on(
                async move {
                    let mut scene = start(keys, holds).await;
                    let rotation = scene.rotation();
                    if keys == [true, true] && !matches!(holds, Holds::Key(_)) {
                        // nobody knows which of them is in use
                        let end =
                            scene.run(&rotation).await.map_err(|error| (keys, holds, error))?.end;
                        assert!(matches!(end, End::Stopped(Reason::NoRoom(_))), "{end:?}");
                        assert!(scene.keys().await.iter().all(|(_, active)| *active));
                        return Ok(());
                    }
                    scene.converge(&rotation).await.map_err(|error| (keys, holds, error))?;
                    let end = (scene.keys().await, scene.tags().await);
                    let held = scene.held().map(|held| (held, true));
                    assert_eq!(end.0, Vec::from_iter(held), "{keys:?} {holds:?}: {end:?}");
                    assert!(
                        !end.1.contains(&"seskey:intent".to_owned()),
                        "{keys:?} {holds:?}: {end:?}"
                    );
                    Ok::<_, (&[bool], Holds, _)>(())
                },
                &local,
            );
        }
    }
    local.await;
    for run in runs.join_all().await {
        run.unwrap();
    }
}

#[tokio::test]
async fn a_credential_of_another_user_is_left_alone() {
    let scene = start(&[true], Holds::Other).await;
    let before = (scene.keys().await, scene.held());
    let error = scene.run(&scene.rotation()).await.unwrap_err();
    assert!(matches!(error.failure, RotateFailure::OtherUser { .. }), "{error:?}");
    assert_eq!((scene.keys().await, scene.held()), before);
}

/// A run that was killed between the stores of two regions is finished by the next, which finds the other password of
/// the key.
#[tokio::test]
async fn between_two_regions() {
    let mut scene = Scene::new().await;
    let (us, eu) = (scene.store(), scene.home.path().join("eu.json"));
    let eu_region = Region::parse("eu-west-1").unwrap();
    let stores = [us.display().to_string(), format!("{}?region={eu_region}", eu.display())];
    let mut rotation = scene.rotation();
    rotation.stores = stores.iter().map(|path| format!("file:{path}").parse().unwrap()).collect();
    rotation.proofs.insert(eu_region.clone(), scene.stage.proof(&eu_region));
    scene.run(&rotation).await.unwrap();
    rotation.now = true;
    let is_delivery =
        |event: &Event| matches!(event, Event::Did { step: Step::Deliver { store: 0, .. }, .. });
    scene.run_until(&rotation, is_delivery).await.unwrap();
    let held = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        SmtpCredential::read(&text).unwrap().remove(0).user_name
    };
    assert_ne!(held(&us), held(&eu));
    let kept = scene.home.path().join(".smtp.json.seskey");
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);

    scene.pass(YOUNG).await;
    rotation.now = false;
    let outcome = scene.run(&rotation).await.unwrap();
    assert!(matches!(outcome.end, End::Waits { why: Why::Grace, .. }), "{outcome:?}");
    assert_eq!((held(&us), scene.keys().await.len()), (held(&eu), 2));
    assert!(!kept.exists());
}
