//! What both versions do with a message to send: the parameters are joined with its header, and SES decides.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{Call, Refusal, compose};
use crate::{
    mailbox::Body,
    message::{IdentityArns, RawMessage},
    sending::{self, Interface, Submission},
    smtp::Envelope,
};

/// A message and what the parameters say of it.
#[derive(Default)]
pub(super) struct Draft {
    /// The permission that it takes.
    pub(super) action: &'static str,
    pub(super) message: Vec<u8>,
    /// The sender; else the author in the header.
    pub(super) source: Option<String>,
    /// The recipients; if there are none, those in the header.
    pub(super) recipients: Vec<String>,
    /// Where bounces go to; else to the sender.
    pub(super) return_path: Option<String>,
    /// They go before those in the header.
    pub(super) arns: IdentityArns,
    /// It goes before the one in the header.
    pub(super) configuration_set: Option<String>,
    /// Names and values.
    pub(super) tags: Vec<(String, String)>,
    /// What SES was given to compose the message of.
    pub(super) composed_of: Option<(String, Body)>,
}

/// The message that stands in a parameter in Base64. One that is too long is not decoded.
pub(super) fn decoded(name: &str, text: &str, interface: Interface) -> Result<Vec<u8>, Refusal> {
    let text = text.trim();
    if text.len() / 4 * 3 > interface.max_message() + 2 {
        return Err(sending::Refusal::TooLong.into());
    }
    let refused = |_| Refusal::InvalidParameter(format!("{name} is not in base64."));
    BASE64_STANDARD.decode(text).map_err(refused)
}

impl Call<'_> {
    /// Sends a message, and gives its ID.
    pub(super) fn send(&mut self, draft: Draft) -> Result<String, Refusal> {
        let word = |text: &str, most| {
            (1..=most).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.@".contains(&b))
        };
        if draft.tags.iter().any(|(name, value)| !word(name, 256) || !word(value, 256)) {
            return Err(Refusal::InvalidParameter("Invalid tag.".to_owned()));
        }
        if draft.configuration_set.as_ref().is_some_and(|name| !word(name, 64)) {
            let text = "Invalid configuration set name.".to_owned();
            return Err(Refusal::InvalidParameter(text));
        }
        let message = RawMessage::split(&draft.message);
        let mut header = message.header();
        header.configuration_set = draft.configuration_set.or(header.configuration_set);
        let IdentityArns { source, from, return_path } = draft.arns;
        let in_header = header.arns;
        header.arns = IdentityArns {
            source: source.or(in_header.source),
            from: from.or(in_header.from),
            return_path: return_path.or(in_header.return_path),
        };
        let address = |text: &String| compose::mailbox(text).map(|mailbox| mailbox.address);
        let author = || header.authors.first().map(|author| author.address.clone());
        let sender = draft.source.as_ref().map(address).transpose()?.or_else(author);
        let recipients = match draft.recipients.as_slice() {
            [] => [&header.to, &header.cc, &header.bcc].into_iter().flatten().cloned().collect(),
            given => given.iter().map(address).collect::<Result<_, _>>()?,
        };
        let return_path = draft.return_path.as_ref().map(address).transpose()?;
        let submission = Submission {
            interface: self.interface,
            action: draft.action,
            principal: &self.caller,
            envelope: &Envelope { sender: sender.unwrap_or_default(), recipients },
            return_path: return_path.as_deref(),
            message: &message,
            header: &header,
            circumstances: self.circumstances,
            region: &self.region,
        };
        submission.check_form()?;
        submission.check_account(self.account, self.settings)?;
        submission.count(self.sent, self.settings)?;
        let mut message = submission.deliver(&mut *self.rng).of(draft.message);
        (message.subject, message.body) = draft.composed_of.unzip();
        let id = message.id.clone();
        *self.accepted = Some(message);
        Ok(id)
    }
}
