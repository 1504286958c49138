//! The parameters of a Query request, each read in the form that the API model gives it.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use memchr::memchr;
use percent_encoding::percent_decode;

use super::shapes::{self, Shape};
use crate::{
    account::{AccountId, Page, Principal, Tag},
    refusal::{ApiRefusal, Constraint},
};

/// Parameters by name.
pub struct Members(BTreeMap<String, String>);

impl Members {
    /// Reads a query string or a form.
    ///
    /// # Errors
    /// `MalformedQueryString` if a name occurs twice, a text is not UTF-8, or there are more parameters than any
    /// request has.
    pub fn parse(form: &[u8]) -> Result<Self, ApiRefusal> {
        let mut members = BTreeMap::new();
        for (name, value) in pairs(form) {
            let is_full = members.len() == MOST_PARAMETERS;
            match (decoded(name), decoded(value)) {
                (Some(name), Some(value)) if !is_full && !members.contains_key(&name) => {
                    members.insert(name, value);
                }
                _ => return Err(ApiRefusal::MalformedQueryString),
            }
        }
        Ok(Self(members))
    }

    /// Returns the parameter as it is.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether there is a parameter whose name begins with a prefix.
    pub(crate) fn begins_with(&self, prefix: &str) -> bool {
        self.0.range(prefix.to_owned()..).next().is_some_and(|(name, _)| name.starts_with(prefix))
    }

    /// Takes the parameter out as it is, since it may be long.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Does the same for a required parameter.
    pub(crate) fn take_required(&mut self, name: &str) -> Result<String, ApiRefusal> {
        self.take(name).ok_or_else(|| invalid(name, Constraint::Required))
    }

    /// Whether all other parameters are no longer than a policy may be.
    pub(crate) fn are_short_but(&self, long: &[&str]) -> bool {
        let mut others = self.0.iter().filter(|(name, _)| !long.contains(&name.as_str()));
        others.all(|(name, value)| name.len() + value.len() <= LONGEST_PARAMETER)
    }

    /// Refuses a parameter that the operation does not accept, and a list item that does not follow the one before.
    pub(crate) fn only(&self, operation: &'static str, members: &str) -> Result<(), ApiRefusal> {
        match self.0.iter().find(|(name, value)| !self.is_taken(name, value, members)) {
            Some((name, _)) => {
                let name: String = name.chars().take(LONGEST_NAME).collect();
                Err(invalid(&name, Constraint::Unknown(operation)))
            }
            None => Ok(()),
        }
    }

    fn is_taken(&self, name: &str, value: &str, members: &str) -> bool {
        if COMMON.contains(&name) {
            return true;
        }
        if name.len() > LONGEST_NAME {
            return false;
        }
        let mut members = members.split_ascii_whitespace().map(|it| it.trim_end_matches('*'));
        let mut known = Vec::new();
        let mut before = String::new();
        for part in name.split('.') {
            match part.parse::<usize>() {
                Ok(1) if part == "1" => known.push("N"),
                Ok(n @ 2..) if n.to_string() == part && self.has(&format!("{before}{}", n - 1)) => {
                    known.push("N");
                }
                Ok(_) => return false,
                Err(_) if part == "N" => return false,
                Err(_) => known.push(part),
            }
            before = format!("{before}{part}.");
        }
        let known = known.join(".");
        // an empty list is sent under its bare name
        let empty_list = format!("{known}.member.N");
        members.any(|it| it == known || (value.is_empty() && it.starts_with(&empty_list)))
    }

    /// Whether there is a parameter of that name, or one that continues it after a dot.
    fn has(&self, name: &str) -> bool {
        let part = format!("{name}.");
        self.0.contains_key(name)
            || self.0.range(part.clone()..).next().is_some_and(|(name, _)| name.starts_with(&part))
    }

    pub(crate) fn optional(&self, name: &str, shape: &Shape) -> Result<Option<String>, ApiRefusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        match shape.violation(text) {
            Some(constraint) => Err(invalid(name, constraint)),
            None => Ok(Some(text.to_owned())),
        }
    }

    pub(crate) fn required(&self, name: &str, shape: &Shape) -> Result<String, ApiRefusal> {
        self.optional(name, shape)?.ok_or_else(|| invalid(name, Constraint::Required))
    }

    /// Returns the items `NAME.member.1`, `NAME.member.2` and so on, up to the first that is missing.
    pub(crate) fn list(&self, name: &str, shape: &Shape) -> Result<Vec<String>, ApiRefusal> {
        (1..)
            .map_while(|n| self.optional(&format!("{name}.member.{n}"), shape).transpose())
            .collect()
    }

    pub(crate) fn required_list(
        &self,
        name: &str,
        shape: &Shape,
    ) -> Result<Vec<String>, ApiRefusal> {
        let list = self.list(name, shape)?;
        if list.is_empty() { Err(invalid(name, Constraint::Required)) } else { Ok(list) }
    }

    /// Returns the required parameter as it is.
    pub(crate) fn required_text(&self, name: &str) -> Result<String, ApiRefusal> {
        self.required_str(name).map(str::to_owned)
    }

    /// Returns the same without a copy, since it may be long.
    pub(crate) fn required_str(&self, name: &str) -> Result<&str, ApiRefusal> {
        self.get(name).ok_or_else(|| invalid(name, Constraint::Required))
    }

    /// Returns the items of a list as they are.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        (1..).map_while(|n| self.get(&format!("{name}.member.{n}")).map(str::to_owned)).collect()
    }

    /// Returns the account that is encoded in the parameter `AccessKeyId`.
    pub(crate) fn access_key_account(&self) -> Result<AccountId, ApiRefusal> {
        let id = self.required("AccessKeyId", &shapes::ACCESS_KEY_ID)?;
        AccountId::of_access_key(&id)
            .ok_or_else(|| invalid("AccessKeyId", Constraint::Pattern("AKIA[A-Z2-7]+")))
    }

    pub(crate) fn user_name(&self) -> Result<String, ApiRefusal> {
        self.required("UserName", &shapes::EXISTING_USER_NAME)
    }

    /// Returns the named user, or else the caller.
    pub(crate) fn user_or(&self, caller: &Principal) -> Result<Principal, ApiRefusal> {
        match (self.optional("UserName", &shapes::EXISTING_USER_NAME)?, caller) {
            (Some(name), _) => Ok(Principal::User(name)),
            (None, Principal::AssumedRole { .. }) => Err(ApiRefusal::NotAUser),
            (None, caller) => Ok(caller.clone()),
        }
    }

    /// Returns the same where the root user is refused.
    pub(crate) fn user_name_or(&self, caller: &Principal) -> Result<String, ApiRefusal> {
        match self.user_or(caller)? {
            Principal::User(name) => Ok(name),
            Principal::Root | Principal::AssumedRole { .. } => Err(ApiRefusal::NotAUser),
        }
    }

    pub(crate) fn path(&self, shape: &Shape) -> Result<String, ApiRefusal> {
        Ok(self.optional("Path", shape)?.unwrap_or_else(|| "/".into()))
    }

    pub(crate) fn path_prefix(&self, shape: &Shape) -> Result<String, ApiRefusal> {
        Ok(self.optional("PathPrefix", shape)?.unwrap_or_else(|| "/".into()))
    }

    pub(crate) fn page(&self) -> Result<Page, ApiRefusal> {
        let mut page = Page { marker: self.get("Marker").map(str::to_owned), ..Page::default() };
        if let Some(max_items) = self.number("MaxItems", 1, 1000)? {
            page.max_items = max_items;
        }
        Ok(page)
    }

    pub(crate) fn seconds(
        &self,
        name: &str,
        least: usize,
        most: usize,
    ) -> Result<Option<SignedDuration>, ApiRefusal> {
        let seconds = self.number(name, least, most)?;
        Ok(seconds.map(|seconds| SignedDuration::from_secs(seconds as i64)))
    }

    /// Reads a number. A text that is not a number counts as too small.
    fn number(&self, name: &str, least: usize, most: usize) -> Result<Option<usize>, ApiRefusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        match text.parse() {
            Ok(number) if number > most => Err(invalid(name, Constraint::AtMost(most))),
            Ok(number) if number >= least => Ok(Some(number)),
            _ => Err(invalid(name, Constraint::AtLeast(least))),
        }
    }

    pub(crate) fn tags(&self) -> Result<Vec<Tag>, ApiRefusal> {
        let mut tags = Vec::new();
        loop {
            let member = |part| format!("Tags.member.{}.{part}", tags.len() + 1);
            let (key, value) = (member("Key"), member("Value"));
            if self.get(&key).is_none() && self.get(&value).is_none() {
                return match tags.len() {
                    0..=MOST_TAGS => Ok(tags),
                    _ => Err(invalid("Tags", Constraint::MaxLength(MOST_TAGS))),
                };
            }
            let key = self.required(&key, &shapes::TAG_KEY)?;
            tags.push(Tag { key, value: self.required(&value, &shapes::TAG_VALUE)? });
        }
    }

    pub(crate) fn required_tags(&self) -> Result<Vec<Tag>, ApiRefusal> {
        let tags = self.tags()?;
        if tags.is_empty() { Err(invalid("Tags", Constraint::Required)) } else { Ok(tags) }
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, ApiRefusal> {
        self.one_of(name, |text| text.parse().ok()).map(Option::unwrap_or_default)
    }

    /// Reads a value of an enumeration.
    pub(crate) fn one_of<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiRefusal> {
        let parse = |text| parse(text).ok_or_else(|| invalid(name, Constraint::OneOf));
        self.get(name).map(parse).transpose()
    }
}

/// Returns the value of one parameter of a query string or a form; empty if it is not UTF-8.
pub(crate) fn value_of(form: &[u8], name: &str) -> Option<String> {
    let mut values = pairs(form).filter(|(given, _)| decoded(given).is_some_and(|it| it == name));
    values.next().map(|(_, value)| decoded(value).unwrap_or_default())
}

/// Returns the names and values of a form, as they are sent.
/// Source: URL Standard, "application/x-www-form-urlencoded parsing".
fn pairs(form: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        match memchr(b'=', pair) {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &[][..]),
        }
    })
}

/// Decodes a name or a value into one buffer, no longer than the encoded text. `None` if it is not UTF-8, or has the
/// replacement character, which no parameter of the API may have.
fn decoded(sent: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(sent.len());
    for (n, run) in sent.split(|byte| *byte == b'+').enumerate() {
        if n > 0 {
            bytes.push(b' ');
        }
        bytes.extend(percent_decode(run));
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains(char::REPLACEMENT_CHARACTER))
}

/// Returns the refusal of a parameter. AWS writes `Tags.member.1.Key` as `tags.1.member.key`.
pub(crate) fn invalid(name: &str, constraint: Constraint) -> ApiRefusal {
    let mut parts: Vec<String> = name.split('.').map(str::to_owned).collect();
    for part in &mut parts {
        if let Some(first) = part.get_mut(..1) {
            first.make_ascii_lowercase();
        }
    }
    for n in 1..parts.len() {
        if parts[n - 1] == "member" && parts[n].bytes().all(|b| b.is_ascii_digit()) {
            parts.swap(n - 1, n);
        }
    }
    ApiRefusal::ValidationError { member: parts.join("."), value: None, constraint }
}

/// The parameters of every operation, and those of a signature in the query string.
/// Sources: IAM API Reference, "Common Parameters"; IAM User Guide, "Create a signed AWS API request".
const COMMON: [&str; 9] = [
    "Action",
    "Version",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
];

/// Our own limit: a short parameter takes many times its length.
const MOST_PARAMETERS: usize = 10_000;

/// Our own limit: a longer parameter would be copied before it is refused.
const LONGEST_PARAMETER: usize = 128 * 1024;

/// No parameter has a longer name, whatever the numbers in it.
const LONGEST_NAME: usize = 128;

/// Source: botocore 1.44.5, shape `tagListType`.
const MOST_TAGS: usize = 50;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_form_is_read_as_others_read_it(form in "([a=&+%]|%[0-9A-Fa-f]{2}|%C3%A4|\u{e4}){0,40}") {
            let text = |text: &str| {
                (!text.contains(char::REPLACEMENT_CHARACTER)).then(|| text.to_owned())
            };
            let read: Vec<_> =
                pairs(form.as_bytes()).map(|(name, value)| (decoded(name), decoded(value))).collect();
            let expected: Vec<_> = form_urlencoded::parse(form.as_bytes())
                .map(|(name, value)| (text(&name), text(&value)))
                .collect();
            prop_assert_eq!(read, expected);
        }
    }
}
