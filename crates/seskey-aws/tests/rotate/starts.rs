//! Whatever there is at the start: in the end there is one key, it is active, and the store holds it.

use seskey::rotation::Reason;
use seskey_aws::lifecycle::rotate::{End, RotateFailure};
use tokio::task::{JoinSet, LocalSet};

use super::scene::{Scene, USER};

/// What the store holds at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Nothing,
    /// The password of one of the keys, counted from 0.
    Key(usize),
    /// A credential of a key that is gone.
    Dead,
    /// Another user's.
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
                        // nobody knows which of them is read
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
