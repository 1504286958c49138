//! Server-sent events (HTML Living Standard, section 9.2).

use std::{convert::Infallible, time::Duration};

use axum::{
    http::{HeaderValue, header::CACHE_CONTROL},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::stream::unfold;
use tokio::sync::mpsc;

/// An answer that lasts: what a task tells, until it has no more to tell or the client goes. While nothing is told, a
/// comment shows every ten seconds that the connection lives.
pub fn events<Feed: Future<Output = ()> + Send + 'static>(
    feed: impl FnOnce(mpsc::Sender<Event>) -> Feed,
) -> Response {
    let (sender, receiver) = mpsc::channel(UNREAD);
    let (gone, feed) = (sender.clone(), feed(sender));
    tokio::spawn(async move {
        tokio::select! {
            () = gone.closed() => {}
            () = feed => {}
        }
    });
    let told = unfold(receiver, async |mut receiver: mpsc::Receiver<Event>| {
        Some((Ok::<_, Infallible>(receiver.recv().await?), receiver))
    });
    let mut response =
        Sse::new(told).keep_alive(KeepAlive::new().interval(SILENCE)).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Events that are told before they are read.
pub(super) const UNREAD: usize = 16;

/// Less than what is between gives up after.
const SILENCE: Duration = Duration::from_secs(10);
