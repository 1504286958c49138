//! A message as SES reads it: the header fields that decide about it, and what SES writes over.

use jiff::{Timestamp, tz::TimeZone};
use mail_parser::{Addr, Address, MessageParser};
use memchr::{memchr, memchr2_iter, memchr3_iter, memmem};
use rand::{Rng, RngExt};
use seskey::Region;

mod parts;

/// A message as it came, split once into its header fields and its body. What is no header belongs to the body.
#[derive(Debug)]
pub struct RawMessage<'a> {
    bytes: &'a [u8],
    fields: Vec<Field<'a>>,
    /// The bytes of all fields.
    header: &'a [u8],
    body: &'a [u8],
}

/// The header of a message, as far as it decides whether SES takes the message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// The authors in `From`.
    pub authors: Vec<Author>,
    /// The addresses in `To`.
    pub to: Vec<String>,
    /// The addresses in `Cc`.
    pub cc: Vec<String>,
    /// The addresses in `Bcc`.
    pub bcc: Vec<String>,
    /// The configuration set that the message asks for by `X-SES-CONFIGURATION-SET`.
    pub configuration_set: Option<String>,
    /// By which identities it is sent.
    pub arns: IdentityArns,
    /// A field that stands twice and may stand once.
    pub duplicate: Option<String>,
    /// Whether it cannot be read in one way only.
    pub malformed: bool,
}

/// The ARNs of the identities that a message is sent by, where it does not leave that to SES. Each is the text of the
/// first field of its name, as it stands there.
/// Source: SES Developer Guide, "Using sending authorization with the Amazon SES SMTP interface".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdentityArns {
    /// `X-SES-SOURCE-ARN`: the identity of the sender; it counts for the other two where they are not there.
    pub source: Option<String>,
    /// `X-SES-FROM-ARN`: the identity of the author.
    pub from: Option<String>,
    /// `X-SES-RETURN-PATH-ARN`: the identity of the address that bounces go to.
    pub return_path: Option<String>,
}

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The address.
    pub address: String,
    /// The display name.
    pub display_name: Option<String>,
}

/// Another header for a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewriting {
    header: Vec<u8>,
    /// Where the body begins in the bytes that came.
    body_at: usize,
}

impl Rewriting {
    /// The message with this header, in the memory of the one that came.
    pub fn of(self, mut message: Vec<u8>) -> Vec<u8> {
        message.splice(..self.body_at, self.header);
        message.shrink_to_fit();
        message
    }
}

impl<'a> RawMessage<'a> {
    /// Splits a message.
    pub fn split(bytes: &'a [u8]) -> Self {
        let (mut fields, mut rest) = (vec![], bytes);
        while let Some(name) = field_name(rest).filter(|_| fields.len() <= MAX_FIELDS) {
            let (raw, behind) = rest.split_at(field_length(rest));
            fields.push(Field { name, raw });
            rest = behind;
        }
        let header = &bytes[..bytes.len() - rest.len()];
        Self { bytes, fields, header, body: rest.strip_prefix(b"\r\n").unwrap_or(rest) }
    }

    /// The bytes that it was split from.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Reads the header: the fields that the recipient will see, and nothing that only looks like one.
    pub fn header(&self) -> Header {
        let malformed = self.fields.len() > MAX_FIELDS
            || self.header.len() > MAX_HEADER
            || has_unpaired_line_end(self.header)
            || self.separators() > MAX_SEPARATORS;
        if malformed {
            return Header { malformed, ..Header::default() };
        }
        // the others are not read, and cost nothing
        let lists: Vec<&[u8]> = self.lists().map(|field| field.raw).chain([&b"\r\n"[..]]).collect();
        let header = lists.concat();
        let Some(parsed) = MessageParser::default().parse_headers(&header) else {
            return Header::default();
        };
        let owned = |text: Option<&str>| text.map(str::to_owned).filter(|text| !text.is_empty());
        let author = |address: &Addr| Author {
            address: address.address().unwrap_or_default().to_owned(),
            display_name: owned(address.name()),
        };
        let addresses = |list: Option<&Address>| {
            let addresses = list.into_iter().flat_map(Address::iter);
            addresses.filter_map(|address| address.address().map(str::to_owned)).collect()
        };
        let arn = |name| self.field(name).map(Field::text);
        Header {
            malformed,
            authors: parsed.from().into_iter().flat_map(Address::iter).map(author).collect(),
            to: addresses(parsed.to()),
            cc: addresses(parsed.cc()),
            bcc: addresses(parsed.bcc()),
            arns: IdentityArns {
                source: arn("X-SES-SOURCE-ARN"),
                from: arn("X-SES-FROM-ARN"),
                return_path: arn("X-SES-RETURN-PATH-ARN"),
            },
            configuration_set: self
                .field("X-SES-CONFIGURATION-SET")
                .map(Field::text)
                .filter(|name| !name.is_empty()),
            duplicate: self.duplicate().map(str::to_owned),
        }
    }

    /// Whether it has more MIME parts than so many, those inside others counted too.
    pub fn has_more_parts_than(&self, most: usize) -> bool {
        parts::count(self.bytes, most) > most
    }

    /// What makes it the message that its recipient gets: `Date` and `Message-ID` are SES's own, the fields that talk
    /// to SES are gone. Source: SES Developer Guide, "Amazon SES header fields".
    pub fn rewriting(&self, id: &str, region: &Region, now: Timestamp) -> Rewriting {
        let now = now.to_zoned(TimeZone::UTC);
        let domain = if region.as_str() == "us-east-1" { "email" } else { region.as_str() };
        let written = format!(
            "Message-ID: <{id}@{domain}.amazonses.com>\r\nDate: {}\r\n\
             Feedback-ID: ::1.{region}.local:AmazonSES\r\nX-SES-Outgoing: {}-127.0.0.1\r\n",
            now.strftime("%a, %d %b %Y %H:%M:%S +0000"),
            now.strftime("%Y.%m.%d"),
        );
        let kept = self.fields.iter().filter(|field| !REPLACED.iter().any(|name| field.is(name)));
        let before = [written.as_bytes()].into_iter().chain(kept.map(|field| field.raw));
        let header: Vec<&[u8]> = before.chain([&b"\r\n"[..]]).collect();
        Rewriting { header: header.concat(), body_at: self.bytes.len() - self.body.len() }
    }

    /// How many signs there are that separate addresses, or would outside of quotes.
    fn separators(&self) -> usize {
        self.lists().map(|field| memchr3_iter(b',', b';', b'<', field.raw).count()).sum()
    }

    fn lists(&self) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(|field| LISTS.iter().any(|name| field.is(name)))
    }

    /// The first field of that name.
    fn field(&self, name: &str) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.is(name))
    }

    /// The name of a field that stands twice and may stand once.
    fn duplicate(&self) -> Option<&'a str> {
        let may_stand_once = |field: &Field| SINGLE.iter().any(|name| field.is(name));
        let mut fields = self.fields.iter().enumerate().filter(|(_, field)| may_stand_once(field));
        let is_second = |&(at, field): &(usize, &Field)| {
            self.fields[..at].iter().any(|before| before.is(field.name))
        };
        fields.find(is_second).map(|(_, field)| field.name)
    }
}

/// The ID that SES gives a message: four characters for the region, the time in milliseconds since 1970 as 12
/// hexadecimal digits, and 32 random ones.
pub fn message_id(region: &Region, now: Timestamp, rng: &mut dyn Rng) -> String {
    let prefix =
        region.facts().and_then(|facts| facts.message_id_prefix.as_deref()).unwrap_or("0100");
    let mut random = |digits: u32| rng.random::<u64>() >> (64 - 4 * digits);
    let [a, b, c, d, e] = [8, 4, 4, 4, 12].map(&mut random);
    let millis = now.as_millisecond();
    format!("{prefix}{millis:012x}-{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}-000000")
}

/// Fields that may stand once: RFC 5322, section 3.6, and those that published refusals name.
const SINGLE: &[&str] = &[
    "Date",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Subject",
    "MIME-Version",
    "Content-Type",
    "DKIM-Signature",
    "X-SES-CONFIGURATION-SET",
];

/// Ours, like the next two: more than any message has.
const MAX_FIELDS: usize = 10_000;

/// In bytes, of all fields.
const MAX_HEADER: usize = 256 * 1024;

/// An address takes many times the memory of the sign that separates it from the next.
const MAX_SEPARATORS: usize = 5_000;

/// The fields with lists of addresses that are read.
const LISTS: &[&str] = &["From", "To", "Cc", "Bcc"];

/// What SES writes itself, what is for SES alone, and what no recipient may see.
const REPLACED: &[&str] = &[
    "Date",
    "Message-ID",
    "Return-Path",
    "Bcc",
    "X-SES-CONFIGURATION-SET",
    "X-SES-MESSAGE-TAGS",
    "X-SES-SOURCE-ARN",
    "X-SES-FROM-ARN",
    "X-SES-RETURN-PATH-ARN",
];

#[derive(Debug)]
struct Field<'a> {
    name: &'a str,
    /// Its bytes, folded lines and line end included.
    raw: &'a [u8],
}

impl Field<'_> {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// What stands behind the colon, unfolded.
    fn text(&self) -> String {
        let text = String::from_utf8_lossy(self.raw);
        let text = text.split_once(':').map_or("", |(_, text)| text);
        text.replace("\r\n", "").trim().to_owned()
    }
}

/// A CR or an LF that is not half of a line end: another reader would begin a field there.
fn has_unpaired_line_end(header: &[u8]) -> bool {
    let line_ends = memmem::find_iter(header, b"\r\n").count();
    memchr2_iter(b'\r', b'\n', header).count() != 2 * line_ends
}

/// Blanks may stand between the name and its colon (RFC 5322, section 4.5), a line end may not.
fn field_name(rest: &[u8]) -> Option<&str> {
    let colon = memchr(b':', rest)?;
    let blanks = rest[..colon].iter().rev().take_while(|&&b| matches!(b, b' ' | b'\t')).count();
    let name = &rest[..colon - blanks];
    let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    str::from_utf8(name).ok().filter(|_| is_name)
}

/// Up to the CRLF after which the next line does not begin with a blank.
fn field_length(rest: &[u8]) -> usize {
    let ends_here = |at: &usize| !matches!(rest.get(at + 2), Some(b' ' | b'\t'));
    memmem::find_iter(rest, b"\r\n").find(ends_here).map_or(rest.len(), |at| at + 2)
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    const MESSAGE: &[u8] = b"From: \"Ann B.\" <ann@example.com>\r\nTo: bob@example.org,\r\n carl@example.org\r\nCc: D <d@example.org>\r\n\
        Date: yesterday\r\nX-SES-CONFIGURATION-SET: prod\r\nBcc: eve@example.org\r\n\
        X-SES-Source-ARN:\r\n arn:aws:ses:us-east-1:111122223333:identity/a.b\r\nX-SES-SOURCE-ARN: second\r\n\
        X-SES-MESSAGE-TAGS: a=b\r\nReturn-Path: <x@y.z>\r\nSubject: hi\r\n\r\nbody: not a header\r\n";

    fn read(message: &[u8]) -> Header {
        RawMessage::split(message).header()
    }

    #[test]
    fn what_decides_is_read() {
        let header = read(MESSAGE);
        let ann = Author { address: "ann@example.com".into(), display_name: Some("Ann B.".into()) };
        assert_eq!(header.authors, [ann]);
        assert_eq!(header.to, ["bob@example.org", "carl@example.org"]);
        assert_eq!(header.cc, ["d@example.org"]);
        assert_eq!(header.configuration_set.as_deref(), Some("prod"));
        assert_eq!(
            header.arns.source.as_deref(),
            Some("arn:aws:ses:us-east-1:111122223333:identity/a.b")
        );
        assert_eq!((header.arns.from, header.arns.return_path), (None, None));
        assert_eq!(header.bcc, ["eve@example.org"]);
        assert_eq!(header.duplicate, None);
        assert_eq!(read(b"no header at all\r\n"), Header::default());
    }

    #[test]
    fn a_field_that_stands_twice_is_named() {
        let header =
            read(b"From: a@b.c\r\nContent-Type: text/plain\r\ncontent-type: text/html\r\n\r\n");
        assert_eq!(header.duplicate.as_deref(), Some("content-type"));
        assert_eq!(read(b"Received: a\r\nReceived: b\r\n\r\n").duplicate, None);
    }

    /// What is checked is what the recipient sees: no second reading of the bytes has another author.
    #[test]
    fn an_author_cannot_be_hidden() {
        let authors = |message: &[u8]| -> Vec<String> {
            read(message).authors.into_iter().map(|author| author.address).collect()
        };
        assert_eq!(authors(b"From: a@b.c\r\nno field\r\nFrom: d@e.f\r\n\r\n"), ["a@b.c"]);
        assert_eq!(authors(b"\xef\xbb\xbfFrom: a@b.c\r\n\r\n"), [""; 0]);
        assert_eq!(authors(b"From: a@b.c, g: d@e.f;\r\n\r\n"), ["a@b.c", "d@e.f"]);
        assert_eq!(authors(b"From : a@b.c\r\n\r\n"), ["a@b.c"]);
        assert_eq!(authors(b"From: d@e.f\r\nX\r\n :From: a@b.c\r\n\r\n"), ["d@e.f"]);
        assert_eq!(authors(b"From\r\n : a@b.c\r\n\r\n"), [""; 0]);
        for hidden in
            [&b"From: a@b.c\r\nX: y\nFrom: d@e.f\r\n\r\n"[..], b"From: a@b.c\r\nX: y\rz\r\n\r\n"]
        {
            assert!(read(hidden).malformed);
        }
    }

    #[test]
    fn a_header_without_end_is_malformed() {
        let fields = b"a:\r\n".repeat(2 * MAX_FIELDS);
        assert!(read(&fields).malformed);
        assert_eq!(
            RawMessage::split(&fields).fields.len(),
            MAX_FIELDS + 1,
            "the others take no memory"
        );
        assert!(!read(&fields[..4 * MAX_FIELDS]).malformed);
        for (field, most) in [
            ("X: ", MAX_HEADER - 5),
            ("To: ", MAX_SEPARATORS),
            ("from: a@b.c,", MAX_SEPARATORS - 1),
        ] {
            let filler = if field == "X: " { "x" } else { "," };
            let header = |length| format!("{field}{}\r\n\r\n", filler.repeat(length));
            assert!(!read(header(most).as_bytes()).malformed, "{field}");
            assert!(read(header(most + 1).as_bytes()).malformed, "{field}");
        }
    }

    #[test]
    fn what_ses_writes_over() {
        let now = "2026-08-20T20:08:20Z".parse().unwrap();
        let region = Region::parse("eu-west-1").unwrap();
        let rewriting = RawMessage::split(MESSAGE).rewriting("ID", &region, now);
        let text = String::from_utf8(rewriting.of(MESSAGE.to_vec())).unwrap();
        assert!(text.starts_with("Message-ID: <ID@eu-west-1.amazonses.com>\r\nDate: Thu, 20 Aug 2026 20:08:20 +0000\r\n"), "{text}");
        assert!(text.contains("To: bob@example.org,\r\n carl@example.org\r\n"), "{text}");
        assert!(text.ends_with("Subject: hi\r\n\r\nbody: not a header\r\n"), "{text}");
        for gone in ["yesterday", "CONFIGURATION", "eve@", "ARN", "second", "TAGS", "Return-Path"] {
            assert!(!text.contains(gone), "{gone} in {text}");
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
