//! The lines that `seskey list` prints, and their order.

use jiff::SignedDuration;
use seskey::{duration, policy::is_like};

use super::{Row, status, style};
use crate::{
    args::Column,
    explain::{Failure, Result},
};

/// A filter: `COLUMN=PATTERN`, `COLUMN>TIME` or `COLUMN<TIME`.
pub(super) enum Filter {
    Is(Column, String),
    Longer(Column, SignedDuration),
    Shorter(Column, SignedDuration),
}

/// The sort key of a line: a time or a word, then its user.
pub(super) type Key = (Option<i64>, String, String);

impl Filter {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let wrong = |what: String| {
            Failure::usage(
                format!("--filter: {text:?} {what}"),
                "such as status=Inactive, user=app-*, age>90d, last-used>30d or last-used=never",
            )
        };
        let at = text.find(['=', '<', '>']).ok_or_else(|| wrong("has no =, < or >".to_owned()))?;
        let (name, value) = (text[..at].trim(), text[at + 1..].trim());
        let column = <Column as clap::ValueEnum>::from_str(name, true)
            .map_err(|_| wrong(format!("names no column: there is no {name:?}")))?;
        if text[at..].starts_with('=') {
            return Ok(Self::Is(column, value.to_ascii_lowercase()));
        }
        if !matches!(column, Column::Age | Column::LastUsed) {
            return Err(wrong(format!("compares {name}, which is no time")));
        }
        let time = duration::parse(value)
            .map_err(|error| wrong(format!("compares with no time: {error}")))?;
        Ok(if text[at..].starts_with('>') {
            Self::Longer(column, time)
        } else {
            Self::Shorter(column, time)
        })
    }

    pub(super) fn fits(&self, row: &Row<'_>) -> bool {
        match self {
            Self::Is(column, pattern) => {
                let value = word(row, *column).to_ascii_lowercase();
                is_like(&value, pattern)
            }
            // a key that was never used has been idle since it was made
            Self::Longer(column, time) => since(row, *column).is_some_and(|since| since > *time),
            Self::Shorter(column, time) => since(row, *column).is_some_and(|since| since < *time),
        }
    }
}

pub(super) fn key(row: &Row<'_>, column: Column) -> Key {
    let user = format!("{}{}", row.user.path, row.user.name);
    match column {
        Column::Age | Column::LastUsed => {
            (since(row, column).map(|since| -since.as_secs()), String::new(), user)
        }
        column => (None, word(row, column), user),
    }
}

/// Returns how long ago the time in the column was.
fn since(row: &Row<'_>, column: Column) -> Option<SignedDuration> {
    let key = row.key?;
    let used = key.last_used.as_ref().map(|used| used.at);
    let at = match column {
        Column::LastUsed => used.or(key.key.created),
        _ => key.key.created,
    };
    Some(row.now.duration_since(at?))
}

fn word(row: &Row<'_>, column: Column) -> String {
    let key = row.key;
    let word = match column {
        Column::Account => row.account,
        Column::User => Some(row.user.name.as_str()),
        Column::Style => style(row.user.style),
        Column::Region => row.user.region.as_deref(),
        Column::AccessKey => key.map(|key| key.key.id.as_str()),
        Column::Status => key.map(|key| status(&key.key.status)),
        Column::LastUsed => key.map(|key| if key.last_used.is_some() { "used" } else { "never" }),
        Column::Age => None,
    };
    word.unwrap_or("-").to_owned()
}
