//! The header fields that SES knows: how often each may occur, how it is read, and whether the recipient gets it.

use std::borrow::Cow;

use memchr::{memchr, memmem};

/// The rule for a field.
#[derive(Debug)]
struct Rule {
    name: &'static str,
    /// Its kind of content, which decides how it is read and checked.
    content: Content,
    may_repeat: bool,
    /// Whether the recipient gets it. Fields that SES writes itself, fields for SES alone, and `Bcc` are not kept.
    is_kept: bool,
}

/// The kind of content of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Any text.
    Text,
    /// The addresses of the authors. There must be one.
    Authors,
    /// Addresses.
    List(List),
    /// A media type with parameters.
    Type,
    /// A disposition with parameters.
    Disposition,
    /// Tags, as `name=value, name=value`.
    Tags,
    /// A configuration set.
    ConfigurationSet,
    /// The ARN of an identity.
    Arn(Arn),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Sender,
    ReplyTo,
    ReturnPath,
    To,
    Cc,
    Bcc,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arn {
    Source,
    From,
    ReturnPath,
}

/// The rules, by name. The fields that may not repeat are from SES Developer Guide, "Amazon SES header fields", except
/// `X-SES-CONFIGURATION-SET`.
const RULES: &[Rule] = &[
    once("Accept-Language"),
    once("acceptLanguage"),
    once("Archived-At"),
    once("Auto-Submitted"),
    Rule { may_repeat: true, is_kept: false, ..of("Bcc", Content::List(List::Bcc)) },
    once("Bounces-to"),
    Rule { may_repeat: true, ..of("Cc", Content::List(List::Cc)) },
    once("Comments"),
    once("Content-Alternative"),
    once("Content-Base"),
    once("Content-Class"),
    once("Content-Description"),
    of("Content-Disposition", Content::Disposition),
    once("Content-Duration"),
    once("Content-ID"),
    once("Content-Language"),
    once("Content-Length"),
    once("Content-Location"),
    once("Content-MD5"),
    once("Content-Transfer-Encoding"),
    of("Content-Type", Content::Type),
    Rule { is_kept: false, ..once("Date") },
    once("Delivered-To"),
    once("Disposition-Notification-Options"),
    once("Disposition-Notification-To"),
    once("DKIM-Signature"),
    once("DomainKey-Signature"),
    once("Errors-To"),
    of("From", Content::Authors),
    once("Importance"),
    once("In-Reply-To"),
    once("Keywords"),
    once("List-Archive"),
    once("List-Help"),
    once("List-Id"),
    once("List-Owner"),
    once("List-Post"),
    once("List-Subscribe"),
    once("List-Unsubscribe"),
    once("List-Unsubscribe-Post"),
    once("Message-Context"),
    Rule { is_kept: false, ..once("Message-ID") },
    once("MIME-Version"),
    once("Organization"),
    once("Original-From"),
    once("Original-Message-ID"),
    once("Original-Recipient"),
    once("Original-Subject"),
    once("Precedence"),
    once("Priority"),
    once("References"),
    of("Reply-To", Content::List(List::ReplyTo)),
    Rule { is_kept: false, ..of("Return-Path", Content::List(List::ReturnPath)) },
    once("Return-Receipt-To"),
    of("Sender", Content::List(List::Sender)),
    once("Sensitivity"),
    once("Solicitation"),
    once("Subject"),
    once("Thread-Index"),
    once("Thread-Topic"),
    Rule { may_repeat: true, ..of("To", Content::List(List::To)) },
    once("User-Agent"),
    once("VBR-Info"),
    Rule { is_kept: false, ..of("X-SES-CONFIGURATION-SET", Content::ConfigurationSet) },
    for_ses("X-SES-FROM-ARN", Content::Arn(Arn::From)),
    for_ses("X-SES-MESSAGE-TAGS", Content::Tags),
    for_ses("X-SES-RETURN-PATH-ARN", Content::Arn(Arn::ReturnPath)),
    for_ses("X-SES-SOURCE-ARN", Content::Arn(Arn::Source)),
];

const fn once(name: &'static str) -> Rule {
    of(name, Content::Text)
}

const fn of(name: &'static str, content: Content) -> Rule {
    Rule { name, content, may_repeat: false, is_kept: true }
}

const fn for_ses(name: &'static str, content: Content) -> Rule {
    Rule { name, content, may_repeat: true, is_kept: false }
}

/// One field of a header.
#[derive(Debug)]
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    /// Its bytes, folded lines and line end included.
    pub(super) raw: &'a [u8],
    /// The index of its rule, if SES knows it.
    place: Option<usize>,
    /// Whether one of its lines is too long.
    pub(super) has_long_line: bool,
}

/// The longest line, without its CRLF. "Per RFC 5321, the maximum length of each line of text, including the CRLF, must
/// not exceed 1,000 characters" (SES API Reference, `RawMessage`).
const MAX_LINE: usize = 998;

impl<'a> Field<'a> {
    /// Splits the first field of a header from the rest. Blanks may stand between its name and the colon (RFC 5322,
    /// section 4.5).
    ///
    /// # Errors
    /// The text in the place of the name.
    pub(super) fn split(header: &'a [u8]) -> Result<(Self, &'a [u8]), &'a [u8]> {
        let (mut length, mut longest) = (0, 0);
        let mut line_ends = memmem::find_iter(header, b"\r\n");
        loop {
            let end = line_ends.next();
            longest = longest.max(end.unwrap_or(header.len()) - length);
            length = end.map_or(header.len(), |end| end + 2);
            if end.is_none() || !matches!(header.get(length), Some(b' ' | b'\t')) {
                break;
            }
        }
        let (raw, rest) = header.split_at(length);
        let first_line = &raw[..memchr(b'\r', raw).unwrap_or(raw.len())];
        let colon = memchr(b':', first_line).ok_or(first_line)?;
        let name = first_line[..colon].trim_ascii_end();
        match str::from_utf8(name) {
            Ok(text) if !name.is_empty() && name.iter().all(u8::is_ascii_graphic) => {
                let place = RULES.iter().position(|rule| rule.name.eq_ignore_ascii_case(text));
                let has_long_line = longest > MAX_LINE;
                Ok((Self { name: text, raw, place, has_long_line }, rest))
            }
            _ => Err(name),
        }
    }

    pub(super) fn content(&self) -> Content {
        self.rule().map_or(Content::Text, |rule| rule.content)
    }

    pub(super) fn is_kept(&self) -> bool {
        self.rule().is_none_or(|rule| rule.is_kept)
    }

    fn rule(&self) -> Option<&'static Rule> {
        self.place.map(|place| &RULES[place])
    }

    /// Returns the bit of its rule, if it may not repeat.
    pub(super) fn bit(&self) -> u128 {
        match self.place {
            Some(place) if !RULES[place].may_repeat => 1 << place,
            _ => 0,
        }
    }

    /// Returns the text after the colon.
    pub(super) fn value(&self) -> &'a [u8] {
        let colon = memchr(b':', self.raw).expect("a field has one");
        self.raw[colon + 1..].trim_ascii()
    }

    /// Returns the text after the colon, unfolded.
    pub(super) fn text(&self) -> Cow<'a, str> {
        match String::from_utf8_lossy(self.value()) {
            Cow::Borrowed(text) if memchr(b'\r', text.as_bytes()).is_none() => text.into(),
            text => text.replace("\r\n", "").into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_stands_once_and_in_order() {
        let names: Vec<String> = RULES.iter().map(|rule| rule.name.to_ascii_lowercase()).collect();
        assert!(names.is_sorted_by(|a, b| a < b));
        assert!(RULES.len() <= u128::BITS as usize);
    }

    #[test]
    fn a_field_ends_with_its_last_line() {
        for (header, raw, text) in [
            ("A: b\r\n c\r\nD: e\r\n", "A: b\r\n c\r\n", "b c"),
            ("A :b\r\n\r\nbody", "A :b\r\n", "b"),
            ("A:b\r\n\tc", "A:b\r\n\tc", "b\tc"),
            ("A:", "A:", ""),
        ] {
            let (field, rest) = Field::split(header.as_bytes()).unwrap();
            assert_eq!((field.name, field.raw, &*field.text()), ("A", raw.as_bytes(), text));
            assert_eq!(rest, &header.as_bytes()[raw.len()..]);
        }
    }

    #[test]
    fn what_has_no_name_is_no_field() {
        for (header, name) in [
            (": x\r\n", ""),
            (" : x\r\n", ""),
            ("no field\r\n", "no field"),
            ("a b: c\r\n", "a b"),
            ("A\r\n : b\r\n", "A"),
            ("\u{feff}From: a@b.c\r\n", "\u{feff}From"),
        ] {
            let found = Field::split(header.as_bytes()).map(|_| ());
            assert_eq!(found, Err(name.as_bytes()), "{header}");
        }
    }

    #[test]
    fn the_longest_line_counts() {
        let line = |length: usize| format!("A:{}\r\n", "x".repeat(length - 2));
        for (header, is_too_long) in [
            (line(998), false),
            (line(999), true),
            (format!("A: b\r\n {}", "x".repeat(997)), false),
            (format!("A: b\r\n {}", "x".repeat(998)), true),
        ] {
            let (field, _) = Field::split(header.as_bytes()).unwrap();
            assert_eq!(field.has_long_line, is_too_long);
        }
    }
}
