//! The framing of lines and messages in bytes. A line ends only in CRLF, and a message only in CRLF `.` CRLF, so that
//! no other reading of the bytes can smuggle a second message (RFC 5321, sections 2.3.8 and 4.1.1.4).

use std::mem;

use memchr::memmem;
use zeroize::Zeroize;

/// The received bytes that were not used yet.
#[derive(Debug, Default)]
pub struct Input {
    bytes: Vec<u8>,
    /// The number of bytes that were used for lines.
    used: usize,
    /// The number of bytes after those that were already searched in vain.
    searched: usize,
}

/// The error of a malformed line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadLine {
    /// A CR or an LF without the other, at this position of the line.
    Unpaired(usize),
    /// No line end within [`MAX_LINE`] bytes.
    TooLong,
}

/// A received message after DATA.
#[derive(Debug, PartialEq, Eq)]
pub enum Data {
    /// Its bytes, with the doubled dots made single.
    Message(Vec<u8>),
    /// The message was longer than the limit and has been discarded.
    TooLong,
}

/// The longest command line, CRLF included. RFC 5321 asks for 512, RFC 4954 for 12,288 where AUTH is offered.
pub const MAX_LINE: usize = 12_288;

impl Input {
    /// Adds bytes that were read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.forget_used();
        self.bytes.extend_from_slice(bytes);
    }

    /// Returns the number of bytes that were received and not used.
    pub fn len(&self) -> usize {
        self.bytes.len() - self.used
    }

    /// Whether all received bytes were used.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the next line without its CRLF; `None` until it is complete.
    pub fn line(&mut self) -> Option<Result<Vec<u8>, BadLine>> {
        let unused = &mut self.bytes[self.used..];
        // a later CR has its LF outside of the longest line
        let window = &unused[..unused.len().min(MAX_LINE - 1)];
        let Some(at) = window[self.searched..]
            .iter()
            .position(|b| matches!(b, b'\r' | b'\n'))
            .map(|at| at + self.searched)
        else {
            self.searched = window.len();
            return (window.len() == MAX_LINE - 1).then_some(Err(BadLine::TooLong));
        };
        self.searched = at;
        match (unused[at], unused.get(at + 1)) {
            (b'\r', None) => None,
            (b'\r', Some(b'\n')) => {
                let line = unused[..at].to_vec();
                // it may be a password
                unused[..at].zeroize();
                self.used += at + 2;
                self.searched = 0;
                if self.is_empty() {
                    // a connection that waits holds no buffer
                    *self = Self::default();
                }
                Some(Ok(line))
            }
            _ => Some(Err(BadLine::Unpaired(at))),
        }
    }

    /// Returns the message that ends in CRLF `.` CRLF; `None` until its end is there. If a message is longer than
    /// `limit`, only the bytes are kept that its end may need. Doubled dots do not count (RFC 1870, section 5).
    pub fn data(&mut self, receiver: &mut Receiver, limit: usize) -> Option<Data> {
        self.forget_used();
        let Some(end) = end_of_data(&self.bytes, receiver.past_start, self.searched) else {
            // at most one byte in four is a doubled dot: CRLF `..` and so on
            let most = limit + limit / 3 + 2 * END.len();
            if !receiver.too_long && self.bytes.len() <= most {
                self.searched = self.bytes.len().saturating_sub(END.len() - 1);
            } else {
                receiver.too_long = true;
                let kept = self.bytes.len().saturating_sub(END.len() - 1);
                receiver.past_start |= kept > 0;
                // in a buffer of its own: the buffer of the message is freed
                self.bytes = self.bytes.split_off(kept);
                self.searched = 0;
            }
            return None;
        };
        let rest = self.bytes.split_off(end.next);
        let mut message = mem::replace(&mut self.bytes, rest);
        message.truncate(end.length);
        self.searched = 0;
        let unstuffed = unstuff(message);
        Some(if receiver.too_long || unstuffed.len() > limit {
            Data::TooLong
        } else {
            Data::Message(unstuffed)
        })
    }

    fn forget_used(&mut self) {
        self.bytes.drain(..self.used);
        self.used = 0;
    }
}

/// The progress of a message.
#[derive(Debug, Default)]
pub struct Receiver {
    /// Whether the message began before the bytes at hand.
    past_start: bool,
    too_long: bool,
}

impl Receiver {
    /// Makes the receiver of a new message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Discards the message, as one that is too long.
    pub fn give_up(&mut self) {
        self.too_long = true;
    }
}

const END: &[u8] = b"\r\n.\r\n";

struct End {
    /// The length of the message.
    length: usize,
    /// The place where the next command begins.
    next: usize,
}

fn end_of_data(bytes: &[u8], past_start: bool, from: usize) -> Option<End> {
    // right after DATA the CRLF of the command counts as the first one of the end
    if !past_start && bytes.starts_with(&END[2..]) {
        return Some(End { length: 0, next: 3 });
    }
    let at = from + memmem::find(&bytes[from..], END)?;
    Some(End { length: at + 2, next: at + END.len() })
}

/// Removes the first dot of each line that begins with a dot (RFC 5321, section 4.5.2).
fn unstuff(mut message: Vec<u8>) -> Vec<u8> {
    if !message.starts_with(b".") && memmem::find(&message, b"\r\n.").is_none() {
        return message;
    }
    let mut before = *b"\r\n";
    message.retain(|&byte| {
        let is_stuffing = byte == b'.' && before == *b"\r\n";
        before = [before[1], byte];
        !is_stuffing
    });
    message
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<Result<Vec<u8>, BadLine>> {
        let mut input = Input::default();
        let mut lines = vec![];
        for chunk in chunks {
            input.push(chunk);
            while let Some(line) = input.line() {
                let bad = line.is_err();
                lines.push(line);
                if bad {
                    return lines;
                }
            }
        }
        lines
    }

    fn receive(bytes: &[u8], chunk: usize, limit: usize) -> Option<(Data, Vec<u8>)> {
        let (mut input, mut receiver) = (Input::default(), Receiver::new());
        for (at, piece) in bytes.chunks(chunk).enumerate() {
            input.push(piece);
            if let Some(data) = input.data(&mut receiver, limit) {
                input.push(&bytes[((at + 1) * chunk).min(bytes.len())..]);
                return Some((data, input.bytes));
            }
        }
        None
    }

    #[test]
    fn a_line_ends_in_crlf_alone() {
        assert_eq!(
            lines(&[b"EHLO a\r\nNO", b"OP\r", b"\n"]),
            [Ok(b"EHLO a".to_vec()), Ok(b"NOOP".to_vec())]
        );
        assert_eq!(lines(&[b"EHLO a\nNOOP\r\n"]), [Err(BadLine::Unpaired(6))]);
        assert_eq!(lines(&[b"EHLO\ra\r\n"]), [Err(BadLine::Unpaired(4))]);
    }

    #[test]
    fn a_line_is_as_long_as_it_may_be() {
        let longest = [b'a'; MAX_LINE - 2];
        assert_eq!(lines(&[&longest, b"\r\n"]), [Ok(longest.to_vec())]);
        assert_eq!(lines(&[&longest, b"a\r\n"]), [Err(BadLine::TooLong)]);
    }

    #[test]
    fn a_message_ends_in_one_way_only() {
        for smuggled in [
            &b"a\n.\nb"[..],
            b"a\n.\r\nb",
            b"a\r\n.\nb",
            b"a\r.\rb",
            b"a\r.\r\nb",
            b"a\r\n.\rb",
            b"a\r\n\0.\r\nb",
            b"a\r\n.\0\r\nb",
        ] {
            let (data, rest) =
                receive(&[smuggled, b"\r\n.\r\nQUIT\r\n"].concat(), 1000, 1000).unwrap();
            let Data::Message(message) = data else { panic!("too long") };
            assert_eq!(message.last_chunk::<3>(), Some(b"b\r\n"), "{smuggled:?}");
            assert_eq!(rest, b"QUIT\r\n");
        }
    }

    #[test]
    fn an_empty_message_ends_at_once() {
        assert_eq!(
            receive(b".\r\nQUIT\r\n", 1, 10),
            Some((Data::Message(vec![]), b"QUIT\r\n".to_vec()))
        );
    }

    #[test]
    fn a_message_over_the_limit_is_thrown_away() {
        let long = [&[b'x'; 5000][..], b"\r\n.\r\nNOOP\r\n"].concat();
        for chunk in [1, 7, 100, 10_000] {
            assert_eq!(
                receive(&long, chunk, 100),
                Some((Data::TooLong, b"NOOP\r\n".to_vec())),
                "{chunk}"
            );
        }
    }

    #[test]
    fn doubled_dots_do_not_count() {
        let dots = b"..\r\n".repeat(100);
        for chunk in [1, 7, 100, 10_000] {
            let received =
                |limit| receive(&[&dots[..], b".\r\nNOOP\r\n"].concat(), chunk, limit).unwrap();
            let message = Data::Message(b".\r\n".repeat(100));
            assert_eq!(received(300), (message, b"NOOP\r\n".to_vec()), "{chunk}");
            assert_eq!(received(299), (Data::TooLong, b"NOOP\r\n".to_vec()), "{chunk}");
        }
    }

    proptest! {
        /// A message is received the same, however its bytes are cut, even with bytes that could show another reader
        /// another end.
        #[test]
        fn the_cuts_do_not_matter(bytes in "[.\r\na\u{0}]{0,40}", cuts in prop::collection::vec(1_usize..7, 0..40), limit in 0_usize..40) {
            let stream = format!("{bytes}\r\n.\r\nREST");
            let (mut input, mut receiver, mut rest) = (Input::default(), Receiver::new(), stream.as_bytes());
            let mut cuts = cuts.into_iter().chain(std::iter::repeat(1));
            let data = loop {
                if let Some(data) = input.data(&mut receiver, limit) {
                    break data;
                }
                let (read, unread) = rest.split_at(cuts.next().unwrap().min(rest.len()));
                input.push(read);
                rest = unread;
            };
            input.push(rest);
            prop_assert_eq!(Some((data, input.bytes)), receive(stream.as_bytes(), stream.len(), limit));
        }

        #[test]
        fn what_is_stuffed_is_unstuffed(lines in prop::collection::vec("[.a\n\r]{0,4}", 0..8), chunk in 1_usize..9) {
            let message: String = lines.iter().map(|line| format!("{}\r\n", line.replace("\r\n", ""))).collect();
            let stuffed = format!("{}.\r\nREST", ("\r\n".to_owned() + &message).replace("\r\n.", "\r\n..").split_off(2));
            prop_assert_eq!(receive(stuffed.as_bytes(), chunk, 1000), Some((Data::Message(message.into_bytes()), b"REST".to_vec())));
        }
    }
}
