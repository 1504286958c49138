//! Members of a JSON object (RFC 8259), beside those of others.

use std::{collections::BTreeMap, ops::Range};

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value, json};

use super::{
    Entry, Grammar, Names, Place, RenderError, Row, Target, entry,
    names::none,
    places::{self, Group},
};
use crate::credential::{Credential, SmtpCredential};

pub(super) const ROW: Row = Row {
    target: Target::Json,
    name: "json",
    description: "members of a JSON object",
    file: "",
    source: "RFC 8259",
    judge: "Python",
    names: ["", "", "smtp_endpoint", "smtp_port", "smtp_user_name", "smtp_password", "smtp_from"],
    whole: false,
    entry_fits: none,
    namespace_fits: none,
    key_fits: |name| !name.is_empty() && !name.contains(char::is_control),
    grammar: Grammar::Own { render, held, values },
};

/// Replaces values in place; missing members come last, laid out like the last member.
fn render(entry: &Entry<Credential>, names: &Names, before: &str) -> Result<String, RenderError> {
    let before = if before.trim_ascii().is_empty() { "{}\n" } else { before };
    let members = members(before)?;
    let ours = entry.values(names).map(|(name, value)| {
        let value = if name == names.port { json!(entry.port) } else { json!(value) };
        (name, value.to_string())
    });
    let ours: Vec<_> = ours.collect();
    let is_missing = |name: &str| members.iter().all(|member| member.name != name);
    let missing = ours.iter().filter(|(name, _)| is_missing(name));
    let mut text = before.to_owned();
    // from the end, so that earlier places stay valid
    if let Some(last) = members.last() {
        let (lead, colon) = (&before[last.lead.clone()], &before[last.colon.clone()]);
        let missing: String =
            missing.map(|(name, value)| format!(",{lead}{}{colon}{value}", json!(name))).collect();
        text.insert_str(last.value.end, &missing);
    } else {
        let lines: Vec<_> =
            missing.map(|(name, value)| format!("\n  {}: {value}", json!(name))).collect();
        let inside = before.find('{').map_or(0, |at| at + 1)..before.rfind('}').unwrap_or_default();
        text.replace_range(inside, &format!("{}\n", lines.join(",")));
    }
    for member in members.iter().rev() {
        if let Some((_, value)) = ours.iter().find(|(name, _)| member.name == *name) {
            text.replace_range(member.value.clone(), value);
        }
    }
    Ok(text)
}

fn held(
    text: &str,
    names: &Names,
    place: Place<'_>,
) -> Result<Option<SmtpCredential>, RenderError> {
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    let object: Map<String, Value> = serde_json::from_str(text).map_err(unreadable)?;
    entry::find(names, place, |name| match object.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    })
}

/// Returns the values of each object and each list, at any depth. A value that is not a string is empty.
fn values(text: &str, _: &Names) -> Result<Vec<Group>, RenderError> {
    let mut groups = vec![];
    if !text.trim_ascii().is_empty() {
        members(text)?;
        group(text, blanks(text, 0), &mut groups);
    }
    Ok(groups)
}

/// Adds the values of the object or list that begins here, in valid JSON, and the groups within it.
fn group(text: &str, start: usize, groups: &mut Vec<Group>) {
    let is_object = text[start..].starts_with('{');
    let (mut values, mut at) = (vec![], start + 1);
    loop {
        let next = if is_object { member(text, at) } else { element(text, at) };
        let Some(Member { name, value, .. }) = next else { break };
        at = blanks(text, value.end) + 1;
        let (line, mut part) = (line(text, value.start), value.clone());
        let string = serde_json::from_str(&text[value.clone()]).ok();
        match text.as_bytes()[value.start] {
            b'{' | b'[' => group(text, value.start, groups),
            b'"' => part = value.start + 1..value.end - 1,
            _ => {}
        }
        let text = string.unwrap_or_default();
        values.push(places::Value { line, name, text, at: part, in_url: false });
    }
    groups.push(values);
}

fn unreadable(error: serde_json::Error) -> RenderError {
    RenderError::Unreadable { line: error.line().max(1) as u64 }
}

/// A member of an object, and the places of its parts in the text.
struct Member {
    name: String,
    /// The blanks before the name.
    lead: Range<usize>,
    /// The text between name and value.
    colon: Range<usize>,
    value: Range<usize>,
}

fn members(text: &str) -> Result<Vec<Member>, RenderError> {
    let _: BTreeMap<String, IgnoredAny> = serde_json::from_str(text).map_err(unreadable)?;
    let mut members: Vec<Member> = vec![];
    let mut at = text.find('{').map_or(0, |brace| brace + 1);
    while let Some(member) = member(text, at) {
        // readers differ in which of two members they take
        if members.iter().any(|other| other.name == member.name) {
            return Err(RenderError::Unreadable { line: line(text, member.value.start) });
        }
        at = blanks(text, member.value.end) + 1;
        members.push(member);
    }
    Ok(members)
}

/// Returns the member that begins here, in a valid object.
fn member(text: &str, at: usize) -> Option<Member> {
    let start = blanks(text, at);
    let (name, end) = first_value(text, start)?;
    let value = blanks(text, blanks(text, end) + 1);
    let (_, value_end) = first_value::<IgnoredAny>(text, value)?;
    Some(Member { name, lead: at..start, colon: end..value, value: value..value_end })
}

/// Returns the element that begins here, in a valid list.
fn element(text: &str, at: usize) -> Option<Member> {
    let start = blanks(text, at);
    let (_, end) = first_value::<IgnoredAny>(text, start)?;
    Some(Member { name: String::new(), lead: at..start, colon: start..start, value: start..end })
}

fn line(text: &str, at: usize) -> u64 {
    text[..=at].lines().count() as u64
}

/// Returns the end of the blanks that begin here.
fn blanks(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_ascii_start().len()
}

fn first_value<T: DeserializeOwned>(text: &str, at: usize) -> Option<(T, usize)> {
    let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter();
    let value = values.next()?.ok()?;
    Some((value, at + values.byte_offset()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_where_they_stand() {
        let text = "{ \"a\" : [1, {\"}\": \"{\"}] , \"\\u0062,\":-1.50e3,\n\"c\":null}";
        let members = members(text).unwrap();
        let found: Vec<_> =
            members.iter().map(|member| (&*member.name, &text[member.value.clone()])).collect();
        assert_eq!(found, [("a", "[1, {\"}\": \"{\"}]"), ("b,", "-1.50e3"), ("c", "null")]);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for (text, line) in
            [("[]", 1), ("{\"a\":\n1", 2), ("{}{}", 1), ("{\"a\":1,\n\n\"a\":2}", 3), ("1", 1)]
        {
            assert_eq!(members(text).err(), Some(RenderError::Unreadable { line }), "{text}");
        }
    }
}
