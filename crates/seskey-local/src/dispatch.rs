//! To which API a request goes.

use crate::{
    api::{self, Response, Service},
    refusal::Refusal,
    ses,
    sigv4::Signed,
};

/// The operation that a request asks for; `None` for one that is not served, whose name may be anything.
pub(crate) fn action(request: &Signed<'_>) -> Option<&'static str> {
    if ses::serves(request) {
        return ses::action(request);
    }
    let action = api::named_action(request)?;
    Service::of(request).operation(&action).map(|operation| operation.name)
}

/// Answers a request with a refusal.
pub(crate) fn refuse(request: &Signed<'_>, refusal: Refusal, request_id: &str) -> Response {
    match Service::of(request) {
        Service::Ses => ses::refuse(request, refusal.into(), request_id.to_owned()),
        service => api::refuse(service, &refusal, request_id),
    }
}
