//! A forecast is what an undisturbed run does.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use seskey::{
    AccessKeyId,
    rotation::{Goal, NEW_KEY, Stage, Step, forecast, forecast_of, next, revoke, undo},
};

use crate::{
    cuts::terms,
    laws::Terms,
    run::{Plan, Run},
    starts::{any_terms, any_world},
    world::{MINUTE, World, effects, id},
};

const PLANS: &[Plan] = &[next, |seen, _| revoke(seen), undo];

fn check(mut world: World, plan: Plan, goal: &Goal) {
    let mut run = Run::default();
    let foreseen = forecast_of(|seen| plan(seen, goal), &run.observe(&mut world));
    let new_key = id(world.keys_ever + 1);
    for foreseen in &foreseen {
        let step = plan(&run.observe(&mut world), goal);
        assert!(alike(&step, foreseen, &new_key), "{step:?}, not {foreseen:?}, in {world:#?}");
        match step {
            Step::WaitUntil { until, .. } => world.now = until,
            _ => effects(&step).iter().for_each(|effect| assert!(run.act(&mut world, effect))),
        }
    }
    assert!(foreseen.last().is_some_and(Step::ends_a_run));
}

/// Whether the steps are the same, except for the ID of the new key and a time that is later by the duration of the
/// run.
fn alike(step: &Step, foreseen: &Step, new_key: &AccessKeyId) -> bool {
    let [text, foreseen_text] = [step, foreseen].map(|step| format!("{step:?}"));
    let text = text.replace(new_key.as_str(), NEW_KEY);
    let same_word = |(word, foreseen): (&str, &str)| match (word.parse(), foreseen.parse()) {
        (Ok::<Timestamp, _>(time), Ok::<Timestamp, _>(foreseen)) => {
            (SignedDuration::ZERO..MINUTE * 2).contains(&time.duration_since(foreseen))
        }
        _ => word == foreseen,
    };
    let words = |text| str::split(text, [' ', ',', '(', ')', '{', '}']);
    let as_many = words(&text).count() == words(&foreseen_text).count();
    step == foreseen || as_many && words(&text).zip(words(&foreseen_text)).all(same_word)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn from_any_start(
        world in any_world(),
        plan in prop::sample::select(PLANS),
        terms in any_terms(),
        until in prop::sample::select(vec![Stage::Create, Stage::Deliver, Stage::Retire]),
        force: bool,
        wait_unused: bool,
        make_room: bool,
    ) {
        let mut goal = Terms { force, wait_unused, make_room, ..terms }.goal();
        goal.until = until;
        check(world, plan, &goal);
    }
}

#[test]
fn a_rotation() {
    let mut world = World::with_a_key(100);
    let steps = forecast(&Run::default().observe(&mut world), &terms().goal());
    let steps = steps.iter().map(|step| format!("{step:?}"));
    let names: Vec<_> =
        steps.map(|text| text.split(['(', ' ']).next().unwrap().to_owned()).collect();
    assert_eq!(
        names.join(" "),
        "Prove RunHook MarkHandOver WriteIntent CreateKey Prove Deliver Deliver \
        Confirm RunHook MarkHandOver ClearIntent WaitUntil"
    );
}
