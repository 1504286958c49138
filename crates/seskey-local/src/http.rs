//! The HTTP side: the IAM and STS APIs at `/`, the mailbox at `/_aws/ses`.

use std::{borrow::Cow, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, RawQuery, State},
    http::{HeaderMap, Method, StatusCode, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{any, get},
    serve::ListenerExt,
};
use serde_json::json;
use tokio::net::TcpListener;
use tracing::{info, warn};

use crate::{mailbox::Filter, server::LocalSes, sigv4::Signed};

/// The largest request, in bytes: an IAM policy in a form is far smaller.
const MAX_BODY: usize = 256 * 1024;

/// Serves for ever.
pub(crate) async fn serve(listener: TcpListener, ses: Arc<LocalSes>) {
    let app = Router::new()
        .route("/", any(query_api))
        .route("/_aws/ses", get(messages).delete(delete_messages))
        .route("/_seskey/health", get(|| async { json_response(&json!({"status": "ok"})) }))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(ses)
        .into_make_service_with_connect_info::<SocketAddr>();
    let listener = listener.tap_io(|tcp| {
        if let Err(error) = tcp.set_nodelay(true) {
            warn!(%error, "cannot set TCP_NODELAY");
        }
    });
    if let Err(error) = axum::serve(listener, app).await {
        warn!(%error, "the HTTP side has ended");
    }
}

async fn query_api(
    State(ses): State<Arc<LocalSes>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // a value that is not text stays in the request, where its signature will not be right
    let headers: Vec<(&str, Cow<'_, str>)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
        .collect();
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (*name, &**value)).collect();
    let request = Signed {
        method: method.as_str(),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        headers: &headers,
        body: &body,
    };
    let answer = ses.answer(&request, peer.ip());
    let action = action(request.query.as_bytes()).or_else(|| action(request.body));
    info!(%peer, action, status = answer.status, request_id = answer.request_id, "request");
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers =
        [("content-type", answer.content_type.to_owned()), ("x-amzn-requestid", answer.request_id)];
    (status, headers, answer.body).into_response()
}

async fn messages(State(ses): State<Arc<LocalSes>>, RawQuery(query): RawQuery) -> Response {
    json_response(&json!({"messages": ses.messages(&filter(query))}))
}

async fn delete_messages(
    State(ses): State<Arc<LocalSes>>,
    RawQuery(query): RawQuery,
) -> StatusCode {
    ses.delete_messages(&filter(query));
    StatusCode::NO_CONTENT
}

/// The name of the operation, for the log, which takes nothing else of a request.
fn action(form: &[u8]) -> Option<String> {
    let (_, action) = form_urlencoded::parse(form).find(|(name, _)| name == "Action")?;
    (action.len() <= 64 && action.bytes().all(|b| b.is_ascii_alphanumeric()))
        .then(|| action.into_owned())
}

fn filter(query: Option<String>) -> Filter {
    let query = query.unwrap_or_default();
    let value = |wanted: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    Filter { id: value("id"), email: value("email") }
}

fn json_response(value: &serde_json::Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
