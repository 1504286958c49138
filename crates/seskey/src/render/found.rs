//! The search for a credential in a text of an unknown form.

use std::collections::BTreeSet;

use super::{Names, entry, places, row::Grammar, scan::scan, template::Template, templates};
use crate::{
    access_key::AccessKeyId,
    credential::{CredentialError, Found, place},
    password::SmtpPassword,
};

/// Finds the credential of a text that is one of the templates, or has all the variables of one.
///
/// # Errors
/// Fails if its port is not valid.
pub(crate) fn whole(text: &str) -> Result<Option<Found>, CredentialError> {
    let certain = templates().filter(|(template, _)| template.is_certain());
    Ok(first(text, certain)?.pop())
}

/// Finds the credentials of a text whose lines are one of the templates.
///
/// # Errors
/// Fails if a port is not valid.
pub(crate) fn in_lines(text: &str) -> Result<Vec<Found>, CredentialError> {
    first(text, templates().filter(|(template, _)| !template.is_certain()))
}

/// Returns the credentials by the first template that finds any.
fn first(
    text: &str,
    templates: impl Iterator<Item = (&'static Template, Names)>,
) -> Result<Vec<Found>, CredentialError> {
    for (template, names) in templates {
        let found = template.found(text, &names)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(vec![])
}

/// Finds the only credential in a text of no known form, with an SMTP endpoint of a region, within a configuration.
pub(crate) fn by_look(text: &str) -> Option<Found> {
    let values: Vec<_> =
        (1..).zip(text.lines()).flat_map(|(number, line)| scan(text, number, line)).collect();
    let only = |fits: fn(&str) -> bool| {
        let fitting: BTreeSet<_> =
            values.iter().map(|value| value.text.as_str()).filter(|text| fits(text)).collect();
        fitting.first().filter(|_| fitting.len() == 1).copied()
    };
    let endpoint = only(|text| places::endpoint(text).is_some())?;
    let user_name = only(|text| AccessKeyId::parse(text).is_ok())?;
    let password = only(|text| SmtpPassword::parse(text).is_ok())?;
    let (host, port) = place(endpoint);
    let credential = entry::credential(user_name, password, &host?).ok()??;
    Some(Found { credential: credential.into(), port })
}

fn templates() -> impl Iterator<Item = (&'static Template, Names)> {
    templates::ROWS.iter().filter_map(|row| match &row.grammar {
        Grammar::Template(template) => Some((template, Names::of(row.target))),
        Grammar::Own { .. } => None,
    })
}
