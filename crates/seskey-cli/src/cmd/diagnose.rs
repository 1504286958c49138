//! `seskey diagnose`: says why a login or a message fails. Cheap evidence is gathered first, until a cause is certain.

mod account;
mod report;
mod typed;

use std::time::Duration;

use seskey::{
    Region,
    credential::Kind,
    diagnose::{Evidence, Host, Phase, Report, diagnose},
    mail_manager,
    region::{STARTTLS_PORTS, TLS_WRAPPER_PORTS},
};
use seskey_aws::smtp::{Address, Security, Server, probe};

use self::{account::ask_account, typed::Typed};
use crate::{
    args::{Diagnose, Global},
    connect::{aws, smtp},
    exit::Exit,
    explain::{self, Failure, Result},
    output::Output,
};

pub(crate) fn run(args: &Diagnose, global: &Global, output: &Output) -> Result<Exit> {
    let args = &where_typed(args);
    for (option, address) in [("--from", &args.from), ("--to", &args.to)] {
        if address.as_deref().is_some_and(|address| Address::parse(address).is_err()) {
            return Err(Failure::usage(
                format!("{option} is no mail address"),
                "such as news@example.com",
            ));
        }
    }
    let typed = Typed::gather(args, global, output)?;
    if args.to.is_some() && args.from.is_none() && typed.said.is_none() {
        output.warn(
            "IAM is asked about the recipient of --to with a sender alone: name it by --from",
        );
    }
    let mut evidence = typed.evidence();
    let mut report = diagnose(&evidence);
    let mut asked = vec!["what was typed"];
    if !args.offline && !report.is_certain() && typed.leads_somewhere(args) {
        report = aws::block_on(ask(args, global, &typed, &mut evidence, &mut asked, output))??;
    }
    report::tell(&report, &asked, output)?;
    let found = !report.findings.is_empty();
    Ok(if found && args.exit_code { Exit::Findings } else { Exit::Done })
}

/// Drops the endpoint of the environment if a host or port is typed.
fn where_typed(args: &Diagnose) -> Diagnose {
    let is_typed = args.host.is_some() || args.port.is_some();
    let mut args = args.clone();
    args.endpoint.smtp_endpoint = args.endpoint.smtp_endpoint.filter(|endpoint| {
        !is_typed || smtp::of_environment().smtp_endpoint.as_ref() != Some(endpoint)
    });
    args
}

/// Asks the network, then IAM and SES, until a cause is certain.
async fn ask(
    args: &Diagnose,
    global: &Global,
    typed: &Typed,
    evidence: &mut Evidence,
    asked: &mut Vec<&'static str>,
    output: &Output,
) -> Result<Report> {
    let client = smtp::client(&args.endpoint)?;
    if let Some(server) = server(args, evidence)? {
        if let (Some(host), Some(_)) = (&evidence.host_text, &args.endpoint.smtp_endpoint) {
            // no answer of another server makes the name right
            if matches!(evidence.host, Some(Host::Misspelled(_))) {
                return Ok(diagnose(evidence));
            }
            output.note(&format!("{} is tried in the place of {host}", explain::smtp::at(&server)));
        }
        asked.push("the network");
        evidence.server = Some((server.host.clone(), server.port));
        let report = reach(args, &server, evidence).await;
        if report.is_certain() {
            return Ok(report);
        }
        let ports = evidence.ports.as_ref();
        let is_open = ports.is_some_and(|ports| ports.open.contains(&server.port));
        if !is_open {
            let shown = format!("{} takes no connection", explain::smtp::at(&server));
            evidence.failed = Some((Phase::Network, shown));
        } else {
            asked.push("the SMTP endpoint");
            probe::probe(&client, &server, typed.login(), evidence).await;
            let report = diagnose(evidence);
            if report.is_certain() {
                return Ok(report);
            }
            if let (true, Some(false), Some(login)) =
                (args.try_regions, evidence.logged_in, typed.login())
            {
                asked.push("the endpoints of other regions");
                let others = others(args, evidence, &server);
                evidence.logged_in_elsewhere =
                    probe::region_that_takes(&client, others, login).await;
            }
        }
    }
    let report = diagnose(evidence);
    if report.is_certain() {
        return Ok(report);
    }
    ask_account(args, global, typed, evidence, asked, output).await;
    Ok(diagnose(evidence))
}

/// The time for which a port is tried.
const PATIENCE: Duration = Duration::from_secs(5);

/// Finds the ports that take a connection: all of SES's are tried at an endpoint of AWS, one elsewhere.
async fn reach(args: &Diagnose, server: &Server, evidence: &mut Evidence) -> Report {
    let all = [STARTTLS_PORTS.as_slice(), &TLS_WRAPPER_PORTS].concat();
    let ports = match evidence.host {
        _ if args.endpoint.smtp_endpoint.is_some() => vec![server.port],
        Some(Host::Smtp(_) | Host::WithoutSmtp(_) | Host::Api(_)) => all,
        Some(Host::MailManager) => mail_manager::PORTS.to_vec(),
        _ => vec![server.port],
    };
    probe::reach(&server.host, &ports, PATIENCE, evidence).await;
    diagnose(evidence)
}

/// Returns the server that the application connects to, if it is known.
fn server(args: &Diagnose, evidence: &Evidence) -> Result<Option<Server>> {
    let of_region = evidence.region.as_ref().map(Region::smtp_endpoint);
    let host = evidence.host_text.clone().or(of_region);
    if host.is_none() && args.endpoint.smtp_endpoint.is_none() {
        return Ok(None);
    }
    // a given endpoint replaces the host and its name
    let host = host.filter(|_| args.endpoint.smtp_endpoint.is_none());
    let is_named = host.is_some();
    let server =
        smtp::server(&args.endpoint, evidence.region.as_ref(), host.as_deref(), evidence.port)?;
    // the certificate must have the name that the application calls
    let called = server.host.clone();
    Ok(Some(if is_named { Server { server_name: called, ..server } } else { server }))
}

/// Returns the endpoints of all other regions. If an endpoint is given, they are all at its address.
fn others(args: &Diagnose, evidence: &Evidence, server: &Server) -> Vec<(Region, Server)> {
    let is_other = |region: &Region| evidence.region.as_ref() != Some(region);
    let of = |region: Region| {
        let name = region.smtp_endpoint();
        let other = match args.endpoint.smtp_endpoint {
            Some(_) => Server { server_name: name, ..server.clone() },
            None => Server::new(&name, 587, Security::Starttls),
        };
        (region, other)
    };
    Region::with_smtp().filter(is_other).map(of).collect()
}

impl Typed {
    /// Whether there is anything to connect to or to ask about. An error text alone is about another time and place.
    fn leads_somewhere(&self, args: &Diagnose) -> bool {
        self.user_name.is_some()
            || self.host.is_some()
            || args.endpoint.smtp_endpoint.is_some() && self.said.is_none()
    }

    /// Returns the user name and the password to try, if the user name has the form of one.
    fn login(&self) -> Option<(&str, &str)> {
        let user_name = self.user_name.as_ref()?.expose().trim();
        let password = self.password.as_ref()?.expose().trim();
        Kind::of_user_name(user_name).map(|_| (user_name, password))
    }
}
