//! What the network and the server show of an SMTP endpoint, as evidence: name, ports, greeting, TLS, login.

use std::{net::SocketAddr, time::Duration};

use seskey::{
    Region,
    diagnose::{Banner, Certificate, Evidence, Host, Ports, Said, Tls},
};
use tokio::{
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::timeout,
};

use super::{CertificateProblem, Client, Phase, Reply, Security, Server, SmtpError, Transcript};

/// Looks for the addresses of the host and tries these ports, all at once, over IPv4 and IPv6.
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

/// Connects and, with a user name and a password, logs in; notes what is seen up to the first failure.
pub async fn probe(
    client: &Client,
    server: &Server,
    login: Option<(&str, &str)>,
    evidence: &mut Evidence,
) {
    let mut transcript = Transcript::default();
    let outcome = match client.connect(server, &mut transcript).await {
        Ok(session) if login.is_none() => {
            session.quit().await;
            Ok(())
        }
        Ok(mut session) => {
            let (user_name, password) = login.expect("the arm before has the other case");
            let logged_in = session.log_in(user_name, password).await;
            if logged_in.is_ok() {
                evidence.logged_in = Some(true);
            }
            session.quit().await;
            logged_in
        }
        Err(error) => Err(error),
    };
    note(&transcript, evidence);
    let Err(error) = outcome else { return };
    let is_silent = matches!(
        error,
        SmtpError::Timeout { phase: Phase::Greeting }
            | SmtpError::Closed { phase: Phase::Greeting }
    );
    if is_silent && server.security == Security::Starttls {
        // a server that waits for TLS answers to TLS
        let wrapped = Server { security: Security::TlsWrapper, ..server.clone() };
        let waits = match client.connect(&wrapped, &mut Transcript::default()).await {
            Ok(session) => {
                session.quit().await;
                true
            }
            Err(error) => matches!(error, SmtpError::Certificate { .. }),
        };
        evidence.banner = Some(if waits { Banner::Silent } else { Banner::NotSmtp });
    } else {
        learn(&error, evidence);
    }
}

/// The other region, of these, whose endpoint takes the login.
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

/// What a failed session says.
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
                CertificateProblem::Other(_) => return,
            };
            evidence.tls = Some(Tls::Certificate(problem));
        }
        SmtpError::Tls { reason } => {
            let is_no_tls = reason.contains("corrupt message");
            evidence.tls = Some(if is_no_tls { Tls::NotTls } else { Tls::NoVersion });
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
            // what the application was told is not overwritten
            evidence.said = evidence.said.take().or(said);
        }
        _ => {}
    }
}

/// What the replies show.
fn note(transcript: &Transcript, evidence: &mut Evidence) {
    let reply_to =
        |wanted| transcript.replies.iter().find(|(phase, _)| *phase == wanted).map(|(_, r)| r);
    // how an ingress endpoint greets is not documented
    let is_of_ses = !matches!(evidence.host, Some(Host::MailManager));
    if let (Some(greeting), true) = (reply_to(Phase::Greeting), is_of_ses) {
        let is_ses = greeting.text().contains("SimpleEmailService");
        evidence.banner = Some(if is_ses { Banner::Ses } else { Banner::Foreign });
    }
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

fn offers_login(offer: &Reply) -> bool {
    let mechanisms = offer.offers("AUTH").unwrap_or_default();
    mechanisms.iter().any(|name| ["PLAIN", "LOGIN"].iter().any(|it| it.eq_ignore_ascii_case(name)))
}
