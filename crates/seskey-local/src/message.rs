//! A message as SES reads it: the header fields that its decision depends on, and those that it rewrites.

use std::panic::catch_unwind;

use jiff::{Timestamp, tz::TimeZone};
use mail_parser::MessageParser;
use memchr::{memchr2_iter, memmem};
use rand::{Rng, RngExt};
use seskey::Region;

use fields::{Content, Field};
pub use header::{Author, Header, HeaderError, IdentityArns, mailboxes};
pub use letter::{Letter, Part};
pub(crate) use letter::{decoded, media_type};
pub use parameters::ParameterError;
pub(crate) use parsed::{Parsed, is_inline};
pub use tags::{Tag, TagError, check_tag};

mod attachments;
mod fields;
mod header;
mod html;
mod letter;
mod parameters;
mod parsed;
mod parts;
mod tags;

/// A message as it came, split once into its header fields and its body, which has the rest.
#[derive(Debug)]
pub struct RawMessage<'a> {
    bytes: &'a [u8],
    fields: Vec<Field<'a>>,
    /// The reason why its header is not read.
    flaw: Option<HeaderError>,
    body: &'a [u8],
}

/// The header of the message that its recipient gets.
#[derive(Debug)]
pub struct Rewritten {
    /// The header, with the empty line.
    header: Vec<u8>,
    /// The number of bytes before the body.
    before: usize,
}

impl<'a> RawMessage<'a> {
    /// Splits a message. Everything up to its first empty line is header.
    pub fn split(bytes: &'a [u8]) -> Self {
        let (mut fields, mut flaw) = (vec![], None);
        // with the empty line
        let window = &bytes[..bytes.len().min(MAX_HEADER + 2)];
        let mut rest = window;
        while !rest.is_empty() && !rest.starts_with(b"\r\n") {
            match Field::split(rest) {
                Ok((field, behind)) if fields.len() < MAX_FIELDS => {
                    fields.push(field);
                    rest = behind;
                    continue;
                }
                Err(name) if name.len() < MAX_HEADER => flaw = Some(HeaderError::of_name(name)),
                _ => flaw = Some(HeaderError::SectionTooLong),
            }
            break;
        }
        if rest.is_empty() && window.len() < bytes.len() {
            flaw = Some(HeaderError::SectionTooLong);
        }
        let header = &bytes[..window.len() - rest.len()];
        if has_unpaired_line_end(header) {
            flaw = flaw.or(Some(HeaderError::Ambiguous));
        }
        let body = &bytes[header.len()..];
        Self { bytes, fields, flaw, body: body.strip_prefix(b"\r\n").unwrap_or(body) }
    }

    /// Returns the bytes that it was split from.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns the fields of its header as they were written, but unfolded; bytes that are not UTF-8 become U+FFFD.
    pub(crate) fn written(&self) -> Vec<(String, String)> {
        let fields = self.fields.iter();
        fields.map(|field| (field.name.to_owned(), field.text().into_owned())).collect()
    }

    /// Returns the bytes of its header.
    pub fn header_bytes(&self) -> &'a [u8] {
        &self.bytes[..self.bytes.len() - self.body.len()]
    }

    /// Counts its MIME parts, including nested ones, up to one more than `most`.
    ///
    /// # Errors
    /// The reason why SES refuses one of them.
    pub fn count_parts(&self, most: usize) -> Result<usize, HeaderError> {
        let has_type = |field: &&Field<'_>| field.content() == Content::Type;
        let content_type = self.fields.iter().find(has_type).map(Field::value);
        parts::count(content_type, self.body, most)
    }

    /// Returns the header that the recipient gets: `Date` and `Message-ID` are SES's own, and the fields for SES are
    /// removed.
    /// Source: SES Developer Guide, "Amazon SES header fields".
    pub fn rewritten(&self, id: &str, tags: &[Tag], region: &Region, now: Timestamp) -> Rewritten {
        let now = now.to_zoned(TimeZone::UTC);
        let domain = if region.as_str() == "us-east-1" { "email" } else { region.as_str() };
        let written = format!(
            "Message-ID: <{id}@{domain}.amazonses.com>\r\nDate: {}\r\n\
             Feedback-ID: {}1.{region}.local:AmazonSES\r\nX-SES-Outgoing: {}-127.0.0.1\r\n",
            now.strftime("%a, %d %b %Y %H:%M:%S +0000"),
            tags::feedback_id(tags),
            now.strftime("%Y.%m.%d"),
        );
        let kept = self.fields.iter().filter(|field| field.is_kept());
        let before = [written.as_bytes()].into_iter().chain(kept.map(|field| field.raw));
        let header: Vec<&[u8]> = before.chain([&b"\r\n"[..]]).collect();
        Rewritten { header: header.concat(), before: self.bytes.len() - self.body.len() }
    }
}

impl Rewritten {
    /// Returns the whole message, in place of the bytes that it was split from.
    pub fn of(self, mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.splice(..self.before, self.header);
        bytes.shrink_to_fit();
        bytes
    }
}

/// Creates the ID of a message as SES does: four characters for the region, the time in milliseconds since 1970 as 12
/// hexadecimal digits, and 32 random ones.
pub fn message_id(region: &Region, now: Timestamp, rng: &mut dyn Rng) -> String {
    let prefix =
        region.facts().and_then(|facts| facts.message_id_prefix.as_deref()).unwrap_or("0100");
    let mut random = |digits: u32| rng.random::<u64>() >> (64 - 4 * digits);
    let [a, b, c, d, e] = [8, 4, 4, 4, 12].map(&mut random);
    let millis = now.as_millisecond();
    format!("{prefix}{millis:012x}-{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}-000000")
}

/// Returns the subject of a message, which may be refused; of a long subject only the beginning.
pub(crate) fn subject(message: &[u8]) -> Option<String> {
    let header = &message[..message.len().min(MAX_HEADER)];
    let parsed = catch_unwind(|| MessageParser::default().parse_headers(header)).ok().flatten()?;
    Some(parsed.subject()?.chars().take(MAX_SUBJECT).collect())
}

/// The most characters of a subject.
const MAX_SUBJECT: usize = 1000;

/// Our own limit, like the next: more than any message has.
const MAX_FIELDS: usize = 10_000;

/// The most bytes of all fields.
const MAX_HEADER: usize = 256 * 1024;

/// Whether there is a CR or an LF that is not half of a line end: another reader would begin a field there.
fn has_unpaired_line_end(header: &[u8]) -> bool {
    let line_ends = memmem::find_iter(header, b"\r\n").count();
    memchr2_iter(b'\r', b'\n', header).count() != 2 * line_ends
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    const MESSAGE: &[u8] = b"From: \"Ann B.\" <ann@example.com>\r\nTo: bob@example.org,\r\n carl@example.org\r\nCc: D <d@example.org>\r\n\
        Date: yesterday\r\nX-SES-CONFIGURATION-SET: prod\r\nBcc: eve@example.org\r\n\
        X-SES-Source-ARN:\r\n arn:aws:ses:us-east-1:111122223333:identity/a.b\r\nX-SES-SOURCE-ARN: second\r\n\
        X-SES-MESSAGE-TAGS: a=b\r\nReturn-Path: <x@y.z>\r\nSubject: hi\r\n\r\nbody: not a header\r\n";

    #[test]
    fn up_to_the_empty_line_all_is_header() {
        let flaw = |message: &[u8]| RawMessage::split(message).flaw;
        let illegal = |name: &str| Some(HeaderError::IllegalName(name.into()));
        for (message, expected) in [
            ("", None),
            ("\r\nno header", None),
            ("From: a@b.c\r\n\r\nno header", None),
            ("From: a@b.c\r\n", None),
            ("no header at all\r\n", illegal("no header at all")),
            ("From: a@b.c\r\nno field\r\nFrom: d@e.f\r\n\r\n", illegal("no field")),
            ("From: a@b.c\r\n<!DOCTYPE \"http://x\">\r\n\r\n", illegal("<!DOCTYPE \"http")),
            ("From: a@b.c\r\n: x\r\n\r\n", Some(HeaderError::EmptyName)),
            ("From: a@b.c\r\nX: y\nFrom: d@e.f\r\n\r\n", Some(HeaderError::Ambiguous)),
            ("From: a@b.c\r\nX: y\rz\r\n\r\n", Some(HeaderError::Ambiguous)),
        ] {
            assert_eq!(flaw(message.as_bytes()), expected, "{message}");
        }
        assert_eq!(flaw(&b"x".repeat(5000)), illegal(&"x".repeat(1000)));
    }

    #[test]
    fn a_header_has_a_size() {
        let too_long = Some(HeaderError::SectionTooLong);
        let fields = b"a:\r\n".repeat(2 * MAX_FIELDS);
        let split = RawMessage::split(&fields);
        assert_eq!((split.fields.len(), split.flaw), (MAX_FIELDS, too_long.clone()));
        assert_eq!(RawMessage::split(&fields[..4 * MAX_FIELDS]).flaw, None);

        let line = format!("a:{}\r\n", "x".repeat(MAX_HEADER / 512 - 4)).into_bytes();
        let header =
            |lines| RawMessage::split(&[&line.repeat(lines), &b"\r\nbody"[..]].concat()).flaw;
        assert_eq!(header(512), None);
        assert_eq!(header(513), too_long);
        assert_eq!(RawMessage::split(&b"x".repeat(MAX_HEADER + 1)).flaw, too_long);
    }

    #[test]
    fn what_ses_writes_over() {
        let now = "2026-08-20T20:08:20Z".parse().unwrap();
        let region = Region::parse("eu-west-1").unwrap();
        let rewritten = RawMessage::split(MESSAGE).rewritten("ID", &[], &region, now);
        let text = String::from_utf8(rewritten.of(MESSAGE.to_vec())).unwrap();
        assert!(text.starts_with("Message-ID: <ID@eu-west-1.amazonses.com>\r\nDate: Thu, 20 Aug 2026 20:08:20 +0000\r\n"), "{text}");
        assert!(text.contains("To: bob@example.org,\r\n carl@example.org\r\n"), "{text}");
        assert!(text.ends_with("Subject: hi\r\n\r\nbody: not a header\r\n"), "{text}");
        for gone in ["yesterday", "CONFIGURATION", "eve@", "ARN", "second", "TAGS", "Return-Path"] {
            assert!(!text.contains(gone), "{gone} in {text}");
        }
    }

    #[test]
    fn two_tags_are_in_the_feedback_id() {
        let tag = |last: &str, value: &str| (format!("ses:feedback-id-{last}"), value.to_owned());
        let (region, now) = (Region::parse("eu-west-1").unwrap(), Timestamp::UNIX_EPOCH);
        for (tags, expected) in [
            (vec![], "Feedback-ID: ::1.eu-west-1."),
            (vec![tag("b", "spring"), tag("a", "news")], "Feedback-ID: news:spring:1.eu-west-1."),
        ] {
            let rewritten = RawMessage::split(MESSAGE).rewritten("ID", &tags, &region, now);
            let text = String::from_utf8(rewritten.of(MESSAGE.to_vec())).unwrap();
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn an_id_has_the_region_and_the_time() {
        let (region, now) =
            (Region::parse("us-west-2").unwrap(), "2026-08-20T20:08:20Z".parse().unwrap());
        let id = message_id(&region, now, &mut StdRng::seed_from_u64(1));
        assert!(id.starts_with("010101a0"), "{id}");
        assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [16, 8, 4, 4, 4, 12, 6]);
    }
}
