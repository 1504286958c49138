//! To which API a request goes.

use crate::{
    api::{self, Response, Service},
    refusal::ApiRefusal,
    ses,
    sigv4::HttpRequest,
};

/// The operation that a request asks for; `None` for one that is not served, whose name may be anything.
pub(crate) fn action(request: &HttpRequest<'_>) -> Option<&'static str> {
    if ses::serves(request) {
        return ses::action(request);
    }
    let action = api::named_action(request)?;
    Service::of(request).operation(&action).map(|operation| operation.name)
}

/// Answers a request with a refusal.
pub(crate) fn refuse(request: &HttpRequest<'_>, refusal: ApiRefusal, request_id: &str) -> Response {
    match Service::of(request) {
        Service::Ses => ses::refuse(request, refusal.into(), request_id.to_owned()),
        service => api::refuse(service, &refusal, request_id),
    }
}
