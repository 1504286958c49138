//! One request to IAM or STS, from its bytes to its answer: authenticate, parse, authorize, do, encode.

use std::net::IpAddr;

use jiff::Timestamp;
use rand::Rng;
use seskey::{
    Partition, Region,
    policy::{Context, Decision, MissingAllow, Request},
};

use crate::{
    account::{Account, Principal, RequestContext, TemporaryCredential},
    iam::{self, Members, Operation},
    refusal::{ApiRefusal, Denial, Mismatch},
    sigv4::{self, Authorization, HttpRequest, Scope, Signer, SigningKey},
    sts, xml,
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

/// Tells who signed a request, by either clock. `key_of` knows what may sign; it is asked once.
///
/// # Errors
/// What [`sigv4::verify`] refuses.
pub fn authenticate(
    request: &HttpRequest<'_>,
    partition: Partition,
    key_of: impl Fn(&str) -> Option<SigningKey>,
    clocks: [Timestamp; 2],
) -> Result<Signer, ApiRefusal> {
    let accept = |scope: &Scope| Service::of(request).accept(scope, partition);
    sigv4::verify(request, accept, key_of, clocks)
}

/// A request as it came in.
pub struct Received<'a> {
    /// What was sent.
    pub request: &'a HttpRequest<'a>,
    /// Who signed it, or why that counts for nothing.
    pub signer: Result<Signer, ApiRefusal>,
    /// Where it came from.
    pub peer: IpAddr,
    /// When.
    pub now: Timestamp,
}

/// Answers a request to IAM or STS. It never fails: a refusal is an answer too.
pub fn answer(account: &mut Account, received: Received<'_>, rng: &mut dyn Rng) -> Response {
    let request_id = uuid(rng);
    let Received { request, signer, peer, now } = received;
    let service = Service::of(request);
    let answered =
        signer.map_err(|refusal| expired(account, request, refusal, now)).and_then(|signer| {
            let access_key_id = signer.access_key_id.as_str();
            let user_agent = request.header("user-agent");
            let context =
                RequestContext { access_key_id, peer, secure_transport: false, user_agent, now };
            body(account, request, &signer.scope, &context, rng, &request_id)
        });
    match answered {
        Ok(body) => Response {
            status: 200,
            content_type: xml::CONTENT_TYPE,
            error_type: None,
            request_id,
            body,
        },
        Err(refusal) => refuse(service, &refusal, &request_id),
    }
}

/// Answers a request to IAM or STS with a refusal.
pub(crate) fn refuse(service: Service, refusal: &ApiRefusal, request_id: &str) -> Response {
    Response {
        status: refusal.status(),
        content_type: xml::CONTENT_TYPE,
        error_type: None,
        request_id: request_id.to_owned(),
        body: xml::error(service.namespace(), refusal, request_id),
    }
}

/// The service that a request is signed for, by its name in a scope.
pub(crate) fn service(request: &HttpRequest<'_>) -> &'static str {
    Service::of(request).names()[0]
}

/// The `Action` parameter of a request to a Query API, whatever it is.
pub(crate) fn named_action(request: &HttpRequest<'_>) -> Option<String> {
    let named = |form| iam::value_of(form, "Action");
    named(request.query.as_bytes()).or_else(|| named(request.body))
}

/// Temporary credentials whose time is over are told from those that never were.
fn expired(
    account: &Account,
    request: &HttpRequest<'_>,
    refusal: ApiRefusal,
    now: Timestamp,
) -> ApiRefusal {
    let has_expired = |it: Authorization| account.has_expired(&it.access_key_id, now);
    match refusal {
        ApiRefusal::InvalidClientTokenId if Authorization::of(request).is_ok_and(has_expired) => {
            ApiRefusal::ExpiredToken
        }
        refusal => refusal,
    }
}

/// Whether a request is one to SES, which is not answered here.
pub(crate) fn is_for_ses(request: &HttpRequest<'_>) -> bool {
    Service::of(request) == Service::Ses
}

/// Which API is spoken to: the one that the signature was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Iam,
    Sts,
    Ses,
}

fn body(
    account: &mut Account,
    request: &HttpRequest<'_>,
    scope: &Scope,
    request_context: &RequestContext<'_>,
    rng: &mut dyn Rng,
    request_id: &str,
) -> Result<String, ApiRefusal> {
    let &RequestContext { access_key_id, now, .. } = request_context;
    let service = Service::of(request);
    let caller = account.caller(access_key_id, now)?.clone();
    account.record_use(access_key_id, service.names()[0], &scope.region, now);

    let members = members(request)?;
    let action = members.get("Action").ok_or(ApiRefusal::MissingAction)?;
    let version = members.get("Version").unwrap_or("NO_VERSION_SPECIFIED");
    let invalid =
        || ApiRefusal::InvalidAction { action: action.to_owned(), version: version.to_owned() };
    if version != service.version() {
        return Err(invalid());
    }
    let operation = service.operation(action).ok_or_else(invalid)?;
    let mut context = account.request_context(&caller, request_context);
    if let Some(session) = account.temporary_credential(access_key_id, now) {
        may_use(session, service, operation)?;
    }
    let action = operation.parse(&members, &caller).map_err(|refusal| match service {
        Service::Sts => with_value(refusal, &members),
        _ => refusal,
    })?;
    operation.add_context(&mut context, account, &members, &caller);
    let permission = format!("{}:{}", service.names()[0], operation.name);
    for resource in operation.resources(account, &members, &caller) {
        authorize(account, &caller, &permission, &resource, &context)?;
    }
    let answer = account.apply(action, now, rng)?;
    Ok(iam::encode(service.namespace(), operation.name, &answer, request_id))
}

/// The refusal of a parameter with its value, as STS has it.
fn with_value(refusal: ApiRefusal, members: &Members) -> ApiRefusal {
    match refusal {
        ApiRefusal::ValidationError { member, constraint, .. } => {
            let mut name = member.clone();
            if let Some(first) = name.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            let value = members.get(&name).map(str::to_owned);
            ApiRefusal::ValidationError { member, value, constraint }
        }
        refusal => refusal,
    }
}

/// What temporary credentials are good for.
/// Source: STS API Reference, `GetSessionToken`: "You cannot call any IAM API operations unless MFA authentication
/// information is included", "any AWS STS API except `AssumeRole` or `GetCallerIdentity`".
fn may_use(
    session: &TemporaryCredential,
    service: Service,
    operation: &Operation,
) -> Result<(), ApiRefusal> {
    let of_role = matches!(session.principal(), Principal::AssumedRole { .. });
    match (service, operation.name) {
        (Service::Iam, _) if !of_role => Err(ApiRefusal::InvalidClientTokenId),
        (Service::Sts, "AssumeRole" | "GetCallerIdentity") => Ok(()),
        (Service::Sts, name) if !of_role || name == "GetSessionToken" => {
            Err(ApiRefusal::SessionCredentials(name.to_owned()))
        }
        _ => Ok(()),
    }
}

/// The parameters: of a GET in its query string, of a POST in its body.
pub(crate) fn members(request: &HttpRequest<'_>) -> Result<Members, ApiRefusal> {
    match request.method {
        // the signature is over a plus sign, which a form would take for a blank
        "GET" => Members::parse(request.query.replace('+', "%2B").as_bytes()),
        "POST" if is_form(request.header("content-type")) => Members::parse(request.body),
        _ => Err(ApiRefusal::MissingAction),
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
) -> Result<(), ApiRefusal> {
    let request = Request { action: permission, resource, context };
    permit(account, caller, &request, account.decide(caller, &request))
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

impl Service {
    /// What cannot be read is refused by IAM, unless it came by a path of SES.
    pub(crate) fn of(request: &HttpRequest<'_>) -> Self {
        if request.path.starts_with("/v2/") {
            return Self::Ses;
        }
        let service = Authorization::of(request).map(|authorization| authorization.scope.service);
        let named =
            |this: &Self| service.as_ref().is_ok_and(|name| this.names().contains(&&**name));
        [Self::Sts, Self::Ses].into_iter().find(named).unwrap_or(Self::Iam)
    }

    /// AWS takes one region for IAM. A client that is given an endpoint signs for the region that it is configured
    /// for, so every region of the partition is good here.
    fn accept(self, scope: &Scope, partition: Partition) -> Result<(), Mismatch> {
        if !self.names().contains(&&*scope.service) {
            return Err(Mismatch::Service);
        }
        let known = Region::parse_unknown(&scope.region)
            .is_ok_and(|region| region.as_str() == scope.region && region.partition() == partition);
        if known { Ok(()) } else { Err(Mismatch::Region) }
    }

    /// As signatures name it, first the name that it has today.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Iam => &["iam"],
            Self::Sts => &["sts"],
            Self::Ses => &["ses", "email"],
        }
    }

    pub(crate) fn operation(self, name: &str) -> Option<&'static Operation> {
        let operations = match self {
            Self::Iam => iam::OPERATIONS,
            Self::Sts => &[sts::OPERATIONS],
            Self::Ses => &[],
        };
        operations.iter().copied().flatten().find(|operation| operation.name == name)
    }

    pub(crate) fn namespace(self) -> &'static str {
        match self {
            Self::Iam => iam::NAMESPACE,
            Self::Sts => sts::NAMESPACE,
            Self::Ses => "http://ses.amazonaws.com/doc/2010-12-01/",
        }
    }

    pub(crate) fn version(self) -> &'static str {
        match self {
            Self::Iam => iam::VERSION,
            Self::Sts => sts::VERSION,
            Self::Ses => "2010-12-01",
        }
    }
}

/// A random UUID (RFC 9562, version 4).
pub(crate) fn uuid(rng: &mut dyn Rng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]].map(hex).join("-")
}
