//! The state of IAM and of the stores, as input of the plan.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use seskey::{
    AccessKeyId, Region, SmtpPassword,
    rotation::{Intent, Key, LAG, Notes, RunId, Seen, Step, Store as Holding, tags_too_many},
    store::Store,
};

use super::{Run, failure::RotateFailure, run_id::is_gone};
use crate::{
    Error,
    clock::Stopwatch,
    iam::{AccessKey, KeyStatus},
    smtp::{Phase, SmtpError, Transcript},
    store::{self, Held},
};

/// The change that this run has just made. IAM must show it before anything else is decided.
#[derive(Default)]
pub(super) struct Expected {
    pub(super) tag: Option<(&'static str, Option<String>)>,
    /// A key, and whether it is active; `None` if it is gone.
    pub(super) key: Option<(AccessKeyId, Option<bool>)>,
}

/// IAM's answer about a user.
pub(super) struct Listed {
    keys: Vec<AccessKey>,
    tags: Vec<(String, String)>,
    /// The time since the request.
    since: Stopwatch,
    /// Whether it was used before.
    is_old: bool,
}

impl Run<'_> {
    /// Observes everything anew, except what [`keep`](Self::keep) has kept. Last uses are left out.
    pub(super) async fn observe(&mut self) -> Result<Seen, RotateFailure> {
        let kept = self.listed.take().filter(|listed| listed.since.elapsed() < FRESH);
        let listed = match kept {
            Some(listed) => Listed { is_old: true, ..listed },
            None => self.settled().await?,
        };
        let tags = listed.tags.iter().map(|(key, value)| (&**key, &**value));
        let tags = tags.filter(|(key, _)| !self.unwritten.contains_key(key));
        let unwritten =
            self.unwritten.iter().filter_map(|(key, value)| Some((*key, value.as_deref()?)));
        let tags = tags.chain(unwritten);
        let notes = Notes::from_tags(tags)?;
        self.tags_too_many = tags_too_many(listed.tags.iter().map(|(key, _)| &**key));
        let keys: Vec<Key> = listed.keys.iter().map(key).collect::<Result<_, _>>()?;
        self.passwords.ours.extend(keys.iter().map(|key| key.id.clone()));
        self.passwords.ours.extend(notes.hand_over.iter().map(|note| note.key.clone()));
        self.observed = listed.since;
        self.listed = Some(listed);
        let mut stores = vec![];
        for store in &self.rotation.stores {
            let region = store.region_or(&self.rotation.region);
            let held = self.holds(store, region, &keys).await?;
            stores.push(Holding {
                is_empty: held.is_none(),
                holds: held.unwrap_or_default(),
                before: self.passwords.before.get(&stores.len()).cloned(),
                ..Holding::new(store::id(store, &self.rotation.region), region.clone())
            });
        }
        let pending = match &notes.intent {
            Some(intent) => self.pending(intent, &stores).await?,
            None => BTreeSet::new(),
        };
        let now = self.account.now().unwrap_or_else(Timestamp::now);
        Ok(Seen {
            gone: notes.intent.iter().flat_map(gone).collect(),
            keys,
            notes,
            stores,
            pending,
            sending: self.sending.clone(),
            at_hand: self.passwords.at_hand(),
            kept: self.passwords.kept.clone(),
            proven: self.passwords.proven.clone(),
            unconfirmed: self.passwords.unconfirmed.clone(),
            refused: self.passwords.refused.clone(),
            hooked: self.passwords.hooked.clone(),
            ..Seen::at(whole_seconds(now), self.id)
        })
    }

    /// Returns the keys of the intent that a rotation by Secrets Manager is about to put in use. It asks only if a key
    /// is in no store and was not made here.
    async fn pending(
        &self,
        intent: &Intent,
        stores: &[Holding],
    ) -> Result<BTreeSet<AccessKeyId>, RotateFailure> {
        let is_held = |key| stores.iter().any(|store| store.holds.contains(key));
        if intent.made.keys().all(|key| is_held(key) || self.passwords.is_made_here(key)) {
            return Ok(BTreeSet::new());
        }
        let mut pending = BTreeSet::new();
        for store in &self.rotation.stores {
            let held = store::pending(self.account, store, &self.passwords.ours).await;
            match held.map_err(|error| RotateFailure::of_store(store, error))? {
                Held::Credentials(held) => pending.extend(held.into_iter().map(|(key, _)| key)),
                Held::Nothing | Held::Foreign => {}
            }
        }
        Ok(pending)
    }

    /// Reads the last use of these keys.
    pub(super) async fn ask_for_uses(
        &mut self,
        seen: &mut Seen,
        keys: &[AccessKeyId],
    ) -> Result<(), Error> {
        for key in seen.keys.iter_mut().filter(|key| keys.contains(&key.id)) {
            let (_, used) = self.account.access_key_last_used(key.id.as_str()).await?;
            key.last_used = used.as_ref().map(|used| used.at);
            self.last_uses.extend(used.map(|used| (key.id.clone(), used)));
        }
        Ok(())
    }

    /// Whether the step was decided on facts that may be old: tags that were read before, or a kept answer. If so, they
    /// are dropped.
    pub(super) fn was_decided_on_old_facts(&mut self, step: &Step) -> bool {
        let old_tags = self.tags.take().is_some() && step.stage().is_some();
        let kept = self.listed.as_ref().is_some_and(|listed| listed.is_old);
        let is_old = old_tags || (kept && !hands_over(step));
        if is_old {
            self.listed = None;
        }
        is_old
    }

    /// Keeps IAM's answer for the next step, after a step that changed nothing there.
    ///
    /// It is used for at most [`FRESH`], and only if the next step goes on with the hand-over. That step then counts as
    /// decided that much earlier: the longest one, a delivery, still ends before MARGIN less LAG has passed since IAM
    /// was asked. The content of the stores and the time are observed anew. No key is deactivated, deleted, made or
    /// waited for by a kept answer.
    pub(super) fn keep(&mut self, listed: Option<Listed>, after: &Step) {
        let changes_nothing = matches!(after, Step::Prove(_) | Step::Deliver { .. } | Step::Confirm(_))
                // a hook may change anything; without one, the step changes nothing
                || matches!(after, Step::RunHook(_)) && self.rotation.hook.is_none();
        self.listed = listed.filter(|_| changes_nothing);
    }

    /// Reads keys and tags until they show the change of this run, or until that takes too long: another run may have
    /// changed it again. The expected change is remembered when a call fails.
    async fn settled(&mut self) -> Result<Listed, Error> {
        let (user, start) = (&self.rotation.user, Instant::now());
        for pause in PAUSES.iter().chain(std::iter::repeat(&LAST_PAUSE)) {
            let since = Stopwatch::start();
            let keys = self.account.access_keys(user).await?;
            let tags = match &self.tags {
                Some(tags) => tags.clone(),
                None => self.account.tags_of_user(user).await?,
            };
            let waited = start.elapsed();
            let is_shown = self.expected.is_shown(&keys, &tags, waited) || waited > SETTLING;
            if is_shown || !self.interrupt.sleep(*pause).await {
                self.expected = Expected::default();
                return Ok(Listed { keys, tags, since, is_old: false });
            }
        }
        unreachable!("the loop ends by the clock")
    }

    /// Returns the keys whose passwords the store holds, if it holds anything; no key if a password is not the known
    /// one.
    pub(super) async fn holds(
        &mut self,
        store: &Store,
        region: &Region,
        keys: &[Key],
    ) -> Result<Option<BTreeSet<AccessKeyId>>, RotateFailure> {
        let failed = |error| RotateFailure::of_store(store, error);
        let ours = &self.passwords.ours;
        let held = match store::read(self.account, store, region, ours).await.map_err(failed)? {
            Held::Nothing => return Ok(None),
            Held::Foreign => return Err(RotateFailure::Foreign { store: store.to_string() }),
            Held::Credentials(held) => held,
        };
        let mut holds = BTreeSet::new();
        for (key, password) in held {
            if !keys.iter().any(|known| known.id == key) && !self.passwords.is_made_here(&key) {
                self.is_nobodys(store, region, &key, &password).await?;
            } else if !self.passwords.learn(&key, region, &password) {
                return Ok(Some(BTreeSet::new()));
            }
            holds.insert(key);
        }
        Ok(Some(holds))
    }

    /// Checks that nobody logs in with a credential of a key that is not the user's, which must not be overwritten
    /// then.
    async fn is_nobodys(
        &mut self,
        store: &Store,
        region: &Region,
        key: &AccessKeyId,
        password: &SmtpPassword,
    ) -> Result<(), RotateFailure> {
        if self.passwords.dead.contains(key) {
            return Ok(());
        }
        let other_user = || RotateFailure::OtherUser { store: store.to_string(), key: key.clone() };
        match self.account.access_key_last_used(key.as_str()).await {
            Ok((Some(user), _)) if user != self.rotation.user => return Err(other_user()),
            Ok(_) => {}
            // a key of another account, or one that is gone
            Err(error) if error.is_access_denied() || error.is_no_such_entity() => {}
            Err(error) => return Err(error.into()),
        }
        let proof = self.rotation.proof_in(region);
        let mut transcript = Transcript::default();
        let login =
            proof.client.prove(&proof.server, key.as_str(), password.expose(), &mut transcript);
        match login.await {
            Ok(()) => Err(other_user()),
            Err(SmtpError::Refused { phase: Phase::Auth, reply }) if !reply.is_transient() => {
                self.passwords.dead.insert(key.clone());
                Ok(())
            }
            Err(error) => {
                Err(RotateFailure::Untried { store: store.to_string(), key: key.clone(), error })
            }
        }
    }
}

impl Expected {
    /// Whether IAM shows the change. A tag is not awaited longer than the plan assumes: another run may have
    /// overwritten it.
    fn is_shown(&self, keys: &[AccessKey], tags: &[(String, String)], waited: Duration) -> bool {
        let is_over = waited > LAG.unsigned_abs();
        let tag = is_over
            || self.tag.as_ref().is_none_or(|(name, value)| {
                let shown = tags.iter().find(|(tag, _)| tag == name).map(|(_, value)| value);
                shown == value.as_ref()
            });
        let key = self.key.as_ref().is_none_or(|(id, active)| {
            let shown = keys.iter().find(|key| key.id == id.as_str());
            let shown = shown.map(|key| key.status == KeyStatus::Active);
            // somebody else may have deleted the deactivated key
            shown == *active || (shown.is_none() && *active == Some(false))
        });
        tag && key
    }
}

/// Returns the makers of keys that have certainly ended.
fn gone(intent: &Intent) -> BTreeSet<RunId> {
    intent.made.values().flatten().copied().filter(is_gone).collect()
}

fn key(key: &AccessKey) -> Result<Key, RotateFailure> {
    let unusable = || RotateFailure::UnusableKey { id: key.id.clone() };
    Ok(Key {
        id: AccessKeyId::parse(&key.id).map_err(|_| unusable())?,
        active: key.status == KeyStatus::Active,
        created: key.created.ok_or_else(unusable)?,
        last_used: None,
    })
}

fn hands_over(step: &Step) -> bool {
    matches!(
        step,
        Step::Deliver { .. } | Step::Confirm(_) | Step::RunHook(_) | Step::MarkHandOver(_)
    )
}

/// Cuts a time to whole seconds, as IAM gives its times.
fn whole_seconds(time: Timestamp) -> Timestamp {
    let round = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Trunc);
    time.round(round).expect("a time can be cut to whole seconds")
}

/// The time for which IAM's answer may be used: with the patience of a hook, less than MARGIN less LAG.
const FRESH: Duration = Duration::from_secs(30);

const PAUSES: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
];
const LAST_PAUSE: Duration = Duration::from_secs(2);

/// The longest wait for a change, which IAM usually shows within seconds. Source: IAM User Guide, "Changes that I make
/// are not always immediately visible".
const SETTLING: Duration = Duration::from_secs(45);
