//! A store, as it was typed.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    str::FromStr,
};

use percent_encoding::percent_decode_str;

use super::{Keys, KubernetesSecret, SecretForm, Store, StoreKind};
use crate::{
    region::{Region, RegionError},
    render::Target,
};

/// Why a text is no store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreNameError {
    /// There is no colon in it, so that it says not what it is. It is not quoted: it may be anything.
    #[error("a store begins with what it is, such as file:")]
    NoScheme,
    /// What stands before the colon is none of the stores.
    #[error("{given}: is no store")]
    UnknownScheme {
        /// What was given.
        given: String,
        /// The one that is written most alike.
        nearest: Option<&'static str>,
    },
    /// Nothing follows the colon.
    #[error("nothing follows {scheme}:")]
    Empty {
        /// What it is.
        scheme: &'static str,
    },
    /// What follows the colon is no UTF-8, or cannot be in a name.
    #[error("the name behind {scheme}: is not UTF-8, or has a null character in it")]
    Name {
        /// What it is.
        scheme: &'static str,
    },
    /// It is not `NAMESPACE/NAME` of what Kubernetes takes as names.
    #[error("{given} is no namespace and name of a Kubernetes secret")]
    KubernetesName {
        /// What was given.
        given: String,
    },
    /// The store has no such option.
    #[error("{scheme}: has no option {given}")]
    UnknownOption {
        /// What it is.
        scheme: &'static str,
        /// What was given.
        given: String,
        /// The one of its options that is written most alike.
        nearest: Option<&'static str>,
    },
    /// An option is given twice.
    #[error("{option} is given twice")]
    OptionTwice {
        /// The option.
        option: &'static str,
    },
    /// The value of an option is none.
    #[error("{option} is {expected}")]
    OptionValue {
        /// The option.
        option: &'static str,
        /// What it takes.
        expected: &'static str,
    },
    /// The region is none.
    #[error(transparent)]
    Region(#[from] RegionError),
    /// Two values would have the same name.
    #[error("two values are both called {key}")]
    SameKey {
        /// The name.
        key: String,
    },
    /// A file cannot have this form.
    #[error("{given} is no form of a file")]
    UnknownFormat {
        /// What was given.
        given: String,
        /// The one that is written most alike.
        nearest: Option<&'static str>,
    },
    /// The name of the file does not say its form.
    #[error("the name of the file does not say its form")]
    NoFormat {
        /// The forms that there are.
        formats: Vec<&'static str>,
    },
}

type Result<T> = std::result::Result<T, StoreNameError>;

impl FromStr for Store {
    type Err = StoreNameError;

    fn from_str(text: &str) -> Result<Self> {
        let (given, rest) = text.split_once(':').ok_or(StoreNameError::NoScheme)?;
        let schemes = || SCHEMES.iter().map(|(scheme, _)| *scheme);
        let &(scheme, own_options) = SCHEMES
            .iter()
            .find(|(scheme, _)| *scheme == given)
            .ok_or_else(|| StoreNameError::UnknownScheme {
                given: given.to_owned(),
                nearest: nearest(given, schemes()),
            })?;
        if scheme == "exec" {
            return exec(rest);
        }
        let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
        let rest = decoded(rest).ok_or(StoreNameError::Name { scheme })?;
        if rest.is_empty() {
            return Err(StoreNameError::Empty { scheme });
        }
        let mut options = Options::parse(scheme, own_options, options)?;
        let kind = match scheme {
            "file" => file(rest, &mut options)?,
            "kubernetes" => kubernetes(&rest, &mut options)?,
            _ => {
                let region = options.take("region").map(|given| Region::parse_unknown(&given));
                let (region, kms_key) = (region.transpose()?, options.take("kms-key-id"));
                let form = options.take("form").map(form).transpose()?.unwrap_or_default();
                match scheme {
                    "ssm" => StoreKind::Ssm { name: rest, region, kms_key, form },
                    _ => StoreKind::SecretsManager { name: rest, region, kms_key, form },
                }
            }
        };
        let keys = keys(&kind, &mut options)?;
        let host = options.take("host");
        if host.as_deref().is_some_and(|host| !host.bytes().all(is_host_byte)) {
            let expected = "a host name or an address";
            return Err(StoreNameError::OptionValue { option: "host", expected });
        }
        let port = options.take("port").map(|port| match port.parse() {
            Ok(port @ 1..) => Ok(port),
            _ => Err(StoreNameError::OptionValue { option: "port", expected: "1 to 65535" }),
        });
        let from = options.take("from");
        if from.as_deref().is_some_and(|from| from.contains(char::is_control)) {
            let expected = "an address of mail";
            return Err(StoreNameError::OptionValue { option: "from", expected });
        }
        Ok(Self { kind, host, port: port.transpose()?, from, keys })
    }
}

fn exec(command: &str) -> Result<Store> {
    if command.trim().is_empty() {
        return Err(StoreNameError::Empty { scheme: "exec" });
    }
    if command.contains('\0') {
        return Err(StoreNameError::Name { scheme: "exec" });
    }
    let kind = StoreKind::Exec { command: command.to_owned() };
    Ok(Store { keys: kind.usual_keys(), kind, host: None, port: None, from: None })
}

fn file(path: String, options: &mut Options) -> Result<StoreKind> {
    let path = PathBuf::from(path);
    let formats = || FORMATS.iter().map(|(name, _)| *name);
    let target = match options.take("format") {
        Some(given) => {
            FORMATS.iter().find(|(name, _)| *name == given).map(|(_, target)| *target).ok_or_else(
                || StoreNameError::UnknownFormat { nearest: nearest(&given, formats()), given },
            )?
        }
        None => format_of_name(&path)
            .ok_or_else(|| StoreNameError::NoFormat { formats: formats().collect() })?,
    };
    Ok(StoreKind::File { path, target })
}

/// The form that the name of a file promises.
fn format_of_name(path: &Path) -> Option<Target> {
    let name = path.file_name().and_then(OsStr::to_str)?;
    match (name, name.rsplit_once('.').map(|(_, extension)| extension)) {
        ("sasl_passwd", _) => Some(Target::PostfixSasl),
        (".msmtprc" | "msmtprc", _) => Some(Target::Msmtp),
        (_, Some("env")) => Some(Target::Env),
        (_, Some("json")) => Some(Target::Json),
        (_, Some("csv")) => Some(Target::Csv),
        _ if name.starts_with(".env.") => Some(Target::Env),
        _ => None,
    }
}

/// Source: Kubernetes, "Object Names and IDs": a namespace is a DNS label, a secret a DNS subdomain.
fn kubernetes(rest: &str, options: &mut Options) -> Result<StoreKind> {
    let is_label = |text: &str| {
        let end = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        text.bytes().all(|b| b == b'-' || end(Some(b)))
            && end(text.bytes().next())
            && end(text.bytes().last())
    };
    let (namespace, name) = rest
        .split_once('/')
        .filter(|(namespace, name)| {
            is_label(namespace)
                && namespace.len() <= 63
                && name.split('.').all(is_label)
                && name.len() <= 253
        })
        .ok_or_else(|| StoreNameError::KubernetesName { given: rest.to_owned() })?;
    Ok(StoreKind::Kubernetes(KubernetesSecret {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        kubectl: options.take("kubectl"),
        kubeconfig: options.take("kubeconfig").map(PathBuf::from),
        context: options.take("context"),
    }))
}

fn form(given: String) -> Result<SecretForm> {
    match given.as_str() {
        "json" => Ok(SecretForm::Json),
        "text" => Ok(SecretForm::UserPassword),
        _ => Err(StoreNameError::OptionValue { option: "form", expected: "json or text" }),
    }
}

/// Kubernetes takes letters, digits and `-_.` in a key (its reference of `Secret`, `data`), and nobody needs more.
fn keys(kind: &StoreKind, options: &mut Options) -> Result<Keys> {
    let usual = kind.usual_keys();
    let [user_name, password, host, port, from] = usual.named().map(|(option, usual)| {
        let key = options.take(option).unwrap_or_else(|| usual.to_owned());
        match key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
            true if key.len() <= 253 => Ok(key),
            _ => {
                let expected = "a name of letters, digits, -, _ and .";
                Err(StoreNameError::OptionValue { option, expected })
            }
        }
    });
    let keys =
        Keys { user_name: user_name?, password: password?, host: host?, port: port?, from: from? };
    let mut names = keys.named().map(|(_, key)| key);
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(StoreNameError::SameKey { key: pair[0].to_owned() }),
        None => Ok(keys),
    }
}

/// The options that were given and not yet taken.
struct Options(Vec<(&'static str, String)>);

impl Options {
    fn parse(scheme: &'static str, own: &[&'static str], text: &str) -> Result<Self> {
        let known = || COMMON_OPTIONS.iter().chain(own).copied();
        let mut options = Self(Vec::new());
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (given, value) = pair.split_once('=').unwrap_or((pair, ""));
            let option = known().find(|option| *option == given).ok_or_else(|| {
                let nearest = nearest(given, known());
                StoreNameError::UnknownOption { scheme, given: given.to_owned(), nearest }
            })?;
            let value = decoded(value).filter(|value| !value.is_empty());
            let expected = "a text of UTF-8 that is not empty";
            let value = value.ok_or(StoreNameError::OptionValue { option, expected })?;
            if options.0.iter().any(|(other, _)| *other == option) {
                return Err(StoreNameError::OptionTwice { option });
            }
            options.0.push((option, value));
        }
        Ok(options)
    }

    fn take(&mut self, option: &str) -> Option<String> {
        let at = self.0.iter().position(|(given, _)| *given == option)?;
        Some(self.0.swap_remove(at).1)
    }
}

/// `%` and two hexadecimal digits are one byte. No name of a file, a process or AWS has a null character.
fn decoded(text: &str) -> Option<String> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    (!text.contains('\0')).then(|| text.into_owned())
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.:".contains(&byte)
}

fn nearest(given: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let given = given.to_ascii_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(name, &given);
    known.min_by_key(|name| distance(name)).filter(|name| distance(name) <= 3.min(name.len() / 2))
}

pub(super) fn format_name(target: Target) -> &'static str {
    FORMATS.iter().find(|(_, other)| *other == target).map_or("unknown", |(name, _)| name)
}

const FORMATS: [(&str, Target); 7] = [
    ("postfix-sasl", Target::PostfixSasl),
    ("msmtp", Target::Msmtp),
    ("env", Target::Env),
    ("systemd", Target::Systemd),
    ("kubernetes", Target::Kubernetes),
    ("json", Target::Json),
    ("csv", Target::Csv),
];

const COMMON_OPTIONS: [&str; 3] = ["host", "port", "from"];

/// What a store may be, and the options that it has beside the common ones.
const SCHEMES: [(&str, &[&str]); 5] = [
    ("file", &["format"]),
    ("secretsmanager", SECRET_OPTIONS),
    ("ssm", SECRET_OPTIONS),
    (
        "kubernetes",
        &[
            "kubectl",
            "kubeconfig",
            "context",
            "user-name-key",
            "password-key",
            "host-key",
            "port-key",
            "from-key",
        ],
    ),
    ("exec", &[]),
];

const SECRET_OPTIONS: &[&str] = &[
    "region",
    "kms-key-id",
    "form",
    "user-name-key",
    "password-key",
    "host-key",
    "port-key",
    "from-key",
];
