//! The values of a line in an unknown form: every word that is long enough, with the word before it as its name.

use percent_encoding::percent_decode_str;

use super::places::{Group, Value};

/// The length of the shortest access key ID.
const SHORTEST: usize = 16;

/// Returns the values of a line of a text; none for a comment.
pub(super) fn scan(text: &str, number: u64, line: &str) -> Group {
    let start = line.trim_ascii_start();
    if ["#", ";", "//", "--"].iter().any(|mark| start.starts_with(mark)) {
        return vec![];
    }
    if let Some(values) = login(text, number, "", line) {
        return values;
    }
    let is_value = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
    let is_host = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let values = words(line, is_value).filter(|word| word.len() >= SHORTEST);
    let hosts = words(line, is_host).filter(|word| word.contains('.') && word.len() >= SHORTEST);
    values.chain(hosts).map(|word| Value::of(text, number, name(line, word), word)).collect()
}

/// Returns the user name, the password and the rest of a URL with a login (RFC 3986, section 3.2.1).
pub(super) fn login(text: &str, number: u64, name: &str, part: &str) -> Option<Group> {
    let (_, rest) = part.split_once("://")?;
    let (login, host) = rest.split_once('@')?;
    let (user_name, password) = login.split_once(':')?;
    let mut values = [user_name, password, host].map(|part| Value::of(text, number, name, part));
    values[1].text = percent_decode_str(password).decode_utf8().ok()?.into_owned();
    values[1].in_url = true;
    Some(values.into())
}

fn words(line: &str, is_of_word: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    line.split(move |c| !is_of_word(c))
}

/// Returns the word before this one on the line, unless it is a value itself.
fn name<'a>(line: &'a str, word: &str) -> &'a str {
    let before = &line[..word.as_ptr().addr() - line.as_ptr().addr()];
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let before = before.trim_end_matches(|c| !is_of_name(c));
    let name = before.rsplit(|c| !is_of_name(c)).next().unwrap_or_default();
    if name.len() >= SHORTEST && !name.contains(['_', '.', '-']) { "" } else { name }
}
