//! A run: it observes, decides, and acts, until it is done, has to wait for long, or dies.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use seskey::{
    AccessKeyId, Region,
    rotation::{
        Goal, INTENT_TAG, Key, Notes, PROOFS, Reason, RunId, Seen, Sending, Step, Store, Why,
    },
};

use crate::{
    laws::{Broken, Terms, judge, judge_done, judge_end},
    world::{Effect, SECOND, World, effects},
};

pub(crate) type Plan = fn(&Seen, &Goal) -> Step;

/// The knowledge of a process, which ends with it.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// The host of the run: it can tell whether another run there has ended.
    host: usize,
    /// Its number, from 1, which it gets when it first observes.
    number: usize,
    /// The stores that it does not name.
    unnamed: BTreeSet<usize>,
    pub(crate) at_hand: BTreeSet<AccessKeyId>,
    pub(crate) logins: BTreeMap<AccessKeyId, usize>,
    pub(crate) hooked: Option<AccessKeyId>,
    unconfirmed: BTreeSet<AccessKeyId>,
    refused: BTreeSet<AccessKeyId>,
    /// The passwords that it has read from stores: the key and the region of each.
    read: BTreeSet<(AccessKeyId, Region)>,
    /// The content of the stores before this run delivered.
    before: BTreeMap<usize, AccessKeyId>,
}

/// A failure at the effect with this number, counted from 0 over all runs.
#[derive(Debug, Clone)]
pub(crate) struct Cut {
    pub(crate) at: usize,
    /// Whether the effect took place all the same.
    pub(crate) done: bool,
    /// The time until the next run begins; none if only the answer was an error, and the run goes on.
    pub(crate) next_run: Option<SignedDuration>,
}

/// The end of a run.
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

/// Makes one run. `count` is the number of effects before it.
pub(crate) fn one_run(
    world: &mut World,
    plan: Plan,
    terms: &Terms,
    cuts: &[Cut],
    count: &mut usize,
) -> Result<End, Broken> {
    run_on(world, plan, terms, cuts, count, Run::default())
}

/// Makes one run, which may be on another host, or name fewer stores.
pub(crate) fn run_on(
    world: &mut World,
    plan: Plan,
    terms: &Terms,
    cuts: &[Cut],
    count: &mut usize,
    mut run: Run,
) -> Result<End, Broken> {
    let goal = terms.goal();
    for _ in 0..STEPS {
        world.send_mail();
        let step = plan(&run.observe(world), &goal);
        match step {
            Step::Done { due } => {
                let named = run.named(world);
                run.end(world);
                judge_done(world, &named)?;
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
        for effect in run.effects(world, &step) {
            let cut = cuts.iter().find(|cut| cut.at == *count);
            *count += 1;
            judge(world, &run, terms, &effect, matches!(step, Step::Discard(_)))?;
            if let Some(cut) = cut {
                match &effect {
                    Effect::Create if cut.done && world.apply(&effect) => {
                        world.keys.last_mut().unwrap().lost = true;
                    }
                    Effect::Create => {}
                    effect if cut.done => drop(run.act(world, effect)),
                    _ => {}
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
    pub(crate) fn on_host(host: usize) -> Self {
        Self { host, ..Self::default() }
    }

    /// Returns a run that names all stores but these.
    pub(crate) fn without(stores: impl IntoIterator<Item = usize>) -> Self {
        Self { unnamed: stores.into_iter().collect(), ..Self::default() }
    }

    pub(crate) fn observe(&mut self, world: &mut World) -> Seen {
        self.begin(world);
        self.see(world)
    }

    pub(crate) fn begin(&mut self, world: &mut World) {
        if self.number == 0 {
            world.runs_ever += 1;
            self.number = world.runs_ever;
        }
    }

    fn id(&self) -> RunId {
        RunId::of(&self.host.to_string(), &self.number.to_string())
    }

    /// Returns the stores that it names, in order.
    fn named(&self, world: &World) -> Vec<usize> {
        (0..world.stores.len()).filter(|store| !self.unnamed.contains(store)).collect()
    }

    /// Whether it has the password of the key for the region of the store.
    pub(crate) fn knows(&self, world: &World, store: usize, key: &AccessKeyId) -> bool {
        let is_kept = self.at_hand.contains(key) || world.kept.contains(key);
        is_kept || self.read.contains(&(key.clone(), world.region(store)))
    }

    /// Returns the effects of the step on the world.
    pub(crate) fn effects(&self, world: &World, step: &Step) -> Vec<Effect> {
        let named = self.named(world);
        let place = |effect| match effect {
            Effect::Deliver(store, key) => Effect::Deliver(named[store], key),
            Effect::PutBack(store, key) => Effect::PutBack(named[store], key),
            effect => effect,
        };
        effects(step).into_iter().map(place).collect()
    }

    /// Returns its observation of the world, or of the world as IAM shows it.
    pub(crate) fn see(&mut self, world: &World) -> Seen {
        for store in self.named(world) {
            let held = world.stores[store].clone().filter(|_| !world.unmounted.contains(&store));
            self.read.extend(held.map(|key| (key, world.region(store))));
        }
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
            stores: self.named(world).into_iter().map(|store| self.store(world, store)).collect(),
            sending: Sending::Allowed,
            gone: world
                .gone
                .iter()
                .filter(|run| run.is_on_the_host_of(&self.id()))
                .copied()
                .collect(),
            at_hand: self.at_hand.clone(),
            kept: world.kept.clone(),
            proven: proven.collect(),
            unconfirmed: self.unconfirmed.clone(),
            refused: self.refused.clone(),
            hooked: self.hooked.clone(),
            ..Seen::at(world.now, self.id())
        }
    }

    fn store(&self, world: &World, store: usize) -> Store {
        let held = world.stores[store].clone().filter(|_| !world.unmounted.contains(&store));
        let mut seen = Store::new(world.store_id(store), world.region(store));
        seen.is_empty = held.is_none();
        seen.holds = held.into_iter().collect();
        seen.before = self.before.get(&store).cloned();
        seen
    }

    /// Does the effect, and learns from the answer; `false` if it was refused.
    pub(crate) fn act(&mut self, world: &mut World, effect: &Effect) -> bool {
        let held = match effect {
            Effect::Deliver(store, _) => world.stores[*store].clone(),
            _ => None,
        };
        let made = world.keys.iter().rev().find(|key| self.at_hand.contains(&key.id));
        let effect = &match (effect, made) {
            (Effect::Record(intent), Some(key)) => {
                let intent = intent.clone().with_made(&key.id, self.id());
                Effect::Tag(INTENT_TAG, Some(intent.to_string()))
            }
            (Effect::Record(_), None) => return true,
            (effect, _) => effect.clone(),
        };
        let accepted = world.apply(effect);
        world.now += SECOND;
        match effect {
            Effect::Create if accepted => {
                self.at_hand.insert(world.keys[world.keys.len() - 1].id.clone());
            }
            Effect::Prove(key) if accepted => {
                self.logins.insert(key.clone(), PROOFS);
                self.refused.remove(key);
            }
            Effect::Confirm(key) => {
                self.unconfirmed.remove(key);
                if !accepted {
                    self.logins.remove(key);
                    self.refused.insert(key.clone());
                }
                return true;
            }
            Effect::Deliver(store, key) => {
                if !world.regions.is_empty() && self.at_hand.contains(key) {
                    world.kept.insert(key.clone());
                }
                self.before.extend(held.map(|held| (*store, held)));
                self.unconfirmed.insert(key.clone());
                self.hooked = None;
            }
            Effect::PutBack(store, _) => {
                self.before.remove(store);
                self.hooked = None;
            }
            Effect::Hook(key) => self.hooked = Some(key.clone()),
            _ => {}
        }
        accepted
    }

    /// Ends the process, and discards what only it knew.
    pub(crate) fn end(&mut self, world: &mut World) {
        world.gone.insert(self.id());
        let next = Self { host: self.host, unnamed: self.unnamed.clone(), ..Self::default() };
        for id in std::mem::replace(self, next).at_hand {
            if let Some(key) = world.key_mut(&id) {
                key.lost = key.held.is_none();
            }
        }
    }
}
