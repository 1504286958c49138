//! The operations of IAM and STS on the account: parse the form into an [`Action`], authorize it, apply it, and write
//! the [`Answer`] as XML.

use jiff::Timestamp;
use rand::Rng;
use seskey::policy::{Context, Request};

pub(super) use resource::Resource;

use super::{
    Received, Response, Service, permit,
    query::{self, Members, Query, Xml},
    uuid,
};
use crate::{
    account::{Account, Action, Answer, Principal, RequestContext, TemporaryCredential},
    refusal::ApiRefusal,
    sigv4::{Authorization, HttpRequest, Scope},
};

mod details;
mod elements;
mod encode;
mod resource;

/// An API of operations on the account.
pub struct AccountApi {
    pub(super) service: Service,
    /// The protocol of the API.
    pub query: Query,
    /// All its operations, by subject.
    pub operations: &'static [&'static [Operation]],
}

/// One operation of an API.
pub struct Operation {
    /// The name, such as `CreateUser`.
    pub name: &'static str,
    /// Its parameters as the API model names them, separated by blanks: `N` stands for the number of a list item, `*`
    /// after a name marks a required parameter. Parameters of AWS that are not served here are left out.
    pub members: &'static str,
    resource: Resource,
    parse: Parse,
}

type Parse = fn(&Members, &Principal) -> Result<Action, ApiRefusal>;

impl Operation {
    /// Returns the action that the parameters ask for.
    ///
    /// # Errors
    /// `ValidationError` where a parameter is missing, malformed or not known.
    pub fn parse(&self, members: &Members, caller: &Principal) -> Result<Action, ApiRefusal> {
        members.only(self.name, self.members)?;
        (self.parse)(members, caller)
    }

    /// Returns the ARNs that its permission is checked against, each by itself; none if it cannot be denied.
    pub fn resources(
        &self,
        account: &Account,
        members: &Members,
        caller: &Principal,
    ) -> Vec<String> {
        self.resource.arns(account, members, caller)
    }

    /// Adds the condition keys that the parameters and the resource give.
    pub fn add_context(
        &self,
        context: &mut Context,
        account: &Account,
        members: &Members,
        caller: &Principal,
    ) {
        self.resource.add_context(context, account, members, caller);
    }
}

pub(super) const fn op(
    name: &'static str,
    members: &'static str,
    resource: Resource,
    parse: Parse,
) -> Operation {
    Operation { name, members, resource, parse }
}

impl AccountApi {
    /// Returns the operation of that name.
    pub fn operation(&self, name: &str) -> Option<&'static Operation> {
        self.operations.iter().copied().flatten().find(|operation| operation.name == name)
    }

    /// Answers a request. It never fails: a refusal is an answer too.
    pub(super) fn answer(
        &self,
        account: &mut Account,
        received: Received<'_>,
        rng: &mut dyn Rng,
    ) -> Response {
        let request_id = uuid(rng);
        let Received { request, signer, peer, secure_transport, now } = received;
        let answered =
            signer.map_err(|refusal| expired(account, request, refusal, now)).and_then(|signer| {
                let access_key_id = signer.access_key_id.as_str();
                let user_agent = request.header("user-agent");
                let context =
                    RequestContext { access_key_id, peer, secure_transport, user_agent, now };
                self.document(account, request, &signer.scope, &context, rng, &request_id)
            });
        match answered {
            Ok(document) => query::response(200, request_id, document),
            Err(refusal) => self.refuse(&refusal, request_id),
        }
    }

    pub(super) fn refuse(&self, refusal: &ApiRefusal, request_id: String) -> Response {
        let document = self.error(refusal, &request_id);
        query::response(refusal.status(), request_id, document)
    }

    /// Returns the document of a refusal.
    pub fn error(&self, refusal: &ApiRefusal, request_id: &str) -> String {
        let (status, code) = (refusal.status(), refusal.code());
        self.query.error(status, code, &refusal.to_string(), request_id)
    }

    /// Returns the document of an answer.
    pub fn encode(&self, operation: &Operation, answer: &Answer, request_id: &str) -> String {
        let has_result = !matches!(answer, Answer::Done);
        let result = |xml: &mut Xml| encode::result(xml, answer);
        self.query.answer(operation.name, has_result, result, request_id)
    }

    fn document(
        &self,
        account: &mut Account,
        request: &HttpRequest<'_>,
        scope: &Scope,
        request_context: &RequestContext<'_>,
        rng: &mut dyn Rng,
        request_id: &str,
    ) -> Result<String, ApiRefusal> {
        let &RequestContext { access_key_id, now, .. } = request_context;
        let caller = account.caller(access_key_id, now)?.clone();
        account.record_use(access_key_id, self.service.name(), &scope.region, now);

        let members = query::members(request)?;
        let operation = self.query.operation(&members, |name| self.operation(name))?;
        let mut context = account.request_context(&caller, request_context);
        if let Some(session) = account.temporary_credential(access_key_id, now) {
            may_use(session, self.service, operation)?;
        }
        let action = operation.parse(&members, &caller).map_err(|refusal| match self.service {
            Service::Sts => with_value(refusal, &members),
            _ => refusal,
        })?;
        operation.add_context(&mut context, account, &members, &caller);
        let permission = format!("{}:{}", self.service.name(), operation.name);
        for resource in operation.resources(account, &members, &caller) {
            authorize(account, &caller, &permission, &resource, &context)?;
        }
        let answer = account.apply(action, now, rng)?;
        Ok(self.encode(operation, &answer, request_id))
    }
}

/// Distinguishes expired temporary credentials from unknown ones.
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

/// Adds the value of the parameter to a refusal, as STS does.
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

/// Checks that temporary credentials may be used for an operation.
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
