//! The typed values, by their form: the facts that need no network and contain no secret.

use std::net::IpAddr;

use base64::{Engine, prelude::BASE64_STANDARD};
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::{
    evidence::{Derivation, Evidence, Host, TlsMode, WrittenPlace},
    providers::provider,
};
use crate::{
    access_key::{AccessKeyId, SecretAccessKey},
    credential::Kind,
    mail_manager::IngressPassword,
    password::{Algorithm, SmtpPassword},
    recognise::{Recognised, origin, recognise},
    region::Region,
};

/// The values that the user has typed, as the application has them.
#[derive(Default, Clone, Copy)]
pub struct Values<'a> {
    /// The SMTP user name.
    pub user_name: Option<&'a str>,
    /// The SMTP password.
    pub password: Option<&'a str>,
    /// The secret access key that the password should come from.
    pub secret: Option<&'a SecretAccessKey>,
    /// The host that the application connects to.
    pub host: Option<&'a str>,
    /// The port that it connects to.
    pub port: Option<u16>,
    /// The errors in the written host and port.
    pub place: WrittenPlace,
    /// The way in which the application changes to TLS.
    pub tls_mode: Option<TlsMode>,
    /// The region, if it is known other than by the host.
    pub region: Option<&'a Region>,
    /// Whether they are from a file of Postfix.
    pub is_of_postfix: bool,
    /// Days to try for a derivation with a real date, as `YYYYMMDD`.
    pub dates: &'a [String],
}

/// The kind of user name, by its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserName {
    /// Nothing at all.
    Empty,
    /// An access key ID.
    AccessKeyId,
    /// An access key ID in the wrong case, or of this wrong length.
    Mistyped(usize),
    /// A temporary access key ID.
    Temporary,
    /// The ID of a Mail Manager ingress endpoint.
    IngressPointId,
    /// The unique ID of another kind of thing in IAM, which is named.
    UniqueId(&'static str),
    /// A mail address.
    Email,
    /// An example that was never replaced.
    Placeholder,
    /// A password or a secret.
    Secret,
    /// Anything else, such as the name of an IAM user.
    Other,
}

/// The kind of password, by its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Password {
    /// Nothing at all.
    Empty,
    /// An SMTP password.
    Smtp(Algorithm),
    /// A signature without its version byte.
    WithoutVersion,
    /// A secret access key, by its form or because it is the given one.
    SecretAccessKey {
        /// Whether it is the given one.
        is_given: bool,
    },
    /// A text with the form of a secret access key, and of an SMTP password without its last four letters.
    SecretAccessKeyOrCutOff,
    /// An access key ID.
    AccessKeyId,
    /// The Base64 of an SMTP password.
    Base64,
    /// An SMTP password with `%2F` or `%2B` in it.
    PercentEncoded,
    /// The beginning of an SMTP password, of this length.
    CutOff(usize),
    /// An example that was never replaced, or a variable.
    Placeholder,
    /// Not one of IAM's; Mail Manager would take it.
    Chosen,
    /// Anything else, of this length.
    Other(usize),
}

/// The characters around a value that do not belong to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Around {
    /// Blanks, line ends, a byte order mark; also control characters inside the value.
    pub white_space: bool,
    /// Quotation marks.
    pub quotes: bool,
}

/// The prefixes of unique IDs. Source: IAM User Guide, "IAM identifiers".
const UNIQUE_IDS: [(&str, &str); 8] = [
    ("AIDA", "an IAM user"),
    ("AROA", "a role"),
    ("AGPA", "a group"),
    ("ANPA", "a managed policy"),
    ("ANVA", "a version of a managed policy"),
    ("AIPA", "an instance profile"),
    ("ASCA", "a certificate"),
    ("APKA", "a public key"),
];

impl Evidence {
    /// Returns the facts that the values show.
    pub fn of(values: Values<'_>) -> Self {
        let host = values.host.map(|host| Host::of(host.trim()));
        let region = values.region.cloned().or_else(|| match &host {
            Some(Host::Smtp(region) | Host::Api(Some(region))) => Some(region.clone()),
            _ => values.host.and_then(|host| Region::of_smtp_endpoint(host.trim())),
        });
        let user_name = values.user_name.map(|text| text.trim_matches(is_around));
        let password = values.password.map(|text| text.trim_matches(is_around));
        let given = [values.user_name, values.password];
        let around = given.iter().flatten().fold(None, |around: Option<Around>, text| {
            let (seen, more) = (around.unwrap_or_default(), Around::of(text));
            Some(Around {
                white_space: seen.white_space || more.white_space,
                quotes: seen.quotes || more.quotes,
            })
        });
        let derivation = values.secret.zip(password).and_then(|(secret, password)| {
            derivation(password, secret, region.as_ref(), values.dates)
        });
        let password_form = password.map(|text| match values.secret {
            Some(secret) if secret.expose() == text => Password::SecretAccessKey { is_given: true },
            Some(secret) if is_beginning(text, secret) => Password::CutOff(text.len()),
            _ => Password::of(text),
        });
        Self {
            user_name: user_name.map(UserName::of),
            user_name_text: user_name
                .filter(|text| Kind::of_user_name(text).is_some())
                .map(str::to_owned),
            password: password_form,
            around,
            derivation,
            host,
            host_text: values.host.map(|host| host.trim().to_owned()),
            region,
            port: values.port,
            place: Some(values.place),
            tls_mode: values.tls_mode,
            is_of_postfix: values.is_of_postfix,
            ..Self::default()
        }
    }
}

/// Whether a text is the beginning of the SMTP password of this secret access key for some region.
fn is_beginning(text: &str, secret: &SecretAccessKey) -> bool {
    let begins = |region: Region| SmtpPassword::derive(secret, &region).expose().starts_with(text);
    (12..SmtpPassword::LENGTH).contains(&text.len()) && Region::with_smtp().any(begins)
}

fn derivation(
    password: &str,
    secret: &SecretAccessKey,
    region: Option<&Region>,
    dates: &[String],
) -> Option<Derivation> {
    let password = SmtpPassword::parse(password).ok()?;
    Some(origin(&password, secret, region, dates.iter().map(String::as_str)).into())
}

impl UserName {
    pub(super) fn of(text: &str) -> Self {
        match recognise(text) {
            _ if text.is_empty() => return Self::Empty,
            _ if is_placeholder(text) => return Self::Placeholder,
            Recognised::AccessKeyId if text.len() >= AccessKeyId::LENGTH => {
                return Self::AccessKeyId;
            }
            Recognised::AccessKeyId => return Self::Mistyped(text.len()),
            Recognised::TemporaryAccessKeyId => return Self::Temporary,
            Recognised::IngressPointId => return Self::IngressPointId,
            Recognised::SmtpPassword(_)
            | Recognised::SecretAccessKey
            | Recognised::PasswordWithoutVersion => return Self::Secret,
            _ => {}
        }
        if text.len() == AccessKeyId::LENGTH
            && AccessKeyId::parse(&text.to_ascii_uppercase()).is_ok()
        {
            return Self::Mistyped(text.len());
        }
        let is_id =
            text.len() >= 16 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let unique = UNIQUE_IDS.iter().find(|(prefix, _)| is_id && text.starts_with(prefix));
        match unique {
            Some((_, what)) => Self::UniqueId(what),
            None if text.contains('@') => Self::Email,
            None => Self::Other,
        }
    }
}

impl Password {
    fn of(text: &str) -> Self {
        match recognise(text) {
            _ if text.is_empty() => return Self::Empty,
            _ if is_placeholder(text) => return Self::Placeholder,
            Recognised::SmtpPassword(algorithm) => return Self::Smtp(algorithm),
            Recognised::PasswordWithoutVersion => return Self::WithoutVersion,
            // a digest or a random key of another kind
            Recognised::SecretAccessKey if text.bytes().all(is_hex) => {
                return Self::Other(text.len());
            }
            Recognised::SecretAccessKey if begins_as_password(text) => {
                return Self::SecretAccessKeyOrCutOff;
            }
            Recognised::SecretAccessKey => return Self::SecretAccessKey { is_given: false },
            Recognised::AccessKeyId | Recognised::TemporaryAccessKeyId => return Self::AccessKeyId,
            _ => {}
        }
        let decoded = Zeroizing::new(percent_decode_str(text).collect::<Vec<u8>>());
        let is_password = |bytes: &[u8]| {
            str::from_utf8(bytes).is_ok_and(|text| SmtpPassword::parse(text.trim()).is_ok())
        };
        if *decoded != text.as_bytes() && is_password(&decoded) {
            return Self::PercentEncoded;
        }
        // a form turns + into a blank
        if text.contains(' ') && is_password(text.replace(' ', "+").as_bytes()) {
            return Self::PercentEncoded;
        }
        if BASE64_STANDARD.decode(text).map(Zeroizing::new).is_ok_and(|bytes| is_password(&bytes)) {
            return Self::Base64;
        }
        let is_base64 = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
        if is_base64 && begins_as_password(text) && (12..SmtpPassword::LENGTH).contains(&text.len())
        {
            return Self::CutOff(text.len());
        }
        match IngressPassword::parse(text) {
            Ok(_) => Self::Chosen,
            Err(_) => Self::Other(text.chars().count()),
        }
    }
}

/// Whether the version byte is 4: the second letter is then one of sixteen.
fn begins_as_password(text: &str) -> bool {
    text.strip_prefix('B').is_some_and(|rest| rest.starts_with(|c: char| ('A'..='P').contains(&c)))
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

impl Around {
    fn of(text: &str) -> Self {
        let bare = text.trim_matches(is_blank);
        // a quotation that does not end on its line contains the line end
        let is_open = bare.starts_with(is_quote)
            && !bare.ends_with(is_quote)
            && SmtpPassword::parse(bare.trim_start_matches(is_quote)).is_ok();
        Self {
            white_space: is_open || bare.len() != text.len() || bare.contains(char::is_control),
            quotes: bare.len() > 1 && bare.starts_with(is_quote) && bare.ends_with(is_quote),
        }
    }
}

fn is_around(c: char) -> bool {
    is_blank(c) || is_quote(c)
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{200b}')
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '\u{2018}'..='\u{201f}')
}

/// Whether it is a placeholder for a value, as in documents and examples.
fn is_placeholder(text: &str) -> bool {
    let plain = text.to_ascii_lowercase();
    let is_named = ["your", "change", "placeholder", "example", "secret-here", "<", "xxxx"]
        .iter()
        .any(|word| plain.starts_with(word))
        || ["${", "{{", "$(", "****"].iter().any(|sign| plain.contains(sign));
    is_named
        || plain.contains("smtp_password")
        || plain.contains("smtp-password")
        || plain.contains("smtp_username")
        || plain.contains("smtp-username")
        || AccessKeyId::parse(text).is_ok() && text.ends_with("EXAMPLE")
        || text.ends_with("EXAMPLEKEY")
}

impl Host {
    /// Finds the kind of host by its name.
    pub fn of(host: &str) -> Self {
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        match Kind::of_host(&name) {
            Some(Kind::MailManager) => return Self::MailManager,
            Some(Kind::Iam) => match Region::of_smtp_endpoint(&name) {
                Some(region) if region.has_smtp() => return Self::Smtp(region),
                Some(region) => return Self::WithoutSmtp(region.to_string()),
                None => {}
            },
            None => {}
        }
        let mut labels = name.split('.');
        let first = labels.next().unwrap_or_default();
        let second = labels.next().unwrap_or_default();
        let is_of_aws = name.contains("amazonaws") || name.ends_with(".api.aws");
        let region = Region::parse(second).ok();
        if let Some(provider) = provider(&name) {
            return Self::Provider(provider);
        }
        if is_own_machine(&name) {
            return Self::OwnMachine;
        }
        match first {
            "email" | "email-fips" | "ses" if is_of_aws => Self::Api(region),
            _ if !is_of_aws && !first.starts_with("email-smtp") => Self::Other,
            _ => Self::Misspelled(nearest(&name)),
        }
    }
}

/// Whether a host, in lower case, is the machine that calls it.
fn is_own_machine(name: &str) -> bool {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Returns the SMTP endpoint nearest in spelling, if it is similar at all.
fn nearest(name: &str) -> Option<String> {
    let endpoints = Region::with_smtp().map(|region| region.smtp_endpoint());
    let distance = |endpoint: &String| strsim::damerau_levenshtein(endpoint, name);
    endpoints.min_by_key(distance).filter(|endpoint| distance(endpoint) <= 8)
}
