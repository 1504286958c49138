//! Causes on the way to TLS.

use super::{
    Cause, Evidence, Phase, certain,
    evidence::{Banner, Certificate, Host, Tls, TlsMode},
    possible, refuted, refuted_if, row,
    said::Problem,
};
use crate::region::{STARTTLS_PORTS, TLS_WRAPPER_PORTS};

const CONNECT: &str = "https://docs.aws.amazon.com/ses/latest/dg/smtp-connect.html";
const PROTOCOLS: &str = "https://docs.aws.amazon.com/ses/latest/dg/security-protocols.html";

#[rustfmt::skip]
pub(super) const CAUSES: &[Cause] = &[
    row(Phase::Tls, "tls-wrapper-on-starttls-port", "the application begins in TLS on a port that turns to it by STARTTLS",
        "use STARTTLS on this port, or port 465", CONNECT,
        |e| match (e.said(), &e.tls, e.port) {
            (Some(Problem::NotTls), _, Some(port)) if TLS_WRAPPER_PORTS.contains(&port) => refuted(),
            (Some(Problem::NotTls), _, Some(port)) if STARTTLS_PORTS.contains(&port) =>
                certain(format!("the answer on port {port} was no TLS, and STARTTLS comes first there")),
            (Some(Problem::NotTls), ..) => possible(0, "the answer was no TLS"),
            (_, None, Some(port)) if STARTTLS_PORTS.contains(&port) && is_wrapper(e) && !e.is_past_tls() => match e.tls_mode {
                Some(TlsMode::Wrapper) => certain(format!("the configuration says TLS from the first byte, and STARTTLS comes first on port {port}")),
                _ => possible(0, format!("the configuration says secure, which most applications take for TLS from the first byte, and STARTTLS comes first on port {port}")),
            },
            (_, None, port) if e.has_said(&Problem::ConnectFailed) && port.is_none_or(|port| STARTTLS_PORTS.contains(&port)) =>
                possible(6, "the application could not connect, and does not say why"),
            (_, Some(Tls::NotTls), _) => match e.banner {
                Some(Banner::Ses | Banner::Foreign) => certain("the server greets in clear first"),
                Some(_) => refuted(),
                None => possible(0, "what the server sent was no TLS"),
            },
            (_, Some(_), _) => refuted(),
            _ => refuted_if(e.is_past_tls() || e.said().is_some()),
        }),
    row(Phase::Tls, "starttls-on-wrapper-port", "the application waits for a greeting on a port that begins in TLS",
        "begin in TLS on this port, or use port 587 with STARTTLS", CONNECT,
        |e| match (&e.banner, e.said(), e.port) {
            (None, None, Some(port)) if TLS_WRAPPER_PORTS.contains(&port) && e.tls_mode == Some(TlsMode::Starttls) =>
                certain(format!("the configuration says STARTTLS, and port {port} begins in TLS")),
            (None, None, Some(port)) if TLS_WRAPPER_PORTS.contains(&port) && matches!(e.tls_mode, Some(TlsMode::NotSecure | TlsMode::Clear | TlsMode::ClearByDefault)) =>
                possible(0, format!("the configuration says that the connection begins in clear, and port {port} begins in TLS")),
            (Some(Banner::Silent), ..) => certain("the server says nothing in clear, as on a port that begins in TLS"),
            (Some(_), ..) => refuted(),
            (None, _, Some(port)) if !TLS_WRAPPER_PORTS.contains(&port) => refuted_if(e.said.is_some()),
            (None, _, Some(port)) if is_without_greeting(e) || e.has_said(&Problem::TimedOut) =>
                possible(0, format!("no greeting came on port {port}, which begins in TLS")),
            (None, _, None) if is_without_greeting(e) => possible(0, "the connection stood, and no greeting came"),
            (None, _, None) if e.has_said(&Problem::TimedOut) => possible(4, "nothing came in time"),
            (None, _, _) if e.has_said(&Problem::ConnectFailed) => possible(6, "the application could not connect, and does not say why"),
            (None, said, _) => refuted_if(said.is_some()),
        }),
    row(Phase::Tls, "no-tls", "the application does not turn to TLS at all",
        "turn TLS on in the application: STARTTLS on port 587, or TLS on port 465", CONNECT,
        |e| match e.said() {
            None if is_ses_by_starttls(e) && e.tls_mode == Some(TlsMode::Clear) =>
                certain("the configuration turns TLS off, and SES takes no login without it"),
            None if is_ses_by_starttls(e) && e.tls_mode == Some(TlsMode::ClearByDefault) =>
                possible(1, "the names are Django's, and nothing in the file turns TLS on, which Django does not by itself"),
            Some(Problem::StarttlsFirst) => certain("the server says that STARTTLS must come first"),
            Some(Problem::NotEncrypted) => possible(0, "the application does not send the password, for the connection is not encrypted"),
            _ if e.has_said(&Problem::LoginFailed) => possible(9, "the application says that the login failed, and not why"),
            _ => refuted_if(e.is_past_tls() || e.said().is_some()),
        }),
    row(Phase::Tls, "old-tls", "the application speaks no version of TLS that SES takes",
        "openssl s_client -tls1_2 {STARTTLS}-connect {HOST}:{PORT}; update the TLS library", PROTOCOLS,
        |e| match (&e.tls, e.said()) {
            (Some(Tls::NoVersion), _) => certain("there is no version in common; SES takes TLS 1.2 and 1.3"),
            (None, Some(Problem::HandshakeCut)) => possible(1, "the connection was closed in the handshake; SES takes TLS 1.2 and 1.3"),
            (_, Some(Problem::NoTlsVersion)) => possible(0, "the handshake failed; SES takes TLS 1.2 and 1.3"),
            (Some(_), None) => refuted(),
            (_, Some(_)) => refuted(),
            (None, None) => None,
        }),
    row(Phase::Tls, "untrusted-certificate", "the authorities that the machine trusts do not know the certificate",
        "install ca-certificates, for SES's chain ends in Amazon Root CA 1; of a server with an authority of your own, name its certificate by --ca-file FILE", "https://www.amazontrust.com/repository/",
        |e| match (&e.tls, e.said()) {
            (Some(Tls::Certificate(Certificate::UnknownIssuer)), _) => certain("no authority that this machine trusts stands behind the certificate"),
            (None | Some(Tls::Good), _) if e.has_said(&Problem::CertificateRefused) => possible(0, REFUSED),
            (Some(Tls::Good), Some(Problem::UnknownIssuer)) =>
                possible(0, "the application does not trust the certificate, and this machine does"),
            (Some(Tls::Certificate(Certificate::Other(reason))), _) =>
                possible(0, format!("this machine does not accept the certificate: {reason}")),
            (None, Some(Problem::UnknownIssuer)) => possible(0, "the application does not trust the certificate"),
            (Some(_), _) | (None, Some(_)) => refuted(),
            (None, None) => None,
        }),
    row(Phase::Tls, "host-name-mismatch", "the host is called by a name that is not in its certificate",
        "connect to the name that AWS gives, email-smtp.{REGION}.amazonaws.com, not to an alias or an address", CONNECT,
        |e| match (&e.tls, e.said()) {
            (Some(Tls::Certificate(Certificate::OtherName(names))), _) if names.is_empty() =>
                certain("the certificate bears other names"),
            (Some(Tls::Certificate(Certificate::OtherName(names))), _) =>
                certain(format!("the certificate is for {}", names.join(", "))),
            (None, _) if e.has_said(&Problem::CertificateRefused) => possible(1, REFUSED),
            (_, Some(Problem::OtherName)) => possible(0, "the application finds another name in the certificate"),
            (Some(_), _) | (None, Some(_)) => refuted(),
            (None, None) => None,
        }),
    row(Phase::Tls, "clock-off", "the clock of the machine is wrong, so that a good certificate looks expired or not yet valid",
        "timedatectl set-ntp true", CONNECT,
        |e| match (&e.tls, e.clock_offset, e.said()) {
            (_, Some(seconds), _) if seconds < 300 => refuted(),
            (Some(Tls::Certificate(Certificate::Time)), Some(seconds), _) => certain(format!("the clock is off by {seconds} seconds")),
            (Some(Tls::Certificate(Certificate::Time)), None, _) => possible(0, "the certificate is not valid at the time of this machine"),
            (None, ..) if e.has_said(&Problem::CertificateRefused) => possible(2, REFUSED),
            (None, _, Some(Problem::CertificateTime)) => possible(0, "the application finds the certificate not valid at its time"),
            (Some(_), ..) | (None, _, Some(_)) => refuted(),
            (None, _, None) => None,
        }),
];

const REFUSED: &str = "the application refuses the certificate, and does not say why";

/// Whether the host is SES's, and the port is not one on which TLS begins at once.
fn is_ses_by_starttls(e: &Evidence) -> bool {
    matches!(e.host, Some(Host::Smtp(_)))
        && e.port.is_none_or(|port| STARTTLS_PORTS.contains(&port))
}

fn is_wrapper(e: &Evidence) -> bool {
    matches!(e.tls_mode, Some(TlsMode::Wrapper | TlsMode::Secure))
}

fn is_without_greeting(e: &Evidence) -> bool {
    e.has_said(&Problem::GreetingTimedOut) || e.has_said(&Problem::ConnectionLost)
}
