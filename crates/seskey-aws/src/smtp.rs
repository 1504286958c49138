//! An SMTP client that proves a credential: it connects, turns to TLS, logs in, may send one message, and leaves.
//!
//! Each reply of the server is kept as it came, and each failure names the phase it belongs to. AUTH exists on an
//! encrypted session only, certificates are always verified, and a secret is in no reply, no error and no log.
//! Sources: RFC 5321 (SMTP), RFC 3207 (STARTTLS), RFC 8314 (TLS wrapper), RFC 4954 (AUTH), RFC 4616 (PLAIN).

mod connection;
mod error;
mod message;
pub mod probe;
mod reply;
mod session;
mod tls;

use std::{net::SocketAddr, time::Duration};

pub use error::{CertificateProblem, Malformed, Phase, SmtpError};
pub use message::{Address, AddressError};
pub use reply::Reply;
pub use session::Session;
pub use tls::{RootsError, TlsFacts};

/// Where to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The host name or address that is dialled.
    pub host: String,
    /// The port that is dialled.
    pub port: u16,
    /// The name that the certificate must bear, which is also sent as SNI. Usually the host.
    pub server_name: String,
    /// How the connection becomes encrypted.
    pub security: Security,
}

/// How a connection becomes encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// In clear at first, then STARTTLS (RFC 3207).
    Starttls,
    /// TLS from the first byte (RFC 8314).
    TlsWrapper,
}

/// How long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection to one address, and for the name to be resolved.
    pub connect: Duration,
    /// For each reply, and for the TLS handshake.
    pub reply: Duration,
}

/// What was said on one connection, filled as it goes, so that it is there after a failure too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    /// The address that took the connection.
    pub address: Option<SocketAddr>,
    /// What the handshake agreed upon.
    pub tls: Option<TlsFacts>,
    /// The server's replies in their order.
    pub replies: Vec<(Phase, Reply)>,
}

/// Makes connections that trust the same certificates.
#[derive(Clone)]
pub struct Client {
    tls: tls::Connector,
    timeouts: Timeouts,
}

impl Server {
    /// A server whose certificate bears the name that is dialled.
    pub fn new(host: &str, port: u16, security: Security) -> Self {
        Self { host: host.to_owned(), port, server_name: host.to_owned(), security }
    }
}

impl Security {
    /// What SES speaks on this port; `None` for a port that is none of its own.
    /// Source: SES Developer Guide, "Connecting to an Amazon SES SMTP endpoint".
    pub fn of_port(port: u16) -> Option<Self> {
        match port {
            _ if seskey::region::STARTTLS_PORTS.contains(&port) => Some(Self::Starttls),
            _ if seskey::region::TLS_WRAPPER_PORTS.contains(&port) => Some(Self::TlsWrapper),
            _ => None,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), reply: Duration::from_secs(30) }
    }
}

impl Client {
    /// A client that trusts the system's roots and, besides, the certificates of `ca_pem` (PEM).
    ///
    /// # Errors
    /// When the PEM is none, or when nothing at all would be trusted.
    pub fn new(ca_pem: Option<&[u8]>, timeouts: Timeouts) -> Result<Self, RootsError> {
        Ok(Self { tls: tls::Connector::new(ca_pem)?, timeouts })
    }

    /// Connects, turns to TLS and says EHLO.
    ///
    /// # Errors
    /// The phase that failed, with the server's reply if there was one.
    #[tracing::instrument(level = "debug", skip_all, fields(host = %server.host, port = server.port))]
    pub async fn connect<'t>(
        &self,
        server: &Server,
        transcript: &'t mut Transcript,
    ) -> Result<Session<'t>, SmtpError> {
        Session::open(self, server, transcript).await
    }

    /// Logs in on a connection of its own, and out again.
    ///
    /// # Errors
    /// As [`Client::connect`] and [`Session::log_in`]. A failure to leave politely is none.
    pub async fn prove(
        &self,
        server: &Server,
        user_name: &str,
        password: &str,
        transcript: &mut Transcript,
    ) -> Result<(), SmtpError> {
        let mut session = self.connect(server, transcript).await?;
        session.log_in(user_name, password).await?;
        session.quit().await;
        Ok(())
    }
}
