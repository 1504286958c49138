//! `NAME=VALUE` files: of shells, of programs that read `.env` files, and of systemd.
//!
//! Values may be quoted and span several lines. A text that its readers understand differently is refused.

use super::{
    Entry, Names, Place, RenderError, entry,
    pieces::{Piece, cut, first_line, last, put},
    places::{Group, Value},
    slots::is_bare_address,
};
use crate::credential::{Credential, SmtpCredential};

/// The rules of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// POSIX, Shell Command Language, 2.2 Quoting and 2.3 Token Recognition; only assignments, and no substitution of
    /// commands in them.
    Shell,
    /// systemd.exec(5), `EnvironmentFile=`.
    Systemd,
}

pub(super) fn render(
    syntax: Syntax,
    entry: &Entry<Credential>,
    names: &Names,
    before: &str,
) -> Result<String, RenderError> {
    // other characters are special in a shell, and nothing is quoted here
    match &entry.from {
        Some(from) if !is_bare_address(from) => Err(RenderError::From),
        _ => put_lines(syntax, lines(entry.values(names)), before),
    }
}

/// Puts assignments in place by their names, beside those of others.
pub(super) fn put_lines(
    syntax: Syntax,
    ours: Vec<(String, String)>,
    before: &str,
) -> Result<String, RenderError> {
    let pieces = pieces(syntax, before)?;
    // text behind our value on its line would be lost; to systemd the whole line is the value
    let unclear = |piece: &&Piece<'_>| {
        let is_ours = |key| ours.iter().any(|(name, _)| name == key);
        syntax == Syntax::Shell
            && piece.key.as_ref().is_some_and(is_ours)
            && word(syntax, piece.value).is_none()
    };
    match pieces.iter().find(unclear) {
        Some(piece) => Err(RenderError::Unreadable { line: piece.line }),
        None => Ok(put(&pieces, &ours)),
    }
}

pub(super) fn held(
    syntax: Syntax,
    text: &str,
    names: &Names,
    place: Place<'_>,
) -> Result<Option<SmtpCredential>, RenderError> {
    let pieces = pieces(syntax, text)?;
    entry::find(names, place, |name| {
        let value = last(&pieces, name)?.value;
        Some(word(syntax, value).unwrap_or(value).to_owned())
    })
}

/// Returns the values of the variables, as one group.
pub(super) fn values(syntax: Syntax, text: &str) -> Result<Vec<Group>, RenderError> {
    let value = |piece: &Piece<'_>| {
        let word = word(syntax, piece.value).unwrap_or(piece.value);
        Some(Value::of(text, piece.line, piece.key.as_ref()?, word))
    };
    Ok(vec![pieces(syntax, text)?.iter().filter_map(value).collect()])
}

/// Returns the assignments by their names.
pub(super) fn lines<'a>(
    values: impl IntoIterator<Item = (&'a str, String)>,
) -> Vec<(String, String)> {
    values.into_iter().map(|(name, value)| (name.to_owned(), format!("{name}={value}"))).collect()
}

pub(super) fn pieces(syntax: Syntax, text: &str) -> Result<Vec<Piece<'_>>, RenderError> {
    cut(text, |rest| first(syntax, rest))
}

/// Returns a value of one word, quoted or not; in a shell, a comment may follow it.
pub(super) fn word(syntax: Syntax, value: &str) -> Option<&str> {
    let value = value.trim_ascii();
    let (word, rest) = match value.chars().next() {
        None | Some('#') => (&value[..0], ""),
        Some(quote @ ('"' | '\'')) => value[1..].split_once(quote)?,
        Some(_) => value.split_at(value.find([' ', '\t', '\r', '\n']).unwrap_or(value.len())),
    };
    let is_comment = syntax == Syntax::Shell
        && rest.starts_with([' ', '\t'])
        && rest.trim_ascii_start().starts_with('#');
    let quoted = value.starts_with(['"', '\'']);
    let is_one = quoted || !word.contains([';', '&', '|', '<', '>', '(', ')', '"', '\'', '\\']);
    (is_one && (rest.is_empty() || is_comment)).then_some(word)
}

fn first(syntax: Syntax, text: &str) -> Option<Piece<'_>> {
    let line = first_line(text);
    let bare = line.trim_ascii();
    let other = Some(Piece { text: line, ..Piece::default() });
    let comment: &[char] = if syntax == Syntax::Systemd { &['#', ';'] } else { &['#'] };
    if bare.is_empty() {
        return other;
    }
    if bare.starts_with(comment) {
        // whether the next line continues the comment depends on the version of systemd
        let goes_on = syntax == Syntax::Systemd && bare.ends_with('\\');
        return if goes_on { None } else { other };
    }
    let Some((left, _)) = line.split_once('=') else {
        // ignored by systemd
        return other.filter(|_| syntax == Syntax::Systemd);
    };
    let name = left.trim_ascii();
    let exported = name.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
    let name = match exported {
        Some(rest) if syntax == Syntax::Shell => rest.trim_ascii_start(),
        _ => name,
    };
    let is_name_byte = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    if name.is_empty() || syntax == Syntax::Shell && !name.bytes().all(is_name_byte) {
        return None;
    }
    let value = &text[left.len() + 1..];
    let value = &value[..value_length(syntax, value)?];
    Some(Piece {
        text: &text[..left.len() + 1 + value.len()],
        lead: &left[..left.trim_ascii_end().len() - name.len()],
        key: Some(name.to_owned()),
        value,
        ..Piece::default()
    })
}

/// Returns the length of the value with its line end; `None` if it has no end, or if readers see different ends.
fn value_length(syntax: Syntax, value: &str) -> Option<usize> {
    let shell = syntax == Syntax::Shell;
    let (mut quote, mut in_word, mut behind_blank) = (None, false, false);
    let mut letters = value.char_indices();
    while let Some((at, letter)) = letters.next() {
        let rest = &value[at..];
        match (quote, letter) {
            (None, '\n') => return Some(at + 1),
            (None, '#') if shell && behind_blank => return Some(at + first_line(rest).len()),
            // to systemd they are not quotation marks within an unquoted word
            (None, '"' | '\'') if shell || !in_word => quote = Some(letter),
            (Some(open), _) if letter == open => quote = None,
            // an escaped quotation mark for some, the end of the quotation for others
            (Some('\''), '\\') if rest.starts_with("\\'") => return None,
            (None | Some('"'), '\\') => {
                let (_, escaped) = letters.next()?;
                // the value would continue with any text written behind it
                if escaped == '\n' && letters.as_str().is_empty() {
                    return None;
                }
                in_word |= quote.is_none();
            }
            (None | Some('"'), '`' | '$' | '<') if shell => {
                let is_code = letter == '`'
                    || rest.starts_with("$(")
                    || quote.is_none() && rest.starts_with("<<");
                if is_code {
                    return None;
                }
            }
            (None, _) => in_word |= !letter.is_ascii_whitespace(),
            (Some(_), _) => {}
        }
        behind_blank = quote.is_none() && matches!(letter, ' ' | '\t');
    }
    quote.is_none().then_some(value.len())
}
