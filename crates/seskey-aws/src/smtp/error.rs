//! Why a session failed, as facts.

use std::io;

use super::Reply;

/// The parts of a session, in their order.
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

/// Why a session failed. A password is in none of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpError {
    /// The host name has no address.
    #[error("{host} cannot be resolved: {reason}")]
    Dns {
        /// The name.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// No address of the host took the connection.
    #[error("cannot connect to {host}:{port}: {reason}")]
    Connect {
        /// The host that was dialled.
        host: String,
        /// The port that was dialled.
        port: u16,
        /// What the last address gave.
        reason: String,
    },
    /// Nothing, or not enough, came in time.
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
        /// What was given.
        given: String,
    },
    /// The certificate is not trusted, or not for this server.
    #[error("the certificate for {server_name} was not accepted: {problem}")]
    Certificate {
        /// The name that it should bear.
        server_name: String,
        /// What is wrong.
        problem: CertificateProblem,
    },
    /// The handshake failed otherwise: no common version, or no TLS at all on this port.
    #[error("the TLS handshake failed: {reason}")]
    Tls {
        /// What the TLS library said.
        reason: String,
    },
    /// The server does not offer STARTTLS, or somebody between removed it. Nothing secret was sent.
    #[error("the server does not offer STARTTLS")]
    StarttlsNotOffered,
    /// The server offers neither AUTH PLAIN nor AUTH LOGIN over TLS.
    #[error("the server offers neither AUTH PLAIN nor AUTH LOGIN")]
    AuthNotOffered {
        /// What it offers.
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
    /// What came is no SMTP reply.
    #[error("no SMTP reply in the phase {phase:?}: {problem}")]
    Malformed {
        /// The phase.
        phase: Phase,
        /// What is wrong with it.
        problem: Malformed,
    },
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateProblem {
    /// No trusted root stands behind it.
    #[error("unknown issuer")]
    UnknownIssuer,
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// Its time has not begun.
    #[error("not valid yet")]
    NotValidYet,
    /// It bears other names.
    #[error("it is for {presented:?}")]
    OtherName {
        /// The names that it bears.
        presented: Vec<String>,
    },
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// What is wrong with a reply.
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
    /// Something stood behind a reply that nothing may follow: bytes before TLS that somebody may have injected.
    #[error("more than one reply to one command")]
    Surplus,
}

/// A name as the TLS library prints it, `DnsName("localhost")`, without its words.
fn plain(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"').to_owned()
}

impl SmtpError {
    /// The server's reply, if that is what ended the session.
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
