//! The known facts about a failure. Every fact may be missing, and none is a secret.

use super::{
    Phase,
    forms::{Around, Password, UserName},
    said::{Problem, Said},
};
use crate::{
    recognise::{Mistake, Origin},
    region::Region,
};

/// The known facts. A fact that was not looked for is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The kind of user name, by its form.
    pub user_name: Option<UserName>,
    /// The user name itself, if it has the form of one.
    pub user_name_text: Option<String>,
    /// The kind of password, by its form.
    pub password: Option<Password>,
    /// The characters around the password, or the user name, that belong to neither.
    pub around: Option<Around>,
    /// The derivation of the password from the secret access key that was given beside it.
    pub derivation: Option<Derivation>,
    /// The kind of host, by its name.
    pub host: Option<Host>,
    /// The name of the host.
    pub host_text: Option<String>,
    /// The region that the login is for.
    pub region: Option<Region>,
    /// The port that the application connects to.
    pub port: Option<u16>,
    /// The errors in the written host and port.
    pub place: Option<WrittenPlace>,
    /// The way in which the application changes to TLS, by its configuration.
    pub tls_mode: Option<TlsMode>,
    /// The sender.
    pub from: Option<String>,
    /// The recipient.
    pub to: Option<String>,
    /// The message of the application or the server.
    pub said: Option<Said>,
    /// Whether the file or the text is Postfix's.
    pub is_of_postfix: bool,
    /// The host and the port that were connected to in the application's place.
    pub server: Option<(String, u16)>,

    /// Whether the name of the host has an address.
    pub resolves: Option<bool>,
    /// The ports of the endpoint, open and closed.
    pub ports: Option<Ports>,
    /// Whether IPv4 and IPv6 take a connection, if the host has addresses of both.
    pub families: Option<(bool, bool)>,
    /// The server that greets.
    pub banner: Option<Banner>,
    /// Whether STARTTLS is offered before TLS.
    pub starttls: Option<bool>,
    /// The outcome of TLS.
    pub tls: Option<Tls>,
    /// The difference in seconds between the clock of this machine and the server's.
    pub clock_offset: Option<u64>,
    /// Whether PLAIN or LOGIN is offered over TLS.
    pub offers_login: Option<bool>,
    /// Whether the server took the user name and the password.
    pub logged_in: Option<bool>,
    /// The other region whose endpoint took them.
    pub logged_in_elsewhere: Option<Region>,
    /// The phase in which an attempted connection or login failed, and the failure. It is a finding if no cause is one.
    pub failed: Option<(Phase, String)>,

    /// The access key in IAM.
    pub key: Option<Key>,
    /// The age of the access key in seconds.
    pub key_age: Option<u64>,
    /// The name of the IAM user of the access key.
    pub iam_user: Option<String>,
    /// Whether there is an IAM user with the name that was given as user name.
    pub is_iam_user: Option<bool>,
    /// Whether AWS has put the user of the key under quarantine.
    pub quarantined: Option<bool>,
    /// Whether IAM lets the user send this message.
    pub permission: Option<Permission>,

    /// The identity of the sender in SES, in this region.
    pub sender: Option<Identity>,
    /// Whether the account is in the sandbox, in this region.
    pub sandbox: Option<bool>,
    /// Whether the recipient is a verified identity.
    pub recipient_verified: Option<bool>,
    /// Whether the account may send.
    pub sending_enabled: Option<bool>,
    /// Whether the quota of 24 hours is used up.
    pub quota_exhausted: Option<bool>,
    /// The configuration set that the message uses.
    pub configuration_set: Option<ConfigurationSet>,
    /// Whether the MAIL FROM domain of the identity is not set up, and the identity then rejects messages.
    pub mail_from_rejects: Option<bool>,
    /// Whether the recipient is on the suppression list of the account.
    pub suppressed: Option<bool>,
}

/// The derivation of a password from a secret access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Derivation {
    /// The right derivation for this region.
    Right(Region),
    /// The legacy derivation.
    V2,
    /// A known wrong derivation.
    Mistaken(Mistake),
    /// No known derivation.
    Unrelated,
}

/// The kind of host, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// An SMTP endpoint of SES.
    Smtp(Region),
    /// An SMTP endpoint in this region, which has none.
    WithoutSmtp(String),
    /// The endpoint of the SES API.
    Api(Option<Region>),
    /// An ingress endpoint of Mail Manager.
    MailManager,
    /// A misspelled name of AWS, with the nearest right name.
    Misspelled(Option<String>),
    /// An SMTP server of this other provider.
    Provider(&'static str),
    /// The machine itself: `localhost`, or an address of its loopback.
    OwnMachine,
    /// Any other name, or an address.
    Other,
}

/// The errors in a written host and port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WrittenPlace {
    /// The host has a port behind it, although a host alone is required.
    pub port_in_host: bool,
    /// The port is not a valid port number.
    pub port_is_none: bool,
}

/// The way in which an application changes to TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// Not at all, by its setting.
    Clear,
    /// Not at all: it is Django's, and no setting turns TLS on.
    ClearByDefault,
    /// By STARTTLS.
    Starttls,
    /// From the first byte.
    Wrapper,
    /// `secure=true`, which most readers take for TLS from the first byte.
    Secure,
    /// `secure=false`, which most readers take for STARTTLS, or no TLS.
    NotSecure,
}

/// The ports of the endpoint that were tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ports {
    /// The ports that take a connection.
    pub open: Vec<u16>,
    /// The ports that take none.
    pub closed: Vec<u16>,
}

/// The server that greets on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Banner {
    /// SES, or the local SES.
    Ses,
    /// Another SMTP server.
    Foreign,
    /// A server of another protocol, such as HTTP.
    NotSmtp,
    /// None until TLS begins.
    Silent,
    /// None, in clear or in TLS.
    Nobody,
    /// None: the connection is closed at once.
    Closed,
}

/// The result of a TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// It succeeded, and the certificate is trusted.
    Good,
    /// The certificate was not accepted.
    Certificate(Certificate),
    /// The answer is not TLS.
    NotTls,
    /// There is no version in common.
    NoVersion,
}

/// The fault of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// It does not lead to a trusted root.
    UnknownIssuer,
    /// It has other names.
    OtherName(Vec<String>),
    /// It has expired, or is not valid yet.
    Time,
    /// Another fault, in the words of the TLS library.
    Other(String),
}

/// An access key in IAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the values of IAM's StatusType, and one more
pub enum Key {
    Active,
    Inactive,
    Expired,
    /// IAM does not know it, or it is of another account.
    Unknown,
}

/// The answer of IAM about a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permission {
    /// It may be sent.
    Allowed,
    /// No statement allows it.
    NotAllowed,
    /// A statement allows it for other identities.
    OtherResource,
    /// A statement allows `ses:SendEmail` alone.
    SendEmailOnly,
    /// A statement would allow it without these condition keys.
    Condition(Vec<String>),
    /// A statement denies it.
    ExplicitDeny,
    /// The permissions boundary does not allow it.
    Boundary,
    /// A policy of the organization denies it.
    Organization,
}

/// An identity in SES.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it all
pub enum Identity {
    Verified,
    NotVerified,
    /// It belongs to another account.
    OtherAccount,
}

/// A configuration set in SES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigurationSet {
    /// It exists.
    Sending,
    /// The one of this name may not send.
    Paused(String),
    /// None has this name.
    Missing(String),
}

impl Evidence {
    /// Adds the message. Its text gives host, port or user name if nothing else does.
    pub fn with_said(self, said: Option<Said>) -> Self {
        let Some(said) = said else { return self };
        let host_text = self.host_text.or_else(|| said.host.clone());
        let host = self.host.or_else(|| said.host.as_deref().map(Host::of));
        let region = self.region.or_else(|| match &host {
            Some(Host::Smtp(region) | Host::Api(Some(region))) => Some(region.clone()),
            _ => None,
        });
        let (port, user_name) = (self.port.or(said.port), self.user_name.or(said.user_name));
        let is_of_postfix = self.is_of_postfix || said.is_of_postfix;
        Self { host_text, host, region, port, user_name, is_of_postfix, said: Some(said), ..self }
    }

    /// Returns the other provider whose server sent the message.
    pub(super) fn said_by(&self) -> Option<&'static str> {
        self.said.as_ref().and_then(|said| said.provider)
    }

    /// Returns the problem in the message, if it excludes others.
    pub(super) fn said(&self) -> Option<&Problem> {
        self.said.as_ref().map(|said| &said.problem).filter(|problem| !problem.is_vague())
    }

    /// Returns the configuration set that a reply names.
    pub fn said_configuration_set(&self) -> Option<&str> {
        match self.said()? {
            Problem::NoConfigurationSet(name) => name.as_deref(),
            _ => None,
        }
    }

    /// Whether the message names this problem, even a vague one.
    pub(super) fn has_said(&self, problem: &Problem) -> bool {
        self.said.as_ref().is_some_and(|said| said.problem == *problem)
    }

    /// Whether a login was refused as such, by the message or in a test.
    pub(super) fn is_refused(&self) -> bool {
        self.logged_in == Some(false)
            || self.has_said(&Problem::CredentialsInvalid)
            || self.has_said(&Problem::LoginFailed)
    }

    /// Whether the state of the access key in IAM alone explains a refused login.
    pub(super) fn is_explained_by_key(&self) -> bool {
        self.key.is_some_and(|key| key != Key::Active)
    }

    /// Returns which side refuses the login, as far as it is known: not every application shows the reply of the
    /// server.
    pub(super) fn refuser(&self) -> &'static str {
        match self.logged_in == Some(false) || self.has_said(&Problem::CredentialsInvalid) {
            true => "the server refuses the login",
            false => "the application says that the login failed, and not why",
        }
    }

    /// Whether these values were seen to log in, or a reply was given that comes only after a login.
    pub(super) fn is_past_login(&self) -> bool {
        match self.logged_in {
            Some(logged_in) => logged_in,
            None => self.said().is_some_and(Problem::is_past_login),
        }
    }

    /// Whether the server refuses user name and password in this region, and takes them in no other.
    pub(super) fn is_refused_everywhere(&self) -> bool {
        self.is_refused() && self.logged_in_elsewhere.is_none()
    }

    /// Whether a session is known to have been encrypted.
    pub(super) fn is_past_tls(&self) -> bool {
        self.is_past_login()
            || self.tls == Some(Tls::Good)
            || self.logged_in == Some(false)
            || self.said().is_some_and(Problem::is_past_tls)
    }

    /// Whether an SMTP server of SES is known to have answered.
    pub(super) fn is_past_network(&self) -> bool {
        self.is_past_tls()
            || self.banner == Some(Banner::Ses)
            || self.said.as_ref().is_some_and(|said| said.problem.is_reply())
    }
}

impl From<Option<Origin>> for Derivation {
    fn from(origin: Option<Origin>) -> Self {
        match origin {
            Some(Origin::V4(region)) => Self::Right(region),
            Some(Origin::V2) => Self::V2,
            Some(Origin::Mistaken(mistake, _)) => Self::Mistaken(mistake),
            None => Self::Unrelated,
        }
    }
}
