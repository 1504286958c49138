//! The TLS of both sides of every measurement.

use std::{fs, path::Path, sync::Arc, thread, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    pki_types::{CertificateDer, pem::PemObject},
};
use serde_json::Value;
use tokio_rustls::TlsConnector;

use crate::{Result, process::Process};

/// Issues a certificate with a P-256 key, and returns the certificate of its authority.
pub(crate) fn write_certificates(folder: &Path) -> Result<CertificateDer<'static>> {
    let mut authority = CertificateParams::new(vec![])?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let leaf = CertificateParams::new(vec!["localhost".into()])?.signed_by(&key, &authority)?;
    fs::write(folder.join("certificate.pem"), leaf.pem())?;
    fs::write(folder.join("key.pem"), key.serialize_pem())?;
    Ok(authority.der().clone())
}

/// Returns the certificate of the authority of `seskey local`, from the file that its output names.
pub(crate) fn authority_of_seskey(process: &Process) -> Result<CertificateDer<'static>> {
    let ready = loop {
        match process.log().split_once('\n') {
            Some((line, _)) => break serde_json::from_str::<Value>(line)?,
            None => thread::sleep(Duration::from_millis(1)),
        }
    };
    let file = ready["ca_file"].as_str().ok_or("no ca_file")?;
    Ok(CertificateDer::from_pem_file(file)?)
}

/// Makes a connector for whole TLS 1.3 handshakes, none of them resumed.
pub(crate) fn connector(authority: &CertificateDer<'static>) -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}
