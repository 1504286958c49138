//! The row of a target.

use super::{Entry, Names, Place, RenderError, Target, places::Group, template::Template};
use crate::credential::{Credential, SmtpCredential};

#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) target: Target,
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) file: &'static str,
    pub(super) source: &'static str,
    pub(super) judge: &'static str,
    /// The usual names, in the order of [`Names`]; empty if the form has no place for one.
    pub(super) names: [&'static str; 7],
    /// Whether an entry is the whole file, with no room beside it for others.
    pub(super) whole: bool,
    pub(super) entry_fits: fn(&str) -> bool,
    pub(super) namespace_fits: fn(&str) -> bool,
    pub(super) key_fits: fn(&str) -> bool,
    pub(super) grammar: Grammar,
}

/// The way to write and read a form.
#[derive(Clone, Copy)]
pub(super) enum Grammar {
    /// Functions of its own.
    Own {
        render: fn(&Entry<Credential>, &Names, &str) -> Result<String, RenderError>,
        held: fn(&str, &Names, Place<'_>) -> Result<Option<SmtpCredential>, RenderError>,
        /// Returns all values of a text that others may have written to, in groups that stand together; none of a whole
        /// file.
        values: fn(&str, &Names) -> Result<Vec<Group>, RenderError>,
    },
    /// A text with places for the values.
    Template(Template),
}

impl Grammar {
    /// Whether a password may have any mark in this form, which writes it in Base64, percent-encoded, as a string of
    /// JSON or alone.
    pub(super) fn escapes(&self, target: Target) -> bool {
        match self {
            Self::Own { .. } => matches!(target, Target::Json | Target::Kubernetes),
            Self::Template(template) => {
                !template.has("{password}") || template.text == "{password}"
            }
        }
    }

    pub(super) fn render(
        &self,
        entry: &Entry<Credential>,
        names: &Names,
        before: &str,
    ) -> Result<String, RenderError> {
        match self {
            Self::Own { render, .. } => render(entry, names, before),
            Self::Template(template) => template.render(entry, names, before),
        }
    }

    pub(super) fn held(
        &self,
        text: &str,
        names: &Names,
        place: Place<'_>,
    ) -> Result<Option<SmtpCredential>, RenderError> {
        match self {
            Self::Own { held, .. } => held(text, names, place),
            Self::Template(template) => template.held(text, names, place),
        }
    }

    pub(super) fn values(&self, text: &str, names: &Names) -> Result<Vec<Group>, RenderError> {
        match self {
            Self::Own { values, .. } => values(text, names),
            Self::Template(template) => template.values(text),
        }
    }
}
