//! The host and port in a line of a log, and lines without texts that look like secrets.

use crate::{
    recognise::{Recognised, recognise},
    redact::{REDACTED, redact},
    region::{STARTTLS_PORTS, TLS_WRAPPER_PORTS},
};

/// A host and a port, as far as a line names them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
}

impl Place {
    /// Finds the place in a line in lower case. A host counts if it is nearly one of AWS's, a port if it is one of
    /// SMTP.
    pub(super) fn of_line(line: &str) -> Self {
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        let names = line.split(|c: char| !is_of_name(c)).map(|name| name.trim_matches('.'));
        let host = names.rev().find(|name| is_host(name)).map(str::to_owned);
        let port = line.match_indices(|c: char| c.is_ascii_digit()).find_map(|(at, _)| {
            let digits = line[at..].split(|c: char| !c.is_ascii_digit()).next()?;
            let port = digits.parse().ok().filter(is_of_smtp)?;
            let is_end = !line[at + digits.len()..].starts_with([':', '.', '-'])
                || line[at + digits.len()..].starts_with(": ");
            (is_end && is_before_a_port(&line[..at])).then_some(port)
        });
        Self { host, port }
    }
}

fn is_of_smtp(port: &u16) -> bool {
    STARTTLS_PORTS.contains(port) || TLS_WRAPPER_PORTS.contains(port)
}

/// Whether it is nearly AWS's, but not the name in the greeting of SES, which no region has, nor that of a message ID.
fn is_host(name: &str) -> bool {
    let is_of_aws = name.contains("amazona") || name.contains("mail-manager-smtp");
    is_of_aws
        && name.matches('.').count() >= 2
        && (name.starts_with("email") || name.starts_with("vpce-") || name.contains("mail-manager"))
        && name != "email-smtp.amazonaws.com"
}

/// Returns the name or the address by which a line in lower case names the machine itself.
pub(super) fn own_machine(line: &str) -> Option<String> {
    let is_named = |name: &&str| line.contains(name);
    ["localhost", "127.0.0.1", "::1"]
        .iter()
        .find(|name| is_named(name))
        .map(|&name| name.to_owned())
}

/// Whether a port follows: after `host:`, `[address]:` or the word. A time of day has a colon, but no dot.
fn is_before_a_port(before: &str) -> bool {
    if before.ends_with("port ") || before.ends_with("port: ") || before.ends_with("port=") {
        return true;
    }
    let Some(before) = before.strip_suffix(':') else { return false };
    let name = before.rsplit([' ', '(', '\'', '"', '/', '@']).next().unwrap_or_default();
    name.contains('.') || name == "localhost"
}

/// Returns a line without texts that have the form of a secret, anywhere in it.
pub(super) fn without_secrets(line: &str) -> String {
    let line = redact(line, &[]);
    let is_of_secret = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let is_secret = |text: &&str| {
        matches!(recognise(text), Recognised::SecretAccessKey | Recognised::PasswordWithoutVersion)
    };
    // an ARN has a slash before a name, an assignment an equals sign
    let parts = line.split(|c: char| !is_of_secret(c)).flat_map(|word| {
        let behind = word.match_indices(['/', '=']).map(|(at, _)| &word[at + 1..]);
        std::iter::once(word).chain(behind)
    });
    parts.filter(is_secret).fold(line.clone(), |line, secret| line.replace(secret, REDACTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_its_place() {
        let ses = "email-smtp.us-east-1.amazonaws.com";
        for (line, host, port) in [
            (
                "connect to email-smtp.us-east-1.amazonaws.com[192.0.2.1]:25: connection timed out",
                Some(ses),
                Some(25),
            ),
            (
                "could not connect to smtp host: email-smtp.us-east-1.amazonaws.com, port: 465",
                Some(ses),
                Some(465),
            ),
            ("dial tcp 192.0.2.1:587: i/o timeout", None, Some(587)),
            ("econnrefused 127.0.0.1:2587", None, Some(2587)),
            ("at 10:25:03 the connection timed out", None, None),
            ("10:11:25 sent 587 messages", None, None),
            ("220 email-smtp.amazonaws.com esmtp", None, None),
            ("<0100@email.amazonses.com> timed out", None, None),
        ] {
            let host = host.map(str::to_owned);
            assert_eq!(Place::of_line(line), Place { host, port }, "{line}");
        }
    }
}
