//! An SMTP client that sends and expects lines, and the access keys that it logs in with.

#![allow(dead_code, reason = "no test uses all of it")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use seskey::{Region, SecretAccessKey, SmtpPassword};
use seskey_local::{
    account::{Action, Answer, Holder, Principal},
    server::Server,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// An access key of the user `mailer`.
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: SecretAccessKey,
}

/// Makes a user who may send from `news@` any domain but denied.example, with a configuration set named `allowed`.
pub(crate) fn create_mailer(server: &Server) {
    let user_name = "mailer".to_owned();
    let user = Action::CreateUser {
        user_name: user_name.clone(),
        path: "/app/".to_owned(),
        permissions_boundary: None,
        tags: vec![],
    };
    server.apply(user).unwrap();
    let policy = Action::PutPolicy {
        holder: Holder::User(user_name),
        policy_name: "AmazonSesSendingAccess".to_owned(),
        document: r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"ses:SendRawEmail",
             "Resource":["arn:aws:ses:*:*:identity/*","arn:aws:ses:*:*:configuration-set/allowed"],
             "Condition":{"StringLike":{"ses:FromAddress":"news@*"}}},
            {"Effect":"Deny","Action":"ses:*","Resource":"arn:aws:ses:*:*:identity/news@denied.example"}]}"#
            .to_owned(),
    };
    server.apply(policy).unwrap();
}

pub(crate) fn create_access_key(server: &Server) -> AccessKey {
    let principal = Principal::User("mailer".to_owned());
    match server.apply(Action::CreateAccessKey { principal }).unwrap() {
        Answer::NewAccessKey { access_key, secret_access_key } => AccessKey {
            id: access_key.access_key_id,
            secret: SecretAccessKey::parse(secret_access_key.expose()).unwrap(),
        },
        _ => unreachable!("an answer to another action"),
    }
}

impl AccessKey {
    pub(crate) fn password(&self, region: &str) -> String {
        SmtpPassword::derive(&self.secret, &Region::parse(region).unwrap()).expose().to_owned()
    }

    /// The initial response of AUTH PLAIN.
    pub(crate) fn plain(&self, region: &str) -> String {
        plain("", &self.id, &self.password(region))
    }
}

pub(crate) fn plain(authorization_identity: &str, user_name: &str, password: &str) -> String {
    BASE64_STANDARD.encode(format!("{authorization_identity}\0{user_name}\0{password}"))
}

/// Something to read and write.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub(crate) struct Client {
    pub(crate) stream: Box<dyn Stream>,
    name: String,
    read: String,
}

impl Client {
    /// Connects; the name is that of the test, for its failures.
    pub(crate) async fn connect(name: &str, address: SocketAddr) -> Self {
        let tcp = TcpStream::connect(address).await.unwrap();
        Self { name: name.to_owned(), stream: Box::new(tcp), read: String::new() }
    }

    /// Connects by the TLS wrapper, logs in, and reads all of the replies.
    pub(crate) async fn logged_in(name: &str, server: &Server, key: &AccessKey) -> Self {
        let mut client = Self::connect(name, server.smtps).await;
        client.start_tls(&tls_connector(server), "localhost").await;
        client.expect_line("220 *").await;
        client.send(&format!("AUTH PLAIN {}\r\n", key.plain("us-east-1"))).await;
        client.expect_line("235 *").await;
        client
    }

    pub(crate) async fn start_tls(&mut self, connector: &TlsConnector, server_name: &str) {
        let plain = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        let name = ServerName::try_from(server_name.to_owned()).unwrap();
        self.stream = Box::new(connector.connect(name, plain).await.unwrap());
    }

    /// Sends MAIL, RCPT and DATA.
    pub(crate) async fn begin_message(&mut self) {
        for (command, reply) in [
            ("MAIL FROM:<news@example.com>", "250 Ok"),
            ("RCPT TO:<bob@example.org>", "250 Ok"),
            ("DATA", "354 End data with <CR><LF>.<CR><LF>"),
        ] {
            self.send(&format!("{command}\r\n")).await;
            self.expect_line(reply).await;
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// The next line, `None` at the end.
    pub(crate) async fn line(&mut self) -> Option<String> {
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

    pub(crate) async fn expect_line(&mut self, pattern: &str) {
        let line = self
            .line()
            .await
            .unwrap_or_else(|| panic!("{}: closed, where {pattern} was expected", self.name));
        assert!(matches(&line, pattern), "{}: {line}, where {pattern} was expected", self.name);
    }

    /// Reads up to a line.
    pub(crate) async fn expect(&mut self, pattern: &str) {
        while let Some(line) = self.line().await {
            if matches(&line, pattern) {
                return;
            }
        }
        panic!("{}: no {pattern}", self.name);
    }

    pub(crate) async fn expect_closed(&mut self) {
        assert_eq!(self.line().await, None, "{}: still open", self.name);
    }
}

pub(crate) fn tls_connector(server: &Server) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(server.authority_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

/// What the HTTP side answers; by HTTP/1.0, so that it is in one piece.
pub(crate) async fn get(server: &Server, path: &str) -> String {
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
