//! What happens, told to a page while it happens: server-sent events (HTML Living Standard, section 9.2).

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use hyper::body::Frame;
use tokio::{sync::mpsc, time::timeout};

/// Events as they are sent; the page has gone when nothing can be sent any more.
pub(super) struct Events(mpsc::Sender<Bytes>);

impl Events {
    /// An answer that lasts, and what feeds it: a task of its own that ends when the page goes.
    pub(super) fn answer<Feed: Future<Output = ()> + Send + 'static>(
        feed: impl FnOnce(Self) -> Feed,
    ) -> Response {
        let (sender, receiver) = mpsc::channel(16);
        tokio::spawn(feed(Self(sender)));
        ([(CONTENT_TYPE, "text/event-stream")], Body::new(Stream(receiver))).into_response()
    }

    /// Sends an event; `false` when the page has gone. A browser that connects again names the last number that it got.
    pub(super) async fn send(&self, name: &str, number: usize, data: &str) -> bool {
        let data = data.replace('\r', "").replace('\n', "\ndata: ");
        let event = format!("event: {name}\nid: {number}\ndata: {data}\n\n");
        self.0.send(event.into()).await.is_ok()
    }

    /// Waits for something to tell, and shows meanwhile that the connection lives; absent when the page has gone.
    pub(super) async fn wait<T>(&self, something: impl Future<Output = T>) -> Option<T> {
        let mut something = Box::pin(something);
        loop {
            match timeout(SILENCE, &mut something).await {
                Ok(told) => return Some(told),
                Err(_) => self.0.send(Bytes::from_static(b":\n\n")).await.ok()?,
            }
        }
    }
}

const SILENCE: Duration = Duration::from_secs(10);

struct Stream(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
