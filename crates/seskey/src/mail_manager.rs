//! The other SMTP credential of SES, for a Mail Manager ingress endpoint. Its password is chosen, never derived.
//!
//! Source: SES Developer Guide, "Ingress endpoints"; Mail Manager API, `IngressPoint` and `SmtpPassword`.

use std::fmt;

use crate::secret::Secret;

/// The ports of an ingress endpoint. TLS begins by STARTTLS on both: there is no TLS wrapper.
pub const PORTS: [u16; 2] = [25, 587];

/// The suffix of the host name of every ingress endpoint.
pub const HOST_SUFFIX: &str = ".mail-manager-smtp.amazonaws.com";

/// The ID of an ingress endpoint: `inp-` and letters and digits. It is used unchanged as the SMTP user name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IngressPointId(String);

/// The SMTP password of an ingress endpoint: 8 to 64 letters, digits and marks, without `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngressPassword(Secret);

/// The reason why a text is not the ID of an ingress endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IngressPointIdError {
    /// A text without `inp-` at its beginning.
    #[error("it does not begin with inp-")]
    Prefix,
    /// A character after `inp-` is neither a letter nor a digit.
    #[error("{character:?} is neither a letter nor a digit")]
    Character {
        /// The first such character.
        character: char,
    },
    /// Too few or too many characters after `inp-`.
    #[error("{length} characters stand behind inp-, and there may be 1 to 96")]
    Length {
        /// Their number.
        length: usize,
    },
}

/// The reason why a text is not an SMTP password of an ingress endpoint. The text is never quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IngressPasswordError {
    /// A character that such a password cannot have.
    #[error("it has a character at position {position} that no such password has")]
    Character {
        /// The position of the first one, in bytes.
        position: usize,
    },
    /// The text is too short or too long.
    #[error("it has {length} characters, and such a password has 8 to 64")]
    Length {
        /// Its number of characters.
        length: usize,
    },
}

/// The SMTP credential of an ingress endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailManagerCredential {
    /// The SMTP user name.
    pub user_name: IngressPointId,
    /// The SMTP password.
    pub password: IngressPassword,
    /// The host name of the ingress endpoint, where it is known.
    pub endpoint: Option<String>,
}

impl IngressPointId {
    /// Parses the ID of an ingress endpoint.
    ///
    /// # Errors
    /// Fails for a text of another form.
    pub fn parse(text: &str) -> Result<Self, IngressPointIdError> {
        use IngressPointIdError as E;
        let id = text.strip_prefix("inp-").ok_or(E::Prefix)?;
        match id.chars().find(|c| !c.is_ascii_alphanumeric()) {
            Some(character) => Err(E::Character { character }),
            None if !(1..=96).contains(&id.len()) => Err(E::Length { length: id.len() }),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// Returns the ID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IngressPointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl IngressPassword {
    /// Parses a password that an ingress endpoint can have.
    ///
    /// # Errors
    /// Fails for any other text.
    pub fn parse(text: &str) -> Result<Self, IngressPasswordError> {
        use IngressPasswordError as E;
        let is_taken =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!@#$%^&*()_+-=[]{}|.,?".contains(&byte);
        match text.bytes().position(|byte| !is_taken(byte)) {
            Some(position) => Err(E::Character { position }),
            None if !(8..=64).contains(&text.len()) => Err(E::Length { length: text.len() }),
            None => Ok(Self(Secret::new(text.to_owned()))),
        }
    }

    /// Returns the password itself.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// Whether this is the host name of an ingress endpoint.
pub fn is_host(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    name.strip_suffix(HOST_SUFFIX).is_some_and(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        use IngressPointIdError as E;
        assert!(IngressPointId::parse("inp-3q4cpdgvz5l2mvd7kxrj9a0b").is_ok());
        for (text, error) in [
            ("", E::Prefix),
            ("INP-3q4cpd", E::Prefix),
            ("AKIAIOSFODNN7EXAMPLE", E::Prefix),
            ("inp-", E::Length { length: 0 }),
            ("inp-a/b", E::Character { character: '/' }),
            ("inp-é", E::Character { character: 'é' }),
        ] {
            assert_eq!(IngressPointId::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn passwords() {
        for text in ["Abcdef12", "!@#$%^&*()_+-=[]{}|.,?", &"a".repeat(64)] {
            assert_eq!(IngressPassword::parse(text).unwrap().expose(), text);
        }
        // a slash, too short, too long, and other characters
        use IngressPasswordError as E;
        for (text, error) in [
            ("ab/cdefgh", E::Character { position: 2 }),
            ("Abcdef1", E::Length { length: 7 }),
            (&"a".repeat(65), E::Length { length: 65 }),
            ("pass word", E::Character { position: 4 }),
            ("pässword", E::Character { position: 1 }),
            ("it's'it's", E::Character { position: 2 }),
        ] {
            assert_eq!(IngressPassword::parse(text), Err(error), "{text}");
        }
        let password = IngressPassword::parse("Abcdef12").unwrap();
        assert_eq!(format!("{password:?}"), "IngressPassword([redacted])");
    }

    #[test]
    fn hosts() {
        for host in [
            "abcd1234.efgh5678.mail-manager-smtp.amazonaws.com",
            "ABCD.fips.EFGH.Mail-Manager-SMTP.amazonaws.com.",
        ] {
            assert!(is_host(host), "{host}");
        }
        for host in [
            "mail-manager-smtp.amazonaws.com",
            ".mail-manager-smtp.amazonaws.com",
            "email-smtp.us-east-1.amazonaws.com",
            "a.mail-manager-smtp.amazonaws.com.example.com",
        ] {
            assert!(!is_host(host), "{host}");
        }
    }
}
