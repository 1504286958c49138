//! The stores: a credential is written in one piece and read back, and foreign content is told apart.

mod exec;
mod file;
mod in_place;
mod json;
pub(crate) mod kept;
mod kubernetes;
#[cfg(not(all(feature = "secretsmanager", feature = "ssm")))]
mod not_built;
#[cfg(any(feature = "secretsmanager", feature = "ssm"))]
mod permitted;
#[cfg(any(feature = "secretsmanager", feature = "ssm"))]
pub(crate) mod secret_text;
#[cfg(feature = "secretsmanager")]
pub(crate) mod secrets_manager;
#[cfg(feature = "ssm")]
mod ssm;

use std::{collections::BTreeSet, fs, os::unix::fs::MetadataExt};

use seskey::{
    AccessKeyId, Region, SecretAccessKey, SmtpCredential, SmtpPassword,
    render::{Entry, RenderError},
    rotation::StoreId,
    store::{Store, StoreKind},
};

pub use self::file::{FileError, FileProblem};
#[cfg(not(feature = "secretsmanager"))]
use self::not_built as secrets_manager;
#[cfg(not(feature = "ssm"))]
use self::not_built as ssm;
#[cfg(feature = "ssm")]
pub use self::ssm::parameter_value;
use crate::{
    Account, Error,
    iam::Simulated,
    process::{self, ProcessError},
};

/// The content of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// Nothing: the store does not exist, or is empty.
    Nothing,
    /// The credentials of its entries, the same or different ones: SMTP user names and passwords, each pair once.
    Credentials(Vec<(AccessKeyId, SmtpPassword)>),
    /// Content that was not written as a credential.
    Foreign,
}

/// The reason why a store was not read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A call to AWS failed.
    #[error(transparent)]
    Call(#[from] Error),
    /// The credential cannot be written there.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// A file cannot be read or replaced.
    #[error(transparent)]
    File(#[from] FileError),
    /// A command did not succeed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The content was not written as a credential, and stays unchanged.
    #[error("its content is not an SMTP credential")]
    NotOurs,
    /// The content that was read back is not the written one: another writer wrote at the same time, or it was not
    /// kept.
    #[error("it does not hold what was written")]
    NotKept {
        /// The content that was read back.
        held: Held,
    },
    /// Another field manager of Kubernetes owns the values.
    #[error("the values belong to the field manager {manager}")]
    Conflict {
        /// Its name.
        manager: String,
    },
    /// The AWS store was left out of this build.
    #[error("built without this store")]
    NotBuilt,
    /// An AWS store needs a region, and none was chosen or is configured.
    #[error("no region")]
    NoRegion,
    /// The secret of Secrets Manager is marked for deletion, and can be neither read nor written.
    #[error("the secret is marked for deletion")]
    MarkedForDeletion,
    /// The secret is a replica: the secret is written only in its own region.
    #[error("it is a replica of a secret in {primary}")]
    Replica {
        /// The region of the secret.
        primary: String,
    },
    /// The caller may not write to the store. This is known before anything is made.
    #[error("the caller may not write it")]
    NotPermitted {
        /// The denied actions.
        denied: Vec<Simulated>,
    },
    /// The content would be longer than the store has room for.
    #[error("it has room for {limit} characters, and {length} are needed")]
    NoRoom {
        /// The most characters that it can have.
        limit: usize,
        /// The characters that it would have.
        length: usize,
    },
    /// The SSM parameter is not a SecureString, and cannot become one.
    #[error("the parameter is not a SecureString")]
    NotSecure,
}

/// Returns the name of the store in the notes of a rotation: a file has its absolute path, wherever a run is started.
pub fn id(store: &Store, usual: &Region) -> StoreId {
    absolute(store).id(usual)
}

/// Tells each of the stores of several regions in one file which entries belong to the others.
///
/// # Errors
/// The index of the first store that shares its place with one of another region, where the hosts do not tell them
/// apart.
pub fn tell_apart(account: &Account, stores: &mut [Store], usual: &Region) -> Result<(), usize> {
    let told = |store: &Store| {
        let region = store.region_or(usual);
        let (host, _) = place(account, store, region);
        let is_told = matches!(store.kind, StoreKind::File { .. })
            && Region::of_smtp_endpoint(&host).as_ref() == Some(region);
        let place_of_aws = match &store.kind {
            StoreKind::SecretsManager(secret) | StoreKind::Ssm(secret) => secret.region.clone(),
            StoreKind::File { .. } | StoreKind::Kubernetes(_) | StoreKind::Exec { .. } => None,
        };
        ((place_of(store), place_of_aws), region.clone(), is_told)
    };
    let all: Vec<_> = stores.iter().map(told).collect();
    for (number, (place, region, _)) in all.iter().enumerate() {
        let others = || all.iter().filter(|(other, of, _)| other == place && of != region);
        let regions: BTreeSet<_> = others().map(|(_, region, _)| region.clone()).collect();
        if !regions.is_empty() {
            if !all[number].2 || others().any(|(.., is_told)| !is_told) {
                return Err(number);
            }
            stores[number].form = stores[number].form.clone().beside(regions);
        }
    }
    Ok(())
}

/// Returns the same place for every name of a file, links included.
fn place_of(store: &Store) -> String {
    let StoreKind::File { path } = &store.kind else { return store.place() };
    let folder = path.parent().and_then(|folder| folder.join(".").canonicalize().ok());
    match (fs::metadata(path), folder, path.file_name()) {
        (Ok(file), ..) => format!("{} {}", file.dev(), file.ino()),
        (Err(_), Some(folder), Some(name)) => folder.join(name).display().to_string(),
        _ => absolute(store).place(),
    }
}

fn absolute(store: &Store) -> Store {
    let mut store = store.clone();
    if let StoreKind::File { path } = &mut store.kind
        && let Ok(absolute) = std::path::absolute(&path)
    {
        *path = absolute;
    }
    store
}

/// Reads the credential for this region from the store. In a file, in JSON or in a Kubernetes secret, every entry with
/// one of these access keys counts.
///
/// # Errors
/// The store cannot be read.
pub async fn read(
    account: &Account,
    store: &Store,
    region: &Region,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<Held, StoreError> {
    let form = &store.form;
    match &store.kind {
        StoreKind::File { path } => {
            let (host, port) = place(account, store, region);
            file::read(path.clone(), form.clone(), host, port, keys.clone()).await
        }
        StoreKind::SecretsManager(secret) => {
            secrets_manager::read(account, secret, form, keys).await
        }
        StoreKind::Ssm(secret) => ssm::read(account, secret, form, keys).await,
        StoreKind::Kubernetes(kubectl) => kubernetes::read(kubectl, form, keys, &[]).await,
        StoreKind::Exec { command } => exec::read(command, form.names(), &[]).await,
    }
}

/// Reads the previous content of the store: the version `AWSPREVIOUS` of Secrets Manager. No other store keeps one.
///
/// # Errors
/// The store cannot be read.
pub async fn previous(account: &Account, store: &Store) -> Result<Held, StoreError> {
    match &store.kind {
        StoreKind::SecretsManager(secret) => {
            secrets_manager::previous(account, secret, &store.form).await
        }
        StoreKind::File { .. }
        | StoreKind::Ssm(_)
        | StoreKind::Kubernetes(_)
        | StoreKind::Exec { .. } => Ok(Held::Nothing),
    }
}

/// Reads the content that a rotation by Secrets Manager is about to put in use: the version `AWSPENDING`. No other
/// store has one.
pub(crate) async fn pending(
    account: &Account,
    store: &Store,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<Held, StoreError> {
    match &store.kind {
        StoreKind::SecretsManager(secret) => {
            secrets_manager::pending(account, secret, &store.form, keys).await
        }
        StoreKind::File { .. }
        | StoreKind::Ssm(_)
        | StoreKind::Kubernetes(_)
        | StoreKind::Exec { .. } => Ok(Held::Nothing),
    }
}

/// Checks whether a credential of this user could be written to the store, as far as possible without changing its
/// content: a file is written beside it and removed, a service is asked. Other obstacles show only on reading or
/// writing.
///
/// # Errors
/// The reason.
pub async fn probe(
    account: &Account,
    store: &Store,
    region: &Region,
    user: &str,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<(), StoreError> {
    let form = &store.form;
    let entry = entry(account, store, region, &placeholder(region, user));
    let keys = keys_with(keys, &entry);
    match &store.kind {
        StoreKind::File { path } => file::probe(path.clone(), form.clone(), entry, keys).await,
        StoreKind::SecretsManager(secret) => {
            secrets_manager::probe(account, secret, form, &entry, &keys).await
        }
        StoreKind::Ssm(secret) => ssm::probe(account, secret, form, &entry, &keys).await,
        StoreKind::Kubernetes(kubectl) => kubernetes::probe(kubectl, form, &entry, &keys).await,
        // the command may keep any input; that it can be run was seen when it was read
        StoreKind::Exec { command } => match exec::read(command, form.names(), &[]).await? {
            Held::Foreign => Err(StoreError::NotOurs),
            Held::Nothing | Held::Credentials(_) => Ok(()),
        },
    }
}

/// Returns a credential of the same form and length as one that is not made yet. It cannot log in.
pub fn placeholder(region: &Region, user: &str) -> SmtpCredential {
    let secret = SecretAccessKey::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    SmtpCredential {
        iam_user: Some(user.to_owned()),
        user_name: AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").expect("AWS's example is one"),
        password: SmtpPassword::derive(&secret.expect("AWS's example is one"), region),
        endpoint: Some(region.smtp_endpoint()),
    }
}

/// Writes the credential for this region to the store, user name and password in one write, and reads it back. In a
/// file, in JSON or in a Kubernetes secret, it replaces every one of these access keys.
///
/// # Errors
/// The store cannot be written, or does not hold the written credential afterwards.
pub async fn write(
    account: &Account,
    store: &Store,
    region: &Region,
    credential: &SmtpCredential,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<(), StoreError> {
    let form = &store.form;
    let entry = entry(account, store, region, credential);
    let keys = keys_with(keys, &entry);
    let written = match &store.kind {
        StoreKind::File { path } => file::write(path.clone(), form.clone(), entry, keys).await,
        StoreKind::SecretsManager(secret) => {
            secrets_manager::write(account, secret, form, &entry, &keys).await
        }
        StoreKind::Ssm(secret) => ssm::write(account, secret, form, &entry, &keys).await,
        StoreKind::Kubernetes(kubectl) => kubernetes::write(kubectl, form, &entry, &keys).await,
        StoreKind::Exec { command } => exec::write(command, form.names(), &entry).await,
    };
    written.map_err(|error| match error {
        // a service may quote the value that it refuses
        StoreError::Call(error) => error.without(&[credential.password.expose()]).into(),
        error => error,
    })
}

impl Held {
    fn of(credentials: impl IntoIterator<Item = SmtpCredential>) -> Self {
        let mut held = vec![];
        for SmtpCredential { user_name, password, .. } in credentials {
            let pair = (user_name, password);
            if !held.contains(&pair) {
                held.push(pair);
            }
        }
        if held.is_empty() { Self::Nothing } else { Self::Credentials(held) }
    }

    /// Returns the passwords, which must not be shown.
    fn passwords(&self) -> impl Iterator<Item = &str> {
        let held = if let Self::Credentials(held) = self { &held[..] } else { &[] };
        held.iter().map(|(_, password)| password.expose())
    }

    fn values(user_name: &str, password: &str) -> Self {
        if user_name.is_empty() && password.is_empty() {
            return Self::Nothing;
        }
        let user_name = AccessKeyId::parse(user_name).ok();
        let both = user_name.zip(SmtpPassword::parse(password).ok());
        both.map_or(Self::Foreign, |pair| Self::Credentials(vec![pair]))
    }

    /// Checks that this is the credential which was just written, and that there is no other.
    fn confirm(self, written: &SmtpCredential) -> Result<(), StoreError> {
        match &self {
            Self::Credentials(held)
                if matches!(&held[..], [(user_name, password)]
                    if *user_name == written.user_name && *password == written.password) =>
            {
                Ok(())
            }
            _ => Err(StoreError::NotKept { held: self }),
        }
    }
}

/// Adds the key of the entry, so that the written entry is read back.
fn keys_with(keys: &BTreeSet<AccessKeyId>, entry: &Entry) -> BTreeSet<AccessKeyId> {
    keys.iter().chain([&entry.credential.user_name]).cloned().collect()
}

pub(crate) fn entry(
    account: &Account,
    store: &Store,
    region: &Region,
    credential: &SmtpCredential,
) -> Entry {
    let (host, port) = place(account, store, region);
    Entry { host, port, from: store.from.clone(), credential: credential.clone() }
}

/// Returns the host and port for the readers of the store: those of the store, else the account's SMTP endpoint, else
/// the region's.
fn place(account: &Account, store: &Store, region: &Region) -> (String, u16) {
    let usual = account.smtp_endpoint.clone();
    let (host, port) = usual.unwrap_or_else(|| (region.smtp_endpoint(), 587));
    (store.host.clone().unwrap_or(host), store.port.unwrap_or(port))
}
