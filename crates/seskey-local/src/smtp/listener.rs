//! The sockets of the SMTP endpoint: reads bytes, does what the session says, writes its replies.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use rustls::ServerConfig;
use seskey::{AccessKeyId, Region, Secret};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tracing::{debug, info, warn};
use zeroize::Zeroizing;

use super::{
    Reply, Session, Step,
    framing::{BadLine, Data, Input, Receiver},
    session::MAX_MESSAGE,
};
use crate::{sending::Login, server::LocalSes};

/// When TLS is negotiated (SES Developer Guide, "Connecting to the Amazon SES SMTP endpoint").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// After STARTTLS.
    StartTls,
    /// Before the greeting.
    TlsWrapper,
}

/// Accepts connections for ever.
pub(crate) async fn serve(
    listener: TcpListener,
    kind: Kind,
    ses: Arc<LocalSes>,
    tls: Arc<ServerConfig>,
) {
    let acceptor = TlsAcceptor::from(tls);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, peer)) => {
                    connections.spawn(connection(tcp, peer, kind, ses.clone(), acceptor.clone()));
                }
                Err(error) => {
                    // out of descriptors: waiting is all that helps
                    warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(ended) = connections.join_next() => {
                if let Err(panic) = ended {
                    warn!(%panic, "a connection broke off");
                }
            }
        }
    }
}

/// After this long without a byte the server says good-bye (SES Developer Guide, "Using the command line to send
/// email using the Amazon SES SMTP interface": "after about 10 seconds of inactivity").
const IDLE: Duration = Duration::from_secs(10);

struct Conversation {
    ses: Arc<LocalSes>,
    peer: SocketAddr,
    region: Region,
    session: Session<Login>,
    input: Input,
}

enum End {
    Closed,
    StartTls,
}

async fn connection(
    tcp: TcpStream,
    peer: SocketAddr,
    kind: Kind,
    ses: Arc<LocalSes>,
    acceptor: TlsAcceptor,
) {
    debug!(%peer, ?kind, "connected");
    let _open = ses.metrics().smtp_connection_opened();
    match converse(tcp, peer, kind, ses, &acceptor).await {
        Ok(()) => debug!(%peer, "closed"),
        Err(error) => debug!(%peer, %error, "broken off"),
    }
}

async fn converse(
    mut tcp: TcpStream,
    peer: SocketAddr,
    kind: Kind,
    ses: Arc<LocalSes>,
    acceptor: &TlsAcceptor,
) -> io::Result<()> {
    // a reply is one write, and the client waits for it
    tcp.set_nodelay(true)?;
    let greeting = Session::<Login>::greeting(&ses.connection_id());
    let region = ses.region().clone();
    let mut conversation =
        Conversation { ses, peer, region, session: Session::new(false), input: Input::default() };
    if kind == Kind::StartTls {
        write(&mut tcp, &greeting).await?;
        if let End::Closed = conversation.run(&mut tcp).await? {
            return Ok(());
        }
    }
    let mut tls = timeout(IDLE, acceptor.accept(tcp)).await??;
    conversation.session.tls_started();
    if let Some(region) = named_region(&tls) {
        conversation.region = region;
    }
    if kind == Kind::TlsWrapper {
        write(&mut tls, &greeting).await?;
    }
    conversation.run(&mut tls).await?;
    tls.shutdown().await
}

/// The region of the endpoint by whose name the TLS client calls the server.
fn named_region(tls: &TlsStream<TcpStream>) -> Option<Region> {
    Region::of_smtp_endpoint(tls.get_ref().1.server_name()?)
}

impl Conversation {
    async fn run(&mut self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<End> {
        loop {
            let line = match self.input.line() {
                None if self.read(stream).await? => continue,
                None => return Ok(End::Closed),
                Some(Ok(line)) => Zeroizing::new(line),
                Some(Err(bad)) => {
                    write(stream, &bad.reply()).await?;
                    return Ok(End::Closed);
                }
            };
            match self.session.line(&line) {
                Step::Reply(reply) => write(stream, &reply).await?,
                Step::Close(reply) => {
                    write(stream, &reply).await?;
                    return Ok(End::Closed);
                }
                // what was sent along in clear could have been put there by anyone
                Step::StartTls(_) if !self.input.is_empty() => {
                    write(stream, &Reply::new(554, "Transaction failed: Data after STARTTLS."))
                        .await?;
                    return Ok(End::Closed);
                }
                Step::StartTls(reply) => {
                    write(stream, &reply).await?;
                    return Ok(End::StartTls);
                }
                Step::Authenticate { user_name, password } => {
                    let reply = self.authenticate(&user_name, &password);
                    write(stream, &reply).await?;
                }
                Step::Data(reply) => {
                    write(stream, &reply).await?;
                    let Some(data) = self.receive(stream).await? else { return Ok(End::Closed) };
                    let reply = self.accept(data);
                    write(stream, &reply).await?;
                }
            }
        }
    }

    /// Reads what is there; `false` when the client has closed, or has been told that it is too slow.
    async fn read(
        &mut self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    ) -> io::Result<bool> {
        let mut buffer = [0; 8192];
        match timeout(IDLE, stream.read(&mut buffer)).await {
            Ok(length) => {
                let length = length?;
                self.input.push(&buffer[..length]);
                Ok(length > 0)
            }
            Err(_) => {
                write(stream, &Reply::new(451, "4.4.2 Timeout waiting for data from client."))
                    .await?;
                Ok(false)
            }
        }
    }

    async fn receive(
        &mut self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    ) -> io::Result<Option<Data>> {
        let mut receiver = Receiver::new();
        loop {
            if let Some(data) = self.input.data(&mut receiver, MAX_MESSAGE) {
                return Ok(Some(data));
            }
            if !self.read(stream).await? {
                return Ok(None);
            }
        }
    }

    fn authenticate(&mut self, user_name: &str, password: &Secret) -> Reply {
        let login = self.ses.log_in(user_name, password, &self.region);
        // what is no access key ID may be a secret in the wrong place
        let user = AccessKeyId::parse(user_name).ok();
        let user = user.as_ref().map_or("not an access key ID", AccessKeyId::as_str);
        match &login {
            Ok(_) => info!(peer = %self.peer, user, region = %self.region, "login"),
            Err(why) => {
                info!(peer = %self.peer, user, region = %self.region, ?why, "login refused")
            }
        }
        self.session.authenticated(login.ok())
    }

    fn accept(&mut self, data: Data) -> Reply {
        let envelope = self.session.take_envelope();
        let (Data::Message(message), Some(login)) = (data, self.session.user()) else {
            return Reply::new(552, "Message is too long.");
        };
        match self.ses.send(login, envelope, &message, self.peer.ip(), &self.region) {
            Ok(id) => {
                info!(peer = %self.peer, user = %login.access_key_id, %id, bytes = message.len(), "message accepted");
                Reply::new(250, format!("Ok {id}"))
            }
            Err(refusal) => {
                info!(peer = %self.peer, user = %login.access_key_id, ?refusal, "message refused");
                refusal.reply(&self.region)
            }
        }
    }
}

impl BadLine {
    fn reply(self) -> Reply {
        match self {
            Self::Unpaired(at) => Reply::new(
                501,
                format!(
                    "Syntax error at character position {at}. CR and LF must be CRLF paired.  See RFC 2821 #2.7.1."
                ),
            ),
            Self::TooLong => Reply::new(500, "Error: line too long"),
        }
    }
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), reply: &Reply) -> io::Result<()> {
    // a client that reads nothing is as silent as one that sends nothing
    timeout(IDLE, async {
        stream.write_all(reply.encode().as_bytes()).await?;
        stream.flush().await
    })
    .await?
}
