//! The SASL mechanisms that SES offers, PLAIN (RFC 4616) and LOGIN, as exchanges of Base64 lines.

use base64::{Engine, prelude::BASE64_STANDARD};
use seskey::Secret;
use zeroize::Zeroizing;

use super::Reply;

/// An exchange under way, by the next line of the client.
#[derive(Debug)]
pub(super) enum Exchange {
    /// The line `NUL user name NUL password`, perhaps with an authorization identity in front, which SES ignores.
    Plain,
    /// The user name of LOGIN.
    LoginUserName,
    /// The password of LOGIN.
    LoginPassword {
        /// The user name that was sent before.
        user_name: String,
    },
}

/// The result of a line of an exchange.
#[derive(Debug)]
pub(super) enum Next {
    /// The server asks for another line.
    Ask(Exchange, Reply),
    /// The user name and the password.
    Credentials(String, Secret),
    /// The exchange has ended without them.
    Failed(Reply),
}

/// Begins an exchange by `AUTH mechanism [initial-response]` (RFC 4954, section 4).
pub(super) fn begin(argument: &str) -> Next {
    let mut words = argument.split_ascii_whitespace();
    let (Some(mechanism), initial, None) = (words.next(), words.next(), words.next()) else {
        return Next::Failed(Reply::new(501, "Syntax: AUTH mechanism [initial-response]"));
    };
    let (exchange, ask) = match mechanism.to_ascii_uppercase().as_str() {
        "PLAIN" => (Exchange::Plain, "Ok"),
        "LOGIN" => (Exchange::LoginUserName, "VXNlcm5hbWU6"),
        _ => {
            return Next::Failed(Reply::new(
                504,
                "The requested authentication mechanism is not supported",
            ));
        }
    };
    match initial {
        Some("=") => exchange.line(""),
        Some(initial) => exchange.line(initial),
        None => Next::Ask(exchange, Reply::new(334, ask)),
    }
}

impl Exchange {
    /// Takes the next line of the client.
    pub(super) fn line(self, line: &str) -> Next {
        let invalid =
            |what| Next::Failed(Reply::new(501, format!("Invalid command argument, {what}")));
        if line == "*" {
            return Next::Failed(Reply::new(501, "Authentication canceled by client."));
        }
        // no user name or password has bytes that are not UTF-8: they fail like wrong credentials
        let Ok(bytes) = BASE64_STANDARD.decode(line).map(Zeroizing::new) else {
            return invalid("not a valid Base64 string");
        };
        let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        match self {
            Self::Plain => {
                let Some((_authorization_identity, rest)) = text.split_once('\0') else {
                    return invalid("does not contain NUL");
                };
                let Some((user_name, password)) = rest.split_once('\0') else {
                    return invalid("does not contain the second NUL");
                };
                Next::Credentials(user_name.to_owned(), Secret::new(password.to_owned()))
            }
            Self::LoginUserName => {
                let user_name = text.to_string();
                Next::Ask(Self::LoginPassword { user_name }, Reply::new(334, "UGFzc3dvcmQ6"))
            }
            Self::LoginPassword { user_name } => {
                Next::Credentials(user_name, Secret::new(text.to_string()))
            }
        }
    }
}
