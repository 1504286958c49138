//! One connection: reads lines and messages, does what the session says, writes its replies.

use std::{future::poll_fn, io, mem::MaybeUninit, pin::Pin, task::ready, time::Duration};

use seskey::{AccessKeyId, Region, Secret, diagnose::Finding};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    time::{error::Elapsed, timeout},
};
use tracing::{info, warn};
use zeroize::Zeroizing;

use super::{
    Reply, Session, Step,
    error_limit::ErrorLimit,
    framing::{BadLine, Data, Input, Receiver},
    listener::Client,
    room::Room,
};
use crate::{
    sending::{Login, MAX_MESSAGE},
    service::faults::{Moment, SmtpFault},
};

pub(super) struct Conversation {
    client: Client,
    /// The region of the endpoint that the client has called.
    region: Region,
    session: Session<Login>,
    input: Input,
    error_limit: ErrorLimit,
}

/// How the part of a conversation in clear, or in TLS, has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Closed,
    StartTls,
}

/// What comes from a client that may close, or be too slow.
type Waited<T> = Result<io::Result<Option<T>>, Elapsed>;

impl Conversation {
    pub(super) fn new(client: Client) -> Self {
        Self {
            region: client.listener.region.clone(),
            client,
            session: Session::new(false),
            input: Input::default(),
            error_limit: ErrorLimit::default(),
        }
    }

    /// Greets the client; `false` if it is turned away on purpose.
    pub(super) async fn greet(&self, stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<bool> {
        let ses = &self.client.endpoint.ses;
        match ses.fault_of_command("CONNECT") {
            None => {
                let greeting = Session::<Login>::greeting(&ses.connection_id());
                self.write(stream, &greeting).await?;
                return Ok(true);
            }
            Some(SmtpFault::Reply(code, text)) => {
                self.write(stream, &Reply::new(code, text)).await?;
            }
            Some(SmtpFault::Drop(_)) => {}
        }
        Ok(false)
    }

    /// TLS has been negotiated, perhaps with the endpoint of a region.
    pub(super) fn tls_started(&mut self, named: Option<Region>) {
        self.session.tls_started();
        if let Some(region) = named.filter(|region| *region != self.region) {
            let Client { peer, listener, .. } = &self.client;
            info!(%peer, listener = %listener.address, %region, instead_of = %self.region, "the TLS client named the endpoint of a region, which counts for this connection");
            self.region = region;
        }
    }

    /// Converses to the end, or up to where TLS begins.
    pub(super) async fn run(
        &mut self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    ) -> io::Result<End> {
        loop {
            let line = timeout(self.client.endpoint.limits.idle, self.line(stream)).await;
            let line = match self.in_time(line, stream).await? {
                None => return Ok(End::Closed),
                Some(Ok(line)) => Zeroizing::new(line),
                Some(Err(bad)) => {
                    self.write(stream, &bad.reply()).await?;
                    return Ok(End::Closed);
                }
            };
            let verb = self.session.verb(&line);
            match verb.and_then(|verb| self.client.endpoint.ses.fault_of_command(verb)) {
                None => {}
                Some(SmtpFault::Reply(code, text)) => {
                    self.write(stream, &Reply::new(code, text)).await?;
                    match code {
                        421 => return Ok(End::Closed),
                        _ => continue,
                    }
                }
                Some(SmtpFault::Drop(moment)) => {
                    if moment == Moment::After
                        && let Step::Authenticate { user_name, password } = self.session.line(&line)
                    {
                        self.authenticate(&user_name, &password);
                    }
                    return Ok(End::Closed);
                }
            }
            let reply = match self.session.line(&line) {
                Step::Reply(reply) => reply,
                Step::Close(reply) => {
                    self.write(stream, &reply).await?;
                    return Ok(End::Closed);
                }
                // what was sent along in clear could have been put there by anyone
                Step::StartTls(_) if !self.input.is_empty() => {
                    let reply = Reply::new(554, "Transaction failed: Data after STARTTLS.");
                    self.write(stream, &reply).await?;
                    return Ok(End::Closed);
                }
                Step::StartTls(reply) => {
                    self.write(stream, &reply).await?;
                    return Ok(End::StartTls);
                }
                Step::Authenticate { user_name, password } => {
                    self.authenticate(&user_name, &password)
                }
                Step::Data(reply) => {
                    self.write(stream, &reply).await?;
                    let message =
                        timeout(self.client.endpoint.limits.message, self.message(stream)).await;
                    let Some((data, room)) = self.in_time(message.flatten(), stream).await? else {
                        return Ok(End::Closed);
                    };
                    // a message that is refused is no command in vain
                    match self.accept_or_fail(data, &room).await {
                        Some(reply) => self.write(stream, &reply).await?,
                        None => return Ok(End::Closed),
                    }
                    continue;
                }
            };
            match self.error_limit.count(reply, &self.client.endpoint.limits) {
                Ok(reply) => self.write(stream, &reply).await?,
                Err(last) => {
                    info!(peer = %self.client.peer, listener = %self.client.listener.address, code = last.code(), "too many errors");
                    self.write(stream, &last).await?;
                    return Ok(End::Closed);
                }
            }
        }
    }

    /// The next line, as a whole: one that drips takes no longer than one that does not come.
    async fn line(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<Option<Result<Vec<u8>, BadLine>>> {
        loop {
            if let Some(line) = self.input.line() {
                return Ok(Some(line));
            }
            if read(stream, |bytes| self.input.push(bytes)).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// The message after DATA. When there is no room for it, it is read to its end all the same: a client that does
    /// not wait for replies has sent it, and none of it may be taken for commands.
    async fn message(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Waited<(Data, Room)> {
        let (mut receiver, mut room) = (Receiver::new(), Room::default());
        loop {
            if !room.grow(self.input.len(), &self.client.endpoint.room) {
                receiver.give_up();
            }
            if let Some(data) = self.input.data(&mut receiver, MAX_MESSAGE) {
                return Ok(Ok(Some((data, room))));
            }
            let read = read(stream, |bytes| self.input.push(bytes));
            match timeout(self.client.endpoint.limits.idle, read).await? {
                Ok(0) => return Ok(Ok(None)),
                Ok(_) => {}
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    /// What was waited for, unless the client was too slow and has been told so.
    async fn in_time<T>(
        &self,
        waited: Waited<T>,
        stream: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<Option<T>> {
        let Ok(came) = waited else {
            let reply = Reply::new(451, "4.4.2 Timeout waiting for data from client.");
            self.write(stream, &reply).await?;
            return Ok(None);
        };
        came
    }

    async fn write(&self, stream: &mut (impl AsyncWrite + Unpin), reply: &Reply) -> io::Result<()> {
        write(stream, reply, self.client.endpoint.limits.idle).await
    }

    fn authenticate(&mut self, user_name: &str, password: &Secret) -> Reply {
        let Client { peer, listener, endpoint } = &self.client;
        let login = endpoint.ses.log_in(user_name, password, &self.region);
        // what is no access key ID may be a secret in the wrong place
        let user = AccessKeyId::parse(user_name).ok();
        let user = user.as_ref().map_or("not an access key ID", AccessKeyId::as_str);
        let (listener, region) = (listener.address, &self.region);
        match &login {
            Ok(_) => info!(%peer, %listener, %region, user, "login"),
            Err(why) => {
                info!(%peer, %listener, %region, user, ?why, "login refused");
                // somebody looks for it, so it is told where all else is quiet
                if let Some(Finding { cause, evidence, .. }) =
                    endpoint.ses.why_refused(user_name, password, region, *why)
                {
                    let (id, what) = (cause.id, cause.sentence);
                    warn!(%peer, %listener, %region, user, "login refused: {id}: {what}; {evidence}");
                }
            }
        }
        self.session.authenticated(login.ok())
    }

    /// The reply to a message; none where the connection is dropped on purpose.
    async fn accept_or_fail(&mut self, data: Data, room: &Room) -> Option<Reply> {
        match self.client.endpoint.ses.fault_of_command(".") {
            None => Some(self.accept(data, room).await),
            Some(SmtpFault::Reply(code, text)) => {
                self.session.take_envelope();
                Some(Reply::new(code, text))
            }
            Some(SmtpFault::Drop(moment)) => {
                if moment == Moment::After {
                    self.accept(data, room).await;
                }
                None
            }
        }
    }

    async fn accept(&mut self, data: Data, room: &Room) -> Reply {
        let envelope = self.session.take_envelope();
        let (Data::Message(message), Some(login)) = (data, self.session.user()) else {
            return match room.is_full {
                true => Reply::new(451, "Temporary service failure"),
                false => Reply::new(552, "Message is too long."),
            };
        };
        let Client { peer, listener, endpoint } = &self.client;
        let (listener, region, user) = (listener.address, &self.region, &login.access_key_id);
        let bytes = message.len();
        match endpoint.ses.send(login, envelope, message, peer.ip(), region).await {
            Ok(id) => {
                self.error_limit = ErrorLimit::default();
                info!(%peer, %listener, %region, %user, %id, bytes, "message accepted");
                Reply::new(250, format!("Ok {id}"))
            }
            Err(refusal) => {
                info!(%peer, %listener, %region, %user, ?refusal, "message refused");
                let (code, text) = refusal.reply();
                Reply::new(code, text)
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

/// Writes a reply in one piece. A client that reads nothing is as silent as one that sends nothing.
pub(super) async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    reply: &Reply,
    idle: Duration,
) -> io::Result<()> {
    timeout(idle, async {
        stream.write_all(reply.encode()).await?;
        stream.flush().await
    })
    .await?
}

/// Reads and forgets, up to the end or so many bytes.
pub(super) async fn discard(stream: &mut (impl AsyncRead + Unpin), most: usize) -> io::Result<()> {
    let mut discarded = 0;
    while discarded < most {
        match read(stream, |_| ()).await? {
            0 => break,
            length => discarded += length,
        }
    }
    Ok(())
}

/// Waits for bytes and gives them on: how many, 0 at the end. The buffer is there only while they are taken, so that
/// who waits holds none.
async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    mut give_on: impl FnMut(&[u8]),
) -> io::Result<usize> {
    poll_fn(|context| {
        let mut space = [MaybeUninit::uninit(); READ];
        let mut buffer = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer))?;
        give_on(buffer.filled());
        io::Result::Ok(buffer.filled().len()).into()
    })
    .await
}

/// A TLS record.
const READ: usize = 16 * 1024;
