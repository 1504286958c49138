//! A credential as the configuration of its reader: Postfix, msmtp, a `.env` file, a Kubernetes secret …
//!
//! In a file that several parties write, the text of the others stays, byte for byte; only the entry of the credential
//! is replaced. A text that cannot be read in the form, or a value that the form cannot carry, is refused before
//! anything is made.

mod applications;
mod assignments;
mod csv;
mod entry;
pub(crate) mod env;
pub(crate) mod found;
mod json;
mod kubernetes;
mod msmtp;
mod names;
mod pieces;
mod places;
mod postfix_sasl;
mod row;
mod scan;
mod slots;
mod systemd;
mod template;
mod templates;

use std::{collections::BTreeSet, ffi::OsStr, fmt, path::Path, str::FromStr};

pub use entry::Entry;
pub(crate) use entry::is_host;
#[cfg(feature = "fleet")]
pub(crate) use entry::is_plain_address;
pub use names::Names;

use self::{
    places::{Found, Group},
    row::{Grammar, Row},
    slots::Part,
};
use crate::{
    access_key::AccessKeyId,
    credential::{Credential, SmtpCredential},
    region::Region,
};

/// The form that a credential is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// A line of Postfix's `smtp_sasl_password_maps`.
    PostfixSasl,
    /// An account of msmtp.
    Msmtp,
    /// Environment variables, as a `.env` file or for a shell.
    Env,
    /// An `EnvironmentFile=` of systemd.
    Systemd,
    /// The manifest of a Kubernetes secret.
    Kubernetes,
    /// A JSON object.
    Json,
    /// The SES console's CSV.
    Csv,
    /// A text with places for the values.
    Listed(Listed),
}

/// A form that is a text with places for the values: a URL, the settings of an application …
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed(usize);

/// A target, with the names of its values, which the form can carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    target: Target,
    names: Names,
    /// The regions whose entries in the same text belong to another store.
    beside: BTreeSet<Region>,
}

/// The reason why a credential cannot be written in a form. No value and nothing of the file is ever quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The form takes the whole file, and the existing file was not written in this form.
    #[error("the present content was not written in this form")]
    NotOurs,
    /// The text of others cannot be read in this form, so it cannot be kept either.
    #[error("line {line} of the present content cannot be read in this form")]
    Unreadable {
        /// The line, counted from 1.
        line: u64,
    },
    /// An access key of the user is in the file without its password, or in a way in which it cannot be replaced.
    #[error(
        "{lines} of the present content: an access key of this user, and no SMTP password that is clearly its own"
    )]
    Unclear {
        /// Its lines.
        lines: Lines,
    },
    /// Entries with the same access key have different passwords, so that one of them does not log in.
    #[error("{lines} of the present content: different passwords of one access key")]
    SeveralPasswords {
        /// The lines of the passwords.
        lines: Lines,
    },
    /// An access key of the user is in the file for the SMTP endpoint of another region, where the password is another.
    #[error("{lines} of the present content: an access key of this user is for another region")]
    OtherRegion {
        /// Its lines.
        lines: Lines,
    },
    /// The host is neither a name nor an address.
    #[error("the host is neither a host name nor an address")]
    Host,
    /// No port has the number 0.
    #[error("there is no port 0")]
    Port,
    /// A Mail Manager ingress endpoint has no TLS wrapper.
    #[error("a Mail Manager ingress endpoint has no TLS wrapper")]
    TlsWrapper,
    /// The address to send from is not an address, or has a character that is special in msmtp or in this form.
    #[error("the address to send from is not a plain address")]
    From,
    /// A chosen password has a character that is special in this form.
    #[error("the SMTP password has a character that this form takes for more than itself")]
    Password,
    /// The IAM user is neither a name nor an ARN.
    #[error("the IAM user is neither a user name nor an ARN")]
    IamUser,
    /// The form cannot carry this name, or has no place for it.
    #[error("the name of the {what} does not fit")]
    Name {
        /// The value that it would name.
        what: &'static str,
    },
    /// Two values have the same name.
    #[error("the {what} has the name of another value")]
    SameName {
        /// The second of the two values.
        what: &'static str,
    },
}

/// Lines of a file, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines(pub Vec<u64>);

/// The error for a text that names no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such target; the targets are {}", Target::all().map(Target::name).collect::<Vec<_>>().join(", "))]
pub struct UnknownTarget;

/// Returns the new text of the file: the entry, under the usual names, beside the text of others (`before`, empty if
/// there is no file).
///
/// # Errors
/// Fails for a value that the form cannot carry, and for a file in another form.
pub fn render<C: Clone + Into<Credential>>(
    target: Target,
    entry: &Entry<C>,
    before: &str,
) -> Result<String, RenderError> {
    Form::from(target).render(entry, before, &BTreeSet::new())
}

/// Returns the credential that the text holds under the usual names for this host and port, if it holds one. Only CSV
/// gives the IAM user.
pub fn held(target: Target, text: &str, host: &str, port: u16) -> Option<SmtpCredential> {
    Form::from(target).held(text, host, port)
}

impl Form {
    /// Makes a form of a target with chosen names; [`Names::of`] has the usual ones.
    ///
    /// # Errors
    /// Fails for a name that the form cannot carry or has no place for, and for two values of one name.
    pub fn new(target: Target, names: Names) -> Result<Self, RenderError> {
        names.check(target.row())?;
        Ok(Self { target, names, beside: BTreeSet::new() })
    }

    /// Returns the form to which entries for the SMTP endpoints of these regions do not belong: it neither reads nor
    /// writes them.
    #[must_use]
    pub fn beside(self, regions: BTreeSet<Region>) -> Self {
        Self { beside: regions, ..self }
    }

    /// Returns the new text of the file. Every entry with one of these access keys gets the user name and the password
    /// of the new credential, and keeps the rest, including its name, host and port. Only if there is none, the
    /// credential is put under the names of the form, beside the text of others.
    ///
    /// # Errors
    /// Fails for a value that the form cannot carry, for a file in another form, and for entries of these keys, or of
    /// the new one, that cannot be told apart.
    pub fn render<C: Clone + Into<Credential>>(
        &self,
        entry: &Entry<C>,
        before: &str,
        keys: &BTreeSet<AccessKeyId>,
    ) -> Result<String, RenderError> {
        if pieces::has_dos_line_ends(before) {
            let text = self.render(entry, &before.replace("\r\n", "\n"), keys)?;
            return Ok(text.replace('\n', "\r\n"));
        }
        let (entry, grammar) = (&entry.of_either_kind(), &self.target.row().grammar);
        entry.check(grammar.escapes(self.target))?;
        pieces::check_characters(before)?;
        let text = match (self.find(before, &entry.host, keys)?, &entry.credential) {
            (found, Credential::Iam(credential)) if !found.is_empty() => {
                places::replace(before, &found, credential)
            }
            _ => grammar.render(entry, &self.names, before)?,
        };
        if let (false, Credential::Iam(credential)) = (keys.is_empty(), &entry.credential) {
            let new = [credential.user_name.clone()];
            self.find(&text, &entry.host, &keys.iter().cloned().chain(new).collect())?;
        }
        self.keeps_others(before, &text, &entry.host, keys)?;
        Ok(text)
    }

    /// Checks that the entries of the other regions are unchanged.
    fn keeps_others(
        &self,
        before: &str,
        after: &str,
        host: &str,
        keys: &BTreeSet<AccessKeyId>,
    ) -> Result<(), RenderError> {
        let all: BTreeSet<_> =
            self.beside.iter().cloned().chain(Region::of_smtp_endpoint(host)).collect();
        for region in &self.beside {
            let others = all.iter().filter(|other| *other != region).cloned().collect();
            let form = self.clone().beside(others);
            let of_region = |text| form.find(text, &region.smtp_endpoint(), keys);
            let kept = of_region(after)?;
            let is_kept =
                |entry: &Found| kept.iter().any(|kept| kept.credential == entry.credential);
            let lost: Vec<_> =
                of_region(before)?.into_iter().filter(|entry| !is_kept(entry)).collect();
            if !lost.is_empty() {
                let lines = Lines(lost.iter().map(|entry| entry.line).collect());
                return Err(RenderError::OtherRegion { lines });
            }
        }
        Ok(())
    }

    /// Reads as [`held`] does.
    pub fn held(&self, text: &str, host: &str, port: u16) -> Option<SmtpCredential> {
        self.read(text, host, port, &BTreeSet::new()).ok()?.pop()
    }

    /// Returns the credentials that the text holds: those of every entry with one of these access keys, or else the one
    /// under the names of the form, for this host and port. There are none if a new one would overwrite nothing: the
    /// text has no values, empty ones, or a credential for another place.
    ///
    /// # Errors
    /// Fails for a file in another form, for values that are not a credential, and for entries of these keys that
    /// cannot be told apart.
    pub fn read(
        &self,
        text: &str,
        host: &str,
        port: u16,
        keys: &BTreeSet<AccessKeyId>,
    ) -> Result<Vec<SmtpCredential>, RenderError> {
        let row = self.target.row();
        let entries = self.entries(text, host, keys)?;
        if !entries.is_empty() {
            return Ok(entries);
        }
        match row.grammar.held(text, &self.names, (host, port))? {
            None if row.whole && !text.trim_ascii().is_empty() => Err(RenderError::NotOurs),
            held => Ok(held.into_iter().collect()),
        }
    }

    /// Returns the credentials of every entry with one of these access keys, under any names.
    ///
    /// # Errors
    /// Fails for a file in another form, and for entries of these keys that cannot be told apart.
    pub fn entries(
        &self,
        text: &str,
        host: &str,
        keys: &BTreeSet<AccessKeyId>,
    ) -> Result<Vec<SmtpCredential>, RenderError> {
        Ok(self.find(text, host, keys)?.into_iter().map(|found| found.credential).collect())
    }

    fn find(
        &self,
        text: &str,
        host: &str,
        keys: &BTreeSet<AccessKeyId>,
    ) -> Result<Vec<Found>, RenderError> {
        if keys.is_empty() {
            return Ok(vec![]);
        }
        let groups = self.target.row().grammar.values(text, &self.names)?;
        places::find(&groups, self, host, keys)
    }

    /// Returns its target.
    pub fn target(&self) -> Target {
        self.target
    }

    /// Returns the names of its values.
    pub fn names(&self) -> &Names {
        &self.names
    }
}

impl From<Target> for Form {
    fn from(target: Target) -> Self {
        Self { target, names: Names::of(target), beside: BTreeSet::new() }
    }
}

impl Target {
    /// Returns all targets, in the order in which they are listed.
    pub fn all() -> impl Iterator<Item = Self> {
        rows().map(|row| row.target)
    }

    /// Returns its name on the command line and in the names of stores.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Returns a short description.
    pub fn description(self) -> &'static str {
        self.row().description
    }

    /// Returns the usual file; empty if that depends on the reader.
    pub fn file(self) -> &'static str {
        self.row().file
    }

    /// Returns the page of its reader's own documentation.
    pub fn source(self) -> &'static str {
        self.row().source
    }

    /// Returns the programs that have read it in a test.
    pub fn judge(self) -> &'static str {
        self.row().judge
    }

    /// Returns the options that it supports: for its name, the names of its values, and the address to send from.
    pub fn options(self) -> impl Iterator<Item = &'static str> {
        let row = self.row();
        let has_from = match row.grammar {
            Grammar::Own { .. } => self == Self::Msmtp || !row.names[6].is_empty(),
            Grammar::Template(template) => template.has(Part::FROM),
        };
        [
            ("--name", !row.names[0].is_empty()),
            ("--namespace", (row.namespace_fits)("a")),
            ("--key", !row.names[2].is_empty()),
            ("--from", has_from),
        ]
        .into_iter()
        .filter_map(|(option, is_there)| is_there.then_some(option))
    }

    /// Returns the form that the name of a file implies.
    pub fn of_file(path: &Path) -> Option<Self> {
        let name = path.file_name().and_then(OsStr::to_str)?;
        match (name, name.rsplit_once('.').map(|(_, extension)| extension)) {
            ("sasl_passwd", _) => Some(Self::PostfixSasl),
            (".msmtprc" | "msmtprc", _) => Some(Self::Msmtp),
            (_, Some("env")) => Some(Self::Env),
            (_, Some("json")) => Some(Self::Json),
            (_, Some("csv")) => Some(Self::Csv),
            _ if name.starts_with(".env.") => Some(Self::Env),
            _ => None,
        }
    }

    /// Whether it keeps the text of others in the same file.
    pub fn keeps_others(self) -> bool {
        !self.row().whole
    }

    /// Whether the credential can be read from the written text, by `--credentials` and by stores.
    pub fn is_read(self) -> bool {
        match self.row().grammar {
            Grammar::Own { .. } => true,
            Grammar::Template(template) => template.is_read(),
        }
    }

    /// Whether it can be the form of a store.
    pub fn is_store(self) -> bool {
        match self.row().grammar {
            Grammar::Own { .. } => true,
            Grammar::Template(template) => template.is_store(),
        }
    }

    fn row(self) -> &'static Row {
        rows().find(|row| row.target == self).expect("a test finds every target in the table")
    }
}

impl FromStr for Target {
    type Err = UnknownTarget;

    fn from_str(text: &str) -> Result<Self, UnknownTarget> {
        rows().find(|row| row.name == text).map(|row| row.target).ok_or(UnknownTarget)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<_> = self.0.iter().map(u64::to_string).collect();
        let word = if numbers.len() == 1 { "line" } else { "lines" };
        write!(f, "{word} {}", numbers.join(", "))
    }
}

/// The host and the port that the reader of a file connects to.
type Place<'a> = (&'a str, u16);

/// The forms with a grammar of their own.
const TABLE: [Row; 7] =
    [postfix_sasl::ROW, msmtp::ROW, env::ROW, systemd::ROW, kubernetes::ROW, json::ROW, csv::ROW];

fn rows() -> impl Iterator<Item = &'static Row> {
    TABLE.iter().chain(&templates::ROWS)
}

fn no_values(_: &str, _: &Names) -> Result<Vec<Group>, RenderError> {
    Ok(vec![])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_in_the_table_once() {
        let all: Vec<_> = Target::all().collect();
        let names: BTreeSet<_> = all.iter().map(|target| target.name()).collect();
        assert_eq!(names.len(), all.len());
        for target in all {
            assert_eq!(target.to_string().parse(), Ok(target));
            assert_eq!(Form::new(target, Names::of(target)), Ok(Form::from(target)));
        }
        assert_eq!("postfix".parse::<Target>(), Err(UnknownTarget));
        assert!(UnknownTarget.to_string().contains("env, systemd, kubernetes, json, csv"));
    }
}
