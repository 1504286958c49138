//! Mail by the third-party client lettre.

use std::fs;

use lettre::{
    SmtpTransport, Transport,
    address::Envelope,
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::{Certificate, Tls, TlsParameters},
    },
};
use seskey::{Region, SecretAccessKey, SmtpPassword};

use crate::process::LocalSes;

/// The SMTP endpoint of a local SES.
#[derive(Clone)]
pub struct Endpoint {
    port: u16,
    tls: TlsParameters,
}

impl Endpoint {
    /// Returns the endpoint at a port, with a certificate of an authority.
    pub fn new(port: u16, authority_pem: &[u8]) -> Self {
        let authority = Certificate::from_pem(authority_pem).unwrap();
        let tls = TlsParameters::builder("localhost".to_owned()).add_root_certificate(authority);
        Self { port, tls: tls.build_rustls().unwrap() }
    }

    /// Returns the endpoint of a local SES.
    pub fn of(local: &LocalSes) -> Self {
        let port = local.at("/smtp").rsplit_once(':').unwrap().1.parse().unwrap();
        Self::new(port, &fs::read(local.at("/ca_file")).unwrap())
    }

    /// Returns a client that logs in over STARTTLS.
    pub fn client(&self, user_name: &str, password: &str) -> SmtpTransport {
        SmtpTransport::builder_dangerous("127.0.0.1")
            .port(self.port)
            .tls(Tls::Required(self.tls.clone()))
            .authentication(vec![Mechanism::Plain])
            .credentials(Credentials::new(user_name.to_owned(), password.to_owned()))
            .build()
    }
}

/// Returns a client with the credential of an access key.
pub fn client(local: &LocalSes, [id, secret]: &[String; 2]) -> SmtpTransport {
    let secret = SecretAccessKey::parse(secret).unwrap();
    let password = SmtpPassword::derive(&secret, &Region::parse("us-east-1").unwrap());
    Endpoint::of(local).client(id, password.expose())
}

/// Sends a message, and returns its ID.
///
/// # Errors
/// The refusal, or the reason for no answer.
pub fn send(client: &SmtpTransport, body: &str) -> Result<String, String> {
    let address = "a@example.com".parse::<lettre::Address>().unwrap();
    let envelope = Envelope::new(Some(address.clone()), vec![address]).unwrap();
    let message = format!("From: a@example.com\r\nTo: a@example.com\r\n\r\n{body}\r\n");
    let reply =
        client.send_raw(&envelope, message.as_bytes()).map_err(|error| error.to_string())?;
    let text: String = reply.message().collect();
    Ok(text.strip_prefix("Ok ").unwrap().to_owned())
}
