//! The argument of MAIL and RCPT (RFC 5321, section 4.1.2), as far as SES reads it.

use crate::message::is_addr_spec;

/// Reads `FROM:<a@b> SIZE=1` or, as in AWS's own example of a session, `FROM: a@b`: the address and its parameters.
/// `None` if the keyword or the address is not there.
pub(super) fn path<'a>(argument: &'a str, keyword: &str) -> Option<(&'a str, Vec<&'a str>)> {
    let (found, rest) = argument.split_once(':')?;
    if !found.trim_end().eq_ignore_ascii_case(keyword) {
        return None;
    }
    let rest = rest.trim();
    let (address, parameters) = match rest.strip_prefix('<') {
        Some(rest) => {
            let (address, behind) = rest.split_at(closing_bracket(rest)?);
            let parameters = &behind[1..];
            // nothing but parameters may be behind the bracket
            if !parameters.is_empty() && !parameters.starts_with(' ') {
                return None;
            }
            (address, parameters)
        }
        None => rest.split_at(rest.find(' ').unwrap_or(rest.len())),
    };
    Some((address, parameters.split_ascii_whitespace().collect()))
}

/// Whether SES would take it as an address: a local part and a domain, in printable ASCII.
pub(crate) fn is_address(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let literal = domain.strip_prefix('[').and_then(|domain| domain.strip_suffix(']'));
    let is_literal = |literal: &str| {
        !literal.is_empty()
            && literal
                .bytes()
                .all(|b| b.is_ascii_hexdigit() || matches!(b, b'.' | b':' | b'I' | b'P' | b'v'))
    };
    (1..=64).contains(&local.len())
        && (1..=255).contains(&domain.len())
        && address.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'\\')
        && literal.is_none_or(is_literal)
        && is_addr_spec(address)
}

/// The bracket that closes the path: one inside a quoted local part does not.
fn closing_bracket(path: &str) -> Option<usize> {
    let mut quoted = false;
    path.bytes().position(|b| {
        quoted ^= b == b'"';
        b == b'>' && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (argument, expected) in [
            ("FROM:<a@b.c>", Some(("a@b.c", vec![]))),
            ("from:<a@b.c> SIZE=5 BODY=8BITMIME", Some(("a@b.c", vec!["SIZE=5", "BODY=8BITMIME"]))),
            ("FROM: a@b.c", Some(("a@b.c", vec![]))),
            ("FROM: a@b.c SIZE=1", Some(("a@b.c", vec!["SIZE=1"]))),
            ("FROM:<\"a>b\"@c.d>", Some(("\"a>b\"@c.d", vec![]))),
            ("FROM:<>", Some(("", vec![]))),
            ("FROM:", Some(("", vec![]))),
            ("FROM:<a@b.c", None),
            ("FROM:<a@b.c>x", None),
            ("FROM:<a@b.c>>", None),
            ("FROM:<a@b.c>SIZE=5", None),
            ("TO:<a@b.c>", None),
            ("<a@b.c>", None),
        ] {
            assert_eq!(path(argument, "FROM"), expected, "{argument}");
        }
    }

    #[test]
    fn addresses() {
        for good in [
            "a@b.c",
            "\"a b\"@example.com",
            "a@[127.0.0.1]",
            "first.last+label@example.com",
            "a@localhost",
        ] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a b@c",
            "a@b c",
            "ä@b.c",
            "a@b..c",
            "a@.b",
            "a@[]",
            "a@[\0]",
            "a@[é]",
            "\"\\\"@c",
            "<a@b.c",
            "a\u{1}@b.c",
            "a\"b@c",
            "\"a\"b\"@c",
            "\"a\"b@c",
            ".a@b.c",
            "a.@b.c",
            "a..b@c",
            "a[b@c",
            "a@b_c",
            "a@b.",
            "a@-[b]",
            "a@b@c",
            "@a:b@c",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
