//! The parser of a store.

use std::{path::PathBuf, str::FromStr};

use percent_encoding::percent_decode_str;

use super::{AwsSecret, Kubectl, SecretText, Store, StoreKind, chosen};
use crate::{
    region::{Region, RegionError},
    render::{Form, Names, RenderError, Target, is_host, is_plain_address},
};

/// The reason why a text is not a store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreNameError {
    /// A text without a colon, and so without a kind of store. It is not quoted: it may be anything.
    #[error("a store begins with its kind, such as file:")]
    NoScheme,
    /// The word before the colon is no kind of store.
    #[error("{given}: is no store")]
    UnknownScheme {
        /// The given text.
        given: String,
        /// The kind nearest in spelling.
        nearest: Option<&'static str>,
    },
    /// Nothing follows the colon.
    #[error("nothing follows {scheme}:")]
    Empty {
        /// The kind of store.
        scheme: &'static str,
    },
    /// The text after the colon is not UTF-8, or has a character that no name can have.
    #[error("the name behind {scheme}: is not UTF-8, or has a null character in it")]
    Unreadable {
        /// The kind of store.
        scheme: &'static str,
    },
    /// A version, a label or a member of a secret in AWS is named. Each write makes a version of its own.
    #[error("{given} names a version, or a part, and not the {what}")]
    Part {
        /// The given text.
        given: String,
        /// The whole, a secret or a parameter.
        what: &'static str,
    },
    /// Not `NAMESPACE/NAME` of names that Kubernetes takes.
    #[error("{given} is no namespace and name of a Kubernetes secret")]
    KubernetesName {
        /// The given text.
        given: String,
    },
    /// The store has no such option.
    #[error("{scheme}: has no option {given}")]
    UnknownOption {
        /// The kind of store.
        scheme: &'static str,
        /// The given option.
        given: String,
        /// The option of this kind of store nearest in spelling.
        nearest: Option<&'static str>,
    },
    /// An option is given twice.
    #[error("{option} is given twice")]
    OptionTwice {
        /// The option.
        option: &'static str,
    },
    /// The value of an option is not valid.
    #[error("{option} is {expected}")]
    OptionValue {
        /// The option.
        option: &'static str,
        /// The values that it takes.
        expected: &'static str,
    },
    /// The region is not valid.
    #[error(transparent)]
    Region(#[from] RegionError),
    /// A name does not fit into the form, or two values have the same name.
    #[error(transparent)]
    Name(#[from] RenderError),
    /// A file cannot have this form.
    #[error("{given} is no form of a file")]
    UnknownFormat {
        /// The given form.
        given: String,
        /// The form nearest in spelling.
        nearest: Option<&'static str>,
    },
    /// A store cannot have this form, since the credential could not be found in it again.
    #[error("{target} is no form of a store: the credential cannot be told from it")]
    WriteOnly {
        /// The form.
        target: Target,
    },
    /// The name of the file does not say its form.
    #[error("the name of the file does not say its form")]
    NoFormat,
    /// The form has no place for the address to send from.
    #[error("{target} has no place for the address to send from")]
    NoFrom {
        /// The form.
        target: Target,
    },
}

impl StoreNameError {
    /// Returns the name that was perhaps meant: the one nearest in spelling.
    pub fn nearest(&self) -> Option<&'static str> {
        match self {
            Self::UnknownScheme { nearest, .. }
            | Self::UnknownOption { nearest, .. }
            | Self::UnknownFormat { nearest, .. } => *nearest,
            _ => None,
        }
    }
}

type Result<T> = std::result::Result<T, StoreNameError>;

impl FromStr for Store {
    type Err = StoreNameError;

    fn from_str(text: &str) -> Result<Self> {
        let (given, rest) = text.split_once(':').ok_or(StoreNameError::NoScheme)?;
        let scheme = SCHEMES.into_iter().find(|scheme| *scheme == given).ok_or_else(|| {
            let nearest = nearest(given, SCHEMES.into_iter());
            StoreNameError::UnknownScheme { given: given.to_owned(), nearest }
        })?;
        if scheme == "exec" {
            return exec(rest);
        }
        let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
        let rest = decoded(rest).ok_or(StoreNameError::Unreadable { scheme })?;
        if rest.is_empty() {
            return Err(StoreNameError::Empty { scheme });
        }
        let mut options = Options::parse(scheme, options)?;
        let region = options.region("region")?;
        let place = options.region("secret-region")?.or_else(|| region.clone());
        let (kind, usual) = match scheme {
            "file" => file(rest, &mut options)?,
            "kubernetes" => kubernetes(&rest, &mut options)?,
            "ssm" => {
                let whole = whole(rest, "parameter", SSM_ARN_COLONS)?;
                (StoreKind::Ssm(aws_secret(whole, place, &mut options)?), Target::Json.into())
            }
            "secretsmanager" => {
                let whole = whole(rest, "secret", SECRETS_MANAGER_ARN_COLONS)?;
                let secret = aws_secret(whole, place, &mut options)?;
                (StoreKind::SecretsManager(secret), Target::Json.into())
            }
            _ => unreachable!("{scheme} is among the schemes, and has no arm"),
        };
        let host = options.fitting("host", is_host, "a host name or an address")?;
        let from = options.fitting("from", is_plain_address, "an address of mail")?;
        let is_port = |port: &str| port.parse().is_ok_and(|port: u16| port != 0);
        let port = options.fitting("port", is_port, "1 to 65535")?;
        let port = port.and_then(|port| port.parse().ok());
        let form = form(usual, &mut options)?;
        let target = form.target();
        if from.is_some() && target.options().all(|option| option != "--from") {
            return Err(StoreNameError::NoFrom { target });
        }
        Ok(Self { form, kind, region, host, port, from })
    }
}

fn exec(command: &str) -> Result<Store> {
    if command.trim().is_empty() {
        return Err(StoreNameError::Empty { scheme: "exec" });
    }
    if command.contains('\0') {
        return Err(StoreNameError::Unreadable { scheme: "exec" });
    }
    let kind = StoreKind::Exec { command: command.to_owned() };
    Ok(Store { kind, form: Target::Json.into(), region: None, host: None, port: None, from: None })
}

fn file(path: String, options: &mut Options) -> Result<(StoreKind, Form)> {
    let path = PathBuf::from(path);
    let target: Target = match options.take("format") {
        Some(given) => given.parse().map_err(|_| {
            let nearest = nearest(&given, Target::all().map(Target::name));
            StoreNameError::UnknownFormat { given, nearest }
        })?,
        None => Target::of_file(&path).ok_or(StoreNameError::NoFormat)?,
    };
    if !target.is_store() {
        return Err(StoreNameError::WriteOnly { target });
    }
    Ok((StoreKind::File { path }, target.into()))
}

fn kubernetes(rest: &str, options: &mut Options) -> Result<(StoreKind, Form)> {
    let (namespace, entry) = rest.split_once('/').unwrap_or_default();
    let (namespace, entry) = (namespace.to_owned(), entry.to_owned());
    let has_both = !namespace.is_empty() && !entry.is_empty();
    let names = Names { namespace, entry, ..Names::of(Target::Kubernetes) };
    let form = Form::new(Target::Kubernetes, names).ok().filter(|_| has_both);
    let form = form.ok_or_else(|| StoreNameError::KubernetesName { given: rest.to_owned() })?;
    let kubectl = Kubectl {
        program: options.take("kubectl"),
        kubeconfig: options.take("kubeconfig").map(PathBuf::from),
        context: options.take("context"),
    };
    Ok((StoreKind::Kubernetes(kubectl), form))
}

/// Returns the name of a whole secret or parameter. A name has no colon, and an ARN has `arn_colons`. A further one
/// precedes the version or the label of a parameter (Systems Manager API, `GetParameter`: "use
/// `"Name": "name:version"`"), or a member and a version of a secret (ECS Developer Guide, "Pass Secrets Manager
/// secrets through environment variables").
fn whole(name: String, what: &'static str, arn_colons: usize) -> Result<String> {
    let colons = if name.starts_with("arn:") { arn_colons } else { 0 };
    match name.matches(':').count() > colons {
        true => Err(StoreNameError::Part { given: name, what }),
        false => Ok(name),
    }
}

fn aws_secret(name: String, region: Option<Region>, options: &mut Options) -> Result<AwsSecret> {
    let kms_key = options.take("kms-key-id");
    let text = match options.take("form").as_deref() {
        None | Some("json") => SecretText::Json,
        Some("text") => SecretText::UserPassword,
        Some(_) => {
            let expected = "json or text";
            return Err(StoreNameError::OptionValue { option: "form", expected });
        }
    };
    Ok(AwsSecret { name, region, kms_key, text })
}

/// Returns the form with the names that the options set.
fn form(usual: Form, options: &mut Options) -> Result<Form> {
    let mut names = usual.names().clone();
    for (option, name) in chosen(&mut names) {
        if let Some(given) = options.take(option) {
            *name = given;
        }
    }
    Ok(Form::new(usual.target(), names)?)
}

/// The options that were given and not yet taken.
struct Options(Vec<(&'static str, String)>);

impl Options {
    fn parse(scheme: &'static str, text: &str) -> Result<Self> {
        let known = || {
            let own = OPTIONS.into_iter().filter(|(_, schemes)| schemes.contains(&scheme));
            own.map(|(option, _)| option)
        };
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

    fn region(&mut self, option: &str) -> Result<Option<Region>> {
        Ok(self.take(option).map(|given| Region::parse_unknown(&given)).transpose()?)
    }

    fn fitting(
        &mut self,
        option: &'static str,
        fits: impl Fn(&str) -> bool,
        expected: &'static str,
    ) -> Result<Option<String>> {
        match self.take(option) {
            Some(value) if !fits(&value) => Err(StoreNameError::OptionValue { option, expected }),
            value => Ok(value),
        }
    }
}

/// Decodes `%` and two hexadecimal digits as one byte. No name of a file, a process or AWS has a null character.
fn decoded(text: &str) -> Option<String> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    (!text.contains('\0')).then(|| text.into_owned())
}

fn nearest(given: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let given = given.to_ascii_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(name, &given);
    known.min_by_key(|name| distance(name)).filter(|name| distance(name) <= 3.min(name.len() / 2))
}

/// The options, and the stores that have them.
pub const OPTIONS: [(&str, &[&str]); 18] = [
    ("host", ALL_BUT_EXEC),
    ("port", ALL_BUT_EXEC),
    ("from", ALL_BUT_EXEC),
    ("user-name-key", ALL_BUT_EXEC),
    ("password-key", ALL_BUT_EXEC),
    ("host-key", ALL_BUT_EXEC),
    ("port-key", ALL_BUT_EXEC),
    ("from-key", ALL_BUT_EXEC),
    ("format", &["file"]),
    ("name", &["file"]),
    ("namespace", &["file"]),
    ("region", ALL_BUT_EXEC),
    ("secret-region", &["secretsmanager", "ssm"]),
    ("kms-key-id", &["secretsmanager", "ssm"]),
    ("form", &["secretsmanager", "ssm"]),
    ("kubectl", &["kubernetes"]),
    ("kubeconfig", &["kubernetes"]),
    ("context", &["kubernetes"]),
];

/// `arn:PARTITION:ssm:REGION:ACCOUNT:parameter/NAME`
const SSM_ARN_COLONS: usize = 5;

/// `arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME`
const SECRETS_MANAGER_ARN_COLONS: usize = 6;

const ALL_BUT_EXEC: &[&str] = &["file", "secretsmanager", "ssm", "kubernetes"];

const SCHEMES: [&str; 5] = ["file", "secretsmanager", "ssm", "kubernetes", "exec"];
