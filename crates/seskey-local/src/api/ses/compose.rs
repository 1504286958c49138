//! The message that SES composes of the parameters of `SendEmail`, in MIME (RFC 5322, RFC 2045).
//!
//! No parameter can begin a header field of its own: text that a field cannot hold is refused, and text that it can
//! hold only encoded is encoded (RFC 2047).

use std::{
    io::{self, Write},
    slice,
};

use mail_builder::{
    MessageBuilder,
    headers::{Header, HeaderType, address::Address, raw::Raw},
};

use super::SesRefusal;
use crate::{
    address::is_address,
    message::{Author, HeaderError, mailboxes},
    sending::{self, MAX_MESSAGE},
};

/// The parameters of a message. Addresses may have display names: `Ann <ann@example.com>`.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) cc: Vec<String>,
    pub(super) reply_to: Vec<String>,
    pub(super) subject: String,
    pub(super) text: Option<String>,
    pub(super) html: Option<String>,
    /// Header fields that the sender adds.
    pub(super) headers: Vec<(String, String)>,
}

/// Composes the message, without its blind copies.
pub(super) fn compose(content: &Content) -> Result<Vec<u8>, SesRefusal> {
    let bodies = [&content.text, &content.html].into_iter().flatten();
    // the encoded form would be even longer
    if content.subject.len() + bodies.map(String::len).sum::<usize>() > MAX_MESSAGE {
        return Err(sending::SendingRefusal::TooLong.into());
    }
    let mut builder =
        MessageBuilder::new().header("From", addresses(slice::from_ref(&content.from))?);
    for (name, list) in [("To", &content.to), ("Cc", &content.cc), ("Reply-To", &content.reply_to)]
    {
        if !list.is_empty() {
            builder = builder.header(name, addresses(list)?);
        }
    }
    if content.subject.contains(char::is_control) {
        return Err(refused("Control character in the subject."));
    }
    builder = builder.subject(content.subject.as_str());
    for (name, value) in &content.headers {
        check_field(name, value)?;
        builder = builder.header(name.as_str(), HeaderType::from(Raw::new(value.trim())));
    }
    if content.text.is_none() && content.html.is_none() {
        return Err(refused("Message body is empty."));
    }
    if let Some(text) = &content.text {
        builder = builder.text_body(text.as_str());
    }
    if let Some(html) = &content.html {
        builder = builder.html_body(html.as_str());
    }
    Ok(written(builder).expect("memory takes every byte"))
}

/// Writes the message without a date and an ID, which SES writes itself.
fn written(builder: MessageBuilder<'_>) -> io::Result<Vec<u8>> {
    let mut message = vec![];
    for (name, value) in &builder.headers {
        write!(message, "{name}: ")?;
        value.write_header(&mut message, name.len() + 2)?;
    }
    message.extend(b"MIME-Version: 1.0\r\n");
    builder.write_body(&mut message)?;
    Ok(message)
}

/// Parses one address with its display name, if it has one. The address must be ASCII; the name need not be, nor need
/// it be encoded.
pub(super) fn mailbox(text: &str) -> Result<Author, SesRefusal> {
    let invalid = || sending::SendingRefusal::InvalidAddress(text.to_owned());
    if text.contains(char::is_control) {
        return Err(invalid().into());
    }
    let found = mailboxes(text).map_err(|error| match error {
        HeaderError::Ambiguous => invalid(),
        error => error.into(),
    })?;
    let named = |author: &Author| author.display_name.clone().unwrap_or_default();
    match <[Author; 1]>::try_from(found) {
        Ok([author])
            if is_address(&author.address) && !named(&author).contains(char::is_control) =>
        {
            Ok(author)
        }
        _ => Err(invalid().into()),
    }
}

/// Returns the `From` field of an author.
pub(super) fn from_field(author: &str) -> Result<Vec<u8>, SesRefusal> {
    let mut field = b"From: ".to_vec();
    let length = field.len();
    let author = addresses(&[author.to_owned()])?;
    author.write_header(&mut field, length).expect("memory takes every byte");
    Ok(field)
}

/// Returns the value of an address field. Angle brackets are used only if an address has a name. Source: recorded.
fn addresses(texts: &[String]) -> Result<HeaderType<'static>, SesRefusal> {
    let list = texts.iter().map(|text| mailbox(text)).collect::<Result<Vec<Author>, _>>()?;
    if list.iter().all(|author| author.display_name.is_none()) {
        let bare: Vec<String> = list.into_iter().map(|author| author.address).collect();
        return Ok(Raw::new(bare.join(", ")).into());
    }
    let named = list.into_iter().map(|it| Address::new_address(it.display_name, it.address));
    Ok(Address::new_list(named.collect()).into())
}

/// Checks an added header field. Fields that SES writes itself cannot be added. Source: SES API v2 Reference,
/// `MessageHeader`.
fn check_field(name: &str, value: &str) -> Result<(), SesRefusal> {
    let is_name =
        (1..=126).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    let is_value = (1..=995).contains(&value.len())
        && name.len() + value.len() <= 996
        && value.bytes().all(|b| (b' '..=b'~').contains(&b))
        && !value.trim().is_empty();
    let lower = name.to_ascii_lowercase();
    let is_ours = OURS.contains(&lower.as_str())
        || ["content-", "x-ses-"].iter().any(|start| lower.starts_with(start));
    match is_name && is_value && !is_ours {
        true => Ok(()),
        false => Err(refused("Invalid header.")),
    }
}

fn refused(text: &str) -> SesRefusal {
    SesRefusal::InvalidParameter(text.to_owned())
}

/// Header fields that come from other parameters, or from SES.
const OURS: &[&str] = &[
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "return-path",
    "received",
    "dkim-signature",
    "feedback-id",
];

#[cfg(test)]
mod tests {
    use mail_parser::{HeaderValue, MessageParser};
    use proptest::prelude::*;

    use super::*;
    use crate::message::RawMessage;

    fn content() -> Content {
        Content {
            from: "ann@example.com".into(),
            to: vec!["bob@example.org".into()],
            text: Some("hi".into()),
            ..Content::default()
        }
    }

    fn names(message: &[u8]) -> Vec<String> {
        let parsed = MessageParser::default().parse(message).expect("a message");
        parsed.headers().iter().map(|header| header.name().to_ascii_lowercase()).collect()
    }

    #[test]
    fn a_mailbox_is_one_address() {
        for (text, expected) in [
            ("a@b.c", Some(("a@b.c", None))),
            ("Ann <a@b.c>", Some(("a@b.c", Some("Ann")))),
            ("\"B., Ann\" <a@b.c>", Some(("a@b.c", Some("B., Ann")))),
            ("=?utf-8?Q?J=C3=A9?= <a@b.c>", Some(("a@b.c", Some("Jé")))),
            ("Jé <a@b.c>", Some(("a@b.c", Some("Jé")))),
            ("a@b.c (Ann)", Some(("a@b.c", Some("Ann")))),
            ("=?utf-8?Q?x=0D=0ABcc:=20e@f.g?= <a@b.c>", None),
            ("a@b.c, d@e.f", None),
            ("g: a@b.c, d@e.f;", None),
            ("a@b.c\r\nBcc: d@e.f", None),
            ("é@b.c", None),
            ("nobody", None),
            ("", None),
        ] {
            let read = mailbox(text).ok().map(|author| (author.address, author.display_name));
            let expected =
                expected.map(|(a, n): (&str, Option<&str>)| (a.into(), n.map(Into::into)));
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_refused() {
        let with_header = |name: &str, value: &str| Content {
            headers: vec![(name.into(), value.into())],
            ..content()
        };
        for refused in [
            Content { subject: "hi\r\nBcc: eve@example.net".into(), ..content() },
            Content { subject: "hi\nthere".into(), ..content() },
            Content { text: None, ..content() },
            with_header("X-A", "a\r\nBcc: eve@example.net"),
            with_header("X-A: b\r\nX-B", "a"),
            with_header("X A", "a"),
            with_header("X-A", ""),
            with_header("X-A", " "),
            with_header("X-A", "é"),
            with_header("Bcc", "eve@example.net"),
            with_header("content-type", "text/html"),
            with_header("X-SES-Source-ARN", "arn"),
            with_header("X-A", &"a".repeat(995)),
        ] {
            assert!(compose(&refused).is_err(), "{refused:?}");
        }
        let list = with_header("List-Unsubscribe", "<https://example.com/u>");
        let message = String::from_utf8(compose(&list).unwrap()).unwrap();
        assert!(message.contains("\r\nList-Unsubscribe: <https://example.com/u>\r\n"), "{message}");
    }

    proptest! {
        /// A composed message contains all of its parameters, and nothing else.
        #[test]
        fn a_reader_finds_what_was_put_in(
            name in "[ -~äЖ]{0,60}",
            subject in "\\PC{0,200}",
            value in "[!-~]([ -~]{0,200}[!-~])?",
            text in proptest::option::of("(\\PC|\n|\r\n){0,300}"),
            html in proptest::option::of("(\\PC|\n){0,300}"),
        ) {
            let quoted = name.replace(['\\', '"'], "'");
            let ascii = quoted.replace(|c: char| !c.is_ascii(), "?");
            let content = Content {
                from: format!("\"{ascii}\" <ann@example.com>"),
                cc: vec!["c@example.net".into(), "\"D, E\" <d@example.net>".into()],
                subject: subject.clone(),
                headers: vec![("X-Value".into(), value.clone())],
                text: text.clone(),
                html: html.clone(),
                ..content()
            };
            let Ok(message) = compose(&content) else {
                prop_assert!(text.is_none() && html.is_none());
                return Ok(());
            };
            let header = RawMessage::split(&message).header().expect("a header");
            prop_assert_eq!(&header.to, &["bob@example.org"]);
            prop_assert_eq!(&header.cc, &["c@example.net", "d@example.net"]);
            prop_assert!(header.bcc.is_empty() && header.configuration_set.is_none());
            let [author] = header.authors.as_slice() else { panic!("one author") };
            prop_assert_eq!(&author.address, "ann@example.com");

            let mut names = names(&message);
            names.retain(|name| !name.starts_with("content-"));
            names.sort();
            let wanted =
                ["cc", "from", "mime-version", "subject", "to", "x-value"];
            prop_assert_eq!(names, wanted);

            let parsed = MessageParser::default().parse(&message).expect("a message");
            let words = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(words(parsed.subject().unwrap_or_default()), words(&subject));
            let lines = |text: &str| text.replace("\r\n", "\n");
            let body = |part: Option<std::borrow::Cow<'_, str>>| part.map(|part| lines(&part));
            if let Some(text) = &text {
                prop_assert_eq!(body(parsed.body_text(0)).unwrap_or_default(), lines(text));
            }
            if let Some(html) = &html {
                prop_assert_eq!(body(parsed.body_html(0)).unwrap_or_default(), lines(html));
            }
            let read = parsed.header("X-Value").map(HeaderValue::as_text);
            prop_assert_eq!(words(read.flatten().unwrap_or_default()), words(&value));
        }
    }
}
