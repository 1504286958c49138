//! The search for a credential in named values: by the usual names, or else by its form, which no other value has.

use std::num::NonZeroU16;

use super::{Credential, CredentialError, Found, Kind, port_number};
use crate::{password::SmtpPassword, pasted::plain_name};

/// The values of a file, with the names in the file.
#[derive(Default)]
pub(super) struct Values {
    values: Vec<(u64, String, String)>,
}

/// A form's names for the values that may be missing.
pub(super) struct Called {
    pub(super) user_name: &'static str,
    pub(super) password: &'static str,
    pub(super) neither: &'static str,
}

const IAM_USERS: &[&str] = &["username", "iamusername", "iamuserarn"];
const USER_NAMES: &[&str] = &["smtpusername", "smtpuser", "accesskeyid", "awsaccesskeyid"];
const PASSWORDS: &[&str] = &["smtppassword", "smtppass"];
const HOSTS: &[&str] = &["smtphost", "smtpendpoint", "smtpserver"];
const PORTS: &[&str] = &["smtpport"];

impl Values {
    pub(super) fn new(values: impl IntoIterator<Item = (u64, String, String)>) -> Self {
        Self { values: values.into_iter().collect() }
    }

    pub(super) fn push(&mut self, name: &str, value: String) {
        self.values.push((1, name.to_owned(), value));
    }

    /// Finds the credential, with its host and port if there are any.
    pub(super) fn found(&self, called: &Called) -> Result<Found, CredentialError> {
        let user_name =
            self.named(USER_NAMES).or_else(|| self.only(|text| Kind::of_user_name(text).is_some()));
        let password =
            self.named(PASSWORDS).or_else(|| self.only(|text| SmtpPassword::parse(text).is_ok()));
        // a chosen password has no form of its own
        let is_chosen =
            user_name.is_some_and(|(_, text)| Kind::of_user_name(text) == Some(Kind::MailManager));
        let chosen = || self.ending(&["password", "pass"]).filter(|_| is_chosen);
        let password = password.or_else(chosen);
        let line = self.values.first().map_or(1, |(line, ..)| *line);
        let missing = |what| CredentialError::Missing { line, what };
        let ((_, user_name), (line, password)) = match (user_name, password) {
            (Some(user_name), Some(password)) => (user_name, password),
            (Some(_), None) => return Err(missing(called.password)),
            (None, Some(_)) => return Err(missing(called.user_name)),
            (None, None) => return Err(missing(called.neither)),
        };
        let host = self.named(HOSTS).or_else(|| self.ending(&["host", "server", "endpoint"]));
        let (host, of_host) = host.map_or((None, None), |(_, text)| place(text));
        let number =
            |at: Option<(u64, &str)>| at.map_or(Ok(None), |(line, text)| port_number(line, text));
        let port = match number(self.named(PORTS))?.or(of_host) {
            None => number(self.ending(&["port"]))?,
            port => port,
        };
        let iam_user = self.named(IAM_USERS).map(|(_, name)| name);
        let credential =
            Credential::from_cells(line, iam_user, user_name, password, host.as_deref())?;
        Ok(Found { credential, port })
    }

    /// Returns the last value of these names: readers take the last.
    fn named(&self, names: &[&str]) -> Option<(u64, &str)> {
        self.last(|name| names.contains(&name))
    }

    /// Returns the value of a name such as `EMAIL_HOST`; a `PORT` alone is not for mail.
    fn ending(&self, ends: &[&str]) -> Option<(u64, &str)> {
        let is_of_mail = |name: &str| name.contains("mail") || name.contains("smtp");
        self.last(|name| is_of_mail(name) && ends.iter().any(|end| name.ends_with(end)))
    }

    fn last(&self, fits: impl Fn(&str) -> bool) -> Option<(u64, &str)> {
        let filled = self.values.iter().filter(|(_, _, value)| !value.trim().is_empty());
        let mut found = filled.filter(|(_, name, _)| fits(&plain_name(name)));
        found.next_back().map(|(line, _, value)| (*line, value.trim()))
    }

    /// Returns the only value of this form.
    fn only(&self, fits: impl Fn(&str) -> bool) -> Option<(u64, &str)> {
        let fitting = self.values.iter().map(|(line, _, value)| (*line, value.trim()));
        let mut fitting = fitting.filter(|(_, value)| fits(value));
        let first = fitting.next()?;
        fitting.all(|(_, value)| value == first.1).then_some(first)
    }
}

/// Splits `host`, `host:port` or `[address]:port`.
pub(crate) fn place(text: &str) -> (Option<String>, Option<u16>) {
    let parts =
        text.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']'));
    let (host, port) = match parts.map(|(host, port)| (host, port.parse::<NonZeroU16>().ok())) {
        Some((host, Some(port))) => (host, Some(port.get())),
        _ => (text, None),
    };
    (Some(host.trim_start_matches('[').trim_end_matches(']').to_owned()), port)
}
