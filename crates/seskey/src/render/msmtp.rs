//! An account of msmtp. Source: msmtp(1), "Configuration files".

use std::ops::Range;

use super::{
    Entry, Grammar, Names, Place, RenderError, Row, Target, entry,
    names::none,
    pieces::{Piece, cut, end_line, first_line, last, put},
    places::{Group, Value},
};
use crate::{
    credential::{Credential, SmtpCredential},
    region::TLS_WRAPPER_PORTS,
};

pub(super) const ROW: Row = Row {
    target: Target::Msmtp,
    name: "msmtp",
    description: "an account of msmtp",
    file: "~/.msmtprc",
    source: "msmtp(1)",
    judge: "msmtp, by a message",
    names: ["ses", "", "", "", "", "", ""],
    whole: false,
    entry_fits: is_account,
    namespace_fits: none,
    key_fits: none,
    grammar: Grammar::Own { render, held, values },
};

/// Writes the account. Its other settings, such as a `logfile`, stay as well.
fn render(entry: &Entry<Credential>, names: &Names, before: &str) -> Result<String, RenderError> {
    let ours = settings(entry);
    let account = &names.entry;
    let pieces = pieces(before, account)?;
    let Some(section) = section(&pieces) else {
        let mut text = before.to_owned();
        end_line(&mut text);
        let gap = if text.is_empty() { "" } else { "\n" };
        return Ok(format!("{text}{gap}account {account}\n{}", put(&[], &ours)));
    };
    let text = |pieces: &[Piece<'_>]| pieces.iter().map(|piece| piece.text).collect::<String>();
    let (others, rest) = (text(&pieces[..section.start]), text(&pieces[section.end..]));
    Ok([others, put(&pieces[section], &ours), rest].concat())
}

fn held(
    text: &str,
    names: &Names,
    (host, port): Place<'_>,
) -> Result<Option<SmtpCredential>, RenderError> {
    let pieces = pieces(text, &names.entry)?;
    let value =
        |key| last(&pieces, key).map_or("", |piece| piece.value.trim_ascii_end().trim_matches('"'));
    let is_here = value("host").eq_ignore_ascii_case(host) && value("port").parse() == Ok(port);
    let credential = entry::credential(value("user"), value("password"), host)?;
    Ok(credential.filter(|_| is_here))
}

/// Returns the settings of each account, and of each section of defaults.
fn values(text: &str, names: &Names) -> Result<Vec<Group>, RenderError> {
    let mut sections: Vec<Group> = vec![];
    for piece in pieces(text, &names.entry)? {
        let (command, value) = parts(piece.text);
        if starts_section(command) {
            sections.push(vec![]);
        }
        if let Some(section) = sections.last_mut().filter(|_| !is_remark(command)) {
            section.push(Value::of(text, piece.line, command, value.trim_matches('"')));
        }
    }
    Ok(sections)
}

fn settings(entry: &Entry<Credential>) -> Vec<(String, String)> {
    let starttls = if TLS_WRAPPER_PORTS.contains(&entry.port) { "off" } else { "on" };
    let port = entry.port.to_string();
    let settings = [
        ("host", entry.host.as_str()),
        ("port", &port),
        ("tls", "on"),
        ("tls_starttls", starttls),
        ("auth", "on"),
        ("user", entry.credential.user_name()),
        ("password", entry.credential.expose_password()),
    ];
    let from = entry.from.as_deref().map(|from| ("from", from));
    settings
        .into_iter()
        .chain(from)
        .map(|(key, value)| (key.to_owned(), format!("{key} {value}")))
        .collect()
}

/// Cuts the text into lines; the lines of the account have keys.
fn pieces<'a>(text: &'a str, account: &str) -> Result<Vec<Piece<'a>>, RenderError> {
    let (mut in_any, mut in_account, mut seen) = (false, false, false);
    cut(text, |rest| {
        let text = first_line(rest);
        let (command, value) = parts(text);
        if is_remark(command) {
            return Some(Piece { text, ..Piece::default() });
        }
        if starts_section(command) {
            let name = value.split(':').next().unwrap_or_default().trim_ascii().trim_matches('"');
            (in_any, in_account) = (true, command == "account" && name == account);
            // msmtp refuses an account that comes twice
            if in_account && seen {
                return None;
            }
            seen |= in_account;
        }
        // the other way to give a password
        let key = if command == "passwordeval" { "password" } else { command };
        let key = in_account.then(|| key.to_owned());
        in_any.then_some(Piece { text, key, value, ..Piece::default() })
    })
}

/// Returns the command of a line, and its value.
fn parts(line: &str) -> (&str, &str) {
    let line = line.trim_ascii();
    let (command, value) = line.split_at(line.find([' ', '\t']).unwrap_or(line.len()));
    (command, value.trim_ascii_start())
}

fn is_remark(command: &str) -> bool {
    command.is_empty() || command.starts_with('#')
}

fn starts_section(command: &str) -> bool {
    command == "account" || command == "defaults"
}

/// Returns the place of the account, without the comments and blank lines behind it.
fn section(pieces: &[Piece<'_>]) -> Option<Range<usize>> {
    let start = pieces.iter().position(|piece| piece.key.is_some())?;
    let end = pieces.iter().rposition(|piece| piece.key.is_some())?;
    Some(start..end + 1)
}

pub(super) fn is_account(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_ends_where_the_next_begins() {
        let text = "defaults\nauth on\naccount ses : base\nlogfile ~/log\n\npasswordeval x\n# next\naccount b\nhost b\n";
        let pieces = pieces(text, "ses").unwrap();
        assert_eq!(section(&pieces), Some(2..6));
        let keys: Vec<_> = pieces.iter().filter_map(|piece| piece.key.as_deref()).collect();
        assert_eq!(keys, ["account", "logfile", "password"]);
    }

    #[test]
    fn what_msmtp_would_refuse_is_refused() {
        for (text, line) in [("# x\nhost a\n", 2), ("account ses\naccount b\naccount ses\n", 3)] {
            let refused = pieces(text, "ses").map(drop);
            assert_eq!(refused, Err(RenderError::Unreadable { line }), "{text}");
        }
    }
}
