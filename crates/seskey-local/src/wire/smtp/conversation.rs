//! One connection: it reads lines and messages, follows the session, and writes its replies.

use std::{future::poll_fn, io, mem::MaybeUninit, pin::Pin, task::ready, time::Duration};

use seskey::{
    AccessKeyId, Region, Secret,
    diagnose::{Cause as Known, Finding},
};
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
    mailbox::{self, Attempt, By, Cause, Recorder},
    sending::{Login, MAX_MESSAGE},
    service::{
        Said,
        faults::{Mail, Moment, SmtpFault},
    },
};

pub(super) struct Conversation {
    client: Client,
    /// The region of the endpoint that the client called.
    region: Region,
    session: Session<Login>,
    /// The recorder of the dialogue, boxed, as most idle connections have said little.
    recorder: Box<Recorder>,
    input: Input,
    error_limit: ErrorLimit,
    /// The number of accepted messages.
    messages: u64,
}

/// The access key that a refused login named, and the cause of the refusal.
type RefusedLogin = (Option<AccessKeyId>, Option<Cause>);

/// The end of the part of a conversation in clear or in TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Closed,
    StartTls,
}

/// The input of a client that may close, or be too slow.
type Waited<T> = Result<io::Result<Option<T>>, Elapsed>;

impl Conversation {
    pub(super) fn new(client: Client) -> Self {
        Self {
            region: client.listener.region.clone(),
            recorder: Box::new(Recorder::new(client.endpoint.ses.now())),
            client,
            session: Session::new(false),
            input: Input::default(),
            error_limit: ErrorLimit::default(),
            messages: 0,
        }
    }

    /// Greets the client. Returns `false` if it is turned away on purpose.
    pub(super) async fn greet(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<bool> {
        let ses = &self.client.endpoint.ses;
        match ses.fault_of_command("CONNECT", Mail::default) {
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

    /// Begins the part in TLS, which may have been negotiated with the endpoint of a region.
    pub(super) fn tls_started(&mut self, named: Option<Region>) {
        self.session.tls_started();
        self.say(By::Note, "TLS is negotiated");
        if let Some(region) = named.filter(|region| *region != self.region) {
            let Client { peer, listener, .. } = &self.client;
            info!(%peer, listener = %listener.address, %region, instead_of = %self.region, "the TLS client named the endpoint of a region, which counts for this connection");
            self.region = region;
        }
    }

    /// Converses to the end, or until TLS begins.
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
            let (verb, step) = (self.session.verb(&line), self.session.step(&line));
            let now = self.client.endpoint.ses.now();
            self.recorder.say(now, By::Client, &self.session.shown(&line));
            if let Some(fault) = verb.and_then(|verb| self.fault_of(verb, &line)) {
                match self.fail(stream, step, fault, None).await? {
                    Some(end) => return Ok(end),
                    None => continue,
                }
            }
            let mut known = (None, None);
            let reply = match self.session.line(&line) {
                Step::Reply(reply) => reply,
                Step::Close(reply) => {
                    self.write(stream, &reply).await?;
                    return Ok(End::Closed);
                }
                // anyone could have inserted bytes that were sent along in clear
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
                    let fault = self.fault_of_login(&user_name);
                    if let Some(SmtpFault::Drop(Moment::After)) = fault {
                        self.authenticate(&user_name, &password);
                    }
                    if let Some(fault) = fault {
                        let named = AccessKeyId::parse(&user_name).ok();
                        match self.fail(stream, step, fault, named).await? {
                            Some(end) => return Ok(end),
                            None => continue,
                        }
                    }
                    let reply;
                    (reply, known) = self.authenticate(&user_name, &password);
                    reply
                }
                Step::Data(reply) => {
                    self.write(stream, &reply).await?;
                    let message =
                        timeout(self.client.endpoint.limits.message, self.message(stream)).await;
                    let Some((data, room)) = self.in_time(message.flatten(), stream).await? else {
                        return Ok(End::Closed);
                    };
                    // a message that is refused does not count as an error
                    match self.accept_or_fail(data, &room).await {
                        // the reply is recorded with the message
                        Some(reply) => {
                            write(stream, &reply, self.client.endpoint.limits.idle).await?;
                            if reply.code() == 421 {
                                return Ok(End::Closed);
                            }
                        }
                        None => return Ok(End::Closed),
                    }
                    continue;
                }
            };
            let counted = self.error_limit.count(reply, &self.client.endpoint.limits);
            let (Ok(reply) | Err(reply)) = &counted;
            self.refuse(step, reply, known);
            match counted {
                Ok(reply) => self.write(stream, &reply).await?,
                Err(last) => {
                    info!(peer = %self.client.peer, listener = %self.client.listener.address, code = last.code(), "too many errors");
                    self.write(stream, &last).await?;
                    return Ok(End::Closed);
                }
            }
            if self.session.user().is_some() {
                self.recorder.opened();
            }
        }
    }

    /// Reads the next line. Its time-out is for the whole line: one that drips takes no longer than one that does not
    /// come.
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

    /// Reads the message after DATA. If there is no room for it, it is read to its end all the same: a client that does
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

    /// Returns the input, or none if the client was too slow and has been told so.
    async fn in_time<T>(
        &mut self,
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

    async fn write(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        reply: &Reply,
    ) -> io::Result<()> {
        let now = self.client.endpoint.ses.now();
        reply.lines().for_each(|line| self.recorder.say(now, By::Server, line));
        write(stream, reply, self.client.endpoint.limits.idle).await
    }

    fn say(&mut self, by: By, line: &str) {
        self.recorder.say(self.client.endpoint.ses.now(), by, line);
    }

    /// Records the refusal by this reply, if it is one. The reply is not written yet.
    fn refuse(&mut self, step: Option<mailbox::Step>, reply: &Reply, login: RefusedLogin) {
        let Some(step) = step.filter(|_| reply.code() >= 400) else { return };
        let mut dialogue = match step {
            mailbox::Step::EndOfData => self.recorder.of_message(),
            _ => self.recorder.so_far(),
        };
        let ((named, cause), user) = (login, self.session.user());
        let (sender, recipients) = self.session.envelope();
        let text = reply.lines().last().unwrap_or_default();
        let ses = &self.client.endpoint.ses;
        let named = named.as_ref().map(AccessKeyId::as_str);
        let logged_in = user.map(|user| user.access_key_id.as_str());
        let (region, peer) = (self.region.to_string(), self.client.peer.ip());
        let now = ses.now();
        dialogue.say(now, By::Server, text);
        ses.refused(Attempt {
            user: user.map(|user| ses.arn(&user.principal)),
            access_key_id: named.or(logged_in).map(str::to_owned),
            source: sender.map(str::to_owned),
            recipients: recipients.to_vec(),
            cause,
            dialogue: Some(dialogue),
            ..Attempt::new(now, region, peer, step, text.to_owned())
        });
    }

    fn authenticate(&mut self, user_name: &str, password: &Secret) -> (Reply, RefusedLogin) {
        let Client { peer, listener, endpoint } = &self.client;
        let login = endpoint.ses.log_in(user_name, password, &self.region);
        // a user name that is not an access key ID may be a secret in the wrong place
        let named = AccessKeyId::parse(user_name).ok();
        let user = named.as_ref().map_or("not an access key ID", AccessKeyId::as_str);
        let mut cause = None;
        let (listener, region) = (listener.address, &self.region);
        match &login {
            Ok(_) => info!(%peer, %listener, %region, user, "login"),
            Err(why) => {
                info!(%peer, %listener, %region, user, ?why, "login refused");
                // a user looks for the cause, so it is logged even when the log is quiet
                if let Some(found) = endpoint.ses.why_refused(user_name, password, region, *why) {
                    let Finding { cause: Known { id, sentence, .. }, evidence, remedy, .. } = found;
                    warn!(%peer, %listener, %region, user, "login refused: {id}: {sentence}; {evidence}");
                    cause = Some(Cause { id, sentence, evidence, remedy });
                }
            }
        }
        (self.session.authenticated(login.ok()), (named, cause))
    }

    /// Returns the fault of a command. AUTH has its fault once the user name is known.
    fn fault_of(&self, verb: &str, line: &[u8]) -> Option<SmtpFault> {
        if verb == "AUTH" {
            return None;
        }
        self.client.endpoint.ses.fault_of_command(verb, || {
            let (sender, recipients) = self.session.envelope();
            let named = |keyword| Session::<Login>::named(line, verb, keyword);
            let (sender, recipients) = match verb {
                "MAIL" => (named("FROM"), vec![]),
                "RCPT" => (sender, named("TO").into_iter().collect()),
                _ => (sender, recipients.iter().map(String::as_str).collect()),
            };
            let user = self.session.user().and_then(|login| login.principal.user_name());
            Mail { user: user.map(Into::into), sender, recipients, messages: self.messages }
        })
    }

    fn fault_of_login(&self, user_name: &str) -> Option<SmtpFault> {
        let ses = &self.client.endpoint.ses;
        let user = || ses.user_of_key(user_name).map(Into::into);
        ses.fault_of_command("AUTH", || Mail { user: user(), ..Mail::default() })
    }

    /// Applies a fault to a command. Returns the end of the conversation, if the fault ends it.
    async fn fail(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        step: Option<mailbox::Step>,
        fault: SmtpFault,
        named: Option<AccessKeyId>,
    ) -> io::Result<Option<End>> {
        let SmtpFault::Reply(code, text) = fault else { return Ok(Some(End::Closed)) };
        let reply = self.refuse_on_purpose(step, code, &text, named);
        self.write(stream, &reply).await?;
        Ok((code == 421).then_some(End::Closed))
    }

    /// Returns the reply that the plan has for a command, and records it as a fault on purpose.
    fn refuse_on_purpose(
        &mut self,
        step: Option<mailbox::Step>,
        code: u16,
        text: &str,
        named: Option<AccessKeyId>,
    ) -> Reply {
        let reply = Reply::new(code, text);
        self.say(By::Note, "refused on purpose, by the plan of faults");
        self.refuse(step, &reply, (named, None));
        reply
    }

    /// Returns the reply to a message, or none if the connection is dropped on purpose.
    async fn accept_or_fail(&mut self, data: Data, room: &Room) -> Option<Reply> {
        if let Data::Message(message) = &data {
            self.say(By::Client, &format!("(message, {} bytes)", message.len()));
        }
        match self.fault_of(".", b"") {
            None => Some(self.accept(data, room, true).await),
            Some(SmtpFault::Reply(code, text)) => {
                let reply =
                    self.refuse_on_purpose(Some(mailbox::Step::EndOfData), code, &text, None);
                self.session.take_envelope();
                Some(reply)
            }
            Some(SmtpFault::Drop(moment)) => {
                if moment == Moment::After {
                    self.accept(data, room, false).await;
                }
                None
            }
        }
    }

    async fn accept(&mut self, data: Data, room: &Room, is_answered: bool) -> Reply {
        let (Data::Message(message), Some(login)) = (data, self.session.user().cloned()) else {
            let reply = match room.is_full {
                true => Reply::new(451, "Temporary service failure"),
                false => Reply::new(552, "Message is too long."),
            };
            self.refuse_message(&reply);
            return reply;
        };
        let envelope = self.session.take_envelope();
        let dialogue = self.recorder.of_message();
        let Client { peer, listener, endpoint } = &self.client;
        let (listener, region, user) = (listener.address, &self.region, &login.access_key_id);
        let bytes = message.len();
        let said = Said { peer: peer.ip(), region, dialogue, is_answered };
        match endpoint.ses.send(&login, envelope, message, said).await {
            Ok(id) => {
                self.error_limit = ErrorLimit::default();
                self.messages += 1;
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

    /// Refuses a message that was read to its end.
    fn refuse_message(&mut self, reply: &Reply) {
        self.refuse(Some(mailbox::Step::EndOfData), reply, (None, None));
        self.session.take_envelope();
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

/// Reads and discards bytes, up to the end or a limit.
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

/// Waits for bytes and passes them on. Returns their number, 0 at the end. The buffer exists only while they are taken,
/// so that a connection that waits holds none.
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

/// The size of a TLS record.
const READ: usize = 16 * 1024;
