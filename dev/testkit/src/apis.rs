//! Plain clients of the APIs of a local SES, light enough for many requests.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::SystemTime,
};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use regex::Regex;

use crate::{
    process::LocalSes,
    signer::{Signer, SigningSettings},
};

/// A client that signs requests to IAM and STS.
#[derive(Clone)]
pub struct Iam {
    address: String,
    key: [String; 2],
}

/// The media type of a request to a Query API.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// An answer: the status and the body.
pub type Answer = (u16, String);

impl Iam {
    /// Returns a client for the root user of a local SES.
    pub fn of(local: &LocalSes) -> Self {
        let key = ["/root/access_key_id", "/root/secret_access_key"];
        Self {
            address: local.at("/http").to_owned(),
            key: key.map(|pointer| local.at(pointer).to_owned()),
        }
    }

    /// Returns a client for another access key than the root user's.
    pub fn by(address: &str, key: [String; 2]) -> Self {
        Self { address: address.to_owned(), key }
    }

    /// Calls an action of IAM.
    pub fn ask(&self, action: &str, parameters: &[(&str, &str)]) -> io::Result<Answer> {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let all = [("Action", action), ("Version", "2010-05-08")];
        let all = all.iter().chain(parameters);
        let form: Vec<_> = all.map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect();
        self.post("iam", "/", FORM, &form.join("&"))
    }

    /// Posts a body, signed for a service.
    pub fn post(
        &self,
        service: &str,
        path: &str,
        content_type: &str,
        body: &str,
    ) -> io::Result<Answer> {
        let fixed = [("host", &*self.address), ("content-type", content_type)];
        let signer = Signer {
            key: [&self.key[0], &self.key[1]],
            token: None,
            service,
            region: "us-east-1",
            time: SystemTime::now(),
        };
        let url = format!("http://{}{path}", self.address);
        let settings = SigningSettings::default();
        let signed = signer.sign(settings, "POST", url, fixed.into_iter(), body.as_bytes());
        let headers: String = fixed
            .into_iter()
            .chain(signed.headers())
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        http(&self.address, &format!("POST {path} HTTP/1.1\r\n{headers}"), body)
    }

    /// Calls an action that must not fail.
    pub fn done(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let (status, body) = self.ask(action, parameters).unwrap();
        assert_eq!(status, 200, "{action} {parameters:?}: {body}");
        body
    }

    /// Creates an access key of a user; `None` if that is refused.
    pub fn key(&self, user: &str) -> io::Result<Option<[String; 2]>> {
        let (status, body) = self.ask("CreateAccessKey", &[("UserName", user)])?;
        let one = |name| texts(&body, name).remove(0);
        Ok((status == 200).then(|| [one("AccessKeyId"), one("SecretAccessKey")]))
    }

    /// Creates a user who may send, and returns the user's access key.
    pub fn sender(&self, user: &str) -> [String; 2] {
        self.done("CreateUser", &[("UserName", user)]);
        let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ses:*","Resource":"*"}]}"#;
        let policy = [("UserName", user), ("PolicyName", "p"), ("PolicyDocument", document)];
        self.done("PutUserPolicy", &policy);
        self.key(user).unwrap().unwrap()
    }

    /// Returns the names of all users.
    pub fn users(&self) -> Vec<String> {
        texts(&self.done("ListUsers", &[("MaxItems", "1000")]), "UserName")
    }
}

/// Returns the texts of all elements of a name.
pub fn texts(xml: &str, name: &str) -> Vec<String> {
    let element = Regex::new(&format!("<{name}>([^<]*)</{name}>")).unwrap();
    element.captures_iter(xml).map(|found| found[1].to_owned()).collect()
}

/// Returns the IDs of the messages in the mailbox.
pub fn mailbox(local: &LocalSes) -> Vec<String> {
    let (status, body) =
        http(local.at("/http"), "GET /_aws/ses HTTP/1.0\r\nhost: localhost\r\n", "").unwrap();
    assert_eq!(status, 200);
    let mailbox: serde_json::Value = serde_json::from_str(&body).unwrap();
    let messages = mailbox["messages"].as_array().unwrap();
    messages.iter().map(|message| message["Id"].as_str().unwrap().to_owned()).collect()
}

/// Deletes all messages, and returns the status of the answer.
pub fn empty_mailbox(local: &LocalSes) -> u16 {
    http(local.at("/http"), "DELETE /_aws/ses HTTP/1.0\r\nhost: localhost\r\n", "").unwrap().0
}

/// Moves the clock of the local SES forward, by a duration such as `90d`.
pub fn advance(local: &LocalSes, by: &str) {
    let head = "POST /_seskey/clock HTTP/1.0\r\nhost: localhost\r\n";
    let (status, body) =
        http(local.at("/http"), head, &format!(r#"{{"advance": "{by}"}}"#)).unwrap();
    assert_eq!(status, 200, "{body}");
}

fn http(address: &str, head: &str, body: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    let length = body.len();
    let request = format!("{head}connection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    if length.is_some_and(|length| length != body.len().to_string()) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((head[9..12].parse().unwrap(), body.to_owned()))
}
