//! Two runs at the same time: every order of a few steps anywhere, and random orders with deaths and delays.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use seskey::rotation::{MARGIN, Reason, Step, Why, next};

use crate::{
    cuts::{terms, users},
    laws::{Broken, Terms, judge},
    run::{End, Plan, Run, converge},
    world::{Effect, SECOND, World, effects},
};

/// Whose turn it is, after how long, and whether he is killed instead and begins anew.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) who: usize,
    pub(crate) pause: SignedDuration,
    pub(crate) dies: bool,
}

/// A run that may be held up between what it saw and what it does.
#[derive(Debug, Default)]
struct Racer {
    run: Run,
    seen_at: Timestamp,
    pending: VecDeque<(Effect, bool)>,
    blocked: Option<Timestamp>,
    over: bool,
}

/// Lets two runs take turns, then one after the other until both are over, then one alone.
pub(crate) fn together(
    world: &mut World,
    plan: Plan,
    terms: &Terms,
    turns: impl IntoIterator<Item = Turn>,
) -> Result<End, Broken> {
    let from_nothing = world.keys.is_empty();
    let mut racers = [Racer::default(), Racer::default()];
    let by_turns = (0..400).map(|i| Turn { who: i % 2, pause: SECOND, dies: false });
    for turn in turns.into_iter().chain(by_turns) {
        let racer = &mut racers[turn.who];
        world.pass(turn.pause);
        if turn.dies {
            racer.run.end(world);
            *racer = Racer::default();
        }
        racer.go(world, plan, terms)?;
        let waiting = |racer: &Racer| racer.over || racer.blocked.is_some();
        if racers.iter().all(waiting) {
            let Some(first) = racers.iter().filter_map(|racer| racer.blocked).min() else {
                if from_nothing {
                    // both may have made a key: the one that is not handed over is retired like an old one
                    world.keys.iter_mut().for_each(|key| key.lost = false);
                }
                return converge(world, plan, terms, &[]);
            };
            world.advance(first.max(world.now));
        }
        for racer in &mut racers {
            racer.blocked = racer.blocked.filter(|&until| world.now < until);
        }
    }
    Err(Broken { law: 6, how: format!("the two never end: {world:#?}") })
}

impl Racer {
    /// Sees and decides, or does one effect of what it has decided.
    fn go(&mut self, world: &mut World, plan: Plan, terms: &Terms) -> Result<(), Broken> {
        if self.over || self.blocked.is_some() {
            return Ok(());
        }
        if world.now.duration_since(self.seen_at) >= MARGIN {
            self.pending.clear();
        }
        let Some((effect, discarding)) = self.pending.pop_front() else {
            self.look(world, plan, terms);
            return Ok(());
        };
        judge(world, &self.run, terms, &effect, discarding)?;
        if !self.run.act(world, &effect) {
            self.finish(world);
        }
        Ok(())
    }

    fn look(&mut self, world: &mut World, plan: Plan, terms: &Terms) {
        world.send_mail();
        self.seen_at = world.now;
        match plan(&self.run.observe(world), &terms.goal()) {
            Step::WaitUntil { until, why: Why::Lease, .. } => self.blocked = Some(until),
            Step::WaitUntil { .. } | Step::Stop(_) | Step::Done { .. } => self.finish(world),
            step => {
                let discarding = matches!(step, Step::Discard(_));
                self.pending = effects(&step).into_iter().map(|e| (e, discarding)).collect();
            }
        }
    }

    fn finish(&mut self, world: &mut World) {
        self.run.end(world);
        self.over = true;
    }
}

/// Each of `depth` turns in every way: whose it is, and at once or as late as a step may be.
fn every_order(depth: u32) -> impl Iterator<Item = Vec<Turn>> {
    (0..4_usize.pow(depth)).map(move |mut number| {
        let turn = |_| {
            let (who, late) = (number % 2, number / 2 % 2 == 1);
            number /= 4;
            Turn { who, pause: if late { MARGIN - SECOND * 2 } else { SECOND }, dies: false }
        };
        (0..depth).map(turn).collect()
    })
}

/// Two runs may leave a key so that a third cannot know whose it is, and leaves it to a person: one proves a key after
/// the other has handed over his, or dies when his record was overwritten, or before his hook. The key stays active.
fn settle(world: &mut World, plan: Plan, terms: &Terms, end: End) -> Result<(), Broken> {
    match end {
        End::Done => return Ok(()),
        End::Stopped(Reason::StrangersKey { key, .. } | Reason::StillUsed { key, .. }) => {
            assert!(world.key(&key).unwrap().active);
        }
        end => panic!("{end:?}"),
    }
    let go_on = Terms { even_if_used: true, ..terms.clone() };
    let end = converge(world, plan, &go_on, &[])?;
    assert_eq!(end, End::Done);
    Ok(())
}

/// From any moment of the one's rotation on, the other meets it in every order.
#[test]
fn every_order_from_any_moment() {
    let alone = Turn { who: 0, pause: SECOND, dies: false };
    for user in users() {
        for (moment, order) in (0..30).flat_map(|n| every_order(3).map(move |order| (n, order))) {
            let turns = std::iter::repeat_n(alone, moment).chain(order);
            let mut user = user.clone();
            let end = together(&mut user, next, &terms(), turns).unwrap();
            settle(&mut user, next, &terms(), end).unwrap();
        }
    }
}

/// Longer orders, without delays: a whole rotation of one within any pause of the other.
pub(crate) fn overtaking(plan: Plan) -> Result<(), Broken> {
    let turns =
        |who: usize, n: usize| (0..n).map(move |_| Turn { who, pause: SECOND, dies: false });
    for user in users() {
        for (a, b) in (0..30).flat_map(|a| (0..30).map(move |b| (a, b))) {
            let order = turns(0, a).chain(turns(1, b)).chain(turns(0, 3)).chain(turns(1, 40));
            let mut user = user.clone();
            let end = together(&mut user, plan, &terms(), order)?;
            settle(&mut user, plan, &terms(), end)?;
        }
    }
    Ok(())
}

#[test]
fn one_overtakes_the_other() {
    overtaking(next).unwrap();
}

fn a_turn() -> impl Strategy<Value = Turn> {
    let pause = prop_oneof![8 => 0..3_i64, 2 => 0..290_i64, 1 => 0..3000_i64];
    (0..2_usize, pause, prop::bool::weighted(0.05)).prop_map(|(who, seconds, dies)| Turn {
        who,
        pause: SignedDuration::from_secs(seconds),
        dies,
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
        let end = together(&mut user, next, &terms, turns).unwrap();
        settle(&mut user, next, &terms, end).unwrap();
    }
}

/// No time for anybody: only what the plan needs itself is left.
fn in_a_hurry() -> Terms {
    Terms { grace: SignedDuration::ZERO, quarantine: SignedDuration::ZERO, ..terms() }
}

/// Both have made a key, and the hook of the one ran just before the other put his own key right.
#[test]
fn the_hook_of_the_one_is_too_early() {
    let order =
        [1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 0];
    in_order(order, &in_a_hurry());
}

/// The one delivers the older key while the other notes that the newer one is handed over, and puts it right before he
/// can see the note.
#[test]
fn the_note_of_the_one_is_too_early() {
    let order = [0, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1];
    in_order(order, &terms());
}

fn in_order<const N: usize>(order: [usize; N], terms: &Terms) {
    let turns = order.map(|who| Turn { who, pause: SignedDuration::ZERO, dies: false });
    let end = together(&mut World::new(2), next, terms, turns).unwrap();
    assert_eq!(end, End::Done);
}
