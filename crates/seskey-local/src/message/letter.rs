//! A message as its reader sees it, with hostile content made harmless.

use std::{collections::HashMap, panic::catch_unwind};

use base64::{Engine, prelude::BASE64_STANDARD};
use mail_parser::{
    Address, MessageParser, MessagePart, MimeHeaders, PartType, parsers::MessageStream,
};

use super::{Parsed, is_inline};

/// The contents of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// `From`, each author with the name.
    pub from: Vec<String>,
    /// `To`.
    pub to: Vec<String>,
    /// `Cc`.
    pub cc: Vec<String>,
    /// `Reply-To`.
    pub reply_to: Vec<String>,
    /// `Subject`.
    pub subject: String,
    /// Whether it has HTML.
    pub has_html: bool,
    /// The fields of the header, each on one line.
    pub headers: Vec<(String, String)>,
    /// All parts, in their order.
    pub parts: Vec<Part>,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its number among all parts.
    pub number: usize,
    /// The media type that it declares.
    pub media_type: String,
    /// The file name that it declares.
    pub file_name: Option<String>,
    /// The ID by which the HTML refers to it.
    pub content_id: Option<String>,
    /// Whether it is shown within the HTML.
    pub is_inline: bool,
    /// Whether it is made of other parts.
    pub is_multipart: bool,
    /// The number of its bytes, decoded.
    pub size: usize,
}

impl Letter {
    /// Reads a message.
    pub fn of(message: &[u8]) -> Self {
        let parsed = Parsed::of(message);
        let it = parsed.message();
        let header =
            |(name, value): (&str, &str)| (name.to_owned(), value.trim().replace(['\r', '\n'], ""));
        Self {
            from: addresses(it.from()),
            to: addresses(it.to()),
            cc: addresses(it.cc()),
            reply_to: addresses(it.reply_to()),
            subject: parsed.subject().unwrap_or_default().to_owned(),
            has_html: parsed.html().is_some(),
            headers: it.headers_raw().map(header).collect(),
            parts: it.parts.iter().enumerate().map(|(n, it)| part(n, it)).collect(),
        }
    }

    /// Returns the text, or else the text of the HTML.
    pub fn text(message: &[u8]) -> String {
        Parsed::of(message).readable().into_owned()
    }

    /// Returns the links to the web, and the numbers that a login may ask for.
    pub fn links_and_codes(message: &[u8]) -> (Vec<String>, Vec<String>) {
        let parsed = Parsed::of(message);
        (parsed.links(), parsed.codes())
    }

    /// Returns the author and the subject; of a large message the rest is not read.
    pub fn author_and_subject(message: &[u8]) -> (String, String) {
        let header = &message[..message.len().min(super::MAX_HEADER)];
        let parse = || MessageParser::default().parse_headers(header);
        let Some(parsed) = catch_unwind(parse).ok().flatten() else {
            return Default::default();
        };
        let author = addresses(parsed.from()).into_iter().next().unwrap_or_default();
        (author, parsed.subject().unwrap_or_default().to_owned())
    }

    /// Returns the HTML for a page of its own that loads nothing: images named by `cid:` are embedded, and elements
    /// that lead elsewhere by themselves are disabled.
    pub fn html(message: &[u8]) -> Option<String> {
        let parsed = Parsed::of(message);
        Some(with_images(&disarmed(parsed.html()?), &parsed))
    }

    /// Returns a part and its bytes.
    pub fn part(message: &[u8], number: usize) -> Option<(Part, Vec<u8>)> {
        let parsed = Parsed::of(message);
        let it = parsed.message().parts.get(number)?;
        Some((part(number, it), it.contents().to_vec()))
    }
}

/// Returns the text of a field with its encoded words decoded (RFC 2047).
pub(crate) fn decoded(value: &str) -> String {
    let text = value.replace('\t', " ");
    if !text.contains("=?") {
        return text;
    }
    let line = format!("{text}\n");
    let parse =
        || Some(MessageStream::new(line.as_bytes()).parse_unstructured().as_text()?.to_owned());
    catch_unwind(parse).ok().flatten().unwrap_or(text)
}

/// Returns the media type that a part declares.
pub(crate) fn media_type(part: &MessagePart<'_>) -> String {
    let said = part.content_type().map(|it| match it.subtype() {
        Some(subtype) => format!("{}/{subtype}", it.ctype()),
        None => it.ctype().to_owned(),
    });
    let is_token = |media_type: &String| {
        media_type.bytes().all(|b| b.is_ascii_alphanumeric() || b"/.+-_".contains(&b))
    };
    said.filter(is_token).unwrap_or_else(|| "application/octet-stream".to_owned())
}

fn part(number: usize, it: &MessagePart<'_>) -> Part {
    let is_multipart = matches!(it.body, PartType::Multipart(_));
    Part {
        number,
        media_type: media_type(it),
        file_name: it.attachment_name().map(str::to_owned),
        content_id: it.content_id().map(str::to_owned),
        is_inline: is_inline(it),
        is_multipart,
        size: if is_multipart { 0 } else { it.contents().len() },
    }
}

fn addresses(of: Option<&Address<'_>>) -> Vec<String> {
    let all = of.into_iter().flat_map(|it| it.iter());
    let shown = all.map(|it| match (it.name(), it.address().unwrap_or_default()) {
        (Some(name), address) => format!("{name} <{address}>"),
        (None, address) => address.to_owned(),
    });
    shown.collect()
}

/// Renames `link`, `meta` and `base` elements, which disables them. A browser would connect or go elsewhere, or take
/// another base, whatever a policy says: by `preconnect` and `dns-prefetch` of `link`, by `refresh` of `meta`.
fn disarmed(html: &str) -> String {
    let mut disarmed = String::with_capacity(html.len());
    for (n, piece) in html.split('<').enumerate() {
        if n > 0 {
            disarmed.push('<');
        }
        let begins =
            |name: &&str| piece.get(..name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name));
        if LEADING_ELSEWHERE.iter().any(begins) {
            disarmed.push_str("x-");
        }
        disarmed.push_str(piece);
    }
    disarmed
}

const LEADING_ELSEWHERE: [&str; 3] = ["link", "meta", "base"];

/// Returns the HTML with its images embedded, as it may load none.
fn with_images(html: &str, parsed: &Parsed<'_>) -> String {
    let mut images = HashMap::new();
    for (_, part) in parsed.attachments() {
        if let Some(cid) = part.content_id()
            && media_type(part).starts_with("image/")
        {
            images.entry(cid).or_insert(part);
        }
    }
    let mut room = MAX_IMAGES;
    let mut pieces = html.split("cid:");
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        // an attribute ends with a quotation mark, the url() of a style perhaps with its bracket
        let quoted = piece.split(['"', '\'', '<', '>']).next().unwrap_or_default();
        let bare = quoted.split([')', ' ']).next().unwrap_or_default();
        let found = [quoted, bare].into_iter().find_map(|cid| Some((cid, images.get(cid)?)));
        match found {
            Some((cid, part)) if part.contents().len() <= room => {
                room -= part.contents().len();
                let data = BASE64_STANDARD.encode(part.contents());
                whole.push_str(&format!("data:{};base64,{data}", media_type(part)));
                whole.push_str(&piece[cid.len()..]);
            }
            _ => {
                whole.push_str("cid:");
                whole.push_str(piece);
            }
        }
    }
    whole
}

/// The most bytes of all images in the HTML. Images beyond that are not shown.
const MAX_IMAGES: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_elsewhere() {
        for (html, expected) in [
            ("<p>a<b>", "<p>a<b>"),
            ("<LINK rel=preconnect href=//x>", "<x-LINK rel=preconnect href=//x>"),
            ("a < b <meta http-equiv=refresh>", "a < b <x-meta http-equiv=refresh>"),
            ("<base href=x><basefont>", "<x-base href=x><x-basefont>"),
            ("<l\u{e4}><", "<l\u{e4}><"),
        ] {
            assert_eq!(disarmed(html), expected);
        }
    }

    #[test]
    fn images_stand_in_the_html() {
        let message = |kind: &str| {
            format!(
                "Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n\
                <img src=\"cid:a\"><img src='cid:other'>\r\n--b\r\nContent-Type: {kind}\r\nContent-ID: <a>\r\n\
                Content-Transfer-Encoding: base64\r\n\r\nR0lG\r\n--b--\r\n"
            )
        };
        let html = |kind: &str| Letter::html(message(kind).as_bytes());
        let shown = html("image/gif").expect("it has HTML");
        assert!(
            shown.contains("<img src=\"data:image/gif;base64,R0lG\"><img src='cid:other'>"),
            "{shown}"
        );
        assert!(html("text/html").expect("it has HTML").contains("src=\"cid:a\""));
        let of_style =
            message("image/gif").replace("src='cid:other'", "style='background:url(cid:a)'");
        let shown = Letter::html(of_style.as_bytes()).expect("it has HTML");
        assert!(shown.contains("url(data:image/gif;base64,R0lG)"), "{shown}");
        let (part, bytes) =
            Letter::part(message("image/gif").as_bytes(), 2).expect("there are three");
        assert_eq!((part.content_id.as_deref(), bytes.as_slice()), (Some("a"), &b"GIF"[..]));
    }
}
