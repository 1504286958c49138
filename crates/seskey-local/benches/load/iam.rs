//! A client of the IAM Query API that costs little: connections are kept, requests are signed in advance.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Instant, SystemTime},
};

use seskey::{Region, SecretAccessKey, SmtpPassword};
use testkit::signer::{Signer, SigningSettings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    Result,
    rounds::{Round, race},
    servers::Server,
};

/// The address of IAM, and the access key of the requests.
pub(crate) struct Iam {
    address: SocketAddr,
    access_key: (&'static str, &'static str),
}

/// The requests that make an SMTP user as the SES console does.
type Flow = [Vec<u8>; 3];

/// A connection that is kept as long as the server keeps it.
struct Connection {
    address: SocketAddr,
    tcp: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// The most flows: IAM allows 5,000 users, one of which is the SMTP user.
pub(crate) const MOST_FLOWS: usize = 4_990;

/// Makes so many users with a policy and an access key, by `clients` with a connection each.
pub(crate) async fn flows(server: &Server, clients: usize, flows: usize) -> Result<Round> {
    let iam = &server.iam;
    let jobs: Vec<Flow> = (0..flows).map(|_| iam.flow()).collect();
    race(server, jobs, clients, |jobs| {
        let mut connection = Connection::new(iam.address);
        async move {
            let mut latencies = vec![];
            while let Some(flow) = jobs.next() {
                let start = Instant::now();
                for request in &flow {
                    connection.call(request).await?;
                }
                latencies.push(start.elapsed());
            }
            Ok(latencies)
        }
    })
    .await
}

impl Iam {
    pub(crate) fn new(address: SocketAddr, access_key: (&'static str, &'static str)) -> Self {
        Self { address, access_key }
    }

    /// Makes an SMTP user, and derives its password for `us-east-1`.
    pub(crate) async fn smtp_credentials(&self) -> Result<(String, String)> {
        let mut connection = Connection::new(self.address);
        let mut answer = String::new();
        for request in &self.flow() {
            answer = connection.call(request).await?;
        }
        let text = |element: &str| {
            let (_, rest) = answer.split_once(&format!("<{element}>"))?;
            Some(rest.split_once('<')?.0.to_owned())
        };
        let id = text("AccessKeyId").ok_or("no AccessKeyId")?;
        let secret = text("SecretAccessKey").ok_or("no SecretAccessKey")?;
        let secret = SecretAccessKey::parse(&secret)?;
        let password = SmtpPassword::derive(&secret, &Region::parse("us-east-1")?);
        Ok((id, password.expose().to_owned()))
    }

    fn flow(&self) -> Flow {
        static USERS: AtomicUsize = AtomicUsize::new(0);
        let user = format!("ses-smtp-user.{}", USERS.fetch_add(1, Ordering::Relaxed));
        let policy = [
            ("UserName", &*user),
            ("PolicyName", "AmazonSesSendingAccess"),
            ("PolicyDocument", POLICY),
        ];
        [
            self.request("CreateUser", &[("UserName", &user)]),
            self.request("PutUserPolicy", &policy),
            self.request("CreateAccessKey", &[("UserName", &user)]),
        ]
    }

    /// Returns a signed request, as it goes over the wire.
    fn request(&self, action: &str, parameters: &[(&str, &str)]) -> Vec<u8> {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("Action", action), ("Version", "2010-05-08")])
            .extend_pairs(parameters)
            .finish();
        let host = self.address.to_string();
        let headers = [
            ("host", host.as_str()),
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
        ];
        let (id, secret) = self.access_key;
        let signer = Signer {
            key: [id, secret],
            token: None,
            service: "iam",
            region: "us-east-1",
            time: SystemTime::now(),
        };
        let url = format!("http://{host}/");
        let settings = SigningSettings::default();
        let instructions = signer.sign(settings, "POST", url, headers.into_iter(), body.as_bytes());
        let lines: String = headers
            .into_iter()
            .chain(instructions.headers())
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let length = body.len();
        format!("POST / HTTP/1.1\r\n{lines}content-length: {length}\r\n\r\n{body}").into_bytes()
    }
}

impl Connection {
    fn new(address: SocketAddr) -> Self {
        Self { address, tcp: None, buffer: vec![] }
    }

    /// Sends a request, and returns the body of the answer; any status but 200 is a failure.
    async fn call(&mut self, request: &[u8]) -> Result<String> {
        let mut tcp = match self.tcp.take() {
            Some(tcp) => tcp,
            None => TcpStream::connect(self.address).await?,
        };
        tcp.set_nodelay(true)?;
        tcp.write_all(request).await?;
        self.buffer.clear();
        let (head, body) = loop {
            if tcp.read_buf(&mut self.buffer).await? == 0 {
                return Err("closed where an answer was awaited".into());
            }
            let answer = str::from_utf8(&self.buffer)?;
            if let Some((head, body)) = answer.split_once("\r\n\r\n") {
                let length: usize = header(head, "content-length").ok_or("no length")?.parse()?;
                if body.len() >= length {
                    break (head, body);
                }
            }
        };
        if !head.starts_with("HTTP/1.1 200 ") {
            return Err(format!("{} {body}", head.lines().next().unwrap_or_default()).into());
        }
        self.tcp = (header(head, "connection") != Some("close")).then_some(tcp);
        Ok(body.to_owned())
    }
}

fn header<'a>(head: &'a str, wanted: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find_map(|(name, value)| name.eq_ignore_ascii_case(wanted).then_some(value))
}

/// The inline policy that the SES console makes.
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ses:SendRawEmail","Resource":"*"}]}"#;
