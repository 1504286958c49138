//! The reasons why SES refuses a message, and the words of each interface for them.
//!
//! Sources: SES Developer Guide, "SMTP response codes returned by Amazon SES" and "Errors related to the sending quotas
//! for your Amazon SES account"; SES API Reference, "Errors" of `SendEmail` in both versions; published transcripts.

use seskey::Region;

use super::{MAX_PARTS, MAX_RECIPIENTS};
use crate::{mailbox::Verdict, message::HeaderError};

/// The reason why SES refuses a message. `Display` is the text that all interfaces have in common.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendingRefusal {
    /// The message has more bytes than the interface accepts.
    #[error("Message is too long.")]
    TooLong,
    /// The message is too long, in the words of version 1. Source: aws/aws-sdk-go-v2#1774.
    #[error("Message length is more than {most} bytes long: '{length}'.")]
    LongerThan {
        /// The bytes of the largest message.
        most: usize,
        /// The bytes of this one.
        length: usize,
    },
    /// The message has more recipients than allowed.
    #[error("Recipient count exceeds {MAX_RECIPIENTS}.")]
    TooManyRecipients,
    /// The message has no recipient.
    #[error("Missing required header 'To'.")]
    NoRecipient,
    /// The sender or a recipient is not an address.
    #[error("Invalid email address {0}.")]
    InvalidAddress(String),
    /// The message has more MIME parts than allowed.
    #[error("Message has more than {MAX_PARTS} MIME parts.")]
    TooManyParts,
    /// SES does not accept the header.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The value of `From` is not an address.
    #[error("Address contains illegal characters in user name: '<{0}>'.")]
    InvalidAuthor(String),
    /// The value is not the ARN of an identity.
    #[error("Invalid identity ARN: '{0}'.")]
    InvalidArn(String),
    /// The account has paused its sending.
    #[error(
        "Sending paused for this account. For more information, please check the inbox of the email address \
         associated with your AWS account."
    )]
    SendingPaused,
    /// The policies do not allow the message.
    #[error("User `{user}' is not authorized to perform `{action}' on resource `{resource}'")]
    AccessDenied {
        /// The ARN of the user.
        user: String,
        /// `ses:SendRawEmail` or `ses:SendEmail`.
        action: &'static str,
        /// The ARN of the identity or the configuration set.
        resource: String,
        /// The verdict of the policies; absent if another account has the identity.
        verdict: Option<Box<Verdict>>,
    },
    /// The configuration set does not exist.
    #[error("Configuration set <{0}> does not exist.")]
    NoConfigurationSet(String),
    /// Some identities are not verified.
    #[error(
        "Email address is not verified. The following identities failed the check in region {}: {}",
        .region.as_str().to_ascii_uppercase(), shown(.identities)
    )]
    NotVerified {
        /// The region of the endpoint.
        region: Region,
        /// The identities as written in the message and its envelope.
        identities: Vec<String>,
    },
    /// The quota of 24 hours would be exceeded.
    #[error("Daily message quota exceeded")]
    DailyQuota,
    /// The rate of a second is exceeded.
    #[error("Maximum sending rate exceeded")]
    SendingRate,
    /// The message could not be stored; a retry may succeed.
    #[error("Temporary service failure")]
    TemporaryServiceFailure,
}

/// The words of the interfaces before the text: the code and the first words of the SMTP reply, the error code and the
/// HTTP status of the API, version 1 and version 2.
pub(crate) struct Class {
    smtp: (u16, &'static str),
    pub(crate) v1: (&'static str, u16),
    pub(crate) v2: (&'static str, u16),
}

const TRANSACTION_FAILED: Class = Class {
    smtp: (554, "Transaction failed: "),
    v1: ("InvalidParameterValue", 400),
    v2: ("BadRequestException", 400),
};
const TOO_LONG: Class = Class { smtp: (552, ""), ..TRANSACTION_FAILED };
const MESSAGE_REJECTED: Class = Class {
    smtp: (554, "Message rejected: "),
    v1: ("MessageRejected", 400),
    v2: ("MessageRejected", 400),
};
const SENDING_PAUSED: Class = Class {
    v1: ("AccountSendingPausedException", 400),
    v2: ("SendingPausedException", 400),
    ..MESSAGE_REJECTED
};
const ACCESS_DENIED: Class = Class {
    smtp: (554, "Access denied: "),
    v1: ("AccessDenied", 403),
    v2: ("AccessDeniedException", 403),
};
const NO_CONFIGURATION_SET: Class = Class {
    v1: ("ConfigurationSetDoesNotExist", 400),
    v2: ("NotFoundException", 404),
    ..TRANSACTION_FAILED
};
const THROTTLING: Class = Class {
    smtp: (454, "Throttling failure: "),
    v1: ("Throttling", 400),
    v2: ("TooManyRequestsException", 429),
};

const TEMPORARY_FAILURE: Class = Class {
    smtp: (451, ""),
    v1: ("ServiceUnavailable", 503),
    v2: ("InternalServiceErrorException", 500),
};

impl SendingRefusal {
    /// Returns the verdict of the policies, if they refuse it.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::AccessDenied { verdict, .. } => verdict.as_deref().cloned(),
            _ => None,
        }
    }

    /// Returns the reply of the SMTP endpoint: a code and a text.
    pub fn reply(&self) -> (u16, String) {
        let (code, first_words) = self.class().smtp;
        (code, format!("{first_words}{self}"))
    }

    pub(crate) fn class(&self) -> &'static Class {
        match self {
            Self::TooLong => &TOO_LONG,
            Self::TemporaryServiceFailure => &TEMPORARY_FAILURE,
            Self::LongerThan { .. }
            | Self::TooManyRecipients
            | Self::NoRecipient
            | Self::InvalidAddress(_)
            | Self::TooManyParts
            | Self::Header(_)
            | Self::InvalidAuthor(_)
            | Self::InvalidArn(_) => &TRANSACTION_FAILED,
            Self::NoConfigurationSet(_) => &NO_CONFIGURATION_SET,
            Self::SendingPaused => &SENDING_PAUSED,
            Self::AccessDenied { .. } => &ACCESS_DENIED,
            Self::NotVerified { .. } => &MESSAGE_REJECTED,
            Self::DailyQuota | Self::SendingRate => &THROTTLING,
        }
    }
}

/// Lists identities. A message that cannot show all of them ends in `...`.
fn shown(identities: &[String]) -> String {
    let mut shown = String::new();
    for identity in identities {
        if shown.len() + identity.len() > MOST_SHOWN {
            return shown + "...";
        }
        let comma = if shown.is_empty() { "" } else { ", " };
        shown = shown + comma + identity;
    }
    shown
}

/// The most bytes of the list, our own limit: with the words before it the list fits into a reply.
const MOST_SHOWN: usize = 800;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_of_identities_ends_in_dots() {
        let identity = "a".repeat(300);
        assert_eq!(shown(&["a".to_owned(), "b".to_owned()]), "a, b");
        assert_eq!(shown(&vec![identity.clone(); 3]), format!("{identity}, {identity}..."));
    }
}
