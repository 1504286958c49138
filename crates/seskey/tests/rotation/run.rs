//! A run: it observes, asks, and does, until it is done, waits for long, or dies.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use seskey::{
    AccessKeyId,
    rotation::{Goal, Key, Notes, PROOFS, Reason, Seen, Step, Store, Why},
};

use crate::{
    laws::{Broken, Terms, judge, judge_done, judge_end},
    world::{Effect, SECOND, World, effects},
};

pub(crate) type Plan = fn(&Seen, &Goal) -> Step;

/// What a process knows, and forgets when it ends.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) at_hand: BTreeSet<AccessKeyId>,
    pub(crate) logins: BTreeMap<AccessKeyId, usize>,
    pub(crate) hooked: Option<AccessKeyId>,
}

/// Something that goes wrong with the effect of this number, counted from 0 over all runs.
#[derive(Debug, Clone)]
pub(crate) struct Cut {
    pub(crate) at: usize,
    /// Whether the effect took place all the same.
    pub(crate) done: bool,
    /// After how long the next run begins; none if only the answer was an error, and the run goes on.
    pub(crate) next_run: Option<SignedDuration>,
}

/// How a run ends.
#[derive(Debug, PartialEq)]
pub(crate) enum End {
    Died(SignedDuration),
    Waits(Timestamp, Why),
    Stopped(Reason),
    Done,
}

const STEPS: usize = 60;
const RUNS: usize = 20;

/// Runs the plan again and again, as from cron, until the next rotation is not due yet, or it stops.
pub(crate) fn converge(
    world: &mut World,
    plan: Plan,
    terms: &Terms,
    cuts: &[Cut],
) -> Result<End, Broken> {
    let mut count = 0;
    for _ in 0..RUNS {
        match one_run(world, plan, terms, cuts, &mut count)? {
            End::Died(pause) => world.pass(pause),
            End::Waits(until, _) => world.advance(until),
            end => return Ok(end),
        }
    }
    Err(Broken { law: 6, how: format!("more than {RUNS} runs: {world:#?}") })
}

/// One run. `count`: how many effects there were before.
pub(crate) fn one_run(
    world: &mut World,
    plan: Plan,
    terms: &Terms,
    cuts: &[Cut],
    count: &mut usize,
) -> Result<End, Broken> {
    let goal = terms.goal();
    let mut run = Run::default();
    for _ in 0..STEPS {
        world.send_mail();
        let step = plan(&run.observe(world), &goal);
        match step {
            Step::Done { due } => {
                run.end(world);
                judge_done(world)?;
                assert!(due > Some(world.now), "it is done, and due");
                return Ok(End::Done);
            }
            Step::WaitUntil { until, .. } if !step.ends_a_run() => world.advance(until),
            Step::WaitUntil { until, why, .. } => {
                assert!(until > world.now, "it waits for the past");
                run.end(world);
                judge_end(world)?;
                return Ok(End::Waits(until, why));
            }
            Step::Stop(reason) => {
                run.end(world);
                return Ok(End::Stopped(reason));
            }
            _ => {}
        }
        for effect in effects(&step) {
            let cut = cuts.iter().find(|cut| cut.at == *count);
            *count += 1;
            judge(world, &run, terms, &effect, matches!(step, Step::Discard(_)))?;
            if let Some(cut) = cut {
                if cut.done && world.apply(&effect) && effect == Effect::Create {
                    world.keys.last_mut().unwrap().lost = true;
                }
                match cut.next_run {
                    None => break,
                    Some(pause) => {
                        run.end(world);
                        return Ok(End::Died(pause));
                    }
                }
            }
            if !run.act(world, &effect) {
                return Err(Broken { law: 7, how: format!("no room: {effect:?}, {world:#?}") });
            }
        }
    }
    Err(Broken { law: 6, how: format!("more than {STEPS} steps: {world:#?}") })
}

impl Run {
    pub(crate) fn observe(&self, world: &World) -> Seen {
        let is_shown = |at: &&Timestamp| **at + world.uses_late <= world.now;
        let shown = |uses: &[Timestamp]| uses.iter().rfind(is_shown).copied();
        let keys = world.keys.iter().map(|key| Key {
            id: key.id.clone(),
            active: key.active,
            created: key.created,
            last_used: shown(&key.recorded),
        });
        let proven = self.logins.iter().filter(|&(_, &n)| n >= PROOFS).map(|(key, _)| key.clone());
        Seen {
            keys: keys.collect(),
            notes: Notes::from_tags(world.tags.iter().map(|(tag, value)| (*tag, value.as_str())))
                .unwrap(),
            stores: world
                .stores
                .iter()
                .map(|held| Store { holds: held.iter().cloned().collect() })
                .collect(),
            at_hand: self.at_hand.clone(),
            proven: proven.collect(),
            hooked: self.hooked.clone(),
            ..Seen::at(world.now)
        }
    }

    /// Does it, and learns from the answer; false if it was refused.
    pub(crate) fn act(&mut self, world: &mut World, effect: &Effect) -> bool {
        let accepted = world.apply(effect);
        world.now += SECOND;
        match effect {
            Effect::Create if accepted => {
                self.at_hand.insert(world.keys[world.keys.len() - 1].id.clone());
            }
            Effect::Prove(key) if accepted => {
                self.logins.insert(key.clone(), PROOFS);
            }
            Effect::Deliver(..) => self.hooked = None,
            Effect::Hook(key) => self.hooked = Some(key.clone()),
            _ => {}
        }
        accepted
    }

    /// The process is gone, and with it what only it knew.
    pub(crate) fn end(&mut self, world: &mut World) {
        for id in std::mem::take(self).at_hand {
            if let Some(key) = world.key_mut(&id) {
                key.lost = key.held.is_none();
            }
        }
    }
}
