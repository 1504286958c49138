//! The certificates of a local SES: an authority, one leaf for all names of the server, made at each start, and one
//! certificate for signed messages.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, SystemTime},
};

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, SigningKey,
};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{
        CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer,
        pem::{self, PemObject},
    },
};
use seskey::{Region, Secret};

/// The authority that clients must trust.
#[derive(Clone)]
pub(crate) struct Authority {
    pub(crate) key_pem: Secret,
    pub(crate) certificate_pem: String,
    /// The time when it was made, by the clock of the machine.
    pub(crate) made: Timestamp,
}

/// The reason why a certificate could not be made or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The certificates could not be made.
    #[error("cannot make a certificate")]
    Make(#[from] rcgen::Error),
    /// A certificate or a key cannot be read as PEM.
    #[error("they are not PEM")]
    Pem(#[from] pem::Error),
    /// TLS does not accept the certificate or the key.
    #[error("cannot use the certificate")]
    Use(#[from] rustls::Error),
}

impl Authority {
    /// Makes a new authority that is valid for ten years.
    pub(crate) fn new() -> Result<Self, CertificateError> {
        let authority = CertifiedIssuer::self_signed(authority_params()?, KeyPair::generate()?)?;
        Ok(Self {
            key_pem: Secret::new(authority.key().serialize_pem()),
            certificate_pem: authority.pem(),
            made: Timestamp::now(),
        })
    }

    /// Whether clients accept it now, and for as long as a leaf that it signs now.
    pub(crate) fn is_good(&self, now: Timestamp) -> bool {
        let age = now.duration_since(self.made);
        let days = |days: u32| SignedDuration::from_hours(24 * i64::from(days));
        -days(1) <= age && age <= days(AUTHORITY_DAYS - LEAF_DAYS)
    }

    fn issuer(&self) -> Result<Issuer<'static, KeyPair>, CertificateError> {
        let key = KeyPair::from_pem(self.key_pem.expose())?;
        Ok(Issuer::new(authority_params()?, key))
    }
}

/// A signer of messages by RSA and SHA-256, and its certificate.
pub(crate) struct MessageSigner {
    key: KeyPair,
    pub(crate) certificate_pem: String,
}

impl MessageSigner {
    /// Makes a new key, with a certificate of the authority.
    pub(crate) fn new(authority: &Authority, common_name: &str) -> Result<Self, CertificateError> {
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256)?;
        let mut certificate = params(common_name, vec![], LEAF_DAYS)?;
        certificate.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let certificate_pem = certificate.signed_by(&key, &authority.issuer()?)?.pem();
        Ok(Self { key, certificate_pem })
    }

    /// Returns the signature of a text (PKCS #1, version 1.5).
    pub(crate) fn sign(&self, text: &str) -> Result<Vec<u8>, CertificateError> {
        Ok(self.key.sign(text.as_bytes())?)
    }
}

/// Makes the TLS configuration of a client that trusts the roots of the system and this authority.
pub(crate) fn client_config(authority_pem: &str) -> Result<ClientConfig, CertificateError> {
    let mut roots = RootCertStore::empty();
    // one broken file among the system's roots must not discard the others
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots.add(CertificateDer::from_pem_slice(authority_pem.as_bytes())?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Makes a certificate for localhost, these hosts, and the SMTP endpoints of all regions of AWS and of these. Returns
/// the configuration by which a TLS listener shows it.
pub(crate) fn server_config(
    authority: &Authority,
    hosts: impl Iterator<Item = String>,
    regions: impl Iterator<Item = Region>,
) -> Result<Arc<ServerConfig>, CertificateError> {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let endpoints = Region::with_smtp().chain(regions).flat_map(|region| {
        let fips = [region.smtp_endpoint_fips(), region.smtp_endpoint_fips_dual_stack()];
        [Some(region.smtp_endpoint()), region.smtp_endpoint_dual_stack()]
            .into_iter()
            .chain(fips)
            .flatten()
    });
    let leaf_key = KeyPair::generate()?;
    let names = names.into_iter().chain(endpoints).chain(hosts);
    let names: BTreeSet<String> = names.collect();
    let leaf = params("seskey local", names.into_iter().collect(), LEAF_DAYS)?;
    let leaf = leaf.signed_by(&leaf_key, &authority.issuer()?)?;

    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
    showing(vec![leaf.der().clone()], key)
}

/// Makes the configuration of a TLS listener from its certificate, with those above it, and its key, as PEM.
///
/// # Errors
/// The input is not PEM, or the certificate is not the one of this key.
pub fn of_pem(certificates: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, CertificateError> {
    let certificates = CertificateDer::pem_slice_iter(certificates).collect::<Result<_, _>>()?;
    showing(certificates, PrivateKeyDer::from_pem_slice(key)?)
}

fn showing(
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, CertificateError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)?;
    Ok(Arc::new(server))
}

const AUTHORITY_DAYS: u32 = 3650;
/// The validity of a leaf: clients refuse leaves of more than 398 days.
const LEAF_DAYS: u32 = 397;

fn authority_params() -> Result<CertificateParams, rcgen::Error> {
    let mut params = params("seskey local authority", vec![], AUTHORITY_DAYS)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn params(
    common_name: &str,
    names: Vec<String>,
    days: u32,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    // a client whose clock is a little behind accepts the certificate too
    let (day, now) = (Duration::from_secs(24 * 60 * 60), SystemTime::now());
    // the authorities of several local SES have one name: a client that trusts several tells them apart by their keys
    params.use_authority_key_identifier_extension = true;
    params.not_before = (now - day).into();
    params.not_after = (now + days * day).into();
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_good_while_a_leaf_of_it_is() {
        let authority = Authority::new().unwrap();
        let day = SignedDuration::from_hours(24);
        for (days, expected) in [(-400, false), (-2, false), (0, true), (3253, true), (3254, false)]
        {
            assert_eq!(authority.is_good(authority.made + day * days), expected, "{days}");
        }
    }
}
