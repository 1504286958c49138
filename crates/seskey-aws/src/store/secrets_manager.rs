//! AWS Secrets Manager.

use seskey::{SmtpCredential, store::Store};

use super::{Held, StoreError};
use crate::Account;

pub(super) async fn read(_: &Account, _: &Store) -> Result<Held, StoreError> {
    Ok(Held::Nothing)
}

pub(super) async fn write(_: &Account, _: &Store, _: &SmtpCredential) -> Result<(), StoreError> {
    Ok(())
}
