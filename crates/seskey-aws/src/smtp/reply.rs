//! A reply of the server: a code and its lines (RFC 5321 section 4.2).

use super::Malformed;

/// A complete reply. Its text is unchanged and may have control characters: remove them before it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The three digits.
    pub code: u16,
    /// The text of each line, without code, separator and line end.
    pub lines: Vec<String>,
}

impl Reply {
    /// Returns the lines, joined by line ends.
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// Whether the same attempt may succeed later (RFC 5321 section 4.2.1: `4yz`).
    pub fn is_transient(&self) -> bool {
        self.code / 100 == 4
    }

    /// Returns the parameters of an EHLO keyword, if the server offers it; the case of a keyword does not matter.
    pub(super) fn offers(&self, keyword: &str) -> Option<Vec<&str>> {
        self.lines.iter().skip(1).find_map(|line| {
            let mut words = line.split_ascii_whitespace();
            words.next().filter(|word| word.eq_ignore_ascii_case(keyword)).map(|_| words.collect())
        })
    }

    /// Parses the reply at the start of the received bytes. Returns the reply and its length in bytes, `None` while it
    /// is not complete.
    pub(super) fn parse(received: &[u8]) -> Result<Option<(Self, usize)>, Malformed> {
        let mut reply: Option<Self> = None;
        let mut read = 0;
        while let Some(length) = received[read..].iter().position(|&b| b == b'\n') {
            let line = &received[read..read + length];
            read += length + 1;
            let (code, more, text) = parse_line(line.strip_suffix(b"\r").unwrap_or(line))?;
            let reply = reply.get_or_insert_with(|| Self { code, lines: Vec::new() });
            if reply.code != code {
                return Err(Malformed::CodeChanges);
            }
            if reply.lines.len() == MAX_LINES {
                return Err(Malformed::TooManyLines);
            }
            reply.lines.push(text);
            if !more {
                return Ok(Some((reply.clone(), read)));
            }
        }
        // a line without an end must not grow for ever
        match received.len() - read {
            length if length > MAX_LINE => Err(Malformed::LineTooLong),
            _ => Ok(None),
        }
    }
}

fn parse_line(line: &[u8]) -> Result<(u16, bool, String), Malformed> {
    if line.len() > MAX_LINE {
        return Err(Malformed::LineTooLong);
    }
    let (code, rest) = line.split_at_checked(3).ok_or(Malformed::NotAReply)?;
    let [b'2'..=b'5', b'0'..=b'5', b'0'..=b'9'] = code else { return Err(Malformed::NotAReply) };
    let (more, text) = match rest {
        [b'-', text @ ..] => (true, text),
        [b' ', text @ ..] => (false, text),
        [] => (false, rest),
        _ => return Err(Malformed::NotAReply),
    };
    let code = code.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    Ok((code, more, String::from_utf8_lossy(text).into_owned()))
}

/// The longest line that is accepted, in bytes; RFC 5321 section 4.5.3.1.5 has 512.
const MAX_LINE: usize = 2048;

/// The most lines that are accepted.
const MAX_LINES: usize = 100;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reply(code: u16, lines: &[&str]) -> Reply {
        Reply { code, lines: lines.iter().map(|&line| line.to_owned()).collect() }
    }

    #[test]
    fn replies() {
        for (received, parsed) in [
            (
                "220 email-smtp.amazonaws.com ESMTP\r\n",
                reply(220, &["email-smtp.amazonaws.com ESMTP"]),
            ),
            (
                "250-a\r\n250-AUTH PLAIN LOGIN\r\n250 Ok\r\n",
                reply(250, &["a", "AUTH PLAIN LOGIN", "Ok"]),
            ),
            ("235\r\n", reply(235, &[""])),
            ("235 \n", reply(235, &[""])),
            ("535 \u{1b}[2J\r\n", reply(535, &["\u{1b}[2J"])),
        ] {
            assert_eq!(
                Reply::parse(received.as_bytes()),
                Ok(Some((parsed, received.len()))),
                "{received}"
            );
        }
    }

    #[test]
    fn what_follows_is_left_alone() {
        let (_, length) =
            Reply::parse(b"220 Ready to start TLS\r\n250 injected\r\n").unwrap().unwrap();
        assert_eq!(length, 24);
    }

    #[test]
    fn garbage() {
        for (received, malformed) in [
            ("HTTP/1.1 400 Bad Request\r\n", Malformed::NotAReply),
            ("\r\n", Malformed::NotAReply),
            ("2\r\n", Malformed::NotAReply),
            ("199 x\r\n", Malformed::NotAReply),
            ("600 x\r\n", Malformed::NotAReply),
            ("2500 x\r\n", Malformed::NotAReply),
            ("250-a\r\n251 b\r\n", Malformed::CodeChanges),
            (&format!("220 {}\r\n", "x".repeat(2045)), Malformed::LineTooLong),
            (&"x".repeat(2049), Malformed::LineTooLong),
            (&"250-x\r\n".repeat(101), Malformed::TooManyLines),
        ] {
            assert_eq!(Reply::parse(received.as_bytes()), Err(malformed), "{received:.40}");
        }
        assert!(Reply::parse(format!("220 {}\r\n", "x".repeat(2044)).as_bytes()).is_ok());
    }

    #[test]
    fn keywords() {
        let ehlo = reply(250, &["starttls", "8BITMIME", "auth PLAIN  LOGIN", "Ok"]);
        assert_eq!(ehlo.offers("AUTH"), Some(vec!["PLAIN", "LOGIN"]));
        assert_eq!(ehlo.offers("STARTTLS"), None, "the first line is the server's name");
    }

    proptest! {
        #[test]
        fn what_is_cut_is_waited_for(code in 200u16..560, lines in prop::collection::vec("[ -~]{0,40}", 1..9)) {
            prop_assume!((code / 10) % 10 < 6);
            let (last, first) = lines.split_last().expect("one at least");
            let mut wire: String = first.iter().map(|line| format!("{code}-{line}\r\n")).collect();
            wire += &format!("{code} {last}\r\n");
            for cut in 0..wire.len() {
                prop_assert_eq!(Reply::parse(&wire.as_bytes()[..cut]), Ok(None));
            }
            prop_assert_eq!(Reply::parse(wire.as_bytes()), Ok(Some((Reply { code, lines }, wire.len()))));
        }

        #[test]
        fn no_bytes_harm(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
            let _ = Reply::parse(&bytes);
        }
    }
}
