//! Short names for stores and runs: a tag has no room for the full ones.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

/// A store in a note: eight hexadecimal digits of the SHA-256 of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreId(u32);

/// A run in a note: the host that it runs on, and the process there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId {
    host: u32,
    process: u32,
}

/// The error for a word that is no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not eight hexadecimal digits")]
pub struct NotAFingerprint;

impl StoreId {
    /// Returns the fingerprint of a store, from its full name: its kind, its place, and the region of its password.
    pub fn of(name: &str) -> Self {
        Self(digest(name))
    }
}

impl RunId {
    /// Returns the fingerprint of a run. No two processes on `host` have the same name `process` at the same time.
    pub fn of(host: &str, process: &str) -> Self {
        Self { host: digest(host), process: digest(process) }
    }

    /// Whether both run on the same host, so that one can see whether the other is gone.
    pub fn is_on_the_host_of(&self, other: &Self) -> bool {
        self.host == other.host
    }
}

fn digest(text: &str) -> u32 {
    let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(text));
    u32::from_be_bytes([a, b, c, d])
}

fn number(word: &str) -> Result<u32, NotAFingerprint> {
    let is_ours = word.len() == 8 && word.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let number = u32::from_str_radix(word, 16).ok().filter(|_| is_ours);
    number.ok_or(NotAFingerprint)
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}.{:08x}", self.host, self.process)
    }
}

impl FromStr for StoreId {
    type Err = NotAFingerprint;

    fn from_str(word: &str) -> Result<Self, NotAFingerprint> {
        number(word).map(Self)
    }
}

impl FromStr for RunId {
    type Err = NotAFingerprint;

    fn from_str(word: &str) -> Result<Self, NotAFingerprint> {
        let (host, process) = word.split_once('.').ok_or(NotAFingerprint)?;
        Ok(Self { host: number(host)?, process: number(process)? })
    }
}
