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

/// Makes an answer that lasts: the events of a task, until the task ends or the client goes. While there are no events,
/// a comment every ten seconds shows that the connection lives.
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

/// The number of events that may wait to be read.
pub(super) const UNREAD: usize = 16;

/// The interval of the comments: less than proxies between wait.
const SILENCE: Duration = Duration::from_secs(10);
