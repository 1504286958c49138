//! The Authorization header, read to the letter.

use super::Signed;
use crate::refusal::{Incomplete, Mismatch, Refusal};

/// What the Authorization header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// The access key that signed.
    pub access_key_id: String,
    /// What it signed for.
    pub scope: Scope,
    /// The names of the signed headers: lower case, in order, each once.
    pub signed_headers: Vec<String>,
    /// The signature.
    pub signature: [u8; 32],
}

/// The credential scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// `YYYYMMDD`.
    pub date: String,
    /// Such as `us-east-1`.
    pub region: String,
    /// Such as `iam`.
    pub service: String,
}

/// The algorithm, and what ends a scope.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
pub(super) const TERMINATOR: &str = "aws4_request";

impl Authorization {
    /// Reads the header of a request.
    ///
    /// # Errors
    /// `MissingAuthenticationToken` where there is none, `IncompleteSignature` where it is not of the form.
    pub fn of(request: &Signed<'_>) -> Result<Self, Refusal> {
        let mut headers = request.header_values("authorization");
        match (headers.next(), headers.next()) {
            (Some(header), None) => Self::parse(header),
            (Some(_), Some(_)) => {
                Err(Refusal::IncompleteSignature(Incomplete::RepeatedAuthorization))
            }
            (None, _) if is_presigned(request.query) => {
                Err(Refusal::IncompleteSignature(Incomplete::Presigned))
            }
            (None, _) => Err(Refusal::MissingAuthenticationToken),
        }
    }

    fn parse(header: &str) -> Result<Self, Refusal> {
        let parameters = header.trim().strip_prefix(ALGORITHM).filter(|rest| rest.starts_with(' '));
        let parameters = parameters.ok_or(Refusal::IncompleteSignature(Incomplete::Algorithm))?;
        let [mut credential, mut signed_headers, mut signature] = [None; 3];
        for parameter in parameters.split(',') {
            let (name, value) = parameter.trim().split_once('=').unwrap_or_default();
            let (place, name) = match name {
                CREDENTIAL => (&mut credential, CREDENTIAL),
                SIGNED_HEADERS => (&mut signed_headers, SIGNED_HEADERS),
                SIGNATURE => (&mut signature, SIGNATURE),
                _ => return Err(Refusal::IncompleteSignature(Incomplete::UnknownParameter)),
            };
            if place.replace(value).is_some() {
                return Err(Refusal::IncompleteSignature(Incomplete::Parameter(name)));
            }
        }
        let need = |value: Option<_>, name| {
            value.ok_or(Refusal::IncompleteSignature(Incomplete::Parameter(name)))
        };
        let (access_key_id, scope) = credential_of(need(credential, CREDENTIAL)?)?;
        let signed_headers = signed_headers_of(need(signed_headers, SIGNED_HEADERS)?)?;
        let signature = signature_of(need(signature, SIGNATURE)?)?;
        Ok(Self { access_key_id, scope, signed_headers, signature })
    }
}

fn credential_of(text: &str) -> Result<(String, Scope), Refusal> {
    let [id, date, region, service, terminator] = text.split('/').collect::<Vec<_>>()[..] else {
        return Err(Refusal::IncompleteSignature(Incomplete::Credential));
    };
    if [id, date, region, service].contains(&"") {
        return Err(Refusal::IncompleteSignature(Incomplete::Credential));
    }
    if terminator != TERMINATOR {
        return Err(Refusal::SignatureDoesNotMatch(Mismatch::Terminator));
    }
    Ok((id.into(), Scope { date: date.into(), region: region.into(), service: service.into() }))
}

fn signed_headers_of(text: &str) -> Result<Vec<String>, Refusal> {
    let names: Vec<String> = text.split(';').map(str::to_owned).collect();
    let is_name = |name: &String| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase())
    };
    match names.iter().all(is_name) && names.is_sorted_by(|a, b| a < b) {
        true => Ok(names),
        false => Err(Refusal::IncompleteSignature(Incomplete::SignedHeaders)),
    }
}

fn signature_of(text: &str) -> Result<[u8; 32], Refusal> {
    let malformed = || Refusal::IncompleteSignature(Incomplete::Signature);
    let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if text.len() != 64 || !text.bytes().all(lower_hex) {
        return Err(malformed());
    }
    let mut signature = [0; 32];
    for (n, byte) in signature.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * n..2 * n + 2], 16).map_err(|_| malformed())?;
    }
    Ok(signature)
}

fn is_presigned(query: &str) -> bool {
    query.split('&').any(|pair| pair.to_ascii_lowercase().starts_with("x-amz-"))
}

const CREDENTIAL: &str = "Credential";
const SIGNED_HEADERS: &str = "SignedHeaders";
const SIGNATURE: &str = "Signature";
