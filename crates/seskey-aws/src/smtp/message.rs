//! The addresses of MAIL and RCPT, and the message of DATA.

use std::fmt;

/// An address for an envelope, as it is between `<` and `>` (RFC 5321 section 4.1.2). Nothing in it can end the
/// command. Whether it is an address is for the server to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

/// The reason why a string is not accepted as an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// There is no `@` with something on both sides.
    #[error("not an address")]
    Form,
    /// A blank, an angle bracket, a control character, or one outside ASCII, which SES does not accept in an envelope.
    #[error("the character {character:?} cannot be in an envelope")]
    Character {
        /// The first such character.
        character: char,
    },
}

impl Address {
    /// Parses an address without its display name.
    ///
    /// # Errors
    /// The text is not an address, or could end the command.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if let Some(character) =
            text.chars().find(|&c| !c.is_ascii_graphic() || c == '<' || c == '>')
        {
            return Err(AddressError::Character { character });
        }
        match text.rsplit_once('@') {
            Some((local, domain)) if !local.is_empty() && !domain.is_empty() => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(AddressError::Form),
        }
    }

    /// Returns the address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the part after the last `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Encodes the message for DATA (RFC 5321 sections 2.3.8, 4.5.2): every line end is CR LF, a line that begins with a
/// dot gets another, a dot alone ends it. No byte of the message can end it sooner.
pub(super) fn to_data(message: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(message.len() + message.len() / 32 + 5);
    let mut at_line_start = true;
    let mut bytes = message.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' | b'\n' => {
                bytes.next_if(|&next| byte == b'\r' && next == b'\n');
                data.extend(b"\r\n");
                at_line_start = true;
                continue;
            }
            b'.' if at_line_start => data.extend(b".."),
            _ => data.push(byte),
        }
        at_line_start = false;
    }
    if !at_line_start {
        data.extend(b"\r\n");
    }
    data.extend(b".\r\n");
    data
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(
            Address::parse("success@simulator.amazonses.com").unwrap().domain(),
            "simulator.amazonses.com"
        );
        for (text, error) in [
            ("", AddressError::Form),
            ("a", AddressError::Form),
            ("@b", AddressError::Form),
            ("a@", AddressError::Form),
            ("a@b>\r\nRCPT TO:<x@y", AddressError::Character { character: '>' }),
            ("A <a@b>", AddressError::Character { character: ' ' }),
            ("é@b", AddressError::Character { character: 'é' }),
        ] {
            assert_eq!(Address::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn data() {
        for (message, data) in [
            ("", ".\r\n"),
            ("a", "a\r\n.\r\n"),
            ("a\r\n", "a\r\n.\r\n"),
            ("a\nb", "a\r\nb\r\n.\r\n"),
            (".", "..\r\n.\r\n"),
            ("a\r\n.\r\nMAIL FROM:<x@y>\r\n", "a\r\n..\r\nMAIL FROM:<x@y>\r\n.\r\n"),
            ("a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"),
            ("a\r.\rb", "a\r\n..\r\nb\r\n.\r\n"),
            ("a\r\r\n", "a\r\n\r\n.\r\n"),
            ("..a", "...a\r\n.\r\n"),
        ] {
            assert_eq!(
                String::from_utf8(to_data(message.as_bytes())).unwrap(),
                data,
                "{message:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn nothing_inside_ends_it(message in prop::collection::vec(prop_oneof![Just(b'.'), Just(b'\r'), Just(b'\n'), Just(b'a')], 0..40)) {
            let data = String::from_utf8(to_data(&message)).unwrap();
            let body = data.strip_suffix(".\r\n").unwrap();
            prop_assert!(!body.split("\r\n").any(|line| line == "."));
            prop_assert!(!body.replace("\r\n", "").contains(['\r', '\n']));
            let undone: String = body.split_inclusive("\r\n").map(|line| line.strip_prefix('.').unwrap_or(line)).collect();
            let undone = undone.replace("\r\n", "\n");
            let normal = String::from_utf8(message).unwrap().replace("\r\n", "\n").replace('\r', "\n");
            prop_assert_eq!(undone.trim_end_matches('\n'), normal.trim_end_matches('\n'));
        }
    }
}
