//! One step, done.

use std::time::Duration;

use seskey::{
    AccessKeyId, SecretAccessKey, SmtpCredential, SmtpPassword,
    rotation::{Key, LEASE, Seen, Step},
};

use super::{Event, Rotation, Run, failure::RotateFailure, look::look};
use crate::{
    Account, Error,
    lifecycle::{
        end::watch_end,
        prove::{is_refusal, prove},
    },
    store::{self, Held},
};

/// What came of a step.
pub(super) enum Carried {
    /// It is done.
    Out,
    /// The password that a store holds does not log in; what the stores hold is seen with other eyes now.
    Broken,
    /// It was interrupted, and changed nothing.
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
            Step::CreateKey => {
                // the intent may be that of a run which came no further
                self.look().await?;
                self.create_key().await?;
            }
            Step::Prove(key) => return self.prove(seen, key).await,
            Step::Deliver { store, key } => self.deliver(*store, key).await?,
            Step::RunHook(key) => {
                if let Some(hook) = &self.rotation.hook {
                    let delivered = self.passwords.credential(self.rotation, key);
                    hook.run(user, key, delivered.as_ref()).await?;
                }
                self.passwords.hooked = Some(key.clone());
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
            match &value {
                Some(value) => self.account.tag_user(user, tag, value).await?,
                None => self.account.untag_user(user, tag).await?,
            }
            self.expected.tag = Some((tag, value));
        }
        Ok(Carried::Out)
    }

    /// Once is enough: what follows is done within seconds.
    async fn look(&mut self) -> Result<(), RotateFailure> {
        if !self.has_looked {
            look(self.account, self.rotation, self.tags_too_many, &self.passwords.ours).await?;
            self.has_looked = true;
        }
        Ok(())
    }

    async fn create_key(&mut self) -> Result<(), RotateFailure> {
        let made = self.account.create_access_key(&self.rotation.user).await?;
        let unusable = || RotateFailure::UnusableKey { id: made.id.clone() };
        let id = AccessKeyId::parse(&made.id).map_err(|_| unusable())?;
        let secret = SecretAccessKey::parse(made.secret.expose()).map_err(|_| unusable())?;
        let password = SmtpPassword::derive(&secret, &self.rotation.region);
        self.expected.key = Some((id.clone(), Some(true)));
        self.passwords.made(id, password);
        Ok(())
    }

    async fn prove(&mut self, seen: &Seen, key: &AccessKeyId) -> Result<Carried, RotateFailure> {
        let credential = self.passwords.credential(self.rotation, key);
        let credential = credential.expect("the plan proves what is at hand or in a store");
        let on_event = &mut self.on_event;
        let on_login = &mut |login| on_event(Event::Login(login));
        let mut proof = self.rotation.proof.clone();
        let is_old = |known: &&Key| seen.now.duration_since(known.created) > LEASE;
        if seen.keys.iter().filter(is_old).any(|known| known.id == *key) {
            proof.refusals = REFUSALS_OF_OLD_KEYS;
        }
        let proven = prove(&proof, &credential, &mut self.interrupt, on_login).await;
        let made_here = self.passwords.made.contains(key);
        match proven {
            Ok(Some(_)) => {
                self.passwords.proven.insert(key.clone());
                Ok(Carried::Out)
            }
            Ok(None) => Ok(Carried::Interrupted),
            Err(error) if self.rotation.now && !made_here && is_refusal(&error.error) => {
                let store = seen.stores.iter().position(|store| store.holds.contains(key));
                self.passwords.disprove(key);
                if let Some(store) = store {
                    (self.on_event)(Event::Broken { store, key: key.clone() });
                }
                Ok(Carried::Broken)
            }
            Err(error) => Err(RotateFailure::NotProven {
                key: key.clone(),
                made_here,
                error: Box::new(error),
            }),
        }
    }

    async fn deliver(&mut self, index: usize, key: &AccessKeyId) -> Result<(), RotateFailure> {
        let store = &self.rotation.stores[index];
        let credential = self.passwords.credential(self.rotation, key);
        let credential = credential.expect("the plan delivers what is proven");
        // also when it fails, for it may have been written all the same
        self.passwords.deliver(key);
        let Rotation { region, .. } = self.rotation;
        let ours = &self.passwords.ours;
        let written = store::write(self.account, store, region, &credential, ours).await;
        written.map_err(|error| RotateFailure::of_store(store, error))
    }

    /// Deactivates a key, and watches its end where its password is known.
    async fn deactivate(&mut self, key: &AccessKeyId) -> Result<(), Error> {
        self.set_active(key, false).await?;
        let known = self.passwords.credential(self.rotation, key);
        let credential = match known {
            Some(credential) => Some(credential),
            None => previous(self.account, self.rotation, key).await,
        };
        if let Some(credential) = credential {
            let proof = &self.rotation.proof;
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

/// What a store remembers of a credential that it held before.
async fn previous(
    account: &Account,
    rotation: &Rotation,
    key: &AccessKeyId,
) -> Option<SmtpCredential> {
    for store in &rotation.stores {
        if let Ok(Held::Credentials(held)) = store::previous(account, store).await
            && let Some((user_name, password)) = held.into_iter().find(|(id, _)| id == key)
        {
            let (iam_user, endpoint) = (None, None);
            return Some(SmtpCredential { iam_user, user_name, password, endpoint });
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

/// An old key that was just activated again may be refused for some seconds.
const REFUSALS_OF_OLD_KEYS: Duration = Duration::from_secs(10);
