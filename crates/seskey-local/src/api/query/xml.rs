//! XML documents.

use std::io;

use quick_xml::{
    Writer,
    escape::escape,
    events::{BytesEnd, BytesStart, BytesText, Event},
};

/// A document that is being written.
pub struct Xml(Writer<Vec<u8>>);

/// Returns a document: the root element with its namespace and its content.
pub fn document(root: &str, namespace: &str, inside: impl FnOnce(&mut Xml)) -> String {
    let mut xml = Xml(Writer::new(Vec::new()));
    xml.event(Event::Start(BytesStart::new(root).with_attributes([("xmlns", namespace)])));
    inside(&mut xml);
    xml.event(Event::End(BytesEnd::new(root)));
    String::from_utf8(xml.0.into_inner()).expect("only text was written")
}

impl Xml {
    /// Writes an element with its content.
    pub fn element(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.event(Event::Start(BytesStart::new(name)));
        inside(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// Writes an element with text. A character that XML 1.0 does not allow becomes U+FFFD.
    pub fn text(&mut self, name: &str, text: &str) {
        let carried: String =
            text.chars().map(|c| if is_xml(c) { c } else { char::REPLACEMENT_CHARACTER }).collect();
        self.element(name, |xml| {
            xml.event(Event::Text(BytesText::from_escaped(escape(carried.as_str()))))
        });
    }

    /// Writes a list: one `member` for each item.
    pub fn list<T>(&mut self, name: &str, items: &[T], member: impl Fn(&mut Self, &T)) {
        self.element(name, |xml| {
            for item in items {
                xml.element("member", |xml| member(xml, item));
            }
        });
    }

    /// Writes a list of texts.
    pub fn texts(&mut self, name: &str, items: &[String]) {
        self.element(name, |xml| items.iter().for_each(|item| xml.text("member", item)));
    }

    fn event(&mut self, event: Event<'_>) {
        let written: io::Result<()> = self.0.write_event(event);
        written.expect("memory takes every byte");
    }
}

/// Source: XML 1.0, production `Char`.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for (text, read) in [
            ("<a> & \"b\" 'c' ]]>", "<a> & \"b\" 'c' ]]>"),
            ("a\r\nb\tc", "a\r\nb\tc"),
            ("a\0b\u{1b}[31m", "a\u{fffd}b\u{fffd}[31m"),
            ("ä\u{fffe}\u{10ffff}", "ä\u{fffd}\u{10ffff}"),
        ] {
            let written = document("a", "urn:x", |xml| xml.text("b", text));
            let inner = written
                .strip_prefix("<a xmlns=\"urn:x\"><b>")
                .and_then(|rest| rest.strip_suffix("</b></a>"));
            let inner = inner.expect("the frame");
            assert!(!inner.contains(['<', '\r', '\0']), "{inner}");
            assert_eq!(quick_xml::escape::unescape(inner).expect("well-formed"), read);
        }
    }
}
