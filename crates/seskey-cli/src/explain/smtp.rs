//! Why a login or a message was refused.

use std::path::Path;

use seskey::{
    Region,
    diagnose::{Certainty, Evidence, Finding, Password, UNEXPLAINED, UserName, diagnose},
    mail_manager,
    recognise::Recognised,
};
use seskey_aws::smtp::{CertificateProblem, Phase, RootsError, Server, SmtpError, probe};

use super::{Failure, innermost};

/// Explains why a session failed, with the server's own words, and what to do. The form of the password decides the
/// possible causes; a password of Mail Manager has no form, so its user name does.
pub(crate) fn failure(error: &SmtpError, password: &Recognised, server: &Server) -> Failure {
    let at = at(server);
    let hint = match error {
        SmtpError::Refused { reply, .. } => {
            let message = format!("{at} refused: {} {}", reply.code, reply.text());
            return Failure::new(message, causes(error, password, server));
        }
        SmtpError::Dns { host, .. } if mail_manager::is_host(host) => {
            "check the name of the endpoint; the SES console shows that of each ingress endpoint"
        }
        SmtpError::Dns { .. } => "check the name of the endpoint; seskey regions lists them",
        SmtpError::Connect { .. } => {
            "check host and port; many networks block port 25, and some 587: 2587 or 2465 may go through"
        }
        SmtpError::Closed { phase: Phase::Greeting }
        | SmtpError::Timeout { phase: Phase::Greeting } => {
            "a port that begins in TLS says nothing in clear: try --tls-wrapper, or another port"
        }
        SmtpError::Certificate { problem: CertificateProblem::UnknownIssuer, .. } => {
            "name the certificate authority by --ca-file; the ready line of seskey local has its path"
        }
        SmtpError::Certificate { .. } => {
            "the name that is dialled must be the one in the certificate; nothing secret was sent"
        }
        SmtpError::Tls { .. } => {
            "ports 465 and 2465 begin in TLS (--tls-wrapper), 25, 587 and 2587 turn to it (--starttls)"
        }
        SmtpError::StarttlsNotOffered => {
            "somebody between may have taken it out; nothing secret was sent"
        }
        _ => "try again; if it stays so, try another port",
    };
    let message = match error {
        SmtpError::Certificate {
            server_name,
            problem: CertificateProblem::OtherName { presented },
        } => {
            format!("{at}: the certificate is not for {server_name} but for {}", some(presented))
        }
        SmtpError::Dns { host, reason } => {
            format!("{host} cannot be resolved: {}", innermost(reason))
        }
        SmtpError::Connect { reason, .. } => {
            format!("cannot connect to {at}: {}", innermost(reason))
        }
        _ => format!("{at}: {error}"),
    };
    Failure::new(message, hint)
}

/// Returns the possible causes of a refusal, from the table of `seskey diagnose`.
fn causes(error: &SmtpError, password: &Recognised, server: &Server) -> String {
    let mut evidence = Evidence {
        password: match password {
            Recognised::SmtpPassword(algorithm) => Some(Password::Smtp(*algorithm)),
            Recognised::SecretAccessKey => Some(Password::SecretAccessKey { is_given: false }),
            Recognised::PasswordWithoutVersion => Some(Password::WithoutVersion),
            _ => None,
        },
        user_name: (*password == Recognised::IngressPointId).then_some(UserName::IngressPointId),
        region: Region::of_smtp_endpoint(&server.server_name),
        ..Evidence::default()
    };
    probe::learn(error, &mut evidence);
    match &diagnose(&evidence).findings[..] {
        [Finding { cause, .. }] if cause.id == UNEXPLAINED => {
            "this is the server's own reply".to_owned()
        }
        [] => "this is the server's own reply".to_owned(),
        [Finding { cause, remedy, certainty, .. }, rest @ ..]
            if rest.is_empty() || *certainty == Certainty::Certain =>
        {
            format!("{}: {remedy}", cause.sentence)
        }
        several => {
            let likeliest: Vec<_> = several.iter().take(3).map(|it| it.cause.sentence).collect();
            format!("perhaps {}; seskey diagnose tells which", likeliest.join(", or "))
        }
    }
}

/// Returns the first few names of a certificate.
fn some(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    let more = names.len() - shown.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// Returns `host:port`, with an IPv6 address in brackets.
pub(crate) fn at(Server { host, port, .. }: &Server) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Explains why no server can be trusted: the fault is in the certificate authority of this option or variable, or in
/// those of the system.
pub(crate) fn roots(error: &RootsError, given: &str, path: &Path) -> Failure {
    match error {
        RootsError::CaFile { .. } => Failure::new(
            format!("{given}: {}: {error}", path.display()),
            "it takes a certificate authority as PEM, which begins with -----BEGIN CERTIFICATE-----",
        ),
        _ => Failure::new(error.to_string(), "--ca-file names a certificate authority"),
    }
}

/// Explains why the text of this option or variable is no endpoint.
pub(crate) fn endpoint(given: &str, text: &str) -> Failure {
    let hint = match text.split_once("://") {
        Some((_, rest)) => format!(
            "without the scheme: {}",
            rest.rsplit('@').next().unwrap_or(rest).trim_end_matches('/')
        ),
        None => "such as 127.0.0.1:2587, or email-smtp.us-east-1.amazonaws.com:587".to_owned(),
    };
    Failure::usage(format!("{given}: {text:?} is not HOST:PORT"), hint)
}
