//! Sending, common to both versions: the parameters are merged with the header of the message, and SES decides.

use base64::{Engine, prelude::BASE64_STANDARD};
use memchr::memchr_iter;

use super::{Call, SesRefusal, compose};
use crate::{
    mailbox::{Body, Message},
    message::{HeaderError, IdentityArns, RawMessage, check_tag, subject},
    sending::{Accepted, Envelope, Interface, Submission},
};

/// A message with its parameters.
#[derive(Default)]
pub(super) struct Draft {
    /// The permission that it needs.
    pub(super) action: &'static str,
    pub(super) message: Vec<u8>,
    /// The sender; absent if it is the author in the header.
    pub(super) source: Option<String>,
    /// The recipients; empty if they are those in the header.
    pub(super) recipients: Vec<String>,
    /// The address for bounces; absent if it is the sender.
    pub(super) return_path: Option<String>,
    /// The ARNs of identities, which override those in the header.
    pub(super) arns: IdentityArns,
    /// The configuration set, which overrides the one in the header.
    pub(super) configuration_set: Option<String>,
    /// The tags, as names and values.
    pub(super) tags: Vec<(String, String)>,
    /// The subject and the body that SES composed the message of.
    pub(super) composed_of: Option<(String, Body)>,
}

/// Decodes a message from a Base64 parameter, unless it is too long. The text is dropped.
pub(super) fn decoded(
    name: &str,
    text: String,
    interface: Interface,
) -> Result<Vec<u8>, SesRefusal> {
    let text = text.trim();
    let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
    interface.check_length((text.len() / 4 * 3).saturating_sub(padding))?;
    let refused = |_| SesRefusal::InvalidParameter(format!("{name} is not in base64."));
    BASE64_STANDARD.decode(text).map_err(refused)
}

impl Call<'_> {
    /// Sends a message, and returns its ID.
    pub(super) fn send(&mut self, draft: Draft) -> Result<String, SesRefusal> {
        self.interface.check_length(draft.message.len())?;
        for (name, value) in &draft.tags {
            check_tag(name, value).map_err(HeaderError::from)?;
        }
        let is_name = |name: &String| {
            (1..=64).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.@".contains(&b))
        };
        if !draft.configuration_set.as_ref().is_none_or(is_name) {
            let text = "Invalid configuration set name.".to_owned();
            return Err(SesRefusal::InvalidParameter(text));
        }
        let message = with_line_ends(draft.message);
        let length = message.len();
        let bytes = with_author(message, draft.source.as_deref())?;
        let message = RawMessage::split(&bytes);
        let mut header = message.header()?;
        if !draft.tags.is_empty() {
            header.tags = draft.tags;
        }
        header.configuration_set = draft.configuration_set.or(header.configuration_set);
        let IdentityArns { source, from, return_path } = draft.arns;
        let in_header = header.arns;
        header.arns = IdentityArns {
            source: source.or(in_header.source),
            from: from.or(in_header.from),
            return_path: return_path.or(in_header.return_path),
        };
        let address = |text: &str| compose::mailbox(text).map(|mailbox| mailbox.address);
        let author = || header.authors.first().map(|author| author.address.clone());
        let sender = draft.source.as_deref().map(address).transpose()?.or_else(author);
        let recipients = match draft.recipients.as_slice() {
            [] => [&header.to, &header.cc, &header.bcc].into_iter().flatten().cloned().collect(),
            given => given.iter().map(|text| address(text)).collect::<Result<_, _>>()?,
        };
        let return_path = draft.return_path.as_deref().map(address).transpose()?;
        let envelope = Envelope { sender: sender.unwrap_or_default(), recipients };
        let submission = Submission {
            interface: self.interface,
            action: draft.action,
            principal: &self.caller,
            envelope: &envelope,
            source: draft.source.as_deref(),
            return_path: return_path.as_deref(),
            message: &message,
            added: bytes.len() - length,
            header: &header,
            circumstances: self.circumstances,
            region: &self.region,
        };
        let checked = submission
            .check_form()
            .and_then(|()| submission.check_account(self.account, self.settings))
            .and_then(|()| submission.count(self.sent, self.settings));
        if let Err(refusal) = checked {
            *self.refused = Some((envelope, subject(&bytes)));
            return Err(refusal.into());
        }
        let id = submission.new_id(&mut *self.rng);
        let accept = submission.accept(self.account, id.clone());
        let (subject, body) = draft.composed_of.unzip();
        let accepted = accept(bytes);
        let message = accepted.message.map(|message| Message { subject, body, ..message });
        *self.accepted = Some(Accepted { message, ..accepted });
        Ok(id)
    }
}

/// Changes bare LF to CRLF. A raw message may have the line ends of its file: AWS's own examples have LF.
fn with_line_ends(message: Vec<u8>) -> Vec<u8> {
    let is_bare = |at: &usize| *at == 0 || message[*at - 1] != b'\r';
    let bare = || memchr_iter(b'\n', &message).filter(is_bare);
    let count = bare().count();
    if count == 0 {
        return message;
    }
    let mut whole = Vec::with_capacity(message.len() + count);
    let mut from = 0;
    for at in bare() {
        whole.extend_from_slice(&message[from..at]);
        whole.extend_from_slice(b"\r\n");
        from = at + 1;
    }
    whole.extend_from_slice(&message[from..]);
    whole
}

/// Adds the source as the author to a message without one. "If you don't provide a value for this parameter, you must
/// specify a From address in the raw text of the message" (SES API Reference, `SendRawEmail`).
fn with_author(mut message: Vec<u8>, source: Option<&str>) -> Result<Vec<u8>, SesRefusal> {
    if let (Some(source), Err(HeaderError::Missing("From"))) =
        (source, RawMessage::split(&message).header())
    {
        message.splice(..0, compose::from_field(source)?);
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_ends_in_crlf() {
        for (given, expected) in [
            ("", ""),
            ("a\r\nb\r\n", "a\r\nb\r\n"),
            ("\na\n\nb", "\r\na\r\n\r\nb"),
            ("a\r\nb\n\r\nc\rd\n", "a\r\nb\r\n\r\nc\rd\r\n"),
        ] {
            assert_eq!(with_line_ends(given.into()), expected.as_bytes(), "{given:?}");
        }
    }
}
