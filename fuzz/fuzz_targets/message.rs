//! The author that decides whether a message is sent is the author that its recipient sees, with any mail reader.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use mail_parser::{Address, MessageParser};
use seskey::Region;
use seskey_local::message::{Author, RawMessage};

fuzz_target!(|message: &[u8]| {
    let raw = RawMessage::split(message);
    let region = Region::parse("eu-west-1").expect("it is a region");
    let rewritten = raw.rewritten("ID", &[], &region, Timestamp::UNIX_EPOCH);
    let rewritten = rewritten.of(message.to_vec());
    assert!(rewritten.len() <= message.len() + 300, "{}", rewritten.len());
    let lines = message.iter().filter(|&&byte| byte == b'\n').count();
    let parts = raw.count_parts(lines + 1).unwrap_or_default();
    assert!(parts <= lines + 1, "each part begins behind a line");
    let Ok(header) = raw.header() else { return };

    let read = RawMessage::split(&rewritten).header().expect("what is written is read");
    assert_eq!((&read.authors, &read.to, &read.cc), (&header.authors, &header.to, &header.cc));
    assert_eq!((read.configuration_set, read.return_path, read.bcc), (None, vec![], vec![]));

    // this parser finds the end of the header itself; the bodies of some multiparts make it panic
    let parsed = MessageParser::default().parse_headers(&rewritten).expect("it has a header");
    let authors: Vec<Author> = parsed
        .from()
        .into_iter()
        .flat_map(Address::iter)
        .map(|address| Author {
            address: address.address().unwrap_or_default().to_owned(),
            display_name: address.name().map(str::to_owned).filter(|name| !name.is_empty()),
        })
        .collect();
    assert_eq!(authors, header.authors);
    assert_eq!(parsed.message_id(), Some("ID@eu-west-1.amazonses.com"));

    // a reader that takes every CR and every LF for the end of a line
    for (name, times) in [("from", 1), ("date", 1), ("message-id", 1), ("x-ses-source-arn", 0)] {
        assert_eq!(lines_of(&rewritten, name), times, "{name}");
    }
});

/// Returns how many lines of the header begin with a name, with or without blanks before the colon.
fn lines_of(message: &[u8], name: &str) -> usize {
    let text = String::from_utf8_lossy(message).replace("\r\n", "\n").replace('\r', "\n");
    let header = text.split("\n\n").next().unwrap_or_default();
    header
        .split('\n')
        .filter_map(|line| line.split_once(':'))
        .filter(|(before, _)| before.trim_end().eq_ignore_ascii_case(name))
        .count()
}
