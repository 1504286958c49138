//! A reply of the server: a code and one or more lines (RFC 5321, section 4.2).

/// A reply, written to the wire in one piece: `openssl s_client` reads the greeting with a single read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    lines: Vec<String>,
}

impl Reply {
    /// A reply of one line. What it repeats of the client's words can neither begin another line nor fill one.
    pub fn new(code: u16, line: impl Into<String>) -> Self {
        let line: String = line.into();
        // RFC 5321, section 4.2: printable ASCII
        let shown = line.chars().filter(|c| !c.is_control());
        let ascii = shown.map(|c| if c.is_ascii() { c } else { '?' });
        Self { code, lines: vec![ascii.take(MAX_LINE).collect()] }
    }

    /// A reply of several lines.
    pub fn multiline(code: u16, lines: impl IntoIterator<Item = &'static str>) -> Self {
        Self { code, lines: lines.into_iter().map(str::to_owned).collect() }
    }

    /// The code: 2xx and 3xx go on, 4xx may be tried again, 5xx is final.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The bytes on the wire: `250-first CRLF 250 last CRLF`.
    pub fn encode(&self) -> String {
        let last = self.lines.len() - 1;
        let mark = |i| if i == last { ' ' } else { '-' };
        self.lines
            .iter()
            .enumerate()
            .map(|(i, line)| format!("{}{}{line}\r\n", self.code, mark(i)))
            .collect()
    }
}

/// RFC 5321, section 4.5.3.1.5, allows 512 bytes; SES's longest texts name several identities and go beyond.
const MAX_LINE: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_has_a_blank() {
        assert_eq!(Reply::new(221, "Bye").encode(), "221 Bye\r\n");
        assert_eq!(Reply::new(554, "a\r\n250 Ok\0").encode(), "554 a250 Ok\r\n");
        assert_eq!(Reply::new(553, "<ä@b.c>").encode(), "553 <?@b.c>\r\n");
        assert_eq!(
            Reply::multiline(250, ["a", "b", "Ok"]).encode(),
            "250-a\r\n250-b\r\n250 Ok\r\n"
        );
    }
}
