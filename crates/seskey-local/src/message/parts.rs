//! How many MIME parts a message has, told in one pass over its lines. Nothing is built of what a stranger wrote; what is
//! remembered is a boundary for each part at most, and the parts are counted up to a bound.

use std::collections::HashMap;

use memchr::{memchr, memchr_iter, memmem};

/// What an entity has for content (RFC 2046).
#[derive(Debug, Clone, Copy)]
enum Content<'a> {
    Leaf,
    /// A message, with a header of its own.
    Message,
    /// Parts: what is between them, and what one is that does not say it.
    Multipart {
        boundary: &'a [u8],
        digest: bool,
    },
}

/// Counts the message, its parts and theirs, up to one more than `most`.
///
/// A boundary is in no part that it does not end (RFC 2046, section 5.1.1), so that it need not be known which of the
/// multiparts a line is in.
pub(super) fn count(message: &[u8], most: usize) -> usize {
    let mut boundaries = HashMap::new();
    let (mut parts, mut entity, mut in_digest) = (1, message, false);
    while parts <= most {
        let (content, body) = header(entity);
        let usual = if in_digest { Content::Message } else { Content::Leaf };
        match content.unwrap_or(usual) {
            Content::Leaf => {}
            Content::Message => {
                (parts, entity, in_digest) = (parts + 1, body, false);
                continue;
            }
            Content::Multipart { boundary, digest } => {
                boundaries.insert(boundary, digest);
            }
        }
        match next_part(body, &boundaries) {
            Some((next, digest)) => (parts, entity, in_digest) = (parts + 1, next, digest),
            None => break,
        }
    }
    parts
}

/// What the header at the beginning of an entity says of the content, and what is behind that header.
fn header(entity: &[u8]) -> (Option<Content<'_>>, &[u8]) {
    let (mut content, mut rest) = (None, entity);
    // the part may end in the midst of its header
    while !rest.is_empty() && !rest.starts_with(b"--") {
        if let Some(body) = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")) {
            return (content, body);
        }
        let ends = |at: &usize| !matches!(rest.get(at + 1), Some(b' ' | b'\t'));
        let length = memchr_iter(b'\n', rest).find(ends).map_or(rest.len(), |at| at + 1);
        let (field, behind) = rest.split_at(length);
        if let Some(value) = value_of(field, b"content-type", b':') {
            content = Some(content_of(value));
        }
        rest = behind;
    }
    (content, rest)
}

fn content_of(content_type: &[u8]) -> Content<'_> {
    let mut parameters = parameters(content_type);
    let media_type = parameters.next().unwrap_or_default();
    let is = |wanted: &[u8]| media_type.eq_ignore_ascii_case(wanted);
    let is_multipart =
        media_type.get(..10).is_some_and(|it| it.eq_ignore_ascii_case(b"multipart/"));
    match parameters.find_map(|parameter| value_of(parameter, b"boundary", b'=')) {
        Some(boundary) if is_multipart => {
            let boundary = match boundary.strip_prefix(b"\"") {
                Some(quoted) => &quoted[..memchr(b'"', quoted).unwrap_or(quoted.len())],
                None => boundary,
            };
            Content::Multipart { boundary, digest: is(b"multipart/digest") }
        }
        _ if is(b"message/rfc822") || is(b"message/global") => Content::Message,
        _ => Content::Leaf,
    }
}

/// What semicolons separate, but those in quotes.
fn parameters(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut is_quoted = false;
    text.split(move |&byte| {
        is_quoted ^= byte == b'"';
        byte == b';' && !is_quoted
    })
    .map(<[u8]>::trim_ascii)
}

/// What stands behind a name and its sign.
fn value_of<'a>(text: &'a [u8], name: &[u8], sign: u8) -> Option<&'a [u8]> {
    let (found, rest) = text.split_at_checked(name.len())?;
    let value = rest.trim_ascii_start().strip_prefix(&[sign])?;
    found.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

/// What is behind the next line that begins a part, and whether a digest has it.
fn next_part<'a>(body: &'a [u8], boundaries: &HashMap<&[u8], bool>) -> Option<(&'a [u8], bool)> {
    if boundaries.is_empty() {
        return None;
    }
    let behind_lines = memmem::find_iter(body, b"\n--").map(|at| at + 1);
    let first = body.starts_with(b"--").then_some(0);
    first.into_iter().chain(behind_lines).find_map(|at| {
        let line = &body[at + 2..];
        let length = memchr(b'\n', line).unwrap_or(line.len());
        let digest = boundaries.get(line[..length].trim_ascii_end())?;
        Some((line.get(length + 1..).unwrap_or_default(), *digest))
    })
}

#[cfg(test)]
mod tests {
    use mail_builder::{MessageBuilder, mime::MimePart};
    use proptest::prelude::*;

    use super::*;

    const TWO: &str = "Content-Type: multipart/mixed; boundary=x\r\n\r\npreamble\r\n--x\r\n\r\na\r\n--x\r\n\r\nb\r\n--x--\r\n";

    #[test]
    fn parts_inside_parts_are_counted() {
        let digest =
            TWO.replace("mixed", "digest").replace("\r\n\r\na", "\r\n\r\nSubject: a\r\n\r\na");
        let truncated = "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: message/rfc822\r\n--x\r\n--x";
        for (message, expected) in [
            ("", 1),
            ("From: a@b.c\r\n\r\n--x\r\n\r\n", 1),
            (TWO, 3),
            (&TWO.replace("\r\n", "\n"), 3),
            (&TWO.replace("boundary=x", "\r\n charset=\"a;b\";\r\n\tBOUNDARY = \"x\""), 3),
            (&TWO.replace("--x\r\n", "--x \t\r\n"), 3),
            (&TWO.replace("--x\r\n", "--xy\r\n"), 1),
            (&TWO.replace("multipart/mixed", "text/plain"), 1),
            (&TWO.replace("; boundary=x", ""), 1),
            (&format!("Content-Type: message/rfc822\r\n\r\n{TWO}"), 4),
            (&digest, 5),
            (truncated, 5),
        ] {
            assert_eq!(count(message.as_bytes(), 500), expected, "{message}");
        }
    }

    #[test]
    fn nobody_counts_to_the_end() {
        for hostile in [
            "Content-Type: message/rfc822; boundary=x\r\n\r\n",
            "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n",
            "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n--x\r\n--x\r\n",
        ] {
            assert_eq!(count(hostile.repeat(70_000).as_bytes(), 500), 501, "{hostile}");
        }
    }

    /// Parts in parts, and how many that makes.
    fn parts() -> impl Strategy<Value = (MimePart<'static>, usize)> {
        let leaf = "[a-z=-]{0,20}(\r\n[a-z-]{0,9}){0,3}";
        leaf.prop_map(|text| (MimePart::new("text/plain", text), 1)).prop_recursive(
            4,
            30,
            5,
            |inner| {
                prop::collection::vec(inner, 1..5).prop_map(|parts| {
                    let (parts, counts): (Vec<_>, Vec<usize>) = parts.into_iter().unzip();
                    (MimePart::new("multipart/mixed", parts), counts.iter().sum::<usize>() + 1)
                })
            },
        )
    }

    proptest! {
        #[test]
        fn what_another_has_composed_is_counted((body, expected) in parts()) {
            let message = MessageBuilder::new().from("a@b.c").body(body).write_to_vec().unwrap();
            prop_assert_eq!(count(&message, 500), expected);
        }
    }
}
