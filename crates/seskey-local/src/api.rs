//! One request to the IAM or STS API, from its bytes to its answer: authenticate, parse, authorize, do, encode.

use std::net::IpAddr;

use jiff::Timestamp;
use rand::Rng;
use seskey::{
    Partition, Region,
    policy::{Context, Decision, MissingAllow, Request},
};

use crate::{
    account::{AccessKey, Account, Principal, Status},
    iam::{self, Members, Operation},
    refusal::{Denial, Mismatch, Refusal},
    sigv4::{self, Authorization, Scope, Signed, Signer, SigningKey},
    sts::{self, Question},
    xml,
};

/// What goes back to the client. The body may hold a secret access key, so there is no `Debug`.
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The request ID, which AWS repeats in the header `x-amzn-requestid`.
    pub request_id: String,
    /// An XML document.
    pub body: String,
}

/// Tells who signed a request, by either clock. `key_of` knows the access keys; it is asked once.
///
/// # Errors
/// What [`sigv4::verify`] refuses, and a key that is not active.
pub fn authenticate(
    request: &Signed<'_>,
    partition: Partition,
    key_of: impl Fn(&str) -> Option<AccessKey>,
    clocks: [Timestamp; 2],
) -> Result<Signer, Refusal> {
    let accept = |scope: &Scope| Service::of(request).accept(scope, partition);
    let active = |id: &str| {
        let key = key_of(id).filter(|key| key.status() == Status::Active)?;
        Some(SigningKey { secret: key.secret().clone(), session_token: None })
    };
    sigv4::verify(request, accept, active, clocks)
}

/// Answers a request that was signed, or for which that is refused. It never fails: a refusal is an answer too.
pub fn answer(
    account: &mut Account,
    request: &Signed<'_>,
    signer: Result<Signer, Refusal>,
    peer: IpAddr,
    now: Timestamp,
    rng: &mut dyn Rng,
) -> Response {
    let request_id = uuid(rng);
    let service = Service::of(request);
    let answered = signer
        .and_then(|signer| body(account, request, &signer, service, peer, now, rng, &request_id));
    let (status, body) = match answered {
        Ok(body) => (200, body),
        Err(refusal) => (refusal.status(), xml::error(service.namespace(), &refusal, &request_id)),
    };
    Response { status, content_type: xml::CONTENT_TYPE, request_id, body }
}

/// The service that a request is signed for, by its name in a scope.
pub(crate) fn service(request: &Signed<'_>) -> &'static str {
    Service::of(request).as_str()
}

/// The operation that a request asks for; `None` for one that is not served, whose name may be anything.
pub(crate) fn action(request: &Signed<'_>) -> Option<&'static str> {
    let named = |form| form_urlencoded::parse(form).find(|(name, _)| name == "Action");
    let (_, action) = named(request.query.as_bytes()).or_else(|| named(request.body))?;
    let of_sts = || Question::OPERATIONS.into_iter().find(|name| *name == action);
    Operation::find(&action).map(|operation| operation.name).or_else(of_sts)
}

/// Which of the two APIs is spoken to: the one that the signature was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    Iam,
    Sts,
}

#[expect(clippy::too_many_arguments, reason = "a request and all that it is judged by")]
fn body(
    account: &mut Account,
    request: &Signed<'_>,
    signer: &Signer,
    service: Service,
    peer: IpAddr,
    now: Timestamp,
    rng: &mut dyn Rng,
    request_id: &str,
) -> Result<String, Refusal> {
    let key = account.access_key(&signer.access_key_id);
    let caller = key.ok_or(Refusal::InvalidClientTokenId)?.owner().clone();
    account.record_use(&signer.access_key_id, service.as_str(), &signer.scope.region, now);

    let members = members(request)?;
    let action = members.get("Action").ok_or(Refusal::MissingAction)?;
    let version = members.get("Version").unwrap_or("NO_VERSION_SPECIFIED");
    let invalid =
        || Refusal::InvalidAction { action: action.to_owned(), version: version.to_owned() };
    if version != service.version() {
        return Err(invalid());
    }
    let mut context = global_context(account, &caller, request, peer, now);
    match service {
        Service::Iam => {
            let operation = Operation::find(action).ok_or_else(invalid)?;
            let action = operation.parse(&members, &caller)?;
            operation.add_context(&mut context, account, &members, &caller);
            for resource in operation.resources(account, &members, &caller) {
                authorize(account, &caller, &operation.permission(), &resource, &context)?;
            }
            let answer = account.apply(action, now, rng)?;
            Ok(iam::encode(operation.name, &answer, request_id))
        }
        Service::Sts => {
            let question = Question::parse(action, &members).ok_or_else(invalid)??;
            if let Some(permission) = question.permission() {
                authorize(account, &caller, permission, "*", &context)?;
            }
            Ok(question.answer(account, &caller, request_id))
        }
    }
}

/// The parameters: of a GET in its query string, of a POST in its body.
fn members(request: &Signed<'_>) -> Result<Members, Refusal> {
    match request.method {
        // the signature is over a plus sign, which a form would take for a blank
        "GET" => Members::parse(request.query.replace('+', "%2B").as_bytes()),
        "POST" if is_form(request.header("content-type")) => Members::parse(request.body),
        _ => Err(Refusal::MissingAction),
    }
}

fn is_form(content_type: Option<&str>) -> bool {
    let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn authorize(
    account: &Account,
    caller: &Principal,
    permission: &str,
    resource: &str,
    context: &Context,
) -> Result<(), Refusal> {
    let denial = match account.decide(caller, &Request { action: permission, resource, context }) {
        Decision::Allowed { .. } => return Ok(()),
        Decision::ExplicitDeny { .. } => Denial::Explicit,
        Decision::ImplicitDeny { missing: MissingAllow::Boundary { .. } } => {
            Denial::PermissionsBoundary
        }
        Decision::ImplicitDeny { .. } => Denial::NoIdentityPolicy,
    };
    let (principal, action, resource) =
        (account.principal_arn(caller), permission.to_owned(), resource.to_owned());
    Err(Refusal::AccessDenied { principal, action, resource, denial })
}

/// The global condition keys of a request.
/// Source: IAM User Guide, "AWS global condition context keys".
fn global_context(
    account: &Account,
    caller: &Principal,
    request: &Signed<'_>,
    peer: IpAddr,
    now: Timestamp,
) -> Context {
    account
        .principal_context(caller)
        .with("aws:SourceIp", [peer.to_string()])
        .with("aws:SecureTransport", ["false"])
        .with("aws:CurrentTime", [now.to_string()])
        .with("aws:EpochTime", [now.as_second().to_string()])
        .with("aws:UserAgent", request.header("user-agent"))
}

impl Service {
    /// What cannot be read is refused by IAM.
    fn of(request: &Signed<'_>) -> Self {
        match Authorization::of(request) {
            Ok(authorization) if authorization.scope.service == Self::Sts.as_str() => Self::Sts,
            _ => Self::Iam,
        }
    }

    /// AWS takes one region for IAM. A client that is given an endpoint signs for the region that it is configured
    /// for, so every region of the partition is good here.
    fn accept(self, scope: &Scope, partition: Partition) -> Result<(), Mismatch> {
        if scope.service != self.as_str() {
            return Err(Mismatch::Service);
        }
        let known = Region::parse_unknown(&scope.region)
            .is_ok_and(|region| region.as_str() == scope.region && region.partition() == partition);
        if known { Ok(()) } else { Err(Mismatch::Region) }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Iam => "iam",
            Self::Sts => "sts",
        }
    }

    fn namespace(self) -> &'static str {
        match self {
            Self::Iam => iam::NAMESPACE,
            Self::Sts => sts::NAMESPACE,
        }
    }

    fn version(self) -> &'static str {
        match self {
            Self::Iam => iam::VERSION,
            Self::Sts => sts::VERSION,
        }
    }
}

/// A random UUID (RFC 9562, version 4).
fn uuid(rng: &mut dyn Rng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]].map(hex).join("-")
}
