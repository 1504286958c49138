//! Signature Version 4: the signer of a request, and the check of the signature.
//!
//! The signature is in the Authorization header or in the query string of a presigned URL. A request is refused for
//! every difference from what was signed, every repeated or unknown part, and every header that ought to be signed and
//! is not.
//! Source: IAM User Guide, "AWS Signature Version 4 for API requests" and "Create a signed AWS API request".

use jiff::Timestamp;
use seskey::{Secret, SecretAccessKey};
use subtle::ConstantTimeEq;

pub use authorization::{Authorization, Scope};
pub(crate) use canonical::UNRESERVED;
pub use canonical::canonical_request;
pub(crate) use client::SignWith;
pub(crate) use signature::hex;
pub use signature::{sign, string_to_sign};

use crate::refusal::{ApiRefusal, Mismatch};

mod authorization;
mod canonical;
mod client;
mod presigned;
mod signature;
mod time;

/// A request as it came over the wire. Header names are compared without regard to case.
#[derive(Clone, Copy)]
pub struct HttpRequest<'a> {
    /// The method, such as `POST`.
    pub method: &'a str,
    /// The path, not decoded.
    pub path: &'a str,
    /// The part after the question mark, not decoded; empty if there is none.
    pub query: &'a str,
    /// All headers, in their order.
    pub headers: &'a [(&'a str, &'a str)],
    /// The whole body.
    pub body: &'a [u8],
}

/// The signer of a request with a valid signature, and its scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The access key that signed.
    pub access_key_id: String,
    /// The scope that it signed for.
    pub scope: Scope,
}

/// The secrets that an access key signs with.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// The secret access key.
    pub secret: SecretAccessKey,
    /// The token that a request signed with a temporary credential must have.
    pub session_token: Option<Secret>,
}

/// Verifies the signature of a request and returns its signer. `accept` judges the region and the service of the scope,
/// `key_of` knows the active access keys. A signature is valid if it is so by either clock: an AWS SDK sets its own by
/// the `Date` that it sees.
///
/// # Errors
/// `MissingAuthenticationToken`, `IncompleteSignature`, `InvalidClientTokenId` or `SignatureDoesNotMatch`. An unknown
/// key takes the same work as a known one.
pub fn verify(
    request: &HttpRequest<'_>,
    accept: impl Fn(&Scope) -> Result<(), Mismatch>,
    key_of: impl Fn(&str) -> Option<SigningKey>,
    clocks: [Timestamp; 2],
) -> Result<Signer, ApiRefusal> {
    let authorization = Authorization::of(request)?;
    check(request, &authorization, accept, clocks).map_err(ApiRefusal::SignatureDoesNotMatch)?;

    let to_sign = string_to_sign(
        &time::format(authorization.signed_at),
        &authorization.scope,
        &canonical_request(request, &authorization.signed_headers),
    );
    let key = key_of(&authorization.access_key_id);
    let expected = sign(
        key.as_ref().map_or(NO_SECRET, |key| key.secret.expose()),
        &authorization.scope,
        &to_sign,
    );
    let right = bool::from(expected.ct_eq(&authorization.signature));
    match key {
        Some(key) if key.session_token == authorization.session_token => match right {
            true => Ok(Signer {
                access_key_id: authorization.access_key_id,
                scope: authorization.scope,
            }),
            false => Err(ApiRefusal::SignatureDoesNotMatch(Mismatch::Signature)),
        },
        _ => Err(ApiRefusal::InvalidClientTokenId),
    }
}

impl<'a> HttpRequest<'a> {
    /// Returns the values of a header, in their order.
    pub fn header_values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    /// Returns the first value of a header.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.header_values(name).next()
    }
}

/// Checks everything that must hold before it is worth computing the signature.
fn check(
    request: &HttpRequest<'_>,
    authorization: &Authorization,
    accept: impl Fn(&Scope) -> Result<(), Mismatch>,
    clocks: [Timestamp; 2],
) -> Result<(), Mismatch> {
    let Authorization { signed_at, good_for, .. } = *authorization;
    let [one, other] = clocks.map(|now| time::check(signed_at, good_for, now));
    // the mismatch is by the account's clock, which is the one that the client sees
    one.or_else(|mismatch| other.map_err(|_| mismatch))?;
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

/// The secret of an unknown access key.
const NO_SECRET: &str = "0000000000000000000000000000000000000000";
