//! The evidence that the network and the server give of an SMTP endpoint: name, ports, greeting, TLS, login.

use std::{net::SocketAddr, time::Duration};

use seskey::{
    Region,
    diagnose::{self, Banner, Certificate, Evidence, Host, Ports, Said, Tls},
};
use tokio::{
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::timeout,
};

use super::{CertificateProblem, Client, Phase, Reply, Security, Server, SmtpError, Transcript};

/// Resolves the host and tries these ports at the same time, over IPv4 if possible. An open one is then tried over
/// IPv6.
pub async fn reach(host: &str, ports: &[u16], patience: Duration, evidence: &mut Evidence) {
    let resolved = timeout(patience, lookup_host((host, 0))).await;
    let addresses: Vec<SocketAddr> = match resolved {
        Ok(Ok(addresses)) => addresses.collect(),
        _ => vec![],
    };
    evidence.resolves = Some(!addresses.is_empty());
    let (v4, v6) = (
        addresses.iter().find(|address| address.is_ipv4()),
        addresses.iter().find(|address| address.is_ipv6()),
    );
    let Some(first) = v4.or(v6) else { return };
    let is_open = move |address: SocketAddr, port| async move {
        let connected = timeout(patience, TcpStream::connect((address.ip(), port))).await;
        matches!(connected, Ok(Ok(_)))
    };
    let mut tried = JoinSet::new();
    for &port in ports {
        let address = *first;
        tried.spawn(async move { (port, is_open(address, port).await) });
    }
    let mut tried = tried.join_all().await;
    tried.sort_unstable();
    let of =
        |wanted| tried.iter().filter(|(_, open)| *open == wanted).map(|(port, _)| *port).collect();
    let seen = Ports { open: of(true), closed: of(false) };
    if let (Some(_), Some(v6), Some(&port)) = (v4, v6, seen.open.first()) {
        evidence.families = Some((true, is_open(*v6, port).await));
    }
    evidence.ports = Some(seen);
}

/// Connects and, with a user name and a password, logs in. Adds the evidence up to the first failure.
pub async fn probe(
    client: &Client,
    server: &Server,
    login: Option<(&str, &str)>,
    evidence: &mut Evidence,
) {
    let mut transcript = Transcript::default();
    let outcome = async {
        let mut session = client.connect(server, &mut transcript).await?;
        let logged_in = match login {
            Some((user_name, password)) => session.log_in(user_name, password).await.map(|()| true),
            None => Ok(false),
        };
        session.quit().await;
        logged_in
    };
    let outcome = outcome.await;
    if let Ok(true) = outcome {
        evidence.logged_in = Some(true);
    }
    note(&transcript, evidence);
    let Err(error) = outcome else { return };
    evidence.failed = Some((phase(&error), error.to_string()));
    learn(&error, evidence);
    if evidence.banner.is_none() {
        evidence.banner = banner(client, server, &error, evidence.host.as_ref()).await;
    }
}

/// Connects with the other kind of security if no greeting came: a server that waits for TLS answers to TLS.
async fn banner(
    client: &Client,
    server: &Server,
    error: &SmtpError,
    host: Option<&Host>,
) -> Option<Banner> {
    let by_itself = match error {
        SmtpError::Timeout { phase: Phase::Greeting | Phase::Handshake } => Banner::Nobody,
        SmtpError::Closed { phase: Phase::Greeting | Phase::Handshake } => Banner::Closed,
        SmtpError::Tls { reason } if is_no_tls(reason) => Banner::NotSmtp,
        _ => return None,
    };
    let security = match server.security {
        Security::Starttls => Security::TlsWrapper,
        Security::TlsWrapper => Security::Starttls,
    };
    let mut transcript = Transcript::default();
    let other = Server { security, ..server.clone() };
    let outcome = match client.connect(&other, &mut transcript).await {
        Ok(session) => {
            session.quit().await;
            Ok(())
        }
        Err(error) => Err(error),
    };
    let is_greeted = transcript.replies.iter().any(|(phase, _)| *phase == Phase::Greeting);
    match (security, outcome) {
        (Security::Starttls, _) if is_greeted => {
            greeting(&transcript, host).or(Some(Banner::Foreign))
        }
        (Security::TlsWrapper, Ok(()) | Err(SmtpError::Certificate { .. })) => Some(Banner::Silent),
        (_, Err(SmtpError::Malformed { .. } | SmtpError::Tls { .. })) => Some(Banner::NotSmtp),
        _ => Some(by_itself),
    }
}

fn is_no_tls(reason: &str) -> bool {
    reason.contains("corrupt message")
}

/// Returns the phase in which a failure of the session shows.
fn phase(error: &SmtpError) -> diagnose::Phase {
    use diagnose::Phase as Shown;
    match error {
        SmtpError::Timeout { phase }
        | SmtpError::Closed { phase }
        | SmtpError::Refused { phase, .. }
        | SmtpError::Malformed { phase, .. } => match phase {
            Phase::Connect | Phase::Greeting | Phase::Ehlo => Shown::Network,
            Phase::Starttls | Phase::Handshake => Shown::Tls,
            Phase::EhloOverTls | Phase::Auth => Shown::Login,
            _ => Shown::Sending,
        },
        SmtpError::Certificate { .. }
        | SmtpError::Tls { .. }
        | SmtpError::StarttlsNotOffered
        | SmtpError::ServerName { .. } => Shown::Tls,
        SmtpError::AuthNotOffered { .. } => Shown::Login,
        SmtpError::Dns { .. } | SmtpError::Connect { .. } => Shown::Network,
    }
}

/// Returns the first of these other regions whose endpoint accepts the login.
pub async fn region_that_takes(
    client: &Client,
    servers: Vec<(Region, Server)>,
    (user_name, password): (&str, &str),
) -> Option<Region> {
    for (region, server) in servers {
        let taken = client.prove(&server, user_name, password, &mut Transcript::default()).await;
        if taken.is_ok() {
            return Some(region);
        }
    }
    None
}

/// Adds the evidence of a failed session.
pub fn learn(error: &SmtpError, evidence: &mut Evidence) {
    match error {
        SmtpError::Dns { .. } => evidence.resolves = Some(false),
        SmtpError::Certificate { problem, .. } => {
            let problem = match problem {
                CertificateProblem::UnknownIssuer => Certificate::UnknownIssuer,
                CertificateProblem::OtherName { presented } => {
                    Certificate::OtherName(presented.clone())
                }
                CertificateProblem::Expired | CertificateProblem::NotValidYet => Certificate::Time,
                CertificateProblem::Other(reason) => Certificate::Other(reason.clone()),
            };
            evidence.tls = Some(Tls::Certificate(problem));
        }
        SmtpError::Tls { reason } => {
            let is_of_version = ["ProtocolVersion", "incompatible"];
            evidence.tls = match reason {
                _ if is_no_tls(reason) => Some(Tls::NotTls),
                _ if is_of_version.iter().any(|word| reason.contains(word)) => Some(Tls::NoVersion),
                _ => evidence.tls.take(),
            };
        }
        SmtpError::StarttlsNotOffered => evidence.starttls = Some(false),
        SmtpError::AuthNotOffered { .. } => evidence.offers_login = Some(false),
        SmtpError::Malformed { phase: Phase::Greeting, .. } => {
            evidence.banner = Some(Banner::NotSmtp);
        }
        SmtpError::Refused { phase, reply } => {
            let said = Said::of_reply(reply.code, &reply.text());
            if *phase == Phase::Auth {
                evidence.offers_login = Some(true);
                if !reply.is_transient() {
                    evidence.logged_in = Some(false);
                }
            }
            // a reply that the application got is not overwritten
            evidence.said = evidence.said.take().or(said);
        }
        _ => {}
    }
}

/// Adds the evidence of the replies.
fn note(transcript: &Transcript, evidence: &mut Evidence) {
    let reply_to =
        |wanted| transcript.replies.iter().find(|(phase, _)| *phase == wanted).map(|(_, r)| r);
    evidence.banner = greeting(transcript, evidence.host.as_ref());
    if let Some(offer) = reply_to(Phase::Ehlo) {
        evidence.starttls = Some(offer.offers("STARTTLS").is_some());
    }
    if transcript.tls.is_some() {
        evidence.tls = Some(Tls::Good);
    }
    if let Some(offer) = reply_to(Phase::EhloOverTls) {
        evidence.offers_login = Some(offers_login(offer));
    }
}

fn greeting(transcript: &Transcript, host: Option<&Host>) -> Option<Banner> {
    // the greeting of an ingress endpoint is not documented
    if host == Some(&Host::MailManager) {
        return None;
    }
    let (_, greeting) = transcript.replies.iter().find(|(phase, _)| *phase == Phase::Greeting)?;
    let is_ses = greeting.text().contains("SimpleEmailService");
    Some(if is_ses { Banner::Ses } else { Banner::Foreign })
}

fn offers_login(offer: &Reply) -> bool {
    let mechanisms = offer.offers("AUTH").unwrap_or_default();
    mechanisms.iter().any(|name| ["PLAIN", "LOGIN"].iter().any(|it| it.eq_ignore_ascii_case(name)))
}
