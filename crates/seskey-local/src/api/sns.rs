//! The part of the SNS API, version 2010-03-31, that delivers SES events to HTTP and HTTPS endpoints: topics, their
//! subscriptions, and publishing.
//!
//! Sources: SNS API Reference; names, shapes and errors from botocore 1.44.5, `sns/2010-03-31`.

use jiff::Timestamp;
use rand::Rng;
use seskey::{
    Region,
    policy::{Context, Request},
};

use self::refusal::SnsRefusal;
use crate::{
    account::{Account, Page, Principal, RequestContext, Subscription},
    api::{
        Received, Response, Service,
        call::authenticated,
        permit,
        query::{self, Members, Query, Xml},
        uuid,
    },
    refusal::ApiRefusal,
    sigv4::{HttpRequest, Signer},
};

mod refusal;
mod subscriptions;
mod topics;

const QUERY: Query =
    Query { namespace: "http://sns.amazonaws.com/doc/2010-03-31/", version: "2010-03-31" };

/// A notice to subscribers.
#[derive(Debug)]
pub enum Notice {
    /// A notice to an endpoint that is to confirm its subscription.
    SubscriptionConfirmation(Confirmation),
    /// A notice to an endpoint that has ended its subscription, and may undo that.
    UnsubscribeConfirmation(Confirmation),
    /// A notice to all subscribers of a topic.
    Notification(Publication),
}

/// The confirmation of a subscription that its endpoint is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// The ARN of the topic.
    pub topic_arn: String,
    /// The ARN of the subscription.
    pub subscription_arn: String,
    /// The subscription, with its endpoint and the token that confirms it.
    pub subscription: Subscription,
    /// The ID of the message, a UUID.
    pub message_id: String,
}

/// A message that is published to a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The ARN of the topic.
    pub topic_arn: String,
    /// The ID of the message, a UUID.
    pub message_id: String,
    /// The subject, a single line, if there is one.
    pub subject: Option<String>,
    /// The text of the message.
    pub message: String,
}

impl Publication {
    /// The longest message: "at most 256 KB in size (262,144 bytes, not 262,144 characters)" (SNS API Reference,
    /// `Publish`).
    pub const MAX_MESSAGE: usize = 262_144;
}

/// Returns the name of the requested operation.
pub(super) fn action(request: &HttpRequest<'_>) -> Option<&'static str> {
    operation(&query::named_action(request)?).map(|operation| operation.name)
}

pub(super) fn is_served(name: &str) -> bool {
    operation(name).is_some()
}

/// Whether a request needs no signature: it may come from a click on a URL in a message.
pub(super) fn is_for_all(request: &HttpRequest<'_>) -> bool {
    query::named_action(request).is_some_and(|name| FOR_ALL.contains(&name.as_str()))
}

/// Answers a request, and returns the notice to send to subscribers.
pub(super) fn answer(
    account: &mut Account,
    received: Received<'_>,
    rng: &mut dyn Rng,
) -> (Response, Option<Notice>) {
    let request_id = uuid(rng);
    let mut notice = None;
    match document(account, received, rng, &mut notice, &request_id) {
        Ok(document) => (query::response(200, request_id, document), notice),
        Err(refusal) => (refused(&refusal, request_id), None),
    }
}

pub(super) fn refuse(refusal: ApiRefusal, request_id: String) -> Response {
    refused(&refusal.into(), request_id)
}

fn refused(refusal: &SnsRefusal, request_id: String) -> Response {
    let (code, status) = refusal.code_and_status();
    let document = QUERY.error(status, code, &refusal.to_string(), &request_id);
    query::response(status, request_id, document)
}

fn document(
    account: &mut Account,
    received: Received<'_>,
    rng: &mut dyn Rng,
    notice: &mut Option<Notice>,
    request_id: &str,
) -> Result<String, SnsRefusal> {
    let Received { request, now, .. } = received;
    let caller = match &received.signer {
        Ok(signer) => Some(Caller::new(account, &received, signer)?),
        Err(ApiRefusal::MissingAuthenticationToken) if is_for_all(request) => None,
        Err(refusal) => return Err(refusal.clone().into()),
    };
    let members = &mut query::members(request)?;
    // a URL in a message has no version
    let operation = match (&caller, members.get("Action").and_then(operation)) {
        (None, Some(operation)) if members.get("Version").is_none() => operation,
        _ => QUERY.operation(members, operation)?,
    };
    members.only(operation.name, operation.members)?;
    let mut call = Call { account, caller, now, rng, notice };
    let resource = (operation.resource)(&call, members)?;
    call.authorize(operation.name, &resource)?;
    let mut done = Ok(());
    let result = |xml: &mut Xml| done = (operation.proceed)(&mut call, members, xml);
    let document = QUERY.answer(operation.name, operation.has_result, result, request_id);
    done.map(|()| document)
}

/// One operation. Its permission is `sns:` and its name.
struct Operation {
    name: &'static str,
    /// The parameters, as in the tables of IAM.
    members: &'static str,
    has_result: bool,
    /// The ARN that the permission is checked against.
    resource: fn(&Call<'_>, &Members) -> Result<String, SnsRefusal>,
    proceed: Proceed,
}

type Proceed = fn(&mut Call<'_>, &mut Members, &mut Xml) -> Result<(), SnsRefusal>;

fn operation(name: &str) -> Option<&'static Operation> {
    let mut operations = topics::OPERATIONS.iter().chain(subscriptions::OPERATIONS);
    operations.find(|operation| operation.name == name)
}

/// The operations of URLs in messages. Source: SNS Developer Guide, "Parsing Amazon SNS message formats".
const FOR_ALL: [&str; 2] = ["ConfirmSubscription", "Unsubscribe"];

/// A call: the state that it may change, and its caller.
struct Call<'a> {
    account: &'a mut Account,
    /// The caller; absent if the request is not signed.
    caller: Option<Caller>,
    now: Timestamp,
    rng: &'a mut dyn Rng,
    notice: &'a mut Option<Notice>,
}

/// The caller, its region, and its condition keys.
struct Caller {
    principal: Principal,
    region: Region,
    context: Context,
}

impl Caller {
    fn new(
        account: &mut Account,
        received: &Received<'_>,
        signer: &Signer,
    ) -> Result<Self, SnsRefusal> {
        let Received { request, peer, secure_transport, now, .. } = *received;
        let access_key_id = signer.access_key_id.as_str();
        let (principal, region) = authenticated(account, signer, now)?;
        account.record_use(access_key_id, Service::Sns.name(), region.as_str(), now);
        let user_agent = request.header("user-agent");
        let context = RequestContext { access_key_id, peer, secure_transport, user_agent, now };
        let context = account.request_context(&principal, &context);
        Ok(Self { principal, region, context })
    }
}

impl Call<'_> {
    fn authorize(&self, operation: &str, resource: &str) -> Result<(), SnsRefusal> {
        let Some(Caller { principal, context, .. }) = &self.caller else { return Ok(()) };
        // refusals of SNS have this prefix, and actions are compared without case
        let action = format!("SNS:{operation}");
        let request = Request { action: &action, resource, context };
        let decision = self.account.decide(principal, &request);
        Ok(permit(self.account, principal, &request, decision)?)
    }

    /// Returns the caller, if the request is signed.
    fn caller(&self) -> Result<&Caller, SnsRefusal> {
        self.caller.as_ref().ok_or(SnsRefusal::Common(ApiRefusal::MissingAuthenticationToken))
    }
}

/// Reads the ARN of any resource.
fn arn<'a>(name: &str, m: &'a Members) -> Result<&'a str, SnsRefusal> {
    let arn = m.required_str(name)?;
    match arn.split(':').count() {
        few @ 0..6 => Err(SnsRefusal::TooFewElements(name.to_owned(), few)),
        _ => Ok(arn),
    }
}

/// Reads the attributes of a new topic or subscription, by name.
fn attributes(m: &Members) -> Result<Vec<(&str, &str)>, SnsRefusal> {
    let mut attributes = vec![];
    for n in 1.. {
        let Some(name) = m.get(&format!("Attributes.entry.{n}.key")) else { break };
        attributes.push((name, m.required_str(&format!("Attributes.entry.{n}.value"))?));
    }
    Ok(attributes)
}

fn write_attributes(xml: &mut Xml, attributes: &[(&str, &str)]) {
    xml.element("Attributes", |xml| {
        for (name, value) in attributes {
            xml.element("entry", |xml| {
                xml.text("key", name);
                xml.text("value", value);
            });
        }
    });
}

/// Writes a list in pages of 100. Source: SNS API Reference, `ListTopics`, `ListSubscriptions`.
fn paged<T>(
    m: &Members,
    xml: &mut Xml,
    list: &str,
    items: impl Iterator<Item = (String, T)>,
    member: impl Fn(&mut Xml, &T),
) -> Result<(), SnsRefusal> {
    let page = Page { marker: m.get("NextToken").map(str::to_owned), max_items: 100 };
    let listed = page.of(items)?;
    xml.list(list, &listed.items, member);
    if let Some(marker) = listed.marker {
        xml.text("NextToken", &marker);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_stands_once_and_in_order() {
        for operations in [topics::OPERATIONS, subscriptions::OPERATIONS] {
            assert!(operations.is_sorted_by(|a, b| a.name < b.name));
        }
        assert!(FOR_ALL.iter().all(|name| is_served(name)));
    }
}
