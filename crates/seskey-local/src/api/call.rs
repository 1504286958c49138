//! The common parts of all APIs: a received request, the response, and the refusal of a caller without permission.

use std::net::IpAddr;

use jiff::Timestamp;
use rand::Rng;
use seskey::{
    Partition, Region,
    policy::{Decision, MissingAllow, Request},
};

use super::sns;
use crate::{
    account::{Account, Principal},
    refusal::{ApiRefusal, Denial, Mismatch},
    sigv4::{Authorization, HttpRequest, Scope, Signer, hex},
};

/// A response to the client. The body may hold a secret access key, so there is no `Debug`.
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The header `x-amzn-errortype` of a JSON API.
    pub error_type: Option<&'static str>,
    /// The request ID, which AWS repeats in the header `x-amzn-requestid`.
    pub request_id: String,
    /// A document of that type.
    pub body: String,
}

/// A received request.
pub struct Received<'a> {
    /// The request as it was sent.
    pub request: &'a HttpRequest<'a>,
    /// The signer, or the reason why the signature is not accepted.
    pub signer: Result<Signer, ApiRefusal>,
    /// The address that it came from.
    pub peer: IpAddr,
    /// Whether it came over TLS.
    pub secure_transport: bool,
    /// The time when it came.
    pub now: Timestamp,
}

/// The service of a request: the one that the signature was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Iam,
    Sts,
    Ses,
    Sns,
}

impl Service {
    /// Returns the service of a request. A request without a readable signature belongs to IAM, unless it has a path of
    /// SES or needs no signature.
    pub(crate) fn of(request: &HttpRequest<'_>) -> Self {
        if request.path.starts_with("/v2/") {
            return Self::Ses;
        }
        match Authorization::of(request) {
            Ok(Authorization { scope, .. }) => {
                let named = |this: &Self| this.names().contains(&scope.service.as_str());
                [Self::Sts, Self::Ses, Self::Sns].into_iter().find(named).unwrap_or(Self::Iam)
            }
            Err(ApiRefusal::MissingAuthenticationToken) if sns::is_for_all(request) => Self::Sns,
            Err(_) => Self::Iam,
        }
    }

    /// Checks the scope of a signature. AWS accepts one region for IAM. A client with a custom endpoint signs for its
    /// configured region, so every region of the partition is accepted here.
    pub(super) fn accept(self, scope: &Scope, partition: Partition) -> Result<(), Mismatch> {
        if !self.names().contains(&&*scope.service) {
            return Err(Mismatch::Service);
        }
        let known = Region::parse_unknown(&scope.region)
            .is_ok_and(|region| region.as_str() == scope.region && region.partition() == partition);
        if known { Ok(()) } else { Err(Mismatch::Region) }
    }

    /// Returns its current name in signatures, permissions and records of use.
    pub(crate) fn name(self) -> &'static str {
        self.names()[0]
    }

    /// Returns its names in signatures, the current one first.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Iam => &["iam"],
            Self::Sts => &["sts"],
            Self::Ses => &["ses", "email"],
            Self::Sns => &["sns"],
        }
    }
}

/// Returns the principal that signed, and the region that it signed for.
pub(super) fn authenticated(
    account: &Account,
    signer: &Signer,
    now: Timestamp,
) -> Result<(Principal, Region), ApiRefusal> {
    let caller = account.caller(&signer.access_key_id, now)?.clone();
    let region = Region::parse_unknown(&signer.scope.region)
        .map_err(|_| ApiRefusal::SignatureDoesNotMatch(Mismatch::Region))?;
    Ok((caller, region))
}

/// Checks that a decision allows a request.
pub(crate) fn permit(
    account: &Account,
    caller: &Principal,
    request: &Request<'_>,
    decision: Decision<'_>,
) -> Result<(), ApiRefusal> {
    let denial = match decision {
        Decision::Allowed { .. } => return Ok(()),
        Decision::ExplicitDeny { .. } => Denial::Explicit,
        Decision::ImplicitDeny { .. } if request.action == "sts:AssumeRole" => Denial::Unexplained,
        Decision::ImplicitDeny { missing: MissingAllow::Boundary { source, .. } } => {
            if Account::is_session_policy(source) {
                Denial::SessionPolicy
            } else {
                Denial::PermissionsBoundary
            }
        }
        Decision::ImplicitDeny { .. } => Denial::NoIdentityPolicy,
    };
    let (principal, action, resource) =
        (account.principal_arn(caller), request.action.to_owned(), request.resource.to_owned());
    Err(ApiRefusal::AccessDenied { principal, action, resource, denial })
}

/// Returns a random UUID (RFC 9562, version 4).
pub(crate) fn uuid(rng: &mut dyn Rng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]].map(hex).join("-")
}
