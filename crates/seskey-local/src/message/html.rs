//! The text of HTML as a reader sees it, and the targets of its links. No page is laid out.
//!
//! Source: HTML Living Standard, "Parsing HTML documents", as far as mail needs it.

use mail_parser::decoders::html::html_to_text;

enum Token<'a> {
    Text(&'a str),
    /// An opening or a closing tag, without its angle brackets.
    Tag(&'a str),
}

/// Returns the text: a line for each block, a blank between the cells of a table, nothing for hidden elements.
pub(super) fn text(html: &str) -> String {
    let (mut text, mut hidden) = (String::new(), None);
    for token in tokens(html) {
        match token {
            Token::Tag(tag) => {
                let name = name(tag);
                match &hidden {
                    Some(element) if tag.starts_with('/') && name == *element => hidden = None,
                    None if HIDDEN.contains(&&*name) && !tag.starts_with('/') => {
                        hidden = Some(name);
                    }
                    None if CELLS.contains(&&*name) => text.push(' '),
                    None if !INLINE.contains(&&*name) && !text.ends_with('\n') => text.push('\n'),
                    _ => {}
                }
            }
            Token::Text(piece) if hidden.is_none() => push(&mut text, piece),
            Token::Text(_) => {}
        }
    }
    text.trim().to_owned()
}

/// Appends a text. White space counts once, and entities become the characters that they stand for.
fn push(text: &mut String, piece: &str) {
    let blank = |text: &mut String| {
        if !text.is_empty() && !text.ends_with(char::is_whitespace) {
            text.push(' ');
        }
    };
    if piece.starts_with(char::is_whitespace) {
        blank(text);
    }
    // a bracket that begins no tag is text
    let piece_text = html_to_text(&piece.replace('<', "&lt;"));
    text.push_str(piece_text.trim());
    if piece.ends_with(char::is_whitespace) {
        blank(text);
    }
}

/// Returns the targets of the `href` attributes.
pub(super) fn hrefs(html: &str) -> Vec<String> {
    let tags = tokens(html).filter_map(|token| match token {
        Token::Tag(tag) => href(tag),
        Token::Text(_) => None,
    });
    tags.collect()
}

fn href(tag: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let (at, name) = lower.match_indices("href").find(|(at, _)| {
        lower[..*at].ends_with(|c: char| c.is_whitespace() || "\"'/".contains(c))
    })?;
    let value = tag[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
    let value = match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split(quote).next()?,
        _ => value.split(|c: char| c.is_whitespace()).next()?,
    };
    Some(html_to_text(&value.replace('<', "%3C")).trim().to_owned())
}

/// Returns the pieces of a document, in their order.
fn tokens(html: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = html;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            if let Some(comment) = rest.strip_prefix("<!--") {
                rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
                continue;
            }
            if begins_tag(rest) {
                let end = tag_end(rest);
                let tag = &rest[1..end];
                rest = rest.get(end + 1..).unwrap_or_default();
                return Some(Token::Tag(tag));
            }
            let first = rest.chars().next().map_or(1, char::len_utf8);
            let begins = rest.match_indices('<').map(|(at, _)| at);
            let end = begins.skip_while(|at| *at < first).find(|at| begins_tag(&rest[*at..]));
            let (text, behind) = rest.split_at(end.unwrap_or(rest.len()));
            rest = behind;
            return Some(Token::Text(text));
        }
    })
}

fn begins_tag(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next() == Some('<')
        && characters.next().is_some_and(|c| c.is_ascii_alphabetic() || "/!?".contains(c))
}

/// Returns the end of a tag. A bracket between quotation marks does not end it.
fn tag_end(tag: &str) -> usize {
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (None, '>') => return at,
            (None, '"' | '\'') if tag[..at].trim_end().ends_with('=') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    tag.len()
}

fn name(tag: &str) -> String {
    let name = tag.trim_start_matches('/');
    let end = name.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(name.len());
    name[..end].to_ascii_lowercase()
}

const HIDDEN: [&str; 4] = ["head", "script", "style", "title"];
const CELLS: [&str; 3] = ["td", "th", "img"];
/// The elements within a line. Source: HTML Living Standard, "Text-level semantics".
const INLINE: [&str; 25] = [
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "em", "font", "i", "kbd", "mark", "q",
    "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "wbr",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_text_is_what_a_reader_sees() {
        for (html, seen) in [
            ("<table><tr><td>Code</td><td>482913</td></tr></table>", "Code 482913"),
            ("<b>Code</b> 482913", "Code 482913"),
            ("<b>482913</b> is your code", "482913 is your code"),
            ("H<b>ell</b>o <i>Ann</i>,<br>bye", "Hello Ann,\nbye"),
            ("<p>a &lt; b &amp;&nbsp;c &#233;&eacute;</p>", "a < b &\u{a0}c éé"),
            ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
            ("<style>p{x:1}</style><!-- no --><p title='>'>a</p><div>b</div>", "a\nb"),
            ("<head><title>no</title></head><body>\n  a\n  b", "a b"),
            ("a<b", "a"),
            ("<", "<"),
        ] {
            let found = text(html);
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(words(&found), words(seen), "{html}: {found:?}");
        }
    }

    #[test]
    fn its_links_are_found_however_they_are_written() {
        let html = "<A CLASS=x HREF='https://a.example/?a=1&amp;b=2'>x</a> <a href=https://b.example/x>y</a> \
            <a href=\" HTTPS://c.example/ \">z</a> <a data-href=\"https://no.example\">n</a> <a\nhref = \"mailto:d\">";
        assert_eq!(
            hrefs(html),
            ["https://a.example/?a=1&b=2", "https://b.example/x", "HTTPS://c.example/", "mailto:d"]
        );
    }
}
