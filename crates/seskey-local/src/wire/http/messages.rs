//! The mailbox over HTTP, in the form that users of LocalStack know.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use super::{
    control::NOT_KEPT,
    listing::Listing,
    parameters::{BadParameter, Parameters},
};
use crate::{journal::CommitFailed, mailbox::Filter, service::LocalSes};

/// Lists the messages that `id` and `email` select; with `after`, those after that ID; with `limit`, as many at most.
pub(super) async fn list(
    State(ses): State<Arc<LocalSes>>,
    RawQuery(query): RawQuery,
) -> Result<Response, BadParameter> {
    let parameters = Parameters::of(query.as_deref(), &["id", "email", "after", "limit"])?;
    let limit = parameters.parsed("limit", "a number")?.unwrap_or(usize::MAX);
    let messages = ses.state().messages(&filter(&parameters), parameters.get("after"), limit);
    let body = Body::new(Listing::of(&messages));
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

pub(super) async fn delete(
    State(ses): State<Arc<LocalSes>>,
    RawQuery(query): RawQuery,
) -> Result<Response, BadParameter> {
    let parameters = Parameters::of(query.as_deref(), &["id", "email"])?;
    Ok(match ses.state().delete_messages(filter(&parameters)).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(CommitFailed) => NOT_KEPT.into_response(),
    })
}

fn filter(parameters: &Parameters) -> Filter {
    Filter { ids: parameters.text("id").map(|id| [id].into()), email: parameters.text("email") }
}
