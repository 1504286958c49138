//! The two kinds of SMTP credentials that SES has.

use super::{CredentialError, SmtpCredential};
use crate::{
    access_key::AccessKeyId,
    mail_manager::{self, IngressPassword, IngressPointId, MailManagerCredential},
    region::Region,
};

/// A credential of either kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// An access key of an IAM user, with the password that is derived from it.
    Iam(SmtpCredential),
    /// A Mail Manager ingress endpoint, with the password that was chosen for it.
    MailManager(MailManagerCredential),
}

/// The kind of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// IAM SMTP credentials: for `email-smtp.REGION.amazonaws.com`.
    Iam,
    /// Mail Manager SMTP credentials: for `….mail-manager-smtp.amazonaws.com`.
    MailManager,
}

impl Kind {
    /// Finds the kind by the form of the SMTP user name.
    pub fn of_user_name(text: &str) -> Option<Self> {
        match AccessKeyId::parse(text) {
            Ok(_) => Some(Self::Iam),
            Err(_) => IngressPointId::parse(text).ok().map(|_| Self::MailManager),
        }
    }

    /// Finds the kind by the host name; `None` for a host that is not AWS's.
    pub fn of_host(host: &str) -> Option<Self> {
        match mail_manager::is_host(host) {
            true => Some(Self::MailManager),
            false => Region::of_smtp_endpoint(host).map(|_| Self::Iam),
        }
    }
}

impl Credential {
    /// Returns its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Iam(_) => Kind::Iam,
            Self::MailManager(_) => Kind::MailManager,
        }
    }

    /// Returns the SMTP user name.
    pub fn user_name(&self) -> &str {
        match self {
            Self::Iam(credential) => credential.user_name.as_str(),
            Self::MailManager(credential) => credential.user_name.as_str(),
        }
    }

    /// Returns the SMTP password itself.
    pub fn expose_password(&self) -> &str {
        match self {
            Self::Iam(credential) => credential.password.expose(),
            Self::MailManager(credential) => credential.password.expose(),
        }
    }

    /// Returns the host name of the SMTP endpoint, if it is known.
    pub fn endpoint(&self) -> Option<&str> {
        match self {
            Self::Iam(credential) => credential.endpoint.as_deref(),
            Self::MailManager(credential) => credential.endpoint.as_deref(),
        }
    }

    /// Returns the IAM user's name or ARN, if there is one and it is known.
    pub fn iam_user(&self) -> Option<&str> {
        match self {
            Self::Iam(credential) => credential.iam_user.as_deref(),
            Self::MailManager(_) => None,
        }
    }

    /// Takes the kind from the user name. A user name of neither kind is refused as one of IAM.
    pub(crate) fn from_cells(
        line: u64,
        iam_user: Option<&str>,
        user_name: &str,
        password: &str,
        endpoint: Option<&str>,
    ) -> Result<Self, CredentialError> {
        let Ok(user_name) = IngressPointId::parse(user_name.trim()) else {
            return SmtpCredential::from_cells(line, iam_user, user_name, password, endpoint)
                .map(Self::Iam);
        };
        let endpoint = super::endpoint(line, endpoint)?;
        Ok(Self::MailManager(MailManagerCredential {
            user_name,
            password: IngressPassword::parse(password.trim())
                .map_err(|_| CredentialError::IngressPassword { line })?,
            endpoint,
        }))
    }
}

impl From<SmtpCredential> for Credential {
    fn from(credential: SmtpCredential) -> Self {
        Self::Iam(credential)
    }
}

impl From<MailManagerCredential> for Credential {
    fn from(credential: MailManagerCredential) -> Self {
        Self::MailManager(credential)
    }
}
