//! The contents of a message for its reader: subject, text, HTML and the parts, and the links and codes that a test
//! looks for.

use std::{borrow::Cow, collections::HashSet, panic::catch_unwind};

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::html;

/// A message as a mail program reads it.
pub(crate) struct Parsed<'a>(Message<'a>);

impl<'a> Parsed<'a> {
    /// Reads a message. If the parser fails, as it may on hostile input, nothing is read.
    pub(crate) fn of(message: &'a [u8]) -> Self {
        let parse = |bytes| MessageParser::default().parse(bytes);
        let parsed = catch_unwind(|| parse(message)).ok().flatten();
        let parsed = parsed.filter(|it| !it.parts.is_empty());
        Self(parsed.unwrap_or_else(|| parse(b"Subject:\r\n\r\n").expect("it has one part")))
    }

    pub(crate) fn message(&self) -> &Message<'a> {
        &self.0
    }

    pub(crate) fn subject(&self) -> Option<&str> {
        self.0.subject()
    }

    pub(crate) fn html(&self) -> Option<&str> {
        self.0.html_bodies().find_map(|part| match &part.body {
            PartType::Html(html) => Some(&**html),
            _ => None,
        })
    }

    pub(crate) fn text(&self) -> Option<&str> {
        self.0.text_bodies().find_map(|part| match &part.body {
            PartType::Text(text) => Some(&**text),
            _ => None,
        })
    }

    /// Returns the text, or else the text of the HTML.
    pub(crate) fn readable(&self) -> Cow<'_, str> {
        match (self.text(), self.html()) {
            (Some(text), _) => text.into(),
            (None, html) => html.map(html::text).unwrap_or_default().into(),
        }
    }

    /// Returns the attachments and the parts that the HTML shows, each with its number among all parts.
    pub(crate) fn attachments(&self) -> impl Iterator<Item = (usize, &MessagePart<'a>)> {
        self.0.attachments.iter().filter_map(|&n| Some((n as usize, self.0.parts.get(n as usize)?)))
    }

    /// Returns the links to the web, in their order, each once: those of the HTML, then those in the text.
    pub(crate) fn links(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        let of_html = self.html().map(html::hrefs).unwrap_or_default();
        let all = of_html.into_iter().chain(urls(&self.readable()));
        all.filter(|link| is_of_the_web(link) && seen.insert(link.clone())).collect()
    }

    /// Returns the numbers of 4 to 8 digits that stand alone in the subject or the text, in their order, each once, as
    /// a login asks for them. A year or a price may be among them.
    pub(crate) fn codes(&self) -> Vec<String> {
        let text = format!("{} {}", self.subject().unwrap_or_default(), self.readable());
        let is_inside = |c: char| c.is_alphanumeric() || "-_./:@#%&=+".contains(c);
        let words = text.split(|c| !is_inside(c));
        let words = words.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
        let is_code = |word: &&str| {
            (4..=8).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
        };
        let mut seen = HashSet::new();
        words.filter(is_code).filter(|code| seen.insert(*code)).map(str::to_owned).collect()
    }
}

/// Whether a part is shown within the HTML: it says so, or has an ID that the HTML can name.
pub(crate) fn is_inline(part: &MessagePart<'_>) -> bool {
    let disposition = part.content_disposition();
    disposition.is_some_and(|it| it.is_inline())
        || (part.content_id().is_some() && !disposition.is_some_and(|it| it.is_attachment()))
}

/// Returns the links to the web in a text, up to white space, and without the punctuation around them.
fn urls(text: &str) -> Vec<String> {
    let words = text.split(|c: char| c.is_whitespace() || "<>\"".contains(c));
    let begins = words.filter_map(|word| {
        let lower = word.to_ascii_lowercase();
        let at = ["https://", "http://"].iter().filter_map(|scheme| lower.find(scheme)).min()?;
        Some(without_marks(&word[at..]))
    });
    begins.map(str::to_owned).collect()
}

/// Removes the marks at the end of a link that belong to the sentence. A bracket that the link opens itself stays.
fn without_marks(mut url: &str) -> &str {
    let unopened = |open, close| {
        let count = |bracket: char| url.matches(bracket).count();
        count(close).saturating_sub(count(open))
    };
    let (mut round, mut square) = (unopened('(', ')'), unopened('[', ']'));
    loop {
        match url.chars().next_back() {
            Some('.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*') => {}
            Some(')') if round > 0 => round -= 1,
            Some(']') if square > 0 => square -= 1,
            _ => return url,
        }
        url = &url[..url.len() - 1];
    }
}

fn is_of_the_web(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_test_looks_for_is_found() {
        let message = Parsed::of(
            b"From: a@example.com\r\nSubject: =?utf-8?q?Your_code_is_12345=E2=80=A6?=\r\nMIME-Version: 1.0\r\n\
            Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
            Enter 482913, (0815) or visit https://example.com/verify?a=1&b=2.\r\n(https://en.example/x_(y)), \r\nOrder 99-1234, call 555.1234, \
            #4444, 123456789, ab1234.\r\n--b\r\nContent-Type: text/html\r\n\r\n\
            <a href=\"https://example.com/verify?a=1&amp;b=2\">x</a> <a href='http://example.com/'>y</a> \
            <a href='mailto:a@example.com'>z</a> <a href='javascript:alert(1)'>z</a>\r\n--b--\r\n",
        );
        assert_eq!(message.subject(), Some("Your code is 12345…"));
        assert_eq!(message.codes(), ["12345", "482913", "0815", "4444"]);
        assert_eq!(
            message.links(),
            [
                "https://example.com/verify?a=1&b=2",
                "http://example.com/",
                "https://en.example/x_(y)"
            ]
        );
        assert!(message.text().is_some_and(|text| text.starts_with("Enter")));
        assert!(message.html().is_some_and(|html| html.starts_with("<a ")));
    }

    proptest! {
        /// No message makes the reader panic.
        #[test]
        fn anything_is_read(
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40),
            bytes in prop::collection::vec(any::<u8>(), 0..8),
        ) {
            let message = [pieces.concat(), bytes].concat();
            let parsed = Parsed::of(&message);
            let _ = (parsed.subject(), parsed.html(), parsed.text(), parsed.links(), parsed.codes());
            for (_, part) in parsed.attachments() {
                let _ = (is_inline(part), part.attachment_name(), part.contents().len());
            }
            let it = parsed.message();
            let _ = (it.from(), it.to(), it.reply_to(), it.message_id(), it.date(), it.headers_raw().count());
        }
    }

    /// A long text is read in linear time: quadratic time would be hours here.
    #[test]
    fn what_is_long_is_read_at_once() {
        let brackets = format!("https://example.com/{}", ")".repeat(2_000_000));
        let links: String =
            (0..200_000).map(|n| format!("https://example.com/{n} {n:06} ")).collect();
        let of = |text: &str| format!("Subject: s\r\n\r\n{text}");
        let (brackets, links) = (of(&brackets), of(&links));
        assert_eq!(Parsed::of(brackets.as_bytes()).links(), ["https://example.com/"]);
        let links = Parsed::of(links.as_bytes());
        assert_eq!((links.links().len(), links.codes().len()), (200_000, 200_000));
    }

    const PIECES: &[&[u8]] = &[
        b"\r\n",
        b"\r\n\r\n",
        b"--b\r\n",
        b"--b--\r\n",
        b"--c\r\n",
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"Content-Type: multipart/alternative; boundary=\"c\"\r\n",
        b"Content-Type: message/rfc822\r\n",
        b"Content-Type: text/html; charset=utf-7\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n",
        b"Content-Disposition: inline; filename*0*=utf-8''a%\r\n",
        b"Content-ID: <\r\n",
        b"Subject: =?utf-8?b?=\r\n",
        b"From: a: <\r\n",
        b"Date: Mon, 99 X 9999 99:99\r\n",
        b"<a href='",
        b"href=\"https://a\"",
        b"&#x110000;",
        b"=3D",
        b"=\r\n",
        b"Zm9v",
        b"12345",
        b"begin 644 a\r\n",
    ];

    #[test]
    fn what_is_no_message_says_nothing() {
        for bytes in
            [&b""[..], b"\0", b"\xff\xff", b"Content-Type: multipart/mixed; boundary=\r\n\r\n--"]
        {
            let message = Parsed::of(bytes);
            assert!(message.links().is_empty() && message.codes().is_empty());
        }
    }
}
