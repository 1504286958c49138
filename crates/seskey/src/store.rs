//! Where a credential is delivered, as it is typed: `file:/etc/postfix/sasl_passwd?format=postfix-sasl`.

use std::{fmt, path::PathBuf, str::FromStr};

use crate::render::Target;

/// A place where a credential is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// What it is.
    pub kind: StoreKind,
    /// The host name or address that its readers connect to, in place of the region's SMTP endpoint.
    pub host: Option<String>,
    /// The port that its readers connect to, in place of 587.
    pub port: Option<u16>,
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
    },
    /// `ssm:/NAME`, a SecureString of the SSM parameter store.
    Ssm {
        /// Its name.
        name: String,
    },
    /// `kubernetes:NAMESPACE/NAME`, a secret, through the user's own kubectl.
    Kubernetes {
        /// The namespace.
        namespace: String,
        /// The name of the secret.
        name: String,
    },
    /// `exec:COMMAND`, run by the shell, with JSON on its standard input.
    Exec {
        /// The command.
        command: String,
    },
}

/// Why a text is no store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no store")]
pub struct StoreNameError;

impl FromStr for Store {
    type Err = StoreNameError;

    fn from_str(_: &str) -> Result<Self, StoreNameError> {
        Err(StoreNameError)
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)
    }
}
