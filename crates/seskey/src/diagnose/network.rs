//! Causes between the application and the endpoint.

use super::{
    Cause, Evidence, Phase, certain,
    evidence::{Banner, Host},
    possible, refuted, refuted_if, row,
    said::Problem,
};

const ISSUES: &str = "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html";
const VPC: &str = "https://docs.aws.amazon.com/ses/latest/dg/send-email-set-up-vpc-endpoints.html";

#[rustfmt::skip]
pub(super) const CAUSES: &[Cause] = &[
    row(Phase::Network, "dns-failure", "the name of the host has no address here",
        "getent hosts {HOST}; in a VPC, turn on the private DNS of the endpoint or of the VPC", VPC,
        |e| match e.resolves {
            Some(false) if matches!(e.host, Some(Host::Misspelled(_))) => possible(1, "the resolver of this machine finds no address"),
            Some(false) => certain("the resolver of this machine finds no address"),
            Some(true) => refuted(),
            None if e.has_said(&Problem::NameUnknown) => possible(1, "the application finds no address"),
            None if e.has_said(&Problem::ConnectFailed) => possible(4, FAILED),
            None => refuted_if(e.is_past_network() || e.said().is_some()),
        }),
    row(Phase::Network, "port-blocked", "the network blocks port 25, or throttles it",
        "connect to port 587 or 2587 (STARTTLS), or 465 or 2465 (TLS wrapper)", ISSUES,
        |e| match &e.ports {
            Some(ports) if ports.closed.contains(&25) && !ports.open.is_empty() && e.port.is_none_or(|port| port == 25) => {
                let open: Vec<_> = ports.open.iter().map(u16::to_string).collect();
                match e.port {
                    Some(_) => certain(format!("port 25 takes no connection, and {} do", open.join(", "))),
                    None => possible(3, format!("port 25 takes no connection, and {} do", open.join(", "))),
                }
            }
            Some(_) => refuted(),
            None if e.is_past_network() => refuted(),
            None if is_own_machine(e) => refuted(),
            None if e.port == Some(25) && is_refused(e) => possible(0, "port 25 was tried, and the connection was refused"),
            None if e.port.is_none() && is_refused(e) => possible(3, "the connection was refused, perhaps on port 25"),
            None if e.port == Some(25) && is_unreached(e) => possible(0, "port 25 was tried, and nothing answered"),
            None if e.port.is_none() && is_unreached(e) => possible(3, "nothing answered, perhaps on port 25"),
            None => refuted_if(e.port.is_some_and(|port| port != 25) || e.said().is_some()),
        }),
    row(Phase::Network, "other-port-blocked", "the network blocks the port that is used, and not the others",
        "connect to one of the ports that answer", ISSUES,
        |e| match (&e.ports, e.port) {
            (Some(ports), Some(port)) if port != 25 && ports.closed.contains(&port) && !ports.open.is_empty() => {
                let open: Vec<_> = ports.open.iter().map(u16::to_string).collect();
                certain(format!("port {port} takes no connection, and {} do", open.join(", ")))
            }
            (Some(_), _) => refuted(),
            (None, _) if is_own_machine(e) => refuted(),
            (None, Some(port)) if port != 25 && is_refused(e) && !e.is_past_network() =>
                possible(1, format!("port {port} was tried, and the connection was refused")),
            (None, Some(port)) if port != 25 && is_unreached(e) && !e.is_past_network() =>
                possible(1, format!("port {port} was tried, and nothing answered")),
            (None, _) => refuted_if(e.is_past_network()),
        }),
    row(Phase::Network, "connection-refused", "something between refuses the connection: a firewall, a proxy, or a name that leads elsewhere",
        "nc -vz {HOST} {PORT}, from the same place; allow TCP {PORT} outwards", ISSUES,
        |e| match e.host {
            _ if e.is_past_network() => refuted(),
            Some(Host::OwnMachine) => refuted(),
            Some(Host::Smtp(_) | Host::MailManager) if is_refused(e) => possible(0, "the connection to the endpoint was refused, so something answered"),
            _ if is_refused(e) => possible(2, "the connection was refused, so something answered"),
            _ => refuted_if(e.said().is_some()),
        }),
    row(Phase::Network, "all-ports-blocked", "no port of the endpoint can be reached: a security group, a network ACL, or a subnet without a way out",
        "nc -vz {HOST} {PORT}, from the same place; allow TCP 587 outwards, or make a VPC endpoint for SMTP", VPC,
        |e| match &e.ports {
            Some(ports) if ports.open.is_empty() && ports.closed.len() > 1 =>
                certain("none of the ports that were tried takes a connection"),
            Some(ports) if ports.open.is_empty() => possible(1, "the port that was tried takes no connection"),
            Some(_) => refuted(),
            None if is_unreached(e) && !e.is_past_network() => possible(2, "nothing answered"),
            None => refuted_if(e.is_past_network() || e.said().is_some()),
        }),
    row(Phase::Network, "vpc-endpoint-unreached", "a VPC endpoint for SMTP is not offered in this zone, or its security group is closed",
        "aws ec2 describe-vpc-endpoints --filters Name=service-name,Values=com.amazonaws.{REGION}.email-smtp", VPC,
        |e| match &e.ports {
            Some(ports) if ports.open.is_empty() => possible(4, "nothing answered; in a VPC this may be the cause"),
            Some(_) => refuted(),
            None if is_unreached(e) && !e.is_past_network() => possible(5, "nothing answered; in a VPC this may be the cause"),
            None => refuted_if(e.is_past_network() || e.said().is_some()),
        }),
    row(Phase::Network, "wrong-vpc-endpoint", "what answers speaks no SMTP: another service, or a VPC endpoint that was made for the SES API",
        "make the VPC endpoint for com.amazonaws.{REGION}.email-smtp, not for email", VPC,
        |e| match (&e.banner, &e.host) {
            (Some(Banner::NotSmtp), Some(Host::Smtp(_))) => certain("the answer of the SMTP endpoint is neither SMTP nor TLS"),
            (Some(Banner::NotSmtp), _) => possible(1, "the answer is neither SMTP nor TLS"),
            (Some(_), _) => refuted(),
            (None, _) => refuted_if(e.is_past_network()),
        }),
    row(Phase::Network, "foreign-server", "another server answers in the place of SES: a proxy, an antivirus, or a local mail server",
        "openssl s_client {STARTTLS}-connect {HOST}:{PORT}: it shows who answers; let it past", ISSUES,
        |e| match &e.banner {
            Some(Banner::Foreign) => certain("the greeting does not name SimpleEmailService"),
            Some(Banner::Ses) => refuted(),
            Some(Banner::Nobody) => possible(2, "the connection is taken, and nothing comes, in clear or in TLS"),
            Some(Banner::Closed) => possible(2, "the connection is taken and closed before anything comes"),
            None if e.has_said(&Problem::NoAuth) => possible(1, "SES offers a login, and what answers does not"),
            None if e.has_said(&Problem::GreetingTimedOut) => possible(2, "the connection stood, and nobody greeted"),
            None if e.has_said(&Problem::HandshakeCut) => possible(0, "the connection was closed in the handshake"),
            None if e.has_said(&Problem::ConnectionLost) => possible(2, "the connection stood, and was cut"),
            _ => refuted_if(e.logged_in == Some(true)),
        }),
    row(Phase::Network, "ipv6-broken", "the route over IPv6 is broken, so each connection begins with a wait",
        "connect to the name with IPv4 alone, email-smtp.{REGION}.amazonaws.com", ISSUES,
        |e| match e.families {
            Some((true, false)) => possible(1, "the host takes connections over IPv4 and not over IPv6"),
            Some(_) => refuted(),
            None => None,
        }),
    row(Phase::Network, "starttls-stripped", "somebody between takes STARTTLS out of what the server offers",
        "connect to port 465 or 2465, where TLS comes first", "https://www.rfc-editor.org/rfc/rfc3207#section-6",
        |e| match (e.starttls, &e.banner) {
            (Some(true), _) => refuted(),
            (Some(false), Some(Banner::Foreign | Banner::NotSmtp)) => possible(2, "the server that answers offers no STARTTLS"),
            (Some(false), _) => certain("SES offers STARTTLS, and here it is not offered"),
            (None, _) if e.has_said(&Problem::NoStarttls) => possible(1, "the application was offered no STARTTLS"),
            (None, _) if e.has_said(&Problem::NotEncrypted) => possible(1, "the connection is not encrypted, perhaps because STARTTLS was not offered"),
            (None, _) => refuted_if(e.is_past_tls()),
        }),
];

const FAILED: &str = "the application says that it could not connect, and not why";

fn is_unreached(e: &Evidence) -> bool {
    [Problem::TimedOut, Problem::ConnectTimedOut, Problem::ConnectFailed]
        .iter()
        .any(|problem| e.has_said(problem))
}

/// Whether something answered with a refusal, which a filter that drops packets does not do.
fn is_refused(e: &Evidence) -> bool {
    e.has_said(&Problem::ConnectionRefused)
}

fn is_own_machine(e: &Evidence) -> bool {
    e.host == Some(Host::OwnMachine)
}
