//! A file cut into pieces, so that some can be replaced while the others stay unchanged, byte for byte.

use super::RenderError;

/// A part of a file. All of them in order make up the file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// The line on which it begins, counted from 1.
    pub(super) line: u64,
    pub(super) text: &'a str,
    /// The text before the entry, which is kept when the entry is replaced.
    pub(super) lead: &'a str,
    /// The key of the entry, if the piece is one.
    pub(super) key: Option<String>,
    pub(super) value: &'a str,
}

/// Cuts the text by a function that returns the first piece of the remaining text, or `None` if it cannot be read.
pub(super) fn cut<'a>(
    text: &'a str,
    mut first: impl FnMut(&'a str) -> Option<Piece<'a>>,
) -> Result<Vec<Piece<'a>>, RenderError> {
    let (mut pieces, mut rest, mut line) = (vec![], text, 1);
    while !rest.is_empty() {
        let piece = first(rest).ok_or(RenderError::Unreadable { line })?;
        rest = &rest[piece.text.len()..];
        let lines = piece.text.matches('\n').count() as u64;
        pieces.push(Piece { line, ..piece });
        line += lines;
    }
    Ok(pieces)
}

/// Puts each of our lines in place of the first piece with its key, or at the end if there is none; further pieces of
/// that key are removed.
pub(super) fn put(pieces: &[Piece<'_>], ours: &[(String, String)]) -> String {
    let mut text = String::new();
    let mut written = vec![false; ours.len()];
    for piece in pieces {
        match ours.iter().position(|(key, _)| piece.key.as_ref() == Some(key)) {
            None => text.push_str(piece.text),
            Some(index) if written[index] => {}
            Some(index) => {
                written[index] = true;
                text.extend([piece.lead, &ours[index].1, "\n"]);
            }
        }
    }
    let missing: Vec<_> = ours.iter().zip(&written).filter(|(_, written)| !**written).collect();
    if !missing.is_empty() {
        end_line(&mut text);
    }
    for ((_, line), _) in missing {
        text.extend([line.as_str(), "\n"]);
    }
    text
}

/// Returns the last piece of this key: a reader takes the last.
pub(super) fn last<'a, 'p>(pieces: &'p [Piece<'a>], key: &str) -> Option<&'p Piece<'a>> {
    pieces.iter().rev().find(|piece| piece.key.as_deref() == Some(key))
}

/// Returns the first line of a text, including its line end.
pub(super) fn first_line(text: &str) -> &str {
    text.find('\n').map_or(text, |end| &text[..=end])
}

/// Ends the last line, if it is not empty.
pub(super) fn end_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

/// Whether every CR and every LF is a part of a CRLF, and there is one.
pub(super) fn has_dos_line_ends(text: &str) -> bool {
    text.contains("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n'])
}

/// Refuses characters that no form has: control characters, and a CR outside a line end, which some readers take for
/// one.
pub(super) fn check_characters(text: &str) -> Result<(), RenderError> {
    for (line, text) in (1..).zip(text.split('\n')) {
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.contains(|c: char| c.is_control() && c != '\t') {
            return Err(RenderError::Unreadable { line });
        }
    }
    Ok(())
}
