//! The steps from the canonical request to the signature. Source: IAM User Guide, "Create a signed AWS API request",
//! steps 2 to 5.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::authorization::{ALGORITHM, Scope, TERMINATOR};

/// Returns the string to sign; the time is as in `x-amz-date`.
pub fn string_to_sign(time: &str, scope: &Scope, canonical_request: &str) -> String {
    let Scope { date, region, service } = scope;
    let hash = hash_hex(canonical_request.as_bytes());
    format!("{ALGORITHM}\n{time}\n{date}/{region}/{service}/{TERMINATOR}\n{hash}")
}

/// Returns the signature of a string, by the key that is derived from the secret for the scope.
pub fn sign(secret: &str, scope: &Scope, string_to_sign: &str) -> [u8; 32] {
    let mut first = Zeroizing::new(Vec::with_capacity(4 + secret.len()));
    first.extend_from_slice(b"AWS4");
    first.extend_from_slice(secret.as_bytes());
    let mut key = Zeroizing::new(hmac(&first, &scope.date));
    for part in [&scope.region, &scope.service, TERMINATOR] {
        *key = hmac(key.as_slice(), part);
    }
    hmac(key.as_slice(), string_to_sign)
}

pub(super) fn hash_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Returns bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hmac(key: &[u8], message: &str) -> [u8; 32] {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    hmac.update(message.as_bytes());
    hmac.finalize().into_bytes().into()
}
