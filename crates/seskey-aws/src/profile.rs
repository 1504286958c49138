//! The profiles of the shared configuration files. Source: AWS SDKs and Tools Reference Guide, "Shared config and
//! credentials files".

use aws_config::{
    meta::region::ProvideRegion,
    profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider, load},
};
use aws_credential_types::provider::ProvideCredentials;
use seskey::{
    AccessKeyId, SecretAccessKey,
    access_key::{AccessKeyIdError, SecretAccessKeyError},
};

/// The reason why a profile gives no access key to derive from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The profile does not exist, or its credentials cannot be loaded.
    #[error("{reason}")]
    Unusable {
        /// The message of the SDK.
        reason: String,
    },
    /// The credentials are temporary: those of a role or of SSO.
    #[error("the credentials are temporary")]
    Temporary,
    /// The secret access key is not valid.
    #[error(transparent)]
    SecretAccessKey(#[from] SecretAccessKeyError),
}

/// Lists the names of all profiles; none if the files cannot be read. Only reads files.
pub async fn names() -> Vec<String> {
    // the files, the environment and the places that every AWS tool reads
    let profiles = load(&Default::default(), &Default::default(), &Default::default(), None).await;
    let mut names: Vec<String> =
        profiles.iter().flat_map(|profiles| profiles.profiles()).map(str::to_owned).collect();
    names.sort();
    names
}

/// Returns the region of a profile, of the default one if none is named. Only reads files.
pub async fn region(profile: Option<&str>) -> Option<String> {
    let mut provider = ProfileFileRegionProvider::builder();
    if let Some(name) = profile {
        provider = provider.profile_name(name);
    }
    provider.build().region().await.map(|region| region.as_ref().to_owned())
}

/// Returns the permanent access key of a profile.
///
/// # Errors
/// The profile has none.
pub async fn access_key(profile: &str) -> Result<(AccessKeyId, SecretAccessKey), ProfileError> {
    let provider = ProfileFileCredentialsProvider::builder().profile_name(profile).build();
    let credentials = provider
        .provide_credentials()
        .await
        .map_err(|error| ProfileError::Unusable { reason: reason(&error) })?;
    if credentials.session_token().is_some() {
        return Err(ProfileError::Temporary);
    }
    let id = AccessKeyId::parse(credentials.access_key_id()).map_err(|error| match error {
        AccessKeyIdError::Temporary => ProfileError::Temporary,
        other => ProfileError::Unusable { reason: other.to_string() },
    })?;
    Ok((id, SecretAccessKey::parse(credentials.secret_access_key())?))
}

/// Returns the innermost cause, which says what is wrong with the file.
fn reason(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
