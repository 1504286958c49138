//! Account IDs, unique IDs, access key IDs and fresh secrets.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use rand::Rng;
use serde::{Deserialize, Serialize};
use seskey::{AccessKeyId, SecretAccessKey};
use zeroize::Zeroize;

/// The number of an AWS account: 12 digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountId(String);

impl AccountId {
    /// Parses an account ID; `None` if the text is not 12 digits.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| Self(text.to_owned()))
    }

    /// Returns the account whose number is in the middle of an access key ID, if there is one.
    ///
    /// The 8 characters after the prefix are Base32 of half the number plus 2³⁹; the upper bit of the next one tells
    /// whether the number is odd. AWS documents `GetAccessKeyInfo`, not the format, which is taken from moto.
    pub fn of_access_key(access_key_id: &str) -> Option<Self> {
        let middle = access_key_id.get(4..13)?;
        let mut digits = middle.bytes().map(|b| BASE32.iter().position(|&digit| digit == b));
        let bits = digits.try_fold(0, |bits, digit| Some(bits << 5 | digit? as u64))?;
        let number = (bits >> 4).checked_sub(OFFSET << 1)?;
        Self::parse(&format!("{number:012}"))
    }

    /// Returns the 12 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn number(&self) -> u64 {
        self.0.parse().expect("12 digits fit into 64 bits")
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Creates an access key for an account.
pub fn fresh_access_key(account: &AccountId, rng: &mut dyn Rng) -> (AccessKeyId, SecretAccessKey) {
    let id = AccessKeyId::parse(&access_key_id("AKIA", account, rng))
        .expect("it is made of a prefix and Base32");
    (id, secret_access_key(rng))
}

/// Creates a unique ID, such as `AIDA…` or `AROA…`. Source: IAM User Guide, "IAM identifiers", unique IDs.
pub(super) fn unique_id(prefix: &str, rng: &mut dyn Rng) -> String {
    extend(prefix, 17, rng)
}

/// Creates an access key ID, `AKIA…` or `ASIA…`: 20 characters, with the account in the middle.
pub(super) fn access_key_id(prefix: &str, account: &AccountId, rng: &mut dyn Rng) -> String {
    let bits = ((OFFSET << 1) + account.number()) << 4 | u64::from(rng.next_u32() & 0xf);
    let middle = (0..9).rev().map(|place| digit(bits >> (5 * place)));
    extend(&prefix.chars().chain(middle).collect::<String>(), 7, rng)
}

/// Creates a secret of 40 characters of the whole alphabet `A-Za-z0-9+/`: 30 bytes in Base64.
pub(super) fn secret_access_key(rng: &mut dyn Rng) -> SecretAccessKey {
    loop {
        let mut bytes = [0; 30];
        rng.fill_bytes(&mut bytes);
        let mut text = BASE64_STANDARD.encode(bytes);
        bytes.zeroize();
        let secret = SecretAccessKey::parse(&text);
        text.zeroize();
        // the only text of this form that is not a secret is an access key ID, once in 10¹⁶ times
        if let Ok(secret) = secret {
            return secret;
        }
    }
}

fn extend(start: &str, more: usize, rng: &mut dyn Rng) -> String {
    start.chars().chain((0..more).map(|_| digit(rng.next_u32().into()))).collect()
}

fn digit(bits: u64) -> char {
    char::from(BASE32[(bits & 31) as usize])
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const OFFSET: u64 = 1 << 39;

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn an_access_key_id_names_its_account() {
        let mut rng = StdRng::seed_from_u64(1);
        for number in
            ["000000000000", "000000000001", "111122223333", "123456789012", "999999999999"]
        {
            let account = AccountId::parse(number).expect("12 digits");
            let id = access_key_id("AKIA", &account, &mut rng);
            assert!(AccessKeyId::parse(&id).is_ok() && id.len() == 20, "{id}");
            assert_eq!(AccountId::of_access_key(&id), Some(account));
        }
    }

    #[test]
    fn the_account_part_is_base32_of_half_the_number() {
        // 123456789012 / 2 + 2^39 = 0x8e5f4c8d0a; Python: base64.b32encode(bytes.fromhex("8e5f4c8d0a"))
        let account = AccountId::parse("123456789012").expect("12 digits");
        let id = access_key_id("AKIA", &account, &mut StdRng::seed_from_u64(1));
        assert_eq!(&id[4..12], "RZPUZDIK");
        assert!(BASE32[..16].contains(&id.as_bytes()[12]), "an even number is in the lower half");
    }

    #[test]
    fn what_is_no_access_key_names_no_account() {
        for text in [
            "",
            "AKIA",
            "AKIAIOSFODNN",
            "AKIA!OSFODNN7EXAMPLE",
            "AKIAééééééééé",
            "AKIA11111111111111",
        ] {
            assert_eq!(AccountId::of_access_key(text), None, "{text}");
        }
        assert_eq!(AccountId::parse("12345678901"), None);
        assert_eq!(AccountId::parse("12345678901x"), None);
    }

    #[test]
    fn secrets_use_the_whole_alphabet() {
        let mut rng = StdRng::seed_from_u64(2);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let secret = secret_access_key(&mut rng);
            assert_eq!(secret.expose().len(), 40);
            seen.extend(secret.expose().chars());
        }
        assert_eq!(seen.len(), 64);
        assert!(seen.contains(&'+') && seen.contains(&'/'));
    }
}
