//! The arguments of `seskey console`.

use std::path::PathBuf;

use super::Endpoint;

#[derive(Debug, clap::Args)]
pub(crate) struct Console {
    /// Where the pages are served; beyond this machine only over TLS
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub(crate) listen: String,
    /// A file with the certificate that the pages are served with, and those above it, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// A file with the private key of that certificate, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// A host name by which the pages are called [beside localhost and the address]
    #[arg(long, value_name = "NAME")]
    pub(crate) host_name: Vec<String>,
    #[command(flatten)]
    pub(crate) endpoint: Endpoint,
}
