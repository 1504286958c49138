//! The problem that the output of an application or the reply of a server names. Only the parts of the text that AWS
//! itself writes are kept: an action, resources, a region, addresses.
//!
//! Sources: SES Developer Guide, "Amazon SES SMTP issues" (table of replies); published transcripts; the words of TLS
//! and mail libraries.

use super::{
    Phase,
    forms::UserName,
    phrases::PHRASES,
    place::{Place, own_machine, without_secrets},
    providers::speaker,
};

/// A message of an application or a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The problem.
    pub problem: Problem,
    /// The phase in which it shows itself.
    pub phase: Phase,
    /// The host that the line names, if it is one of AWS's, or nearly.
    pub host: Option<String>,
    /// The port that the line names.
    pub port: Option<u16>,
    /// The user name that the text names, as Swift Mailer and its successor do.
    pub user_name: Option<UserName>,
    /// The provider other than AWS whose server sent it.
    pub provider: Option<&'static str>,
    /// Whether it is from a log of Postfix.
    pub is_of_postfix: bool,
}

/// A problem that a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)] // the table of phrases explains each
pub enum Problem {
    NameUnknown,
    /// While connecting, or later.
    TimedOut,
    /// No connection was made.
    ConnectTimedOut,
    /// The connection was made, but no greeting came.
    GreetingTimedOut,
    /// The application does not say why.
    ConnectFailed,
    ConnectionLost,
    ConnectionRefused,
    NotTls,
    NoTlsVersion,
    /// The application does not say why.
    CertificateRefused,
    UnknownIssuer,
    OtherName,
    CertificateTime,
    NoStarttls,
    StarttlsFirst,
    /// The application sends no password without TLS.
    NotEncrypted,
    /// The connection was closed in the handshake.
    HandshakeCut,
    NoMechanism,
    /// The server offers no login at all.
    NoAuth,
    MechanismNotSupported,
    /// The application has no user name or no password.
    NoCredentials,
    /// The application logs in for another host than the one it has connected to.
    OtherAuthHost,
    /// The application does not say why.
    LoginFailed,
    AuthenticationRequired,
    CredentialsInvalid,
    NotSubscribed,
    TooManyConnections,
    TemporaryFailure,
    IdleTimeout,
    LegacyRate,
    Quota,
    NotAuthorized(Denied),
    NotVerified {
        region: Option<String>,
        identities: Vec<String>,
    },
    Paused,
    NoConfigurationSet(Option<String>),
    MailFromDomain,
    Blacklisted,
    MessageRefused,
}

/// The reply of SES about a message that a policy does not allow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Denied {
    /// The ARN of the user.
    pub user: String,
    /// The action, such as `ses:SendRawEmail`.
    pub action: String,
    /// The ARN of the requested resource.
    pub resource: String,
    /// The reason, if the text gives one.
    pub reason: Option<Reason>,
}

/// The reason why a policy does not allow an action. Sources: IAM User Guide, "Troubleshoot access denied error
/// messages"; for the boundary, as it was met, nebari-dev/nebari#2152.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// `with an explicit deny in …`
    ExplicitDeny,
    /// `because no identity-based policy allows …`
    NoIdentityPolicy,
    /// `because no permissions boundary allows …`
    NoBoundary,
    /// `because no service control policy allows …`
    NoOrganization,
}

impl Said {
    /// Finds the problem that a text names: in a log, the problem of the last line that names one.
    pub fn read(text: &str) -> Option<Self> {
        // the line in question is near the end of a long log
        let lines: Vec<&str> = text.lines().collect();
        let (at, last) =
            (0..lines.len()).rev().find_map(|at| Some((at, Self::of_line(lines[at])?)))?;
        let named = lines.iter().rev().find_map(|line| user_name(line));
        let is_of_postfix =
            plain_has(text, &["postfix", "while receiving the initial server greeting"]);
        // a reply of several lines names its server in one of them
        let before = at.checked_sub(1).and_then(|at| Self::of_line(lines[at]));
        let before = before.filter(|before| before.problem == last.problem);
        let provider = last.provider.or_else(|| before?.provider);
        let last = Self { user_name: named, provider, is_of_postfix, ..last };
        if !last.problem.is_vague() {
            return Some(last);
        }
        // a library ends its report with a vaguer line: a code, or that it gave up
        let report = lines[at.saturating_sub(REPORT)..at].iter().rev();
        let precise = |said: &Self| !said.problem.is_vague();
        let found = report.filter_map(|line| Self::of_line(line)).find(precise);
        Some(found.map(|found| Self { is_of_postfix, ..found }).unwrap_or(last))
    }

    /// Finds the problem that a reply of a server names.
    pub fn of_reply(code: u16, text: &str) -> Option<Self> {
        let line = format!("{code} {}", text.replace(['\r', '\n'], " "));
        let transient = || Self {
            problem: Problem::TemporaryFailure,
            phase: Phase::Login,
            host: None,
            port: None,
            user_name: None,
            provider: None,
            is_of_postfix: false,
        };
        Self::of_line(&line).or_else(|| (400..500).contains(&code).then(transient))
    }

    fn of_line(line: &str) -> Option<Self> {
        let plain = line.to_ascii_lowercase();
        let (problem, phase) = Problem::of_line(line, &plain)?;
        let Place { host, port } = Place::of_line(&plain);
        let is_refusal = problem == Problem::ConnectionRefused;
        let host = host.or_else(|| own_machine(&plain).filter(|_| is_refusal));
        // after a login, SES passes on the words of other servers
        let provider = speaker(&plain).filter(|_| phase < Phase::Sending);
        Some(Self { problem, phase, host, port, user_name: None, provider, is_of_postfix: false })
    }
}

fn plain_has(text: &str, words: &[&str]) -> bool {
    let plain = text.to_ascii_lowercase();
    words.iter().any(|word| plain.contains(word))
}

/// The number of lines before the last one that belong to the same report.
const REPORT: usize = 8;

impl Problem {
    fn of_line(line: &str, plain: &str) -> Option<(Self, Phase)> {
        let sending = |problem| Some((problem, Phase::Sending));
        if plain.contains("not authorized to perform") {
            return sending(Self::NotAuthorized(Denied::read(&without_secrets(line))));
        }
        if plain.contains("is not verified") || plain.contains("failed the check in region") {
            return sending(not_verified(&without_secrets(line)));
        }
        if plain.contains("configuration set") && plain.contains("does not exist")
            || plain.contains("configurationsetdoesnotexist")
        {
            return sending(Self::NoConfigurationSet(configuration_set(&without_secrets(line))));
        }
        let named = |phrase: &&(&str, Self, Phase)| is_in(plain, phrase.0);
        let phrase = PHRASES.iter().find(named);
        // the whole message of Go about a connection that ends
        let is_eof = || plain.trim() == "eof" || plain.trim_end().ends_with(": eof");
        match phrase {
            Some((_, problem, phase)) => Some((problem.clone(), *phase)),
            None => is_eof().then_some((Self::ConnectionLost, Phase::Network)),
        }
    }

    /// Whether other problems remain possible.
    pub(super) fn is_vague(&self) -> bool {
        matches!(
            self,
            Self::TimedOut
                | Self::ConnectFailed
                | Self::ConnectionLost
                | Self::CertificateRefused
                | Self::LoginFailed
        )
    }
}

/// Whether a phrase is in a line; a bare number counts only where a reply may stand.
fn is_in(line: &str, phrase: &str) -> bool {
    if !phrase.bytes().all(|byte| byte.is_ascii_digit()) {
        return line.contains(phrase);
    }
    line.match_indices(phrase).any(|(at, found)| {
        let (before, behind) = (&line[..at], &line[at + found.len()..]);
        !behind.starts_with(|c: char| c.is_ascii_alphanumeric()) && is_before_a_reply(before)
    })
}

/// Whether the text before is empty, a sign, or a word that goes with a reply: other numbers are counts and ports.
fn is_before_a_reply(before: &str) -> bool {
    let bare = before.trim_end();
    let word = bare.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    match before.len() == bare.len() {
        true => !before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '.'),
        false if word.is_empty() => true,
        false => ["code", "error", "got", "reply", "replied", "response", "said", "smtp", "status"]
            .contains(&word),
    }
}

impl Problem {
    /// Returns the region that it concerns.
    pub(super) fn region(&self) -> Option<&str> {
        match self {
            Self::NotAuthorized(denied) => denied.region(),
            Self::NotVerified { region, .. } => region.as_deref(),
            _ => None,
        }
    }

    /// Whether it is the reply of an SMTP server.
    pub(super) fn is_reply(&self) -> bool {
        self.is_past_tls()
            || matches!(
                self,
                Self::StarttlsFirst | Self::NoStarttls | Self::NoAuth | Self::LoginFailed
            )
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
                | Self::Blacklisted
                | Self::MessageRefused
        )
    }
}

impl Denied {
    /// Reads ``User `ARN' is not authorized to perform `ACTION' on resource `ARN'``, with or without these marks.
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
            reason: REASONS.iter().find(|(words, _)| line.contains(words)).map(|(_, why)| *why),
        }
    }

    /// Returns the name of the user.
    pub fn user_name(&self) -> Option<&str> {
        let (_, path) = self.user.split_once(":user/")?;
        path.rsplit('/').next()
    }

    /// Returns the region of the resource.
    pub fn region(&self) -> Option<&str> {
        self.resource.split(':').nth(3).filter(|region| !region.is_empty())
    }

    /// Returns the identity, if the resource is one.
    pub fn identity(&self) -> Option<&str> {
        self.resource.split_once(":identity/").map(|(_, name)| name)
    }
}

const REASONS: [(&str, Reason); 4] = [
    ("with an explicit deny", Reason::ExplicitDeny),
    ("because no identity-based policy allows", Reason::NoIdentityPolicy),
    ("because no permissions boundary allows", Reason::NoBoundary),
    ("because no service control policy allows", Reason::NoOrganization),
];

/// Whether it ends a value: AWS quotes by a backtick and an apostrophe.
fn is_mark(c: char) -> bool {
    matches!(c, '`' | '\'' | '"' | ' ')
}

fn not_verified(line: &str) -> Problem {
    let plain = line.to_ascii_lowercase();
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

/// Returns the form of the text behind `username`, in quotation marks.
fn user_name(line: &str) -> Option<UserName> {
    let (_, rest) = line.split_once("username \"")?;
    rest.split_once('"').map(|(name, _)| UserName::of(name))
}

fn configuration_set(line: &str) -> Option<String> {
    let at = line.to_ascii_lowercase().find("configuration set ")? + "configuration set ".len();
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
        for text in [
            "",
            "250 Ok",
            "port 5350",
            "sent 1.535 messages",
            "INFO processed 535 messages",
            "GET / 504 Gateway Timeout",
            "took 535 ms",
        ] {
            assert_eq!(Said::read(text), None, "{text}");
        }
        assert_eq!(Said::of_reply(451, "later").unwrap().problem, P::TemporaryFailure);
    }

    /// The messages of common applications are known.
    #[test]
    fn the_words_of_libraries_are_known() {
        use Problem as P;
        for (text, problem) in [
            ("SMTP Error: Could not authenticate.", P::LoginFailed),
            (
                "SMTP connect() failed. https://github.com/PHPMailer/PHPMailer/wiki",
                P::ConnectFailed,
            ),
            (
                "Failed to connect: Connection timed out (110)\nSMTP connect() failed.",
                P::ConnectTimedOut,
            ),
            (
                "SMTPSenderRefused: (530, b'Authentication required', 'a@b.c')",
                P::AuthenticationRequired,
            ),
            ("SMTPServerDisconnected: Connection unexpectedly closed", P::ConnectionLost),
            ("SMTP AUTH extension not supported by server.", P::NoAuth),
            (
                "lost connection with h[192.0.2.1] while receiving the initial server greeting",
                P::ConnectionLost,
            ),
            (
                "conversation with h[192.0.2.1] timed out while receiving the initial server greeting",
                P::GreetingTimedOut,
            ),
            ("connect to h[192.0.2.1]:25: Connection timed out", P::ConnectTimedOut),
            ("stream_socket_enable_crypto(): certificate verify failed", P::CertificateRefused),
            ("The server response was: Authentication required", P::AuthenticationRequired),
            ("Could not connect to SMTP host: h, port: 25", P::ConnectFailed),
            ("Unrecognized SSL message, plaintext connection?", P::NotTls),
            ("Error: Missing credentials for \"PLAIN\"", P::NoCredentials),
            ("Error: read ECONNRESET", P::ConnectionLost),
            (
                "Error: Greeting never received\n  code: 'ETIMEDOUT',\n  command: 'CONN'",
                P::GreetingTimedOut,
            ),
            (
                "Error: Connection timeout\n  code: 'ETIMEDOUT',\n  command: 'CONN'",
                P::ConnectTimedOut,
            ),
            ("smtp: server doesn't support AUTH", P::NoAuth),
            ("Net::OpenTimeout (execution expired)", P::ConnectTimedOut),
            ("Net::ReadTimeout with #<TCPSocket>", P::GreetingTimedOut),
            ("msmtp: authentication failed (method PLAIN)", P::LoginFailed),
            (
                "msmtp: authentication failed (method PLAIN)\nmsmtp: server message: 535 Authentication Credentials Invalid\nmsmtp: could not send mail",
                P::CredentialsInvalid,
            ),
            ("554 Message rejected: Address blacklisted.", P::Blacklisted),
        ] {
            assert_eq!(Said::read(text).map(|said| said.problem), Some(problem), "{text}");
        }
    }

    #[test]
    fn phrases_are_in_lower_case() {
        for (phrase, ..) in PHRASES {
            assert_eq!(*phrase, phrase.to_ascii_lowercase());
        }
    }
}
