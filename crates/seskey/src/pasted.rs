//! The secret access key in a pasted text: in quotation marks, behind `NAME=`, in the JSON of `create-access-key`, in a
//! line of CSV, percent-encoded. It is extracted if there is one answer; otherwise nothing is guessed.

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::{
    access_key::{
        AccessKeyId, AccessKeyIdError, SecretAccessKey, SecretAccessKeyError, USUAL_SECRET_LENGTH,
    },
    mail_manager::IngressPointId,
    recognise::{Recognised, recognise},
};

/// An access key as it was pasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pasted {
    /// Its ID, if it stood beside the secret.
    pub id: Option<AccessKeyId>,
    /// The secret access key.
    pub secret: SecretAccessKey,
    /// The wrapping of the secret; absent if it was pasted bare.
    pub wrapping: Option<Wrapping>,
}

/// The wrapping that a secret access key was extracted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wrapping {
    /// Quotation marks, or a comma behind it.
    Quotes,
    /// `%2F` for `/` and `%2B` for `+` (RFC 3986, section 2.1).
    PercentEncoding,
    /// `\/` for `/`, or `\u002F`, as in a string of JSON (RFC 8259, section 7).
    JsonEscapes,
    /// `NAME=value` or `name: value`, with the name of a secret access key.
    Assignment,
    /// JSON, such as the answer of `aws iam create-access-key`.
    Json,
    /// A line or a file with the access key ID beside it.
    Row,
}

/// The reason why no secret access key is extracted from a text. The text is never quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PastedError {
    /// A bare word that cannot be a secret access key.
    #[error(transparent)]
    Secret(#[from] SecretAccessKeyError),
    /// A character that is neither a letter, nor a digit, nor `+`, nor `/`.
    #[error(
        "the secret access key has a character at position {position} that is no letter, digit, + or /"
    )]
    Character {
        /// Its byte offset.
        position: usize,
    },
    /// The text looks like something else.
    #[error("this is not a secret access key: it looks like {0}")]
    LooksLike(Look),
    /// More than one line, in no known form.
    #[error("this is more than one line")]
    Lines,
    /// Several secret access keys.
    #[error("there are {count} secret access keys in it")]
    Several {
        /// Their number.
        count: usize,
    },
    /// The text has the SMTP user name of a Mail Manager credential, whose password is chosen.
    #[error(
        "this is a Mail Manager credential (inp-…): its password is used as it is, and nothing is derived from it"
    )]
    MailManager,
    /// The secret belongs to a temporary access key (`ASIA…`).
    #[error("the secret access key belongs to a temporary access key, ASIA…")]
    Temporary,
}

/// The look of a text that is not a secret access key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)] // `Display` has each in words, below
pub enum Look {
    SmtpPassword,
    PasswordWithoutVersion,
    Url,
    Arn,
    EmailAddress,
    Masked,
    Variable,
    Pem,
    Json,
    Assignment,
}

/// Finds the access key in a text.
///
/// # Errors
/// Fails unless the text has exactly one secret access key, and says what it looks like.
pub fn access_key(text: &str) -> Result<Pasted, PastedError> {
    let text = text.trim_start_matches('\u{feff}').trim();
    match SecretAccessKey::parse(text) {
        Ok(_) if matches!(recognise(text), Recognised::SmtpPassword(_)) => {
            return Err(PastedError::LooksLike(Look::SmtpPassword));
        }
        Ok(secret) if text.bytes().all(is_letter) => {
            return Ok(Pasted { id: None, secret, wrapping: None });
        }
        Err(
            error @ (SecretAccessKeyError::Empty
            | SecretAccessKeyError::AccessKeyId
            | SecretAccessKeyError::TemporaryAccessKeyId),
        ) => return Err(error.into()),
        Err(SecretAccessKeyError::IngressPoint) => return Err(PastedError::MailManager),
        _ => {}
    }
    let decoded = decoded(text);
    let words = Words::of(&decoded);
    if words.is_temporary() {
        return Err(PastedError::Temporary);
    }
    if words.0.iter().any(|word| IngressPointId::parse(word).is_ok()) {
        return Err(PastedError::MailManager);
    }
    let id = words.id();
    match &words.secrets()[..] {
        [] => Err(refusal(text, &words)),
        [secret] => match words.wrapping(&decoded, escapes(text, &decoded), id.is_some()) {
            Some(wrapping) => {
                Ok(Pasted { id, secret: SecretAccessKey::parse(secret)?, wrapping: Some(wrapping) })
            }
            None => Err(refusal(text, &words)),
        },
        several => Err(PastedError::Several { count: several.len() }),
    }
}

/// Returns a name in the form for comparison: `secret_access_key`, `SecretAccessKey` and "Secret access key" are equal.
pub fn plain_name(name: &str) -> String {
    name.chars()
        .filter(|letter| !matches!(letter, '_' | '-' | ' '))
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// Decodes the escapes of URLs and of JSON for `/` and `+`, which are letters of a secret access key.
fn decoded(text: &str) -> Zeroizing<String> {
    let lower = Zeroizing::new(text.to_ascii_lowercase());
    if lower.contains("%2f") || lower.contains("%2b") {
        return Zeroizing::new(percent_decode_str(text).decode_utf8_lossy().into_owned());
    }
    let mut text = Zeroizing::new(text.to_owned());
    for (escaped, letter) in
        [("\\/", "/"), ("\\u002f", "/"), ("\\u002F", "/"), ("\\u002b", "+"), ("\\u002B", "+")]
    {
        if text.contains(escaped) {
            text = Zeroizing::new(text.replace(escaped, letter));
        }
    }
    text
}

/// Returns the escapes that were decoded, if any.
fn escapes(text: &str, decoded: &str) -> Option<Wrapping> {
    match text.contains('%') {
        _ if text == decoded => None,
        true => Some(Wrapping::PercentEncoding),
        false => Some(Wrapping::JsonEscapes),
    }
}

/// The words of a text, between blanks, quotation marks, brackets and the signs of assignments and lists.
struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    fn of(text: &'a str) -> Self {
        Self(text.split(is_separator).filter(|word| !word.is_empty()).collect())
    }

    fn id(&self) -> Option<AccessKeyId> {
        self.0.iter().find_map(|word| AccessKeyId::parse(word).ok())
    }

    fn is_temporary(&self) -> bool {
        self.0.iter().any(|word| AccessKeyId::parse(word) == Err(AccessKeyIdError::Temporary))
    }

    /// Returns the words behind a name of a secret access key, or else all words of its form; each once.
    fn secrets(&self) -> Vec<&'a str> {
        let named = self.named();
        let all = self.0.iter().copied().filter(|word| has_form(word));
        let mut secrets: Vec<&str> = if named.is_empty() { all.collect() } else { named };
        secrets.sort_unstable();
        secrets.dedup();
        secrets
    }

    fn named(&self) -> Vec<&'a str> {
        let pairs = self.0.windows(2).filter(|pair| names_secret(pair[0]) && has_form(pair[1]));
        pairs.map(|pair| pair[1]).collect()
    }

    /// Returns the wrapping of the only secret; `None` if it is not certain.
    fn wrapping(&self, text: &str, escapes: Option<Wrapping>, has_id: bool) -> Option<Wrapping> {
        let lines_fit = || {
            let fits = |line: &str| line.starts_with('[') || line.contains(['=', ':', ',', '\t']);
            let mut lines = text.lines().filter(|line| !line.trim().is_empty());
            text.lines().count() == 1 || lines.all(|line| fits(line.trim()))
        };
        if text.starts_with(['{', '[']) && text.ends_with(['}', ']']) {
            return (has_id || !self.named().is_empty()).then_some(Wrapping::Json);
        }
        match &self.0[..] {
            [word] => {
                let around = text.replacen(word, "", 1);
                match around.chars().all(is_quote_or_comma) {
                    true => escapes.or(Some(Wrapping::Quotes)),
                    false => None,
                }
            }
            _ if !lines_fit() => None,
            _ if has_id => Some(Wrapping::Row),
            _ => (!self.named().is_empty()).then_some(Wrapping::Assignment),
        }
    }
}

fn refusal(text: &str, words: &Words) -> PastedError {
    if let Some(look) = look(text, words) {
        return PastedError::LooksLike(look);
    }
    if text.contains(['\n', '\r']) {
        return PastedError::Lines;
    }
    match SecretAccessKey::parse(text) {
        Err(error) => error.into(),
        Ok(_) => {
            let position = text.bytes().position(|byte| !is_letter(byte)).unwrap_or_default();
            PastedError::Character { position }
        }
    }
}

fn look(text: &str, words: &Words) -> Option<Look> {
    let has_password =
        || words.0.iter().any(|w| matches!(recognise(w), Recognised::SmtpPassword(_)));
    let looks = [
        (text.starts_with("-----BEGIN "), Look::Pem),
        (text.starts_with("arn:"), Look::Arn),
        (text.contains("://"), Look::Url),
        (recognise(text) == Recognised::PasswordWithoutVersion, Look::PasswordWithoutVersion),
        (has_password(), Look::SmtpPassword),
        (text.contains("****"), Look::Masked),
        (text.contains("${") || text.starts_with(['$', '%']), Look::Variable),
        (text.starts_with(['{', '[']), Look::Json),
        (text.contains('@') && !text.contains(' '), Look::EmailAddress),
        (is_assignment(text), Look::Assignment),
    ];
    looks.into_iter().find_map(|(holds, look)| holds.then_some(look))
}

fn is_assignment(text: &str) -> bool {
    let name = text.split_once('=').map_or("", |(name, _)| name.trim());
    let is_name_byte = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (3..USUAL_SECRET_LENGTH - 1).contains(&name.len()) && name.bytes().all(is_name_byte)
}

/// Whether the word has the length that IAM makes, or one more or less, and is not a hash in hexadecimal.
fn has_form(word: &str) -> bool {
    let hexadecimal = |b: u8| b.is_ascii_hexdigit() && !b.is_ascii_uppercase();
    (USUAL_SECRET_LENGTH - 1..=USUAL_SECRET_LENGTH + 1).contains(&word.len())
        && word.bytes().all(is_letter)
        && !word.bytes().all(hexadecimal)
}

fn names_secret(word: &str) -> bool {
    let name = plain_name(word);
    name.ends_with("secretaccesskey") || ["secret", "secretkey", "awssecretkey"].contains(&&*name)
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

fn is_separator(letter: char) -> bool {
    letter.is_whitespace()
        || is_quote_or_comma(letter)
        || matches!(letter, '=' | ':' | '{' | '}' | '[' | ']' | '(' | ')' | '|' | '<' | '>')
}

fn is_quote_or_comma(letter: char) -> bool {
    matches!(letter, '"' | '\'' | '`' | ',' | ';' | '\\')
        || matches!(letter, '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}')
}

impl std::fmt::Display for Look {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::SmtpPassword => "an SMTP password",
            Self::PasswordWithoutVersion => "an SMTP password without its version byte",
            Self::Url => "a URL",
            Self::Arn => "an ARN",
            Self::EmailAddress => "a mail address",
            Self::Masked => "one that is masked by asterisks",
            Self::Variable => "a variable that was not replaced by its value",
            Self::Pem => "a PEM file",
            Self::Json => "JSON without one",
            Self::Assignment => "an assignment of something else",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "AKIAIOSFODNN7EXAMPLE";
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    fn pasted(text: &str) -> Result<(bool, Option<Wrapping>), PastedError> {
        access_key(text).map(|pasted| {
            assert_eq!(pasted.secret.expose(), SECRET, "{text}");
            assert!(pasted.id.as_ref().is_none_or(|id| id.as_str() == ID), "{text}");
            (pasted.id.is_some(), pasted.wrapping)
        })
    }

    #[test]
    fn it_is_taken_out_of_what_people_paste() {
        use Wrapping as W;
        for (text, has_id, wrapping) in [
            (SECRET.into(), false, None),
            (format!("\u{feff}{SECRET}\r\n"), false, None),
            (format!("\"{SECRET}\""), false, Some(W::Quotes)),
            (format!("'{SECRET}',"), false, Some(W::Quotes)),
            (format!("`{SECRET}`"), false, Some(W::Quotes)),
            (format!("\u{201c}{SECRET}\u{201d}"), false, Some(W::Quotes)),
            (SECRET.replace('/', "%2F"), false, Some(W::PercentEncoding)),
            (SECRET.replace('/', "%2f"), false, Some(W::PercentEncoding)),
            (SECRET.replace('/', "\\/"), false, Some(W::JsonEscapes)),
            (format!("\"{}\"", SECRET.replace('/', "\\u002f")), false, Some(W::JsonEscapes)),
            (format!("AWS_SECRET_ACCESS_KEY={SECRET}"), false, Some(W::Assignment)),
            (format!("export AWS_SECRET_ACCESS_KEY='{SECRET}'"), false, Some(W::Assignment)),
            (format!("$env:AWS_SECRET_ACCESS_KEY = \"{SECRET}\""), false, Some(W::Assignment)),
            (format!("aws_secret_access_key = {SECRET}"), false, Some(W::Assignment)),
            (format!("  secretAccessKey: {SECRET}"), false, Some(W::Assignment)),
            (format!("\"SecretAccessKey\": \"{SECRET}\","), false, Some(W::Assignment)),
            (
                format!("[default]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n"),
                true,
                Some(W::Row),
            ),
            (format!("{ID},{SECRET},us-east-1"), true, Some(W::Row)),
            (format!("{ID}:{SECRET}"), true, Some(W::Row)),
            (format!("Access key ID,Secret access key\r\n{ID},{SECRET}\r\n"), true, Some(W::Row)),
            (
                format!("ACCESSKEY\t{ID}\t2026-01-01T00:00:00Z\t{SECRET}\tActive\tx"),
                true,
                Some(W::Row),
            ),
            (
                format!(
                    "{{\"AccessKey\": {{\n \"UserName\": \"x\",\n \"AccessKeyId\": \"{ID}\",\n \
                     \"SecretAccessKey\": \"{}\"\n}}}}",
                    SECRET.replace('/', "\\/")
                ),
                true,
                Some(W::Json),
            ),
            (format!("{{\"secret_access_key\":\"{SECRET}\"}}"), false, Some(W::Json)),
        ] {
            assert_eq!(pasted(&text), Ok((has_id, wrapping)), "{text}");
        }
    }

    #[test]
    fn one_of_another_length_is_taken_as_it_is() {
        for text in ["YOURKEYrrpg/JHpyvtStUVcAV9177EAKKmDP37P", "some+secret+key"] {
            assert_eq!(access_key(text).unwrap().secret.expose(), text);
        }
        let quoted = access_key("'YOURKEYrrpg/JHpyvtStUVcAV9177EAKKmDP37P'").unwrap();
        assert_eq!(quoted.wrapping, Some(Wrapping::Quotes));
    }

    #[test]
    fn nothing_is_guessed() {
        use PastedError as E;
        let other = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY";
        let password = "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9";
        for (text, error) in [
            (String::new(), E::Secret(SecretAccessKeyError::Empty)),
            (ID.into(), E::Secret(SecretAccessKeyError::AccessKeyId)),
            ("wJalr-UtnFEMI".into(), E::Character { position: 5 }),
            (format!("{SECRET}="), E::Character { position: 40 }),
            ("wJalr UtnFEMI".into(), E::Secret(SecretAccessKeyError::Blank { position: 5 })),
            (format!("{}\n{}\n", &SECRET[..22], &SECRET[22..]), E::Lines),
            (format!("{SECRET}\nsecond\n"), E::Lines),
            (format!("SMTP_PASSWORD={SECRET}"), E::LooksLike(Look::Assignment)),
            ("AWS_SECRET_ACCESS_KEY=$SECRET".into(), E::LooksLike(Look::Assignment)),
            ("$AWS_SECRET_ACCESS_KEY".into(), E::LooksLike(Look::Variable)),
            ("${{ secrets.AWS_SECRET_ACCESS_KEY }}".into(), E::LooksLike(Look::Variable)),
            ("****************EKEY".into(), E::LooksLike(Look::Masked)),
            (password.into(), E::LooksLike(Look::SmtpPassword)),
            (format!("SMTP_PASSWORD={password}"), E::LooksLike(Look::SmtpPassword)),
            (
                "sEz/2FJQQt+rwbD6tTVhwGOQ7EZuFPZcbvrfFUsZYv0=".into(),
                E::LooksLike(Look::PasswordWithoutVersion),
            ),
            ("smtp://a:b@example.com".into(), E::LooksLike(Look::Url)),
            ("arn:aws:iam::123456789012:user/x".into(), E::LooksLike(Look::Arn)),
            ("a@example.com".into(), E::LooksLike(Look::EmailAddress)),
            ("{}".into(), E::LooksLike(Look::Json)),
            ("-----BEGIN PRIVATE KEY-----\nMII\n".into(), E::LooksLike(Look::Pem)),
            (format!("ASIAIOSFODNN7EXAMPLE,{SECRET}"), E::Temporary),
            ("inp-3q4cpdgvz5l2mvd7kxrj9a0b".into(), E::MailManager),
            (format!("SMTP_USERNAME=inp-3q4cpd\nSMTP_PASSWORD={SECRET}\n"), E::MailManager),
            (format!("[\"{ID}\",\"{SECRET}\",\"{other}\"]"), E::Several { count: 2 }),
        ] {
            assert_eq!(access_key(&text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_bare_one_is_itself(secret in "[A-Za-z0-9/+]{39,41}") {
            prop_assume!(AccessKeyId::parse(&secret).is_err());
            let pasted = access_key(&secret).unwrap();
            prop_assert_eq!((pasted.secret.expose(), pasted.wrapping), (&*secret, None));
        }

        #[test]
        fn what_is_taken_out_stands_there(text in "[A-Za-z0-9/+=,:{}\"'% \n\\\\-]{0,120}") {
            if let Ok(pasted) = access_key(&text) {
                prop_assert!(decoded(&text).contains(pasted.secret.expose()));
                prop_assert!(pasted.secret.expose().bytes().all(is_letter));
            }
        }
    }
}
