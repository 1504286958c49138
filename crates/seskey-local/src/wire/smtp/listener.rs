//! The sockets of the SMTP endpoint: the admission of clients, and the beginning and the end of a connection.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use rustls::ServerConfig;
use seskey::Region;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tracing::debug;

use super::{
    Limits, Reply,
    conversation::{Conversation, End, discard, write},
    room,
};
use crate::{
    service::LocalSes,
    wire::connections::{Connections, Place, accept},
};

/// An address to serve SMTP on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenOn {
    /// The address; port 0 is any free one.
    pub address: SocketAddr,
    /// The region of the endpoint; absent for the region of the local SES.
    pub region: Option<Region>,
    /// The moment of the TLS negotiation.
    pub tls: Tls,
}

/// A port on which SMTP is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its address.
    pub address: SocketAddr,
    /// The region of the endpoint, unless the TLS client names another.
    pub region: Region,
    /// The moment of the TLS negotiation.
    pub tls: Tls,
}

/// The moment of the TLS negotiation (SES Developer Guide, "Connecting to the Amazon SES SMTP endpoint").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// After STARTTLS.
    Starttls,
    /// Before the greeting.
    Wrapper,
}

/// The state that all listeners share.
pub(crate) struct Endpoint {
    pub(super) ses: Arc<LocalSes>,
    pub(super) limits: Limits,
    /// The room that is left for incoming messages.
    pub(super) room: Arc<Semaphore>,
    acceptor: TlsAcceptor,
    connections: Arc<Connections>,
    /// The permits to tell clients that there are too many connections; inside TLS that is work, too.
    refusals: Arc<Semaphore>,
}

impl Endpoint {
    pub(crate) fn new(ses: Arc<LocalSes>, tls: Arc<ServerConfig>, limits: Limits) -> Self {
        Self {
            ses,
            room: room::of_all(limits.message_bytes),
            connections: Connections::new(limits.connections, limits.connections_per_address),
            limits,
            acceptor: TlsAcceptor::from(tls),
            refusals: Arc::new(Semaphore::new(MAX_REFUSALS)),
        }
    }
}

const MAX_REFUSALS: usize = 100;

/// Accepts connections forever.
pub(crate) async fn serve(socket: TcpListener, listener: Listener, endpoint: Arc<Endpoint>) {
    let listener = Arc::new(listener);
    accept(socket, move |tcp, peer| {
        let place = endpoint.connections.admit(peer.ip());
        let client = Client { peer, listener: listener.clone(), endpoint: endpoint.clone() };
        async move {
            match place {
                Some(place) => connection(tcp, client, place).await,
                None => refuse(tcp, client).await,
            }
        }
    })
    .await;
}

/// A client, with the listener and the endpoint that it connected to.
pub(super) struct Client {
    pub(super) peer: SocketAddr,
    pub(super) listener: Arc<Listener>,
    pub(super) endpoint: Arc<Endpoint>,
}

/// Runs a connection from its beginning to its end.
async fn connection(tcp: TcpStream, client: Client, _place: Place) {
    let (peer, listener) = (client.peer, client.listener.clone());
    debug!(%peer, listener = %listener.address, region = %listener.region, tls = ?listener.tls, "connected");
    let _open = client.endpoint.ses.metrics().smtp_connection_opened();
    match converse(tcp, client).await {
        Ok(()) => debug!(%peer, listener = %listener.address, "closed"),
        Err(error) => debug!(%peer, listener = %listener.address, %error, "broken off"),
    }
}

async fn converse(mut tcp: TcpStream, client: Client) -> io::Result<()> {
    // a reply is one write, and the client waits for it
    tcp.set_nodelay(true)?;
    let (endpoint, kind) = (client.endpoint.clone(), client.listener.tls);
    let mut conversation = Conversation::new(client);
    if kind == Tls::Starttls
        && (!conversation.greet(&mut tcp).await?
            || conversation.run(&mut tcp).await? == End::Closed)
    {
        return close(&mut tcp, &endpoint).await;
    }
    let mut tls = accept_tls(tcp, &endpoint).await?;
    conversation.tls_started(named_region(&tls));
    if kind == Tls::Starttls || conversation.greet(&mut tls).await? {
        conversation.run(&mut tls).await?;
    }
    close(&mut tls, &endpoint).await
}

async fn refuse(tcp: TcpStream, client: Client) {
    let (peer, endpoint) = (client.peer, client.endpoint);
    let Ok(_permit) = endpoint.refusals.try_acquire() else { return };
    debug!(%peer, listener = %client.listener.address, "too many connections");
    let told = match client.listener.tls {
        Tls::Starttls => tell_too_many(tcp, &endpoint).await,
        Tls::Wrapper => match accept_tls(tcp, &endpoint).await {
            Ok(tls) => tell_too_many(tls, &endpoint).await,
            Err(error) => Err(error),
        },
    };
    if let Err(error) = told {
        debug!(%peer, %error, "broken off");
    }
}

async fn tell_too_many(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    endpoint: &Endpoint,
) -> io::Result<()> {
    let reply = Reply::new(421, "Too many concurrent SMTP connections");
    write(&mut stream, &reply, endpoint.limits.idle).await?;
    close(&mut stream, endpoint).await
}

async fn accept_tls(tcp: TcpStream, endpoint: &Endpoint) -> io::Result<TlsStream<TcpStream>> {
    timeout(endpoint.limits.handshake, endpoint.acceptor.accept(tcp)).await?
}

/// Returns the region of the endpoint whose name the TLS client gave.
fn named_region(tls: &TlsStream<TcpStream>) -> Option<Region> {
    Region::of_smtp_endpoint(tls.get_ref().1.server_name()?)
}

/// Ends a connection so that the client gets the last reply: a socket that is closed with unread bytes is reset, and
/// the reset may overtake the reply.
async fn close(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    endpoint: &Endpoint,
) -> io::Result<()> {
    timeout(endpoint.limits.idle, stream.shutdown()).await??;
    // a client that does not close now has got the reply all the same
    let _ = timeout(LINGER, discard(stream, MAX_DISCARDED)).await;
    Ok(())
}

const LINGER: Duration = Duration::from_secs(1);
const MAX_DISCARDED: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// The task of an idle connection is small, without the buffers of TLS.
    #[test]
    fn an_idle_connection_is_small() {
        fn size<F: Future>(_: impl FnOnce(TcpStream, Client, Place) -> F) -> usize {
            size_of::<F>()
        }
        let without_tls = size(connection) - size_of::<TlsStream<TcpStream>>();
        assert!(without_tls < 4096, "{without_tls} bytes");
    }
}
