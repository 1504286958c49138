//! An SMTP client that sends and expects lines, and the access keys that it logs in with.

use std::{net::SocketAddr, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use rustls::pki_types::ServerName;
use seskey::{Region, SecretAccessKey, SmtpPassword};
use seskey_local::{account::Holder, server::Server};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::{
    tls::trusting,
    users::{self, create_user, put_policy},
};

/// An access key of the user `mailer`.
pub struct AccessKey {
    /// The SMTP user name.
    pub id: String,
    /// The secret access key, from which the password is derived.
    pub secret: SecretAccessKey,
}

/// Creates a user who may send from `news@` any domain but denied.example, with a configuration set named `allowed`.
pub fn create_mailer(server: &Server) {
    create_user(server, "mailer", "/app/", None);
    let document = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"ses:SendRawEmail",
         "Resource":["arn:aws:ses:*:*:identity/*","arn:aws:ses:*:*:configuration-set/allowed"],
         "Condition":{"StringLike":{"ses:FromAddress":"news@*"}}},
        {"Effect":"Deny","Action":"ses:*","Resource":"arn:aws:ses:*:*:identity/news@denied.example"}]}"#;
    put_policy(server, Holder::User("mailer".to_owned()), "AmazonSesSendingAccess", document);
}

/// Creates an access key of that user.
pub fn create_access_key(server: &Server) -> AccessKey {
    let (id, secret) = users::create_access_key(server, "mailer");
    AccessKey { id: id.to_string(), secret }
}

impl AccessKey {
    /// Returns the SMTP password for a region.
    pub fn password(&self, region: &str) -> String {
        SmtpPassword::derive(&self.secret, &Region::parse(region).unwrap()).expose().to_owned()
    }

    /// Returns the initial response of AUTH PLAIN.
    pub fn plain(&self, region: &str) -> String {
        plain("", &self.id, &self.password(region))
    }
}

/// Returns the initial response of AUTH PLAIN.
pub fn plain(authorization_identity: &str, user_name: &str, password: &str) -> String {
    BASE64_STANDARD.encode(format!("{authorization_identity}\0{user_name}\0{password}"))
}

/// A stream that can be read and written.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A connection to the server.
pub struct Client {
    /// The stream, plain or in TLS.
    pub stream: Box<dyn Stream>,
    name: String,
    read: String,
}

impl Client {
    /// Connects; the name of the test is for its failures.
    pub async fn connect(name: &str, address: SocketAddr) -> Self {
        let tcp = TcpStream::connect(address).await.unwrap();
        Self { name: name.to_owned(), stream: Box::new(tcp), read: String::new() }
    }

    /// Connects by the TLS wrapper, logs in, and reads all replies.
    pub async fn logged_in(name: &str, server: &Server, key: &AccessKey) -> Self {
        let mut client = Self::connect(name, server.smtps).await;
        client.start_tls(&tls_connector(server), "localhost").await;
        client.expect_line("220 *").await;
        client.send(&format!("AUTH PLAIN {}\r\n", key.plain("us-east-1"))).await;
        client.expect_line("235 *").await;
        client
    }

    /// Starts TLS, and expects a server name.
    pub async fn start_tls(&mut self, connector: &TlsConnector, server_name: &str) {
        let plain = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        let name = ServerName::try_from(server_name.to_owned()).unwrap();
        self.stream = Box::new(connector.connect(name, plain).await.unwrap());
    }

    /// Sends MAIL, RCPT and DATA.
    pub async fn begin_message(&mut self) {
        for (command, reply) in [
            ("MAIL FROM:<news@example.com>", "250 Ok"),
            ("RCPT TO:<bob@example.org>", "250 Ok"),
            ("DATA", "354 End data with <CR><LF>.<CR><LF>"),
        ] {
            self.send(&format!("{command}\r\n")).await;
            self.expect_line(reply).await;
        }
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Reads the next line, `None` at the end.
    pub async fn line(&mut self) -> Option<String> {
        loop {
            if let Some((line, rest)) = self.read.split_once("\r\n") {
                let line = line.to_owned();
                self.read = rest.to_owned();
                return Some(line);
            }
            let mut buffer = [0; 4096];
            let read = timeout(Duration::from_secs(30), self.stream.read(&mut buffer));
            match read.await.unwrap_or_else(|_| panic!("{}: no answer", self.name)) {
                Ok(0) | Err(_) => return None,
                Ok(length) => self.read.push_str(str::from_utf8(&buffer[..length]).unwrap()),
            }
        }
    }

    /// Reads a line, which must match; `*` stands for anything.
    pub async fn expect_line(&mut self, pattern: &str) {
        let line = self
            .line()
            .await
            .unwrap_or_else(|| panic!("{}: closed, where {pattern} was expected", self.name));
        assert!(matches(&line, pattern), "{}: {line}, where {pattern} was expected", self.name);
    }

    /// Reads up to a line that matches.
    pub async fn expect(&mut self, pattern: &str) {
        while let Some(line) = self.line().await {
            if matches(&line, pattern) {
                return;
            }
        }
        panic!("{}: no {pattern}", self.name);
    }

    /// Checks that the server has closed the connection.
    pub async fn expect_closed(&mut self) {
        assert_eq!(self.line().await, None, "{}: still open", self.name);
    }
}

/// Returns a connector that trusts the server alone.
pub fn tls_connector(server: &Server) -> TlsConnector {
    TlsConnector::from(trusting(&server.authority_pem))
}

/// Returns the answer of the HTTP side, by HTTP/1.0, so that it is in one piece.
pub async fn get(server: &Server, path: &str) -> String {
    let mut stream = TcpStream::connect(server.http).await.unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", server.http);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn matches(line: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => {
            line.len() >= start.len() + end.len() && line.starts_with(start) && line.ends_with(end)
        }
        None => line == pattern,
    }
}
