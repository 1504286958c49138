//! The environment of a program that runs inside a local SES: every variable that points to it.

use std::{
    env, fs, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use seskey_local::server::Server;

use super::sender::Sender;

/// The variables that would lead the program, or its children, to a real account.
pub(super) const TAKEN_OUT: [&str; 9] = [
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_ENDPOINT_URL_IAM",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_SES",
    "AWS_ENDPOINT_URL_SESV2",
    "AWS_ENDPOINT_URL_SNS",
];

/// The files of the certificates that a system trusts: Debian, Fedora, Alpine and the BSDs, SUSE.
const TRUSTED: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
];

/// Returns the variables of AWS's tools, of seskey, of applications that send mail, and of TLS libraries.
pub(super) fn variables(
    server: &Server,
    sender: &Sender,
    ca_file: &str,
    bundle: &Path,
) -> Vec<(&'static str, String)> {
    let (id, secret) = (server.root.0.as_str(), server.root.1.expose());
    let (smtp, smtps) = (reached(server.smtp), reached(server.smtps));
    let (user_name, password) = (sender.credential.user_name.as_str(), &sender.credential.password);
    let login = [user_name, password.expose()].map(|text| utf8_percent_encode(text, ESCAPED));
    let [user_part, password_part] = login;
    let url = |scheme, address| format!("{scheme}://{user_part}:{password_part}@{address}");
    let bundle = bundle.display().to_string();
    vec![
        ("AWS_ENDPOINT_URL", server.endpoint_url()),
        ("AWS_ACCESS_KEY_ID", id.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", secret.to_owned()),
        ("AWS_REGION", server.region.to_string()),
        ("AWS_DEFAULT_REGION", server.region.to_string()),
        ("SESKEY_SMTP_ENDPOINT", smtp.to_string()),
        ("SESKEY_SMTPS_ENDPOINT", smtps.to_string()),
        ("SESKEY_CA_FILE", ca_file.to_owned()),
        ("SMTP_HOST", smtp.ip().to_string()),
        ("SMTP_PORT", smtp.port().to_string()),
        ("SMTPS_PORT", smtps.port().to_string()),
        ("SMTP_USERNAME", user_name.to_owned()),
        ("SMTP_PASSWORD", password.expose().to_owned()),
        ("SMTP_FROM", sender.from.clone()),
        ("SMTP_URL", url("smtp", smtp)),
        ("SMTPS_URL", url("smtps", smtps)),
        ("NODE_EXTRA_CA_CERTS", ca_file.to_owned()),
        ("SSL_CERT_FILE", bundle.clone()),
        ("REQUESTS_CA_BUNDLE", bundle.clone()),
        ("CURL_CA_BUNDLE", bundle.clone()),
        ("AWS_CA_BUNDLE", bundle),
    ]
}

/// Writes the authority and all that the system trusts into one file: a program that reads it reads no other.
pub(super) fn write_bundle(folder: &Path, authority_pem: &str) -> io::Result<PathBuf> {
    let chosen = env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let mut files = chosen.into_iter().chain(TRUSTED.map(PathBuf::from));
    let trusted = files.find_map(|file| fs::read_to_string(file).ok()).unwrap_or_default();
    let path = folder.join("bundle.pem");
    fs::write(&path, format!("{}\n{authority_pem}", trusted.trim_end()))?;
    Ok(path)
}

/// The characters that are escaped in a URL: all but the unreserved ones of RFC 3986, section 2.3.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns an address that a client can connect to.
fn reached(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        ip if !ip.is_unspecified() => address,
        IpAddr::V4(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, address.port())),
        IpAddr::V6(_) => SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, address.port())),
    }
}
