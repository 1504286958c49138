//! The argument of MAIL and RCPT (RFC 5321, section 4.1.2), as far as SES reads it.

/// Parses `FROM:<a@b> SIZE=1` or, as in AWS's own example of a session, `FROM: a@b`. Returns the address and its
/// parameters, or `None` if the keyword is missing or the path is malformed.
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
            // only parameters may follow the bracket
            if !parameters.is_empty() && !parameters.starts_with(' ') {
                return None;
            }
            (address, parameters)
        }
        None => rest.split_at(rest.find(' ').unwrap_or(rest.len())),
    };
    Some((address, parameters.split_ascii_whitespace().collect()))
}

/// Finds the bracket that closes the path: one inside a quoted local part does not.
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
}
