//! Mail addresses, as Amazon SES accepts them.

mod list;

pub use list::{AddressError, is_addr_spec};
pub(crate) use list::{Mailbox, addresses, unescaped};

/// Whether SES accepts it as an address: a local part and a domain, in printable ASCII.
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

#[cfg(test)]
mod tests {
    use super::*;

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
