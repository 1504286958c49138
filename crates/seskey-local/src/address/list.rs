//! Address lists, parsed as Amazon SES parses them: its refusals are those of JavaMail's `InternetAddress`, word for
//! word, so the rules are JavaMail's too. `tests/peers/javamail.py` compares the two.
//!
//! Sources: RFC 5322, section 3.4, for the syntax; published refusals of SES, and the answers of JavaMail, for the
//! errors.

use std::fmt;

use AddressError as E;

/// One entry of an address list, as it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mailbox<'a> {
    /// The address; for a group its name with a colon, its list and a semicolon.
    pub(crate) address: &'a str,
    /// The phrase before the address, or else the comment after it.
    pub(crate) name: Option<&'a str>,
}

/// The reason why a text is not an address list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the text says it")]
pub enum AddressError {
    #[error("Missing '\"'")]
    MissingQuote,
    #[error("Missing '('")]
    MissingOpeningParenthesis,
    #[error("Missing ')'")]
    MissingClosingParenthesis,
    #[error("Missing '<'")]
    MissingOpeningBracket,
    #[error("Missing '>'")]
    MissingClosingBracket,
    #[error("Missing ']'")]
    MissingSquareBracket,
    #[error("Extra route-addr")]
    ExtraRoute,
    #[error("Illegal route-addr")]
    IllegalRoute,
    #[error("Illegal semicolon, not in group")]
    IllegalSemicolon,
    #[error("Nested group")]
    NestedGroup,
    #[error("Empty address")]
    Empty,
    #[error("More than {MAX_ENTRIES} addresses")]
    TooMany,
    #[error("Missing local name")]
    MissingLocalName,
    #[error("Quote not at start of local address")]
    QuoteNotAtStart,
    #[error("Quote not at end of local address")]
    QuoteNotAtEnd,
    #[error("Unterminated quote")]
    UnterminatedQuote,
    #[error("Local address starts with dot")]
    LocalStartsWithDot,
    #[error("Local address contains dot-dot")]
    LocalContainsDotDot,
    #[error("Local address ends with dot")]
    LocalEndsWithDot,
    #[error("Local address contains control or whitespace")]
    LocalContainsControl,
    #[error("Local address contains illegal character")]
    LocalContainsIllegal,
    #[error("Missing final '@domain'")]
    MissingFinalDomain,
    #[error("Missing domain")]
    MissingDomain,
    #[error("Domain starts with dot")]
    DomainStartsWithDot,
    #[error("Domain contains dot-dot")]
    DomainContainsDotDot,
    #[error("Domain ends with dot")]
    DomainEndsWithDot,
    #[error("Domain contains control or whitespace")]
    DomainContainsControl,
    #[error("Domain contains illegal character")]
    DomainContainsIllegal,
    #[error("Domain literal not at start of domain")]
    LiteralNotAtStart,
    #[error("Domain literal end not at end of domain")]
    LiteralNotAtEnd,
}

/// Our own limit: an address takes many times the memory of the comma that separates it from the next.
const MAX_ENTRIES: usize = 5_000;

/// Parses a list. A group stands for its members; an empty list is valid.
///
/// # Errors
/// The error in the list, or else in the first address that cannot be sent to.
pub(crate) fn addresses(text: &str) -> Result<Vec<Mailbox<'_>>, E> {
    let mut found = vec![];
    for entry in entries(text)? {
        match members(entry.address) {
            Some(list) => found.extend(entries(list)?),
            None => {
                check(entry.address, Route::Allowed, Domain::Required)?;
                found.push(entry);
            }
        }
        if found.len() > MAX_ENTRIES {
            return Err(E::TooMany);
        }
    }
    Ok(found)
}

/// Whether it is a local part and a domain, and nothing else.
pub fn is_addr_spec(text: &str) -> bool {
    check(text, Route::Forbidden, Domain::Required).is_ok()
}

impl Mailbox<'_> {
    /// Whether it has more than `most` characters, counted in UTF-16 as Java counts them.
    pub(crate) fn is_longer_than(&self, most: usize) -> bool {
        // quotes, blank and brackets add at most 5 characters
        self.address.len() + self.name.map_or(0, str::len) + 5 > most
            && self.to_string().encode_utf16().count() > most
    }
}

/// Writes `name <address>`, with the name in quotes if it needs them. Encoded words in it (RFC 2047) stay encoded.
impl fmt::Display for Mailbox<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.unwrap_or_default();
        let inside = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        let (name, address) = (inside.unwrap_or(name), self.address);
        let is_special = |c: char| !matches!(c, ' '..='~') || "()<>@,;:\\\".[]".contains(c);
        match name {
            "" => f.write_str(address),
            _ if name.contains(is_special) => write!(f, "\"{name}\" <{address}>"),
            _ => write!(f, "{name} <{address}>"),
        }
    }
}

/// Returns the value of a quoted string from the text between its quotes.
pub(crate) fn unescaped(text: &str) -> String {
    let mut characters = text.chars();
    let next = || match characters.next()? {
        '\\' => characters.next(),
        c => Some(c),
    };
    std::iter::from_fn(next).collect()
}

/// Returns the list of a group, if it is one.
fn members(entry: &str) -> Option<&str> {
    let (name, list) = entry.strip_suffix(';')?.split_once(':')?;
    (!name.is_empty()).then_some(list)
}

/// Returns the entries of a list, each with the checks that need no domain.
fn entries(text: &str) -> Result<Vec<Mailbox<'_>>, E> {
    let mut reader = Reader { text, at: 0 };
    let mut entries = vec![];
    while let Some(entry) = reader.entry()? {
        if entries.len() == MAX_ENTRIES {
            return Err(E::TooMany);
        }
        entries.push(entry);
    }
    Ok(entries)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn entry(&mut self) -> Result<Option<Mailbox<'a>>, E> {
        let (mut start, mut end, mut name) = (None, None, None);
        let (mut route, mut in_group) = (Route::Forbidden, false);
        while let Some(&byte) = self.text.as_bytes().get(self.at) {
            let here = self.at;
            self.at += 1;
            match byte {
                b' ' | b'\t' => {}
                b'(' => {
                    self.pass_comment()?;
                    end = end.or_else(|| start.map(|_| here));
                    name = name.or(Some((here + 1, self.at - 1)));
                }
                b'<' => {
                    if route == Route::Allowed {
                        return Err(E::ExtraRoute);
                    }
                    self.pass_route()?;
                    if !in_group {
                        name = start.map(|start| (start, here));
                        start = Some(here + 1);
                    }
                    (route, end) = (Route::Allowed, Some(self.at - 1));
                }
                b')' => return Err(E::MissingOpeningParenthesis),
                b'>' => return Err(E::MissingOpeningBracket),
                b',' | b';' if start.is_none() => (route, end) = (Route::Forbidden, None),
                b',' if in_group => route = Route::Forbidden,
                b',' => {
                    end = end.or(Some(here));
                    break;
                }
                b';' if in_group => {
                    let start = start.expect("a group begins with its name");
                    return Ok(Some(Mailbox { address: self.piece(start, here + 1), name: None }));
                }
                b';' => return Err(E::IllegalSemicolon),
                b':' if in_group => return Err(E::NestedGroup),
                b':' => {
                    in_group = true;
                    start = start.or(Some(here));
                }
                _ => {
                    start = start.or(Some(here));
                    match byte {
                        b'"' => self.pass(b'"', E::MissingQuote)?,
                        b'[' => self.pass(b']', E::MissingSquareBracket)?,
                        _ => {}
                    }
                }
            }
        }
        let Some(start) = start else { return Ok(None) };
        let address = self.piece(start, end.unwrap_or(self.text.len()));
        check(address, route, Domain::Optional)?;
        Ok(Some(Mailbox { address, name: name.map(|(start, end)| self.piece(start, end)) }))
    }

    fn piece(&self, start: usize, end: usize) -> &'a str {
        self.text[start..end].trim_matches(|c| c <= ' ')
    }

    /// Moves past the end of a quoted string or a domain literal.
    fn pass(&mut self, last: u8, missing: E) -> Result<(), E> {
        while let Some(byte) = self.byte() {
            if byte == last {
                return Ok(());
            }
        }
        Err(missing)
    }

    /// Moves past the end of a comment, which may hold others.
    fn pass_comment(&mut self) -> Result<(), E> {
        let mut depth = 1;
        while depth > 0 {
            match self.byte().ok_or(E::MissingClosingParenthesis)? {
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
        }
        Ok(())
    }

    /// Moves past the unquoted bracket that ends an address.
    fn pass_route(&mut self) -> Result<(), E> {
        let mut quoted = false;
        while let Some(byte) = self.byte() {
            match byte {
                b'"' => quoted = !quoted,
                b'>' if !quoted => return Ok(()),
                _ => {}
            }
        }
        Err(if quoted { E::MissingQuote } else { E::MissingClosingBracket })
    }

    /// Returns the next byte that is neither escaped nor an escaping backslash.
    fn byte(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte != b'\\' {
                return Some(byte);
            }
        }
    }
}

/// Whether a route of relays may stand before an address: `@relay.example:bob@example.org`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Route {
    Allowed,
    Forbidden,
}

/// Whether an address needs a domain, and its quotes must be where RFC 5322 allows them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Domain {
    Required,
    Optional,
}

fn check(address: &str, route: Route, domain: Domain) -> Result<(), E> {
    let bytes = address.as_bytes();
    let start = match bytes.first() {
        None => return Err(E::Empty),
        Some(b'@') if route == Route::Allowed => route_length(bytes)?,
        Some(_) => 0,
    };
    match check_local(bytes, start, domain)? {
        Some(at) => check_domain(&bytes[at + 1..]),
        None if domain == Domain::Required => Err(E::MissingFinalDomain),
        None => Ok(()),
    }
}

/// Returns the length of a route, with its colon.
fn route_length(address: &[u8]) -> Result<usize, E> {
    let mut start = 0;
    while let Some(length) = address[start..].iter().position(|b| matches!(b, b',' | b':')) {
        if address[start] != b'@' {
            return Err(E::IllegalRoute);
        }
        start += length + 1;
        if address[start - 1] == b':' {
            break;
        }
    }
    Ok(start)
}

/// Checks the local part, and returns the position of the `@`, if there is one.
fn check_local(address: &[u8], start: usize, domain: Domain) -> Result<Option<usize>, E> {
    let (mut quoted, mut last) = (false, 0);
    for (at, &byte) in address.iter().enumerate().skip(start) {
        let before = std::mem::replace(&mut last, byte);
        match byte {
            _ if byte == b'\\' || before == b'\\' => {}
            b'"' if quoted => {
                let next = address.get(at + 1);
                if domain == Domain::Required && next.is_some_and(|&next| next != b'@') {
                    return Err(E::QuoteNotAtEnd);
                }
                quoted = false;
            }
            b'"' if domain == Domain::Required && at != 0 => return Err(E::QuoteNotAtStart),
            b'"' => quoted = true,
            _ if quoted => {}
            b'.' if at == start => return Err(E::LocalStartsWithDot),
            b'.' if before == b'.' => return Err(E::LocalContainsDotDot),
            b'@' if at == 0 => return Err(E::MissingLocalName),
            b'@' if before == b'.' => return Err(E::LocalEndsWithDot),
            b'@' => return Ok(Some(at)),
            _ if is_control(byte) => return Err(E::LocalContainsControl),
            b'(' | b')' | b'<' | b'>' | b',' | b';' | b':' | b'[' | b']' => {
                return Err(E::LocalContainsIllegal);
            }
            _ => {}
        }
    }
    match (quoted, last) {
        (true, _) => Err(E::UnterminatedQuote),
        // an escaped `@`
        (false, b'@') => Err(E::MissingDomain),
        _ => Ok(None),
    }
}

fn check_domain(domain: &[u8]) -> Result<(), E> {
    match domain.first() {
        None => return Err(E::MissingDomain),
        Some(b'.') => return Err(E::DomainStartsWithDot),
        Some(_) => {}
    }
    let (mut in_literal, mut last) = (false, 0);
    for (at, &byte) in domain.iter().enumerate() {
        match byte {
            b'[' if at > 0 => return Err(E::LiteralNotAtStart),
            b'[' => in_literal = true,
            b']' if at + 1 < domain.len() => return Err(E::LiteralNotAtEnd),
            b']' => in_literal = false,
            _ if is_control(byte) => return Err(E::DomainContainsControl),
            _ if in_literal => {}
            b'.' if last == b'.' => return Err(E::DomainContainsDotDot),
            b'.' | b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {}
            _ => return Err(E::DomainContainsIllegal),
        }
        last = byte;
    }
    if last == b'.' { Err(E::DomainEndsWithDot) } else { Ok(()) }
}

/// Whether it is a control character or whitespace. Non-ASCII counts too: SES says so, as older versions of JavaMail
/// do.
fn is_control(byte: u8) -> bool {
    byte <= b' ' || byte >= 0x7f
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(&str, Option<&str>)>, AddressError> {
        let found = addresses(text)?;
        Ok(found.into_iter().map(|mailbox| (mailbox.address, mailbox.name)).collect())
    }

    #[test]
    fn lists() {
        for (text, expected) in [
            ("", vec![]),
            (" , ", vec![]),
            ("a@b.c", vec![("a@b.c", None)]),
            ("Ann <a@b.c>, d@e.f (Dan)", vec![("a@b.c", Some("Ann")), ("d@e.f", Some("Dan"))]),
            ("\"B., Ann\" <a@b.c>", vec![("a@b.c", Some("\"B., Ann\""))]),
            ("\"a, b\"@c.d", vec![("\"a, b\"@c.d", None)]),
            ("a@[192.0.2.1]", vec![("a@[192.0.2.1]", None)]),
            (
                "friends: a@b.c, Dan <d@e.f>;, g@h.i",
                vec![("a@b.c", None), ("d@e.f", Some("Dan")), ("g@h.i", None)],
            ),
            ("undisclosed-recipients:;", vec![]),
            ("<@relay.example:a@b.c>", vec![("@relay.example:a@b.c", None)]),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_list() {
        for (text, expected) in [
            ("\"Ann <a@b.c>", E::MissingQuote),
            ("a@b.c (x", E::MissingClosingParenthesis),
            ("a@b.c )", E::MissingOpeningParenthesis),
            ("<a@b.c", E::MissingClosingBracket),
            ("a@b.c>", E::MissingOpeningBracket),
            ("a@[b", E::MissingSquareBracket),
            ("<a@b.c> <d@e.f>", E::ExtraRoute),
            ("<@r,x:a@b.c>", E::IllegalRoute),
            ("a@b.c; d@e.f", E::IllegalSemicolon),
            ("a: b: c@d.e;", E::NestedGroup),
            ("<>", E::Empty),
            ("@b.c", E::MissingLocalName),
            ("a\"b\"@c.d", E::QuoteNotAtStart),
            ("\"a\"b@c.d", E::QuoteNotAtEnd),
            (".a@b.c", E::LocalStartsWithDot),
            ("a..b@c.d", E::LocalContainsDotDot),
            ("a.@b.c", E::LocalEndsWithDot),
            ("b c@d.e", E::LocalContainsControl),
            ("é@b.c", E::LocalContainsControl),
            ("github:a@b.c", E::LocalContainsIllegal),
            ("To: a@b.c", E::LocalContainsIllegal),
            ("operators", E::MissingFinalDomain),
            ("Doe, Jane <a@b.c>", E::MissingFinalDomain),
            ("\"Info\"", E::MissingFinalDomain),
            ("a@", E::MissingDomain),
            ("a@.b", E::DomainStartsWithDot),
            ("a@b..c", E::DomainContainsDotDot),
            ("a@b.", E::DomainEndsWithDot),
            ("a@b c", E::DomainContainsControl),
            ("a@é.c", E::DomainContainsControl),
            ("=?utf-8?Q?a@b.c?=", E::DomainContainsIllegal),
            ("a@b[c]", E::LiteralNotAtStart),
            ("a@[b]c", E::LiteralNotAtEnd),
        ] {
            assert_eq!(read(text), Err(expected), "{text}");
        }
        // the form of a list is checked first
        assert_eq!(read("operators, b c@d.e"), Err(E::LocalContainsControl));
        let list = |addresses| "a@b.c,".repeat(addresses);
        assert!(addresses(&list(MAX_ENTRIES)).is_ok());
        assert_eq!(addresses(&list(MAX_ENTRIES + 1)), Err(E::TooMany));
    }

    #[test]
    fn a_name_counts_with_its_address() {
        for (text, shown) in [
            ("Ann <a@b.c>", "Ann <a@b.c>"),
            ("\"Ann B\" <a@b.c>", "Ann B <a@b.c>"),
            ("\"B., Ann\" <a@b.c>", "\"B., Ann\" <a@b.c>"),
            ("Å <a@b.c>", "\"Å\" <a@b.c>"),
            ("a@b.c (Ann)", "Ann <a@b.c>"),
        ] {
            let mailbox = addresses(text).unwrap()[0];
            assert_eq!(mailbox.to_string(), shown);
            let length = shown.chars().count();
            assert!(
                !mailbox.is_longer_than(length) && mailbox.is_longer_than(length - 1),
                "{text}"
            );
        }
    }
}
