//! The failures of a session, as facts.

use std::io;

use super::Reply;

/// The phases of a session, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[allow(missing_docs)] // the names are those of the commands
pub enum Phase {
    Connect,
    Greeting,
    Ehlo,
    Starttls,
    Handshake,
    EhloOverTls,
    Auth,
    MailFrom,
    RcptTo,
    Data,
    Message,
    Quit,
}

/// The reason why a session failed. It contains no password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpError {
    /// The host name has no address.
    #[error("{host} cannot be resolved: {reason}")]
    Dns {
        /// The name.
        host: String,
        /// The message of the resolver.
        reason: String,
    },
    /// No address of the host accepted the connection.
    #[error("cannot connect to {host}:{port}: {reason}")]
    Connect {
        /// The host that was dialled.
        host: String,
        /// The port that was dialled.
        port: u16,
        /// The error of the last address.
        reason: String,
    },
    /// The phase was not over in time.
    #[error("timed out in the phase {phase:?}")]
    Timeout {
        /// The phase.
        phase: Phase,
    },
    /// The server closed the connection, or it broke.
    #[error("the connection was closed in the phase {phase:?}")]
    Closed {
        /// The phase.
        phase: Phase,
    },
    /// The name for the certificate is neither a host name nor an address.
    #[error("{given} is no name for a server")]
    ServerName {
        /// The given name.
        given: String,
    },
    /// The certificate is not trusted, or not for this server.
    #[error("the certificate for {server_name} was not accepted: {problem}")]
    Certificate {
        /// The name that it should have.
        server_name: String,
        /// The problem.
        problem: CertificateProblem,
    },
    /// The handshake failed for another reason: no common version, or no TLS at all on this port.
    #[error("the TLS handshake failed: {reason}")]
    Tls {
        /// The message of the TLS library.
        reason: String,
    },
    /// The server does not offer STARTTLS, or an intermediary removed it. No secret was sent.
    #[error("the server does not offer STARTTLS")]
    StarttlsNotOffered,
    /// The server offers neither AUTH PLAIN nor AUTH LOGIN over TLS.
    #[error("the server offers neither AUTH PLAIN nor AUTH LOGIN")]
    AuthNotOffered {
        /// The mechanisms that it offers.
        mechanisms: Vec<String>,
    },
    /// The server refused.
    #[error("refused in the phase {phase:?}: {} {}", reply.code, reply.text())]
    Refused {
        /// The phase.
        phase: Phase,
        /// The server's reply.
        reply: Reply,
    },
    /// The received bytes are not an SMTP reply.
    #[error("no SMTP reply in the phase {phase:?}: {problem}")]
    Malformed {
        /// The phase.
        phase: Phase,
        /// The problem.
        problem: Malformed,
    },
}

/// A problem with a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateProblem {
    /// The certificate does not chain to a trusted root.
    #[error("unknown issuer")]
    UnknownIssuer,
    /// The certificate has expired.
    #[error("expired")]
    Expired,
    /// The certificate is not valid yet.
    #[error("not valid yet")]
    NotValidYet,
    /// The certificate is for other names.
    #[error("it is for {presented:?}")]
    OtherName {
        /// The names that it is for.
        presented: Vec<String>,
    },
    /// Another problem.
    #[error("{0}")]
    Other(String),
}

/// A problem with a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// A line that does not begin with a code.
    #[error("a line without a reply code")]
    NotAReply,
    /// The lines of one reply have different codes.
    #[error("one reply with several codes")]
    CodeChanges,
    /// A line of more than 2,048 bytes.
    #[error("a line of more than 2048 bytes")]
    LineTooLong,
    /// A reply of more than 100 lines.
    #[error("a reply of more than 100 lines")]
    TooManyLines,
    /// Bytes after a reply that nothing may follow: sent before TLS, they may have been injected.
    #[error("more than one reply to one command")]
    Surplus,
}

/// Returns the name in the TLS library's notation, such as `DnsName("localhost")`.
fn plain(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"').to_owned()
}

impl SmtpError {
    /// Returns the server's reply, if it ended the session.
    pub fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Refused { reply, .. } => Some(reply),
            _ => None,
        }
    }

    pub(super) fn of_io(phase: Phase, error: &io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(error) => Self::Tls { reason: error.to_string() },
            None => Self::Closed { phase },
        }
    }

    pub(super) fn of_handshake(server_name: &str, error: &io::Error) -> Self {
        use rustls::CertificateError as E;
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let Some(rustls::Error::InvalidCertificate(certificate)) = inner else {
            return Self::of_io(Phase::Handshake, error);
        };
        let problem = match certificate {
            E::UnknownIssuer => CertificateProblem::UnknownIssuer,
            E::Expired | E::ExpiredContext { .. } => CertificateProblem::Expired,
            E::NotValidYet | E::NotValidYetContext { .. } => CertificateProblem::NotValidYet,
            E::NotValidForName => CertificateProblem::OtherName { presented: vec![] },
            E::NotValidForNameContext { presented, .. } => CertificateProblem::OtherName {
                presented: presented.iter().map(|name| plain(name)).collect(),
            },
            other => {
                let text = other.to_string();
                let inner = text.strip_prefix("Other(OtherError(");
                let inner = inner.map_or(&*text, |inner| inner.trim_end_matches(')'));
                CertificateProblem::Other(inner.to_owned())
            }
        };
        Self::Certificate { server_name: server_name.to_owned(), problem }
    }
}
