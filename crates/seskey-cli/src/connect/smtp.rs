//! The SMTP endpoint that the verbs log in to.

use std::{env, fs, net::IpAddr, path::PathBuf, time::Duration};

use seskey::{Region, mail_manager};
use seskey_aws::smtp::{Client, Security, Server, Timeouts};

use crate::{
    args::Endpoint,
    environment::variable,
    explain::{self, Failure, Result},
};

/// Returns the server to log in to: the typed one, else the endpoint of the region. The caller gives an endpoint, a
/// host or a region.
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
        return Err(explain::input::no_ingress_wrapper());
    }
    // an address and localhost have no region in their name: the name of the region's endpoint tells it to the server,
    // and must be in the certificate
    let is_nameless = host == "localhost" || host.parse::<IpAddr>().is_ok();
    let server_name = own_name.filter(|_| is_nameless).unwrap_or_else(|| host.clone());
    Ok(Server { server_name, ..Server::new(&host, port, security) })
}

/// Returns the options as the environment sets them.
pub(crate) fn of_environment() -> Endpoint {
    let ca_file = env::var_os("SESKEY_CA_FILE").filter(|path| !path.is_empty());
    Endpoint {
        smtp_endpoint: variable("SESKEY_SMTP_ENDPOINT"),
        ca_file: ca_file.map(PathBuf::from),
        starttls: false,
        tls_wrapper: false,
    }
}

fn host_and_port(text: &str) -> Result<(String, u16)> {
    let parsed = text
        .rsplit_once(':')
        .filter(|(host, _)| !host.contains('/'))
        .and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    let host = parsed
        .map(|(host, port)| (host.trim_start_matches('[').trim_end_matches(']').to_owned(), port));
    host.filter(|(host, _)| !host.is_empty()).ok_or_else(|| {
        explain::smtp::endpoint(given("--smtp-endpoint", "$SESKEY_SMTP_ENDPOINT", text), text)
    })
}

/// Returns the variable if it holds the given text, else the option.
fn given(option: &'static str, variable: &'static str, text: &str) -> &'static str {
    let is_set = env::var(&variable[1..]).is_ok_and(|value| value == text);
    if is_set { variable } else { option }
}

/// Returns the SMTP client, with the certificate authorities that it trusts.
pub(crate) fn client(endpoint: &Endpoint) -> Result<Client> {
    let authority = match &endpoint.ca_file {
        Some(path) => Some(fs::read(path).map_err(|error| {
            let given = given("--ca-file", "$SESKEY_CA_FILE", &path.to_string_lossy());
            Failure::file("read", path, &error).of(given)
        })?),
        None => None,
    };
    let timeouts = Timeouts { reply: Duration::from_secs(15), ..Timeouts::default() };
    Client::new(authority.as_deref(), timeouts).map_err(|error| {
        let path = endpoint.ca_file.clone().unwrap_or_default();
        let given = given("--ca-file", "$SESKEY_CA_FILE", &path.to_string_lossy());
        explain::smtp::roots(&error, given, &path)
    })
}
