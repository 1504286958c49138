//! Environment variables, as in a `.env` file or for a shell.

use super::{
    Grammar, Row, Target,
    assignments::{self, Syntax, held, pieces, render, word},
    names::{PASSWORD, USER_NAME, VARIABLES, is_variable, none},
};

pub(super) const ROW: Row = Row {
    target: Target::Env,
    name: "env",
    description: "environment variables, as a .env file or for a shell",
    file: ".env",
    source: "POSIX, Shell Command Language, 2.2 Quoting",
    judge: "sh, python-dotenv",
    names: VARIABLES,
    whole: false,
    entry_fits: none,
    namespace_fits: none,
    key_fits: is_variable,
    grammar: Grammar::Own {
        render: |entry, names, before| render(Syntax::Shell, entry, names, before),
        held: |text, names, place| held(Syntax::Shell, text, names, place),
        values: |text, _| assignments::values(Syntax::Shell, text),
    },
};

/// The usual names of the SMTP user name and the SMTP password.
pub(crate) const NAMES: [&str; 2] = [USER_NAME, PASSWORD];

/// Returns the assignments of a whole file, by the rules of a shell or else of systemd, with their lines; `None` if
/// there are none.
pub(crate) fn values(text: &str) -> Option<Vec<(u64, String, String)>> {
    [Syntax::Shell, Syntax::Systemd].into_iter().find_map(|syntax| {
        let pieces = pieces(syntax, text).ok()?;
        let values = pieces.into_iter().filter_map(|piece| {
            let value = word(syntax, piece.value).unwrap_or_default().to_owned();
            Some((piece.line, piece.key?, value))
        });
        Some(values.collect::<Vec<_>>()).filter(|values| !values.is_empty())
    })
}
