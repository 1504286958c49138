//! Where a credential is delivered, as it is typed: `file:/etc/postfix/sasl_passwd?format=postfix-sasl`.
//!
//! A store is `SCHEME:REST`, and but for `exec:` there may be options behind it: `?NAME=VALUE&NAME=VALUE`. In the rest and
//! in the values, `%` and two hexadecimal digits are one byte of UTF-8 (RFC 3986 section 2.1): `%3F` is a question mark,
//! `%26` an ampersand, `%25` a percent sign. Whatever follows `exec:` is the command, to the letter.

mod parse;
mod write;

use std::path::PathBuf;

use crate::{region::Region, render::Target};
pub use parse::StoreNameError;

/// A place where a credential is read from. Nothing in it is secret; `Display` writes what parses to the same store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// What it is.
    pub kind: StoreKind,
    /// The host name or address that its readers connect to, in place of the region's SMTP endpoint.
    pub host: Option<String>,
    /// The port that its readers connect to, in place of 587.
    pub port: Option<u16>,
    /// The address that its readers send from, where the form has a place for it.
    pub from: Option<String>,
    /// What the values are called, where they have names: in `secretsmanager:`, `ssm:` and `kubernetes:`.
    pub keys: Keys,
}

/// What a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreKind {
    /// `file:PATH?format=TARGET`
    File {
        /// The file.
        path: PathBuf,
        /// Its form.
        target: Target,
    },
    /// `secretsmanager:NAME`, a secret of AWS Secrets Manager.
    SecretsManager {
        /// Its name or ARN.
        name: String,
        /// Where it is, in place of the account's region.
        region: Option<Region>,
        /// The KMS key that a new one is encrypted with, in place of the account's `aws/secretsmanager`.
        kms_key: Option<String>,
        /// Its form.
        form: SecretForm,
    },
    /// `ssm:/NAME`, a SecureString of the SSM parameter store.
    Ssm {
        /// Its name or ARN.
        name: String,
        /// Where it is, in place of the account's region.
        region: Option<Region>,
        /// The KMS key that it is encrypted with, in place of the account's `alias/aws/ssm`.
        kms_key: Option<String>,
        /// Its form.
        form: SecretForm,
    },
    /// `kubernetes:NAMESPACE/NAME`, a secret, through the user's own kubectl.
    Kubernetes(KubernetesSecret),
    /// `exec:COMMAND`, run by the shell, with JSON on its standard input.
    Exec {
        /// The command.
        command: String,
    },
}

/// A secret of Kubernetes, and how kubectl gets there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubernetesSecret {
    /// The namespace.
    pub namespace: String,
    /// The name of the secret.
    pub name: String,
    /// The kubectl to run: a path, or a name to be found on `PATH`, in place of `kubectl`.
    pub kubectl: Option<String>,
    /// The file that says where the cluster is, in place of kubectl's own choice.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it, in place of the current one.
    pub context: Option<String>,
}

/// The form of a secret that is one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecretForm {
    /// `json`: an object, its members called as [`Keys`] says.
    #[default]
    Json,
    /// `text`: the SMTP user name, a colon and the SMTP password.
    UserPassword,
}

/// What the values are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The SMTP user name.
    pub user_name: String,
    /// The SMTP password.
    pub password: String,
    /// The host.
    pub host: String,
    /// The port.
    pub port: String,
    /// The address to send from.
    pub from: String,
}

impl Keys {
    /// The members of the JSON that creating a credential answers: `smtp_user_name` …
    pub fn json() -> Self {
        let [user_name, password, host, port, from] =
            ["smtp_user_name", "smtp_password", "smtp_endpoint", "smtp_port", "smtp_from"]
                .map(str::to_owned);
        Self { user_name, password, host, port, from }
    }

    /// Environment variables, which the values of a Kubernetes secret become: `SMTP_USERNAME` …
    pub fn environment() -> Self {
        let [user_name, password, host, port, from] =
            ["SMTP_USERNAME", "SMTP_PASSWORD", "SMTP_HOST", "SMTP_PORT", "SMTP_FROM"]
                .map(str::to_owned);
        Self { user_name, password, host, port, from }
    }

    /// All of them, under the options that choose them.
    fn named(&self) -> [(&'static str, &str); 5] {
        [
            ("user-name-key", &self.user_name),
            ("password-key", &self.password),
            ("host-key", &self.host),
            ("port-key", &self.port),
            ("from-key", &self.from),
        ]
    }
}

impl StoreKind {
    /// What the values are called unless the options say otherwise.
    fn usual_keys(&self) -> Keys {
        match self {
            Self::Kubernetes(_) => Keys::environment(),
            _ => Keys::json(),
        }
    }
}
