//! Signature Version 4: who signed a request, and is the signature right.
//!
//! The Authorization header form, whole. Every difference to what was signed, every repeated or unknown part and every
//! header that ought to be signed and is not refuses the request.
//! Source: IAM User Guide, "AWS Signature Version 4 for API requests" and "Create a signed AWS API request".

use jiff::Timestamp;
use seskey::SecretAccessKey;
use subtle::ConstantTimeEq;

pub use authorization::{Authorization, Scope};
pub(crate) use canonical::UNRESERVED;
pub use canonical::canonical_request;
pub use signature::{sign, string_to_sign};

use crate::refusal::{Incomplete, Mismatch, Refusal};

mod authorization;
mod canonical;
mod signature;
mod time;

/// A request as it came over the wire. Header names are compared without regard to case.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    /// Such as `POST`.
    pub method: &'a str,
    /// The path, not decoded.
    pub path: &'a str,
    /// What stands behind the question mark, not decoded; empty where there is none.
    pub query: &'a str,
    /// All headers, in their order.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body, whole.
    pub body: &'a [u8],
}

/// Whose signature is right, and for which region and service it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The access key that signed.
    pub access_key_id: String,
    /// What it signed for.
    pub scope: Scope,
}

/// Tells who signed the request. `accept` judges the region and the service of the scope, `secret_of` knows the active
/// access keys.
///
/// # Errors
/// `MissingAuthenticationToken`, `IncompleteSignature`, `InvalidClientTokenId` or `SignatureDoesNotMatch`. An unknown
/// key takes the same work as a known one.
pub fn verify(
    request: &Signed<'_>,
    accept: impl Fn(&Scope) -> Result<(), Mismatch>,
    secret_of: impl Fn(&str) -> Option<SecretAccessKey>,
    now: Timestamp,
) -> Result<Signer, Refusal> {
    let authorization = Authorization::of(request)?;
    if request.header("x-amz-security-token").is_some() {
        return Err(Refusal::InvalidClientTokenId);
    }
    let signed_at = time::of(request).ok_or(Refusal::IncompleteSignature(Incomplete::Date))?;
    check(request, &authorization, accept, signed_at, now)
        .map_err(Refusal::SignatureDoesNotMatch)?;

    let to_sign = string_to_sign(
        &time::format(signed_at),
        &authorization.scope,
        &canonical_request(request, &authorization.signed_headers),
    );
    let secret = secret_of(&authorization.access_key_id);
    let expected = sign(
        secret.as_ref().map_or(NO_SECRET, SecretAccessKey::expose),
        &authorization.scope,
        &to_sign,
    );
    let right = bool::from(expected.ct_eq(&authorization.signature));
    match secret {
        None => Err(Refusal::InvalidClientTokenId),
        Some(_) if !right => Err(Refusal::SignatureDoesNotMatch(Mismatch::Signature)),
        Some(_) => {
            Ok(Signer { access_key_id: authorization.access_key_id, scope: authorization.scope })
        }
    }
}

impl<'a> Signed<'a> {
    /// The values of a header, in their order.
    pub fn header_values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.header_values(name).next()
    }
}

/// All that a signature must be before it is worth computing.
fn check(
    request: &Signed<'_>,
    authorization: &Authorization,
    accept: impl Fn(&Scope) -> Result<(), Mismatch>,
    signed_at: Timestamp,
    now: Timestamp,
) -> Result<(), Mismatch> {
    time::check(signed_at, now)?;
    if time::format(signed_at)[..8] != authorization.scope.date {
        return Err(Mismatch::ScopeDate);
    }
    accept(&authorization.scope)?;
    for name in &authorization.signed_headers {
        request.header(name).ok_or_else(|| Mismatch::AbsentHeader(name.clone()))?;
    }
    let is_signed = |name: &str| authorization.signed_headers.iter().any(|signed| signed == name);
    if !is_signed("host") {
        return Err(Mismatch::UnsignedHeader("host".into()));
    }
    let mut names = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase());
    if let Some(name) = names.find(|name| name.starts_with("x-amz-") && !is_signed(name)) {
        return Err(Mismatch::UnsignedHeader(name));
    }
    let hash = signature::hash_hex(request.body);
    match request.header_values("x-amz-content-sha256").all(|given| given == hash) {
        true => Ok(()),
        false => Err(Mismatch::Body),
    }
}

/// What an unknown access key signs with.
const NO_SECRET: &str = "0000000000000000000000000000000000000000";
