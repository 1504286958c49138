//! The steps of a Secrets Manager rotation function: the rest of each, in every state of the secret.

use std::collections::BTreeSet;

use seskey::rotation::{
    Abandoned, CURRENT, FunctionStep, Goal, PENDING, Reason, SecretSeen, Step, Value, Work, next,
    settle, work,
};

use crate::{
    run::Run,
    world::{DAY, World},
};

const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

fn seen(labels: &[&str], value: Value) -> SecretSeen {
    let labels: BTreeSet<String> = labels.iter().map(|&label| label.to_owned()).collect();
    let before = if labels.contains(CURRENT) { "AWSPREVIOUS" } else { CURRENT };
    let before = ("before".to_owned(), [before.to_owned()].into());
    let labels = [before, ("new".to_owned(), labels)].into();
    SecretSeen { is_enabled: true, labels, version: "new".to_owned(), value }
}

#[test]
fn what_is_left_of_a_step() {
    let version = || "new".to_owned();
    let moves = || Work::Move { from: Some("before".to_owned()) };
    let empty = || Err(Abandoned::Empty { version: version() });
    let foreign = || Err(Abandoned::Foreign { version: version() });
    let over = || Err(Abandoned::NotPending { version: version() });
    let key = || Value::Credential;
    let nothing = Ok(Work::Nothing);
    for (labels, value, expected) in [
        (&[PENDING][..], Value::None, [Ok(Work::Make), empty(), Ok(Work::TryCurrent), empty()]),
        (
            &[PENDING],
            key(),
            [nothing.clone(), Ok(Work::TryCurrent), Ok(Work::TryPending), Ok(moves())],
        ),
        (&[PENDING], Value::Foreign, [foreign(), foreign(), foreign(), foreign()]),
        (&["AWSPREVIOUS"], key(), [over(), over(), over(), over()]),
        (&[], Value::None, [over(), over(), over(), over()]),
        (
            &[CURRENT, PENDING],
            key(),
            [nothing.clone(), nothing.clone(), nothing.clone(), Ok(Work::HandOver)],
        ),
        (&[CURRENT], key(), [nothing.clone(), nothing.clone(), nothing, Ok(Work::HandOver)]),
    ] {
        let seen = seen(labels, value);
        for (step, expected) in STEPS.iter().zip(expected) {
            let step: FunctionStep = step.parse().unwrap();
            assert_eq!(work(step, &seen), expected, "{step:?} of {seen:?}");
            let other = SecretSeen { version: "other".to_owned(), ..seen.clone() };
            let version = "other".to_owned();
            assert_eq!(work(step, &other), Err(Abandoned::NoVersion { version }));
            let off = SecretSeen { is_enabled: false, ..seen.clone() };
            assert_eq!(work(step, &off), Err(Abandoned::NotEnabled));
        }
    }
    assert_eq!("create_secret".parse::<FunctionStep>(), Err(()));
}

/// If the function makes the keys, nothing else does, and the old key is retired all the same.
#[test]
fn what_is_settled_makes_no_key() {
    let mut world = World::with_a_key(100);
    let goal = Goal::days(90, 7, 7).unwrap();
    let mut run = Run::default();
    for _ in 0..40 {
        let seen = run.observe(&mut world);
        match settle(&seen, &goal) {
            Step::Done { due } => {
                assert_eq!(due, None);
                assert!(matches!(next(&seen, &goal), Step::WriteIntent(_)));
                return;
            }
            step => {
                for effect in run.effects(&world, &step) {
                    assert!(run.act(&mut world, &effect), "{effect:?}");
                }
            }
        }
    }
    panic!("it is never done");
}

/// A key that is pending in a version of the secret is not discarded, however long it waits.
#[test]
fn a_key_that_is_pending_is_not_discarded() {
    let mut world = World::with_a_key(100);
    let goal = Goal::days(90, 7, 7).unwrap();
    let mut run = Run::default();
    while run.at_hand.is_empty() {
        let step = next(&run.observe(&mut world), &goal);
        for effect in run.effects(&world, &step) {
            assert!(run.act(&mut world, &effect), "{effect:?}");
        }
    }
    let made = run.at_hand.first().unwrap().clone();
    run.end(&mut world);
    world.pass(DAY);
    let mut seen = run.observe(&mut world);
    assert_eq!(next(&seen, &goal), Step::Discard(made.clone()));
    seen.pending.insert(made.clone());
    assert_eq!(next(&seen, &goal), Step::Stop(Reason::Pending(made)));
}
