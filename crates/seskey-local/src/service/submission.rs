//! A message from the SMTP endpoint: it is checked, stored, and then in the mailbox.

use std::net::IpAddr;

use seskey::Region;

use super::LocalSes;
use crate::{
    account::RequestContext,
    journal::{Commit, CommitFailed, Write},
    lock::lock,
    mailbox::{Attempt, By, Dialogue, Message, Origin, Step, Way},
    message::{self, RawMessage},
    sending::{Accepted, Envelope, Interface, Login, SendingRefusal, Submission},
};

/// The state of the session at the end of a message.
pub(crate) struct Said<'a> {
    pub(crate) peer: IpAddr,
    /// The region of the endpoint.
    pub(crate) region: &'a Region,
    /// The dialogue up to the message.
    pub(crate) dialogue: Dialogue,
    /// Whether the client gets the reply to the message.
    pub(crate) is_answered: bool,
}

impl LocalSes {
    /// Puts a message into the mailbox and returns its ID.
    pub(crate) async fn send(
        &self,
        login: &Login,
        envelope: Envelope,
        message: Vec<u8>,
        said: Said<'_>,
    ) -> Result<String, SendingRefusal> {
        let (id, accepted) = match self.judge(login, &envelope, message, &said) {
            Ok(judged) => judged,
            Err((refusal, subject)) => {
                return Err(self.refuse(login, envelope, said, refusal, subject));
            }
        };
        let Accepted { message, dispatch } = accepted;
        let bytes = message.as_ref().map_or(0, |message| message.raw_data.len());
        let write = |message: Message| {
            let way = Way::Smtp(self.answered(
                said.dialogue.clone(),
                said.is_answered,
                &format!("250 Ok {id}"),
            ));
            let user = self.arn(&login.principal);
            let access_key_id = login.access_key_id.clone();
            let origin = Origin { peer: said.peer, user, access_key_id, way };
            let message = Message { origin: Some(Box::new(origin)), ..message };
            self.state.hand_in(Write::Message(message.into()))
        };
        match message.map_or_else(Commit::default, write).done().await {
            Ok(()) => {
                self.metrics.message_accepted(bytes);
                self.follow(dispatch).await;
                Ok(id)
            }
            Err(CommitFailed) => {
                let refusal = SendingRefusal::TemporaryServiceFailure;
                Err(self.refuse(login, envelope, said, refusal, None))
            }
        }
    }

    /// Records a refused message.
    fn refuse(
        &self,
        login: &Login,
        envelope: Envelope,
        said: Said<'_>,
        refusal: SendingRefusal,
        subject: Option<String>,
    ) -> SendingRefusal {
        let (code, text) = refusal.reply();
        self.metrics.message_refused(code);
        let reply = format!("{code} {text}");
        let dialogue = self.answered(said.dialogue, said.is_answered, &reply);
        let region = said.region.to_string();
        self.refused(Attempt {
            user: Some(self.arn(&login.principal)),
            access_key_id: Some(login.access_key_id.clone()),
            source: Some(envelope.sender),
            recipients: envelope.recipients,
            subject,
            decision: refusal.verdict(),
            dialogue: Some(dialogue),
            ..Attempt::new(self.now(), region, said.peer, Step::EndOfData, reply)
        });
        refusal
    }

    /// Returns the dialogue with the reply to the message.
    fn answered(&self, mut dialogue: Dialogue, is_answered: bool, reply: &str) -> Dialogue {
        match is_answered {
            true => dialogue.say(self.now(), By::Server, reply),
            false => dialogue.say(self.now(), By::Note, "the connection is cut on purpose"),
        }
        dialogue
    }

    /// Decides whether a message from the SMTP endpoint is accepted, and what is delivered of it.
    fn judge(
        &self,
        login: &Login,
        envelope: &Envelope,
        bytes: Vec<u8>,
        said: &Said<'_>,
    ) -> Result<(String, Accepted), (SendingRefusal, Option<String>)> {
        let judge = || {
            let message = &RawMessage::split(&bytes);
            let submission = Submission {
                interface: Interface::Smtp,
                action: "ses:SendRawEmail",
                principal: &login.principal,
                envelope,
                source: None,
                return_path: None,
                message,
                added: 0,
                header: &message.header()?,
                circumstances: RequestContext {
                    access_key_id: &login.access_key_id,
                    peer: said.peer,
                    secure_transport: true,
                    user_agent: None,
                    now: self.state.clock().now(),
                },
                region: said.region,
            };
            submission.check_form()?;
            submission.check_account(&self.state.account(), &self.sending)?;
            submission.count(&mut lock(&self.sent), &self.sending)?;
            let id = submission.new_id(&mut *lock(&self.rng));
            let accept = submission.accept(&self.state.account(), id.clone());
            Ok::<_, SendingRefusal>((id, accept))
        };
        match judge() {
            Ok((id, accept)) => Ok((id, accept(bytes))),
            Err(refusal) => Err((refusal, message::subject(&bytes))),
        }
    }
}
