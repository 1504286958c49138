//! Mailpit's search filters: words, `"several words"`, `subject:x`, `!from:x` and the like; all of them must match.
//!
//! Source: Mailpit, "Search filters".

use std::{num::NonZero, panic::resume_unwind, str::FromStr, thread};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use mail_parser::Address;
use memchr::memchr2_iter;

use crate::{
    mailbox::{Attempt, Entry, Message},
    message::{Parsed, is_inline},
};

/// The filters of a search; an empty search matches all entries.
#[derive(Debug, Default)]
pub struct Search(Vec<Term>);

/// The error of a query: one sentence for the user who typed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadSearch(pub(crate) String);

#[derive(Debug, PartialEq, Eq)]
struct Term {
    is_negated: bool,
    filter: Filter,
}

/// A filter. Its texts are in lower case.
#[derive(Debug, PartialEq, Eq)]
enum Filter {
    Anywhere(String),
    /// A text in an address of one of these fields, or in its name.
    Address(&'static [Field], String),
    Subject(String),
    MessageId(String),
    Read(bool),
    Attachment,
    Inline,
    Larger(usize),
    Smaller(usize),
    Before(Timestamp),
    After(Timestamp),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    From,
    To,
    Cc,
    Bcc,
    ReplyTo,
}

impl Search {
    /// Parses a query.
    ///
    /// # Errors
    /// A filter is not known, or does not take its value.
    pub fn parse(query: &str) -> Result<Self, BadSearch> {
        let terms = words(query).into_iter().map(|word| Term::parse(&word));
        Ok(Self(terms.collect::<Result<_, _>>()?))
    }

    /// Returns the entries that match, in their order. Several threads read them.
    pub(crate) fn among(&self, entries: Vec<(u64, Entry)>) -> Vec<(u64, Entry)> {
        if self.0.is_empty() {
            return entries;
        }
        let processors = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS);
        let share = entries.len().div_ceil(processors).max(MIN_SHARE);
        let in_order = |part: &[(u64, Entry)]| {
            part.iter().filter(|(_, entry)| self.finds(entry)).cloned().collect::<Vec<_>>()
        };
        thread::scope(|scope| {
            let mut parts = entries.chunks(share);
            let own = parts.next().unwrap_or_default();
            let others: Vec<_> = parts.map(|part| scope.spawn(move || in_order(part))).collect();
            let found = others
                .into_iter()
                .map(|part| part.join().unwrap_or_else(|panic| resume_unwind(panic)));
            // the first part is read by this thread meanwhile
            [in_order(own)].into_iter().chain(found).flatten().collect()
        })
    }

    fn finds(&self, entry: &Entry) -> bool {
        match entry {
            Entry::Message(message, is_read) => self.finds_message(message, *is_read),
            Entry::Attempt(attempt) => {
                self.0.iter().all(|term| term.filter.holds_of(attempt) != term.is_negated)
            }
        }
    }

    fn finds_message(&self, message: &Message, is_read: bool) -> bool {
        let parsed = Parsed::of(&message.raw_data);
        self.0.iter().all(|term| term.filter.holds(message, &parsed, is_read) != term.is_negated)
    }
}

/// The most threads: other work on a large machine needs processors, too.
const MAX_THREADS: usize = 4;
/// The fewest entries of a thread: starting one takes as long as reading some messages.
const MIN_SHARE: usize = 200;

/// Returns the words of a query; white space between quotation marks is part of a word.
fn words(query: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (vec![], String::new(), false);
    for c in query.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            c if c.is_whitespace() && !is_quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

impl Term {
    fn parse(word: &str) -> Result<Self, BadSearch> {
        let bare = word.strip_prefix(['!', '-']).filter(|rest| !rest.is_empty());
        let filter = Filter::parse(&bare.unwrap_or(word).to_lowercase())?;
        Ok(Self { is_negated: bare.is_some(), filter })
    }
}

impl Filter {
    fn parse(word: &str) -> Result<Self, BadSearch> {
        use Field::{Bcc, Cc, From, ReplyTo, To};
        let bad = |what: &str| BadSearch(format!("{word} in the query: {what}"));
        let (name, value) = word.split_once(':').unwrap_or(("", word));
        let text = value.to_owned();
        Ok(match (name, value) {
            ("from", _) => Self::Address(&[From], text),
            ("to", _) => Self::Address(&[To], text),
            ("cc", _) => Self::Address(&[Cc], text),
            ("bcc", _) => Self::Address(&[Bcc], text),
            ("reply-to", _) => Self::Address(&[ReplyTo], text),
            ("addressed", _) => Self::Address(&[From, To, Cc, Bcc, ReplyTo], text),
            ("subject", _) => Self::Subject(text),
            ("message-id", _) => Self::MessageId(text),
            ("is", "read") => Self::Read(true),
            ("is", "unread") => Self::Read(false),
            ("has", "attachment" | "attachments") => Self::Attachment,
            ("has", "inline") => Self::Inline,
            ("larger", _) => {
                Self::Larger(size(value).ok_or_else(|| bad("a size is 500, 20k or 3m"))?)
            }
            ("smaller", _) => {
                Self::Smaller(size(value).ok_or_else(|| bad("a size is 500, 20k or 3m"))?)
            }
            ("before", _) => Self::Before(
                time(value).ok_or_else(|| bad("a time is 2026-01-31 or 2026-01-31T12:00:00Z"))?,
            ),
            ("after", _) => Self::After(
                time(value).ok_or_else(|| bad("a time is 2026-01-31 or 2026-01-31T12:00:00Z"))?,
            ),
            ("tag" | "is" | "has", _) => return Err(bad("Mailpit has it, this does not")),
            _ => Self::Anywhere(word.to_owned()),
        })
    }

    fn holds(&self, message: &Message, parsed: &Parsed<'_>, is_read: bool) -> bool {
        match self {
            Self::Anywhere(text) => {
                has(parsed.subject().unwrap_or_default(), text)
                    || is_addressed(message, parsed, &ALL, text)
                    || has(&parsed.readable(), text)
            }
            Self::Address(fields, text) => is_addressed(message, parsed, fields, text),
            Self::Subject(text) => has(parsed.subject().unwrap_or_default(), text),
            Self::MessageId(text) => has(parsed.message().message_id().unwrap_or_default(), text),
            Self::Read(read) => is_read == *read,
            Self::Attachment => parsed.attachments().any(|(_, part)| !is_inline(part)),
            Self::Inline => parsed.attachments().any(|(_, part)| is_inline(part)),
            Self::Larger(size) => message.raw_data.len() > *size,
            Self::Smaller(size) => message.raw_data.len() < *size,
            Self::Before(time) => message.timestamp < *time,
            Self::After(time) => message.timestamp >= *time,
        }
    }
}

impl Filter {
    /// Whether an attempt matches. It is not a message: it was not read, and has no size.
    fn holds_of(&self, attempt: &Attempt) -> bool {
        let has_one = |texts: &[&Option<String>], wanted: &str| {
            texts.iter().copied().flatten().any(|text| has(text, wanted))
        };
        let is_to = |wanted: &str| attempt.recipients.iter().any(|it| has(it, wanted));
        match self {
            Self::Anywhere(text) => {
                has(&attempt.reply, text)
                    || is_to(text)
                    || has_one(
                        &[&attempt.subject, &attempt.source, &attempt.user, &attempt.access_key_id],
                        text,
                    )
            }
            Self::Address(fields, text) => {
                (fields.contains(&Field::From) && has_one(&[&attempt.source], text))
                    || (fields.contains(&Field::To) && is_to(text))
            }
            Self::Subject(text) => has_one(&[&attempt.subject], text),
            Self::Before(time) => attempt.timestamp < *time,
            Self::After(time) => attempt.timestamp >= *time,
            Self::MessageId(_)
            | Self::Read(_)
            | Self::Attachment
            | Self::Inline
            | Self::Larger(_)
            | Self::Smaller(_) => false,
        }
    }
}

/// Whether a text in any case contains another one, which is in lower case.
fn has(text: &str, wanted: &str) -> bool {
    if !text.is_ascii() || !wanted.is_ascii() {
        return text.to_lowercase().contains(wanted);
    }
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    let Some(&first) = wanted.first() else { return true };
    let begins = memchr2_iter(first, first.to_ascii_uppercase(), text);
    let mut there = begins.map_while(|at| text.get(at..at + wanted.len()));
    there.any(|there| there.eq_ignore_ascii_case(wanted))
}

const ALL: [Field; 5] = [Field::From, Field::To, Field::Cc, Field::Bcc, Field::ReplyTo];

fn is_addressed(message: &Message, parsed: &Parsed<'_>, fields: &[Field], wanted: &str) -> bool {
    let has = |text: Option<&str>| text.is_some_and(|text| has(text, wanted));
    let one_of = |addresses: Option<&Address<'_>>| {
        let mut addresses = addresses.into_iter().flat_map(|it| it.iter());
        addresses.any(|it| has(it.address()) || has(it.name()))
    };
    let it = parsed.message();
    fields.iter().any(|field| match field {
        Field::From => one_of(it.from()) || has(Some(&message.source)),
        Field::To => one_of(it.to()),
        Field::Cc => one_of(it.cc()),
        Field::Bcc => message.destination.bcc_addresses.iter().any(|it| has(Some(it))),
        Field::ReplyTo => one_of(it.reply_to()),
    })
}

/// Parses a number of bytes, or of units of 1,024 (`k`) or 1,024 times 1,024 bytes (`m`).
fn size(text: &str) -> Option<usize> {
    let (digits, unit) = match text.strip_suffix('b').unwrap_or(text) {
        text if text.ends_with('k') => (&text[..text.len() - 1], 1024),
        text if text.ends_with('m') => (&text[..text.len() - 1], 1024 * 1024),
        text => (text, 1),
    };
    digits.parse::<usize>().ok()?.checked_mul(unit)
}

/// Parses a time, or a date as the beginning of a day in UTC.
fn time(text: &str) -> Option<Timestamp> {
    let text = text.to_uppercase();
    let day = || Some(Date::from_str(&text).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp());
    Timestamp::from_str(&text).ok().or_else(day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::Destination;

    fn message() -> Message {
        Message {
            id: "1".into(),
            region: "us-east-1".into(),
            timestamp: "2026-03-01T12:00:00Z".parse().expect("a time"),
            destination: Destination { bcc_addresses: vec!["boss@example.com".into()], ..Destination::default() },
            raw_data: b"From: Ann Lee <ann@example.com>\r\nTo: bob@example.net\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= \
                from here\r\nMessage-ID: <m1@example.com>\r\n\r\nYour code is 123456.\r\n".to_vec(),
            source: "bounce@example.com".into(),
            subject: None,
            body: None,
            origin: None,
        }
    }

    #[test]
    fn filters() {
        for (query, is_found) in [
            ("CODE", true),
            ("grüße", true),
            ("\"code is\"", true),
            ("\"is code\"", false),
            ("code nothing", false),
            ("!nothing", true),
            ("-code", false),
            ("from:ann", true),
            ("from:\"Ann Lee\"", true),
            ("from:bounce@example.com", true),
            ("from:bob", false),
            ("to:bob@example.net subject:\"from here\"", true),
            ("to:boss@example.com", false),
            ("bcc:boss@example.com", true),
            ("addressed:boss", true),
            ("!to:bob@example.net", false),
            ("message-id:m1@example.com", true),
            ("is:unread", true),
            ("is:read", false),
            ("has:attachment", false),
            ("larger:100 smaller:1k", true),
            ("smaller:10", false),
            ("after:2026-03-01 before:2026-03-01T12:00:01Z", true),
            ("before:2026-03-01", false),
            ("https://example.com", false),
        ] {
            let search = Search::parse(query).expect(query);
            assert_eq!(search.finds_message(&message(), false), is_found, "{query}");
        }
        assert!(has("ß Ä", "ä") && !has("ab", "abc") && has("xAAB", "aab") && has("", ""));
        for query in ["tag:x", "is:tagged", "larger:much", "before:tomorrow", "has:legs"] {
            assert!(Search::parse(query).is_err(), "{query}");
        }
    }
}
