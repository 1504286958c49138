//! The SMTP password: derived from a secret access key, 44 characters of Base64.
//!
//! Source: Amazon SES Developer Guide, "Obtaining Amazon SES SMTP credentials by converting existing AWS
//! credentials". The current algorithm is Signature Version 4 over constants, prefixed by one version byte; the one
//! before January 2019 signs the message alone and knows no region.

use std::{fmt, ptr};

use base64::{Engine, prelude::BASE64_STANDARD};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{access_key::SecretAccessKey, hmac::Keyed, region::Region, secret::wipe};

/// The derivation of a password from a secret access key. The first byte of the password names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Version byte 4: bound to one region. The only one that SES makes today.
    V4,
    /// Version byte 2: the same in every region, made before 10 January 2019, and throttled by SES.
    V2,
}

/// An SMTP password: 44 characters, never padded. Absent from `Debug`, wiped when dropped, compared in constant time.
#[derive(Clone)]
pub struct SmtpPassword([u8; Self::LENGTH]);

/// The reason why a text is not an SMTP password. The text is never quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpPasswordError {
    /// The text does not have 44 bytes.
    #[error("it has {length} bytes, and an SMTP password has 44")]
    Length {
        /// Its number of bytes.
        length: usize,
    },
    /// Not the Base64 of a version byte and a signature.
    #[error("it is not Base64 of 33 bytes")]
    Base64,
    /// The version byte is neither 4 nor 2.
    #[error("its version byte is {version}, and that of an SMTP password 4 or 2")]
    Version {
        /// The version byte.
        version: u8,
    },
}

/// The first, region-independent step of the derivation, kept so that many regions of one key share it.
#[derive(Clone)]
pub struct SigningDate(Keyed);

// The constants that the documentation says not to change.
const DATE: &[u8] = b"11111111";
const SERVICE: &[u8] = b"ses";
const TERMINAL: &[u8] = b"aws4_request";
const MESSAGE: &[u8] = b"SendRawEmail";

impl SmtpPassword {
    /// The length of every SMTP password, in characters: Base64 of a version byte and 32 bytes of HMAC.
    pub const LENGTH: usize = 44;

    /// Derives the password of a secret access key for one region.
    pub fn derive(secret: &SecretAccessKey, region: &Region) -> Self {
        SigningDate::new(secret).password(region)
    }

    /// Derives the legacy password of a secret access key, the same for all regions.
    pub fn derive_v2(secret: &SecretAccessKey) -> Self {
        let signature = Keyed::new(secret.expose().as_bytes()).sign(MESSAGE);
        Self::encode(Algorithm::V2, signature.result())
    }

    /// Reads a password.
    ///
    /// # Errors
    /// Fails for a text that is not 44 characters of Base64 or has an unknown version byte.
    pub fn parse(text: &str) -> Result<Self, SmtpPasswordError> {
        use SmtpPasswordError as E;
        let letters = text.as_bytes().try_into();
        let password = Self(letters.map_err(|_| E::Length { length: text.len() })?);
        let mut bytes = BASE64_STANDARD.decode(text).map_err(|_| E::Base64)?;
        let (length, version) = (bytes.len(), bytes[0]);
        bytes.zeroize();
        match [Algorithm::V4, Algorithm::V2].iter().any(|a| a.version() == version) {
            // Base64 with padding has fewer bytes
            _ if length != 33 => Err(E::Base64),
            true => Ok(password),
            false => Err(E::Version { version }),
        }
    }

    /// Returns the algorithm of the password, read from its first character.
    pub fn algorithm(&self) -> Algorithm {
        match self.0[0] {
            b'A' => Algorithm::V2,
            _ => Algorithm::V4,
        }
    }

    /// Returns the password itself.
    pub fn expose(&self) -> &str {
        str::from_utf8(&self.0).expect("Base64 is ASCII")
    }

    fn encode(algorithm: Algorithm, signature: &[u8; 32]) -> Self {
        let mut bytes = [algorithm.version(); 33];
        bytes[1..].copy_from_slice(signature);
        let mut text = [0; Self::LENGTH];
        BASE64_STANDARD
            .encode_slice(bytes, &mut text)
            .expect("33 bytes are 44 characters of Base64");
        wipe(&mut bytes);
        Self(text)
    }
}

/// Derives the passwords of many keys and regions, in order. Successive rows of one key share the first step.
pub fn derive_each<'a>(
    rows: impl IntoIterator<Item = (&'a SecretAccessKey, &'a Region)>,
) -> impl Iterator<Item = SmtpPassword> {
    let mut last: Option<(&SecretAccessKey, SigningDate)> = None;
    rows.into_iter().map(move |(secret, region)| {
        if last.as_ref().is_some_and(|(key, _)| !ptr::eq(*key, secret) && *key != secret) {
            last = None;
        }
        let (_, date) = last.get_or_insert_with(|| (secret, SigningDate::new(secret)));
        date.password(region)
    })
}

impl SigningDate {
    /// Computes the step that all regions of this key share.
    pub fn new(secret: &SecretAccessKey) -> Self {
        let mut key = Vec::with_capacity(4 + secret.expose().len());
        key.extend_from_slice(b"AWS4");
        key.extend_from_slice(secret.expose().as_bytes());
        let date = Keyed::new(&key).sign(DATE);
        key.zeroize();
        Self(Keyed::new(date.result()))
    }

    /// Derives the password for one region.
    pub fn password(&self, region: &Region) -> SmtpPassword {
        let region = self.0.sign(region.as_str().as_bytes());
        let signature = region.sign(SERVICE).sign(TERMINAL).sign(MESSAGE);
        SmtpPassword::encode(Algorithm::V4, signature.result())
    }
}

impl Algorithm {
    /// Returns the byte in front of the signature.
    pub fn version(self) -> u8 {
        match self {
            Self::V4 => 0x04,
            Self::V2 => 0x02,
        }
    }

    /// Returns its name as typed and printed: `v4` or `v2`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V4 => "v4",
            Self::V2 => "v2",
        }
    }
}

impl Drop for SmtpPassword {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl ZeroizeOnDrop for SmtpPassword {}

impl PartialEq for SmtpPassword {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SmtpPassword {}

impl fmt::Debug for SmtpPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmtpPassword({:?}, [redacted])", self.algorithm())
    }
}

impl fmt::Debug for SigningDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningDate([redacted])")
    }
}
