//! The APIs: one request, from its bytes to its answer.

use jiff::Timestamp;
use rand::Rng;
use seskey::Partition;

pub use call::{Received, Response};
pub(crate) use call::{Service, permit, uuid};
pub use ses::Mail;
pub use sns::{Confirmation, Notice, Publication};

use crate::{
    account::Account,
    refusal::ApiRefusal,
    sending::{Sent, Settings},
    sigv4::{self, HttpRequest, Scope, Signer, SigningKey},
};

mod call;
pub mod iam;
pub mod operation;
pub mod query;
mod ses;
mod sns;
pub mod sts;

/// Returns the signer of a request, checked by either clock. `key_of` finds the signing key; it is called once.
///
/// # Errors
/// The refusals of [`sigv4::verify`].
pub fn authenticate(
    request: &HttpRequest<'_>,
    partition: Partition,
    key_of: impl Fn(&str) -> Option<SigningKey>,
    clocks: [Timestamp; 2],
) -> Result<Signer, ApiRefusal> {
    let accept = |scope: &Scope| Service::of(request).accept(scope, partition);
    sigv4::verify(request, accept, key_of, clocks)
}

/// Answers a request, and returns the mail that it sent, or was not allowed to send. The body is given separately: it
/// may hold a large message, and is dropped when that is taken from it. It never fails: a refusal is an answer too.
pub fn answer(
    account: &mut Account,
    sent: &mut Sent,
    settings: &Settings,
    received: Received<'_>,
    body: Vec<u8>,
    rng: &mut dyn Rng,
) -> (Response, Option<Mail>) {
    let head = received.request;
    let api = match Service::of(head) {
        Service::Ses => return ses::answer(account, sent, settings, received, body, rng),
        Service::Sns => {
            let request = &HttpRequest { body: &body, ..*head };
            let (response, notice) = sns::answer(account, Received { request, ..received }, rng);
            return (response, notice.map(|notice| Mail::Notice(Box::new(notice))));
        }
        Service::Sts => &sts::API,
        Service::Iam => &iam::API,
    };
    let request = &HttpRequest { body: &body, ..*head };
    (api.answer(account, Received { request, ..received }, rng), None)
}

/// Returns the operation that a request asks for; `None` if it is not served, as its name may be anything.
pub(crate) fn action(request: &HttpRequest<'_>) -> Option<&'static str> {
    let named = |api: &operation::AccountApi| {
        let operation = api.operation(&query::named_action(request)?);
        operation.map(|operation| operation.name)
    };
    match Service::of(request) {
        Service::Ses => ses::action(request),
        Service::Sns => sns::action(request),
        Service::Sts => named(&sts::API),
        Service::Iam => named(&iam::API),
    }
}

pub(crate) fn is_served(name: &str) -> bool {
    [&iam::API, &sts::API].iter().any(|api| api.operation(name).is_some())
        || ses::is_served(name)
        || sns::is_served(name)
}

pub(crate) fn refuse(
    request: &HttpRequest<'_>,
    refusal: ApiRefusal,
    request_id: String,
) -> Response {
    match Service::of(request) {
        Service::Ses => ses::refuse(request, refusal.into(), request_id),
        Service::Sns => sns::refuse(refusal, request_id),
        Service::Sts => sts::API.refuse(&refusal, request_id),
        Service::Iam => iam::API.refuse(&refusal, request_id),
    }
}
