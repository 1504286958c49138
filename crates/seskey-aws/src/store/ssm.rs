//! SSM Parameter Store: a SecureString, never a parameter in plain text. An overwritten parameter keeps its KMS key,
//! its tier, its description and its policies; labels stay with their versions.
//!
//! Source: Systems Manager API, `GetParameter`, `PutParameter`, `DescribeParameters`.

use std::collections::BTreeSet;

use aws_sdk_ssm::{
    Client,
    types::{ParameterMetadata, ParameterStringFilter, ParameterTier, ParameterType},
};
use seskey::{
    AccessKeyId, Region, Secret,
    render::{Entry, Form},
    store::AwsSecret,
};

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
    let text = parameter(&service(account, secret)?, &secret.name).await?;
    let held = text.map(|text| held(secret, form, text.expose(), keys));
    Ok(held.transpose()?.unwrap_or(Held::Nothing))
}

pub(super) async fn write(
    account: &Account,
    secret: &AwsSecret,
    form: &Form,
    entry: &Entry,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<(), StoreError> {
    let service = &service(account, secret)?;
    let mut again = true;
    let after = loop {
        let before = parameter(service, &secret.name).await?;
        let after = with(secret, form, entry, before.as_ref().map_or("", Secret::expose), keys)?;
        if before.as_ref() == Some(&after) {
            return Ok(());
        }
        let put = match before {
            Some(_) => overwrite(service, &secret.name, &after).await,
            None => create(service, secret, &after, entry).await,
        };
        match put {
            Ok(()) => break after,
            // another writer was faster, or the answer to our own call was lost
            Err(error) if error.is_already_exists() && again => again = false,
            Err(error) => return Err(error.into()),
        }
    };
    read_back(secret, form, &after, || parameter(service, &secret.name)).await
}

/// Checks whether a version could be made, and by this caller.
pub(super) async fn probe(
    account: &Account,
    secret: &AwsSecret,
    form: &Form,
    entry: &Entry,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<(), StoreError> {
    let service = &service(account, secret)?;
    let before = parameter(service, &secret.name).await?;
    fits(&with(secret, form, entry, before.as_ref().map_or("", Secret::expose), keys)?, LIMIT)?;
    let Ok(caller) = account.caller().await else { return Ok(()) };
    let key = match before {
        None => None,
        // the caller must be able to describe it whenever it is overwritten
        Some(_) => metadata(service, &secret.name).await?.key_id,
    };
    let region = secret.region.as_ref().map(Region::as_str).or_else(|| account.region());
    let name = format!("parameter/{}", secret.name.trim_start_matches('/'));
    let arn = match secret.name.starts_with("arn:") {
        true => secret.name.clone(),
        false => caller.arn("ssm", region.unwrap_or_default(), &name),
    };
    let mut needs = vec![Needs { action: PUT, resource: &arn, may_be_granted: false }];
    needs.extend(key.iter().flat_map(|key| of_kms_key(key)));
    permitted(account, &caller, &needs).await
}

fn service(account: &Account, secret: &AwsSecret) -> Result<Service<Client>, StoreError> {
    account.ssm(secret.region.as_ref()).ok_or(StoreError::NoRegion)
}

async fn create(
    service: &Service<Client>,
    secret: &AwsSecret,
    text: &Secret,
    entry: &Entry,
) -> Result<(), Error> {
    let call =
        service.client.put_parameter().name(&secret.name).r#type(ParameterType::SecureString);
    let call = call.value(text.expose()).tier(tier(text, None)).overwrite(false);
    let call = call.description(description(&entry.credential));
    let put = call.set_key_id(secret.kms_key.clone()).send().await;
    put.map_err(service.failed(PUT)).map(drop)
}

/// Overwrites the parameter. A property that the call leaves out may be lost: without a KMS key, the account's own is
/// used.
async fn overwrite(service: &Service<Client>, name: &str, text: &Secret) -> Result<(), Error> {
    let is = metadata(service, name).await?;
    let call = service.client.put_parameter().name(name).r#type(ParameterType::SecureString);
    let call = call.value(text.expose()).tier(tier(text, is.tier)).set_key_id(is.key_id);
    let call = call.set_description(is.description).set_allowed_pattern(is.allowed_pattern);
    let put = call.set_data_type(is.data_type).overwrite(true).send().await;
    put.map_err(service.failed(PUT)).map(drop)
}

/// Reads the value of a parameter of any type that is not a store; `None` if there is none.
///
/// # Errors
/// The parameter cannot be read.
pub async fn parameter_value(account: &Account, name: &str) -> Result<Option<String>, StoreError> {
    let service = account.ssm(None).ok_or(StoreError::NoRegion)?;
    let answer = service.client.get_parameter().name(name).with_decryption(true).send().await;
    match answer.map_err(service.failed("ssm:GetParameter")) {
        Ok(answer) => Ok(answer.parameter.and_then(|parameter| parameter.value)),
        Err(error) if error.is_no_such_entity() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn parameter(service: &Service<Client>, name: &str) -> Result<Option<Secret>, StoreError> {
    const ACTION: &str = "ssm:GetParameter";
    let answer = service.client.get_parameter().name(name).with_decryption(true).send().await;
    let parameter = match answer.map_err(service.failed(ACTION)) {
        Ok(answer) => answer.parameter.ok_or_else(|| Error::unreadable(ACTION))?,
        Err(error) if error.is_no_such_entity() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match (parameter.r#type, parameter.value) {
        (Some(ParameterType::SecureString), Some(value)) => Ok(Some(Secret::new(value))),
        (Some(ParameterType::SecureString) | None, _) => Err(Error::unreadable(ACTION).into()),
        (Some(_), _) => Err(StoreError::NotSecure),
    }
}

async fn metadata(service: &Service<Client>, name: &str) -> Result<ParameterMetadata, Error> {
    const ACTION: &str = "ssm:DescribeParameters";
    let by_name = ParameterStringFilter::builder().key("Name").option("Equals").values(name);
    let by_name = by_name.build().expect("its key is set");
    let pages = service.client.describe_parameters().parameter_filters(by_name).into_paginator();
    let pages: Vec<_> = pages.send().try_collect().await.map_err(service.failed(ACTION))?;
    let mut found = pages.into_iter().flat_map(|page| page.parameters.unwrap_or_default());
    found.next().ok_or_else(|| Error::unreadable(ACTION))
}

/// Returns the lowest tier that the text fits into; an advanced parameter cannot become a standard one.
fn tier(text: &Secret, is: Option<ParameterTier>) -> ParameterTier {
    match is {
        Some(ParameterTier::Advanced) => ParameterTier::Advanced,
        _ if text.expose().chars().count() > STANDARD_CHARACTERS => ParameterTier::Advanced,
        _ => ParameterTier::Standard,
    }
}

const PUT: &str = "ssm:PutParameter";

/// The most bytes that an advanced parameter can have. Source: Systems Manager User Guide, "Managing parameter tiers".
const LIMIT: usize = 8192;

/// The most characters of a standard parameter. The API says 4 KB; its refusal of more says 4096 characters.
const STANDARD_CHARACTERS: usize = 4096;
