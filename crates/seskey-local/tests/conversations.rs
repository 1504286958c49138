//! Conversations as text files (`tests/conversations/*.txt`), held with a local SES over real sockets.
//!
//! `C:` is a line of the client, `RAW:` bytes of it, `S:` a line of the server, in which `*` stands for anything.
//! `TLS` negotiates TLS after STARTTLS, `BEGIN TLS [NAME]` right after connecting (with the greeting and EHLO),
//! `LOGIN` logs in, `CLOSED` expects the end, `MAILBOX` expects a text in the mailbox, `METRICS` a line of the metrics;
//! `IDENTITY` verifies one.

#![allow(clippy::unwrap_used)]

use std::{fs, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use seskey::{Region, SecretAccessKey, SmtpPassword};
use seskey_local::{
    account::{Action, Answer, Holder, Principal, Status},
    server::{Config, Server},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

#[tokio::test]
async fn conversations() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conversations");
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 18, "{}", files.len());
    for file in files {
        let script = fs::read_to_string(&file).unwrap();
        hold(file.file_stem().unwrap().to_str().unwrap(), &script).await;
    }
}

async fn hold(name: &str, script: &str) {
    let mut config = Config::ephemeral();
    config.identities.verified = script
        .lines()
        .filter_map(|line| line.strip_prefix("IDENTITY "))
        .map(str::to_owned)
        .collect();
    let server = Server::start(config).await.unwrap();
    let words = words(&server);
    let begin = script.lines().find_map(|line| line.strip_prefix("BEGIN TLS"));
    let address = if begin.is_some() { server.smtps } else { server.smtp };
    let mut client =
        Client { name: name.to_owned(), stream: connect(address).await, read: String::new() };
    if let Some(server_name) = begin {
        let server_name = if server_name.is_empty() { "localhost" } else { server_name.trim() };
        client.start_tls(&server, server_name).await;
        client.expect("220 *").await;
        client.send("EHLO client.example.com\r\n").await;
        client.expect("250 Ok").await;
    }
    for line in script.lines() {
        let filled =
            words.iter().fold(line.to_owned(), |line, (word, value)| line.replace(word, value));
        let (keyword, rest) = filled.split_once([':', ' ']).unwrap_or((&filled, ""));
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        match keyword {
            "#" | "IDENTITY" | "BEGIN" => {}
            "C" => client.send(&format!("{rest}\r\n")).await,
            "RAW" => client.send(&rest.replace("\\r", "\r").replace("\\n", "\n")).await,
            "S" => client.expect_line(rest).await,
            "TLS" => client.start_tls(&server, "localhost").await,
            "LOGIN" => {
                client.send(&format!("AUTH PLAIN {}\r\n", words[0].1)).await;
                client.expect_line("235 *").await;
            }
            "CLOSED" => assert_eq!(client.line().await, None, "{name}: still open"),
            "MAILBOX" => {
                let mailbox = get(server.http, "/_aws/ses").await;
                assert!(mailbox.contains(rest), "{name}: {rest} is not in {mailbox}");
            }
            "METRICS" => {
                let metrics = get(server.http, "/_seskey/metrics").await;
                assert!(
                    metrics.contains(&format!("\n{rest}\n")),
                    "{name}: {rest} is not in {metrics}"
                );
            }
            other => panic!("{name}: {other} is no keyword"),
        }
    }
}

/// What stands in braces in a script: credentials of one user in every right and wrong form.
fn words(server: &Server) -> Vec<(&'static str, String)> {
    let apply = |action| server.apply(action).unwrap();
    let user_name = "mailer".to_owned();
    apply(Action::CreateUser {
        user_name: user_name.clone(),
        path: "/app/".to_owned(),
        permissions_boundary: None,
        tags: vec![],
    });
    apply(Action::PutPolicy {
        holder: Holder::User(user_name.clone()),
        policy_name: "AmazonSesSendingAccess".to_owned(),
        document:
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ses:SendRawEmail",
            "Resource":"*","Condition":{"StringLike":{"ses:FromAddress":"news@*"}}},
            {"Effect":"Deny","Action":"ses:*","Resource":"arn:aws:ses:*:*:identity/news@denied.example"}]}"#
                .to_owned(),
    });
    let principal = Principal::User(user_name);
    let key = || match apply(Action::CreateAccessKey { principal: principal.clone() }) {
        Answer::NewAccessKey { access_key, secret_access_key } => {
            (access_key.access_key_id, SecretAccessKey::parse(secret_access_key.expose()).unwrap())
        }
        _ => unreachable!("an answer to another action"),
    };
    let (id, secret) = key();
    let (inactive_id, inactive_secret) = key();
    apply(Action::UpdateAccessKey {
        principal,
        access_key_id: inactive_id.clone(),
        status: Status::Inactive,
    });
    let password = |secret: &SecretAccessKey, region: &str| {
        SmtpPassword::derive(secret, &Region::parse(region).unwrap()).expose().to_owned()
    };
    let right = password(&secret, "us-east-1");
    let plain =
        |user: &str, password: &str| BASE64_STANDARD.encode(format!("\0{user}\0{password}"));
    vec![
        ("{plain}", plain(&id, &right)),
        ("{plain raw secret}", plain(&id, secret.expose())),
        ("{plain other region}", plain(&id, &password(&secret, "eu-west-1"))),
        ("{plain v2}", plain(&id, SmtpPassword::derive_v2(&secret).expose())),
        ("{plain inactive}", plain(&inactive_id, &password(&inactive_secret, "us-east-1"))),
        ("{plain unknown user}", plain("AKIAIOSFODNN7EXAMPLE", &right)),
        ("{plain user name}", plain("mailer", &right)),
        ("{login user}", BASE64_STANDARD.encode(&id)),
        ("{login password}", BASE64_STANDARD.encode(&right)),
    ]
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

struct Client {
    name: String,
    stream: Box<dyn Stream>,
    read: String,
}

impl Client {
    async fn start_tls(&mut self, server: &Server, server_name: &str) {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(server.authority_pem.as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let plain = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        let name = ServerName::try_from(server_name.to_owned()).unwrap();
        self.stream =
            Box::new(TlsConnector::from(Arc::new(config)).connect(name, plain).await.unwrap());
    }

    async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some((line, rest)) = self.read.split_once("\r\n") {
                let line = line.to_owned();
                self.read = rest.to_owned();
                return Some(line);
            }
            let mut buffer = [0; 4096];
            let read = timeout(Duration::from_secs(5), self.stream.read(&mut buffer));
            match read.await.unwrap_or_else(|_| panic!("{}: no answer", self.name)) {
                Ok(0) | Err(_) => return None,
                Ok(length) => self.read.push_str(str::from_utf8(&buffer[..length]).unwrap()),
            }
        }
    }

    async fn expect_line(&mut self, pattern: &str) {
        let line = self
            .line()
            .await
            .unwrap_or_else(|| panic!("{}: closed, where {pattern} was expected", self.name));
        assert!(matches(&line, pattern), "{}: {line}, where {pattern} was expected", self.name);
    }

    /// Reads up to a line.
    async fn expect(&mut self, pattern: &str) {
        while let Some(line) = self.line().await {
            if matches(&line, pattern) {
                return;
            }
        }
        panic!("{}: no {pattern}", self.name);
    }
}

fn matches(line: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => {
            line.len() >= start.len() + end.len() && line.starts_with(start) && line.ends_with(end)
        }
        None => line == pattern,
    }
}

async fn connect(address: SocketAddr) -> Box<dyn Stream> {
    Box::new(TcpStream::connect(address).await.unwrap())
}

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
