//! What is written, and the one check after which every form can carry it as it stands.

use std::net::Ipv6Addr;

use super::{Names, Place, RenderError};
use crate::credential::SmtpCredential;

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The credential.
    pub credential: SmtpCredential,
    /// The host name or address that the reader connects to, an IPv6 address without brackets.
    pub host: String,
    /// The port that it connects to.
    pub port: u16,
    /// The address that it sends from, where the form has a place for it.
    pub from: Option<String>,
}

impl Entry {
    /// What passes here is made of letters, digits and marks that mean themselves in every form, so that none escapes
    /// anything. User name and password are by their types.
    pub(super) fn check(&self) -> Result<(), RenderError> {
        let fits = |text: Option<&str>, fits: fn(&str) -> bool| text.is_none_or(fits);
        if !is_host(&self.host) {
            return Err(RenderError::Host);
        }
        if self.port == 0 {
            return Err(RenderError::Port);
        }
        if !fits(self.from.as_deref(), is_plain_address) {
            return Err(RenderError::From);
        }
        if !fits(self.credential.iam_user.as_deref(), is_iam_user) {
            return Err(RenderError::IamUser);
        }
        Ok(())
    }

    /// The values under their names, in the order in which they are written.
    pub(super) fn values<'a>(&'a self, names: &'a Names) -> [(&'a str, String); 4] {
        [
            (&names.host, self.host.clone()),
            (&names.port, self.port.to_string()),
            (&names.user_name, self.credential.user_name.to_string()),
            (&names.password, self.credential.password.expose().to_owned()),
        ]
    }
}

/// The credential among values that have names, unless they are for another place.
pub(super) fn find(
    names: &Names,
    (host, port): Place<'_>,
    value: impl Fn(&str) -> Option<String>,
) -> Option<SmtpCredential> {
    let elsewhere = value(&names.host).is_some_and(|value| !value.eq_ignore_ascii_case(host))
        || value(&names.port).is_some_and(|value| value != port.to_string());
    if elsewhere {
        return None;
    }
    credential(&value(&names.user_name)?, &value(&names.password)?, host)
}

/// The credential of a user name and a password, if that is what they are.
pub(super) fn credential(user_name: &str, password: &str, host: &str) -> Option<SmtpCredential> {
    SmtpCredential::from_cells(1, None, user_name, password, Some(host)).ok()
}

/// A name of letters, digits and inner hyphens between dots (RFC 1123, section 2.1), or an address.
fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_name = text.len() <= 253 && text.split('.').all(is_label);
    is_name || text.parse::<Ipv6Addr>().is_ok()
}

/// An unquoted local part (RFC 5322, section 3.2.3) at a host, without the `*`, `?` and `%` that are patterns to msmtp.
fn is_plain_address(text: &str) -> bool {
    let is_local_byte = |b: u8| b.is_ascii_alphanumeric() || b"!#$&'+-/=^_{|}~.".contains(&b);
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && local.bytes().all(is_local_byte) && is_host(domain)
    })
}

/// The alphabet of names in IAM (IAM User Guide, "IAM and AWS STS quotas"), and what ARNs have besides.
fn is_iam_user(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-:/".contains(&b))
}
