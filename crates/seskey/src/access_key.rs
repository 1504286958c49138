//! An access key: its ID, which is also the SMTP user name, and its secret.

use std::fmt;

use crate::{mail_manager::IngressPointId, secret::Secret};

/// An access key ID. It is used unchanged as the SMTP user name.
///
/// 16 to 128 upper-case letters and digits that begin with `AKIA` (permanent) or `ASIA` (temporary).
/// Source: IAM User Guide, "IAM identifiers", table of unique ID prefixes; IAM API, `AccessKey`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessKeyId(String);

/// The length of a secret access key that IAM makes. Other lengths exist (an AWS page shows one of 39) and are
/// accepted.
pub const USUAL_SECRET_LENGTH: usize = 40;

/// The reason why a string is not an access key ID that can be an SMTP user name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessKeyIdError {
    /// The key came from STS: the SMTP interface does not take temporary credentials
    /// (SES Developer Guide, "Obtaining Amazon SES SMTP credentials").
    #[error("a temporary access key ID (ASIA…)")]
    Temporary,
    /// The SMTP user name of the other kind of credential, from which nothing is derived.
    #[error("the ID of a Mail Manager ingress endpoint (inp-…)")]
    IngressPoint,
    /// Not an access key ID.
    #[error("not an access key ID (AKIA…)")]
    Malformed,
}

impl AccessKeyId {
    /// The length of an ID that IAM makes; the API would take 16 to 128. Source: IDs that IAM made.
    pub const LENGTH: usize = 20;

    /// Parses a permanent access key ID.
    ///
    /// # Errors
    /// Fails for a temporary key and for a text of another form.
    pub fn parse(text: &str) -> Result<Self, AccessKeyIdError> {
        let well_formed = (16..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        match text.get(..4) {
            Some("AKIA") if well_formed => Ok(Self(text.to_owned())),
            Some("ASIA") if well_formed => Err(AccessKeyIdError::Temporary),
            Some("inp-") if IngressPointId::parse(text).is_ok() => {
                Err(AccessKeyIdError::IngressPoint)
            }
            _ => Err(AccessKeyIdError::Malformed),
        }
    }

    /// Returns the ID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The secret access key of a permanent access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretAccessKey(Secret);

/// The reason why a string cannot be a secret access key. Positions are byte offsets; the text is never quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretAccessKeyError {
    /// The text is empty; the derivation would still give a well-formed password.
    #[error("the secret access key is empty")]
    Empty,
    /// A control character, including NUL and line ends.
    #[error("the secret access key has a control character at position {position}")]
    Control {
        /// Its position.
        position: usize,
    },
    /// A blank: a secret access key is one word.
    #[error("the secret access key has a blank at position {position}")]
    Blank {
        /// Its position.
        position: usize,
    },
    /// A character outside ASCII.
    #[error("the secret access key has a character outside ASCII at position {position}")]
    NonAscii {
        /// Its position.
        position: usize,
    },
    /// An access key ID was given in place of the secret.
    #[error("an access key ID was given in place of the secret access key")]
    AccessKeyId,
    /// The SMTP user name of a Mail Manager credential was given in place of the secret.
    #[error(
        "the ID of a Mail Manager ingress endpoint was given in place of the secret access key"
    )]
    IngressPoint,
    /// The ID of a temporary access key was given in place of the secret.
    #[error("the ID of a temporary access key was given in place of the secret access key")]
    TemporaryAccessKeyId,
}

impl SecretAccessKey {
    /// Parses a secret access key. Its length is not checked: see [`USUAL_SECRET_LENGTH`].
    ///
    /// # Errors
    /// Fails for a text that cannot be a secret access key and for an access key ID.
    pub fn parse(text: &str) -> Result<Self, SecretAccessKeyError> {
        use SecretAccessKeyError as E;
        if text.is_empty() {
            return Err(E::Empty);
        }
        for (position, c) in text.char_indices() {
            match c {
                ' ' => return Err(E::Blank { position }),
                c if c.is_ascii_control() => return Err(E::Control { position }),
                c if !c.is_ascii() => return Err(E::NonAscii { position }),
                _ => {}
            }
        }
        match AccessKeyId::parse(text) {
            Ok(_) => Err(E::AccessKeyId),
            Err(AccessKeyIdError::Temporary) => Err(E::TemporaryAccessKeyId),
            Err(AccessKeyIdError::IngressPoint) => Err(E::IngressPoint),
            Err(AccessKeyIdError::Malformed) => Ok(Self(Secret::new(text.to_owned()))),
        }
    }

    /// Returns the secret itself.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_key_ids() {
        assert!(AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").is_ok());
        assert_eq!(AccessKeyId::parse("ASIAIOSFODNN7EXAMPLE"), Err(AccessKeyIdError::Temporary));
        let ingress_point = AccessKeyId::parse("inp-3q4cpdgvz5l2mvd7kxrj9a0b");
        assert_eq!(ingress_point, Err(AccessKeyIdError::IngressPoint));
        for text in [
            "",
            "AKIA",
            "akiaiosfodnn7example",
            "AKIAIOSFODNN7 XAMPLE",
            "AIDAIOSFODNN7EXAMPLE",
            "ses-user",
            "Ä",
        ] {
            assert_eq!(AccessKeyId::parse(text), Err(AccessKeyIdError::Malformed), "{text}");
        }
    }

    #[test]
    fn secrets_of_every_form_are_served() {
        for text in [
            "YOURKEYrrpg/JHpyvtStUVcAV9177EAKKmDP37P",
            "some+secret+key",
            "with=equals",
            &"x".repeat(200),
        ] {
            assert!(SecretAccessKey::parse(text).is_ok());
        }
    }

    #[test]
    fn what_cannot_be_a_secret_is_refused() {
        use SecretAccessKeyError as E;
        for (text, error) in [
            ("", E::Empty),
            ("abc\n", E::Control { position: 3 }),
            ("\0abc", E::Control { position: 0 }),
            ("a b", E::Blank { position: 1 }),
            ("clé", E::NonAscii { position: 2 }),
            ("AKIAIOSFODNN7EXAMPLE", E::AccessKeyId),
            ("ASIAIOSFODNN7EXAMPLE", E::TemporaryAccessKeyId),
            ("inp-3q4cpdgvz5l2mvd7kxrj9a0b", E::IngressPoint),
        ] {
            assert_eq!(SecretAccessKey::parse(text), Err(error));
        }
    }
}
