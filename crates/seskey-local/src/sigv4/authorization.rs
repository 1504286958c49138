//! The claimed signer of a request: the Authorization header, read strictly, or the query string.

use jiff::{SignedDuration, Timestamp};
use seskey::Secret;

use super::{HttpRequest, presigned, time};
use crate::refusal::{ApiRefusal, Incomplete, Mismatch};

/// The content of the Authorization header, or of the query string of a presigned URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// The access key that signed.
    pub access_key_id: String,
    /// The scope that it signed for.
    pub scope: Scope,
    /// The time of the signature.
    pub signed_at: Timestamp,
    /// The lifetime of the signature.
    pub good_for: SignedDuration,
    /// The names of the signed headers: lower case, in order, each once.
    pub signed_headers: Vec<String>,
    /// The token of a temporary credential.
    pub session_token: Option<Secret>,
    /// The signature.
    pub signature: [u8; 32],
}

/// The credential scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The date, `YYYYMMDD`.
    pub date: String,
    /// The region, such as `us-east-1`.
    pub region: String,
    /// The service, such as `iam`.
    pub service: String,
}

/// The algorithm, and the end of a scope.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
pub(super) const TERMINATOR: &str = "aws4_request";

impl Authorization {
    /// Reads the claimed signer of a request, in the header or in the query string.
    ///
    /// # Errors
    /// `MissingAuthenticationToken` if there is no signature, `IncompleteSignature` if it is malformed.
    pub fn of(request: &HttpRequest<'_>) -> Result<Self, ApiRefusal> {
        let mut headers = request.header_values("authorization");
        match (headers.next(), headers.next(), presigned::is_presigned(request.query)) {
            (Some(header), None, false) => Self::parse(header, request),
            (None, _, true) => presigned::read(request.query),
            (None, _, false) => Err(ApiRefusal::MissingAuthenticationToken),
            (Some(_), None, true) => Err(ApiRefusal::IncompleteSignature(Incomplete::BothForms)),
            (Some(_), Some(_), _) => {
                Err(ApiRefusal::IncompleteSignature(Incomplete::RepeatedAuthorization))
            }
        }
    }

    fn parse(header: &str, request: &HttpRequest<'_>) -> Result<Self, ApiRefusal> {
        let parameters = header.trim().strip_prefix(ALGORITHM).filter(|rest| rest.starts_with(' '));
        let parameters =
            parameters.ok_or(ApiRefusal::IncompleteSignature(Incomplete::Algorithm))?;
        let [mut credential, mut signed_headers, mut signature] = [None; 3];
        for parameter in parameters.split(',') {
            let (name, value) = parameter.trim().split_once('=').unwrap_or_default();
            let (place, name) = match name {
                CREDENTIAL => (&mut credential, CREDENTIAL),
                SIGNED_HEADERS => (&mut signed_headers, SIGNED_HEADERS),
                SIGNATURE => (&mut signature, SIGNATURE),
                _ => return Err(ApiRefusal::IncompleteSignature(Incomplete::UnknownParameter)),
            };
            if place.replace(value).is_some() {
                return Err(ApiRefusal::IncompleteSignature(Incomplete::Parameter(name)));
            }
        }
        let need = |value: Option<_>, name| {
            value.ok_or(ApiRefusal::IncompleteSignature(Incomplete::Parameter(name)))
        };
        let (access_key_id, scope) = credential_of(need(credential, CREDENTIAL)?)?;
        let signed_headers = signed_headers_of(need(signed_headers, SIGNED_HEADERS)?)?;
        let signature = signature_of(need(signature, SIGNATURE)?)?;
        let signed_at =
            time::of(request).ok_or(ApiRefusal::IncompleteSignature(Incomplete::Date))?;
        let session_token = session_token_of(request)?;
        let good_for = time::TOLERANCE;
        Ok(Self {
            access_key_id,
            scope,
            signed_at,
            good_for,
            signed_headers,
            session_token,
            signature,
        })
    }
}

/// Returns the token in the header, which may occur once.
fn session_token_of(request: &HttpRequest<'_>) -> Result<Option<Secret>, ApiRefusal> {
    let mut tokens = request.header_values("x-amz-security-token");
    match (tokens.next(), tokens.next()) {
        (_, Some(_)) => Err(ApiRefusal::InvalidClientTokenId),
        (token, None) => Ok(token.map(|token| Secret::new(token.trim().to_owned()))),
    }
}

pub(super) fn credential_of(text: &str) -> Result<(String, Scope), ApiRefusal> {
    let [id, date, region, service, terminator] = text.split('/').collect::<Vec<_>>()[..] else {
        return Err(ApiRefusal::IncompleteSignature(Incomplete::Credential));
    };
    if [id, date, region, service].contains(&"") {
        return Err(ApiRefusal::IncompleteSignature(Incomplete::Credential));
    }
    if terminator != TERMINATOR {
        return Err(ApiRefusal::SignatureDoesNotMatch(Mismatch::Terminator));
    }
    Ok((id.into(), Scope { date: date.into(), region: region.into(), service: service.into() }))
}

pub(super) fn signed_headers_of(text: &str) -> Result<Vec<String>, ApiRefusal> {
    let names: Vec<String> = text.split(';').map(str::to_owned).collect();
    let is_name = |name: &String| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase())
    };
    match names.iter().all(is_name) && names.is_sorted_by(|a, b| a < b) {
        true => Ok(names),
        false => Err(ApiRefusal::IncompleteSignature(Incomplete::SignedHeaders)),
    }
}

pub(super) fn signature_of(text: &str) -> Result<[u8; 32], ApiRefusal> {
    let malformed = || ApiRefusal::IncompleteSignature(Incomplete::Signature);
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

const CREDENTIAL: &str = "Credential";
const SIGNED_HEADERS: &str = "SignedHeaders";
const SIGNATURE: &str = "Signature";
