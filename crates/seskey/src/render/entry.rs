//! The entry that is written, and its check, after which every form can carry it unchanged.

use std::net::Ipv6Addr;

use super::{Names, Place, RenderError};
use crate::{
    credential::{Credential, Kind, SmtpCredential},
    region::TLS_WRAPPER_PORTS,
};

/// An entry to write, with a credential of IAM, as stores hold it, or one of either kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<C = SmtpCredential> {
    /// The credential.
    pub credential: C,
    /// The host name or address that the reader connects to, an IPv6 address without brackets.
    pub host: String,
    /// The port that it connects to.
    pub port: u16,
    /// The address that it sends from, if the form has a place for it.
    pub from: Option<String>,
}

impl<C: Clone + Into<Credential>> Entry<C> {
    /// Returns the entry with a credential of either kind.
    pub(super) fn of_either_kind(&self) -> Entry<Credential> {
        let Self { credential, host, port, from } = self.clone();
        Entry { credential: credential.into(), host, port, from }
    }

    /// Returns the values that have a name, in the order in which they are written; the password is among them.
    pub fn values<'a>(
        &self,
        names: &'a Names,
    ) -> impl Iterator<Item = (&'a str, String)> + use<'a, C> {
        let Entry { credential, host, port, from } = self.of_either_kind();
        [
            (&names.host, Some(host)),
            (&names.port, Some(port.to_string())),
            (&names.user_name, Some(credential.user_name().to_owned())),
            (&names.password, Some(credential.expose_password().to_owned())),
            (&names.from, from),
        ]
        .into_iter()
        .filter(|(name, _)| !name.is_empty())
        .filter_map(|(name, value)| Some((name.as_str(), value?)))
    }
}

impl Entry<Credential> {
    /// Checks that the values have only letters, digits and marks that are special in no form, so that no form escapes
    /// them. Only a chosen password may have others, if the form `escapes` it; user names and derived passwords have
    /// none, by their types.
    pub(super) fn check(&self, escapes: bool) -> Result<(), RenderError> {
        let fits = |text: Option<&str>, fits: fn(&str) -> bool| text.is_none_or(fits);
        if !is_host(&self.host) {
            return Err(RenderError::Host);
        }
        if self.port == 0 {
            return Err(RenderError::Port);
        }
        if self.credential.kind() == Kind::MailManager && TLS_WRAPPER_PORTS.contains(&self.port) {
            return Err(RenderError::TlsWrapper);
        }
        if !fits(self.from.as_deref(), is_plain_address) {
            return Err(RenderError::From);
        }
        if let Credential::MailManager(credential) = &self.credential
            && !(escapes || is_bare(credential.password.expose()))
        {
            return Err(RenderError::Password);
        }
        if !fits(self.credential.iam_user(), is_iam_user) {
            return Err(RenderError::IamUser);
        }
        Ok(())
    }
}

/// Finds the credential in named values, unless they are for another place. An empty value counts as absent.
///
/// # Errors
/// Fails if there are values, but no credential.
pub(super) fn find(
    names: &Names,
    (host, port): Place<'_>,
    value: impl Fn(&str) -> Option<String>,
) -> Result<Option<SmtpCredential>, RenderError> {
    let value = |name: &str| value(name).filter(|value| !value.is_empty());
    let elsewhere = value(&names.host).is_some_and(|value| !value.eq_ignore_ascii_case(host))
        || value(&names.port).is_some_and(|value| value != port.to_string());
    let [user_name, password] =
        [&names.user_name, &names.password].map(|name| value(name).unwrap_or_default());
    Ok(credential(&user_name, &password, host)?.filter(|_| !elsewhere))
}

/// Makes the credential of a user name and a password; `None` if both are empty.
///
/// # Errors
/// Fails if they are something else.
pub(super) fn credential(
    user_name: &str,
    password: &str,
    host: &str,
) -> Result<Option<SmtpCredential>, RenderError> {
    if user_name.is_empty() && password.is_empty() {
        return Ok(None);
    }
    let credential = SmtpCredential::from_cells(1, None, user_name, password, Some(host));
    credential.map(Some).map_err(|_| RenderError::NotOurs)
}

/// Whether it is a name of letters, digits and inner hyphens between dots (RFC 1123, section 2.1), or an address.
pub(crate) fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_name = text.len() <= 253 && text.split('.').all(is_label);
    is_name || text.parse::<Ipv6Addr>().is_ok()
}

/// Whether it is an unquoted local part (RFC 5322, section 3.2.3) at a host, without the patterns `*`, `?` and `%` of
/// msmtp.
pub(crate) fn is_plain_address(text: &str) -> bool {
    let is_local_byte = |b: u8| b.is_ascii_alphanumeric() || b"!#$&'+-/=^_{|}~.".contains(&b);
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && local.bytes().all(is_local_byte) && is_host(domain)
    })
}

/// Whether it has only characters that are special in no form, and begins with a letter or a digit.
fn is_bare(password: &str) -> bool {
    password.starts_with(|c: char| c.is_ascii_alphanumeric())
        && password.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b))
}

/// Whether it has only the alphabet of names in IAM (IAM User Guide, "IAM and AWS STS quotas") and of ARNs.
fn is_iam_user(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-:/".contains(&b))
}
