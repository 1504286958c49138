//! What is written, and the one check after which every form can carry it as it stands.

use std::net::Ipv6Addr;

use super::{Names, Place, RenderError};
use crate::{
    credential::{Credential, Kind, SmtpCredential},
    region::TLS_WRAPPER_PORTS,
};

/// What is written: a credential of IAM, which is what stores hold, or one of either kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<C = SmtpCredential> {
    /// The credential.
    pub credential: C,
    /// The host name or address that the reader connects to, an IPv6 address without brackets.
    pub host: String,
    /// The port that it connects to.
    pub port: u16,
    /// The address that it sends from, where the form has a place for it.
    pub from: Option<String>,
}

impl<C: Clone + Into<Credential>> Entry<C> {
    /// The same, whichever kind its credential is of.
    pub(super) fn of_either_kind(&self) -> Entry<Credential> {
        let Self { credential, host, port, from } = self.clone();
        Entry { credential: credential.into(), host, port, from }
    }

    /// The values under their names, in the order in which they are written, where they have one; the password is among them.
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
    /// What passes here is made of letters, digits and marks that mean themselves in every form, so that none escapes
    /// anything but what it `escapes`. User names and derived passwords are by their types; a password that was chosen
    /// is not.
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

/// The credential among values that have names, unless they are for another place. An empty value is none.
///
/// # Errors
/// They are there and no credential.
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

/// The credential of a user name and a password, or none if both are empty.
///
/// # Errors
/// They are something else.
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

/// A name of letters, digits and inner hyphens between dots (RFC 1123, section 2.1), or an address.
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

/// An unquoted local part (RFC 5322, section 3.2.3) at a host, without the `*`, `?` and `%` that are patterns to msmtp.
pub(crate) fn is_plain_address(text: &str) -> bool {
    let is_local_byte = |b: u8| b.is_ascii_alphanumeric() || b"!#$&'+-/=^_{|}~.".contains(&b);
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && local.bytes().all(is_local_byte) && is_host(domain)
    })
}

/// Of what means itself in every form, and begins with what no form takes for a mark.
fn is_bare(password: &str) -> bool {
    password.starts_with(|c: char| c.is_ascii_alphanumeric())
        && password.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b))
}

/// The alphabet of names in IAM (IAM User Guide, "IAM and AWS STS quotas"), and what ARNs have besides.
fn is_iam_user(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-:/".contains(&b))
}
