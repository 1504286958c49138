//! An SMTP credential, and the forms of its file: the console's CSV, and all that [`render`](crate::render) writes.

pub mod csv;
mod json;
mod kind;
mod lines;
mod values;

pub use self::kind::{Credential, Kind};
pub(crate) use self::values::place;
use self::values::{Called, Values};
use crate::{
    access_key::AccessKeyId,
    password::SmtpPassword,
    recognise::Recognised,
    render::{env, found, is_host},
};

/// A user name and a password for one SMTP endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpCredential {
    /// The IAM user's name or ARN, where it is known.
    pub iam_user: Option<String>,
    /// The SMTP user name.
    pub user_name: AccessKeyId,
    /// The SMTP password.
    pub password: SmtpPassword,
    /// The host name of the SMTP endpoint, where it is known.
    pub endpoint: Option<String>,
}

/// A credential that was read from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The credential, of either kind.
    pub credential: Credential,
    /// The port of the SMTP endpoint, where it is known.
    pub port: Option<u16>,
}

/// The reason why a file of credentials cannot be read. No cell of it is ever quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// No credential in the file.
    #[error("no credential in it")]
    Empty,
    /// The file has none of the known forms.
    #[error("neither the SES console's CSV nor a form that seskey render writes")]
    UnknownForm,
    /// The file is not valid CSV or JSON from this line on.
    #[error("line {line}: malformed")]
    Malformed {
        /// The line, counted from 1.
        line: u64,
    },
    /// A value is missing.
    #[error("line {line}: no {what}")]
    Missing {
        /// The line, counted from 1.
        line: u64,
        /// The name of the value.
        what: &'static str,
    },
    /// The user name is not an access key ID.
    #[error("line {line}: the SMTP user name is not an access key ID")]
    UserName {
        /// The line, counted from 1.
        line: u64,
        /// The kind of the text in its place.
        recognised: Recognised,
    },
    /// The password is not an SMTP password.
    #[error("line {line}: the SMTP password is not one")]
    Password {
        /// The line, counted from 1.
        line: u64,
        /// The kind of the text in its place.
        recognised: Recognised,
    },
    /// The password is not one that a Mail Manager ingress endpoint takes.
    #[error("line {line}: the SMTP password is none of a Mail Manager ingress endpoint")]
    IngressPassword {
        /// The line, counted from 1.
        line: u64,
    },
    /// The endpoint is not a host name.
    #[error("line {line}: the SMTP endpoint is not a host name")]
    Endpoint {
        /// The line, counted from 1.
        line: u64,
    },
    /// The number is not a port.
    #[error("line {line}: the port is not one from 1 to 65535")]
    Port {
        /// The line, counted from 1.
        line: u64,
    },
}

impl SmtpCredential {
    /// Reads as [`Found::read`] does, without the ports and only credentials of IAM.
    ///
    /// # Errors
    /// Returns the first error, with its line. A credential of Mail Manager is an error.
    pub fn read(text: &str) -> Result<Vec<Self>, CredentialError> {
        let of_iam = |found: Found| match found.credential {
            Credential::Iam(credential) => Ok(credential),
            Credential::MailManager(_) => {
                let recognised = Recognised::IngressPointId;
                Err(CredentialError::UserName { line: 1, recognised })
            }
        };
        Found::read(text)?.into_iter().map(of_iam).collect()
    }

    pub(crate) fn from_cells(
        line: u64,
        iam_user: Option<&str>,
        user_name: &str,
        password: &str,
        endpoint: Option<&str>,
    ) -> Result<Self, CredentialError> {
        let cell = |cell: Option<&str>| {
            cell.map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned)
        };
        let recognised = |cell: &str| crate::recognise::recognise(cell.trim());
        let endpoint = self::endpoint(line, endpoint)?;
        Ok(Self {
            iam_user: cell(iam_user),
            user_name: AccessKeyId::parse(user_name.trim()).map_err(|_| {
                CredentialError::UserName { line, recognised: recognised(user_name) }
            })?,
            password: SmtpPassword::parse(password.trim()).map_err(|_| {
                CredentialError::Password { line, recognised: recognised(password) }
            })?,
            endpoint,
        })
    }
}

impl Found {
    /// Reads the credentials of a file in any form that this crate writes, with any names, or that the console wrote.
    ///
    /// # Errors
    /// Returns the first error, with its line.
    pub fn read(text: &str) -> Result<Vec<Self>, CredentialError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if let Some(found) = found::whole(text)? {
            return Ok(vec![found]);
        }
        let found = match text.trim_start().chars().next() {
            None => return Err(CredentialError::Empty),
            _ if text.lines().any(is_section) => vec![],
            Some('{' | '[') if !is_postfix(text) => json::read(text)?,
            Some(_) if csv::has_known_header(text) => csv::found(text)?,
            Some(_) if text.lines().any(|line| line.trim_end() == "kind: Secret") => {
                vec![lines::kubernetes(text).found(&ASSIGNED)?]
            }
            Some(_) => match assignments(text) {
                Err(CredentialError::UnknownForm) => {
                    let found = lines::postfix(text)?;
                    let found = if found.is_empty() { lines::msmtp(text)? } else { found };
                    match found.is_empty() {
                        true => found::in_lines(text)?,
                        false => found,
                    }
                }
                found => vec![found?],
            },
        };
        match found.is_empty() {
            true if text.trim_start().starts_with('[') && !text.lines().any(is_section) => {
                Err(CredentialError::Empty)
            }
            true if csv::has_known_header(text) => Err(CredentialError::Empty),
            true => {
                found::by_look(text).map(|found| vec![found]).ok_or(CredentialError::UnknownForm)
            }
            false => Ok(found),
        }
    }
}

/// Parses the number of a port. Words, as in `${PORT}`, give `None`.
///
/// # Errors
/// Fails for a number that is not a port.
pub(crate) fn port_number(line: u64, text: &str) -> Result<Option<u16>, CredentialError> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if port > 0 => Ok(Some(port)),
        _ if is_number => Err(CredentialError::Port { line }),
        _ => Ok(None),
    }
}

/// Returns the endpoint of a cell, if the cell is filled; the name may end in a dot.
///
/// # Errors
/// Fails unless it is a host name or an address.
fn endpoint(line: u64, cell: Option<&str>) -> Result<Option<String>, CredentialError> {
    let host = cell.map(str::trim).filter(|host| !host.is_empty());
    match host.is_none_or(|host| is_host(host.strip_suffix('.').unwrap_or(host))) {
        true => Ok(host.map(str::to_owned)),
        false => Err(CredentialError::Endpoint { line }),
    }
}

/// Whether it is Postfix's: `[host]:port` begins like a list of JSON.
fn is_postfix(text: &str) -> bool {
    text.trim_start().starts_with('[') && text.lines().any(|line| line.contains("]:"))
}

/// Whether it is a section such as `[smtp]`, without which its names mean nothing.
fn is_section(line: &str) -> bool {
    let name = line.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
}

const ASSIGNED: Called = Called {
    user_name: env::NAMES[0],
    password: env::NAMES[1],
    neither: "SMTP_USERNAME and no SMTP_PASSWORD",
};

fn assignments(text: &str) -> Result<Found, CredentialError> {
    let values = env::values(text).ok_or(CredentialError::UnknownForm)?;
    match Values::new(values).found(&ASSIGNED) {
        Err(CredentialError::Missing { what, .. }) if what == ASSIGNED.neither => {
            Err(CredentialError::UnknownForm)
        }
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_credential_is_refused() {
        use CredentialError as E;
        let header = "IAM user name,SMTP user name,SMTP password\n";
        let with_endpoint = |host: &str| {
            format!(
                "SMTP endpoint,SMTP user name,SMTP password\n\
                 {host},AKIAIOSFODNN7EXAMPLE,BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9\n"
            )
        };
        let with_port = |port: &str| {
            format!(
                "SMTP_USERNAME=AKIAIOSFODNN7EXAMPLE\n\
                 SMTP_PASSWORD=BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9\nSMTP_PORT={port}\n"
            )
        };
        for (text, error) in [
            (String::new(), E::Empty),
            ("\u{feff}  \n".into(), E::Empty),
            (header.into(), E::Empty),
            ("{".into(), E::Malformed { line: 1 }),
            ("[]".into(), E::Empty),
            ("hello".into(), E::UnknownForm),
            (
                "SMTP_USERNAME=AKIAIOSFODNN7EXAMPLE\n".into(),
                E::Missing { line: 1, what: "SMTP_PASSWORD" },
            ),
            (
                format!(
                    "{header}x,AKIAIOSFODNN7EXAMPLE,wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n"
                ),
                E::Password { line: 2, recognised: Recognised::SecretAccessKey },
            ),
            (
                format!("{header}x,app,BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9\n"),
                E::UserName { line: 2, recognised: Recognised::Nothing },
            ),
            (format!("{header}x,AKIAIOSFODNN7EXAMPLE\n"), E::Malformed { line: 2 }),
            (with_endpoint("\"a\nSMTP_PASSWORD=b\""), E::Endpoint { line: 2 }),
            (with_endpoint("$(id)"), E::Endpoint { line: 2 }),
            (with_port("99999"), E::Port { line: 3 }),
            (with_port("0"), E::Port { line: 3 }),
        ] {
            assert_eq!(SmtpCredential::read(&text), Err(error), "{text}");
        }
    }
}
