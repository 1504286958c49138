//! The stores: written in one piece, read back, and told apart from what somebody else wrote.

mod secrets_manager;
mod ssm;

use seskey::{
    AccessKeyId, SmtpCredential, SmtpPassword,
    render::RenderError,
    store::{Store, StoreKind},
};

use crate::{Account, Error};

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
}

/// What the store holds.
///
/// # Errors
/// It cannot be read.
pub async fn read(account: &Account, store: &Store) -> Result<Held, StoreError> {
    match &store.kind {
        StoreKind::SecretsManager { .. } => secrets_manager::read(account, store).await,
        StoreKind::Ssm { .. } => ssm::read(account, store).await,
        _ => Ok(Held::Nothing),
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
        StoreKind::SecretsManager { .. } => {
            secrets_manager::write(account, store, credential).await
        }
        StoreKind::Ssm { .. } => ssm::write(account, store, credential).await,
        _ => Ok(()),
    }
}
