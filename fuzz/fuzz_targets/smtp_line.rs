//! Commands and messages are found in a stream of bytes as RFC 5321 says, however the stream is cut into reads.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seskey_local::smtp::framing::{BadLine, Data, Input, MAX_LINE, Receiver};

/// The lines and messages of a stream, up to its end or its first bad line.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    lines: Vec<Result<Vec<u8>, BadLine>>,
    messages: Vec<Data>,
}

/// The longest message here.
const LIMIT: usize = 40;

// the first byte is the length of a read; 0xff is 4,094 letters, so that a line can be too long
fuzz_target!(|bytes: &[u8]| {
    let Some((&length, bytes)) = bytes.split_first() else { return };
    let mut stream = vec![];
    for &byte in bytes {
        match byte {
            0xff => stream.extend([b'x'; 4094]),
            byte => stream.push(byte),
        }
        if stream.len() > MAX_LINE + 64 {
            break;
        }
    }
    let expected = defined(&stream);
    assert_eq!(read(stream.chunks(usize::from(length).max(1))), expected);
    assert_eq!(read([stream.as_slice()].into_iter()), expected);
});

fn read<'a>(reads: impl Iterator<Item = &'a [u8]>) -> Seen {
    let (mut input, mut seen, mut receiver) = (Input::default(), Seen::default(), None);
    for bytes in reads {
        input.push(bytes);
        loop {
            if let Some(receiving) = &mut receiver {
                let Some(data) = input.data(receiving, LIMIT) else { break };
                seen.messages.push(data);
                receiver = None;
            }
            let Some(line) = input.line() else { break };
            receiver = line.as_ref().is_ok_and(|line| line == b"DATA").then(Receiver::new);
            let ended = line.is_err();
            seen.lines.push(line);
            if ended {
                return seen;
            }
        }
    }
    seen
}

/// Reads the same by the definition, with the whole stream at hand.
fn defined(mut stream: &[u8]) -> Seen {
    let mut seen = Seen::default();
    loop {
        let at = stream.iter().position(|byte| b"\r\n".contains(byte)).unwrap_or(stream.len());
        if at + 2 > MAX_LINE {
            seen.lines.push(Err(BadLine::TooLong));
            return seen;
        }
        let (line, end) = stream.split_at(at);
        let Some(rest) = end.strip_prefix(b"\r\n") else {
            if !matches!(end, [] | [b'\r']) {
                seen.lines.push(Err(BadLine::Unpaired(at)));
            }
            return seen;
        };
        stream = rest;
        seen.lines.push(Ok(line.to_vec()));
        if line == b"DATA" {
            let Some((message, rest)) = message(stream) else { return seen };
            seen.messages.push(message);
            stream = rest;
        }
    }
}

/// Returns the lines up to one that is a single dot, and the rest of the stream. Source: RFC 5321, section 4.5.2. The
/// doubled dots do not count: RFC 1870, section 5.
fn message(stream: &[u8]) -> Option<(Data, &[u8])> {
    let (mut message, mut rest) = (vec![], stream);
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n")? + 2;
        let (line, after) = rest.split_at(end);
        rest = after;
        match line {
            b".\r\n" if message.len() > LIMIT => return Some((Data::TooLong, rest)),
            b".\r\n" => return Some((Data::Message(message), rest)),
            line => message.extend_from_slice(line.strip_prefix(b".").unwrap_or(line)),
        }
    }
}
