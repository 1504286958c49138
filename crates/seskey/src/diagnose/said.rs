//! What an application printed or a server replied, as the problem that it names. Nothing of the text is kept but what
//! AWS itself puts into it: an action, resources, a region, addresses.
//!
//! Sources: SES Developer Guide, "Amazon SES SMTP issues" (table of replies); published transcripts; the words of TLS
//! and mail libraries.

use super::Phase;

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The problem.
    pub problem: Problem,
    /// When it shows itself.
    pub phase: Phase,
}

/// A problem that a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)] // the table of phrases says what each is
pub enum Problem {
    NameUnknown,
    TimedOut,
    ConnectionRefused,
    NotTls,
    NoTlsVersion,
    UnknownIssuer,
    OtherName,
    CertificateTime,
    NoStarttls,
    StarttlsFirst,
    NoMechanism,
    MechanismNotSupported,
    AuthenticationRequired,
    CredentialsInvalid,
    NotSubscribed,
    TooManyConnections,
    TemporaryFailure,
    IdleTimeout,
    LegacyRate,
    Quota,
    NotAuthorized(Denied),
    NotVerified { region: Option<String>, identities: Vec<String> },
    Paused,
    NoConfigurationSet(Option<String>),
    MailFromDomain,
    MessageRefused,
}

/// What SES says about a message that a policy does not allow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Denied {
    /// The ARN of the user.
    pub user: String,
    /// The action, such as `ses:SendRawEmail`.
    pub action: String,
    /// The ARN of what it was asked for.
    pub resource: String,
}

/// A phrase in lower case, and the problem that it names. The first that is in a line counts.
const PHRASES: &[(&str, Problem, Phase)] = &[
    ("must issue a starttls command first", Problem::StarttlsFirst, Phase::Tls),
    ("530 authentication required", Problem::AuthenticationRequired, Phase::Login),
    ("530 5.7.0 authentication required", Problem::AuthenticationRequired, Phase::Login),
    ("account not subscribed", Problem::NotSubscribed, Phase::Login),
    ("authentication credentials invalid", Problem::CredentialsInvalid, Phase::Login),
    ("maximum sigv2 smtp sending rate exceeded", Problem::LegacyRate, Phase::Sending),
    ("daily message quota exceeded", Problem::Quota, Phase::Sending),
    ("daily sending quota exceeded", Problem::Quota, Phase::Sending),
    ("maximum sending rate exceeded", Problem::Quota, Phase::Sending),
    ("sending paused", Problem::Paused, Phase::Sending),
    ("accountsendingpaused", Problem::Paused, Phase::Sending),
    ("mail from domain not verified", Problem::MailFromDomain, Phase::Sending),
    ("too many concurrent smtp connections", Problem::TooManyConnections, Phase::Login),
    ("timeout waiting for data from client", Problem::IdleTimeout, Phase::Login),
    ("temporary authentication failure", Problem::TemporaryFailure, Phase::Login),
    ("temporary service failure", Problem::TemporaryFailure, Phase::Login),
    ("message is too long", Problem::MessageRefused, Phase::Sending),
    ("bytes long", Problem::MessageRefused, Phase::Sending),
    ("recipient count exceeds", Problem::MessageRefused, Phase::Sending),
    ("duplicate header", Problem::MessageRefused, Phase::Sending),
    ("illegal characters", Problem::MessageRefused, Phase::Sending),
    ("invalid domain name", Problem::MessageRefused, Phase::Sending),
    ("invalid email address", Problem::MessageRefused, Phase::Sending),
    ("address unknown", Problem::MessageRefused, Phase::Sending),
    ("invalid mail from address", Problem::MessageRefused, Phase::Sending),
    ("transaction failed", Problem::MessageRefused, Phase::Sending),
    (
        "requested authentication mechanism is not supported",
        Problem::MechanismNotSupported,
        Phase::Login,
    ),
    ("504 ", Problem::MechanismNotSupported, Phase::Login),
    ("no worthy mech", Problem::NoMechanism, Phase::Login),
    ("no mechanism available", Problem::NoMechanism, Phase::Login),
    ("no supported auth", Problem::NoMechanism, Phase::Login),
    ("no suitable authentication method", Problem::NoMechanism, Phase::Login),
    ("wrong version number", Problem::NotTls, Phase::Tls),
    ("wrong_version_number", Problem::NotTls, Phase::Tls),
    ("unknown protocol", Problem::NotTls, Phase::Tls),
    ("corrupt message", Problem::NotTls, Phase::Tls),
    ("first record does not look like a tls handshake", Problem::NotTls, Phase::Tls),
    ("unsupported or unrecognized ssl message", Problem::NotTls, Phase::Tls),
    ("unable to get local issuer", Problem::UnknownIssuer, Phase::Tls),
    ("unknown issuer", Problem::UnknownIssuer, Phase::Tls),
    ("unknownissuer", Problem::UnknownIssuer, Phase::Tls),
    ("unknown authority", Problem::UnknownIssuer, Phase::Tls),
    ("self-signed certificate", Problem::UnknownIssuer, Phase::Tls),
    ("self signed certificate", Problem::UnknownIssuer, Phase::Tls),
    ("pkix path building failed", Problem::UnknownIssuer, Phase::Tls),
    ("certificate has expired", Problem::CertificateTime, Phase::Tls),
    ("certificate is not yet valid", Problem::CertificateTime, Phase::Tls),
    ("certificate expired", Problem::CertificateTime, Phase::Tls),
    ("hostname mismatch", Problem::OtherName, Phase::Tls),
    ("altname", Problem::OtherName, Phase::Tls),
    ("certificate is valid for", Problem::OtherName, Phase::Tls),
    ("does not match target host", Problem::OtherName, Phase::Tls),
    ("did not match expected cn", Problem::OtherName, Phase::Tls),
    ("no subject alternative", Problem::OtherName, Phase::Tls),
    ("handshake failure", Problem::NoTlsVersion, Phase::Tls),
    ("protocol version", Problem::NoTlsVersion, Phase::Tls),
    ("unsupported protocol", Problem::NoTlsVersion, Phase::Tls),
    ("no protocols available", Problem::NoTlsVersion, Phase::Tls),
    ("starttls extension not supported", Problem::NoStarttls, Phase::Tls),
    ("does not support starttls", Problem::NoStarttls, Phase::Tls),
    ("starttls not supported", Problem::NoStarttls, Phase::Tls),
    ("starttls is required, but was not offered", Problem::NoStarttls, Phase::Tls),
    ("tls is required, but was not offered", Problem::NoStarttls, Phase::Tls),
    ("getaddrinfo", Problem::NameUnknown, Phase::Network),
    ("enotfound", Problem::NameUnknown, Phase::Network),
    ("nxdomain", Problem::NameUnknown, Phase::Network),
    ("no such host", Problem::NameUnknown, Phase::Network),
    ("could not resolve", Problem::NameUnknown, Phase::Network),
    ("name or service not known", Problem::NameUnknown, Phase::Network),
    ("host not found", Problem::NameUnknown, Phase::Network),
    ("unknown host", Problem::NameUnknown, Phase::Network),
    ("connection refused", Problem::ConnectionRefused, Phase::Network),
    ("econnrefused", Problem::ConnectionRefused, Phase::Network),
    ("timed out", Problem::TimedOut, Phase::Network),
    ("etimedout", Problem::TimedOut, Phase::Network),
    ("i/o timeout", Problem::TimedOut, Phase::Network),
    ("network is unreachable", Problem::TimedOut, Phase::Network),
    // whatever words a library puts behind it
    ("535", Problem::CredentialsInvalid, Phase::Login),
];

impl Said {
    /// The problem that a text names: of a log, the one of its last line that names any.
    pub fn read(text: &str) -> Option<Self> {
        // a long log ends with what is asked about
        let lines: Vec<&str> = text.lines().collect();
        lines.iter().rev().find_map(|line| Self::of_line(line))
    }

    /// The problem that a reply of a server names.
    pub fn of_reply(code: u16, text: &str) -> Option<Self> {
        let line = format!("{code} {}", text.replace(['\r', '\n'], " "));
        let transient = || Self { problem: Problem::TemporaryFailure, phase: Phase::Login };
        Self::of_line(&line).or_else(|| (400..500).contains(&code).then(transient))
    }

    fn of_line(line: &str) -> Option<Self> {
        let plain = line.to_ascii_lowercase();
        let sending = |problem| Some(Self { problem, phase: Phase::Sending });
        if plain.contains("not authorized to perform") {
            return sending(Problem::NotAuthorized(Denied::read(line)));
        }
        if plain.contains("is not verified") || plain.contains("failed the check in region") {
            return sending(not_verified(line, &plain));
        }
        if plain.contains("configuration set") && plain.contains("does not exist")
            || plain.contains("configurationsetdoesnotexist")
        {
            return sending(Problem::NoConfigurationSet(configuration_set(line, &plain)));
        }
        let named = |phrase: &&(&str, Problem, Phase)| is_in(&plain, phrase.0);
        let (_, problem, phase) = PHRASES.iter().find(named)?;
        Some(Self { problem: problem.clone(), phase: *phase })
    }
}

/// Whether a phrase is in a line; a number alone stands apart from others.
fn is_in(line: &str, phrase: &str) -> bool {
    if !phrase.trim_end().bytes().all(|byte| byte.is_ascii_digit()) {
        return line.contains(phrase);
    }
    let is_of_number = |c: char| c.is_ascii_alphanumeric() || c == '.';
    line.match_indices(phrase.trim_end()).any(|(at, found)| {
        let before = line[..at].chars().next_back();
        let behind = line[at + found.len()..].chars().next();
        !before.is_some_and(is_of_number) && !behind.is_some_and(|c| c.is_ascii_alphanumeric())
    })
}

impl Problem {
    /// The region that it is about.
    pub(super) fn region(&self) -> Option<&str> {
        match self {
            Self::NotAuthorized(denied) => denied.region(),
            Self::NotVerified { region, .. } => region.as_deref(),
            _ => None,
        }
    }

    /// Whether a server of SMTP has said it.
    pub(super) fn is_reply(&self) -> bool {
        self.is_past_tls() || matches!(self, Self::StarttlsFirst | Self::NoStarttls)
    }

    /// Whether it is said only in an encrypted session.
    pub(super) fn is_past_tls(&self) -> bool {
        self.is_past_login()
            || matches!(
                self,
                Self::AuthenticationRequired
                    | Self::CredentialsInvalid
                    | Self::NotSubscribed
                    | Self::MechanismNotSupported
                    | Self::NoMechanism
            )
    }

    /// Whether it is said only after a login.
    pub(super) fn is_past_login(&self) -> bool {
        matches!(
            self,
            Self::LegacyRate
                | Self::Quota
                | Self::NotAuthorized(_)
                | Self::NotVerified { .. }
                | Self::Paused
                | Self::NoConfigurationSet(_)
                | Self::MailFromDomain
                | Self::MessageRefused
        )
    }
}

impl Denied {
    /// ``User `ARN' is not authorized to perform `ACTION' on resource `ARN'``, with or without the quotation marks.
    fn read(line: &str) -> Self {
        let behind = |word: &str| {
            let (_, rest) = line.split_once(word)?;
            let rest = rest.trim_start_matches(is_mark);
            Some(rest.split(is_mark).next().unwrap_or_default().trim_end_matches('.').to_owned())
        };
        Self {
            user: behind("User ").or_else(|| behind("user ")).unwrap_or_default(),
            action: behind("perform ").or_else(|| behind("perform: ")).unwrap_or_default(),
            resource: behind("resource ").or_else(|| behind("resource: ")).unwrap_or_default(),
        }
    }

    /// The name of the user.
    pub fn user_name(&self) -> Option<&str> {
        let (_, path) = self.user.split_once(":user/")?;
        path.rsplit('/').next()
    }

    /// The region of the resource.
    pub fn region(&self) -> Option<&str> {
        self.resource.split(':').nth(3).filter(|region| !region.is_empty())
    }

    /// The identity that the resource is, if it is one.
    pub fn identity(&self) -> Option<&str> {
        self.resource.split_once(":identity/").map(|(_, name)| name)
    }
}

/// AWS quotes by a backtick and an apostrophe.
fn is_mark(c: char) -> bool {
    matches!(c, '`' | '\'' | '"' | ' ')
}

fn not_verified(line: &str, plain: &str) -> Problem {
    const REGION: &str = "failed the check in region ";
    let rest = plain.find(REGION).map(|at| &line[at + REGION.len()..]);
    let (region, identities) = rest.and_then(|rest| rest.split_once(':')).unwrap_or_default();
    let region = Some(region.trim().to_ascii_lowercase()).filter(|region| !region.is_empty());
    let identities = identities
        .split(',')
        .map(|identity| identity.trim().trim_end_matches(['.', '"', '\'', ')']).to_owned())
        .filter(|identity| !identity.is_empty())
        .collect();
    Problem::NotVerified { region, identities }
}

fn configuration_set(line: &str, plain: &str) -> Option<String> {
    let at = plain.find("configuration set ")? + "configuration set ".len();
    let rest = line[at..].trim_start_matches(['`', '<', '\'', '"', ' ']);
    let end = rest.find(['\'', '>', '"', '`', ' '])?;
    Some(rest[..end].to_owned()).filter(|name| !name.is_empty() && name != "does")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read() {
        use Problem as P;
        let denied = "554 Access denied: User `arn:aws:iam::123456789012:user/mail/app' is not authorized to perform `ses:SendRawEmail' on resource `arn:aws:ses:eu-west-2:123456789012:identity/example.com'";
        let Some(Said { problem: P::NotAuthorized(read), .. }) = Said::read(denied) else {
            panic!("{denied}")
        };
        assert_eq!(
            (read.user_name(), &*read.action, read.region(), read.identity()),
            (Some("app"), "ses:SendRawEmail", Some("eu-west-2"), Some("example.com"))
        );
        let unquoted = denied.replace(['`', '\''], "");
        assert_eq!(Said::read(&unquoted).unwrap().problem, P::NotAuthorized(read));
        let not_verified = "Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: Ann <ann@example.com>, ann@example.com";
        let identities = vec!["Ann <ann@example.com>".to_owned(), "ann@example.com".to_owned()];
        let region = Some("eu-west-1".to_owned());
        assert_eq!(
            Said::of_reply(554, not_verified).unwrap().problem,
            P::NotVerified { region, identities }
        );
        for (text, problem) in [
            (
                "smtplib.SMTPAuthenticationError: (535, b'Authentication Credentials Invalid')",
                P::CredentialsInvalid,
            ),
            ("Expected response code \"235\" but got code \"535\"", P::CredentialsInvalid),
            ("530 Must issue a STARTTLS command first", P::StarttlsFirst),
            ("530 Authentication required", P::AuthenticationRequired),
            ("ssl.SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number", P::NotTls),
            ("getaddrinfo ENOTFOUND email.us-east-1.amazonaws.com", P::NameUnknown),
            ("first\n535 Authentication Credentials Invalid\nbye\n", P::CredentialsInvalid),
            ("535 Account not subscribed to SES", P::NotSubscribed),
            ("554 Transaction failed: Duplicate header 'Date'.", P::MessageRefused),
            (
                "554 Configuration set <news> does not exist.",
                P::NoConfigurationSet(Some("news".to_owned())),
            ),
        ] {
            assert_eq!(Said::read(text).map(|said| said.problem), Some(problem), "{text}");
        }
        for text in ["", "250 Ok", "port 5350", "sent 1.535 messages"] {
            assert_eq!(Said::read(text), None, "{text}");
        }
        assert_eq!(Said::of_reply(451, "later").unwrap().problem, P::TemporaryFailure);
    }

    #[test]
    fn phrases_are_in_lower_case() {
        for (phrase, ..) in PHRASES {
            assert_eq!(*phrase, phrase.to_ascii_lowercase());
        }
    }
}
