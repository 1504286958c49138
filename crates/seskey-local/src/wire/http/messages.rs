//! The mailbox over HTTP, as LocalStack's users know it.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use super::{Refused, control::NOT_KEPT, listing::Listing};
use crate::{journal::CommitFailed, mailbox::Filter, service::LocalSes};

/// Those that `id` and `email` let through; with `after`, the ones behind that ID; with `limit`, as many at most.
pub(super) async fn list(State(ses): State<Arc<LocalSes>>, RawQuery(query): RawQuery) -> Response {
    let limit = match parameter(&query, "limit").map(|limit| limit.parse()).transpose() {
        Ok(limit) => limit.unwrap_or(usize::MAX),
        Err(_) => return Refused(StatusCode::BAD_REQUEST, "limit is a number").into_response(),
    };
    let after = parameter(&query, "after");
    let messages = ses.state().messages(&filter(&query), after.as_deref(), limit);
    let body = Body::new(Listing::of(&messages));
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

pub(super) async fn delete(
    State(ses): State<Arc<LocalSes>>,
    RawQuery(query): RawQuery,
) -> Response {
    match ses.state().delete_messages(filter(&query)).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(CommitFailed) => NOT_KEPT.into_response(),
    }
}

fn filter(query: &Option<String>) -> Filter {
    Filter { id: parameter(query, "id"), email: parameter(query, "email") }
}

fn parameter(query: &Option<String>, wanted: &str) -> Option<String> {
    form_urlencoded::parse(query.as_deref()?.as_bytes())
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.into_owned())
}
