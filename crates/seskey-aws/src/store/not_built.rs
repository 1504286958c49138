//! In place of a store of AWS whose feature is off.

use seskey::render::Entry;

use super::{Held, StoreError, secret_text::AwsSecret};
use crate::Account;

pub(super) async fn read(_: &Account, _: AwsSecret<'_>) -> Result<Held, StoreError> {
    Err(StoreError::NotBuilt)
}

#[cfg(not(feature = "secretsmanager"))]
pub(super) async fn previous(_: &Account, _: AwsSecret<'_>) -> Result<Held, StoreError> {
    Err(StoreError::NotBuilt)
}

pub(super) async fn write(_: &Account, _: AwsSecret<'_>, _: &Entry) -> Result<(), StoreError> {
    Err(StoreError::NotBuilt)
}
