//! One step of a Secrets Manager rotation function, for a secret that holds an SMTP credential.
//!
//! [`seskey::rotation::work`] decides what is left of a step; [`rotate`](super::rotate) makes and delivers the keys, as
//! everywhere.

use std::collections::{BTreeMap, BTreeSet};

use seskey::{
    AccessKeyId, Region, Secret, SmtpCredential, SmtpPassword,
    render::Target,
    rotation::{
        Abandoned, FunctionStep, PENDING, Reason, SecretSeen, Stage, Value, Work, next, settle,
        work,
    },
    store::{AwsSecret, SecretText, Store, StoreKind},
    user::REGION_TAG,
};

use super::{
    Interrupt,
    prove::{Login, NotProven, Proof, is_refusal, prove},
    rotate::{End, Event, Outcome, RotateError, RotateFailure, Rotation, rotate},
};
use crate::{
    Account, Error,
    config::Service,
    iam::KeyStatus,
    store::{
        self, Held, StoreError,
        secret_text::{held, with},
        secrets_manager::versions::{self, Described},
    },
};

/// The tag of a secret that names the IAM user whose credential it holds.
pub const USER_TAG: &str = "seskey:user";

/// The request of Secrets Manager. Source: AWS Secrets Manager User Guide, "Rotation by Lambda function".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The step.
    pub step: FunctionStep,
    /// The ARN of the secret.
    pub secret: String,
    /// The version that the rotation makes.
    pub version: String,
    /// The token that lets a role of another account put a value.
    pub rotation_token: Option<String>,
}

/// A secret, and the credentials in it.
pub struct Found {
    arn: String,
    /// The secret as a store.
    pub store: Store,
    /// Its tags by key.
    pub tags: BTreeMap<String, String>,
    seen: SecretSeen,
    current: Option<Secret>,
    pending: Option<Secret>,
}

/// The reason why a step failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FunctionError {
    /// The step cannot be done, and a retry does not help.
    #[error(transparent)]
    Abandoned(#[from] Abandoned),
    /// A call failed.
    #[error(transparent)]
    Call(#[from] Error),
    /// The secret was not read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rotation failed.
    #[error(transparent)]
    Rotate(#[from] RotateError),
    /// The rotation ended before the stage that the step needs.
    #[error("it ended before: {:?}", .0.end)]
    Ended(Box<Outcome>),
    /// A credential in the secret does not log in.
    #[error("{key}: {error}")]
    NotProven {
        /// Its key.
        key: AccessKeyId,
        /// The failed proof.
        error: Box<NotProven>,
    },
    /// The key of the version is inactive or gone: the label was removed, and the next rotation makes another.
    #[error("{key} is inactive or gone")]
    Withdrawn {
        /// The key.
        key: AccessKeyId,
    },
    /// A store of the user is for another region, and the secret access key that gives its password is not kept.
    #[error("{store} is for {region}")]
    OtherRegion {
        /// The store.
        store: Box<Store>,
        /// Its region.
        region: Region,
    },
    /// The time was over.
    #[error("interrupted")]
    Interrupted,
}

/// Reads the secret.
///
/// # Errors
/// The secret cannot be read.
pub async fn find(account: &Account, secret: &str, version: &str) -> Result<Found, StoreError> {
    let arn = secret.to_owned();
    let region = secret.split(':').nth(3).and_then(|region| Region::parse_unknown(region).ok());
    let service = account.secrets_manager(region.as_ref()).ok_or(StoreError::NoRegion)?;
    let Described { name, is_rotated, labels, tags } = versions::describe(&service, secret).await?;
    let mut seen = SecretSeen {
        is_enabled: is_rotated,
        labels,
        version: version.to_owned(),
        value: Value::None,
    };
    let read = async |version: &str| versions::text_of(&service, &name, version).await;
    let current = match seen.current() {
        Some(version) => read(version).await?,
        None => None,
    };
    let is_pending = seen.labels.get(version).is_some_and(|labels| labels.contains(PENDING));
    let pending = if is_pending { read(version).await? } else { None };
    let is_json = |text: &Secret| text.expose().trim_start().starts_with('{');
    let text = match &current {
        Some(text) if !is_json(text) => SecretText::UserPassword,
        _ => SecretText::Json,
    };
    let secret = AwsSecret { name, region, kms_key: None, text };
    let store = Store {
        kind: StoreKind::SecretsManager(secret),
        form: Target::Json.into(),
        region: None,
        host: None,
        port: None,
        from: None,
    };
    seen.value = match &pending {
        None => Value::None,
        Some(text) => key_in(text).map_or(Value::Foreign, |_| Value::Credential),
    };
    Ok(Found { arn, store, tags, seen, current, pending })
}

impl Found {
    /// Returns the secret of the store, if it is this secret.
    fn secret_of<'a>(&self, store: &'a Store) -> Option<&'a AwsSecret> {
        match (&store.kind, &self.store.kind) {
            (StoreKind::SecretsManager(secret), StoreKind::SecretsManager(found)) => {
                // an ARN may be given without the hyphen and the six characters at its end
                let is_it = secret.name == found.name
                    || (secret.name.starts_with("arn:") && self.arn.starts_with(&secret.name));
                is_it.then_some(secret)
            }
            _ => None,
        }
    }

    /// Whether the store is this secret.
    pub fn is(&self, store: &Store) -> bool {
        self.secret_of(store).is_some()
    }

    /// Returns the ID of the account that the secret is in.
    pub fn account(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }

    /// Returns the IAM user of the credential: the one that the tag [`USER_TAG`] names, else the owner of its key.
    ///
    /// # Errors
    /// The call to IAM failed.
    pub async fn user(&self, account: &Account) -> Result<Option<String>, Error> {
        if let Some(user) = self.tags.get(USER_TAG) {
            return Ok(Some(user.clone()));
        }
        match self.current.as_ref().or(self.pending.as_ref()).and_then(key_in) {
            Some(key) => Ok(account.access_key_last_used(key.as_str()).await?.0),
            None => Ok(None),
        }
    }

    /// Returns the region of the password: that of the SMTP endpoint in it, else that of the tag `seskey:region`.
    pub fn region(&self) -> Option<Region> {
        let texts = self.current.iter().chain(&self.pending);
        let mut hosts = texts.flat_map(|text| {
            text.expose().split(|c: char| !c.is_ascii_alphanumeric() && !"-.".contains(c))
        });
        let of_host = hosts.find_map(Region::of_smtp_endpoint);
        of_host.or_else(|| Region::parse_unknown(self.tags.get(REGION_TAG)?).ok())
    }
}

/// Does the rest of the step. The rotation defines how the user's keys are made and where they are delivered.
///
/// # Errors
/// The reason. Another run goes on from there.
pub async fn carry_out(
    account: &Account,
    request: &Request,
    found: &Found,
    rotation: &Rotation,
    interrupt: Interrupt,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Work, FunctionError> {
    let others = rotation.stores.iter().map(|store| (store, store.region_or(&rotation.region)));
    if let Some((store, region)) = others.into_iter().find(|(_, of)| **of != rotation.region) {
        let (store, region) = (Box::new(store.clone()), region.clone());
        return Err(FunctionError::OtherRegion { store, region });
    }
    let work = work(request.step, &found.seen)?;
    let StoreKind::SecretsManager(secret) = &found.store.kind else {
        unreachable!("what was found is a secret")
    };
    let service = account.secrets_manager(secret.region.as_ref()).ok_or(StoreError::NoRegion)?;
    let mut on = Run { account, request, found, secret, service, rotation, interrupt, on_event };
    match &work {
        Work::Nothing => {}
        Work::TryCurrent => on.try_current().await?,
        Work::TryPending => on.try_pending().await?,
        Work::Make => on.make().await?,
        Work::Move { from } => {
            on.try_pending().await?;
            let to = &request.version;
            versions::move_current(&on.service, &secret.name, to, from.as_deref()).await?;
            on.hand_over().await?;
        }
        Work::HandOver => on.hand_over().await?,
    }
    Ok(work)
}

struct Run<'a> {
    account: &'a Account,
    request: &'a Request,
    found: &'a Found,
    secret: &'a AwsSecret,
    service: Service<aws_sdk_secretsmanager::Client>,
    rotation: &'a Rotation,
    interrupt: Interrupt,
    on_event: &'a mut (dyn FnMut(Event) + Send),
}

impl Run<'_> {
    /// Tries the current credential. It must log in, unless its key is inactive: the rotation replaces such a key.
    async fn try_current(&mut self) -> Result<(), FunctionError> {
        let Some(text) = &self.found.current else { return Ok(()) };
        let (key, password) = self.credential(text)?;
        match self.log_in(1, &key, &password).await {
            Err(FunctionError::NotProven { error, .. })
                if is_refusal(&error.error) && !self.is_active(&key).await? =>
            {
                Ok(())
            }
            tried => tried,
        }
    }

    /// Tries the pending credential, which must log in. If its key is inactive or gone, it never will.
    async fn try_pending(&mut self) -> Result<(), FunctionError> {
        let text = self.found.pending.as_ref().ok_or(StoreError::NotOurs)?;
        let (key, password) = self.credential(text)?;
        match self.log_in(self.rotation.proof.logins, &key, &password).await {
            Err(FunctionError::NotProven { error, .. })
                if is_refusal(&error.error) && !self.is_active(&key).await? =>
            {
                let version = &self.request.version;
                versions::withdraw(&self.service, &self.secret.name, version).await?;
                Err(FunctionError::Withdrawn { key })
            }
            tried => tried,
        }
    }

    async fn make(&mut self) -> Result<(), FunctionError> {
        // the current credential is recorded first
        if self.found.current.is_some() {
            match self.settle().await {
                // a credential that does not log in is replaced
                Err(RotateError { failure: RotateFailure::NotProven { .. }, .. }) | Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let rotation = Rotation { plan: next, now: true, ..self.until(Stage::Create) };
        let outcome =
            rotate(self.account, &rotation, self.interrupt.clone(), self.on_event).await?;
        let Some(credential) = outcome.at_hand.clone() else {
            return Err(match outcome.end {
                End::Interrupted { .. } => FunctionError::Interrupted,
                _ => FunctionError::Ended(Box::new(outcome)),
            });
        };
        let text = self.text(&credential)?;
        let (name, version) = (&self.secret.name, &self.request.version);
        let token = self.request.rotation_token.as_deref();
        // if another run was first, its key is used, and this one is discarded in time
        versions::put_pending(&self.service, name, version, token, &text).await?;
        Ok(())
    }

    async fn hand_over(&mut self) -> Result<(), FunctionError> {
        let outcome = self.settle().await?;
        match outcome.end {
            End::Interrupted { .. } => Err(FunctionError::Interrupted),
            // the old key is removed later
            End::Done { .. } | End::Waits { .. } => Ok(()),
            End::Stopped(Reason::Limit(_)) => Ok(()),
            _ => Err(FunctionError::Ended(Box::new(outcome))),
        }
    }

    /// Records what the stores hold. No key is made or removed.
    async fn settle(&mut self) -> Result<Outcome, RotateError> {
        let rotation = Rotation { plan: settle, ..self.until(Stage::Deliver) };
        rotate(self.account, &rotation, self.interrupt.clone(), self.on_event).await
    }

    fn until(&self, stage: Stage) -> Rotation {
        let mut rotation = Rotation { tags: None, ..self.rotation.clone() };
        rotation.goal.until = stage;
        rotation
    }

    async fn log_in(
        &mut self,
        logins: u32,
        key: &AccessKeyId,
        password: &SmtpPassword,
    ) -> Result<(), FunctionError> {
        let proof = Proof { logins, refusals: REFUSALS, ..self.rotation.proof.clone() };
        let credential = self.of(key, password);
        let on_event = &mut self.on_event;
        let on_login = &mut |login: Login| on_event(Event::Login(login));
        match prove(&proof, &credential, &mut self.interrupt, on_login).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(FunctionError::Interrupted),
            Err(error) => {
                Err(FunctionError::NotProven { key: key.clone(), error: Box::new(error) })
            }
        }
    }

    async fn is_active(&self, key: &AccessKeyId) -> Result<bool, Error> {
        let keys = self.account.access_keys(&self.rotation.user).await?;
        Ok(keys.iter().any(|one| one.id == key.as_str() && one.status == KeyStatus::Active))
    }

    fn credential(&self, text: &Secret) -> Result<(AccessKeyId, SmtpPassword), StoreError> {
        let (store, secret) = self.store();
        match held(secret, &store.form, text.expose(), &self.keys())? {
            Held::Credentials(held) if held.len() == 1 => Ok(held[0].clone()),
            _ => Err(StoreError::NotOurs),
        }
    }

    /// Returns the current text with another credential; everything else in it stays.
    fn text(&self, credential: &SmtpCredential) -> Result<Secret, StoreError> {
        let (store, secret) = self.store();
        let entry = store::entry(self.account, store, &self.rotation.region, credential);
        let before = self.found.current.as_ref().map_or("", |text| text.expose());
        with(secret, &store.form, &entry, before, &self.keys())
    }

    /// Returns the store as it was declared, else as it was found.
    fn store(&self) -> (&Store, &AwsSecret) {
        let stores = self.rotation.stores.iter();
        let mut declared = stores.filter_map(|store| Some((store, self.found.secret_of(store)?)));
        declared.next().unwrap_or((&self.found.store, self.secret))
    }

    fn keys(&self) -> BTreeSet<AccessKeyId> {
        self.found.current.iter().chain(&self.found.pending).filter_map(key_in).collect()
    }

    fn of(&self, key: &AccessKeyId, password: &SmtpPassword) -> SmtpCredential {
        SmtpCredential {
            iam_user: Some(self.rotation.user.clone()),
            user_name: key.clone(),
            password: password.clone(),
            endpoint: Some(self.rotation.region.smtp_endpoint()),
        }
    }
}

/// Returns the access key in a text, whatever the name of its member.
fn key_in(text: &Secret) -> Option<AccessKeyId> {
    let mut words = text.expose().split(|c: char| !c.is_ascii_alphanumeric());
    words.find_map(|word| AccessKeyId::parse(word).ok().filter(|_| word.starts_with("AKIA")))
}

/// The time for which a key that was proven before may still be refused.
const REFUSALS: std::time::Duration = std::time::Duration::from_secs(10);
