//! The part of Mailpit's API, version 1, that its clients use, so that a test suite that knows them runs unchanged. A
//! path that is not served is 404, and an unknown parameter or search filter is 400: docs/mailbox.md has the table.
//!
//! Source: Mailpit, "API v1"; the members are those that the npm package `mailpit-api` 2.1.0 reads.

use std::{collections::HashSet, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{
        StatusCode,
        header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Refused,
    control::NOT_KEPT,
    json_response,
    parameters::{BadParameter, NoParameters, Parameters},
    wait::NO_MESSAGE,
};
use crate::{
    mailbox::{Entry, Filter, Message},
    message::{Letter, Parsed, media_type},
    service::{BadSearch, LocalSes, Search},
};

mod json;

/// Builds the routes.
pub(super) fn router() -> Router<Arc<LocalSes>> {
    Router::new()
        .route("/api/v1/info", get(info))
        .route("/api/v1/messages", get(list).delete(delete).put(set_read))
        .route("/api/v1/search", get(search).delete(delete_found))
        .route("/api/v1/message/{id}", get(message))
        .route("/api/v1/message/{id}/headers", get(headers))
        .route("/api/v1/message/{id}/raw", get(raw))
        .route("/api/v1/message/{id}/part/{part}", get(part))
        .route("/view/{file}", get(view))
}

type Answer = Result<Response, Fault>;

/// The reason why there is no answer.
enum Fault {
    Parameter(BadParameter),
    Refused(Refused),
}

impl From<BadParameter> for Fault {
    fn from(bad: BadParameter) -> Self {
        Self::Parameter(bad)
    }
}

impl From<BadSearch> for BadParameter {
    fn from(bad: BadSearch) -> Self {
        Self(bad.0)
    }
}

impl From<BadSearch> for Fault {
    fn from(bad: BadSearch) -> Self {
        Self::Parameter(bad.into())
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        match self {
            Self::Parameter(bad) => bad.into_response(),
            Self::Refused(refused) => refused.into_response(),
        }
    }
}

async fn info(_: NoParameters, State(ses): State<Arc<LocalSes>>) -> Response {
    let (messages, bytes) = ses.state().mailbox_size();
    json_response(&json!({
        "Version": concat!("seskey ", env!("CARGO_PKG_VERSION")),
        "Messages": messages,
        "Unread": ses.state().unread(),
        "DatabaseSize": bytes,
        "Tags": {},
    }))
}

/// Lists the messages, the newest first.
async fn list(State(ses): State<Arc<LocalSes>>, RawQuery(query): RawQuery) -> Answer {
    let parameters = Parameters::of(query.as_deref(), &["start", "limit"])?;
    Ok(reading(ses, move |ses| page(ses, &Search::default(), &parameters)).await?)
}

async fn search(State(ses): State<Arc<LocalSes>>, RawQuery(query): RawQuery) -> Answer {
    let parameters = Parameters::of(query.as_deref(), &["query", "start", "limit"])?;
    let search = searched(&parameters)?;
    Ok(reading(ses, move |ses| page(ses, &search, &parameters)).await?)
}

fn searched(parameters: &Parameters) -> Result<Search, BadParameter> {
    let query = parameters.get("query").filter(|query| !query.trim().is_empty());
    Ok(Search::parse(query.ok_or_else(|| BadParameter("query is missing".to_owned()))?)?)
}

fn page(
    ses: &LocalSes,
    search: &Search,
    parameters: &Parameters,
) -> Result<Response, BadParameter> {
    let start = parameters.parsed("start", "a number")?.unwrap_or(0);
    let limit = parameters.parsed("limit", "a number")?.unwrap_or(50);
    let found = found(ses, search);
    let shown = found.iter().skip(start).take(limit);
    let messages: Vec<Value> =
        shown.map(|(message, is_read)| json::summary(message, *is_read)).collect();
    Ok(json_response(&json!({
        "total": ses.state().mailbox_size().0,
        "unread": ses.state().unread(),
        "count": messages.len(),
        "messages_count": found.len(),
        "messages_unread": found.iter().filter(|(_, is_read)| !is_read).count(),
        "start": start,
        "tags": [],
        "messages": messages,
    })))
}

/// Reads many messages while other connections go on.
async fn reading<T: Send + 'static>(
    ses: Arc<LocalSes>,
    read: impl FnOnce(&LocalSes) -> T + Send + 'static,
) -> T {
    let read = tokio::task::spawn_blocking(move || read(&ses)).await;
    read.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

/// Returns the messages that match, the newest first, and whether each is read.
fn found(ses: &LocalSes, search: &Search) -> Vec<(Arc<Message>, bool)> {
    let all = ses.state().newest_first(Entry::is_message);
    let messages = search.among(all).into_iter().filter_map(|(_, entry)| match entry {
        Entry::Message(message, is_read) => Some((message, is_read)),
        Entry::Attempt(_) => None,
    });
    messages.collect()
}

fn ids(found: &[(Arc<Message>, bool)]) -> HashSet<String> {
    found.iter().map(|(message, _)| message.id.clone()).collect()
}

/// The messages that a change is about, all of them if it names none, and the change.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
struct Change {
    #[serde(rename = "IDs")]
    ids: HashSet<String>,
    read: bool,
    search: String,
}

impl Change {
    fn of(body: &Bytes) -> Result<Self, BadParameter> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        let bad = |error| BadParameter(format!("the body cannot be read: {error}"));
        // a list would be read as the members in order
        let object: serde_json::Map<String, Value> = serde_json::from_slice(body).map_err(bad)?;
        serde_json::from_value(object.into()).map_err(bad)
    }
}

async fn delete(_: NoParameters, State(ses): State<Arc<LocalSes>>, body: Bytes) -> Answer {
    let change = Change::of(&body)?;
    let ids = (!change.ids.is_empty()).then_some(change.ids);
    forget(&ses, ids).await
}

async fn delete_found(State(ses): State<Arc<LocalSes>>, RawQuery(query): RawQuery) -> Answer {
    let parameters = Parameters::of(query.as_deref(), &["query"])?;
    let search = searched(&parameters)?;
    let ids = reading(ses.clone(), move |ses| ids(&found(ses, &search))).await;
    forget(&ses, Some(ids)).await
}

async fn forget(ses: &LocalSes, ids: Option<HashSet<String>>) -> Answer {
    let forgotten = ses.state().delete_messages(Filter { ids, email: None }).await;
    forgotten.map(|()| "ok".into_response()).map_err(|_| NOT_KEPT.into())
}

async fn set_read(_: NoParameters, State(ses): State<Arc<LocalSes>>, body: Bytes) -> Answer {
    let Change { ids: named, read, search } = Change::of(&body)?;
    let search = Search::parse(&search)?;
    let ids = match named.is_empty() {
        true => reading(ses.clone(), move |ses| ids(&found(ses, &search))).await,
        false => named,
    };
    ses.state().set_read(&ids, read);
    Ok("ok".into_response())
}

fn named(ses: &LocalSes, id: &str) -> Result<Arc<Message>, Refused> {
    ses.state().message(id).ok_or(NO_MESSAGE)
}

/// Returns a message, and marks it as read.
async fn message(
    _: NoParameters,
    State(ses): State<Arc<LocalSes>>,
    Path(id): Path<String>,
) -> Answer {
    let message = named(&ses, &id)?;
    if message.raw_data.len() > LONGEST_READ {
        return Err(
            Refused(StatusCode::PAYLOAD_TOO_LARGE, "it is too long; its /raw is not").into()
        );
    }
    ses.state().set_read(&[message.id.clone()].into(), true);
    Ok(json_response(&json::message(&message)))
}

/// The longest message that is shown in JSON, where it has up to six times its size.
const LONGEST_READ: usize = 8 * 1024 * 1024;

async fn headers(
    _: NoParameters,
    State(ses): State<Arc<LocalSes>>,
    Path(id): Path<String>,
) -> Answer {
    let message = named(&ses, &id)?;
    Ok(json_response(&json::headers(&Parsed::of(&message.raw_data))))
}

async fn raw(_: NoParameters, State(ses): State<Arc<LocalSes>>, Path(id): Path<String>) -> Answer {
    let message = named(&ses, &id)?;
    Ok(untrusted("text/plain; charset=utf-8", message.raw_data.clone()))
}

async fn part(
    _: NoParameters,
    State(ses): State<Arc<LocalSes>>,
    Path((id, part)): Path<(String, usize)>,
) -> Answer {
    let message = named(&ses, &id)?;
    let parsed = Parsed::of(&message.raw_data);
    let part = parsed.message().parts.get(part);
    let part = part.ok_or(Refused(StatusCode::NOT_FOUND, "the message has no such part"))?;
    let media_type = media_type(part);
    Ok(untrusted(&media_type, part.contents().to_vec()))
}

async fn view(
    _: NoParameters,
    State(ses): State<Arc<LocalSes>>,
    Path(file): Path<String>,
) -> Answer {
    const NO_VIEW: Refused =
        Refused(StatusCode::NOT_FOUND, "a view is the ID of a message and .html or .txt");
    let (id, form) = file.rsplit_once('.').ok_or(NO_VIEW)?;
    let message = named(&ses, id)?;
    match form {
        "html" => {
            let html = Letter::html(&message.raw_data);
            let html = html.ok_or(Refused(StatusCode::NOT_FOUND, "it has no HTML"))?;
            Ok(untrusted("text/html; charset=utf-8", html.into_bytes()))
        }
        "txt" => {
            let text = Parsed::of(&message.raw_data).readable().into_owned();
            Ok(untrusted("text/plain; charset=utf-8", text.into_bytes()))
        }
        _ => Err(NO_VIEW.into()),
    }
}

/// Serves content of a stranger: nothing in it runs or is loaded from elsewhere, and it is not a page of this origin.
fn untrusted(media_type: &str, body: Vec<u8>) -> Response {
    const POLICY: &str = "sandbox; default-src 'none'; img-src data:; style-src \
                          'unsafe-inline'; form-action 'none'; base-uri 'none'";
    let headers = [
        (CONTENT_TYPE, media_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, body).into_response()
}
