//! The SES console's CSV, as a whole file. It has no host and no port.

use super::{Entry, Grammar, Names, Place, RenderError, Row, Target, names::none, no_values};
use crate::credential::{Credential, SmtpCredential, csv};

pub(super) const ROW: Row = Row {
    target: Target::Csv,
    name: "csv",
    description: "the SES console's CSV",
    file: "credentials.csv",
    source: "",
    judge: "Python",
    names: [""; 7],
    whole: true,
    entry_fits: none,
    namespace_fits: none,
    key_fits: none,
    grammar: Grammar::Own { render, held, values: no_values },
};

fn render(entry: &Entry<Credential>, _: &Names, before: &str) -> Result<String, RenderError> {
    let is_ours = before.trim_ascii().is_empty()
        || only(before).is_some_and(|credential| csv::write_one(&credential) == before);
    if is_ours { Ok(csv::write_one(&entry.credential)) } else { Err(RenderError::NotOurs) }
}

fn held(
    text: &str,
    _: &Names,
    (host, _): Place<'_>,
) -> Result<Option<SmtpCredential>, RenderError> {
    let Some(Credential::Iam(credential)) = only(text) else { return Ok(None) };
    let is_here = credential.endpoint.as_ref().is_none_or(|other| other.eq_ignore_ascii_case(host));
    Ok(is_here.then(|| SmtpCredential { endpoint: Some(host.to_owned()), ..credential }))
}

fn only(text: &str) -> Option<Credential> {
    let credentials = csv::read(text).ok()?;
    <[Credential; 1]>::try_from(credentials).ok().map(|[credential]| credential)
}
