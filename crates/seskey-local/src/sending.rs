//! The decision whether SES accepts a message, by any interface: its form, the permission to send it, the identities
//! that it is sent from, and how much has been sent already.

use std::sync::Arc;

use jiff::Timestamp;
use memchr::memmem;
use rand::Rng;
use seskey::Region;

pub use quota::{Quota, SendDataPoint, Sent};
pub use refusal::SendingRefusal;

use crate::{
    account::{Account, Principal, RequestContext, SesResourceKind},
    address::is_address,
    event::{self, Dispatch, Fate, is_simulator},
    mailbox::{self, Destination},
    message::{self, Header, RawMessage},
};

mod permission;
mod quota;
mod refusal;
mod verified;

/// A login to the SMTP endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The SMTP user name.
    pub access_key_id: String,
    /// The owner of the access key.
    pub principal: Principal,
}

/// The reason why a login was refused; the client is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoginRefused {
    UnknownKey,
    InactiveKey,
    WrongPassword,
}

/// The sender and the recipients of a message, as MAIL and RCPT named them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The address of MAIL.
    pub sender: String,
    /// The addresses of RCPT, in order.
    pub recipients: Vec<String>,
}

/// The rights and quotas that AWS has granted the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// Whether the account is in the sandbox, where recipients must be verified too.
    pub sandbox: bool,
    /// The sending quotas.
    pub quota: Quota,
}

/// The interface by which a message comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interface {
    /// The SMTP endpoint.
    Smtp,
    /// The Query API, version 2010-12-01.
    V1,
    /// The REST API, version 2.
    V2,
}

/// A message that SES decides on.
#[derive(Debug)]
pub struct Submission<'a> {
    /// The interface by which it comes.
    pub interface: Interface,
    /// The required permission: `ses:SendRawEmail`, or `ses:SendEmail` for a message that SES composes.
    pub action: &'static str,
    /// The sending principal.
    pub principal: &'a Principal,
    /// The sender and the recipients.
    pub envelope: &'a Envelope,
    /// The sender in a parameter of an API; if absent, the sender of the envelope counts.
    pub source: Option<&'a str>,
    /// The address for bounces in a parameter; if absent, they go to the addresses in `Return-Path`, or else to the
    /// sender.
    pub return_path: Option<&'a str>,
    /// The message.
    pub message: &'a RawMessage<'a>,
    /// The number of bytes that SES added at its beginning.
    pub added: usize,
    /// Its header, with the additions from the parameters of an API.
    pub header: &'a Header,
    /// The context of the request.
    pub circumstances: RequestContext<'a>,
    /// The region of the endpoint.
    pub region: &'a Region,
}

/// The result of an accepted message.
#[derive(Debug)]
pub struct Accepted {
    /// The message for the mailbox; absent if no recipient gets it.
    pub message: Option<mailbox::Message>,
    /// The mail and its fates.
    pub dispatch: Dispatch,
}

/// The size of the largest message, in bytes. Source: SES Developer Guide, "Service quotas in Amazon SES".
pub(crate) const MAX_MESSAGE: usize = 40 * 1024 * 1024;
/// The most recipients of one message. Source: SES Developer Guide, "Service quotas in Amazon SES".
const MAX_RECIPIENTS: usize = 50;
/// The most MIME parts of one message. Source: the same page.
const MAX_PARTS: usize = 500;

/// Whether a message contains the test file of virus scanners, as it is or in Base64.
/// Source: SES Developer Guide, "Using the mailbox simulator manually" (on rejects); EICAR, "Anti-malware testfile".
fn is_harmful(message: &[u8]) -> bool {
    // in two pieces each, or scanners would find this program
    let needles = [
        ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD", "-ANTIVIRUS-TEST-FILE!"],
        ["WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNU", "QU5EQVJELUFOVElWSVJVUy1U"],
    ];
    needles.iter().any(|pieces| memmem::find(message, pieces.concat().as_bytes()).is_some())
}

impl Interface {
    /// Returns the size of the largest message, in bytes. Source: SES Developer Guide, "Service quotas in Amazon SES".
    pub fn max_message(self) -> usize {
        match self {
            Self::Smtp | Self::V2 => MAX_MESSAGE,
            Self::V1 => 10 * 1024 * 1024,
        }
    }

    /// Checks the length of a message.
    ///
    /// # Errors
    /// The message is too long.
    pub fn check_length(self, length: usize) -> Result<(), SendingRefusal> {
        let most = self.max_message();
        match self {
            _ if length <= most => Ok(()),
            Self::V1 => Err(SendingRefusal::LongerThan { most, length }),
            Self::Smtp | Self::V2 => Err(SendingRefusal::TooLong),
        }
    }

    /// Returns the condition key `ses:ApiVersion`. The value `2` of SMTP is from the Service Authorization Reference.
    pub fn api_version(self) -> &'static str {
        match self {
            Self::Smtp | Self::V2 => "2",
            Self::V1 => "1",
        }
    }
}

impl Submission<'_> {
    /// Checks the rules that do not depend on the account.
    ///
    /// # Errors
    /// The first reason why the message is refused.
    pub fn check_form(&self) -> Result<(), SendingRefusal> {
        let mut authors = self.header.authors.iter();
        if let Some(author) = authors.find(|author| !is_address(&author.address)) {
            return Err(SendingRefusal::InvalidAuthor(author.address.clone()));
        }
        let Envelope { sender, recipients } = self.envelope;
        if recipients.is_empty() {
            return Err(SendingRefusal::NoRecipient);
        }
        if recipients.len() > MAX_RECIPIENTS {
            return Err(SendingRefusal::TooManyRecipients);
        }
        let mut addresses =
            recipients.iter().chain([sender]).map(String::as_str).chain(self.return_path);
        if let Some(address) = addresses.find(|address| !is_address(address)) {
            return Err(SendingRefusal::InvalidAddress(address.to_owned()));
        }
        if self.message.count_parts(MAX_PARTS)? > MAX_PARTS {
            return Err(SendingRefusal::TooManyParts);
        }
        Ok(())
    }

    /// Checks whether the account lets this principal send the message.
    ///
    /// # Errors
    /// The first reason why the message is refused.
    pub fn check_account(
        &self,
        account: &Account,
        settings: &Settings,
    ) -> Result<(), SendingRefusal> {
        if !account.is_sending_enabled(self.region) {
            return Err(SendingRefusal::SendingPaused);
        }
        self.check_permission(account)?;
        self.check_configuration_set(account)?;
        self.check_verified(account, settings)
    }

    /// Checks the configuration set. While the region has none, any name is accepted.
    fn check_configuration_set(&self, account: &Account) -> Result<(), SendingRefusal> {
        let Some(name) = &self.header.configuration_set else { return Ok(()) };
        let kind = SesResourceKind::ConfigurationSet;
        let is_known = account.ses_resource(self.region, kind, name).is_some();
        match is_known || account.ses_resources_of(self.region, kind).next().is_none() {
            true => Ok(()),
            false => Err(SendingRefusal::NoConfigurationSet(name.clone())),
        }
    }

    /// Counts the message against the quotas. Recipients at the mailbox simulator count for the rate alone.
    ///
    /// # Errors
    /// A quota would be exceeded.
    pub fn count(&self, sent: &mut Sent, settings: &Settings) -> Result<(), SendingRefusal> {
        let recipients = &self.envelope.recipients;
        let counted = recipients.iter().filter(|address| !is_simulator(address));
        let (all, counted) = (recipients.len() as u64, counted.count() as u64);
        sent.count(self.region, &settings.quota, all, counted, self.now())
    }

    /// Makes an ID for the message.
    pub fn new_id(&self, rng: &mut dyn Rng) -> String {
        message::message_id(self.region, self.now(), rng)
    }

    /// Returns a function that accepts the message. It takes the bytes themselves, as they may be many.
    pub fn accept(
        &self,
        account: &Account,
        id: String,
    ) -> impl FnOnce(Vec<u8>) -> Accepted + use<> {
        let rewritten = self.message.rewritten(&id, &self.header.tags, self.region, self.now());
        let fate = |address: String| {
            let fate = match account.suppression(self.region, &address) {
                Some(reason) => Fate::suppressed(reason),
                None => Fate::at_simulator(&address).unwrap_or(Fate::Delivered),
            };
            (address, fate)
        };
        let Envelope { sender, recipients } = self.envelope.clone();
        let mut fates: Vec<_> = recipients.into_iter().map(fate).collect();
        let going = fates.iter().filter(|(_, fate)| fate.goes_out());
        let recipients: Vec<String> = going.map(|(address, _)| address.clone()).collect();
        let mail = Arc::new(self.mail(account, &id));
        let without_bytes = mailbox::Message {
            id,
            region: self.region.to_string(),
            timestamp: self.now(),
            destination: Destination::new(recipients, &self.header.to, &self.header.cc),
            raw_data: vec![],
            source: sender,
            subject: None,
            body: None,
            origin: None,
        };
        move |bytes| {
            // a message may be long, and the account is no longer locked
            if is_harmful(&bytes) {
                fates.iter_mut().for_each(|(_, fate)| *fate = Fate::Rejected);
            }
            let goes_out = fates.iter().any(|(_, fate)| fate.goes_out());
            let message = goes_out
                .then(|| mailbox::Message { raw_data: rewritten.of(bytes), ..without_bytes });
            Accepted { message, dispatch: Dispatch { mail, fates } }
        }
    }

    /// Returns the mail that events report.
    fn mail(&self, account: &Account, id: &str) -> event::Mail {
        let author = self.header.authors.first().map(|author| author.address.as_str());
        let identity = author.and_then(|author| account.identity_of(self.region, author));
        let of_identity =
            identity.as_ref().and_then(|it| account.identity_settings(self.region, it));
        let by_default = || of_identity?.configuration_set.clone();
        let header = self.message.header_bytes();
        let header = &header[self.added.min(header.len())..];
        event::Mail {
            timestamp: self.now(),
            message_id: id.to_owned(),
            region: self.region.clone(),
            source: self.source.unwrap_or(&self.envelope.sender).to_owned(),
            source_arn: identity.map(|it| account.identity_arn(self.region, &it)),
            sending_account_id: account.id().to_string(),
            destination: self.envelope.recipients.clone(),
            header: header[..header.len().min(event::MAX_HEADER)].to_owned(),
            is_truncated: header.len() > event::MAX_HEADER,
            configuration_set: self.header.configuration_set.clone().or_else(by_default),
            tags: self.header.tags.clone(),
            operation: match self.interface {
                Interface::Smtp => "SendSmtpEmail",
                Interface::V1 => self.action.trim_start_matches("ses:"),
                Interface::V2 => "SendEmail",
            },
            source_ip: self.circumstances.peer,
            caller_identity: self.principal.caller_identity().to_owned(),
        }
    }

    /// Returns the addresses that bounces go to: one, or all that the header names.
    fn feedback_addresses(&self) -> Vec<&str> {
        match (self.return_path, self.header.return_path.as_slice()) {
            (Some(address), _) => vec![address],
            (None, []) => vec![&self.envelope.sender],
            (None, in_header) => in_header.iter().map(String::as_str).collect(),
        }
    }

    fn now(&self) -> Timestamp {
        self.circumstances.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_interface_has_its_size() {
        let in_its_words = SendingRefusal::LongerThan { most: 10_485_760, length: 10_485_761 };
        for (interface, max, refusal) in [
            (Interface::Smtp, 40 << 20, SendingRefusal::TooLong),
            (Interface::V1, 10 << 20, in_its_words),
            (Interface::V2, 40 << 20, SendingRefusal::TooLong),
        ] {
            for (length, expected) in [(max, Ok(())), (max + 1, Err(refusal))] {
                assert_eq!(interface.check_length(length), expected, "{interface:?} {length}");
            }
        }
    }
}
