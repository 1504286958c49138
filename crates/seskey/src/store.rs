//! The place to deliver a credential to, as it is typed: `file:/etc/postfix/sasl_passwd?format=postfix-sasl`.
//!
//! A store is `SCHEME:REST`. Options may follow, except after `exec:`: `?NAME=VALUE&NAME=VALUE`. In the rest and in the
//! values, `%` and two hexadecimal digits are one byte of UTF-8 (RFC 3986 section 2.1): `%3F` is a question mark, `%26`
//! an ampersand, `%25` a percent sign. All text after `exec:` is the command, unchanged.

mod parse;
mod write;

use std::path::PathBuf;

pub use parse::{OPTIONS, StoreNameError};

use crate::{
    region::Region,
    render::{Form, Names},
    rotation::StoreId,
};

/// A place that a credential is read from. No value here is secret; `Display` writes a text that parses to the same
/// store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The kind of store.
    pub kind: StoreKind,
    /// The form of its text, with the names of the values.
    pub form: Form,
    /// The region of its password, in place of the user's.
    pub region: Option<Region>,
    /// The host name or address that its readers connect to, in place of the region's SMTP endpoint.
    pub host: Option<String>,
    /// The port that its readers connect to, in place of 587.
    pub port: Option<u16>,
    /// The address that its readers send from, if the form has a place for it.
    pub from: Option<String>,
}

/// The kinds of store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreKind {
    /// `file:PATH?format=TARGET`
    File {
        /// The file.
        path: PathBuf,
    },
    /// `secretsmanager:NAME`, a secret of AWS Secrets Manager.
    SecretsManager(AwsSecret),
    /// `ssm:/NAME`, a SecureString of the SSM parameter store.
    Ssm(AwsSecret),
    /// `kubernetes:NAMESPACE/NAME`, a secret, through the user's own kubectl. The form holds its namespace and name.
    Kubernetes(Kubectl),
    /// `exec:COMMAND`, run by the shell, with JSON on its standard input.
    Exec {
        /// The command.
        command: String,
    },
}

/// A secret in AWS.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AwsSecret {
    /// Its name or ARN.
    pub name: String,
    /// Its region, in place of the account's.
    pub region: Option<Region>,
    /// The KMS key that a new one is encrypted with, in place of the account's `aws/secretsmanager` or `aws/ssm`.
    pub kms_key: Option<String>,
    /// The format of its text.
    pub text: SecretText,
}

/// The way to run kubectl.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kubectl {
    /// The kubectl to run: a path, or a name to be found on `PATH`, in place of `kubectl`.
    pub program: Option<String>,
    /// The file that describes the cluster, in place of kubectl's own choice.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it, in place of the current one.
    pub context: Option<String>,
}

/// The format of the text of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SecretText {
    /// `form=json`: an object whose members have the names of the form of the store.
    #[default]
    Json,
    /// `form=text`: the SMTP user name, a colon and the SMTP password.
    UserPassword,
}

impl Store {
    /// Returns the region of its password, given the user's usual one.
    pub fn region_or<'a>(&'a self, usual: &'a Region) -> &'a Region {
        self.region.as_ref().unwrap_or(usual)
    }

    /// Returns its ID in the notes of a rotation: the place and the region of the password, not the form.
    pub fn id(&self, usual: &Region) -> StoreId {
        StoreId::of(&format!("{} {}", self.place(), self.region_or(usual)))
    }

    /// Returns its place, without its options.
    pub fn place(&self) -> String {
        match &self.kind {
            StoreKind::File { path } => format!("file:{}", path.display()),
            StoreKind::SecretsManager(AwsSecret { name, .. }) => format!("secretsmanager:{name}"),
            StoreKind::Ssm(AwsSecret { name, .. }) => format!("ssm:{name}"),
            StoreKind::Kubernetes(_) => {
                let names = self.form.names();
                format!("kubernetes:{}/{}", names.namespace, names.entry)
            }
            StoreKind::Exec { command } => format!("exec:{command}"),
        }
    }
}

/// Returns the names that options set, with the names of the options.
fn chosen(names: &mut Names) -> [(&'static str, &mut String); 7] {
    [
        ("name", &mut names.entry),
        ("namespace", &mut names.namespace),
        ("user-name-key", &mut names.user_name),
        ("password-key", &mut names.password),
        ("host-key", &mut names.host),
        ("port-key", &mut names.port),
        ("from-key", &mut names.from),
    ]
}
