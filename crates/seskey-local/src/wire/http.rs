//! The HTTP side: the Query APIs at `/`, version 2 of the SES API below `/v2`, the mailbox at `/_aws/ses`, and seskey's
//! own paths below `/_seskey`.

use std::{
    borrow::Cow,
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, Extension, Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode, Uri,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tracing::{info, warn};

pub use connection::{Serving, Transport, serve};
pub use events::events;
pub use limits::Limits;

pub use crate::tls::of_pem as tls;

use crate::{
    api,
    service::{CERTIFICATES, LocalSes, Pending, faults::ApiFault},
    sigv4::HttpRequest,
};

mod attempts;
mod connection;
mod control;
mod events;
mod hosts;
mod limits;
mod listing;
mod mailpit;
mod messages;
mod parameters;
mod sending_events;
mod stream;
mod wait;
mod write_timeout;

/// Pages that are mounted beside the local SES, once they are set.
pub(crate) type Pages = Arc<OnceLock<Router>>;

/// Builds the routes. A path that the local SES does not serve itself goes to the pages.
pub(crate) fn router(ses: Arc<LocalSes>, pages: Pages) -> Router {
    let browser_first = from_fn_with_state(pages.clone(), browser_first);
    Router::new()
        .route("/", get(call_api).layer(browser_first).post(call_api))
        .route("/v2/{*path}", any(call_api))
        .route("/_aws/ses", get(messages::list).delete(messages::delete))
        .route("/_seskey/health", get(control::health))
        .route("/_seskey/ca.pem", get(control::authority))
        .route("/_seskey/clock", get(control::clock).post(control::move_clock))
        .route(
            "/_seskey/faults",
            get(control::faults).post(control::set_faults).delete(control::no_faults),
        )
        .route("/_seskey/attempts", get(attempts::list).delete(attempts::delete))
        .route("/_seskey/attempts/{id}/dialogue", get(attempts::dialogue))
        .route("/_seskey/messages/stream", get(stream::stream))
        .route("/_seskey/messages/{id}/dialogue", get(attempts::dialogue_of_message))
        .route("/_seskey/messages/wait", get(wait::wait))
        .route("/_seskey/messages/{id}/links", get(wait::links))
        .route("/_seskey/messages/{id}/codes", get(wait::codes))
        .route("/_seskey/messages/{id}/events", get(sending_events::of_message))
        .route("/_seskey/events", get(sending_events::wait).delete(sending_events::delete))
        .route("/_seskey/metrics", get(control::metrics))
        .route(&format!("{CERTIFICATES}{{name}}"), get(control::certificate))
        .merge(mailpit::router())
        .fallback(async move |request| match pages.get() {
            Some(pages) => show(pages, request).await,
            None => {
                Refused(StatusCode::NOT_FOUND, "nothing is served at this path").into_response()
            }
        })
        .method_not_allowed_fallback(async || {
            Refused(StatusCode::METHOD_NOT_ALLOWED, "this path does not take this method")
        })
        .with_state(ses)
}

async fn show(pages: &Router, request: Request) -> Response {
    match TowerToHyperService::new(pages.clone()).call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Shows the first page at the root if a request has no `Action` and no signature, and so does not come from an AWS
/// client. The root is also the path of the Query APIs.
async fn browser_first(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    match pages.get() {
        Some(pages) if is_for_a_page(&request) => show(pages, request).await,
        _ => next.run(request).await,
    }
}

fn is_for_a_page(request: &Request) -> bool {
    let query = request.uri().query().unwrap_or_default();
    let mut names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
    !request.headers().contains_key(AUTHORIZATION)
        && !names.any(|name| name == "Action" || name.starts_with("X-Amz-"))
}

async fn call_api(
    State(ses): State<Arc<LocalSes>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(SecureTransport(is_tls)): Extension<SecureTransport>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let is_long = is_long(&uri, &body);
    let of_thread = ses.clone();
    let work = move || answer(&of_thread, peer.ip(), is_tls, &method, &uri, &headers, body.into());
    // a simulation may take long to work out, and a message to hash; other connections go on meanwhile
    let answered = match is_long {
        true => tokio::task::spawn_blocking(work).await,
        false => Ok(work()),
    };
    match answered {
        Ok(Ok(pending)) => {
            let action = pending.action;
            match ses.settle(pending).await {
                Ok(answer) => {
                    let (status, request_id) = (answer.status, &answer.request_id);
                    info!(%peer, action, status, request_id, "request");
                    answer.into_response()
                }
                Err(fault) => suffer(fault, peer).await,
            }
        }
        Ok(Err(fault)) => suffer(fault, peer).await,
        Err(panic) => {
            warn!(%peer, %panic, "a request broke off");
            Refused(StatusCode::INTERNAL_SERVER_ERROR, "this is a fault of the local SES")
                .into_response()
        }
    }
}

/// Whether the answer to a request may take more than a moment. Most answers take less than handing them to another
/// thread.
fn is_long(uri: &Uri, body: &[u8]) -> bool {
    const SIMULATE: &[u8] = b"Action=Simulate";
    let simulates = |form: &[u8]| form.windows(SIMULATE.len()).any(|part| part == SIMULATE);
    body.len() > 16 * 1024 || simulates(body) || simulates(uri.query().unwrap_or("").as_bytes())
}

fn answer(
    ses: &LocalSes,
    peer: IpAddr,
    is_tls: bool,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Vec<u8>,
) -> Result<Pending, ApiFault> {
    // a value that is not text stays in the request, and its signature will not match
    let headers: Vec<(&str, Cow<'_, str>)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
        .collect();
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (*name, &**value)).collect();
    let request = HttpRequest {
        method: method.as_str(),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        headers: &headers,
        body: &[],
    };
    ses.answer(&request, body, peer, is_tls)
}

/// Applies a fault on purpose: the client gets no answer.
async fn suffer(fault: ApiFault, peer: SocketAddr) -> Response {
    info!(%peer, ?fault, "a fault on purpose");
    match fault {
        ApiFault::Hang(_) => std::future::pending().await,
        ApiFault::Cut(_) | ApiFault::Refuse(_) => {
            let mut response = Response::default();
            response.extensions_mut().insert(Cut);
            response
        }
    }
}

/// Whether a request came by TLS.
#[derive(Debug, Clone, Copy)]
struct SecureTransport(bool);

/// A mark in place of an answer: the connection is closed.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("cut on purpose")]
struct Cut;

impl IntoResponse for api::Response {
    fn into_response(self) -> Response {
        let Self { status, content_type, error_type, request_id, body } = self;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = [("content-type", content_type.to_owned()), ("x-amzn-requestid", request_id)];
        let mut response = (status, headers, body).into_response();
        if let Some(name) = error_type {
            response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(name));
        }
        response
    }
}

/// A refusal by the local SES, not AWS, in plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Refused(StatusCode, &'static str);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(status, why) = self;
        plain_text(status, why)
    }
}

fn plain_text(status: StatusCode, why: &str) -> Response {
    let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
    (status, headers, format!("{status}: {why}\n")).into_response()
}

fn json_response(value: &serde_json::Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
