//! Two runs at the same time: every order of a few steps from any moment, and random orders with deaths and delays.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use seskey::rotation::{LAG, MARGIN, Reason, Step, next};

use crate::{
    cuts::{terms, users},
    late::{Item, Late, Past},
    laws::{Broken, Terms, judge},
    run::{End, Plan, Run, converge},
    world::{Effect, SECOND, World},
};

/// The run whose turn it is, the pause before, and whether the run is killed instead and begins anew.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Turn {
    pub(crate) who: usize,
    pub(crate) pause: SignedDuration,
    pub(crate) dies: bool,
    /// The seconds by which IAM's answers to the run are late.
    pub(crate) late: Late,
}

/// A run that may be held up between its observation and its effects.
#[derive(Debug)]
pub(crate) struct Racer {
    plan: Plan,
    judge: Judge,
    run: Run,
    /// The times of its own changes, which are always shown to it.
    changed: BTreeMap<Item, Timestamp>,
    seen_at: Option<Timestamp>,
    pending: VecDeque<(Effect, bool)>,
    blocked: Option<Timestamp>,
    over: bool,
}

pub(crate) type Judge = fn(&World, &Run, &Terms, &Effect, bool) -> Result<(), Broken>;

/// Lets two runs of the plan take turns until both are over.
fn together(
    world: &mut World,
    plan: Plan,
    terms: &Terms,
    turns: impl IntoIterator<Item = Turn>,
) -> Result<(), Broken> {
    race(world, [plan; 2].map(|plan| Racer::new(plan, judge)), terms, turns, |_, _| Ok(()))
}

/// Lets two runs take these turns, then alternate turns until both are over. `watch` is called after each turn.
pub(crate) fn race(
    world: &mut World,
    mut racers: [Racer; 2],
    terms: &Terms,
    turns: impl IntoIterator<Item = Turn>,
    mut watch: impl FnMut(&World, &[Racer; 2]) -> Result<(), Broken>,
) -> Result<(), Broken> {
    let from_nothing = world.keys.is_empty();
    let mut past = Past::default();
    let by_turns = (0..400).map(|i| Turn { who: i % 2, pause: SECOND, ..Turn::default() });
    for turn in turns.into_iter().chain(by_turns) {
        let racer = &mut racers[turn.who];
        world.pass(turn.pause);
        if turn.dies {
            racer.run.end(world);
            *racer = Racer {
                run: std::mem::take(&mut racer.run),
                ..Racer::new(racer.plan, racer.judge)
            };
        }
        racer.go(world, terms, &mut past, turn.late)?;
        watch(world, &racers)?;
        if racers.iter().all(|racer| racer.over || racer.blocked.is_some()) {
            match racers.iter().filter_map(|racer| racer.blocked).min() {
                Some(first) => world.advance(first.max(world.now)),
                None => {
                    // both may have made a key: the one that is not handed over is retired like an old one
                    world.keys.iter_mut().for_each(|key| key.lost &= !from_nothing);
                    return Ok(());
                }
            }
        }
        for racer in &mut racers {
            racer.blocked = racer.blocked.filter(|&until| world.now < until);
        }
    }
    Err(Broken { law: 6, how: format!("the two never end: {world:#?}") })
}

impl Racer {
    pub(crate) fn new(plan: Plan, judge: Judge) -> Self {
        Self {
            plan,
            judge,
            run: Run::default(),
            changed: BTreeMap::new(),
            seen_at: None,
            pending: VecDeque::new(),
            blocked: None,
            over: false,
        }
    }

    pub(crate) fn has_looked(&self) -> bool {
        self.seen_at.is_some()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Observes and decides, or does one effect of the last decision.
    fn go(
        &mut self,
        world: &mut World,
        terms: &Terms,
        past: &mut Past,
        late: Late,
    ) -> Result<(), Broken> {
        if self.over || self.blocked.is_some() {
            return Ok(());
        }
        if self.seen_at.is_some_and(|at| world.now.duration_since(at) >= MARGIN - LAG) {
            self.pending.clear();
        }
        let Some((effect, discarding)) = self.pending.pop_front() else {
            self.look(world, terms, past, late);
            return Ok(());
        };
        (self.judge)(world, &self.run, terms, &effect, discarding)?;
        past.keep(world);
        if !self.run.act(world, &effect) {
            self.finish(world);
        }
        if let Some(item) = Item::changed_by(&effect, world) {
            self.changed.insert(item, world.now);
        }
        Ok(())
    }

    fn look(&mut self, world: &mut World, terms: &Terms, past: &Past, late: Late) {
        world.send_mail();
        self.seen_at = Some(world.now);
        self.run.begin(world);
        let shown = past.shown(world, late, &self.changed);
        match (self.plan)(&self.run.see(&shown), &terms.goal()) {
            step if step.ends_a_run() => self.finish(world),
            Step::WaitUntil { until, .. } => self.blocked = Some(until),
            step => {
                let discarding = matches!(step, Step::Discard(_));
                self.pending =
                    self.run.effects(world, &step).into_iter().map(|e| (e, discarding)).collect();
            }
        }
    }

    fn finish(&mut self, world: &mut World) {
        self.run.end(world);
        self.over = true;
    }
}

/// Returns every order of `depth` turns: each is of either run, at once or as late as a step may be.
fn every_order(depth: u32) -> impl Iterator<Item = Vec<Turn>> {
    (0..4_usize.pow(depth)).map(move |mut number| {
        let turn = |_| {
            let (who, slow) = (number % 2, number / 2 % 2 == 1);
            number /= 4;
            let pause = if slow { MARGIN - LAG - SECOND * 2 } else { SECOND };
            Turn { who, pause, ..Turn::default() }
        };
        (0..depth).map(turn).collect()
    })
}

/// Converges after a race. Two runs may leave a key whose owner a third cannot know and leaves to a person: one proves
/// a key after the other has handed over its own, or dies when its record was overwritten, or before its hook. The key
/// stays active.
pub(crate) fn settle(world: &mut World, plan: Plan, terms: &Terms) -> Result<(), Broken> {
    match converge(world, plan, terms, &[])? {
        End::Done => return Ok(()),
        End::Stopped(Reason::StrangersKey { key, .. } | Reason::StillUsed { key, .. }) => {
            // or a run was killed that had begun to discard it
            let key = world.key(&key).unwrap();
            assert!(key.active || key.held.is_none());
        }
        // a revocation and a rotation that write at the same time may lose one of their notes
        End::Stopped(Reason::Deactivated(key)) => assert!(!world.key(&key).unwrap().active),
        end => panic!("{end:?}"),
    }
    let go_on = Terms { force: true, ..terms.clone() };
    let end = converge(world, plan, &go_on, &[])?;
    assert_eq!(end, End::Done);
    Ok(())
}

/// From any moment of one run's rotation on, the other run meets it in every order.
#[test]
fn every_order_from_any_moment() {
    let alone = Turn { pause: SECOND, ..Turn::default() };
    for user in users() {
        for (moment, order) in (0..30).flat_map(|n| every_order(3).map(move |order| (n, order))) {
            let turns = std::iter::repeat_n(alone, moment).chain(order);
            let mut user = user.clone();
            together(&mut user, next, &terms(), turns).unwrap();
            settle(&mut user, next, &terms()).unwrap();
        }
    }
}

/// Longer orders, without delays: one run makes a whole rotation within any pause of the other.
pub(crate) fn overtaking(plan: Plan) -> Result<(), Broken> {
    let turns =
        |who: usize, n: usize| (0..n).map(move |_| Turn { who, pause: SECOND, ..Turn::default() });
    for user in users() {
        for (a, b) in (0..30).flat_map(|a| (0..30).map(move |b| (a, b))) {
            let order = turns(0, a).chain(turns(1, b)).chain(turns(0, 3)).chain(turns(1, 40));
            let mut user = user.clone();
            together(&mut user, plan, &terms(), order)?;
            settle(&mut user, plan, &terms())?;
        }
    }
    Ok(())
}

#[test]
fn one_overtakes_the_other() {
    overtaking(next).unwrap();
}

pub(crate) fn a_turn() -> impl Strategy<Value = Turn> {
    let pause = prop_oneof![8 => 0..3_i64, 2 => 0..290_i64, 1 => 0..3000_i64];
    let late = prop::array::uniform(0..=LAG.as_secs());
    (0..2_usize, pause, prop::bool::weighted(0.05), late).prop_map(|(who, seconds, dies, late)| {
        Turn { who, pause: SignedDuration::from_secs(seconds), dies, late }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_order_with_deaths(
        user in prop::sample::select(users()),
        terms in prop::sample::select(vec![terms(), in_a_hurry()]),
        turns in prop::collection::vec(a_turn(), 0..80),
    ) {
        let mut user = user;
        together(&mut user, next, &terms, turns).unwrap();
        settle(&mut user, next, &terms).unwrap();
    }
}

/// Returns terms with no other times than those that the plan itself needs.
fn in_a_hurry() -> Terms {
    Terms { grace: SignedDuration::ZERO, quarantine: SignedDuration::ZERO, ..terms() }
}

/// Both runs have made a key, and the hook of one ran just before the other corrected its own key.
#[test]
fn the_hook_of_the_one_is_too_early() {
    let order =
        [1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 0];
    in_order(order, &in_a_hurry());
}

/// One run delivers the older key while the other notes that the newer one is handed over, and corrects it before the
/// first can see the note.
#[test]
fn the_note_of_the_one_is_too_early() {
    let order = [0, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1];
    in_order(order, &terms());
}

fn in_order<const N: usize>(order: [usize; N], terms: &Terms) {
    let turns = order.map(|who| Turn { who, ..Turn::default() });
    let mut user = World::new(2);
    together(&mut user, next, terms, turns).unwrap();
    assert_eq!(converge(&mut user, next, terms, &[]).unwrap(), End::Done);
}
