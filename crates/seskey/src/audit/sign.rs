//! The signs that a user sends by SMTP, the surest first.

use super::Subject;
use crate::{
    policy::SEND,
    rotation::Sending,
    user::{CONSOLE_TAG, SENDING_GROUP, SENDING_POLICY},
};

/// A sign that a user sends by SMTP. Of several, the first one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sign {
    /// A key of it has logged in to the SMTP endpoint.
    UsedForSmtp,
    /// It is in the group of the SES console.
    SendingGroup,
    /// It has the tag of the SES console.
    ConsoleTag,
    /// A policy of it has the name that the SES console gives.
    ConsolePolicy,
    /// Its name has the form that the SES console proposes.
    ConsoleName,
    /// It has a tag of seskey, or a row in `seskey.toml`.
    Seskey,
    /// It has a key, and a policy for sending lets it send.
    MaySend,
    /// It has a key, and may send because it may do everything, or all of SES. It does not count as a sender.
    Could,
}

impl Sign {
    pub(super) fn of(subject: &Subject<'_>) -> Option<Self> {
        ALL.iter().find(|(_, judge)| judge(subject)).map(|(sign, _)| *sign)
    }

    /// Returns its name, which does not change.
    pub fn id(self) -> &'static str {
        match self {
            Self::UsedForSmtp => "used-for-smtp",
            Self::SendingGroup => "sending-group",
            Self::ConsoleTag => "console-tag",
            Self::ConsolePolicy => "console-policy",
            Self::ConsoleName => "console-name",
            Self::Seskey => "seskey",
            Self::MaySend => "may-send",
            Self::Could => "could-send",
        }
    }

    /// Returns the sign in words.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::UsedForSmtp => "a key of it was last used for ses-smtp",
            Self::SendingGroup => "it is in the group AWSSESSendingGroupDoNotRename",
            Self::ConsoleTag => "it has the tag InvokedBy=SESConsole",
            Self::ConsolePolicy => "it has a policy named AmazonSesSendingAccess",
            Self::ConsoleName => "it is named as the SES console names SMTP users",
            Self::Seskey => "it has a tag of seskey, or a row in seskey.toml",
            Self::MaySend => "it has an access key, and a policy that lets it send",
            Self::Could => "it has an access key, and may do everything, or all of SES",
        }
    }
}

type IsSo = fn(&Subject<'_>) -> bool;

const ALL: [(Sign, IsSo); 8] = [
    (Sign::UsedForSmtp, |s| {
        s.user.keys.iter().any(|key| key.last_use.as_ref().is_some_and(|used| used.is_smtp()))
    }),
    (Sign::SendingGroup, |s| s.user.groups.contains(SENDING_GROUP)),
    (Sign::ConsoleTag, |s| s.user.tag(CONSOLE_TAG.0) == Some(CONSOLE_TAG.1)),
    (Sign::ConsolePolicy, |s| {
        let policies = &s.user.policies;
        let mut names = policies.inline.iter().chain(&policies.attached).map(|(name, _)| name);
        names.any(|name| name == SENDING_POLICY)
    }),
    (Sign::ConsoleName, |s| is_proposed(&s.user.name)),
    (Sign::Seskey, |s| {
        s.declared.is_some() || s.user.tags.iter().any(|(key, _)| key.starts_with("seskey:"))
    }),
    (Sign::MaySend, |s| {
        may_send(s)
            && s.policies.iter().any(|(_, policy)| policy.may_allow_without(SEND, OF_MANAGERS))
    }),
    (Sign::Could, may_send),
];

fn may_send(subject: &Subject<'_>) -> bool {
    !subject.user.keys.is_empty() && subject.sending == Sending::Allowed
}

/// An action that no user needs to send. Source: Service Authorization Reference, "Amazon SES".
const OF_MANAGERS: &str = "ses:DeleteIdentity";

/// Whether it is `ses-smtp-user.YYYYMMDD-HHMMSS`.
fn is_proposed(name: &str) -> bool {
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let time = name.strip_prefix("ses-smtp-user.").and_then(|time| time.split_once('-'));
    time.is_some_and(|(day, second)| digits(day, 8) && digits(second, 6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_console_proposes() {
        assert!(is_proposed("ses-smtp-user.20260820-200820"));
        for name in ["ses-smtp-user.2026082-200820", "ses-smtp-user.20260820", "ses-smtp-user.x"] {
            assert!(!is_proposed(name), "{name}");
        }
    }
}
