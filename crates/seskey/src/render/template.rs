//! A form that is a text with places for the values; the texts are data, in [`templates`](super::templates).
//!
//! `{a|b}` is `a` if TLS begins by STARTTLS, and `b` if the connection begins with TLS. All other places are a
//! [`Slot`](super::slots::Slot). A line with the address to send from is left out if there is none.

use super::{
    Entry, Names, Place, RenderError,
    assignments::{self, Syntax},
    entry,
    pieces::{Piece, cut, first_line, last, put},
    places::{Group, Value},
    scan::{login, scan},
    slots::{Part, Seen, parts},
};
use crate::credential::{Credential, CredentialError, Found, SmtpCredential, port_number};

/// The text around the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) kind: Kind,
    pub(super) text: &'static str,
}

/// The part of a file that is the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The whole file.
    Whole,
    /// Variables, beside those of others.
    Variables,
    /// A line, beside those of others; its lookup key ends with this character.
    Line(char),
}

impl Template {
    pub(super) fn render(
        &self,
        entry: &Entry<Credential>,
        names: &Names,
        before: &str,
    ) -> Result<String, RenderError> {
        let text = self.filled(entry, names)?;
        let ours = |end| text.lines().map(|line| (key(line, end), line.to_owned())).collect();
        match self.kind {
            Kind::Whole if before.trim_ascii().is_empty() || self.read(before, names).is_some() => {
                Ok(text)
            }
            Kind::Whole => Err(RenderError::NotOurs),
            Kind::Variables => assignments::put_lines(Syntax::Shell, ours('='), before),
            Kind::Line(end) => {
                let ours: Vec<_> = ours(end);
                Ok(put(&lines(before, end)?, &ours))
            }
        }
    }

    pub(super) fn held(
        &self,
        text: &str,
        names: &Names,
        (host, port): Place<'_>,
    ) -> Result<Option<SmtpCredential>, RenderError> {
        let is_here = |seen: &Seen| {
            seen.host.as_ref().is_none_or(|other| other.eq_ignore_ascii_case(host))
                && seen.port.as_ref().is_none_or(|other| *other == port.to_string())
        };
        let seen = match self.kind {
            Kind::Whole => self.read(text, names),
            Kind::Variables => Some(self.variables(text)?),
            Kind::Line(end) => self.entries(text, end, names)?.into_iter().rfind(is_here),
        };
        let Some(seen) = seen else { return Ok(None) };
        let [user_name, password] =
            [&seen.user_name, &seen.password].map(|value| value.as_deref().unwrap_or_default());
        Ok(entry::credential(user_name, password, host)?.filter(|_| is_here(&seen)))
    }

    /// Returns all values of a text: in one group, or for a table in a group per line.
    pub(super) fn values(&self, text: &str) -> Result<Vec<Group>, RenderError> {
        match self.kind {
            Kind::Variables => {
                let groups = assignments::values(Syntax::Shell, text)?;
                let split = |value: Value| {
                    let part = &text[value.at.clone()];
                    login(text, value.line, &value.name, part).unwrap_or_else(|| vec![value])
                };
                Ok(groups
                    .into_iter()
                    .map(|values| values.into_iter().flat_map(split).collect())
                    .collect())
            }
            Kind::Line(end) => {
                let entries = lines(text, end)?.into_iter().filter(|piece| piece.key.is_some());
                Ok(entries.map(|piece| scan(text, piece.line, piece.text)).collect())
            }
            Kind::Whole => {
                let lines = (1..).zip(text.split_inclusive('\n'));
                Ok(vec![lines.flat_map(|(number, line)| scan(text, number, line)).collect()])
            }
        }
    }

    /// Returns the credentials of a text that has all of the template, with their hosts and ports.
    ///
    /// # Errors
    /// Fails for a port that is not valid, with the first line that has it.
    pub(super) fn found(&self, text: &str, names: &Names) -> Result<Vec<Found>, CredentialError> {
        let seen = match self.kind {
            Kind::Whole => self.read(text, names).into_iter().collect(),
            Kind::Variables => self.variables(text).into_iter().collect(),
            Kind::Line(end) => self.entries(text, end, names).unwrap_or_default(),
        };
        let found = |seen: Seen| {
            let Seen { host, user_name, password, port } = seen;
            let (user_name, password, host) = (user_name?, password?, host?);
            let credential =
                Credential::from_cells(1, None, &user_name, &password, Some(&host)).ok()?;
            let port = port.map_or(Ok(None), |port| port_number(line_of(text, &port), &port));
            Some(port.map(|port| Found { credential, port }))
        };
        seen.into_iter().filter_map(found).collect()
    }

    /// Whether a text that fits the template can be nothing else.
    pub(super) fn is_certain(&self) -> bool {
        !matches!(self.kind, Kind::Line(_))
    }

    /// Whether the written text can be read again: not without user name and password.
    pub(super) fn is_read(&self) -> bool {
        self.has(Part::USER_NAME) && self.has("password}")
    }

    /// Whether it can be the form of a store: its credential must be found by its user, or by host and port.
    pub(super) fn is_store(&self) -> bool {
        let has_host = self.has("{host") || self.has("{address}") || self.has("{entry}");
        self.is_read() && has_host && !self.has("{dsn-password}")
    }

    /// Whether its text has this part.
    pub(super) fn has(&self, part: &str) -> bool {
        self.text.contains(part)
    }

    fn filled(&self, entry: &Entry<Credential>, names: &Names) -> Result<String, RenderError> {
        let has_from = |line: &str| line.contains(Part::FROM);
        let mut text = String::new();
        for line in self.text.lines().filter(|line| entry.from.is_some() || !has_from(line)) {
            for part in parts(line) {
                text.push_str(&part.filled(entry, names)?);
            }
            text.push('\n');
        }
        // the template is only a line with the address
        if text.is_empty() { Err(RenderError::From) } else { Ok(text) }
    }

    /// Returns the values in a text that is the template, line by line.
    fn read(&self, text: &str, names: &Names) -> Option<Seen> {
        let mut seen = Seen::default();
        let mut lines = text.lines().peekable();
        for template in self.text.lines() {
            let more = lines.peek().and_then(|line| seen.line(template, line, names));
            match more {
                Some(more) => {
                    seen = more;
                    lines.next();
                }
                None if template.contains(Part::FROM) => {}
                None => return None,
            }
        }
        lines.next().is_none().then_some(seen)
    }

    /// Returns the values of the variables of a text. `null` in a `.env` of Laravel and `null://null` in one of Symfony
    /// mean that there is none.
    fn variables(&self, text: &str) -> Result<Seen, RenderError> {
        let pieces = assignments::pieces(Syntax::Shell, text)?;
        let mut seen = Seen::default();
        for template in self.text.lines() {
            let Some((name, template)) = template.split_once('=') else { continue };
            let Some(value) = last(&pieces, name).map(|piece| piece.value) else { continue };
            let value = assignments::word(Syntax::Shell, value).unwrap_or(value).trim_ascii();
            if matches!(value, "" | "null" | "null://null") {
                continue;
            }
            match seen.line(template, value, &Names::default()) {
                Some(more) => seen = more,
                None if template.contains("password}") => return Err(RenderError::NotOurs),
                None => {}
            }
        }
        Ok(seen)
    }

    fn entries(&self, text: &str, end: char, names: &Names) -> Result<Vec<Seen>, RenderError> {
        let lines = lines(text, end)?;
        Ok(lines.iter().filter_map(|piece| self.read(piece.text, names)).collect())
    }
}

/// Returns the first line that has this number.
fn line_of(text: &str, number: &str) -> u64 {
    let has_it =
        |line: &str| line.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == number);
    (1..).zip(text.lines()).find(|(_, line)| has_it(line)).map_or(1, |(line, _)| line)
}

/// Returns the lookup key of a line, in lower case except for a variable.
fn key(line: &str, end: char) -> String {
    let key = line.split(end).next().unwrap_or_default();
    if end == '=' { key.to_owned() } else { key.to_ascii_lowercase() }
}

/// Cuts the text into lines. A line that begins with white space continues the entry before it.
fn lines(text: &str, end: char) -> Result<Vec<Piece<'_>>, RenderError> {
    let mut current = None;
    cut(text, |rest| {
        let line = first_line(rest);
        let entry = line.trim_ascii();
        if entry.is_empty() || entry.starts_with('#') {
            return Some(Piece { text: line, ..Piece::default() });
        }
        if !line.starts_with([' ', '\t']) {
            current = Some(key(entry.split(['\t', end]).next().unwrap_or_default(), end));
        }
        Some(Piece { text: line, key: Some(current.clone()?), ..Piece::default() })
    })
}
