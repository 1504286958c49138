//! An SMTP client that tests a credential: it connects, starts TLS, logs in, may send one message, and quits.
//!
//! Each reply of the server is kept as it came, and each failure names its phase. AUTH is possible only on an encrypted
//! session, certificates are always verified, and no reply, error or log contains a secret. Sources: RFC 5321 (SMTP),
//! RFC 3207 (STARTTLS), RFC 8314 (TLS wrapper), RFC 4954 (AUTH), RFC 4616 (PLAIN).

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

/// The server to log in to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The host name or address that is dialled.
    pub host: String,
    /// The port that is dialled.
    pub port: u16,
    /// The name that the certificate must have, which is also sent as SNI. Usually the host.
    pub server_name: String,
    /// The way the connection becomes encrypted.
    pub security: Security,
}

/// The way a connection becomes encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// In clear at first, then STARTTLS (RFC 3207).
    Starttls,
    /// TLS from the first byte (RFC 8314).
    TlsWrapper,
}

/// The time limits of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// The limit for connecting to one address, and for resolving the name.
    pub connect: Duration,
    /// The limit for each reply, and for the TLS handshake.
    pub reply: Duration,
}

/// The record of one connection, filled step by step, so that it is available after a failure too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    /// The address that accepted the connection.
    pub address: Option<SocketAddr>,
    /// The result of the handshake.
    pub tls: Option<TlsFacts>,
    /// The server's replies in order.
    pub replies: Vec<(Phase, Reply)>,
}

/// A client whose connections trust the same certificates.
#[derive(Clone)]
pub struct Client {
    tls: tls::Connector,
    timeouts: Timeouts,
}

impl Server {
    /// Returns a server whose certificate has the name that is dialled.
    pub fn new(host: &str, port: u16, security: Security) -> Self {
        Self { host: host.to_owned(), port, server_name: host.to_owned(), security }
    }
}

impl Security {
    /// Returns the security of an SES port; `None` for a port that SES does not use.
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
    /// Returns a client that trusts the system's roots and the certificates of `ca_pem` (PEM).
    ///
    /// # Errors
    /// `ca_pem` is not PEM, or no certificate at all would be trusted.
    pub fn new(ca_pem: Option<&[u8]>, timeouts: Timeouts) -> Result<Self, RootsError> {
        Ok(Self { tls: tls::Connector::new(ca_pem)?, timeouts })
    }

    /// Connects, starts TLS and sends EHLO.
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

    /// Logs in on a connection of its own, and quits.
    ///
    /// # Errors
    /// As [`Client::connect`] and [`Session::log_in`]. A failure to quit is not an error.
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
