//! The header of a message as SES reads it, and the reasons why SES refuses it.

use mail_parser::{Address, MessageParser};

use super::{
    RawMessage,
    attachments::{check_disposition, check_type},
    fields::{Arn, Content, Field, List},
    parameters::ParameterError,
    tags::{Tag, TagError, tags},
};
use crate::address::{AddressError, Mailbox, addresses};

/// The header of a message, as far as it decides whether SES accepts the message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// The authors in `From`.
    pub authors: Vec<Author>,
    /// The addresses in `Sender`.
    pub sender: Vec<String>,
    /// The addresses in `Return-Path`.
    pub return_path: Vec<String>,
    /// The addresses in `To`.
    pub to: Vec<String>,
    /// The addresses in `Cc`.
    pub cc: Vec<String>,
    /// The addresses in `Bcc`.
    pub bcc: Vec<String>,
    /// The configuration set that the message asks for by `X-SES-CONFIGURATION-SET`.
    pub configuration_set: Option<String>,
    /// The tags in `X-SES-MESSAGE-TAGS`.
    pub tags: Vec<Tag>,
    /// The ARNs of the identities that it is sent by.
    pub arns: IdentityArns,
}

/// The ARNs of the identities that a message is sent by, where it names them. Each is the text of the first field of
/// its name, as it stands there.
/// Source: SES Developer Guide, "Using sending authorization with the Amazon SES SMTP interface".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdentityArns {
    /// `X-SES-SOURCE-ARN`: the identity of the sender; it replaces the other two where they are absent.
    pub source: Option<String>,
    /// `X-SES-FROM-ARN`: the identity of the author.
    pub from: Option<String>,
    /// `X-SES-RETURN-PATH-ARN`: the identity of the address that bounces go to.
    pub return_path: Option<String>,
}

/// The author of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The address.
    pub address: String,
    /// The display name.
    pub display_name: Option<String>,
}

/// The reason why SES refuses the header of a message or of one of its parts. The texts are from published refusals,
/// unless stated otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// More bytes or fields than a header may have.
    #[error("Header section too long.")]
    SectionTooLong,
    /// It can be read in more than one way: a CR or an LF ends no line, or readers find different authors. The text is
    /// our own.
    #[error("Malformed header.")]
    Ambiguous,
    /// A field without a name.
    #[error("Empty header names are illegal.")]
    EmptyName,
    /// The text in the place of the name is not a name.
    #[error("Illegal header '{0}'.")]
    IllegalName(String),
    /// A line of the field is too long.
    #[error("Header too long: '{0}'.")]
    TooLong(String),
    /// A field that may occur once occurs twice.
    #[error("Duplicate header '{0}'.")]
    Duplicate(String),
    /// A required field is missing.
    #[error("Missing required header '{0}'.")]
    Missing(&'static str),
    /// A required field has no address.
    #[error("Empty required header '{0}'.")]
    Empty(&'static str),
    /// An address with its name is too long.
    #[error("Address length is more than {MAX_ADDRESS} characters long: '{0}'.")]
    AddressTooLong(String),
    /// A list of addresses is malformed.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A type or a disposition is malformed.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The name of a file has an extension that SES does not send. The text is a guess.
    #[error("Illegal filename '{0}'.")]
    IllegalFileName(String),
    /// A multipart has no part.
    #[error("Missing start boundary")]
    MissingStartBoundary,
    /// A tag is malformed.
    #[error(transparent)]
    Tag(#[from] TagError),
}

/// The most characters of an address with its name. Source: answers of AWS that another emulator's authors have
/// requested and published (floci, `SesAddressLength`).
const MAX_ADDRESS: usize = 320;

impl RawMessage<'_> {
    /// Reads the header: the fields that the recipient will see, and no text that only looks like one.
    ///
    /// # Errors
    /// The reason why SES refuses it.
    pub fn header(&self) -> Result<Header, HeaderError> {
        if let Some(flaw) = &self.flaw {
            return Err(flaw.clone());
        }
        let mut header = Header::default();
        let mut seen = 0;
        for field in &self.fields {
            if field.has_long_line {
                return Err(HeaderError::TooLong(field.name.to_owned()));
            }
            if seen & field.bit() != 0 {
                return Err(HeaderError::Duplicate(field.name.to_owned()));
            }
            seen |= field.bit();
            header.read(field)?;
        }
        match header.authors.is_empty() {
            true => Err(HeaderError::Missing("From")),
            false => Ok(header),
        }
    }
}

impl HeaderError {
    /// Returns the error of a text that is not the name of a field.
    pub(super) fn of_name(name: &[u8]) -> Self {
        match name {
            b"" => Self::EmptyName,
            name => {
                Self::IllegalName(String::from_utf8_lossy(&name[..name.len().min(1000)]).into())
            }
        }
    }
}

impl Header {
    /// Reads a field. Its reader refuses what its rule does not allow.
    fn read(&mut self, field: &Field<'_>) -> Result<(), HeaderError> {
        match field.content() {
            Content::Text => {}
            Content::Authors => {
                let header = [field.raw, b"\r\n\r\n"].concat();
                self.authors = read_alike(&field.text(), &header)?;
                if self.authors.is_empty() {
                    return Err(HeaderError::Empty("From"));
                }
            }
            Content::List(list) => {
                let text = field.text();
                let found = list_of(&text)?;
                // a group without members is not empty
                if list == List::To && text.trim_matches([' ', '\t', ',', ';']).is_empty() {
                    return Err(HeaderError::Empty("To"));
                }
                let found = found.into_iter().map(|mailbox| mailbox.address.to_owned());
                match list {
                    List::ReplyTo => {}
                    List::Sender => self.sender.extend(found),
                    List::ReturnPath => self.return_path.extend(found),
                    List::To => self.to.extend(found),
                    List::Cc => self.cc.extend(found),
                    List::Bcc => self.bcc.extend(found),
                }
            }
            Content::Type => check_type(&field.text())?,
            Content::Disposition => check_disposition(&field.text())?,
            Content::Tags => self.tags.extend(tags(&field.text())?),
            Content::ConfigurationSet => {
                self.configuration_set =
                    Some(field.text().into_owned()).filter(|name| !name.is_empty());
            }
            Content::Arn(arn) => {
                let arn = match arn {
                    Arn::Source => &mut self.arns.source,
                    Arn::From => &mut self.arns.from,
                    Arn::ReturnPath => &mut self.arns.return_path,
                };
                arn.get_or_insert_with(|| field.text().into_owned());
            }
        }
        Ok(())
    }
}

fn list_of(text: &str) -> Result<Vec<Mailbox<'_>>, HeaderError> {
    let list = addresses(text)?;
    match list.iter().find(|mailbox| mailbox.is_longer_than(MAX_ADDRESS)) {
        Some(long) => Err(HeaderError::AddressTooLong(long.to_string())),
        None => Ok(list),
    }
}

/// Returns the mailboxes of a list.
///
/// # Errors
/// The error in the list.
pub fn mailboxes(text: &str) -> Result<Vec<Author>, HeaderError> {
    read_alike(text, format!("From: {text}\r\n\r\n").as_bytes())
}

/// Returns the mailboxes of a list, if another reader, which gets the field in `header`, finds the same addresses.
fn read_alike(text: &str, header: &[u8]) -> Result<Vec<Author>, HeaderError> {
    let list = list_of(text)?;
    let parsed = MessageParser::default().parse_headers(header);
    let from = parsed.as_ref().and_then(|parsed| parsed.from());
    let owned = |text: Option<&str>| text.map(str::to_owned).filter(|text| !text.is_empty());
    let found: Vec<Author> = from
        .into_iter()
        .flat_map(Address::iter)
        .map(|address| Author {
            address: address.address().unwrap_or_default().to_owned(),
            display_name: owned(address.name()),
        })
        .collect();
    let addresses = found.iter().map(|mailbox| mailbox.address.as_str());
    match addresses.eq(list.iter().map(|mailbox| mailbox.address)) {
        true => Ok(found),
        false => Err(HeaderError::Ambiguous),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(header: &str) -> Result<Header, HeaderError> {
        RawMessage::split(format!("{header}\r\n\r\nbody").as_bytes()).header()
    }

    /// Reads fields after an author.
    fn beside(fields: &str) -> Result<Header, HeaderError> {
        read(&format!("From: a@b.c\r\n{fields}"))
    }

    #[test]
    fn what_decides_is_read() {
        let header = read(
            "From: \"Ann B.\" <ann@example.com>\r\nTo: bob@example.org,\r\n carl@example.org\r\n\
             cc: D <d@example.org>\r\nBcc: eve@example.org\r\nTO: frank@example.org\r\n\
             Sender: <s@example.com>\r\nReturn-Path: <r@example.com>\r\n\
             X-SES-Source-ARN:\r\n arn:aws:ses:us-east-1:111122223333:identity/a.b\r\nX-SES-SOURCE-ARN: second\r\n\
             X-SES-CONFIGURATION-SET: prod\r\nX-SES-MESSAGE-TAGS: a=b, c=d",
        );
        let owned = |text: &str| text.to_owned();
        let expected = Header {
            authors: vec![Author {
                address: owned("ann@example.com"),
                display_name: Some(owned("Ann B.")),
            }],
            sender: vec![owned("s@example.com")],
            return_path: vec![owned("r@example.com")],
            to: ["bob@example.org", "carl@example.org", "frank@example.org"].map(owned).into(),
            cc: vec![owned("d@example.org")],
            bcc: vec![owned("eve@example.org")],
            configuration_set: Some(owned("prod")),
            tags: vec![(owned("a"), owned("b")), (owned("c"), owned("d"))],
            arns: IdentityArns {
                source: Some(owned("arn:aws:ses:us-east-1:111122223333:identity/a.b")),
                ..IdentityArns::default()
            },
        };
        assert_eq!(header, Ok(expected));
    }

    #[test]
    fn each_field_has_its_refusals() {
        for (fields, expected) in [
            ("To: \"Ann <b@example.net>", "Missing '\"'"),
            ("To: b@example.net; c@example.net", "Illegal semicolon, not in group"),
            ("Cc: operators", "Missing final '@domain'"),
            ("Bcc: b c@example.net", "Local address contains control or whitespace"),
            ("Reply-To: <b@example.net> <c@example.net>", "Extra route-addr"),
            ("Sender: b@", "Missing domain"),
            ("Return-Path: =?utf-8?Q?b@example.net?=", "Domain contains illegal character"),
            ("To:", "Empty required header 'To'."),
            ("To: , ;", "Empty required header 'To'."),
            ("Content-Type: text;", "Expected '/', got ;"),
            ("Content-Disposition: =?utf-8?Q?inline?=", "Expected disposition, got ="),
            ("X-SES-MESSAGE-TAGS: a", "The tag value must be specified."),
            ("Subject: a\r\nsubject: b", "Duplicate header 'subject'."),
            (
                "List-Unsubscribe: <a>\r\nList-Unsubscribe: <b>",
                "Duplicate header 'List-Unsubscribe'.",
            ),
            ("From: d@e.f", "Duplicate header 'From'."),
        ] {
            let error = beside(fields).unwrap_err();
            assert_eq!(error.to_string(), expected, "{fields}");
        }
        for fields in [
            "Received: a\r\nReceived: b",
            "Cc:",
            "To: undisclosed-recipients:;",
            "X: \"",
            "Subject: é",
        ] {
            assert!(beside(fields).is_ok(), "{fields}");
        }
        let long =
            |field: &str, length| format!("{field}: {}", "x".repeat(length - field.len() - 2));
        assert!(beside(&long("X-A", 998)).is_ok());
        let too_long = Err(HeaderError::TooLong("X-A".to_owned()));
        assert_eq!(beside(&long("X-A", 999)), too_long);
        let address = |length: usize| format!("{} <b@example.net>", "n".repeat(length - 16));
        assert!(beside(&format!("To: {}", address(320))).is_ok());
        let too_long = Err(HeaderError::AddressTooLong(address(321)));
        assert_eq!(beside(&format!("To: {}", address(321))), too_long);
    }

    #[test]
    fn an_author_is_required() {
        assert_eq!(read("To: a@b.c"), Err(HeaderError::Missing("From")));
        assert_eq!(read(""), Err(HeaderError::Missing("From")));
        assert_eq!(read("From:"), Err(HeaderError::Empty("From")));
        assert_eq!(read("From: nobody"), Err(AddressError::MissingFinalDomain.into()));
    }

    /// The author that is checked is the one that the recipient sees: no second reading of the bytes has another.
    #[test]
    fn an_author_cannot_be_hidden() {
        let authors = |header: &str| {
            let header = read(header)?;
            Ok(header.authors.into_iter().map(|author| author.address).collect::<Vec<_>>())
        };
        for (header, expected) in [
            ("From: a@b.c, g: d@e.f;", vec!["a@b.c", "d@e.f"]),
            ("From : a@b.c", vec!["a@b.c"]),
            ("From:\r\n a@b.c", vec!["a@b.c"]),
            ("From: a@b.c (d@e.f)", vec!["a@b.c"]),
            ("From: \"d@e.f\" <a@b.c>", vec!["a@b.c"]),
        ] {
            let expected = expected.into_iter().map(str::to_owned).collect();
            assert_eq!(authors(header), Ok(expected), "{header}");
        }
        for header in ["From: a@b.c (x) d@e.f", "From: <a@b.c> d@e.f", "From: \"a b\"@c.d"] {
            assert_eq!(authors(header), Err(HeaderError::Ambiguous), "{header}");
        }
    }

    proptest! {
        /// Fields with any text are read or refused; an author has an address.
        #[test]
        fn every_text_is_read_or_refused(
            text in proptest::collection::vec(
                prop_oneof!["[\\\\\"<>()\\[\\],;:@=?*. /]", "a@b.c", "filename", "\\PC{1,3}"],
                0..12,
            ),
        ) {
            let text = text.concat();
            for field in ["Cc", "Content-Type", "Content-Disposition", "X-SES-MESSAGE-TAGS"] {
                let _ = beside(&format!("{field}: {text}"));
                let _ = beside(&format!("{field}: a/b; name={text}"));
            }
            for author in read(&format!("From: {text}")).unwrap_or_default().authors {
                prop_assert!(author.address.is_ascii(), "{}", author.address);
            }
        }
    }
}
