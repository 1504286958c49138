//! `Content-Type` and `Content-Disposition`, parsed as Amazon SES parses them: the rules are those of JavaMail's
//! `ContentType`, `ContentDisposition` and `ParameterList`, and the texts are those of its versions before 1.5, which
//! SES shows. `tests/peers/javamail.py` compares the two.
//!
//! Source: RFC 2045, section 5.1, and RFC 2183 for the syntax; published refusals of SES for the texts.

use ParameterError as E;

use crate::address::unescaped;

/// The parameters of a field, in order: names, and values as they stand there, with their quotes.
pub(super) type Parameters<'a> = Vec<(&'a str, &'a str)>;

/// The reason why a text is not a type or a disposition, with the text that was found instead, `null` at the end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the text says it")]
pub enum ParameterError {
    #[error("Expected MIME type, got {0}")]
    NoType(String),
    #[error("Expected '/', got {0}")]
    NoSlash(String),
    #[error("Expected MIME subtype, got {0}")]
    NoSubtype(String),
    #[error("Expected disposition, got {0}")]
    NoDisposition(String),
    #[error("Expected ';', got \"{0}\"")]
    NoSemicolon(String),
    #[error("Expected parameter name, got \"{0}\"")]
    NoName(String),
    #[error("Expected '=', got \"{0}\"")]
    NoEqualsSign(String),
    #[error("Expected parameter value, got \"{0}\"")]
    NoValue(String),
    #[error("Unbalanced comments")]
    UnbalancedComment,
    #[error("Unbalanced quoted string")]
    UnbalancedQuote,
}

/// Parses the text of `Content-Type`, and returns its parameters.
///
/// # Errors
/// The error in it.
pub(super) fn content_type(text: &str) -> Result<Parameters<'_>, E> {
    let mut tokens = Tokens { text, at: 0 };
    tokens.atom(E::NoType)?;
    tokens.special('/', E::NoSlash)?;
    tokens.atom(E::NoSubtype)?;
    tokens.parameters()
}

/// Parses the text of `Content-Disposition`, and returns its parameters.
///
/// # Errors
/// The error in it.
pub(super) fn content_disposition(text: &str) -> Result<Parameters<'_>, E> {
    let mut tokens = Tokens { text, at: 0 };
    tokens.atom(E::NoDisposition)?;
    tokens.parameters()
}

/// A piece of a structured field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Atom(&'a str),
    Quoted(&'a str),
    Special(char),
    End,
}

struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    fn parameters(&mut self) -> Result<Parameters<'a>, E> {
        let mut parameters = vec![];
        loop {
            match self.next()? {
                Token::End => return Ok(parameters),
                Token::Special(';') => {}
                other => return Err(E::NoSemicolon(other.shown())),
            }
            let name = match self.next()? {
                // a last semicolon is tolerated
                Token::End => return Ok(parameters),
                Token::Atom(name) => name,
                other => return Err(E::NoName(other.shown())),
            };
            self.special('=', E::NoEqualsSign)?;
            match self.next()? {
                Token::Atom(value) => parameters.push((name, value)),
                Token::Quoted(value) => {
                    parameters.push((name, &self.text[self.at - value.len() - 2..self.at]));
                }
                other => return Err(E::NoValue(other.shown())),
            }
        }
    }

    fn atom(&mut self, error: fn(String) -> E) -> Result<&'a str, E> {
        match self.next()? {
            Token::Atom(atom) => Ok(atom),
            other => Err(error(other.shown())),
        }
    }

    fn special(&mut self, wanted: char, error: fn(String) -> E) -> Result<(), E> {
        match self.next()? {
            Token::Special(found) if found == wanted => Ok(()),
            other => Err(error(other.shown())),
        }
    }

    fn next(&mut self) -> Result<Token<'a>, E> {
        loop {
            let rest = &self.text[self.at.min(self.text.len())..];
            let rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
            self.at = self.text.len() - rest.len();
            let Some(first) = rest.chars().next() else { return Ok(Token::End) };
            let length = match first {
                '(' => {
                    self.at += comment_length(rest).ok_or(E::UnbalancedComment)?;
                    continue;
                }
                '"' => {
                    let length = quoted_length(rest).ok_or(E::UnbalancedQuote)?;
                    self.at += length;
                    return Ok(Token::Quoted(&rest[1..length - 1]));
                }
                _ if ends_atom(first) => {
                    self.at += first.len_utf8();
                    return Ok(Token::Special(first));
                }
                _ => rest.find(ends_atom).unwrap_or(rest.len()),
            };
            self.at += length;
            return Ok(Token::Atom(&rest[..length]));
        }
    }
}

impl Token<'_> {
    fn shown(self) -> String {
        match self {
            Token::Atom(text) => text.to_owned(),
            Token::Quoted(text) => unescaped(text),
            Token::Special(character) => character.to_string(),
            Token::End => "null".to_owned(),
        }
    }
}

/// Whether it is a blank, a control character, a special character of RFC 2045, or not ASCII.
fn ends_atom(c: char) -> bool {
    !c.is_ascii_graphic() || "()<>@,;:\\\"[]/?=".contains(c)
}

fn quoted_length(text: &str) -> Option<usize> {
    let mut bytes = plain(text).skip(1);
    bytes.find(|&(_, byte)| byte == b'"').map(|(at, _)| at + 1)
}

fn comment_length(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut bytes = plain(text);
    let last = bytes.find(|&(_, byte)| {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    last.map(|(at, _)| at + 1)
}

/// Returns the bytes that are neither escaped nor an escaping backslash, with their positions.
fn plain(text: &str) -> impl Iterator<Item = (usize, u8)> {
    let mut escaped = false;
    text.bytes().enumerate().filter(move |&(_, byte)| {
        let is_plain = !escaped && byte != b'\\';
        escaped = !escaped && byte == b'\\';
        is_plain
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types() {
        for (text, expected) in [
            ("text/plain", Ok(vec![])),
            ("text/plain;", Ok(vec![])),
            (
                "text / plain (x) ; charset = \"a b\";name=c",
                Ok(vec![("charset", "\"a b\""), ("name", "c")]),
            ),
            ("", Err(E::NoType("null".into()))),
            ("\"text\"/plain", Err(E::NoType("text".into()))),
            ("text;", Err(E::NoSlash(";".into()))),
            ("text/", Err(E::NoSubtype("null".into()))),
            ("text/plain charset=x", Err(E::NoSemicolon("charset".into()))),
            ("text/plain; name=a b", Err(E::NoSemicolon("b".into()))),
            ("text/plain; ;", Err(E::NoName(";".into()))),
            ("text/plain; charset", Err(E::NoEqualsSign("null".into()))),
            ("image/jpg; filename==?UTF-8?Q?x.jpg?=", Err(E::NoValue("=".into()))),
            ("text/plain; name=é", Err(E::NoValue("é".into()))),
            ("text/plain; name=\"a", Err(E::UnbalancedQuote)),
            ("text/plain (a", Err(E::UnbalancedComment)),
            ("text/plain \"a\\\"b\"", Err(E::NoSemicolon("a\"b".into()))),
        ] {
            assert_eq!(content_type(text), expected, "{text}");
        }
    }

    #[test]
    fn dispositions() {
        for (text, expected) in [
            ("inline", Ok(vec![])),
            ("attachment; filename=\"a.txt\"", Ok(vec![("filename", "\"a.txt\"")])),
            ("=?utf-8?Q?attachment?=", Err(E::NoDisposition("=".into()))),
            ("attachment; filename=test hello.txt", Err(E::NoSemicolon("hello.txt".into()))),
        ] {
            assert_eq!(content_disposition(text), expected, "{text}");
        }
    }
}
