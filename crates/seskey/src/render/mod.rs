//! A credential as the configuration of what reads it: Postfix, msmtp, a `.env` file, a Kubernetes secret …

use std::str::FromStr;

use crate::credential::SmtpCredential;

/// In what form a credential is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The credential.
    pub credential: SmtpCredential,
    /// The host name or address that the reader connects to.
    pub host: String,
    /// The port that it connects to.
    pub port: u16,
    /// The address that it sends from, where the form has a place for it.
    pub from: Option<String>,
}

/// Why a credential cannot be written in a form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// What is there is somebody else's, and cannot be kept beside the credential.
    #[error("what is there was not written in this form")]
    NotOurs,
}

/// The entry beside what others wrote into the same file (`before`, empty if there is no file).
///
/// # Errors
/// A value that the form cannot carry, and a file that is in another form.
pub fn render(target: Target, entry: &Entry, before: &str) -> Result<String, RenderError> {
    let _ = (target, entry, before);
    Err(RenderError::NotOurs)
}

/// The credential that the text holds for this host and port; none if it holds no such credential.
pub fn held(target: Target, text: &str, host: &str, port: u16) -> Option<SmtpCredential> {
    let _ = (target, text, host, port);
    None
}

impl FromStr for Target {
    type Err = ();

    fn from_str(_: &str) -> Result<Self, ()> {
        Err(())
    }
}
