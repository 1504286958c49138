//! TLS for SMTP: the trusted certificates, and the result of a handshake.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::SmtpError;

/// The result of a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFacts {
    /// The version, such as `TLSv1_3`.
    pub version: String,
    /// The cipher suite, such as `TLS13_AES_256_GCM_SHA384`.
    pub cipher_suite: String,
}

/// The reason why no certificate would be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RootsError {
    /// The given certificates are not PEM, or there are none.
    #[error("no certificate could be read: {reason}")]
    CaFile {
        /// The problem.
        reason: String,
    },
    /// The system has no roots, and none were given.
    #[error("the system has no trusted certificates: {reason}")]
    NoRoots {
        /// The messages of the loader.
        reason: String,
    },
}

#[derive(Clone)]
pub(super) struct Connector(Arc<ClientConfig>);

impl Connector {
    pub(super) fn new(ca_pem: Option<&[u8]>) -> Result<Self, RootsError> {
        let mut roots = RootCertStore::empty();
        let system = rustls_native_certs::load_native_certs();
        // one broken file among the system's roots must not make the others unusable
        roots.add_parsable_certificates(system.certs);
        if let Some(pem) = ca_pem {
            add_pem(&mut roots, pem)?;
        }
        if roots.is_empty() {
            let reasons: Vec<String> = system.errors.iter().map(ToString::to_string).collect();
            return Err(RootsError::NoRoots { reason: reasons.join("; ") });
        }
        // a process may have several providers, and rustls then refuses to choose
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("aws-lc-rs has cipher suites for TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    pub(super) async fn handshake(
        &self,
        server_name: &str,
        stream: TcpStream,
    ) -> Result<(TlsStream<TcpStream>, TlsFacts), SmtpError> {
        let name = ServerName::try_from(server_name.to_owned())
            .map_err(|_| SmtpError::ServerName { given: server_name.to_owned() })?;
        let stream = TlsConnector::from(Arc::clone(&self.0))
            .connect(name, stream)
            .await
            .map_err(|error| SmtpError::of_handshake(server_name, &error))?;
        let facts = {
            let (_, connection) = stream.get_ref();
            TlsFacts {
                version: connection
                    .protocol_version()
                    .map_or(String::new(), |version| format!("{version:?}")),
                cipher_suite: connection
                    .negotiated_cipher_suite()
                    .map_or(String::new(), |suite| format!("{:?}", suite.suite())),
            }
        };
        Ok((stream, facts))
    }
}

fn add_pem(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), RootsError> {
    let refused = |reason: String| RootsError::CaFile { reason };
    let mut any = false;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots
            .add(certificate.map_err(|e| refused(e.to_string()))?)
            .map_err(|e| refused(e.to_string()))?;
        any = true;
    }
    if any { Ok(()) } else { Err(refused("no PEM certificate in it".to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_without_a_certificate_is_refused() {
        for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert!(
                matches!(Connector::new(Some(pem.as_bytes())), Err(RootsError::CaFile { .. })),
                "{pem}"
            );
        }
    }
}
