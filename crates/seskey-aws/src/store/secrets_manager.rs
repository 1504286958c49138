//! AWS Secrets Manager. A write makes one version: the service moves `AWSCURRENT` to it, and `AWSPREVIOUS` to the one
//! before. No other label, no replica and no KMS key of an existing secret is touched.
//!
//! Source: Secrets Manager API, `GetSecretValue`, `PutSecretValue`, `CreateSecret`.

pub(crate) mod versions;

use std::collections::BTreeSet;

use aws_sdk_secretsmanager::{Client, operation::get_secret_value::GetSecretValueError};
use seskey::{
    AccessKeyId, Region, Secret, SmtpCredential,
    render::{Entry, Form},
    rotation::{CURRENT, PENDING},
    store::AwsSecret,
};
use sha2::{Digest, Sha256};

use super::{
    Held, StoreError,
    permitted::{Needs, of_kms_key, permitted},
    secret_text::{description, fits, held, read_back, with},
};
use crate::{Account, Error, config::Service};

pub(super) async fn read(
    account: &Account,
    secret: &AwsSecret,
    form: &Form,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<Held, StoreError> {
    labelled(account, secret, form, CURRENT, keys).await
}

pub(super) async fn previous(
    account: &Account,
    secret: &AwsSecret,
    form: &Form,
) -> Result<Held, StoreError> {
    labelled(account, secret, form, PREVIOUS, &BTreeSet::new()).await
}

pub(super) async fn pending(
    account: &Account,
    secret: &AwsSecret,
    form: &Form,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<Held, StoreError> {
    labelled(account, secret, form, PENDING, keys).await
}

pub(super) async fn write(
    account: &Account,
    secret: &AwsSecret,
    form: &Form,
    entry: &Entry,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<(), StoreError> {
    let service = &service(account, secret)?;
    let (replaced, before) = match version(service, &secret.name, CURRENT).await? {
        Some(Version { text: None, .. }) => return Err(StoreError::NotOurs),
        Some(Version { id, text: Some(before) }) => (id, before),
        None => (String::new(), Secret::new(String::new())),
    };
    let after = with(secret, form, entry, before.expose(), keys)?;
    if after == before {
        return Ok(());
    }
    put(service, secret, &replaced, &after, &entry.credential).await?;
    let read = || current(service, &secret.name);
    read_back(secret, form, &after, read).await
}

/// Checks whether a version could be made, and by this caller. If the caller may not describe the secret, less is
/// checked. Source: Secrets Manager API, `DescribeSecret`; AWS Secrets Manager User Guide, "Replicate AWS Secrets
/// Manager secrets across Regions": a replica is read-only.
pub(super) async fn probe(
    account: &Account,
    secret: &AwsSecret,
    form: &Form,
    entry: &Entry,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<(), StoreError> {
    let service = &service(account, secret)?;
    let before = match version(service, &secret.name, CURRENT).await? {
        Some(Version { text: None, .. }) => return Err(StoreError::NotOurs),
        Some(Version { text: Some(before), .. }) => before,
        None => Secret::new(String::new()),
    };
    fits(&with(secret, form, entry, before.expose(), keys)?, LIMIT)?;
    let Ok(caller) = account.caller().await else { return Ok(()) };
    let described = service.client.describe_secret().secret_id(&secret.name).send().await;
    match described.map_err(service.failed("secretsmanager:DescribeSecret")) {
        Ok(found) => {
            let arn = found.arn.unwrap_or_default();
            match found.primary_region {
                Some(primary) if Some(&*primary) != arn.split(':').nth(3) => {
                    return Err(StoreError::Replica { primary });
                }
                _ => {}
            }
            let mut needs = vec![Needs {
                action: "secretsmanager:PutSecretValue",
                resource: &arn,
                may_be_granted: has_policy(service, &secret.name).await,
            }];
            needs.extend(found.kms_key_id.iter().flat_map(|key| of_kms_key(key)));
            permitted(account, &caller, &needs).await
        }
        Err(error) if error.is_no_such_entity() => {
            let region = secret.region.as_ref().map(Region::as_str).or_else(|| account.region());
            // the service appends a random part of six characters to the name
            let name = format!("secret:{}-AbCdEf", secret.name);
            let resource = caller.arn("secretsmanager", region.unwrap_or_default(), &name);
            let action = "secretsmanager:CreateSecret";
            let needs = Needs { action, resource: &resource, may_be_granted: false };
            permitted(account, &caller, &[needs]).await
        }
        Err(error) if error.is_access_denied() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether a policy of the secret may grant what the caller's policies do not. If it cannot be read, it may.
async fn has_policy(service: &Service<Client>, name: &str) -> bool {
    let policy = service.client.get_resource_policy().secret_id(name).send().await;
    policy.map_or(true, |policy| policy.resource_policy.is_some())
}

fn service(account: &Account, secret: &AwsSecret) -> Result<Service<Client>, StoreError> {
    account.secrets_manager(secret.region.as_ref()).ok_or(StoreError::NoRegion)
}

async fn labelled(
    account: &Account,
    secret: &AwsSecret,
    form: &Form,
    label: &str,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<Held, StoreError> {
    Ok(match version(&service(account, secret)?, &secret.name, label).await? {
        None => Held::Nothing,
        Some(Version { text: None, .. }) => Held::Foreign,
        Some(Version { text: Some(text), .. }) => held(secret, form, text.expose(), keys)?,
    })
}

/// Makes a version, which becomes the current one.
///
/// A token that a version already has makes no second one, so a write whose answer was lost can be repeated. It does
/// not restore a version that was current before and is no longer: then the next token is used.
async fn put(
    service: &Service<Client>,
    secret: &AwsSecret,
    replaced: &str,
    text: &Secret,
    credential: &SmtpCredential,
) -> Result<(), Error> {
    const ACTION: &str = "secretsmanager:PutSecretValue";
    let mut token = token(replaced, credential);
    for _ in 0..TOKENS {
        let call = service.client.put_secret_value().secret_id(&secret.name);
        let call = call.client_request_token(&token).secret_string(text.expose());
        match call.send().await.map_err(service.failed(ACTION)) {
            Ok(put) if put.version_stages().iter().any(|stage| stage == CURRENT) => return Ok(()),
            Ok(_) => {}
            // a version with this token holds another text
            Err(error) if error.is_already_exists() => {}
            Err(error) if error.is_no_such_entity() => {
                return create(service, secret, token, text, credential).await;
            }
            Err(error) => return Err(error),
        }
        token = self::token(&token, credential);
    }
    // reading back shows the outcome
    Ok(())
}

async fn create(
    service: &Service<Client>,
    secret: &AwsSecret,
    token: String,
    text: &Secret,
    credential: &SmtpCredential,
) -> Result<(), Error> {
    let call = service.client.create_secret().name(&secret.name).client_request_token(token);
    let call = call.description(description(credential)).secret_string(text.expose());
    let created = call.set_kms_key_id(secret.kms_key.clone()).send().await;
    created.map_err(service.failed("secretsmanager:CreateSecret")).map(drop)
}

/// A version of a secret, without text if it is binary.
struct Version {
    id: String,
    text: Option<Secret>,
}

async fn version(
    service: &Service<Client>,
    name: &str,
    label: &str,
) -> Result<Option<Version>, StoreError> {
    const ACTION: &str = "secretsmanager:GetSecretValue";
    let call = service.client.get_secret_value().secret_id(name).version_stage(label);
    match call.send().await {
        Ok(answer) => {
            let id = answer.version_id.ok_or_else(|| Error::unreadable(ACTION))?;
            Ok(Some(Version { id, text: answer.secret_string.map(Secret::new) }))
        }
        Err(error) => match error.as_service_error() {
            Some(GetSecretValueError::ResourceNotFoundException(_)) => Ok(None),
            Some(GetSecretValueError::InvalidRequestException(refusal))
                if refusal.message().is_some_and(|message| message.contains("delet")) =>
            {
                Err(StoreError::MarkedForDeletion)
            }
            _ => Err(service.failed(ACTION)(error).into()),
        },
    }
}

async fn current(service: &Service<Client>, name: &str) -> Result<Option<Secret>, StoreError> {
    Ok(version(service, name, CURRENT).await?.and_then(|version| version.text))
}

/// Returns the ID of the version that replaces this one: a UUID of version 8 (RFC 9562, section 5.8). The password is
/// not part of it.
fn token(replaced: &str, credential: &SmtpCredential) -> String {
    let mut hash = Sha256::new();
    for part in [replaced, credential.user_name.as_str()] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(credential.endpoint.as_deref().unwrap_or_default());
    let hash: [u8; 32] = hash.finalize().into();
    let mut id = u128::from_be_bytes(*hash.first_chunk().expect("32 bytes begin with 16"));
    id = id & !(0xf << 76) | 0x8 << 76;
    id = id & !(0x3 << 62) | 0x2 << 62;
    let hex = format!("{id:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// The label of the version that was in use before.
const PREVIOUS: &str = "AWSPREVIOUS";

/// The most bytes that a secret can have. Source: Secrets Manager API, `SecretString`.
const LIMIT: usize = 65536;

/// The most versions of one credential that may have been in use before, and rolled back.
const TOKENS: usize = 10;
