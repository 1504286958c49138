//! Where a credential is delivered, as it is typed: `file:/etc/postfix/sasl_passwd?format=postfix-sasl`.
//!
//! A store is `SCHEME:REST`, and but for `exec:` there may be options behind it: `?NAME=VALUE&NAME=VALUE`. In the rest and
//! in the values, `%` and two hexadecimal digits are one byte of UTF-8 (RFC 3986 section 2.1): `%3F` is a question mark,
//! `%26` an ampersand, `%25` a percent sign. Whatever follows `exec:` is the command, to the letter.

mod parse;
mod write;

use std::path::PathBuf;

pub use parse::{OPTIONS, StoreNameError};

use crate::{
    region::Region,
    render::{Form, Names},
    rotation::StoreId,
};

/// A place where a credential is read from. Nothing in it is secret; `Display` writes what parses to the same store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// What it is.
    pub kind: StoreKind,
    /// What is written there, and how its values are called.
    pub form: Form,
    /// The region that its password is for, in place of the user's.
    pub region: Option<Region>,
    /// The host name or address that its readers connect to, in place of the region's SMTP endpoint.
    pub host: Option<String>,
    /// The port that its readers connect to, in place of 587.
    pub port: Option<u16>,
    /// The address that its readers send from, where the form has a place for it.
    pub from: Option<String>,
}

/// What a store is.
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
    /// `kubernetes:NAMESPACE/NAME`, a secret, through the user's own kubectl. The form has its namespace and name.
    Kubernetes(Kubectl),
    /// `exec:COMMAND`, run by the shell, with JSON on its standard input.
    Exec {
        /// The command.
        command: String,
    },
}

/// A secret of AWS.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AwsSecret {
    /// Its name or ARN.
    pub name: String,
    /// Where it is, in place of the account's region.
    pub region: Option<Region>,
    /// The KMS key that a new one is encrypted with, in place of the account's `aws/secretsmanager` or `aws/ssm`.
    pub kms_key: Option<String>,
    /// Its text.
    pub text: SecretText,
}

/// How kubectl is run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kubectl {
    /// The kubectl to run: a path, or a name to be found on `PATH`, in place of `kubectl`.
    pub program: Option<String>,
    /// The file that says where the cluster is, in place of kubectl's own choice.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it, in place of the current one.
    pub context: Option<String>,
}

/// What the text of a secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SecretText {
    /// `form=json`: an object, its members called as the form of the store says.
    #[default]
    Json,
    /// `form=text`: the SMTP user name, a colon and the SMTP password.
    UserPassword,
}

impl Store {
    /// The region that its password is for, where the user's usual one is this.
    pub fn region_or<'a>(&'a self, usual: &'a Region) -> &'a Region {
        self.region.as_ref().unwrap_or(usual)
    }

    /// What the notes of a rotation call it: the place and the region of the password, and not the form.
    pub fn id(&self, usual: &Region) -> StoreId {
        StoreId::of(&format!("{} {}", self.place(), self.region_or(usual)))
    }

    /// Where it is, without its options.
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

/// The names that options choose, under these options.
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
