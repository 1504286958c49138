//! The tags of a message, as `X-SES-MESSAGE-TAGS` and both APIs give them.
//!
//! Source: SES API Reference, `MessageTag`; SES Developer Guide, "Specify your configuration set when you send email";
//! the texts are from answers recorded from AWS (LocalStack, `test_invalid_tags_send_email`).

/// The name and the value of a tag.
pub type Tag = (String, String);

/// The reason why SES refuses a tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TagError {
    /// There is no name.
    #[error("The tag name must be specified.")]
    NoName,
    /// There is no value.
    #[error("The tag value must be specified.")]
    NoValue,
    /// The name is too long.
    #[error("Tag name cannot exceed {MAX_LENGTH} characters.")]
    NameTooLong,
    /// The value is too long.
    #[error("Tag value cannot exceed {MAX_LENGTH} characters.")]
    ValueTooLong,
    /// The name has a character that a name may not have.
    #[error("Invalid tag name <{0}>: only alphanumeric ASCII characters, '_',  '-' are allowed.")]
    InvalidName(String),
    /// The value has a character that a value may not have.
    #[error(
        "Invalid tag value <{0}>: only alphanumeric ASCII characters, '_',  '-' , '.', '@' are allowed."
    )]
    InvalidValue(String),
}

const MAX_LENGTH: usize = 255;

/// The prefix of the names of the tags that SES writes into `Feedback-ID`.
/// Source: AWS Messaging Blog, "Understanding Google Postmaster Tools (spam complaints) for Amazon SES email senders".
const FEEDBACK_ID: &str = "ses:feedback-id-";

/// Parses `name=value, name=value`.
///
/// # Errors
/// The error in the first tag that is malformed.
pub(super) fn tags(text: &str) -> Result<Vec<Tag>, TagError> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (name.trim_end(), value.trim_start());
            check_tag(name, value).map(|()| (name.to_owned(), value.to_owned()))
        })
        .collect()
}

/// Checks a tag.
///
/// # Errors
/// The error in it, the name first.
pub fn check_tag(name: &str, value: &str) -> Result<(), TagError> {
    let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let is_value_byte = |byte| is_name_byte(byte) || matches!(byte, b'.' | b'@');
    let word = name.strip_prefix(FEEDBACK_ID).unwrap_or(name);
    match (name, value) {
        ("", _) => Err(TagError::NoName),
        _ if name.len() > MAX_LENGTH => Err(TagError::NameTooLong),
        _ if !word.bytes().all(is_name_byte) => Err(TagError::InvalidName(name.to_owned())),
        (_, "") => Err(TagError::NoValue),
        _ if value.len() > MAX_LENGTH => Err(TagError::ValueTooLong),
        _ if !value.bytes().all(is_value_byte) => Err(TagError::InvalidValue(value.to_owned())),
        _ => Ok(()),
    }
}

/// Returns the beginning of `Feedback-ID` from two of the tags, each with its colon.
pub(super) fn feedback_id(tags: &[Tag]) -> String {
    let value = |last: &str| {
        let is = |tag: &&Tag| tag.0.strip_prefix(FEEDBACK_ID) == Some(last);
        tags.iter().find(is).map_or("", |(_, value)| value)
    };
    format!("{}:{}:", value("a"), value("b"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_as_aws_has_them() {
        let (most, too_long) = ("a".repeat(255), "a".repeat(256));
        for (name, value, expected) in [
            ("a-B_1", "a-B_1.@", Ok(())),
            (&most, &most, Ok(())),
            ("ses:feedback-id-a", "campaign", Ok(())),
            ("", "", Err(TagError::NoName)),
            ("", "a", Err(TagError::NoName)),
            ("a", "", Err(TagError::NoValue)),
            (&too_long, "a", Err(TagError::NameTooLong)),
            ("a", &too_long, Err(TagError::ValueTooLong)),
            ("a@b", "a:b", Err(TagError::InvalidName("a@b".into()))),
            ("ses:other", "a", Err(TagError::InvalidName("ses:other".into()))),
            ("a", "a:b", Err(TagError::InvalidValue("a:b".into()))),
        ] {
            assert_eq!(check_tag(name, value), expected, "{name} {value}");
        }
    }

    #[test]
    fn a_field_has_several() {
        let pairs = |text| tags(text).unwrap();
        assert_eq!(pairs(""), []);
        assert_eq!(pairs("a=b, c = d,"), [("a".into(), "b".into()), ("c".into(), "d".into())]);
        assert_eq!(tags("a=b, c"), Err(TagError::NoValue));
        assert_eq!(tags("=b"), Err(TagError::NoName));
    }
}
