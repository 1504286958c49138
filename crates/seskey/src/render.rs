//! A credential as the configuration of what reads it: Postfix, msmtp, a `.env` file, a Kubernetes secret …
//!
//! A file that several parties write keeps what the others wrote, byte for byte; only the entry of the credential is
//! put in its place. What cannot be read in the form, or what the form cannot carry, is refused before anything is made.

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
#[cfg(feature = "fleet")]
pub(crate) use entry::{is_host, is_plain_address};
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

/// In what form a credential is written.
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
    /// One that is a text with places for the values.
    Listed(Listed),
}

/// A form that is a text with places for the values: a URL, the settings of an application …
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed(usize);

/// A target, and how it calls what it holds: names that the form can carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    target: Target,
    names: Names,
    /// The regions whose entries in the same text are another store's.
    beside: BTreeSet<Region>,
}

/// Why a credential cannot be written in a form. No value and nothing of the file is ever quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The file is written whole, and what is there is not a file that was written in its place before.
    #[error("what is there was not written in this form")]
    NotOurs,
    /// What others wrote cannot be read in this form, so it cannot be kept either.
    #[error("line {line} of what is there cannot be read in this form")]
    Unreadable {
        /// The line, counted from 1.
        line: u64,
    },
    /// An access key of the user stands there without its password, or in a way that it cannot be replaced.
    #[error(
        "{lines} of what is there: an access key of this user, and no SMTP password that is clearly its own"
    )]
    Unclear {
        /// Where.
        lines: Lines,
    },
    /// Entries with the same access key have different passwords, so that one of them does not log in.
    #[error("{lines} of what is there: different passwords of one access key")]
    SeveralPasswords {
        /// Where the passwords are.
        lines: Lines,
    },
    /// An access key of the user stands there for the SMTP endpoint of another region, where the password is another.
    #[error("{lines} of what is there: an access key of this user is for another region")]
    OtherRegion {
        /// Where.
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
    /// The address to send from is none, or has a character that msmtp takes for more than itself.
    #[error("the address to send from is not a plain address")]
    From,
    /// A password that was chosen has a character that this form takes for more than itself.
    #[error("the SMTP password has a character that this form takes for more than itself")]
    Password,
    /// The IAM user is neither a name nor an ARN.
    #[error("the IAM user is neither a user name nor an ARN")]
    IamUser,
    /// The form cannot carry this name, or has no place for it.
    #[error("the name of the {what} does not fit")]
    Name {
        /// What would be called by it.
        what: &'static str,
    },
    /// Two values have the same name.
    #[error("the {what} has the name of another value")]
    SameName {
        /// The second of them.
        what: &'static str,
    },
}

/// Lines of a file, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines(pub Vec<u64>);

/// A text is not the name of a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such target; the targets are {}", Target::all().map(Target::name).collect::<Vec<_>>().join(", "))]
pub struct UnknownTarget;

/// The file's new text: the entry beside what others wrote into it (`before`, empty if there is no file), under the
/// usual names.
///
/// # Errors
/// A value that the form cannot carry, and a file that is in another form.
pub fn render<C: Clone + Into<Credential>>(
    target: Target,
    entry: &Entry<C>,
    before: &str,
) -> Result<String, RenderError> {
    Form::from(target).render(entry, before, &BTreeSet::new())
}

/// The credential that the text holds, under the usual names, for this host and port; none if it holds no such
/// credential. The IAM user is known from CSV alone.
pub fn held(target: Target, text: &str, host: &str, port: u16) -> Option<SmtpCredential> {
    Form::from(target).held(text, host, port)
}

impl Form {
    /// A target with names of one's own; [`Names::of`] has the usual ones.
    ///
    /// # Errors
    /// A name that the form cannot carry or has no place for, and two values of one name.
    pub fn new(target: Target, names: Names) -> Result<Self, RenderError> {
        names.check(target.row())?;
        Ok(Self { target, names, beside: BTreeSet::new() })
    }

    /// The same where entries for the SMTP endpoints of these regions are not its own: they are neither read nor written.
    #[must_use]
    pub fn beside(self, regions: BTreeSet<Region>) -> Self {
        Self { beside: regions, ..self }
    }

    /// The file's new text. Every entry with one of these access keys gets the user name and the password of the new
    /// credential, and stays as it is otherwise, its name, host and port included. Only if there is none, the credential
    /// is put under the names of the form, beside what others wrote.
    ///
    /// # Errors
    /// A value that the form cannot carry, a file that is in another form, and entries of these keys, or of the new one,
    /// that cannot be told apart.
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

    /// That the entries of the other regions are what they were.
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

    /// As [`held`].
    pub fn held(&self, text: &str, host: &str, port: u16) -> Option<SmtpCredential> {
        self.read(text, host, port, &BTreeSet::new()).ok()?.pop()
    }

    /// The credentials that the text holds: those of every entry with one of these access keys; only if there is none, the
    /// one under the names of the form, for this host and port. None if nothing is lost when one is put there: there are
    /// no values, empty ones, or a credential for another place.
    ///
    /// # Errors
    /// A file that is in another form, values that are no credential, and entries of these keys that cannot be told apart.
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

    /// The credentials of every entry with one of these access keys, by whatever names.
    ///
    /// # Errors
    /// A file that is in another form, and entries of these keys that cannot be told apart.
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

    /// In what form it is.
    pub fn target(&self) -> Target {
        self.target
    }

    /// How it calls what it holds.
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
    /// All of them, in the order in which they are listed.
    pub fn all() -> impl Iterator<Item = Self> {
        rows().map(|row| row.target)
    }

    /// What it is called on the command line and in the names of stores.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What it is, in a few words.
    pub fn description(self) -> &'static str {
        self.row().description
    }

    /// The file that it usually stands in; empty if that is for its reader to say.
    pub fn file(self) -> &'static str {
        self.row().file
    }

    /// Where its reader's own documentation says so.
    pub fn source(self) -> &'static str {
        self.row().source
    }

    /// Whose reader has read it in a test.
    pub fn judge(self) -> &'static str {
        self.row().judge
    }

    /// The options that it has a place for: what it is called, what its values are, and the address to send from.
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

    /// The form that the name of a file promises.
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

    /// Whether what others wrote in the same file stays.
    pub fn keeps_others(self) -> bool {
        !self.row().whole
    }

    /// Whether the credential is read from what is written, by `--credentials` and by stores.
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
