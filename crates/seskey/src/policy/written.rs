//! Addresses, patterns for them and identities as people write them: corrected if that is certain, and refused if they
//! can match nothing that is ever sent.
//!
//! Sources: RFC 5321, section 2.4 (case does not matter in a domain, but it does in a local part); RFC 5891, section 4
//! (the form of an international domain in mail that is not SMTPUTF8, which SES does not offer); IAM User Guide,
//! "Condition operators": StringLike is case-sensitive.

use super::SendingPolicyError as E;

/// Corrects a pattern for addresses: its domain becomes lower-case ASCII without a dot at the end.
///
/// # Errors
/// Fails for a pattern that matches no address, with the one that was perhaps meant, and for several in one.
pub fn address_pattern(text: &str) -> Result<String, E> {
    let bare = one(text)?;
    // a variable of IAM may have any value
    if bare.contains("${") {
        return Ok(bare.to_owned());
    }
    let malformed = || E::AddressPattern { given: text.to_owned() };
    let Some((local, host)) = bare.rsplit_once('@') else {
        return match bare.contains(['*', '?']) {
            true if bare.chars().all(is_graphic) => Ok(bare.to_owned()),
            false if !bare.is_empty() && !bare.contains(char::is_whitespace) => {
                Err(never(text, bare))
            }
            _ => Err(malformed()),
        };
    };
    if local.is_empty() || host.is_empty() {
        return Err(never(text, host));
    }
    match domain(host, true) {
        Some(host) if is_local(local) => Ok(format!("{local}@{host}")),
        _ => Err(malformed()),
    }
}

/// Corrects an address: its domain becomes lower-case ASCII without a dot at the end.
///
/// # Errors
/// Fails for another text, and for several addresses in one.
pub fn address(text: &str) -> Result<String, E> {
    let malformed = || E::Address { given: text.to_owned() };
    let (local, host) = one(text)?.rsplit_once('@').ok_or_else(malformed)?;
    match domain(host, false) {
        Some(host) if is_local(local) && !local.is_empty() => Ok(format!("{local}@{host}")),
        _ => Err(malformed()),
    }
}

/// Corrects the name of an identity, a domain or an address; its domain becomes as in [`address`].
///
/// # Errors
/// Fails for another text, and for several of them in one.
pub fn identity(text: &str) -> Result<String, E> {
    let malformed = || E::Identity { given: text.to_owned() };
    let bare = one(text)?;
    if bare.contains('@') && !bare.starts_with('@') {
        let right = address(bare).map_err(|_| malformed())?;
        return if right.contains(['*', '?']) { Err(malformed()) } else { Ok(right) };
    }
    domain(bare.trim_start_matches('@'), false).ok_or_else(malformed)
}

/// Returns the text in `Name <address>` or behind `mailto:`, if it is only one.
fn one(text: &str) -> Result<&str, E> {
    let text = text.trim();
    let bracketed = text.strip_suffix('>').and_then(|text| text.rsplit_once('<'));
    let bare = bracketed.map_or(text, |(_, address)| address).trim();
    let bare = match bare.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => &bare[7..],
        _ => bare,
    };
    let is_quoted = bare.starts_with('"');
    let parts = text.split([',', ';']).filter(|part| !part.trim().is_empty());
    if !is_quoted && parts.count() > 1 && bracketed.is_none_or(|_| text.matches('@').count() > 1) {
        return Err(E::Several { given: text.to_owned() });
    }
    Ok(bare)
}

fn never(given: &str, host: &str) -> E {
    let nearest = domain(host, true).filter(|host| host.contains('.'));
    E::NeverMatches { given: given.to_owned(), nearest: nearest.map(|host| format!("*@{host}")) }
}

/// Returns a domain as in the addresses that SES sees, perhaps with wildcards; `None` if it is none.
fn domain(text: &str, may_have_wildcards: bool) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.starts_with('[') && text.ends_with(']') {
        return text.chars().all(is_graphic).then(|| text.to_owned());
    }
    let has_wildcards = text.contains(['*', '?']);
    if has_wildcards && !may_have_wildcards {
        return None;
    }
    let ascii = match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false if !has_wildcards => idna::domain_to_ascii(text).ok()?,
        false => {
            let label = |label: &str| match label.is_ascii() {
                true => Some(label.to_ascii_lowercase()),
                false => idna::domain_to_ascii(label).ok(),
            };
            text.split('.').map(label).collect::<Option<Vec<_>>>()?.join(".")
        }
    };
    let is_byte = |b: u8| b.is_ascii_alphanumeric() || b"-_*?".contains(&b);
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(is_byte);
    ascii.split('.').all(is_label).then_some(ascii)
}

/// Whether it is printable ASCII with separators of addresses, and a second `@`, only in quotation marks.
fn is_local(text: &str) -> bool {
    let is_quoted = text.len() > 2 && text.starts_with('"') && text.ends_with('"');
    text.chars().all(is_graphic)
        && (is_quoted || !text.contains(['@', '<', '>', '(', ')', ',', ';', ':', '"', '\\']))
}

fn is_graphic(letter: char) -> bool {
    letter.is_ascii_graphic()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nearest(given: &str, nearest: &str) -> Result<String, E> {
        Err(E::NeverMatches { given: given.into(), nearest: Some(nearest.into()) })
    }

    #[test]
    fn patterns() {
        let malformed = |given: &str| Err(E::AddressPattern { given: given.into() });
        let several = |given: &str| Err(E::Several { given: given.into() });
        for (text, right) in [
            ("a@example.com", Ok("a@example.com".to_owned())),
            ("*@example.com", Ok("*@example.com".into())),
            ("*", Ok("*".into())),
            ("*.example.com", Ok("*.example.com".into())),
            ("j???@*.example.org", Ok("j???@*.example.org".into())),
            ("${aws:username}@example.com", Ok("${aws:username}@example.com".into())),
            ("\"a, b\"@example.com", malformed("\"a, b\"@example.com")),
            ("\"a,b\"@example.com", Ok("\"a,b\"@example.com".into())),
            ("News@Example.COM.", Ok("News@example.com".into())),
            (" a@example.com ", Ok("a@example.com".into())),
            ("mailto:a@example.com", Ok("a@example.com".into())),
            ("<a@example.com>", Ok("a@example.com".into())),
            ("News <a@example.com>", Ok("a@example.com".into())),
            ("\"News, all\" <a@example.com>", Ok("a@example.com".into())),
            ("*@ex\u{e4}mple.com", Ok("*@xn--exmple-cua.com".into())),
            ("*@*.ex\u{e4}mple.com", Ok("*@*.xn--exmple-cua.com".into())),
            ("example.com", nearest("example.com", "*@example.com")),
            ("@example.com", nearest("@example.com", "*@example.com")),
            ("Ex\u{e4}mple.com.", nearest("Ex\u{e4}mple.com.", "*@xn--exmple-cua.com")),
            ("news", Err(E::NeverMatches { given: "news".into(), nearest: None })),
            ("a@", Err(E::NeverMatches { given: "a@".into(), nearest: None })),
            ("", malformed("")),
            ("a@example.com,b@example.com", several("a@example.com,b@example.com")),
            ("a@example.com; b@example.com", several("a@example.com; b@example.com")),
            (
                "A <a@example.com>, B <b@example.com>",
                several("A <a@example.com>, B <b@example.com>"),
            ),
            ("a@b@example.com", malformed("a@b@example.com")),
            ("a@example..com", malformed("a@example..com")),
            ("a@https://example.com", malformed("a@https://example.com")),
            ("\u{e4}@example.com", malformed("\u{e4}@example.com")),
            ("a b@example.com", malformed("a b@example.com")),
        ] {
            assert_eq!(address_pattern(text), right, "{text}");
            if let Ok(right) = right {
                assert_eq!(address_pattern(&right), Ok(right.clone()), "{text}");
            }
        }
    }

    #[test]
    fn identities() {
        let malformed = |given: &str| Err(E::Identity { given: given.into() });
        for (text, right) in [
            ("example.com", Ok("example.com".to_owned())),
            ("Example.com.", Ok("example.com".into())),
            ("ex\u{e4}mple.com", Ok("xn--exmple-cua.com".into())),
            ("@example.com", Ok("example.com".into())),
            ("mailto:Jane@Example.com", Ok("Jane@example.com".into())),
            ("Jane <jane@example.com>", Ok("jane@example.com".into())),
            ("*.example.com", malformed("*.example.com")),
            ("*@example.com", malformed("*@example.com")),
            ("https://example.com", malformed("https://example.com")),
            ("", malformed("")),
            ("a.example,b.example", Err(E::Several { given: "a.example,b.example".into() })),
        ] {
            assert_eq!(identity(text), right, "{text}");
        }
    }
}
