//! A reply of the server: a code and one or more lines (RFC 5321, section 4.2).

/// A reply, written to the wire in one piece: `openssl s_client` reads the greeting with a single read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    /// The bytes on the wire: `250-first CRLF 250 last CRLF`.
    encoded: String,
}

impl Reply {
    /// Makes a reply of one line. The client's words in it can neither begin another line nor fill one.
    pub fn new(code: u16, line: impl AsRef<str>) -> Self {
        let mut encoded = format!("{code} ");
        // RFC 5321, section 4.2: printable ASCII
        let shown = line.as_ref().chars().filter(|c| !c.is_control());
        let ascii = shown.map(|c| if c.is_ascii() { c } else { '?' });
        encoded.extend(ascii.take(MAX_LINE));
        encoded.push_str("\r\n");
        Self { code, encoded }
    }

    /// Makes a reply of several lines, at least one.
    pub fn multiline(code: u16, lines: &[&str]) -> Self {
        let last = lines.len() - 1;
        let mark = |at| if at == last { ' ' } else { '-' };
        let lines = lines.iter().enumerate();
        let encoded = lines.map(|(at, line)| format!("{code}{}{line}\r\n", mark(at))).collect();
        Self { code, encoded }
    }

    /// Returns the code: 2xx and 3xx go on, 4xx may be tried again, 5xx is final.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// Returns its lines, each with the code.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.encoded.lines()
    }

    /// Returns the bytes on the wire.
    pub fn encode(&self) -> &[u8] {
        self.encoded.as_bytes()
    }
}

/// The longest line. RFC 5321, section 4.5.3.1.5, allows 512 bytes; SES's longest texts name several identities and are
/// longer.
const MAX_LINE: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_has_a_blank() {
        for (reply, expected) in [
            (Reply::new(221, "Bye"), "221 Bye\r\n"),
            (Reply::new(554, "a\r\n250 Ok\0"), "554 a250 Ok\r\n"),
            (Reply::new(553, "<ä@b.c>"), "553 <?@b.c>\r\n"),
            (Reply::multiline(250, &["a", "b", "Ok"]), "250-a\r\n250-b\r\n250 Ok\r\n"),
        ] {
            assert_eq!(reply.encode(), expected.as_bytes());
        }
    }
}
