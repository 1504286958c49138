//! The functions of an AWS store whose feature is off.

use std::collections::BTreeSet;

use seskey::{
    AccessKeyId,
    render::{Entry, Form},
    store::AwsSecret,
};

use super::{Held, StoreError};
use crate::Account;

pub(super) async fn read(
    _: &Account,
    _: &AwsSecret,
    _: &Form,
    _: &BTreeSet<AccessKeyId>,
) -> Result<Held, StoreError> {
    Err(StoreError::NotBuilt)
}

#[cfg(not(feature = "secretsmanager"))]
pub(super) async fn previous(_: &Account, _: &AwsSecret, _: &Form) -> Result<Held, StoreError> {
    Err(StoreError::NotBuilt)
}

#[cfg(not(feature = "secretsmanager"))]
pub(super) use self::read as pending;

pub(super) async fn write(
    _: &Account,
    _: &AwsSecret,
    _: &Form,
    _: &Entry,
    _: &BTreeSet<AccessKeyId>,
) -> Result<(), StoreError> {
    Err(StoreError::NotBuilt)
}

pub(super) async fn probe(
    _: &Account,
    _: &AwsSecret,
    _: &Form,
    _: &Entry,
    _: &BTreeSet<AccessKeyId>,
) -> Result<(), StoreError> {
    Err(StoreError::NotBuilt)
}
