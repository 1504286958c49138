//! The IAM user behind an SMTP credential: its name, its path, and the names that the SES console uses.

use std::fmt;

use jiff::{Timestamp, tz::TimeZone};

/// The group that the SES console has put SMTP users into since 6 September 2024.
/// Source: SES Developer Guide, "Obtaining Amazon SES SMTP credentials".
pub const SENDING_GROUP: &str = "AWSSESSendingGroupDoNotRename";

/// The name of the sending policy of the group or, in the older style, of the user.
pub const SENDING_POLICY: &str = "AmazonSesSendingAccess";

/// The tag that records the region of a credential.
pub const REGION_TAG: &str = "seskey:region";

/// The tag, key and value, of the users that the SES console made before it had a group.
pub const CONSOLE_TAG: (&str, &str) = ("InvokedBy", "SESConsole");

/// The name of an IAM user to be created: 1 to 64 characters. Source: IAM API, `CreateUser`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(String);

/// The path of an IAM user: `/`, or `/…/` with up to 512 characters. Source: IAM API, `CreateUser`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserPath(String);

/// The reason why a string is not a user name or a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UserError {
    /// An empty name.
    #[error("the name is empty")]
    Empty,
    /// More characters than IAM takes.
    #[error("{length} characters, of {limit} at most")]
    TooLong {
        /// Its number of characters.
        length: usize,
        /// The greatest number allowed.
        limit: usize,
    },
    /// A character in a name other than letters, digits and `_+=,.@-`.
    #[error("the character {character:?} is not allowed in a name")]
    Character {
        /// The first such character.
        character: char,
    },
    /// A path other than `/` or printable ASCII between slashes.
    #[error("a path is / or /…/ of printable ASCII")]
    Path,
}

impl UserName {
    /// Parses a name that IAM takes.
    ///
    /// # Errors
    /// Fails for a name that is empty, too long or has other characters.
    pub fn parse(text: &str) -> Result<Self, UserError> {
        if text.is_empty() {
            return Err(UserError::Empty);
        }
        if let Some(character) =
            text.chars().find(|&c| !(c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)))
        {
            return Err(UserError::Character { character });
        }
        match text.len() {
            length @ 65.. => Err(UserError::TooLong { length, limit: 64 }),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// Returns the name that the SES console proposes: `ses-smtp-user.` and the time in UTC.
    pub fn proposed(now: Timestamp) -> Self {
        Self(now.to_zoned(TimeZone::UTC).strftime("ses-smtp-user.%Y%m%d-%H%M%S").to_string())
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl UserPath {
    /// Parses a path that IAM takes.
    ///
    /// # Errors
    /// Fails for a path that does not begin and end with a slash, is too long, or has a blank or a character outside
    /// ASCII.
    pub fn parse(text: &str) -> Result<Self, UserError> {
        match text.len() {
            length @ 513.. => return Err(UserError::TooLong { length, limit: 512 }),
            _ if text == "/" => return Ok(Self(text.to_owned())),
            _ => {}
        }
        let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        match inner {
            Some(inner) if !inner.is_empty() && inner.bytes().all(|b| b.is_ascii_graphic()) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(UserError::Path),
        }
    }

    /// Returns the path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proposed_name_is_the_consoles() {
        let now = "2026-08-20T20:08:20Z".parse().unwrap();
        assert_eq!(UserName::proposed(now).as_str(), "ses-smtp-user.20260820-200820");
    }

    #[test]
    fn names() {
        assert!(UserName::parse("=app+mail,eu.west@example-1_x").is_ok());
        assert!(UserName::parse(&"x".repeat(64)).is_ok());
        assert_eq!(
            UserName::parse(&"x".repeat(65)),
            Err(UserError::TooLong { length: 65, limit: 64 })
        );
        assert_eq!(UserName::parse(""), Err(UserError::Empty));
        for character in ['/', ' ', '\'', '"', '\n', 'é', '\u{1b}'] {
            assert_eq!(
                UserName::parse(&format!("a{character}b")),
                Err(UserError::Character { character })
            );
        }
    }

    #[test]
    fn paths() {
        for path in ["/", "/system/mail/", "/a/"] {
            assert!(UserPath::parse(path).is_ok(), "{path}");
        }
        for path in ["", "//", "system/", "/system", "/a b/", "/é/"] {
            assert_eq!(UserPath::parse(path), Err(UserError::Path), "{path}");
        }
    }
}
