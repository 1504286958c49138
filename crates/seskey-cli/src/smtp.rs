//! The SMTP endpoint that the verbs log in to, and what its refusals mean.

use std::{env, fs, net::IpAddr, path::PathBuf, time::Duration};

use seskey::{
    Region,
    diagnose::{Certainty, Evidence, Finding, Password, UNEXPLAINED, UserName, diagnose},
    mail_manager,
    recognise::Recognised,
};
use seskey_aws::smtp::{
    CertificateProblem, Client, Phase, RootsError, Security, Server, SmtpError, Timeouts, probe,
};

use crate::{
    args::Endpoint,
    explain::{self, Failure, Result},
};

/// Where to log in: what was typed, else the endpoint of the region. One of the three is there.
pub(crate) fn server(
    endpoint: &Endpoint,
    region: Option<&Region>,
    host: Option<&str>,
    port: Option<u16>,
) -> Result<Server> {
    let asked = match (endpoint.starttls, endpoint.tls_wrapper) {
        (true, _) => Some(Security::Starttls),
        (_, true) => Some(Security::TlsWrapper),
        _ => None,
    };
    let own_name = region.map(Region::smtp_endpoint).or_else(|| host.map(str::to_owned));
    let (host, port) = match &endpoint.smtp_endpoint {
        Some(text) => host_and_port(text)?,
        None => {
            let usual = if asked == Some(Security::TlsWrapper) { 465 } else { 587 };
            let of_region = || region.map(Region::smtp_endpoint).unwrap_or_default();
            (host.map_or_else(of_region, str::to_owned), port.unwrap_or(usual))
        }
    };
    let security = asked.or_else(|| Security::of_port(port)).unwrap_or(Security::Starttls);
    if mail_manager::is_host(&host) && security == Security::TlsWrapper {
        return Err(explain::no_ingress_wrapper());
    }
    // an address and this machine have no region in their name: the name of the region's endpoint tells it to the
    // server, and is what the certificate must bear
    let is_nameless = host == "localhost" || host.parse::<IpAddr>().is_ok();
    let server_name = own_name.filter(|_| is_nameless).unwrap_or_else(|| host.clone());
    Ok(Server { server_name, ..Server::new(&host, port, security) })
}

/// What the option of the same name would have been given by the environment.
pub(crate) fn endpoint_of_environment() -> Option<String> {
    env::var("SESKEY_SMTP_ENDPOINT").ok().filter(|text| !text.is_empty())
}

/// The same of the certificate authority.
pub(crate) fn ca_file_of_environment() -> Option<PathBuf> {
    env::var_os("SESKEY_CA_FILE").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// `host:port`, an IPv6 address in brackets.
pub(crate) fn at(Server { host, port, .. }: &Server) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn host_and_port(text: &str) -> Result<(String, u16)> {
    let parsed = text
        .rsplit_once(':')
        .filter(|(host, _)| !host.contains('/'))
        .and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    let host = parsed
        .map(|(host, port)| (host.trim_start_matches('[').trim_end_matches(']').to_owned(), port));
    host.filter(|(host, _)| !host.is_empty()).ok_or_else(|| {
        Failure::usage(
            format!(
                "{}: {text:?} is not HOST:PORT",
                given("--smtp-endpoint", "$SESKEY_SMTP_ENDPOINT", text)
            ),
            match text.split_once("://") {
                Some((_, rest)) => format!(
                    "without the scheme: {}",
                    rest.rsplit('@').next().unwrap_or(rest).trim_end_matches('/')
                ),
                None => {
                    "such as 127.0.0.1:2587, or email-smtp.us-east-1.amazonaws.com:587".to_owned()
                }
            },
        )
    })
}

/// The variable where it holds what was given, else the option.
fn given(option: &'static str, variable: &'static str, text: &str) -> &'static str {
    let is_set = env::var(&variable[1..]).is_ok_and(|value| value == text);
    if is_set { variable } else { option }
}

/// What connects, and whom it trusts.
pub(crate) fn client(endpoint: &Endpoint) -> Result<Client> {
    let authority = match &endpoint.ca_file {
        Some(path) => Some(fs::read(path).map_err(|error| {
            let given = given("--ca-file", "$SESKEY_CA_FILE", &path.to_string_lossy());
            Failure::file("read", path, &error).of(given)
        })?),
        None => None,
    };
    let timeouts = Timeouts { reply: Duration::from_secs(15), ..Timeouts::default() };
    Client::new(authority.as_deref(), timeouts).map_err(|error: RootsError| {
        let Some(path) = endpoint.ca_file.as_ref().filter(|_| matches!(error, RootsError::CaFile { .. })) else {
            return Failure::new(error.to_string(), "--ca-file names a certificate authority");
        };
        let given = given("--ca-file", "$SESKEY_CA_FILE", &path.to_string_lossy());
        Failure::new(
            format!("{given}: {}: {error}", path.display()),
            "it takes a certificate authority as PEM, which begins with -----BEGIN CERTIFICATE-----",
        )
    })
}

/// Why a session failed, in a sentence, and what to do. The server's own words are in it. What the password is decides
/// what may be wrong with it; of Mail Manager's, which has no form, the user name does.
pub(crate) fn failure(error: &SmtpError, password: &Recognised, server: &Server) -> Failure {
    let at = at(server);
    let hint = match error {
        SmtpError::Refused { reply, .. } => {
            let message = format!("{at} refused: {} {}", reply.code, reply.text());
            return Failure::new(message, causes(error, password, server));
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
            format!("{host} cannot be resolved: {}", explain::innermost(reason))
        }
        SmtpError::Connect { reason, .. } => {
            format!("cannot connect to {at}: {}", explain::innermost(reason))
        }
        _ => format!("{at}: {error}"),
    };
    Failure::new(message, hint)
}

/// What may have caused a refusal, from the table of `seskey diagnose`.
fn causes(error: &SmtpError, password: &Recognised, server: &Server) -> String {
    let mut evidence = Evidence {
        password: match password {
            Recognised::SmtpPassword(algorithm) => Some(Password::Smtp(*algorithm)),
            Recognised::SecretAccessKey => Some(Password::SecretAccessKey),
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

/// The first few names of a certificate.
fn some(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    let more = names.len() - shown.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
