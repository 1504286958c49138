//! A message from the SMTP endpoint: it is judged, kept, and then in the mailbox.

use std::net::IpAddr;

use seskey::Region;

use super::LocalSes;
use crate::{
    account::RequestContext,
    journal::{Commit, CommitFailed, Write},
    lock::lock,
    mailbox::Message,
    message::RawMessage,
    sending::{Envelope, Interface, Login, SendingRefusal, Submission},
};

impl LocalSes {
    /// Takes a message into the mailbox, and gives its ID.
    pub(crate) async fn send(
        &self,
        login: &Login,
        envelope: Envelope,
        message: Vec<u8>,
        peer: IpAddr,
        region: &Region,
    ) -> Result<String, SendingRefusal> {
        let kept = match self.judge(login, &envelope, message, peer, region) {
            Ok((id, message)) => {
                let bytes = message.as_ref().map_or(0, |message| message.raw_data.len());
                let write = |message: Message| self.state.hand_in(Write::Message(message.into()));
                let kept = message.map_or_else(Commit::default, write).done().await;
                kept.map(|()| (id, bytes))
                    .map_err(|CommitFailed| SendingRefusal::TemporaryServiceFailure)
            }
            Err(refusal) => Err(refusal),
        };
        match kept {
            Ok((id, bytes)) => {
                self.metrics.message_accepted(bytes);
                Ok(id)
            }
            Err(refusal) => {
                self.metrics.message_refused(refusal.reply().0);
                Err(refusal)
            }
        }
    }

    /// Whether a message from the SMTP endpoint is taken, and what is delivered of it.
    fn judge(
        &self,
        login: &Login,
        envelope: &Envelope,
        bytes: Vec<u8>,
        peer: IpAddr,
        region: &Region,
    ) -> Result<(String, Option<Message>), SendingRefusal> {
        let message = &RawMessage::split(&bytes);
        let submission = Submission {
            interface: Interface::Smtp,
            action: "ses:SendRawEmail",
            principal: &login.principal,
            envelope,
            return_path: None,
            message,
            header: &message.header()?,
            circumstances: RequestContext {
                access_key_id: &login.access_key_id,
                peer,
                secure_transport: true,
                user_agent: None,
                now: self.state.clock().now(),
            },
            region,
        };
        submission.check_form()?;
        submission.check_account(&self.state.account(), &self.sending)?;
        submission.count(&mut lock(&self.sent), &self.sending)?;
        let id = submission.new_id(&mut *lock(&self.rng));
        let deliver = submission.deliver(&self.state.account(), id.clone());
        Ok((id, deliver(bytes)))
    }
}
