//! The part of a client's line that may be shown in a dialogue.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use seskey::AccessKeyId;
use zeroize::Zeroizing;

use super::auth::Exchange;

/// Returns the line without possible secrets. All that is sent for a login but the user name may be one, and so may a
/// line that is no command: a client that was not asked for its password may send it anyway.
pub(super) fn shown<'a>(
    line: &'a [u8],
    verb: Option<&str>,
    exchange: Option<&Exchange>,
) -> Cow<'a, str> {
    match (exchange, verb) {
        (Some(_), _) if line == b"*" => "*".into(),
        (Some(Exchange::Plain), _) => user_of_plain(line).into(),
        (Some(Exchange::LoginUserName), _) => user_name(&decoded(line)).into(),
        (Some(Exchange::LoginPassword { .. }), _) => "(password)".into(),
        (None, Some("AUTH")) => auth(line).into(),
        (None, Some(_)) => cut(line),
        (None, None) => format!("(no command, {} bytes)", line.len()).into(),
    }
}

/// Shows the mechanism and the user name.
fn auth(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace().skip(1);
    let Some(named) = words.next() else { return "AUTH".into() };
    let Some(mechanism) = MECHANISMS.iter().find(|known| named.eq_ignore_ascii_case(known)) else {
        return "AUTH (no mechanism)".into();
    };
    let initial = match (*mechanism, words.next()) {
        (_, None) => return format!("AUTH {mechanism}"),
        ("PLAIN", Some(initial)) => user_of_plain(initial.as_bytes()),
        ("LOGIN", Some(initial)) => user_name(&decoded(initial.as_bytes())),
        _ => "(not shown)".into(),
    };
    format!("AUTH {mechanism} {initial}")
}

fn user_of_plain(line: &[u8]) -> String {
    let text = decoded(line);
    let mut parts = text.split('\0').skip(1);
    format!("{} (password)", user_name(parts.next().unwrap_or_default()))
}

/// Shows a user name. One that is not an access key ID may be a secret in the wrong place.
fn user_name(text: &str) -> String {
    match AccessKeyId::parse(text) {
        Ok(id) => format!("(user name {id})"),
        Err(_) => "(user name, no access key ID)".into(),
    }
}

fn decoded(line: &[u8]) -> Zeroizing<String> {
    let bytes = Zeroizing::new(BASE64_STANDARD.decode(line).unwrap_or_default());
    Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned())
}

/// The most bytes that are shown: the limit of RFC 5321, section 4.5.3.1.4, and some more.
const MAX_SHOWN: usize = 1000;

fn cut(line: &[u8]) -> Cow<'_, str> {
    let shown = String::from_utf8_lossy(&line[..line.len().min(MAX_SHOWN)]);
    match shown.contains(char::is_control) {
        true => shown.replace(char::is_control, "\u{fffd}").into(),
        false => shown,
    }
}

/// The mechanisms that are registered and in use. Source: IANA, "Simple Authentication and Security Layer (SASL)
/// Mechanisms".
const MECHANISMS: [&str; 9] = [
    "PLAIN",
    "LOGIN",
    "CRAM-MD5",
    "DIGEST-MD5",
    "NTLM",
    "OAUTHBEARER",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "XOAUTH2",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{Session, Step},
        *,
    };

    const KEY: &str = "AKIAIOSFODNN7EXAMPLE";

    fn base64(text: &str) -> String {
        BASE64_STANDARD.encode(text)
    }

    /// Returns what is shown of consecutive lines, inside TLS.
    fn all_shown(lines: &[&str]) -> Vec<String> {
        let mut session = Session::<()>::new(true);
        let mut all = vec![];
        for line in lines {
            all.push(session.shown(line.as_bytes()).into_owned());
            if let Step::Authenticate { .. } = session.line(line.as_bytes()) {
                session.authenticated(None);
            }
        }
        all
    }

    #[test]
    fn the_user_name_is_shown_and_the_password_is_not() {
        let plain = base64(&format!("\0{KEY}\0secret"));
        let initial = format!("auth plain {plain}");
        let login = format!("AUTH LOGIN {}", base64(KEY));
        let all = all_shown(&[
            "EHLO client.example",
            &initial,
            "AUTH PLAIN",
            &plain,
            &login,
            &base64("secret"),
            "AUTH LOGIN",
            &base64("secret"),
            &base64("secret"),
            "AUTH LOGIN",
            "*",
            "AUTH c2VjcmV0",
            "AUTH CRAM-MD5 c2VjcmV0",
            "c2VjcmV0",
            "MAIL FROM:<a@b.c>",
        ]);
        let of_key = format!("(user name {KEY})");
        assert_eq!(
            all,
            [
                "EHLO client.example",
                &format!("AUTH PLAIN {of_key} (password)"),
                "AUTH PLAIN",
                &format!("{of_key} (password)"),
                &format!("AUTH LOGIN {of_key}"),
                "(password)",
                "AUTH LOGIN",
                "(user name, no access key ID)",
                "(password)",
                "AUTH LOGIN",
                "*",
                "AUTH (no mechanism)",
                "AUTH CRAM-MD5 (not shown)",
                "(no command, 8 bytes)",
                "MAIL FROM:<a@b.c>",
            ]
        );
    }

    proptest! {
        /// No shown line has the password of a client, whatever the client does wrong.
        #[test]
        fn no_password_is_shown(lines in prop::collection::vec(prop::sample::select(LINES), 0..12)) {
            let lines: Vec<String> = lines.iter().map(|line| {
                line.replace("{plain}", &base64(&format!("\0{KEY}\0{PASSWORD}"))).replace("{password}", &base64(PASSWORD))
            }).collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            for shown in all_shown(&lines) {
                for secret in [PASSWORD.to_owned(), base64(PASSWORD), base64(&format!("\0{KEY}\0{PASSWORD}"))] {
                    prop_assert!(!shown.contains(&secret), "{}", shown);
                }
            }
        }
    }

    const PASSWORD: &str = "correct-horse";
    const LINES: &[&str] = &[
        "EHLO a",
        "AUTH PLAIN {plain}",
        "AUTH PLAIN",
        "{plain}",
        "AUTH LOGIN",
        "AUTH LOGIN {password}",
        "AUTH {password}",
        "AUTH correct-horse",
        "{password}",
        "correct-horse",
        "AUTH PLAIN {password} {plain}",
        "AUTH XOAUTH2 {password}",
        "*",
        "QUIT",
    ];
}
