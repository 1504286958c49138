//! The stores: written in one piece, read back, and told apart from what somebody else wrote.

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

/// What a store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// Nothing: it does not exist, or is empty.
    Nothing,
    /// A credential in each of its entries, or different ones: SMTP user names and passwords, each pair once.
    Credentials(Vec<(AccessKeyId, SmtpPassword)>),
    /// Something that was not written for it.
    Foreign,
}

/// Why a store was not read or written.
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
    /// A command did not do what it was asked.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// What is there was not written for it, and is left as it is.
    #[error("what is there is not an SMTP credential")]
    NotOurs,
    /// What was read back is not what was written: somebody else wrote at the same time, or it was not kept.
    #[error("it does not hold what was written")]
    NotKept {
        /// What it holds instead.
        held: Held,
    },
    /// Another field manager of Kubernetes owns the values.
    #[error("the values belong to the field manager {manager}")]
    Conflict {
        /// Its name.
        manager: String,
    },
    /// The store of AWS was left out when this was built.
    #[error("built without this store")]
    NotBuilt,
    /// A store of AWS is in a region, and none was chosen or is configured.
    #[error("no region")]
    NoRegion,
    /// The secret of Secrets Manager is marked for deletion, and can be neither read nor written.
    #[error("the secret is marked for deletion")]
    MarkedForDeletion,
    /// The secret is a replica: it is written in its own region alone.
    #[error("it is a replica of a secret in {primary}")]
    Replica {
        /// The region of the secret.
        primary: String,
    },
    /// The caller may not write it. Known before anything was made.
    #[error("the caller may not write it")]
    NotPermitted {
        /// What it may not do.
        denied: Vec<Simulated>,
    },
    /// It would have more in it than there is room for.
    #[error("it has room for {limit} characters, and {length} are needed")]
    NoRoom {
        /// How many it can have.
        limit: usize,
        /// How many it would have.
        length: usize,
    },
    /// The SSM parameter is not a SecureString, and cannot become one.
    #[error("the parameter is not a SecureString")]
    NotSecure,
}

/// What the notes of a rotation call the store: a file by its whole path, wherever a run is started from.
pub fn id(store: &Store, usual: &Region) -> StoreId {
    absolute(store).id(usual)
}

/// Stores of several regions in one file: each is told that the entries of the others are not its own.
///
/// # Errors
/// The first of the stores that shares its place with one of another region, where the hosts do not tell them apart.
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

/// The same for every name of a file, links included.
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

/// What the store holds of the credential for this region. In a file, in JSON or in a secret of Kubernetes, every entry
/// with one of these access keys counts.
///
/// # Errors
/// It cannot be read.
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

/// What the store held before: the version `AWSPREVIOUS` of Secrets Manager. No other store remembers it.
///
/// # Errors
/// It cannot be read.
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

/// What a rotation by Secrets Manager is about to put in use: the version `AWSPENDING`. No other store has one.
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

/// Whether a credential of this user could be put into the store, as far as that shows without changing what it holds: a
/// file is written beside it and removed, a service is asked what it would do. Reading shows the rest, or only writing.
///
/// # Errors
/// Why it could not.
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
        // whatever it is given it may keep; that it can be run was seen when it was read
        StoreKind::Exec { command } => match exec::read(command, form.names(), &[]).await? {
            Held::Foreign => Err(StoreError::NotOurs),
            Held::Nothing | Held::Credentials(_) => Ok(()),
        },
    }
}

/// A credential of the same form and length as one that is yet to be made. It logs in nowhere.
pub fn placeholder(region: &Region, user: &str) -> SmtpCredential {
    let secret = SecretAccessKey::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    SmtpCredential {
        iam_user: Some(user.to_owned()),
        user_name: AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").expect("AWS's example is one"),
        password: SmtpPassword::derive(&secret.expect("AWS's example is one"), region),
        endpoint: Some(region.smtp_endpoint()),
    }
}

/// Puts the credential for this region into the store, user name and password in one write, and reads it back. In a file,
/// in JSON or in a secret of Kubernetes, it is put in place of every one of these access keys.
///
/// # Errors
/// It cannot be written, or does not hold afterwards what was written.
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
        // a service may quote what it refuses
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

    /// What must not be shown of it.
    fn passwords(&self) -> impl Iterator<Item = &str> {
        let held = if let Self::Credentials(held) = self { &held[..] } else { &[] };
        held.iter().map(|(_, password)| password.expose())
    }

    /// What these two values are.
    fn values(user_name: &str, password: &str) -> Self {
        if user_name.is_empty() && password.is_empty() {
            return Self::Nothing;
        }
        let user_name = AccessKeyId::parse(user_name).ok();
        let both = user_name.zip(SmtpPassword::parse(password).ok());
        both.map_or(Self::Foreign, |pair| Self::Credentials(vec![pair]))
    }

    /// That this is the credential which was just written, and no other beside it.
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

/// What is written is read back among them.
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

/// What the readers of the store connect to: what it says, else the SMTP endpoint of the account, else the region's.
fn place(account: &Account, store: &Store, region: &Region) -> (String, u16) {
    let usual = account.smtp_endpoint.clone();
    let (host, port) = usual.unwrap_or_else(|| (region.smtp_endpoint(), 587));
    (store.host.clone().unwrap_or(host), store.port.unwrap_or(port))
}
