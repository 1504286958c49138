//! The SES sending API, in both versions: `v1` is the Query API of 2010-12-01, `v2` the REST API of 2019-09-27.
//!
//! Identities are verified as soon as they are created. Sources: SES API Reference and SES API v2 Reference; names,
//! shapes and errors from botocore 1.44.5, `ses/2010-12-01` and `sesv2/2019-09-27`.

use rand::Rng;
use seskey::{
    AccessKeyId, Region,
    policy::{Context, Request},
};

use self::refusal::SesRefusal;

use crate::{
    account::{Account, Identity, Principal, RequestContext, SesResource, SesResourceKind},
    api::{Notice, Publication, Received, Response, call::authenticated, permit, uuid},
    mailbox::{Attempt, Message, Origin, Step, Way},
    sending::{Accepted, Envelope, Interface, Sent, Settings},
    sigv4::{Authorization, HttpRequest},
};

mod compose;
mod events;
mod refusal;
mod submit;
mod v1;
mod v2;

/// Returns the operation that a request to SES asks for, if it is served.
pub(crate) fn action(request: &HttpRequest<'_>) -> Option<&'static str> {
    if v2::serves(request.path) { v2::action(request) } else { v1::action(request) }
}

pub(super) fn is_served(name: &str) -> bool {
    v1::is_served(name) || v2::is_served(name)
}

/// The result of a request to send or to publish.
#[derive(Debug)]
pub enum Mail {
    /// An accepted message.
    Accepted(Box<Accepted>),
    /// A refused message.
    Refused(Box<Attempt>),
    /// A notice to SNS subscribers.
    Notice(Box<Notice>),
}

/// Answers a request, and returns the mail that it sent, or was not allowed to send. The body is dropped when it is
/// read.
pub(super) fn answer(
    account: &mut Account,
    sent: &mut Sent,
    settings: &Settings,
    received: Received<'_>,
    body: Vec<u8>,
    rng: &mut dyn Rng,
) -> (Response, Option<Mail>) {
    let request_id = uuid(rng);
    let Received { request: head, signer, peer, secure_transport, now } = received;
    let interface = if v2::serves(head.path) { Interface::V2 } else { Interface::V1 };
    let operation = action(&HttpRequest { body: &body, ..*head });
    let operation = operation.filter(|name| name.starts_with("Send"));
    let is_signed = signer.is_ok();
    let (mut accepted, mut refused, mut validated) = (None, None, None);
    let answered = signer.map_err(SesRefusal::Common).and_then(|signer| {
        let (caller, region) = authenticated(account, &signer, now)?;
        account.record_use(&signer.access_key_id, "ses", region.as_str(), now);
        let user_agent = head.header("user-agent");
        let access_key_id = signer.access_key_id.as_str();
        let circumstances =
            RequestContext { access_key_id, peer, secure_transport, user_agent, now };
        let mut call = Call {
            account,
            sent,
            settings,
            caller,
            circumstances,
            interface,
            region,
            rng,
            accepted: &mut accepted,
            refused: &mut refused,
            validated: &mut validated,
        };
        match interface {
            Interface::V2 => v2::answer(&mut call, head, body),
            _ => v1::answer(&mut call, head, body, &request_id),
        }
    });
    let mail = operation.and_then(|operation| {
        // without a valid signature the key is only claimed
        let claimed = Authorization::of(head).ok();
        let access_key_id = claimed.as_ref().map(|it| it.access_key_id.clone());
        let access_key_id = access_key_id.filter(|id| AccessKeyId::parse(id).is_ok());
        let user = access_key_id.as_ref().filter(|_| is_signed);
        let user = user.and_then(|id| account.caller(id, now).ok());
        let user = user.map(|caller| account.principal_arn(caller));
        let Err(refusal) = &answered else {
            let (user, way) = (user.unwrap_or_default(), Way::Api(operation));
            let access_key_id = access_key_id.unwrap_or_default();
            let origin = Some(Box::new(Origin { peer, user, access_key_id, way }));
            return accepted.map(|accepted| {
                let message = accepted.message.map(|message| Message { origin, ..message });
                Mail::Accepted(Box::new(Accepted { message, ..accepted }))
            });
        };
        let (code, _) = if interface == Interface::V2 { refusal.v2() } else { refusal.v1() };
        let decision = match refusal {
            SesRefusal::Sending(refusal) => refusal.verdict(),
            _ => None,
        };
        let (envelope, subject) = refused.unzip();
        let region =
            claimed.map(|it| it.scope.region).filter(|it| Region::parse_unknown(it).is_ok());
        let reply = format!("{code}: {refusal}");
        Some(Mail::Refused(Box::new(Attempt {
            operation: Some(operation),
            user,
            access_key_id,
            source: envelope.as_ref().map(|it: &Envelope| it.sender.clone()),
            recipients: envelope.map(|it| it.recipients).unwrap_or_default(),
            subject: subject.flatten(),
            decision,
            ..Attempt::new(now, region.unwrap_or_default(), peer, Step::Api, reply)
        })))
    });
    // Source: recorded
    let validated = validated.filter(|_| answered.is_ok()).map(|topic_arn| {
        let message =
            "Successfully validated SNS topic for Amazon SES event publishing.".to_owned();
        let message_id = uuid(rng);
        let publication = Publication { topic_arn, message_id, subject: None, message };
        Mail::Notice(Box::new(Notice::Notification(publication)))
    });
    let mail = mail.or(validated);
    let response = match interface {
        Interface::V2 => v2::response(answered, request_id),
        _ => v1::response(answered, request_id),
    };
    (response, mail)
}

pub(crate) fn refuse(
    request: &HttpRequest<'_>,
    refusal: SesRefusal,
    request_id: String,
) -> Response {
    match v2::serves(request.path) {
        true => v2::response(Err(refusal), request_id),
        false => v1::response(Err(refusal), request_id),
    }
}

/// A call: the state that it may change, its caller, and its circumstances.
struct Call<'a> {
    account: &'a mut Account,
    sent: &'a mut Sent,
    settings: &'a Settings,
    caller: Principal,
    circumstances: RequestContext<'a>,
    interface: Interface,
    region: Region,
    rng: &'a mut dyn Rng,
    accepted: &'a mut Option<Accepted>,
    /// The envelope and the subject of a refused message.
    refused: &'a mut Option<(Envelope, Option<String>)>,
    /// The topic of a new event destination, to which a notice of it is published.
    validated: &'a mut Option<String>,
}

impl Call<'_> {
    /// Checks that the caller may do an operation without a resource.
    fn authorize(&self, operation: &str) -> Result<(), SesRefusal> {
        let action = format!("ses:{operation}");
        let context = self.context();
        let request = Request { action: &action, resource: "*", context: &context };
        let decision = self.account.decide(&self.caller, &request);
        Ok(permit(self.account, &self.caller, &request, decision)?)
    }

    /// Checks that the caller may do an operation on an identity.
    fn authorize_on(&self, operation: &str, identity: &Identity) -> Result<(), SesRefusal> {
        let action = format!("ses:{operation}");
        let resource = self.account.identity_arn(&self.region, identity);
        let context = self.context();
        let request = Request { action: &action, resource: &resource, context: &context };
        let (caller, region) = (&self.caller, &self.region);
        let decision = self.account.decide_on_identity(caller, region, identity, &request);
        Ok(permit(self.account, &self.caller, &request, decision)?)
    }

    fn context(&self) -> Context {
        self.account
            .request_context(&self.caller, &self.circumstances)
            .with("ses:ApiVersion", [self.interface.api_version()])
    }

    /// Returns `Max24HourSend`, `MaxSendRate` and `SentLast24Hours`.
    fn send_quota(&mut self) -> [f64; 3] {
        let quota = self.settings.quota;
        let sent = self.sent.last_24_hours(&self.region, self.circumstances.now);
        [
            quota.max_24_hour_send.map_or(UNLIMITED, |max| max as f64),
            quota.max_send_rate.map_or(UNLIMITED_RATE, |max| max as f64),
            sent as f64,
        ]
    }

    /// Reads an identity given by its name, or by its ARN in this account and region.
    fn identity(&self, given: &str) -> Result<Identity, SesRefusal> {
        let arn = self.account.ses_arn(&self.region, "identity", "");
        let identity = Identity::parse(given.strip_prefix(&arn).unwrap_or(given));
        identity.ok_or_else(|| SesRefusal::InvalidParameter(format!("Invalid identity: {given}.")))
    }

    /// Returns the configuration set, template or suppressed address of that name.
    fn resource(&self, kind: SesResourceKind, name: &str) -> Result<&SesResource, SesRefusal> {
        let found = self.account.ses_resource(&self.region, kind, name);
        found.ok_or_else(|| SesRefusal::NoSuchResource(kind, name.to_owned()))
    }

    /// Creates a resource that does not exist yet.
    fn create(
        &mut self,
        kind: SesResourceKind,
        name: &str,
        resource: SesResource,
    ) -> Result<(), SesRefusal> {
        if self.account.ses_resource(&self.region, kind, name).is_some() {
            return Err(SesRefusal::ResourceAlreadyExists(kind, name.to_owned()));
        }
        Ok(self.account.put_ses_resource(&self.region, name, resource)?)
    }

    fn policies(&self, identity: &Identity) -> Option<Vec<(String, String)>> {
        let policies = self.account.identity_policies(&self.region, identity)?;
        Some(policies.map(|(name, policy)| (name.to_owned(), policy.to_owned())).collect())
    }

    fn create_identity(&mut self, identity: &Identity) -> Result<bool, SesRefusal> {
        Ok(self.account.create_identity(&self.region, identity)?)
    }
}

/// The value of an unlimited 24-hour quota (SES API v2 Reference, `SendQuota`).
const UNLIMITED: f64 = -1.0;
/// The value of an unlimited rate, our own: a client divides by it.
const UNLIMITED_RATE: f64 = 1_000_000.0;

/// Checks the name of a configuration set or a template. Source: SES API Reference, `ConfigurationSet`.
fn resource_name(name: &str) -> Result<&str, SesRefusal> {
    let is_name = (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    match is_name {
        true => Ok(name),
        false => Err(SesRefusal::InvalidParameter(format!("Invalid name <{name}>."))),
    }
}
