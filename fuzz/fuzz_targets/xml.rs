//! Text that is written as XML is read again by an XML parser, with the same elements and the same text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesRef, Event},
};
use seskey_local::xml;

// the members of a list, separated by line feeds, and all of it as one text
fuzz_target!(|text: &str| {
    let members: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let document = xml::document("root", "urn:x", |xml| {
        xml.text("text", text);
        xml.texts("list", &members);
        xml.element("empty", |_| {});
    });
    let mut expected =
        vec![start("root"), start("text"), carried(text), end("text"), start("list")];
    for member in &members {
        expected.extend([start("member"), carried(member), end("member")]);
    }
    expected.extend([end("list"), start("empty"), String::new(), end("empty"), end("root")]);
    // an empty text between two tags is not read
    expected.retain(|part| !part.is_empty());
    assert_eq!(read(&document), expected, "{document}");
    assert!(document.len() <= 200 + 2 * (6 * text.len() + 17 * members.len()), "{document}");
});

/// Returns the tags and the texts between them.
fn read(document: &str) -> Vec<String> {
    let mut reader = Reader::from_str(document);
    let (mut parts, mut text) = (vec![], String::new());
    loop {
        let event = reader.read_event().expect("it is well-formed");
        match &event {
            Event::Text(more) => {
                text.push_str(&more.xml10_content());
                continue;
            }
            Event::GeneralRef(reference) => {
                text.push_str(&resolved(reference));
                continue;
            }
            _ => {}
        }
        if !text.is_empty() {
            parts.push(std::mem::take(&mut text));
        }
        match event {
            Event::Start(tag) => parts.push(start(tag.name().as_ref())),
            Event::End(tag) => parts.push(end(tag.name().as_ref())),
            Event::Eof => return parts,
            other => panic!("{other:?} was never written"),
        }
    }
}

fn resolved(reference: &BytesRef<'_>) -> String {
    match reference.resolve_char_ref().expect("a character") {
        Some(character) => character.into(),
        None => resolve_predefined_entity(reference).expect("one of the five entities").into(),
    }
}

/// Returns the text with the replacement for characters that XML 1.0 cannot have (production `Char`).
fn carried(text: &str) -> String {
    let is_carried = |c| match c {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        c => c >= ' ',
    };
    text.chars().map(|c| if is_carried(c) { c } else { '\u{fffd}' }).collect()
}

fn start(name: &str) -> String {
    format!("<{name}>")
}

fn end(name: &str) -> String {
    format!("</{name}>")
}
