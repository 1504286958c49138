//! The certificates of a local SES: an authority made at the start, and one leaf for every name it may be called by.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use seskey::Region;

use crate::smtp::Listener;

/// What a TLS listener needs, and the authority that its clients must trust.
pub(crate) struct Certificates {
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) authority_pem: String,
}

/// Why certificates could not be made: a fault of the TLS libraries, never of the caller.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The certificates could not be made.
    #[error("cannot make a certificate")]
    Make(#[from] rcgen::Error),
    /// TLS does not take them.
    #[error("cannot use the certificate")]
    Use(#[from] rustls::Error),
}

/// Makes an authority, and a certificate for localhost, for the listeners, and for every SMTP endpoint of AWS.
pub(crate) fn certificates(listeners: &[Listener]) -> Result<Certificates, CertificateError> {
    let mut authority = params("seskey local authority", vec![])?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let addresses = listeners.iter().map(|listener| listener.address.ip().to_string());
    let regions = listeners.iter().map(|listener| listener.region.clone());
    let endpoints = Region::with_smtp().chain(regions).flat_map(|region| {
        let fips = [region.smtp_endpoint_fips(), region.smtp_endpoint_fips_dual_stack()];
        [Some(region.smtp_endpoint()), region.smtp_endpoint_dual_stack()]
            .into_iter()
            .chain(fips)
            .flatten()
    });
    let leaf_key = KeyPair::generate()?;
    let names: BTreeSet<String> = names.into_iter().chain(endpoints).chain(addresses).collect();
    let leaf = params("seskey local", names.into_iter().collect())?;
    let leaf = leaf.signed_by(&leaf_key, &authority)?;

    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der())),
        )?;
    Ok(Certificates { server: Arc::new(server), authority_pem: authority.pem() })
}

fn params(common_name: &str, names: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    // a clock that is a little behind takes the certificate too; clients refuse leaves of more than 398 days
    let (day, now) = (Duration::from_secs(24 * 60 * 60), SystemTime::now());
    params.not_before = (now - day).into();
    params.not_after = (now + 397 * day).into();
    Ok(params)
}
