//! Why a login or a message was refused: from what was typed and what the server replied, the most likely reason first.

use crate::recognise::Recognised;

/// What is known about a refused attempt.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a> {
    /// What the password is by its form.
    pub password: &'a Recognised,
    /// The server's reply: its code and its text.
    pub code: u16,
    /// The text of the reply.
    pub text: &'a str,
}

/// A reason for a refusal, to be put into words where it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The raw secret access key was given as the password.
    RawSecretAccessKey,
    /// The password is of the algorithm of before 2019.
    LegacyPassword,
    /// The password has no version byte, or is no SMTP password at all.
    NotAPassword,
    /// The password is for another region than the endpoint's, or of another key.
    OtherRegionOrKey,
    /// The access key was made seconds ago and has not taken effect everywhere.
    NewKey,
    /// The access key is inactive or deleted.
    InactiveKey,
    /// The policy of the user does not let it send this message.
    NoPermission,
    /// The sender, or in the sandbox a recipient, is not a verified identity.
    NotVerified,
    /// The server asks for less, or later.
    Throttled,
    /// The account has no SES in this region, or sending is paused.
    Account,
}

/// The reasons for a refusal, the most likely first; empty when nothing is known about such a reply.
/// Source: SES Developer Guide, "Amazon SES SMTP issues" (table of replies), and the rules of the password's form.
pub fn reasons(refused: Refused<'_>) -> Vec<Reason> {
    let text = refused.text.to_ascii_lowercase();
    let has = |words: &str| text.contains(words);
    match refused.code {
        535 if has("not subscribed") => vec![Reason::Account],
        535 => match refused.password {
            Recognised::SecretAccessKey => vec![Reason::RawSecretAccessKey],
            Recognised::SmtpPassword(crate::Algorithm::V2) => {
                vec![Reason::LegacyPassword, Reason::InactiveKey]
            }
            Recognised::SmtpPassword(_) => {
                vec![Reason::OtherRegionOrKey, Reason::InactiveKey, Reason::NewKey]
            }
            _ => vec![Reason::NotAPassword],
        },
        554 if has("not authorized to perform") => vec![Reason::NoPermission],
        554 if has("not verified") => vec![Reason::NotVerified],
        554 if has("sending paused") => vec![Reason::Account],
        421 | 450..=459 => vec![Reason::Throttled],
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Algorithm;

    #[test]
    fn the_usual_refusals() {
        let credentials = "Authentication Credentials Invalid";
        for (password, code, text, first) in [
            (Recognised::SecretAccessKey, 535, credentials, Some(Reason::RawSecretAccessKey)),
            (
                Recognised::SmtpPassword(Algorithm::V2),
                535,
                credentials,
                Some(Reason::LegacyPassword),
            ),
            (
                Recognised::SmtpPassword(Algorithm::V4),
                535,
                credentials,
                Some(Reason::OtherRegionOrKey),
            ),
            (Recognised::PasswordWithoutVersion, 535, credentials, Some(Reason::NotAPassword)),
            (
                Recognised::SmtpPassword(Algorithm::V4),
                535,
                "Account not subscribed to SES",
                Some(Reason::Account),
            ),
            (
                Recognised::SmtpPassword(Algorithm::V4),
                554,
                "Access denied: User `arn:aws:iam::1:user/u' is not authorized to perform `ses:SendRawEmail' on resource `r'",
                Some(Reason::NoPermission),
            ),
            (
                Recognised::SmtpPassword(Algorithm::V4),
                554,
                "Message rejected: Email address is not verified.",
                Some(Reason::NotVerified),
            ),
            (
                Recognised::SmtpPassword(Algorithm::V4),
                454,
                "Throttling failure: Maximum sending rate exceeded.",
                Some(Reason::Throttled),
            ),
            (Recognised::SmtpPassword(Algorithm::V4), 250, "Ok", None),
        ] {
            let reasons = reasons(Refused { password: &password, code, text });
            assert_eq!(reasons.first().copied(), first, "{code} {text}");
        }
    }
}
