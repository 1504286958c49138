//! The connection loop: it accepts connections, limits them, and reads each request whole before it is answered.

use std::{future::poll_fn, io, net::SocketAddr, pin::Pin, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, DefaultBodyLimit, Request},
    http::{
        HeaderValue, StatusCode,
        header::{CONNECTION, DATE},
    },
    response::{IntoResponse, Response},
};
use hyper::{
    body::{Body as _, Incoming},
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use jiff::{Timestamp, tz::TimeZone};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};

use super::{
    Cut, Limits, Refused, SecureTransport,
    hosts::Hosts,
    limits::{
        LARGE_BODIES_AT_WORK, MAX_BODY, MAX_HEADER, MAX_LARGE_BODIES, SHORT_ANSWER, max_body,
    },
    write_timeout::WriteTimeout,
};
use crate::wire::connections::{Connections, Place, accept};

/// The settings of a served application.
pub struct Serving {
    /// The host names of the application, besides its address, `localhost` and AWS's own.
    pub hosts: Vec<String>,
    /// The limits on clients.
    pub limits: Limits,
    /// The transport.
    pub transport: Transport,
    /// The clock of the `Date` header in answers.
    pub now: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

/// The transport below HTTP, with the certificate of TLS.
#[derive(Clone)]
pub enum Transport {
    /// TCP.
    Clear,
    /// TLS.
    Tls(Arc<ServerConfig>),
    /// TCP or TLS, as the client begins.
    Either(Arc<ServerConfig>),
}

/// Serves an application forever: accepts connections, limits each of them, and refuses requests that a page of another
/// site made a browser send. The open connections end with this task.
pub async fn serve(listener: TcpListener, app: Router, serving: Serving) {
    let Serving { hosts, limits, transport, now } = serving;
    let places = Connections::new(limits.connections, limits.connections_of_address);
    let app = TowerToHyperService::new(app);
    let hosts = Hosts::new(&hosts);
    let large_bodies = Semaphore::new(MAX_LARGE_BODIES);
    let at_work = Semaphore::new(LARGE_BODIES_AT_WORK);
    let long_answers = Arc::new(Semaphore::new(limits.answers));
    let side =
        Arc::new(Side { hosts, limits, transport, now, large_bodies, at_work, long_answers, app });
    accept(listener, move |tcp, peer| {
        let (side, place) = (side.clone(), places.admit(peer.ip()));
        async move {
            match place {
                Some(place) => connection(tcp, peer, side, place).await,
                None => turn_away(&tcp, peer),
            }
        }
    })
    .await;
}

/// The state that all connections share.
struct Side {
    hosts: Hosts,
    limits: Limits,
    transport: Transport,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// The bytes that are left for large bodies.
    large_bodies: Semaphore,
    at_work: Semaphore,
    /// The bytes that are left for long answers.
    long_answers: Arc<Semaphore>,
    app: TowerToHyperService<Router>,
}

fn turn_away(tcp: &TcpStream, peer: SocketAddr) {
    warn!(%peer, "too many connections");
    // a client that does not get this sees that the connection is closed
    let _ = tcp.try_write(
        b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    );
}

async fn connection(tcp: TcpStream, peer: SocketAddr, side: Arc<Side>, _place: Place) {
    match converse(tcp, peer, &side).await {
        Ok(()) => debug!(%peer, "closed"),
        Err(error) => debug!(%peer, %error, "broken off"),
    }
}

async fn converse(tcp: TcpStream, peer: SocketAddr, side: &Side) -> io::Result<()> {
    // an answer is one write, and the client waits for it
    tcp.set_nodelay(true)?;
    let reached = tcp.local_addr()?;
    let in_time = side.limits.header;
    let tls = match &side.transport {
        Transport::Clear => None,
        Transport::Tls(tls) => Some(tls),
        Transport::Either(tls) => timeout(in_time, begins_tls(&tcp)).await??.then_some(tls),
    };
    let connection = Connection { peer, reached, is_tls: tls.is_some() };
    let tcp = WriteTimeout::new(tcp, side.limits.write);
    match tls {
        None => answer_all(tcp, connection, side).await,
        Some(tls) => {
            let shaken = timeout(in_time, TlsAcceptor::from(tls.clone()).accept(tcp)).await;
            answer_all(shaken??, connection, side).await
        }
    }
}

/// Whether the first byte of a connection begins a TLS handshake (RFC 8446, section 5.1), and so no HTTP request.
async fn begins_tls(tcp: &TcpStream) -> io::Result<bool> {
    const HANDSHAKE: u8 = 22;
    let mut first = [0];
    Ok(tcp.peek(&mut first).await? > 0 && first[0] == HANDSHAKE)
}

/// The peer of a connection, the address that it reached, and its transport.
#[derive(Clone, Copy)]
struct Connection {
    peer: SocketAddr,
    reached: SocketAddr,
    is_tls: bool,
}

async fn answer_all(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    connection: Connection,
    side: &Side,
) -> io::Result<()> {
    let service = service_fn(|request| side.respond(request, connection));
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(side.limits.header)
        .max_header_size(MAX_HEADER)
        .max_buf_size(2 * MAX_HEADER)
        .serve_connection(TokioIo::new(stream), service)
        .await
        .map_err(io::Error::other)
}

impl Side {
    async fn respond(
        &self,
        request: hyper::Request<Incoming>,
        connection: Connection,
    ) -> Result<Response, Cut> {
        let mut response = match self.answer(request, connection).await {
            Ok(response) => response,
            Err(refused) => {
                debug!(peer = %connection.peer, ?refused, "request refused");
                // the rest of the request is not read
                ([(CONNECTION, "close")], refused).into_response()
            }
        };
        if let Some(cut) = response.extensions().get::<Cut>() {
            return Err(*cut);
        }
        // an AWS SDK sets its clock by this header
        let date = (self.now)().to_zoned(TimeZone::UTC).strftime(HTTP_DATE).to_string();
        if let Ok(date) = HeaderValue::try_from(date) {
            response.headers_mut().insert(DATE, date);
        }
        Ok(response)
    }

    async fn answer(
        &self,
        request: hyper::Request<Incoming>,
        Connection { peer, reached, is_tls }: Connection,
    ) -> Result<Response, Refused> {
        let (parts, body) = request.into_parts();
        self.hosts.check(&parts, reached, is_tls)?;
        let max_body = max_body(&parts);
        let length = body.size_hint().upper().map_or(max_body, |length| length as usize);
        if length > max_body {
            return Err(TOO_LONG);
        }
        let is_large = length > MAX_BODY;
        let _memory = match u32::try_from(length) {
            Ok(bytes) if is_large => self.large_bodies.acquire_many(bytes).await.ok(),
            _ => None,
        };
        let body = timeout(self.limits.body, read(body, max_body))
            .await
            .map_err(|_| Refused(StatusCode::REQUEST_TIMEOUT, "the body took too long"))??;
        let _turn = if is_large { self.at_work.acquire().await.ok() } else { None };
        let mut request = Request::from_parts(parts, Body::from(body));
        // its length was checked
        DefaultBodyLimit::disable().apply(&mut request);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(SecureTransport(is_tls));
        match self.app.call(request).await {
            Ok(response) => self.hold(response).await,
            Err(never) => match never {},
        }
    }

    /// Counts the bytes of a long answer until they are read. A list of messages is made while it is read.
    async fn hold(&self, response: Response) -> Result<Response, Refused> {
        let length = response.body().size_hint().exact().unwrap_or(0);
        if length <= SHORT_ANSWER {
            return Ok(response);
        }
        let length = u32::try_from(self.limits.answers.min(length as usize)).unwrap_or(u32::MAX);
        let held = self.long_answers.clone().try_acquire_many_owned(length);
        let _permit = held.map_err(|_| TOO_MUCH_UNREAD)?;
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.map_err(|_| TOO_MUCH_UNREAD)?;
        let held = Bytes::from_owner(Held { bytes, _permit });
        Ok(Response::from_parts(head, Body::from(held)))
    }
}

/// The bytes of an answer, in memory until they are sent.
struct Held {
    bytes: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a body into one buffer.
async fn read(mut body: Incoming, most: usize) -> Result<Vec<u8>, Refused> {
    let mut bytes = vec![];
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| BROKEN_OFF)?;
        let data = frame.data_ref().map_or(&[][..], |data| data);
        if bytes.len() + data.len() > most {
            return Err(TOO_LONG);
        }
        bytes.extend_from_slice(data);
    }
    Ok(bytes)
}

const TOO_LONG: Refused = Refused(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long");
/// The refusal of a long answer, after which an AWS SDK tries again.
const TOO_MUCH_UNREAD: Refused =
    Refused(StatusCode::SERVICE_UNAVAILABLE, "too many long answers wait to be read");
const BROKEN_OFF: Refused = Refused(StatusCode::BAD_REQUEST, "the body is broken off");

/// The form of a date in HTTP (RFC 9110, section 5.6.7).
const HTTP_DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";
