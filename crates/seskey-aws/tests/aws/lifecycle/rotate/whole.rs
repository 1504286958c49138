//! Whole rotations, from the first key to the end of the second one, of users of every kind in every partition, by an
//! operator with the permissions that `seskey policy operator` prints and no others.

use std::thread;

use aws_sdk_iam::types::Tag;
use seskey::{
    permissions,
    rotation::{Step, Why},
    user::REGION_TAG,
};
use seskey_aws::{
    Account,
    lifecycle::{
        Interrupt,
        revoke::revoke,
        rotate::{End, Outcome, RotateError, RotateFailure, Rotation, rotate},
    },
};
use tokio::runtime::Runtime;

use super::scene::{Scene, USER};

const REGIONS: [&str; 4] = ["us-east-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"];

/// A kind of user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    region: &'static str,
    path: &'static str,
    /// The number of its tags; the first of them is that of the region.
    tags: usize,
    /// Whether the store holds a key of the user; else the first key is made.
    has_key: bool,
    is_bounded: bool,
    signs_in: bool,
}

const PLAIN: Kind = Kind {
    region: "us-east-1",
    path: "/",
    tags: 0,
    has_key: true,
    is_bounded: false,
    signs_in: false,
};

#[test]
fn of_every_kind_in_every_partition() {
    let in_partitions = REGIONS.into_iter().flat_map(|region| {
        let kind = Kind { region, ..PLAIN };
        [
            Kind { has_key: false, ..kind },
            kind,
            Kind { path: "/mail/eu/", tags: 1, is_bounded: true, signs_in: true, ..kind },
        ]
    });
    let of_tags = [1, 46]
        .into_iter()
        .flat_map(|tags| [Kind { tags, ..PLAIN }, Kind { tags, has_key: false, ..PLAIN }]);
    let alone = [
        Kind { path: "/a/", ..PLAIN },
        Kind { is_bounded: true, ..PLAIN },
        Kind { signs_in: true, ..PLAIN },
    ];
    assert_eq!(at_once(in_partitions.chain(of_tags).chain(alone), whole), 19);
}

/// Three notes and the region need room, which is checked before anything is changed.
#[tokio::test]
async fn without_room_for_the_notes() {
    for (tags, too_many) in [(48, 1), (49, 2), (50, 3)] {
        for has_key in [false, true] {
            let (mut scene, operator) = scene(Kind { tags, has_key, ..PLAIN }).await;
            scene.days(91).await;
            let (keys, held) = (scene.keys().await, scene.held());
            let error = run(&operator, &scene.rotation()).await.unwrap_err();
            assert!(
                matches!(error.failure, RotateFailure::Tags { too_many: n } if n == too_many),
                "{tags}: {error:?}"
            );
            assert_eq!((scene.keys().await, scene.held()), (keys, held));
            assert_eq!((scene.tags().await.len(), error.done), (tags, vec![]));
        }
    }
}

/// After a leak, an operator who may only revoke deactivates the key, in every partition.
#[test]
fn a_leak_in_every_partition() {
    assert_eq!(at_once(REGIONS, leak), 4);
}

async fn leak(region: &'static str) {
    let (scene, _) = scene(Kind { region, path: "/mail/", ..PLAIN }).await;
    let operator = operator(&scene, &["revoke"]).await;
    let revoked = revoke(&operator, USER).await.unwrap();
    assert_eq!((revoked.active, revoked.not_noted), (vec![], None), "{region}");
    assert_eq!(scene.keys().await, [(scene.held().unwrap(), false)]);
    assert_eq!(scene.tags().await, ["seskey:retired"], "{region}");
    run(&operator, &scene.rotation()).await.unwrap_err();
}

async fn whole(kind: Kind) {
    let (mut scene, operator) = scene(kind).await;
    let rotation = scene.rotation();
    let first = run(&operator, &rotation).await.unwrap();
    assert!(matches!(first.end, End::Done { .. }), "{kind:?}: {first:?}");
    let old = scene.held().unwrap();
    scene.days(91).await;
    for (why, keys) in [(Some(Why::Grace), [true, true]), (Some(Why::Quarantine), [true, false])] {
        let outcome = run(&operator, &rotation).await.unwrap();
        assert_eq!(waits_for(&outcome), why, "{kind:?}: {outcome:?}");
        let new = scene.held().unwrap();
        assert_ne!(new, old);
        let mut there = scene.keys().await;
        there.sort_by_key(|(key, _)| *key == old);
        assert_eq!(there, [(new, keys[0]), (old.clone(), keys[1])], "{kind:?}");
        scene.days(8).await;
    }
    let last = run(&operator, &rotation).await.unwrap();
    assert!(matches!(last.steps[..], [Step::Delete(_)]), "{kind:?}: {last:?}");
    assert_eq!(waits_for(&last), None);
    assert_eq!(scene.keys().await, [(scene.held().unwrap(), true)], "{kind:?}");
    assert!(scene.tags().await.len() <= kind.tags + 2, "{kind:?}");
}

/// Runs all at the same time, since most of a rotation is waiting; returns their number.
fn at_once<T: Send>(all: impl IntoIterator<Item = T>, one: impl AsyncFn(T) + Sync) -> usize {
    let one = &one;
    thread::scope(|scope| {
        let begin = |of| scope.spawn(move || Runtime::new().unwrap().block_on(one(of)));
        let running: Vec<_> = all.into_iter().map(begin).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).count()
    })
}

async fn run(account: &Account, rotation: &Rotation) -> Result<Outcome, RotateError> {
    rotate(account, rotation, Interrupt::never(), &mut |_| {}).await
}

fn waits_for(outcome: &Outcome) -> Option<Why> {
    match outcome.end {
        End::Waits { why, .. } => Some(why),
        _ => None,
    }
}

/// Returns such a user, and the operator that rotates its key.
async fn scene(kind: Kind) -> (Scene, Account) {
    let scene = Scene::of(kind.region, kind.path).await;
    let iam = &scene.stage.iam;
    if kind.tags > 0 {
        let others = (1..kind.tags).map(|number| (format!("tag-{number}"), "x"));
        let tags = [(REGION_TAG.to_owned(), kind.region)].into_iter().chain(others);
        let tag = |(key, value)| Tag::builder().key(key).value(value).build().unwrap();
        let tags = tags.map(tag).collect();
        iam.tag_user().user_name(USER).set_tags(Some(tags)).send().await.unwrap();
    }
    if kind.has_key {
        let (_, credential) = scene.new_key(USER).await;
        scene.put(&credential);
    }
    if kind.is_bounded {
        let policy = iam.create_policy().policy_name("mail").policy_document(MAIL_ALONE);
        let arn = policy.send().await.unwrap().policy.unwrap().arn.unwrap();
        let call = iam.put_user_permissions_boundary().user_name(USER).permissions_boundary(arn);
        call.send().await.unwrap();
    }
    if kind.signs_in {
        let call = iam.create_login_profile().user_name(USER).password("Correct-Horse-9");
        call.send().await.unwrap();
    }
    let operator = operator(&scene, &["rotate"]).await;
    (scene, operator)
}

/// Returns an operator with the permissions that these verbs need.
async fn operator(scene: &Scene, verbs: &[&str]) -> Account {
    scene.stage.with_policy(&format!("may-{}", verbs.concat()), &permissions::policy(verbs)).await
}

const MAIL_ALONE: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ses:*","Resource":"*"}]}"#;
