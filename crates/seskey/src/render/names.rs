//! The names in a form that can be chosen.

use super::{RenderError, Row, Target};

/// The names of the values in a form. An empty name is absent: the form has no place for it, or works without it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// The entry as a whole: msmtp's account, the Kubernetes secret.
    pub entry: String,
    /// The namespace of the Kubernetes secret; empty for the one that kubectl is set to.
    pub namespace: String,
    /// The name of the variable, member or key for the host.
    pub host: String,
    /// The name for the port.
    pub port: String,
    /// The name for the SMTP user name.
    pub user_name: String,
    /// The name for the SMTP password.
    pub password: String,
    /// The name for the address to send from, which an entry may lack.
    pub from: String,
}

impl Names {
    /// Returns the usual names of a target.
    pub fn of(target: Target) -> Self {
        let [entry, namespace, host, port, user_name, password, from] =
            target.row().names.map(str::to_owned);
        Self { entry, namespace, host, port, user_name, password, from }
    }

    pub(super) fn check(&self, row: &Row) -> Result<(), RenderError> {
        let keys = [
            ("host", &self.host),
            ("port", &self.port),
            ("SMTP user name", &self.user_name),
            ("SMTP password", &self.password),
            ("address to send from", &self.from),
        ];
        let from_fits = if row.names[6].is_empty() { none } else { row.key_fits };
        let [places @ .., (what, from)] = keys;
        let entry = [("entry", &self.entry, row.entry_fits)];
        let namespace = [("namespace", &self.namespace, row.namespace_fits)];
        let all = entry.into_iter().chain(namespace);
        let all = all.chain(places.map(|(what, name)| (what, name, row.key_fits)));
        let all = all.chain([(what, from, from_fits)]);
        if let Some((what, ..)) = all.into_iter().find(|(_, name, fits)| !fits(name)) {
            return Err(RenderError::Name { what });
        }
        let twice = keys.iter().enumerate().find(|(index, (_, name))| {
            !name.is_empty() && keys[..*index].iter().any(|(_, other)| other == name)
        });
        twice.map_or(Ok(()), |(_, (what, _))| Err(RenderError::SameName { what }))
    }
}

/// Whether the name is empty, because the form has no place for it.
pub(super) fn none(name: &str) -> bool {
    name.is_empty()
}

/// Whether a shell takes it as the name of a variable (POSIX, Base Definitions, 3.216 Name).
pub(super) fn is_variable(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.starts_with(|first: char| !first.is_ascii_digit())
}

/// The usual variables.
pub(super) const VARIABLES: [&str; 7] = ["", "", HOST, PORT, USER_NAME, PASSWORD, FROM];

pub(super) const HOST: &str = "SMTP_HOST";
pub(super) const PORT: &str = "SMTP_PORT";
pub(super) const USER_NAME: &str = "SMTP_USERNAME";
pub(super) const PASSWORD: &str = "SMTP_PASSWORD";
pub(super) const FROM: &str = "SMTP_FROM";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Form;

    #[test]
    fn a_name_that_does_not_fit_is_refused() {
        use Target as T;
        type Set = fn(&mut Names, String);
        let entry: Set = |names, name| names.entry = name;
        let namespace: Set = |names, name| names.namespace = name;
        let password: Set = |names, name| names.password = name;
        let long = "a".repeat(64);
        for (target, set, name, error) in [
            (T::Env, password, "EMAIL_HOST_PASSWORD", None),
            (T::Env, password, "2PASSWORD", Some("SMTP password")),
            (T::Env, password, "", Some("SMTP password")),
            (T::Env, password, "PASS-WORD", Some("SMTP password")),
            (T::Env, password, "A;id", Some("SMTP password")),
            (T::Env, entry, "mail", Some("entry")),
            (T::Systemd, password, "A B", Some("SMTP password")),
            (T::Json, password, "smtp password \"", None),
            (T::Json, password, "", Some("SMTP password")),
            (T::Json, password, "a\nb", Some("SMTP password")),
            (T::Msmtp, entry, "ses", None),
            (T::Msmtp, entry, "a b", Some("entry")),
            (T::Msmtp, entry, "a:b", Some("entry")),
            (T::Msmtp, password, "p", Some("SMTP password")),
            (T::Kubernetes, entry, "a.b-c", None),
            (T::Kubernetes, entry, "A", Some("entry")),
            (T::Kubernetes, entry, "a-", Some("entry")),
            (T::Kubernetes, entry, "", Some("entry")),
            (T::Kubernetes, namespace, "mail", None),
            (T::Kubernetes, namespace, "a.b", Some("namespace")),
            (T::Kubernetes, namespace, &long, Some("namespace")),
            (T::Kubernetes, password, "smtp.password", None),
            (T::Kubernetes, password, "a/b", Some("SMTP password")),
            (T::Kubernetes, password, "..", Some("SMTP password")),
            (T::Csv, password, "p", Some("SMTP password")),
            (T::PostfixSasl, namespace, "a", Some("namespace")),
        ] {
            let mut names = Names::of(target);
            set(&mut names, name.to_owned());
            let refused = Form::new(target, names).err();
            assert_eq!(refused, error.map(|what| RenderError::Name { what }), "{target} {name}");
        }
    }

    #[test]
    fn two_values_of_one_name_are_refused() {
        let names = Names { password: "SMTP_HOST".to_owned(), ..Names::of(Target::Env) };
        let error = RenderError::SameName { what: "SMTP password" };
        assert_eq!(Form::new(Target::Env, names), Err(error));
    }
}
