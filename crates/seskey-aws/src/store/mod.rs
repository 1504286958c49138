//! The stores: written in one piece, read back, and told apart from what somebody else wrote.

mod exec;
mod file;
mod kubernetes;
mod secrets_manager;
mod ssm;

use seskey::{
    AccessKeyId, Region, SmtpCredential, SmtpPassword,
    render::{Entry, RenderError},
    store::{Store, StoreKind},
};

pub use self::file::{FileError, FileProblem};
use crate::{
    Account, Error,
    process::{self, ProcessError},
};

/// What a store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// Nothing: it does not exist, or is empty.
    Nothing,
    /// A credential.
    Credential {
        /// The SMTP user name.
        user_name: AccessKeyId,
        /// The SMTP password.
        password: SmtpPassword,
    },
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
    /// Neither the store nor the credential nor the account says which SMTP endpoint its readers connect to.
    #[error("nothing says the SMTP endpoint")]
    NoHost,
    /// What was read back is not what was written: somebody else wrote at the same time, or it was not kept.
    #[error("what was read back is not what was written")]
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
}

/// What the store holds.
///
/// # Errors
/// It cannot be read.
pub async fn read(account: &Account, store: &Store) -> Result<Held, StoreError> {
    match &store.kind {
        StoreKind::File { path, target } => {
            let host = host(account, store, None)?;
            file::read(path.clone(), *target, host, port(store)).await
        }
        StoreKind::SecretsManager { .. } => secrets_manager::read(account, store).await,
        StoreKind::Ssm { .. } => ssm::read(account, store).await,
        StoreKind::Kubernetes(secret) => kubernetes::read(secret, &store.keys).await,
        StoreKind::Exec { command } => exec::read(command).await,
        _ => Ok(Held::Foreign),
    }
}

/// Puts the credential into the store, user name and password in one write, and reads it back.
///
/// # Errors
/// It cannot be written, or does not hold afterwards what was written.
pub async fn write(
    account: &Account,
    store: &Store,
    credential: &SmtpCredential,
) -> Result<(), StoreError> {
    match &store.kind {
        StoreKind::File { path, target } => {
            file::write(path.clone(), *target, entry(account, store, credential)?).await
        }
        StoreKind::SecretsManager { .. } => {
            secrets_manager::write(account, store, credential).await
        }
        StoreKind::Ssm { .. } => ssm::write(account, store, credential).await,
        StoreKind::Kubernetes(secret) => {
            kubernetes::write(secret, &store.keys, &entry(account, store, credential)?).await
        }
        StoreKind::Exec { command } => {
            exec::write(command, &entry(account, store, credential)?).await
        }
        _ => Err(StoreError::NotOurs),
    }
}

impl Held {
    fn of(credential: SmtpCredential) -> Self {
        Self::Credential { user_name: credential.user_name, password: credential.password }
    }

    /// That this is the credential which was just written.
    fn confirm(self, written: &SmtpCredential) -> Result<(), StoreError> {
        match &self {
            Self::Credential { user_name, password }
                if *user_name == written.user_name && *password == written.password =>
            {
                Ok(())
            }
            _ => Err(StoreError::NotKept { held: self }),
        }
    }
}

/// The credential, with what else the readers of the store need.
fn entry(
    account: &Account,
    store: &Store,
    credential: &SmtpCredential,
) -> Result<Entry, StoreError> {
    Ok(Entry {
        host: host(account, store, Some(credential))?,
        port: port(store),
        from: store.from.clone(),
        credential: credential.clone(),
    })
}

fn host(
    account: &Account,
    store: &Store,
    credential: Option<&SmtpCredential>,
) -> Result<String, StoreError> {
    let of_account =
        || Some(Region::parse_unknown(account.region()?).ok()?.smtp_endpoint().to_string());
    let of_credential = || credential?.endpoint.clone();
    store.host.clone().or_else(of_credential).or_else(of_account).ok_or(StoreError::NoHost)
}

fn port(store: &Store) -> u16 {
    store.port.unwrap_or(587)
}
