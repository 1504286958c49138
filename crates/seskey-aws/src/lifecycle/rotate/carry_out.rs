//! The execution of one step.

use std::time::Duration;

use seskey::{
    AccessKeyId, Region, SecretAccessKey, SmtpCredential,
    rotation::{FLAPPING, INTENT_TAG, LEASE, Seen, Step, YOUNG},
};

use super::{
    Event, Rotation, Run,
    failure::RotateFailure,
    look::{look, room_for_notes},
};
use crate::{
    Account, Error,
    lifecycle::{
        end::watch_end,
        prove::{NotProven, Proof, is_refusal, prove},
    },
    store::{
        self, Held,
        kept::{forget, keep},
    },
};

/// The result of a step.
pub(super) enum Carried {
    /// The step is done.
    Out,
    /// A store holds a credential that does not log in; the stores are to be judged anew.
    Broken,
    /// The step was interrupted, and changed nothing.
    Interrupted,
}

impl Run<'_> {
    pub(super) async fn carry_out(
        &mut self,
        seen: &Seen,
        step: &Step,
    ) -> Result<Carried, RotateFailure> {
        let user = &self.rotation.user;
        match step {
            Step::WriteIntent(_) => self.look().await?,
            Step::CreateKey(intent) => {
                // the intent may be from a run that came no further
                self.look().await?;
                let key = self.create_key().await?;
                // at once, so that no run takes the key for a stranger's
                let intent = intent.clone().with_made(&key, self.id);
                self.write_tag(INTENT_TAG, Some(intent.to_string())).await?;
            }
            Step::Prove(key) => {
                // an adopted key is also noted
                if seen.notes.hand_over.is_none() {
                    room_for_notes(self.rotation, self.tags_too_many)?;
                }
                return self.prove(seen, key).await;
            }
            Step::Confirm(key) => return self.confirm(key).await,
            Step::Deliver { store, key } => {
                let held = &seen.stores[*store].holds;
                let before = held.first().filter(|_| held.len() == 1);
                self.remember(key).await;
                self.passwords.deliver(*store, key, before.cloned());
                self.write(*store, key).await?;
            }
            Step::PutBack { store, key } => {
                self.write(*store, key).await?;
                self.passwords.put_back(*store);
            }
            Step::RunHook(key) => {
                if let Some(hook) = &self.rotation.hook {
                    hook.run(user, key, &self.credentials(key)).await?;
                }
                self.passwords.hooked = Some(key.clone());
            }
            Step::ClearIntent => {
                let note = seen.notes.hand_over.as_ref();
                // a store that this run does not name may not have it yet
                if note.is_none_or(|note| note.elsewhere.is_empty()) {
                    forget(&self.rotation.stores);
                }
            }
            Step::Activate(key) => self.set_active(key, true).await?,
            Step::Deactivate(key) => self.deactivate(key).await?,
            Step::Delete(key) => self.delete_key(key).await?,
            Step::Discard(key) => {
                self.set_active(key, false).await?;
                self.delete_key(key).await?;
            }
            _ => {}
        }
        if let Some((tag, value)) = step.tag() {
            self.write_tag(tag, value).await?;
        }
        Ok(Carried::Out)
    }

    /// Checks the needs of a new key, once: the next steps follow within seconds.
    async fn look(&mut self) -> Result<(), RotateFailure> {
        if !self.has_looked {
            look(self.account, self.rotation, self.tags_too_many, &self.passwords.ours).await?;
            self.has_looked = true;
        }
        Ok(())
    }

    pub(super) async fn write_tag(
        &mut self,
        tag: &'static str,
        value: Option<String>,
    ) -> Result<(), Error> {
        let user = &self.rotation.user;
        let written = match &value {
            Some(value) => self.account.tag_user(user, tag, value).await,
            None => self.account.untag_user(user, tag).await,
        };
        match written {
            Err(error) if self.rotation.forgoes_notes => {
                (self.on_event)(Event::Unwritten { tag, error });
                self.unwritten.insert(tag, value);
            }
            written => {
                written?;
                self.unwritten.remove(tag);
                self.expected.tag = Some((tag, value));
            }
        }
        Ok(())
    }

    async fn create_key(&mut self) -> Result<AccessKeyId, RotateFailure> {
        let made = self.account.create_access_key(&self.rotation.user).await?;
        let unusable = || RotateFailure::UnusableKey { id: made.id.clone() };
        let id = AccessKeyId::parse(&made.id).map_err(|_| unusable())?;
        let secret = SecretAccessKey::parse(made.secret.expose()).map_err(|_| unusable())?;
        self.expected.key = Some((id.clone(), Some(true)));
        self.passwords.made(id.clone(), secret);
        Ok(id)
    }

    async fn prove(&mut self, seen: &Seen, key: &AccessKeyId) -> Result<Carried, RotateFailure> {
        let made_here = self.passwords.is_made_here(key);
        let created = seen.keys.iter().find(|known| known.id == *key).map(|known| known.created);
        let age = seen.now.duration_since(created.unwrap_or(seen.now));
        for (region, credential) in self.credentials(key) {
            let mut proof = self.rotation.proof_in(&region).clone();
            if age > LEASE {
                proof.refusals = REFUSALS_OF_OLD_KEYS;
            }
            // while every store is empty, no reader can be refused
            if age < YOUNG && seen.stores.iter().any(|store| !store.is_empty) {
                proof.span = FLAPPING.unsigned_abs();
                proof.patience += proof.span;
            }
            match self.log_in(&proof, &credential).await {
                Ok(true) => {}
                Ok(false) => return Ok(Carried::Interrupted),
                Err(error) if self.rotation.now && !made_here && is_refusal(&error.error) => {
                    let store = seen.stores.iter().position(|store| store.holds.contains(key));
                    self.passwords.disprove(key);
                    if let Some(store) = store {
                        (self.on_event)(Event::Broken { store, key: key.clone() });
                    }
                    return Ok(Carried::Broken);
                }
                Err(error) => {
                    let (key, error) = (key.clone(), Box::new(error));
                    return Err(RotateFailure::NotProven { key, made_here, error });
                }
            }
        }
        self.passwords.prove(key);
        Ok(Carried::Out)
    }

    /// Logs in once with what the stores hold. After a refusal, their previous content is put back.
    async fn confirm(&mut self, key: &AccessKeyId) -> Result<Carried, RotateFailure> {
        for (region, credential) in self.credentials(key) {
            let mut proof = self.rotation.proof_in(&region).clone();
            (proof.logins, proof.refusals) = (1, Duration::ZERO);
            match self.log_in(&proof, &credential).await {
                Ok(true) => {}
                Ok(false) => return Ok(Carried::Interrupted),
                Err(error) if is_refusal(&error.error) => {
                    self.passwords.confirm(key, false);
                    (self.on_event)(Event::Refused { key: key.clone() });
                    return Ok(Carried::Broken);
                }
                Err(error) => {
                    let made_here = self.passwords.is_made_here(key);
                    let (key, error) = (key.clone(), Box::new(error));
                    return Err(RotateFailure::NotProven { key, made_here, error });
                }
            }
        }
        self.passwords.confirm(key, true);
        Ok(Carried::Out)
    }

    /// Whether the credential logs in; `false` if the login was interrupted.
    async fn log_in(
        &mut self,
        proof: &Proof,
        credential: &SmtpCredential,
    ) -> Result<bool, NotProven> {
        let on_event = &mut self.on_event;
        let on_login = &mut |login| on_event(Event::Login(login));
        Ok(prove(proof, credential, &mut self.interrupt, on_login).await?.is_some())
    }

    /// Returns the credential of a key for each region of the stores, as far as its password is known.
    fn credentials(&self, key: &AccessKeyId) -> Vec<(Region, SmtpCredential)> {
        let known = |region: &Region| {
            Some((region.clone(), self.passwords.credential(self.rotation, key, region)?))
        };
        self.rotation.regions().into_iter().filter_map(known).collect()
    }

    /// Keeps the passwords that only this run knows until every store has them. If that fails, the run goes on without.
    async fn remember(&mut self, key: &AccessKeyId) {
        let has_several = self.rotation.regions().len() > 1;
        if has_several && self.passwords.is_made_here(key) && !self.has_kept {
            let known = self.credentials(key).into_iter();
            let passwords = known.map(|(region, known)| (region, known.password)).collect();
            let _ = keep(&self.rotation.stores, key, &passwords).await;
            self.has_kept = true;
        }
    }

    async fn write(&self, store: usize, key: &AccessKeyId) -> Result<(), RotateFailure> {
        let store = &self.rotation.stores[store];
        let region = store.region_or(&self.rotation.region);
        let credential = self.passwords.credential(self.rotation, key, region);
        let credential = credential.expect("the plan delivers what is known for the region");
        let ours = &self.passwords.ours;
        let written = store::write(self.account, store, region, &credential, ours).await;
        written.map_err(|error| RotateFailure::of_store(store, error))
    }

    /// Deactivates a key, and watches its end if its password is known.
    async fn deactivate(&mut self, key: &AccessKeyId) -> Result<(), Error> {
        self.set_active(key, false).await?;
        let credential = match self.credentials(key).pop() {
            Some(known) => Some(known),
            None => previous(self.account, self.rotation, key).await,
        };
        if let Some((region, credential)) = credential {
            let proof = self.rotation.proof_in(&region);
            let ending = watch_end(proof, &credential, &mut self.interrupt).await;
            (self.on_event)(Event::Ending { key: key.clone(), ending });
        }
        Ok(())
    }

    async fn set_active(&mut self, key: &AccessKeyId, active: bool) -> Result<(), Error> {
        let user = &self.rotation.user;
        gone_is_done(self.account.update_access_key(user, key.as_str(), active).await)?;
        self.expected.key = Some((key.clone(), Some(active)));
        Ok(())
    }

    async fn delete_key(&mut self, key: &AccessKeyId) -> Result<(), Error> {
        gone_is_done(self.account.delete_access_key(&self.rotation.user, key.as_str()).await)?;
        self.expected.key = Some((key.clone(), None));
        Ok(())
    }
}

/// Whether the step repeats one that was done before.
pub(super) fn is_again(done: &Step, step: &Step) -> bool {
    matches!((done, step), (Step::CreateKey(_), Step::CreateKey(_)))
        || matches!(step, Step::Deliver { .. }) && done == step
}

/// Returns a credential that a store held before and still has.
async fn previous(
    account: &Account,
    rotation: &Rotation,
    key: &AccessKeyId,
) -> Option<(Region, SmtpCredential)> {
    for store in &rotation.stores {
        if let Ok(Held::Credentials(held)) = store::previous(account, store).await
            && let Some((user_name, password)) = held.into_iter().find(|(id, _)| id == key)
        {
            let (iam_user, endpoint) = (None, None);
            let credential = SmtpCredential { iam_user, user_name, password, endpoint };
            return Some((store.region_or(&rotation.region).clone(), credential));
        }
    }
    None
}

fn gone_is_done(outcome: Result<(), Error>) -> Result<(), Error> {
    match outcome {
        Err(error) if error.is_no_such_entity() => Ok(()),
        outcome => outcome,
    }
}

/// The time for which an old key that was just activated again may be refused.
const REFUSALS_OF_OLD_KEYS: Duration = Duration::from_secs(10);
