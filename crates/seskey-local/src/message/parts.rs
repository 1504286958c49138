//! The number of MIME parts of a message, counted in one pass over its lines. Nothing is built of the untrusted text;
//! at most one boundary for each part is remembered, and the parts are counted up to a bound.

use std::{borrow::Cow, collections::HashMap};

use memchr::{memchr, memchr_iter, memmem};

use super::{
    HeaderError, MAX_HEADER,
    attachments::{check_disposition, check_type},
};

/// The content of an entity (RFC 2046).
#[derive(Debug, Clone, Copy)]
enum Content<'a> {
    Leaf,
    /// A message, with a header of its own.
    Message,
    /// Parts: the boundary between them, and whether they are messages by default.
    Multipart {
        boundary: &'a [u8],
        digest: bool,
    },
}

/// Counts a message and its nested parts, up to one more than `most`, and checks the declarations of each part.
///
/// A boundary occurs in no part that it does not end (RFC 2046, section 5.1.1), so it does not matter in which of the
/// multiparts a line is.
///
/// # Errors
/// The reason why SES refuses one of the parts.
pub(super) fn count(
    content_type: Option<&[u8]>,
    body: &[u8],
    most: usize,
) -> Result<usize, HeaderError> {
    walk(content_type.map(content_of), body, most)
}

fn walk<'a>(
    mut content: Option<Content<'a>>,
    mut body: &'a [u8],
    most: usize,
) -> Result<usize, HeaderError> {
    let mut boundaries = HashMap::new();
    let (mut parts, mut in_digest) = (1, false);
    while parts <= most {
        let usual = if in_digest { Content::Message } else { Content::Leaf };
        let is_multipart = match content.unwrap_or(usual) {
            Content::Leaf => false,
            Content::Message => {
                in_digest = false;
                (content, body) = header(body)?;
                parts += 1;
                continue;
            }
            Content::Multipart { boundary, digest } => {
                boundaries.insert(boundary, digest);
                true
            }
        };
        match next_part(body, &boundaries) {
            Some((part, digest)) => {
                in_digest = digest;
                (content, body) = header(part)?;
                parts += 1;
            }
            None if is_multipart => return Err(HeaderError::MissingStartBoundary),
            None => break,
        }
    }
    Ok(parts)
}

/// Returns the content that the header of an entity declares, and the rest after that header.
fn header(entity: &[u8]) -> Result<(Option<Content<'_>>, &[u8]), HeaderError> {
    let (mut content, mut rest) = (None, entity);
    // the part may end within its header
    while !rest.is_empty() && !rest.starts_with(b"--") {
        if let Some(body) = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")) {
            return Ok((content, body));
        }
        let ends = |at: &usize| !matches!(rest.get(at + 1), Some(b' ' | b'\t'));
        let length = memchr_iter(b'\n', rest).find(ends).map_or(rest.len(), |at| at + 1);
        let (field, behind) = rest.split_at(length);
        if let Some(value) = value_of(field, b"content-type", b':') {
            check_type(&text(value)?)?;
            content = Some(content_of(value));
        } else if let Some(value) = value_of(field, b"content-disposition", b':') {
            check_disposition(&text(value)?)?;
        }
        rest = behind;
    }
    Ok((content, rest))
}

/// Returns the text of a field of a part, which is no longer than the header of a message may be.
fn text(value: &[u8]) -> Result<Cow<'_, str>, HeaderError> {
    match value.len() > MAX_HEADER {
        true => Err(HeaderError::SectionTooLong),
        false => Ok(String::from_utf8_lossy(value)),
    }
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

/// Splits a text at the semicolons that are not in quotes.
fn parameters(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut is_quoted = false;
    text.split(move |&byte| {
        is_quoted ^= byte == b'"';
        byte == b';' && !is_quoted
    })
    .map(<[u8]>::trim_ascii)
}

/// Returns the text after a name and its sign.
fn value_of<'a>(text: &'a [u8], name: &[u8], sign: u8) -> Option<&'a [u8]> {
    let (found, rest) = text.split_at_checked(name.len())?;
    let value = rest.trim_ascii_start().strip_prefix(&[sign])?;
    found.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

/// Returns the text after the next line that begins a part, and whether the part is in a digest.
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

    fn count_all(message: &[u8]) -> Result<usize, HeaderError> {
        let (content, body) = header(message)?;
        walk(content, body, 500)
    }

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
            (&TWO.replace("multipart/mixed", "text/plain"), 1),
            (&TWO.replace("; boundary=x", ""), 1),
            (&format!("Content-Type: message/rfc822\r\n\r\n{TWO}"), 4),
            (&digest, 5),
            (truncated, 5),
        ] {
            assert_eq!(count_all(message.as_bytes()), Ok(expected), "{message}");
        }
    }

    #[test]
    fn each_part_is_looked_at() {
        for (message, expected) in [
            (TWO.replace("--x\r\n", "--xy\r\n"), "Missing start boundary"),
            (
                TWO.replace("\r\na", "Content-Disposition: =?utf-8?Q?inline?=\r\n\r\na"),
                "Expected disposition, got =",
            ),
            (TWO.replace("\r\nb", "Content-Type: text;\n\r\nb"), "Expected '/', got ;"),
            (
                TWO.replace(
                    "\r\na",
                    "Content-Type: message/rfc822\r\n\r\n\
                     Content-Disposition: inline;\r\n filename=\"a.vbs\"\r\n\r\na",
                ),
                "Illegal filename 'a.vbs'.",
            ),
            (
                TWO.replace("\r\na", &format!("Content-Type:{}\r\n\r\na", "a".repeat(300_000))),
                "Header section too long.",
            ),
        ] {
            let error = count_all(message.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn nobody_counts_to_the_end() {
        for hostile in [
            "Content-Type: message/rfc822; boundary=x\r\n\r\n",
            "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n",
            "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n--x\r\n--x\r\n",
        ] {
            assert_eq!(count_all(hostile.repeat(70_000).as_bytes()), Ok(501), "{hostile}");
        }
    }

    /// Returns nested parts with their number.
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
            prop_assert_eq!(count_all(&message), Ok(expected));
        }
    }
}
