//! The removal of known secrets from a text that another program wrote: in clear, in the encodings that programs use,
//! and long parts of them.
//!
//! The text is searched in several views: unchanged, without its escapes, and decoded from Base64, from hexadecimal or
//! from decimal numbers. Each view is searched in further views. Each byte of a view knows its place in the text, so
//! that a secret found in the last view is removed from the text.

use std::{collections::HashSet, ops::Range};

use zeroize::Zeroizing;

use crate::SmtpPassword;

/// The length of the shortest part of a secret that is removed. Twelve characters of an SMTP password are 72 of its 256
/// bits.
pub const PART: usize = 12;

/// The text that replaces a secret.
pub const REDACTED: &str = "[redacted]";

/// Returns the text without these secrets and without any SMTP password, forwards or backwards, in upper or lower case.
pub fn redact(text: &str, secrets: &[&str]) -> String {
    let mut found = Vec::new();
    let parts = secrets.iter().flat_map(|secret| parts(secret)).collect();
    look(&View::of(text), &parts, DEPTH, &mut found);
    found.sort_unstable_by_key(|place| place.start);
    let (mut redacted, mut at) = (String::new(), 0);
    for place in found {
        if place.start > at || redacted.is_empty() {
            redacted.push_str(&text[at..place.start]);
            redacted.push_str(REDACTED);
        }
        at = at.max(place.end);
    }
    redacted + &text[at..]
}

/// Returns every part of a secret, in lower case.
fn parts(secret: &str) -> Vec<[u8; PART]> {
    secret.to_ascii_lowercase().as_bytes().array_windows().copied().collect()
}

/// A text, or one of its decodings.
struct View {
    bytes: Zeroizing<Vec<u8>>,
    /// The place of each byte in the text.
    places: Vec<Range<usize>>,
}

impl View {
    fn of(text: &str) -> Self {
        let places = text.char_indices().flat_map(|(at, c)| {
            let place = at..at + c.len_utf8();
            std::iter::repeat_n(place, c.len_utf8())
        });
        Self { places: places.collect(), bytes: Zeroizing::new(text.as_bytes().to_vec()) }
    }

    /// Returns the view of the bytes that were read from this one. Only runs of ASCII long enough for a secret are
    /// kept.
    fn from(&self, read: impl IntoIterator<Item = (u8, Range<usize>)>) -> Self {
        let read: Vec<_> = read.into_iter().collect();
        let runs = read.split(|(byte, _)| !(b' '..=b'~').contains(byte));
        let kept = runs.filter(|run| run.len() >= PART).flatten();
        let (bytes, places) = kept.map(|(byte, from)| (*byte, self.place(from))).unzip();
        Self { bytes: Zeroizing::new(bytes), places }
    }

    /// Returns the place of these bytes in the text. A view may run backwards.
    fn place(&self, bytes: &Range<usize>) -> Range<usize> {
        let (first, last) = (&self.places[bytes.start], &self.places[bytes.end - 1]);
        first.start.min(last.start)..first.end.max(last.end)
    }
}

fn look(view: &View, parts: &HashSet<[u8; PART]>, depth: usize, found: &mut Vec<Range<usize>>) {
    if view.bytes.len() < PART {
        return;
    }
    let mut mark = |start: usize, length: usize| found.push(view.place(&(start..start + length)));
    for (start, window) in view.bytes.array_windows().enumerate() {
        let window: [u8; PART] = *window;
        if parts.contains(&window.map(|byte| byte.to_ascii_lowercase())) {
            mark(start, PART);
        }
    }
    for (start, window) in view.bytes.windows(SmtpPassword::LENGTH).enumerate() {
        if str::from_utf8(window).is_ok_and(|window| SmtpPassword::parse(window).is_ok()) {
            mark(start, SmtpPassword::LENGTH);
        }
    }
    if depth > 0 {
        let read = [
            joined(view),
            unescaped(view, false),
            unescaped(view, true),
            decimal(view),
            reversed(view),
        ]
        .into_iter();
        for read in read.chain(bits(view, hexadecimal, 4)).chain(bits(view, base64, 6)) {
            look(&read, parts, depth - 1, found);
        }
    }
}

fn reversed(view: &View) -> View {
    view.from((0..view.bytes.len()).rev().map(|at| (view.bytes[at], at..at + 1)))
}

/// Removes quotes and blanks, which may stand in the middle of an escape or of a wrapped line.
fn joined(view: &View) -> View {
    let kept = view.bytes.iter().enumerate().filter(|(_, byte)| !is_between(**byte));
    view.from(kept.map(|(at, byte)| (*byte, at..at + 1)))
}

/// Decodes the escapes that begin with a backslash and removes quotes and blanks, as a shell does; or decodes all other
/// escapes.
fn unescaped(view: &View, is_backslash: bool) -> View {
    let bytes = &view.bytes;
    let mut read = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let found = escape(&bytes[at..]).filter(|_| (bytes[at] == b'\\') == is_backslash);
        let (byte, length) = found.unwrap_or((bytes[at], 1));
        if found.is_some() || !(is_backslash && is_between(byte)) {
            read.push((byte, at..at + length));
        }
        at += length;
    }
    view.from(read)
}

fn is_between(byte: u8) -> bool {
    b"'\"` ".contains(&byte)
}

/// Returns the byte that an escape at the beginning stands for, and the escape's length: `\/` and `\u002F` (RFC 8259),
/// `\x2f` and `\057` (a shell), `%2F` (RFC 3986), `&#47;` and `&#x2F;` (XML), `=2F` (RFC 2045).
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    let number = |from: usize, length: usize, radix: u32| {
        let digits = str::from_utf8(text.get(from..from + length)?).ok()?;
        let is_digits = digits.bytes().all(|digit| (digit as char).is_digit(radix));
        is_digits.then(|| u8::from_str_radix(digits, radix).ok()).flatten()
    };
    let (byte, length) = match text {
        [b'\\', b'u', b'0', b'0', ..] => (number(4, 2, 16), 6),
        [b'\\', b'x', ..] => (number(2, 2, 16), 4),
        [b'\\', b'0'..=b'3', ..] => (number(1, 3, 8), 4),
        [b'\\', other, ..] => (Some(*other), 2),
        [b'%' | b'=', ..] => (number(1, 2, 16), 3),
        [b'&', b'#', digits @ ..] => {
            let end = digits.iter().take(8).position(|&byte| byte == b';')?;
            let hex = usize::from(digits[0].eq_ignore_ascii_case(&b'x'));
            let radix = if hex == 1 { 16 } else { 10 };
            (number(2 + hex, end.checked_sub(hex)?, radix), end + 3)
        }
        _ => return None,
    };
    Some((byte?, length))
}

/// Reads decimal numbers as bytes, as many languages print a list: `[66, 76, 66]`.
fn decimal(view: &View) -> View {
    let mut read = Vec::new();
    let mut start = 0;
    for digits in view.bytes.split(|byte| !byte.is_ascii_digit()) {
        let byte = str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        read.extend(byte.map(|byte: u8| (byte, start..start + digits.len())));
        start += digits.len() + 1;
    }
    view.from(read)
}

/// Reads digits of `width` bits as bytes, once for each bit that a byte can begin at. Other characters are skipped:
/// they may be the end of a line, or stand between two bytes.
fn bits(view: &View, digit: fn(u8) -> Option<u8>, width: usize) -> impl Iterator<Item = View> {
    let digits: Vec<(u8, usize)> = (view.bytes.iter().enumerate())
        .filter_map(|(at, &byte)| Some((digit(byte)?, at)))
        .collect();
    let bit = move |digits: &[(u8, usize)], at: usize| {
        digits[at / width].0 >> (width - 1 - at % width) & 1
    };
    (0..8).step_by(if width == 4 { 4 } else { 2 }).map(move |first| {
        let starts = (first..(digits.len() * width).saturating_sub(7)).step_by(8);
        view.from(starts.map(|start| {
            let byte = (start..start + 8).fold(0, |byte, at| byte << 1 | bit(&digits, at));
            (byte, digits[start / width].1..digits[(start + 7) / width].1 + 1)
        }))
    })
}

fn hexadecimal(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).and_then(|digit| digit.try_into().ok())
}

/// Decodes a digit of either alphabet (RFC 4648, sections 4 and 5).
fn base64(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// The greatest number of nested encodings, such as JSON with escapes in Base64 in JSON with escapes.
const DEPTH: usize = 3;
