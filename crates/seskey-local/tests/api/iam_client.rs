//! An account, and a client of its API that signs with AWS's own signer.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

use jiff::{SignedDuration, Timestamp};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::Value;
use seskey::{AccessKeyId, Partition, SecretAccessKey};
use seskey_local::{
    account::{Account, AccountId},
    api::{self, Mail, Notice, Received},
    event::Dispatch,
    mailbox::Message,
    sending::{Sent, Settings},
    sigv4::HttpRequest,
};
use testkit::signer::{SignatureLocation, Signer, SigningInstructions, SigningSettings};

pub(crate) const ROOT: (&str, &str) =
    ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");

pub(crate) const PEER: &str = "192.0.2.7";

/// An account, its clock, and the key that signs the requests.
pub(crate) struct Client {
    pub(crate) account: Account,
    pub(crate) rng: StdRng,
    pub(crate) now: Timestamp,
    /// How far the account's clock is ahead of the machine's.
    pub(crate) ahead: SignedDuration,
    pub(crate) key: (String, String),
    pub(crate) sent: Sent,
    pub(crate) settings: Settings,
    pub(crate) mailbox: Vec<Message>,
    /// The dispatches of the accepted messages.
    pub(crate) dispatches: Vec<Dispatch>,
    pub(crate) notices: Vec<Notice>,
}

/// The parts of a request before it is signed.
#[derive(Clone)]
pub(crate) struct Unsigned {
    pub(crate) method: &'static str,
    pub(crate) service: &'static str,
    pub(crate) region: &'static str,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) token: Option<String>,
}

/// Temporary credentials.
pub(crate) struct Session {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: String,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) error_type: Option<&'static str>,
    pub(crate) request_id: String,
    pub(crate) body: String,
}

impl Client {
    pub(crate) fn new() -> Self {
        let root = (AccessKeyId::parse(ROOT.0).unwrap(), SecretAccessKey::parse(ROOT.1).unwrap());
        let now: Timestamp = "2026-03-01T12:00:00.987Z".parse().unwrap();
        Self {
            account: Account::new(
                AccountId::parse("111122223333").unwrap(),
                Partition::Aws,
                root,
                now,
            ),
            rng: StdRng::seed_from_u64(7),
            now,
            ahead: SignedDuration::ZERO,
            key: (ROOT.0.into(), ROOT.1.into()),
            sent: Sent::default(),
            settings: Settings::default(),
            mailbox: vec![],
            dispatches: vec![],
            notices: vec![],
        }
    }

    /// Returns the account's clock and the machine's.
    fn clocks(&self) -> [Timestamp; 2] {
        [self.now, self.now.saturating_sub(self.ahead).unwrap()]
    }

    /// Calls IAM by POST.
    pub(crate) fn iam(&mut self, action: &str, parameters: &[(&str, &str)]) -> Reply {
        self.send(&Unsigned::iam(action, parameters))
    }

    /// Calls version 1 of SES.
    pub(crate) fn ses(&mut self, action: &str, parameters: &[(&str, &str)]) -> Reply {
        self.send(&Unsigned::ses(action, parameters))
    }

    /// Calls version 2 of SES, and returns the status and the JSON of the answer.
    pub(crate) fn ses_v2(
        &mut self,
        method: &'static str,
        path: &str,
        body: &Value,
    ) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let reply = self.send(&Unsigned::ses_v2(method, path, &body));
        (reply.status, serde_json::from_str(&reply.body).unwrap())
    }

    /// Calls IAM and expects success.
    pub(crate) fn done(&mut self, action: &str, parameters: &[(&str, &str)]) -> Reply {
        let reply = self.iam(action, parameters);
        assert_eq!(reply.status, 200, "{action} {parameters:?}: {}", reply.body);
        reply
    }

    /// Calls IAM and expects a refusal.
    pub(crate) fn refused(
        &mut self,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> (u16, String, String) {
        self.iam(action, parameters).refusal()
    }

    pub(crate) fn send(&mut self, request: &Unsigned) -> Reply {
        let headers = self.sign(request);
        self.send_signed(request, &headers)
    }

    /// Returns the headers with the signature.
    pub(crate) fn sign(&self, request: &Unsigned) -> Vec<(String, String)> {
        let instructions = self.instructions(request, SigningSettings::default());
        let more = instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned()));
        request.headers.iter().cloned().chain(more).collect()
    }

    /// Returns the query string with the signature.
    pub(crate) fn presign(&self, request: &Unsigned, expires_in: Duration) -> String {
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(expires_in);
        let instructions = self.instructions(request, settings);
        let mut query = form_urlencoded::Serializer::new(request.query.clone());
        query.extend_pairs(instructions.params());
        query.finish()
    }

    fn instructions(&self, request: &Unsigned, settings: SigningSettings) -> SigningInstructions {
        let signer = Signer {
            key: [&self.key.0, &self.key.1],
            token: request.token.as_deref(),
            service: request.service,
            region: request.region,
            time: SystemTime::from(self.now),
        };
        let uri = match request.query.as_str() {
            "" => format!("http://localhost{}", request.path),
            query => format!("http://localhost{}?{query}", request.path),
        };
        let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        signer.sign(settings, request.method, uri, headers, request.body.as_bytes())
    }

    pub(crate) fn send_signed(
        &mut self,
        request: &Unsigned,
        headers: &[(String, String)],
    ) -> Reply {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let signed = HttpRequest {
            method: request.method,
            path: &request.path,
            query: &request.query,
            headers: &headers,
            body: request.body.as_bytes(),
        };
        let peer: IpAddr = PEER.parse().unwrap();
        let key_of = |id: &str| self.account.signing_key(id, self.now, || true);
        let signer = api::authenticate(&signed, self.account.partition(), key_of, self.clocks());
        let (account, rng) = (&mut self.account, &mut self.rng);
        let (head, body) = (HttpRequest { body: &[], ..signed }, signed.body.to_vec());
        let secure_transport = false;
        let received = Received { request: &head, signer, peer, secure_transport, now: self.now };
        let (response, mail) =
            api::answer(account, &mut self.sent, &self.settings, received, body, rng);
        match mail {
            Some(Mail::Accepted(accepted)) => {
                self.mailbox.extend(accepted.message);
                self.dispatches.push(accepted.dispatch);
            }
            Some(Mail::Notice(notice)) => self.notices.push(*notice),
            Some(Mail::Refused(_)) | None => {}
        }
        if !request.path.starts_with("/v2/") {
            assert_eq!(response.content_type, "text/xml");
            assert!(well_formed(&response.body), "{}", response.body);
        } else {
            assert_eq!(response.content_type, "application/json");
        }
        let api::Response { status, error_type, request_id, body, .. } = response;
        Reply { status, error_type, request_id, body }
    }

    /// Sends a request that is signed by a session.
    pub(crate) fn send_as(&mut self, session: &Session, request: &Unsigned) -> Reply {
        let key = (session.access_key_id.clone(), session.secret_access_key.clone());
        let own = std::mem::replace(&mut self.key, key);
        let token = Some(session.session_token.clone());
        let reply = self.send(&Unsigned { token, ..request.clone() });
        self.key = own;
        reply
    }

    /// Assumes a role.
    pub(crate) fn assume(&mut self, role: &str, more: &[(&str, &str)]) -> Session {
        let reply = self.send(&Unsigned::assume_role(role, more));
        assert_eq!(reply.status, 200, "{}", reply.body);
        Session {
            access_key_id: reply.text("AccessKeyId"),
            secret_access_key: reply.text("SecretAccessKey"),
            session_token: reply.text("SessionToken"),
        }
    }

    /// Creates a user with a key, and signs as that user from now on.
    pub(crate) fn become_user(&mut self, user_name: &str) {
        self.done("CreateUser", &[("UserName", user_name)]);
        let reply = self.done("CreateAccessKey", &[("UserName", user_name)]);
        self.key = (reply.text("AccessKeyId"), reply.text("SecretAccessKey"));
    }

    pub(crate) fn become_root(&mut self) {
        self.key = (ROOT.0.into(), ROOT.1.into());
    }
}

impl Unsigned {
    pub(crate) fn iam(action: &str, parameters: &[(&str, &str)]) -> Self {
        Self::post("iam", "us-east-1", "2010-05-08", action, parameters)
    }

    pub(crate) fn sts(action: &str, parameters: &[(&str, &str)]) -> Self {
        Self::post("sts", "eu-west-1", "2011-06-15", action, parameters)
    }

    /// Returns the same request by GET, with no body and no header but the host.
    pub(crate) fn by_get(self) -> Self {
        let headers = vec![("host".to_owned(), "localhost".to_owned())];
        // in a signed query string, a plus sign is a literal one
        let query = self.body.replace('+', "%20");
        Self { method: "GET", query, body: String::new(), headers, ..self }
    }

    pub(crate) fn assume_role(role: &str, more: &[(&str, &str)]) -> Self {
        let arn = format!("arn:aws:iam::111122223333:role/{role}");
        Self::sts(
            "AssumeRole",
            &[&[("RoleArn", &*arn), ("RoleSessionName", "session")], more].concat(),
        )
    }

    pub(crate) fn ses(action: &str, parameters: &[(&str, &str)]) -> Self {
        Self::post("ses", "us-east-1", "2010-12-01", action, parameters)
    }

    pub(crate) fn sns(action: &str, parameters: &[(&str, &str)]) -> Self {
        Self::post("sns", "us-east-1", "2010-03-31", action, parameters)
    }

    pub(crate) fn ses_v2(method: &'static str, path: &str, body: &str) -> Self {
        let post = Self::ses("", &[]);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut headers = post.headers.clone();
        headers[1].1 = "application/json".into();
        let (path, query, body) = (path.into(), query.into(), body.into());
        Self { method, path, query, body, headers, ..post }
    }

    fn post(
        service: &'static str,
        region: &'static str,
        version: &str,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", version).extend_pairs(parameters);
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Self {
            method: "POST",
            service,
            region,
            path: "/".into(),
            query: String::new(),
            headers: vec![
                header("host", "localhost"),
                header("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
                header("user-agent", "seskey-test/1"),
            ],
            body: form.finish(),
            token: None,
        }
    }
}

impl Reply {
    /// Returns the text of the first element of a name.
    pub(crate) fn text(&self, name: &str) -> String {
        self.texts(name).into_iter().next().unwrap_or_else(|| panic!("{name} in {}", self.body))
    }

    /// Returns the texts of all elements of a name.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let parts = self.body.split(&open).skip(1);
        let inner = parts.map(|part| part.split(&close).next().unwrap());
        inner.map(|text| quick_xml::escape::unescape(text).unwrap().into_owned()).collect()
    }

    pub(crate) fn refusal(&self) -> (u16, String, String) {
        assert_ne!(self.status, 200, "{}", self.body);
        assert_eq!(self.text("Type"), "Sender");
        assert_eq!(self.text("RequestId"), self.request_id);
        (self.status, self.text("Code"), self.text("Message"))
    }
}

fn well_formed(document: &str) -> bool {
    let mut reader = quick_xml::Reader::from_str(document);
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Eof) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

pub(crate) const ALLOW_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
pub(crate) const SENDING: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ses:SendRawEmail","Resource":"*"}]}"#;
/// Returns a trust policy for a `Principal`.
pub(crate) fn trust(principal: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}]}}"#
    )
}
