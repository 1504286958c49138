//! Clients of a local SES that are light enough for many: IAM by hand, SMTP by lettre.

use std::{
    fs,
    io::{self, Read, Write},
    net::TcpStream,
    time::SystemTime,
};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4::SigningParams,
};
use lettre::{
    SmtpTransport, Transport,
    address::Envelope,
    transport::smtp::{
        authentication,
        client::{Certificate, Tls, TlsParameters},
    },
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use regex::Regex;
use seskey::{Region, SecretAccessKey, SmtpPassword};

use crate::process::LocalSes;

/// Signs requests to IAM as the root user.
#[derive(Clone)]
pub(crate) struct Iam {
    address: String,
    key: [String; 2],
}

/// The media type of a request to a Query API.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// What came back: the status and the body.
pub(crate) type Answer = (u16, String);

impl Iam {
    pub(crate) fn of(local: &LocalSes) -> Self {
        let key = ["/root/access_key_id", "/root/secret_access_key"];
        Self {
            address: local.at("/http").to_owned(),
            key: key.map(|pointer| local.at(pointer).to_owned()),
        }
    }

    pub(crate) fn ask(&self, action: &str, parameters: &[(&str, &str)]) -> io::Result<Answer> {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let all = [("Action", action), ("Version", "2010-05-08")];
        let all = all.iter().chain(parameters);
        let form: Vec<_> = all.map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect();
        self.post("iam", "/", FORM, &form.join("&"))
    }

    /// Posts a body, signed for a service.
    pub(crate) fn post(
        &self,
        service: &str,
        path: &str,
        content_type: &str,
        body: &str,
    ) -> io::Result<Answer> {
        let fixed = [("host", &*self.address), ("content-type", content_type)];
        let identity = Credentials::new(&self.key[0], &self.key[1], None, None, "test").into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let url = format!("http://{}{path}", self.address);
        let signable = SignableBody::Bytes(body.as_bytes());
        let request = SignableRequest::new("POST", url, fixed.into_iter(), signable).unwrap();
        let (signed, _) = sign(request, &params).unwrap().into_parts();
        let headers: String = fixed
            .into_iter()
            .chain(signed.headers())
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        http(&self.address, &format!("POST {path} HTTP/1.1\r\n{headers}"), body)
    }

    /// What must not fail.
    pub(crate) fn done(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let (status, body) = self.ask(action, parameters).unwrap();
        assert_eq!(status, 200, "{action} {parameters:?}: {body}");
        body
    }

    /// A new access key of a user.
    pub(crate) fn key(&self, user: &str) -> io::Result<Option<[String; 2]>> {
        let (status, body) = self.ask("CreateAccessKey", &[("UserName", user)])?;
        let one = |name| texts(&body, name).remove(0);
        Ok((status == 200).then(|| [one("AccessKeyId"), one("SecretAccessKey")]))
    }

    /// A user with an access key, who may send.
    pub(crate) fn sender(&self, user: &str) -> [String; 2] {
        self.done("CreateUser", &[("UserName", user)]);
        let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ses:*","Resource":"*"}]}"#;
        let policy = [("UserName", user), ("PolicyName", "p"), ("PolicyDocument", document)];
        self.done("PutUserPolicy", &policy);
        self.key(user).unwrap().unwrap()
    }

    pub(crate) fn users(&self) -> Vec<String> {
        texts(&self.done("ListUsers", &[("MaxItems", "1000")]), "UserName")
    }
}

/// The texts of all elements of a name.
pub(crate) fn texts(xml: &str, name: &str) -> Vec<String> {
    let element = Regex::new(&format!("<{name}>([^<]*)</{name}>")).unwrap();
    element.captures_iter(xml).map(|found| found[1].to_owned()).collect()
}

/// The IDs of the messages in the mailbox.
pub(crate) fn mailbox(local: &LocalSes) -> Vec<String> {
    let (status, body) =
        http(local.at("/http"), "GET /_aws/ses HTTP/1.0\r\nhost: localhost\r\n", "").unwrap();
    assert_eq!(status, 200);
    let mailbox: serde_json::Value = serde_json::from_str(&body).unwrap();
    let messages = mailbox["messages"].as_array().unwrap();
    messages.iter().map(|message| message["Id"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn empty_mailbox(local: &LocalSes) -> u16 {
    http(local.at("/http"), "DELETE /_aws/ses HTTP/1.0\r\nhost: localhost\r\n", "").unwrap().0
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

/// An SMTP client with the credential that an access key makes.
pub(crate) fn smtp(local: &LocalSes, [id, secret]: &[String; 2]) -> SmtpTransport {
    let secret = SecretAccessKey::parse(secret).unwrap();
    let password = SmtpPassword::derive(&secret, &Region::parse("us-east-1").unwrap());
    let authority = fs::read(local.at("/ca_file")).unwrap();
    let authority = Certificate::from_pem(&authority).unwrap();
    let tls = TlsParameters::builder("localhost".into()).add_root_certificate(authority).build();
    let port = local.at("/smtp").rsplit_once(':').unwrap().1.parse().unwrap();
    let credentials = authentication::Credentials::new(id.clone(), password.expose().to_owned());
    SmtpTransport::builder_dangerous("127.0.0.1")
        .port(port)
        .tls(Tls::Required(tls.unwrap()))
        .credentials(credentials)
        .build()
}

/// Sends a message; gives its ID, or what went wrong.
pub(crate) fn send(smtp: &SmtpTransport, body: &str) -> Result<String, String> {
    let address = "a@example.com".parse::<lettre::Address>().unwrap();
    let envelope = Envelope::new(Some(address.clone()), vec![address]).unwrap();
    let message = format!("From: a@example.com\r\nTo: a@example.com\r\n\r\n{body}\r\n");
    let reply = smtp.send_raw(&envelope, message.as_bytes()).map_err(|error| error.to_string())?;
    let text: String = reply.message().collect();
    Ok(text.strip_prefix("Ok ").unwrap().to_owned())
}
