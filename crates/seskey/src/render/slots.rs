//! The places of a template: the values to write into them, and the values that a text has there.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{Entry, Names, RenderError, entry::is_host};
use crate::{credential::Credential, region::TLS_WRAPPER_PORTS};

/// A part of a line of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'t> {
    Text(&'t str),
    Slot(Slot),
    /// The text for STARTTLS, and the text for TLS from the first byte.
    Tls(&'t str, &'t str),
}

/// The kind of value in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Host,
    /// A host that is not an IPv6 address, in lower case.
    HostName,
    /// The host, in brackets if it is an IPv6 address (RFC 3986, section 3.2.2).
    Address,
    Port,
    UserName,
    Password,
    /// The password, percent-encoded (RFC 3986, section 2.1).
    UrlPassword,
    /// The same, with each `%` twice, as in parameters of Symfony.
    DsnPassword,
    From,
    FromLocal,
    FromDomain,
    /// From here on, the names in [`Names`].
    Entry,
    HostKey,
    PortKey,
    UserNameKey,
    PasswordKey,
    FromKey,
}

const SLOTS: [(&str, Slot); 17] = [
    ("host", Slot::Host),
    ("host-name", Slot::HostName),
    ("address", Slot::Address),
    ("port", Slot::Port),
    ("user-name", Slot::UserName),
    ("password", Slot::Password),
    ("url-password", Slot::UrlPassword),
    ("dsn-password", Slot::DsnPassword),
    ("from", Slot::From),
    ("from-local", Slot::FromLocal),
    ("from-domain", Slot::FromDomain),
    ("entry", Slot::Entry),
    ("host-key", Slot::HostKey),
    ("port-key", Slot::PortKey),
    ("user-name-key", Slot::UserNameKey),
    ("password-key", Slot::PasswordKey),
    ("from-key", Slot::FromKey),
];

/// The characters that a URL escapes: all but the unreserved ones of RFC 3986, section 2.3.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes a password.
pub(super) fn encoded(password: &str) -> String {
    utf8_percent_encode(password, ESCAPED).to_string()
}

/// Returns the parts of a line. A brace that opens no place is text.
pub(super) fn parts(line: &str) -> Vec<Part<'_>> {
    let (mut parts, mut text, mut at) = (vec![], 0, 0);
    while let Some((open, close)) = braces(line, at) {
        let inside = &line[open + 1..close];
        let place = SLOTS.iter().find(|(name, _)| *name == inside);
        let part = match (place, inside.split_once('|')) {
            (Some((_, place)), _) => Part::Slot(*place),
            (None, Some((starttls, wrapper))) => Part::Tls(starttls, wrapper),
            (None, None) => {
                at = open + 1;
                continue;
            }
        };
        parts.extend([Part::Text(&line[text..open]), part]);
        (text, at) = (close + 1, close + 1);
    }
    parts.push(Part::Text(&line[text..]));
    parts
}

fn braces(line: &str, at: usize) -> Option<(usize, usize)> {
    let open = at + line[at..].find('{')?;
    Some((open, open + line[open..].find('}')?))
}

impl<'t> Part<'t> {
    pub(super) const USER_NAME: &'static str = "{user-name}";
    /// The start of the places of the address and of its name.
    pub(super) const FROM: &'static str = "{from";

    pub(super) fn filled(
        self,
        entry: &'t Entry<Credential>,
        names: &'t Names,
    ) -> Result<Cow<'t, str>, RenderError> {
        let place = match self {
            Part::Text(text) => return Ok(text.into()),
            Part::Tls(starttls, wrapper) => {
                let has_wrapper = TLS_WRAPPER_PORTS.contains(&entry.port);
                return Ok(if has_wrapper { wrapper } else { starttls }.into());
            }
            Part::Slot(place) => place,
        };
        let Entry { credential, host, port, from } = entry;
        let from = from.as_deref().unwrap_or_default();
        let (local, domain) = from.split_once('@').unwrap_or_default();
        if matches!(place, Slot::From | Slot::FromLocal) && !is_bare_address(from) {
            return Err(RenderError::From);
        }
        let encoded = || encoded(credential.expose_password());
        Ok(match place {
            Slot::HostName if host.contains(':') => return Err(RenderError::Host),
            Slot::HostName => host.to_ascii_lowercase().into(),
            Slot::Address if host.contains(':') => format!("[{host}]").into(),
            Slot::Host | Slot::Address => host.into(),
            Slot::Port => port.to_string().into(),
            Slot::UserName => credential.user_name().into(),
            Slot::Password => credential.expose_password().into(),
            Slot::UrlPassword => encoded().into(),
            Slot::DsnPassword => encoded().replace('%', "%%").into(),
            Slot::From => from.into(),
            Slot::FromLocal => local.into(),
            Slot::FromDomain => domain.into(),
            name => name.key(names).into(),
        })
    }
}

impl Slot {
    /// Returns the chosen name; empty for a value.
    fn key(self, names: &Names) -> &str {
        match self {
            Self::Entry => &names.entry,
            Self::HostKey => &names.host,
            Self::PortKey => &names.port,
            Self::UserNameKey => &names.user_name,
            Self::PasswordKey => &names.password,
            Self::FromKey => &names.from,
            _ => "",
        }
    }
}

/// The values that a text has in the places of a template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) host: Option<String>,
    pub(super) port: Option<String>,
    pub(super) user_name: Option<String>,
    pub(super) password: Option<String>,
}

impl Seen {
    /// Returns the values with one more line, if it fits its template.
    pub(super) fn line(&self, template: &str, line: &str, names: &Names) -> Option<Self> {
        let (mut seen, mut rest) = (self.clone(), line);
        let parts = parts(template);
        for (index, part) in parts.iter().enumerate() {
            rest = match part {
                Part::Text(text) => rest.strip_prefix(text)?,
                Part::Tls(a, b) => {
                    // if one begins with the other, the longer is meant
                    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
                    rest.strip_prefix(long).or_else(|| rest.strip_prefix(short))?
                }
                Part::Slot(place) => {
                    let next = match parts.get(index + 1) {
                        Some(Part::Text(text)) => *text,
                        _ => "",
                    };
                    let (value, rest) = rest.split_at(place.length(rest, next)?);
                    seen.take(*place, value, names)?;
                    rest
                }
            };
        }
        rest.is_empty().then_some(seen)
    }

    fn take(&mut self, place: Slot, value: &str, names: &Names) -> Option<()> {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned);
        match place {
            Slot::Host | Slot::HostName | Slot::Address => {
                let bare = value.strip_prefix('[').and_then(|value| value.strip_suffix(']'));
                let host = bare.filter(|_| place == Slot::Address).unwrap_or(value);
                self.host = is_host(host).then(|| Some(host.to_owned()))?;
            }
            Slot::Port => self.port = Some(value.to_owned()),
            Slot::UserName => self.user_name = Some(value.to_owned()),
            Slot::Password => self.password = Some(value.to_owned()),
            Slot::UrlPassword => self.password = Some(decoded(value)?),
            Slot::DsnPassword => self.password = Some(decoded(&value.replace("%%", "%"))?),
            Slot::From | Slot::FromLocal | Slot::FromDomain => {}
            name => return (name.key(names) == value).then_some(()),
        }
        Some(())
    }
}

impl Slot {
    /// Returns the length of the value: up to the text that follows in the template.
    fn length(self, text: &str, next: &str) -> Option<usize> {
        match self {
            Self::Address if text.starts_with('[') => Some(text.find(']')? + 1),
            _ if next.is_empty() => Some(text.len()),
            _ => text.find(next),
        }
    }
}

/// Whether the part before the `@` has only characters that need no quoting in any form.
pub(super) fn is_bare_address(address: &str) -> bool {
    let (local, _) = address.split_once('@').unwrap_or_default();
    !local.is_empty() && local.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+=-".contains(&b))
}
