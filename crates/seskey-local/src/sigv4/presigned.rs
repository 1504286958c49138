//! The signature in the query string of a presigned URL, read strictly.
//!
//! Source: IAM User Guide, "Create a signed AWS API request", "Authentication methods" and "Add the signature to the
//! request".

use std::borrow::Cow;

use jiff::SignedDuration;
use percent_encoding::percent_decode_str;
use seskey::Secret;

use super::{
    authorization::{ALGORITHM, Authorization, credential_of, signature_of, signed_headers_of},
    time,
};
use crate::refusal::{ApiRefusal, Incomplete};

/// Whether a query string has a parameter of a presigned URL, in upper or lower case.
pub(super) fn is_presigned(query: &str) -> bool {
    pairs(query).any(|(name, _)| PARAMETERS.iter().any(|known| known.eq_ignore_ascii_case(&name)))
}

/// Whether a pair of a query string is the signature, which does not sign itself.
pub(super) fn is_signature(pair: &str) -> bool {
    split(pair).0 == SIGNATURE
}

/// Reads the parameters of a query string.
///
/// # Errors
/// `IncompleteSignature` if a parameter is missing, repeated or malformed.
pub(super) fn read(query: &str) -> Result<Authorization, ApiRefusal> {
    let [algorithm, credential, date, expires, signed_headers, signature] = PARAMETERS
        .map(|name| once(query, name)?.ok_or_else(|| incomplete(Incomplete::QueryParameter(name))));
    let session_token = once(query, SECURITY_TOKEN)?;
    if algorithm? != ALGORITHM {
        return Err(incomplete(Incomplete::Algorithm));
    }
    let (access_key_id, scope) = credential_of(&credential?)?;
    Ok(Authorization {
        access_key_id,
        scope,
        signed_at: time::parse(&date?).ok_or_else(|| incomplete(Incomplete::QueryDate))?,
        good_for: lifetime_of(&expires?).ok_or_else(|| incomplete(Incomplete::Expires))?,
        signed_headers: signed_headers_of(&signed_headers?)?,
        session_token: session_token.map(|token| Secret::new(token.into_owned())),
        signature: signature_of(&signature?)?,
    })
}

/// Returns the value of a parameter that may occur once.
fn once<'a>(query: &'a str, name: &'static str) -> Result<Option<Cow<'a, str>>, ApiRefusal> {
    let mut values = pairs(query).filter(|(found, _)| found == name).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(incomplete(Incomplete::QueryParameter(name))),
        (value, None) => Ok(value),
    }
}

/// Parses the lifetime of a URL, in seconds. STS was reported to accept no URL for longer than a signature in the
/// header, whatever the URL says.
fn lifetime_of(text: &str) -> Option<SignedDuration> {
    let seconds = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()?;
    let lifetime =
        (1..=MAX_LIFETIME).contains(&seconds).then(|| SignedDuration::from_secs(seconds));
    lifetime.map(|lifetime| lifetime.min(time::TOLERANCE))
}

fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').map(split)
}

fn split(pair: &str) -> (Cow<'_, str>, Cow<'_, str>) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let decode = |text| percent_decode_str(text).decode_utf8_lossy();
    (decode(name), decode(value))
}

fn incomplete(what: Incomplete) -> ApiRefusal {
    ApiRefusal::IncompleteSignature(what)
}

/// The parameters that a presigned URL must have.
const PARAMETERS: [&str; 6] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    SIGNATURE,
];
const SIGNATURE: &str = "X-Amz-Signature";
const SECURITY_TOKEN: &str = "X-Amz-Security-Token";

/// The longest lifetime: seven days, in seconds.
const MAX_LIFETIME: i64 = 604_800;
