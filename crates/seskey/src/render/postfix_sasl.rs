//! A line of Postfix's `smtp_sasl_password_maps`: `[host]:port user_name:password`.
//!
//! Source: postmap(1), input file format; SASL_README, "Enabling SASL authentication in the Postfix SMTP/LMTP client".

use super::{
    Entry, Grammar, Names, Place, RenderError, Row, Target, entry,
    names::none,
    pieces::{Piece, cut, first_line, last, put},
    places::{Group, Value},
};
use crate::{
    access_key::AccessKeyId,
    credential::{Credential, SmtpCredential},
};

pub(super) const ROW: Row = Row {
    target: Target::PostfixSasl,
    name: "postfix-sasl",
    description: "a line of Postfix's smtp_sasl_password_maps",
    file: "/etc/postfix/sasl_passwd",
    source: "https://www.postfix.org/SASL_README.html#client_sasl_enable",
    judge: "Postfix",
    names: [""; 7],
    whole: false,
    entry_fits: none,
    namespace_fits: none,
    key_fits: none,
    grammar: Grammar::Own { render, held, values },
};

fn render(entry: &Entry<Credential>, _: &Names, before: &str) -> Result<String, RenderError> {
    let (user_name, password) = (entry.credential.user_name(), entry.credential.expose_password());
    let key = key((&entry.host, entry.port));
    let line = format!("{key} {user_name}:{password}");
    Ok(put(&pieces(before)?, &[(key, line)]))
}

fn held(text: &str, _: &Names, place: Place<'_>) -> Result<Option<SmtpCredential>, RenderError> {
    let pieces = pieces(text)?;
    let value = last(&pieces, &key(place)).map(|piece| piece.value).unwrap_or_default();
    let (user_name, password) = value.split_once(':').unwrap_or((value, ""));
    entry::credential(user_name, password, place.0)
}

/// Returns the words of each entry, with user name and password apart; the first word is Postfix's lookup key.
fn values(text: &str, _: &Names) -> Result<Vec<Group>, RenderError> {
    let mut entries: Vec<Group> = vec![];
    for piece in pieces(text)?.iter().filter(|piece| piece.key.is_some()) {
        let (line, value) = (piece.text.trim_ascii(), piece.value);
        let key = line[..line.len() - value.len()].trim_ascii_end();
        let words = value.split_ascii_whitespace().flat_map(|word| match word.split_once(':') {
            Some((user_name, password)) if AccessKeyId::parse(user_name).is_ok() => {
                vec![user_name, password]
            }
            _ => vec![word],
        });
        let words = words.map(|word| Value::of(text, piece.line, "", word));
        if key.is_empty() {
            entries.last_mut().expect("pieces refuses a text that begins so").extend(words);
        } else {
            entries.push([Value::of(text, piece.line, "", key)].into_iter().chain(words).collect());
        }
    }
    Ok(entries)
}

/// Returns the lookup key: the next hop as in `relayhost`, in lower case.
fn key((host, port): Place<'_>) -> String {
    format!("[{}]:{port}", host.to_ascii_lowercase())
}

/// Cuts the text into lines. A line that begins with white space continues the entry before it, across comments.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, RenderError> {
    let mut current: Option<String> = None;
    cut(text, |rest| {
        let line = first_line(rest);
        let entry = line.trim_ascii();
        if entry.is_empty() || entry.starts_with('#') {
            return Some(Piece { text: line, ..Piece::default() });
        }
        let value = if line.starts_with([' ', '\t']) {
            entry
        } else {
            let (key, value) = entry.split_at(key_length(entry)?);
            current = Some(key.to_ascii_lowercase());
            value.trim_ascii_start()
        };
        Some(Piece { text: line, key: Some(current.clone()?), value, ..Piece::default() })
    })
}

/// Returns the length of the key, up to the first blank outside quotation marks, which are a part of it. `None` if they
/// are open.
fn key_length(entry: &str) -> Option<usize> {
    let mut quoted = false;
    let mut letters = entry.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            ' ' | '\t' if !quoted => return Some(at),
            '"' => quoted = !quoted,
            '\\' => drop(letters.next()),
            _ => {}
        }
    }
    (!quoted).then_some(entry.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_several_lines_is_one() {
        let text = "# relays\n[A.example]:587\n# old\n\tx:y\n\"[b.example]:25\" u:p\n";
        let keys: Vec<_> = pieces(text).unwrap().into_iter().map(|piece| piece.key).collect();
        let a = Some("[a.example]:587".to_owned());
        assert_eq!(keys, [None, a.clone(), None, a, Some("\"[b.example]:25\"".to_owned())]);
        assert_eq!(pieces("#\n x:y\n"), Err(RenderError::Unreadable { line: 2 }));
    }
}
