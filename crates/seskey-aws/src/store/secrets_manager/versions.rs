//! The versions of a secret while Secrets Manager rotates it, and their labels.
//!
//! Source: Secrets Manager API, `DescribeSecret`, `PutSecretValue`, `UpdateSecretVersionStage`.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_secretsmanager::{Client, operation::get_secret_value::GetSecretValueError};
use seskey::{
    Secret,
    rotation::{CURRENT, PENDING},
};

use super::{StoreError, version};
use crate::{Error, config::Service};

/// The description of a secret, without its values.
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) is_rotated: bool,
    pub(crate) labels: BTreeMap<String, BTreeSet<String>>,
    pub(crate) tags: BTreeMap<String, String>,
}

pub(crate) async fn describe(service: &Service<Client>, id: &str) -> Result<Described, Error> {
    const ACTION: &str = "secretsmanager:DescribeSecret";
    let described = service.client.describe_secret().secret_id(id).send().await;
    let described = described.map_err(service.failed(ACTION))?;
    let labels = described.version_ids_to_stages.unwrap_or_default();
    let tags = described.tags.unwrap_or_default();
    Ok(Described {
        name: described.name.ok_or_else(|| Error::unreadable(ACTION))?,
        is_rotated: described.rotation_enabled.unwrap_or_default(),
        labels: labels.into_iter().map(|(id, of)| (id, of.into_iter().collect())).collect(),
        tags: tags.into_iter().filter_map(|tag| tag.key.zip(tag.value)).collect(),
    })
}

/// Returns the text of a version; `None` if it has none yet.
///
/// # Errors
/// The version cannot be read, or is binary.
pub(crate) async fn text_of(
    service: &Service<Client>,
    name: &str,
    version: &str,
) -> Result<Option<Secret>, StoreError> {
    let call = service.client.get_secret_value().secret_id(name).version_id(version);
    match call.send().await {
        Ok(answer) => Ok(Some(answer.secret_string.map(Secret::new).ok_or(StoreError::NotOurs)?)),
        Err(error) => match error.as_service_error() {
            Some(GetSecretValueError::ResourceNotFoundException(_)) => Ok(None),
            _ => Err(service.failed("secretsmanager:GetSecretValue")(error).into()),
        },
    }
}

/// Puts the text into a version that a rotation makes. Returns `false` if it already holds another text, since a
/// version does not change.
pub(crate) async fn put_pending(
    service: &Service<Client>,
    name: &str,
    version: &str,
    rotation_token: Option<&str>,
    text: &Secret,
) -> Result<bool, Error> {
    let call = service.client.put_secret_value().secret_id(name).client_request_token(version);
    let call = call.set_rotation_token(rotation_token.map(str::to_owned));
    let put = call.version_stages(PENDING).secret_string(text.expose()).send().await;
    match put.map_err(service.failed("secretsmanager:PutSecretValue")) {
        Ok(_) => Ok(true),
        Err(error) if error.is_already_exists() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Moves `AWSCURRENT` in one call, and waits until the move is visible. `AWSPENDING` stays where it is: removing it in
/// a separate call leaves a rotation that never ends.
pub(crate) async fn move_current(
    service: &Service<Client>,
    name: &str,
    to: &str,
    from: Option<&str>,
) -> Result<(), StoreError> {
    let call = service.client.update_secret_version_stage().secret_id(name);
    let call = call.version_stage(CURRENT).move_to_version_id(to);
    let moved = call.set_remove_from_version_id(from.map(str::to_owned)).send().await;
    moved.map_err(service.failed(UPDATE))?;
    for pause in super::super::secret_text::PAUSES {
        tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
        if version(service, name, CURRENT).await?.is_some_and(|current| current.id == to) {
            return Ok(());
        }
    }
    Err(StoreError::NotKept { held: super::Held::Nothing })
}

/// Withdraws a version whose credential does not log in: the next rotation begins with a version of its own.
pub(crate) async fn withdraw(
    service: &Service<Client>,
    name: &str,
    version: &str,
) -> Result<(), Error> {
    let call = service.client.update_secret_version_stage().secret_id(name);
    let removed = call.version_stage(PENDING).remove_from_version_id(version).send().await;
    removed.map(drop).map_err(service.failed(UPDATE))
}

const UPDATE: &str = "secretsmanager:UpdateSecretVersionStage";
