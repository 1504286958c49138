//! What all APIs have in common: a request as it came in, what goes back, and the refusal of a caller who may not.

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

/// What goes back to the client. The body may hold a secret access key, so there is no `Debug`.
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
    pub content_type: &'static str,
    /// What a JSON API says in the header `x-amzn-errortype`.
    pub error_type: Option<&'static str>,
    /// The request ID, which AWS repeats in the header `x-amzn-requestid`.
    pub request_id: String,
    /// A document of that type.
    pub body: String,
}

/// A request as it came in.
pub struct Received<'a> {
    /// What was sent.
    pub request: &'a HttpRequest<'a>,
    /// Who signed it, or why that counts for nothing.
    pub signer: Result<Signer, ApiRefusal>,
    /// Where it came from.
    pub peer: IpAddr,
    /// Whether it came by TLS.
    pub secure_transport: bool,
    /// When.
    pub now: Timestamp,
}

/// The service that is spoken to: the one that the signature was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Iam,
    Sts,
    Ses,
    Sns,
}

impl Service {
    /// What cannot be read is refused by IAM, unless it came by a path of SES.
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

    /// AWS takes one region for IAM. A client that is given an endpoint signs for the region that it is configured
    /// for, so every region of the partition is good here.
    pub(super) fn accept(self, scope: &Scope, partition: Partition) -> Result<(), Mismatch> {
        if !self.names().contains(&&*scope.service) {
            return Err(Mismatch::Service);
        }
        let known = Region::parse_unknown(&scope.region)
            .is_ok_and(|region| region.as_str() == scope.region && region.partition() == partition);
        if known { Ok(()) } else { Err(Mismatch::Region) }
    }

    /// Its name today, as signatures, permissions and records of use have it.
    pub(crate) fn name(self) -> &'static str {
        self.names()[0]
    }

    /// As signatures name it, first the name that it has today.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Iam => &["iam"],
            Self::Sts => &["sts"],
            Self::Ses => &["ses", "email"],
            Self::Sns => &["sns"],
        }
    }
}

/// Who signed, and the region that it was signed for.
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

/// The refusal of what was not allowed.
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

/// A random UUID (RFC 9562, version 4).
pub(crate) fn uuid(rng: &mut dyn Rng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]].map(hex).join("-")
}
