//! The execution of a rotation: it observes, asks the plan, does one step, and observes again.
//!
//! Between two steps it remembers only what no other process can know: the passwords that it has made or read, and
//! which of them it has proven. Another run finishes one that was killed anywhere. The plan and its assumptions are in
//! [`seskey::rotation`].

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

/// The rotation that is to be carried out.
#[derive(Clone)]
pub struct Rotation {
    /// The name of the IAM user.
    pub user: String,
    /// The region of its password.
    pub region: Region,
    /// The goal.
    pub goal: Goal,
    /// The plan: [`seskey::rotation::next`], or [`undo`](seskey::rotation::undo).
    pub plan: fn(&Seen, &Goal) -> Step,
    /// The stores that the credential is delivered to.
    pub stores: Vec<Store>,
    /// The command that is run when the stores hold a new credential.
    pub hook: Option<Hook>,
    /// The proof of a credential in its region.
    pub proof: Proof,
    /// The proofs in the other regions of the stores.
    pub proofs: BTreeMap<Region, Proof>,
    /// Whether the user may send, if a list shows it.
    pub sending: Sending,
    /// The time to wait for another run, before the rest is left to the next run.
    pub wait: Duration,
    /// Whether it goes on if a note cannot be written: after a leak, nothing must be in the way.
    pub forgoes_notes: bool,
    /// Whether every key that exists at the start is due, whatever its age, and a store that holds a password which
    /// does not log in may be overwritten.
    pub now: bool,
    /// The tags of the user, read a moment ago, which saves a call if nothing is due.
    pub tags: Option<Vec<(String, String)>>,
}

impl Rotation {
    /// Returns the proof of a credential in this region.
    pub fn proof_in(&self, region: &Region) -> &Proof {
        self.proofs.get(region).unwrap_or(&self.proof)
    }

    /// Returns the regions of the stores, each once.
    fn regions(&self) -> BTreeSet<&Region> {
        self.stores.iter().map(|store| store.region_or(&self.region)).collect()
    }
}

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The steps that were carried out.
    pub steps: Vec<Step>,
    /// The reason why there was no further step.
    pub end: End,
    /// The active access keys of the user, as last seen.
    pub active: Vec<AccessKeyId>,
    /// The credential that was made and proven, if the goal was to go no further.
    pub at_hand: Option<SmtpCredential>,
    /// The time at which the oldest of the active keys was made.
    pub oldest: Option<Timestamp>,
    /// Whether a store held an active key at the end.
    pub is_served: bool,
    /// Whether a new key was requested, whatever the age of the old one, and none was made.
    pub owes_a_key: bool,
    /// The last use that stopped the run.
    pub last_used: Option<LastUsed>,
}

/// The reason why a run ended by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// Nothing is left to do.
    Done {
        /// The time at which the next rotation is due.
        due: Option<Timestamp>,
    },
    /// A later run goes on.
    Waits {
        /// The time from which it can.
        until: Timestamp,
        /// The reason.
        why: Why,
        /// The key that is waited for.
        key: AccessKeyId,
    },
    /// A person must decide.
    Stopped(Reason),
    /// The run was interrupted. The step before was finished.
    Interrupted {
        /// The next step, if it was known.
        next: Option<Step>,
    },
}

/// An event of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A step begins.
    Begins(Step),
    /// A step is finished.
    Did {
        /// The step.
        step: Step,
        /// The time, by IAM's clock.
        at: Timestamp,
    },
    /// A login of a proof.
    Login(Login),
    /// A step failed, and may succeed later; everything is observed again after the pause.
    Retries {
        /// The failure.
        failure: RotateFailure,
        /// The pause.
        after: Duration,
    },
    /// The run waits for another run, or until that run must have ended.
    Waits {
        /// The latest end of the wait.
        until: Timestamp,
        /// The key that the other run may be about to deliver.
        key: AccessKeyId,
    },
    /// The end of a credential whose key was deactivated, if its password is known.
    Ending {
        /// The key.
        key: AccessKeyId,
        /// The observed end.
        ending: Ending,
    },
    /// A key was refused after it was delivered. The content that the stores held before is put back, if it is known.
    Refused {
        /// The key.
        key: AccessKeyId,
    },
    /// The caller may not ask whether the user may send, and the run goes on as if it may.
    SendingUnknown,
    /// A note could not be written, and the run goes on without it.
    Unwritten {
        /// The tag.
        tag: &'static str,
        /// The error.
        error: Error,
    },
    /// A store holds a password that does not log in.
    Broken {
        /// The index of the store.
        store: usize,
        /// The key that the store gives with it.
        key: AccessKeyId,
    },
}

/// Runs the plan until there is nothing to do for now. The future must be driven to its end, or a step is left half
/// done: to stop it, raise the interrupt.
///
/// # Errors
/// The step that failed, and the steps before it. Another run goes on from there.
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
            // after any other end the key is discarded, and must not come into use
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

/// Returns the steps that [`rotate`] would carry out if nothing fails, and the reason for the end. Changes nothing.
///
/// # Errors
/// The fact that could not be read, or cannot be relied on.
pub async fn forecast(account: &Account, rotation: &Rotation) -> Result<Vec<Step>, RotateFailure> {
    let on_event = &mut |_| {};
    let mut run = Run::new(account, rotation, Interrupt::never(), on_event);
    run.recall().await;
    let mut seen = run.observe().await?;
    if seen.sending == Sending::Unknown {
        seen.sending = sending(account, &rotation.user, &rotation.region).await?;
    }
    // the use of an only key does not matter, unless the key may be a stranger's
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
    /// Returns the key that somebody else uses.
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
    /// The passwords, which only this process knows.
    passwords: Passwords,
    /// The notes that could not be written, and are valid for this run alone.
    unwritten: BTreeMap<&'static str, Option<String>>,
    /// Whether the user may send, as far as it was asked.
    sending: Sending,
    may_ask_for_sending: bool,
    /// The change of the step before, which IAM may not show yet.
    expected: Expected,
    /// IAM's last answer, if it may be used once more.
    listed: Option<Listed>,
    /// The last uses that were read last.
    last_uses: BTreeMap<AccessKeyId, LastUsed>,
    /// The active keys, as last seen.
    active: Vec<AccessKeyId>,
    /// The time at which the oldest of them was made.
    oldest: Option<Timestamp>,
    /// Whether a store held one of them.
    is_served: bool,
    /// The number of tags that the user has too many.
    tags_too_many: usize,
    /// Whether the needs of a new key were checked.
    has_looked: bool,
    /// Whether the passwords of a new key were kept for the next run.
    has_kept: bool,
    /// The tags, if the caller has just read them.
    tags: Option<Vec<(String, String)>>,
    /// The time since the observations for the next step began.
    observed: Stopwatch,
    /// The keys that existed at the start.
    old: Option<BTreeSet<AccessKeyId>>,
    /// The time since it began to wait for another run.
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
            // runs that were refused together must not come again together
            let after = PAUSE * 2_u32.pow(failures) / 100 * rand::random_range(50..100);
            (self.on_event)(Event::Retries { failure, after });
            self.interrupt.sleep(after).await;
        }
    }

    /// Takes the passwords that an earlier run has kept.
    async fn recall(&mut self) {
        if let Some((key, passwords)) = kept(&self.rotation.stores).await {
            self.passwords.take_kept(self.rotation, key, passwords);
        }
    }

    /// Observes, decides, and does one step. Returns the reason if the run ends.
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

    /// Gives up a step that somebody undoes. Applications that have read the key get the grace time.
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

    /// Returns the goal; with `now`, every key that existed at the start is due.
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

/// The time after which a step is given up, counted from the beginning of its observations.
const STEP_LIMIT: Duration = MARGIN.unsigned_abs().saturating_sub(LAG.unsigned_abs());

/// The number of attempts of a run before it gives up, each after several of the SDK.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);

/// The number of times that a run makes a key, or delivers one to the same store. Once is usual; a key that flaps is
/// put back, and delivered once more. Beyond that, somebody undoes it each time.
pub const REPEATS: usize = 3;

/// The longest pause before a new look: the other run may end at any moment.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
