//! Carries out a rotation: observes, asks the plan, does one step, and observes anew.
//!
//! It remembers nothing between two steps but what only this process can know: the passwords that it has made or read,
//! and which of them it has proven. Killed anywhere, it is finished by running it again.
//! The plan, and what it relies on, is [`seskey::rotation`].

mod carry_out;
mod failure;
mod hook;
mod look;
mod observe;
mod passwords;
mod run_id;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use seskey::{
    AccessKeyId, Region, SmtpCredential,
    rotation::{
        Goal, INTENT_TAG, LAG, MARGIN, Reason, RunId, Seen, Sending, Step, Why, forecast_of,
    },
    store::Store,
};
use tokio::time::timeout;

pub use failure::{RotateError, RotateFailure};
pub use hook::Hook;
pub use look::{look, look_at_stores};
pub(super) use run_id::this_run;

use self::{
    carry_out::{Carried, is_again},
    observe::{Expected, Listed},
    passwords::Passwords,
};
use super::{
    Interrupt,
    end::Ending,
    prove::{Login, Proof},
};
use crate::{Account, Error, clock::Stopwatch, iam::LastUsed, sender::sending, store::kept::kept};

/// What is to be rotated, and how.
#[derive(Clone)]
pub struct Rotation {
    /// The name of the IAM user.
    pub user: String,
    /// The region that its password is for.
    pub region: Region,
    /// What is to be reached.
    pub goal: Goal,
    /// What decides: [`seskey::rotation::next`], or [`undo`](seskey::rotation::undo).
    pub plan: fn(&Seen, &Goal) -> Step,
    /// Where the credential is delivered.
    pub stores: Vec<Store>,
    /// What is told that the stores hold a new credential.
    pub hook: Option<Hook>,
    /// How a credential is proven in its region.
    pub proof: Proof,
    /// How it is proven in the other regions that stores name.
    pub proofs: BTreeMap<Region, Proof>,
    /// Whether the user may send, where that is known from a list.
    pub sending: Sending,
    /// How long it waits for what another run may do, before it leaves that to the next run.
    pub wait: Duration,
    /// Whether it goes on where a note cannot be written: after a leak, nothing is to be in the way.
    pub forgoes_notes: bool,
    /// Whether every key that there is at the start is due, whatever its age, and a store may be written over that holds
    /// a password which does not log in.
    pub now: bool,
    /// The tags of the user as they were read a moment ago, which spares a call where nothing is due.
    pub tags: Option<Vec<(String, String)>>,
}

impl Rotation {
    /// How a credential is proven in this region.
    pub fn proof_in(&self, region: &Region) -> &Proof {
        self.proofs.get(region).unwrap_or(&self.proof)
    }

    /// The regions of the stores, each once.
    fn regions(&self) -> BTreeSet<&Region> {
        self.stores.iter().map(|store| store.region_or(&self.region)).collect()
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The steps that were carried out.
    pub steps: Vec<Step>,
    /// Why there was no further one.
    pub end: End,
    /// The active access keys of the user, as they were seen last.
    pub active: Vec<AccessKeyId>,
    /// The credential that was made and proven, where the goal was to go no further.
    pub at_hand: Option<SmtpCredential>,
    /// When the oldest of them was made.
    pub oldest: Option<Timestamp>,
    /// Whether a store held an active key at the end.
    pub is_served: bool,
    /// Whether a new key was asked for, whatever the age of the old one, and none was made.
    pub owes_a_key: bool,
    /// The use that it was stopped by.
    pub last_used: Option<LastUsed>,
}

/// Why a run ended by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// Nothing is left to do.
    Done {
        /// When the next rotation is due.
        due: Option<Timestamp>,
    },
    /// A later run goes on.
    Waits {
        /// From when on.
        until: Timestamp,
        /// What for.
        why: Why,
        /// The key that is waited for.
        key: AccessKeyId,
    },
    /// Somebody must decide.
    Stopped(Reason),
    /// It was interrupted. The step before was finished.
    Interrupted {
        /// What would have been next, if that was known.
        next: Option<Step>,
    },
}

/// What happens meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A step begins.
    Begins(Step),
    /// A step is finished.
    Did {
        /// Which one.
        step: Step,
        /// When, by IAM's clock.
        at: Timestamp,
    },
    /// A login of a proof.
    Login(Login),
    /// Something failed that may pass; everything is observed anew after the pause.
    Retries {
        /// What failed.
        failure: RotateFailure,
        /// The pause.
        after: Duration,
    },
    /// It waits for another run, or until that run must have ended.
    Waits {
        /// Until when at the latest.
        until: Timestamp,
        /// The key that the other run may be about to deliver.
        key: AccessKeyId,
    },
    /// What became of a credential whose key was deactivated, where its password is known.
    Ending {
        /// The key.
        key: AccessKeyId,
        /// What was seen of it.
        ending: Ending,
    },
    /// A key was refused after it was delivered. What the stores held before is put back, where it is known.
    Refused {
        /// The key.
        key: AccessKeyId,
    },
    /// The caller may not ask whether the user may send, and the run goes on as if it may.
    SendingUnknown,
    /// A note could not be written, and the run goes on without.
    Unwritten {
        /// The tag.
        tag: &'static str,
        /// Why.
        error: Error,
    },
    /// A store holds a password that does not log in.
    Broken {
        /// Which of the stores.
        store: usize,
        /// The key that it is said to be of.
        key: AccessKeyId,
    },
}

/// Runs the plan until nothing is to be done for now. The future must be driven to its end, or a step is left half
/// done: to stop it, raise the interrupt.
///
/// # Errors
/// The step that failed, and what was done before. Running it again goes on from there.
#[tracing::instrument(level = "debug", skip_all, fields(user = rotation.user))]
pub async fn rotate(
    account: &Account,
    rotation: &Rotation,
    interrupt: Interrupt,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Outcome, RotateError> {
    let mut run = Run::new(account, rotation, interrupt, on_event);
    let ended = run.go().await;
    let Run { steps, passwords, is_served, active, oldest, mut last_uses, .. } = run;
    match ended {
        Ok(end) => {
            // the key of any other end is discarded, and must not come into use
            let is_wanted = matches!(end, End::Stopped(Reason::Limit(_)));
            Ok(Outcome {
                at_hand: is_wanted.then(|| passwords.undelivered(rotation)).flatten(),
                is_served,
                active,
                oldest,
                owes_a_key: rotation.now
                    && !steps.iter().any(|step| matches!(step, Step::CreateKey(_))),
                last_used: end.used_key().and_then(|key| last_uses.remove(key)),
                steps,
                end,
            })
        }
        Err((step, failure)) => Err(RotateError { failure, step, done: steps }),
    }
}

/// The steps that [`rotate`] would carry out if nothing fails, and why there would be no further one. Changes nothing.
///
/// # Errors
/// What could not be read, or is not to be built upon.
pub async fn forecast(account: &Account, rotation: &Rotation) -> Result<Vec<Step>, RotateFailure> {
    let on_event = &mut |_| {};
    let mut run = Run::new(account, rotation, Interrupt::never(), on_event);
    run.recall().await;
    let mut seen = run.observe().await?;
    if seen.sending == Sending::Unknown {
        seen.sending = sending(account, &rotation.user, &rotation.region).await?;
    }
    // of an only key it is of no account, unless it may be a stranger's
    if seen.keys.len() > 1 || seen.notes.intent.is_some() {
        let keys: Vec<_> = seen.keys.iter().map(|key| key.id.clone()).collect();
        run.ask_for_uses(&mut seen, &keys).await?;
    }
    let goal = run.goal(&seen);
    let steps = forecast_of(|seen| (rotation.plan)(seen, &goal), &seen);
    if let (Some(hook), true) =
        (&rotation.hook, steps.iter().any(|step| matches!(step, Step::RunHook(_))))
    {
        hook.look().await.map_err(RotateFailure::NoHook)?;
    }
    Ok(steps)
}

impl End {
    /// The key that somebody else uses.
    fn used_key(&self) -> Option<&AccessKeyId> {
        match self {
            Self::Stopped(Reason::StillUsed { key, .. } | Reason::StrangersKey { key, .. }) => {
                Some(key)
            }
            _ => None,
        }
    }
}

struct Run<'a> {
    id: RunId,
    account: &'a Account,
    rotation: &'a Rotation,
    interrupt: Interrupt,
    on_event: &'a mut (dyn FnMut(Event) + Send),
    /// What only this process knows.
    passwords: Passwords,
    /// Notes that could not be written, and hold for this run alone.
    unwritten: BTreeMap<&'static str, Option<String>>,
    /// Whether the user may send, as far as it was asked.
    sending: Sending,
    may_ask_for_sending: bool,
    /// What the step before has changed, and IAM may not show yet.
    expected: Expected,
    /// What IAM has shown, where it may be built upon once more.
    listed: Option<Listed>,
    /// The uses that were asked for last.
    last_uses: BTreeMap<AccessKeyId, LastUsed>,
    /// The active keys when they were last looked at.
    active: Vec<AccessKeyId>,
    /// When the oldest of them was made.
    oldest: Option<Timestamp>,
    /// Whether a store held one of them.
    is_served: bool,
    /// How many tags the user has too many.
    tags_too_many: usize,
    /// Whether what a new key needs was looked at.
    has_looked: bool,
    /// Whether the passwords of a new key were kept for the next run.
    has_kept: bool,
    /// Tags that somebody else has just read.
    tags: Option<Vec<(String, String)>>,
    /// Since when it observes what the next step is decided on.
    observed: Stopwatch,
    /// The keys that there were at first.
    old: Option<BTreeSet<AccessKeyId>>,
    /// Since when it has waited for another run.
    waiting: Option<Stopwatch>,
    steps: Vec<Step>,
}

impl<'a> Run<'a> {
    fn new(
        account: &'a Account,
        rotation: &'a Rotation,
        interrupt: Interrupt,
        on_event: &'a mut (dyn FnMut(Event) + Send),
    ) -> Self {
        Self {
            account,
            rotation,
            interrupt,
            on_event,
            id: this_run(),
            passwords: Passwords::default(),
            unwritten: BTreeMap::new(),
            sending: rotation.sending.clone(),
            may_ask_for_sending: true,
            expected: Expected::default(),
            listed: None,
            last_uses: BTreeMap::new(),
            active: vec![],
            oldest: None,
            is_served: false,
            tags_too_many: 0,
            has_looked: false,
            has_kept: false,
            tags: rotation.tags.clone(),
            observed: Stopwatch::start(),
            old: None,
            waiting: None,
            steps: vec![],
        }
    }

    async fn go(&mut self) -> Result<End, (Option<Step>, RotateFailure)> {
        self.recall().await;
        let mut failures = 0;
        loop {
            let (step, failure) = match self.turn().await {
                Ok(Some(end)) => return Ok(end),
                Ok(None) => {
                    failures = 0;
                    continue;
                }
                Err(failed) => failed,
            };
            failures += 1;
            if !failure.may_pass() || failures >= ATTEMPTS {
                return Err((step, failure));
            }
            // several that were refused together must not come again together
            let after = PAUSE * 2_u32.pow(failures) / 100 * rand::random_range(50..100);
            (self.on_event)(Event::Retries { failure, after });
            self.interrupt.sleep(after).await;
        }
    }

    /// Takes what a run before has kept.
    async fn recall(&mut self) {
        if let Some((key, passwords)) = kept(&self.rotation.stores).await {
            self.passwords.take_kept(self.rotation, key, passwords);
        }
    }

    /// Observes, asks, and does one step; why it ends, if it does.
    async fn turn(&mut self) -> Result<Option<End>, (Option<Step>, RotateFailure)> {
        if self.interrupt.is_raised() {
            return Ok(Some(End::Interrupted { next: None }));
        }
        let (mut seen, mut step) = self.decide().await.map_err(|failure| (None, failure))?;
        if self.was_decided_on_old_facts(&step) {
            (seen, step) = self.decide().await.map_err(|failure| (None, failure))?;
        }
        let listed = self.listed.take();
        tracing::debug!(?step, "decided");
        if self.interrupt.is_raised() {
            return Ok(Some(End::Interrupted { next: Some(step) }));
        }
        let ends_here = step.ends_a_run();
        match step {
            Step::Done { due } => Ok(Some(End::Done { due })),
            Step::Stop(reason) => Ok(Some(End::Stopped(reason))),
            Step::WaitUntil { until, why, key } if ends_here => {
                Ok(Some(End::Waits { until, why, key }))
            }
            Step::WaitUntil { until, why, key } => {
                let waited = self.waiting.get_or_insert_with(Stopwatch::start).elapsed();
                let patience = self.rotation.wait.saturating_sub(waited);
                let left = Duration::try_from(until.duration_since(seen.now)).unwrap_or_default();
                if patience.is_zero() {
                    return Ok(Some(End::Waits { until, why, key }));
                }
                (self.on_event)(Event::Waits { until, key });
                self.interrupt.sleep(left.min(patience).min(LOOK_AGAIN)).await;
                Ok(None)
            }
            step => {
                let left = STEP_LIMIT.saturating_sub(self.observed.elapsed());
                if left.is_zero() {
                    return Err((Some(step), RotateFailure::TimeLimit));
                }
                if self.steps.iter().filter(|done| is_again(done, &step)).count() >= REPEATS {
                    return Err(self.give_up(&seen, step).await);
                }
                (self.on_event)(Event::Begins(step.clone()));
                let carried = timeout(left, self.carry_out(&seen, &step)).await;
                match carried.unwrap_or(Err(RotateFailure::TimeLimit)) {
                    Ok(Carried::Out) => {
                        self.keep(listed, &step);
                        let at = self.account.now().unwrap_or(seen.now);
                        (self.on_event)(Event::Did { step: step.clone(), at });
                        self.steps.push(step);
                        Ok(None)
                    }
                    Ok(Carried::Broken) => Ok(None),
                    Ok(Carried::Interrupted) => Ok(Some(End::Interrupted { next: Some(step) })),
                    Err(failure) => Err((Some(step), failure)),
                }
            }
        }
    }

    /// A step that somebody undoes is not done again. Applications that have read the key have the grace time.
    async fn give_up(&mut self, seen: &Seen, step: Step) -> (Option<Step>, RotateFailure) {
        if let (Step::Deliver { key, .. }, Some(intent)) = (&step, &seen.notes.intent) {
            let exposing = intent.exposing(key).to_string();
            if let Err(error) = self.write_tag(INTENT_TAG, Some(exposing)).await {
                return (Some(step), error.into());
            }
        }
        (Some(step.clone()), RotateFailure::Undone(step))
    }

    async fn decide(&mut self) -> Result<(Seen, Step), RotateFailure> {
        let mut seen = self.observe().await?;
        let active = || seen.keys.iter().filter(|key| key.active);
        self.active = active().map(|key| key.id.clone()).collect();
        self.oldest = active().map(|key| key.created).min();
        let is_held = |key| seen.stores.iter().any(|store| store.holds.contains(key));
        self.is_served = self.active.iter().any(is_held);
        let goal = self.goal(&seen);
        let mut step = (self.rotation.plan)(&seen, &goal);
        let asked: Vec<_> = seen.uses_behind(&step).into_iter().cloned().collect();
        if !asked.is_empty() {
            self.ask_for_uses(&mut seen, &asked).await?;
            step = (self.rotation.plan)(&seen, &goal);
        }
        if seen.sending_is_behind(&step) && std::mem::take(&mut self.may_ask_for_sending) {
            self.sending =
                sending(self.account, &self.rotation.user, &self.rotation.region).await?;
            if self.sending == Sending::Unknown {
                (self.on_event)(Event::SendingUnknown);
            }
            seen.sending = self.sending.clone();
            step = (self.rotation.plan)(&seen, &goal);
        }
        Ok((seen, step))
    }

    /// What is to be reached; with `now`, every key is due that was there at the start.
    fn goal(&mut self, seen: &Seen) -> Goal {
        let keys = || seen.keys.iter().map(|key| key.id.clone()).collect();
        let old = self.old.get_or_insert_with(keys);
        let mut goal = self.rotation.goal.clone();
        if self.rotation.now {
            goal.replace.clone_from(old);
        }
        goal
    }
}

/// A step is given up so long after it began to observe what it was decided on.
const STEP_LIMIT: Duration = MARGIN.unsigned_abs().saturating_sub(LAG.unsigned_abs());

/// How often a run tries in vain before it gives up, each time after the SDK has tried several times.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);

/// How often a run makes a key, or delivers one to the same store. Once is usual; a key that flaps is put back, and
/// delivered once more. Beyond that, somebody undoes it each time.
pub const REPEATS: usize = 3;

/// The other run may be over at any moment.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
