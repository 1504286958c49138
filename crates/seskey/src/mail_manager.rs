//! The other SMTP credential of SES: that of a Mail Manager ingress endpoint. Its password is chosen, never derived.
//!
//! Source: SES Developer Guide, "Ingress endpoints"; Mail Manager API, `IngressPoint` and `SmtpPassword`.

use std::fmt;

use crate::secret::Secret;

/// The ports of an ingress endpoint. TLS begins by STARTTLS on both: there is no TLS wrapper.
pub const PORTS: [u16; 2] = [25, 587];

/// The end of every host name of an ingress endpoint.
pub const HOST_SUFFIX: &str = ".mail-manager-smtp.amazonaws.com";

/// The ID of an ingress endpoint, which is its SMTP user name as it stands: `inp-` and letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IngressPointId(String);

/// The SMTP password of an ingress endpoint: 8 to 64 letters, digits and marks, with no `/` among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngressPassword(Secret);

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
    /// The ID of an ingress endpoint; `None` for whatever has another form.
    pub fn parse(text: &str) -> Option<Self> {
        let id = text.strip_prefix("inp-")?;
        let fits =
            (1..=96).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        fits.then(|| Self(text.to_owned()))
    }

    /// The ID as text.
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
    /// A password that an ingress endpoint can have; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let is_taken =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!@#$%^&*()_+-=[]{}|.,?".contains(&byte);
        let fits = (8..=64).contains(&text.len()) && text.bytes().all(is_taken);
        fits.then(|| Self(Secret::new(text.to_owned())))
    }

    /// The password itself.
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
        assert!(IngressPointId::parse("inp-3q4cpdgvz5l2mvd7kxrj9a0b").is_some());
        for text in ["", "inp-", "INP-3q4cpd", "inp-a/b", "AKIAIOSFODNN7EXAMPLE", "inp-é"] {
            assert_eq!(IngressPointId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn passwords() {
        for text in ["Abcdef12", "!@#$%^&*()_+-=[]{}|.,?", &"a".repeat(64)] {
            assert_eq!(IngressPassword::parse(text).unwrap().expose(), text);
        }
        // of the derived kind, too short, too long, and of other letters
        for text in ["ab/cdefgh", "Abcdef1", &"a".repeat(65), "pass word", "pässword", "it's'it's"]
        {
            assert_eq!(IngressPassword::parse(text), None, "{text}");
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
