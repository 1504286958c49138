//! The parameters of a Query request, each read in the form that the API model gives it.

use std::collections::BTreeMap;

use super::shapes::{self, Shape};
use crate::{
    account::{AccountId, Page, Principal, Tag},
    refusal::{Constraint, Refusal},
};

/// Parameters by name. What an operation does not know of is passed over.
pub struct Members(BTreeMap<String, String>);

impl Members {
    /// Reads a query string or a form.
    ///
    /// # Errors
    /// `MalformedQueryString` where a name comes twice or a text is not UTF-8.
    pub fn parse(form: &[u8]) -> Result<Self, Refusal> {
        let mut members = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(form) {
            // what is not UTF-8 was replaced; no parameter of the API may have the replacement itself
            let garbled = name.contains(char::REPLACEMENT_CHARACTER)
                || value.contains(char::REPLACEMENT_CHARACTER);
            if garbled || members.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(Refusal::MalformedQueryString);
            }
        }
        Ok(Self(members))
    }

    /// The parameter as it is.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn optional(&self, name: &str, shape: &Shape) -> Result<Option<String>, Refusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        match shape.violation(text) {
            Some(constraint) => Err(invalid(name, constraint)),
            None => Ok(Some(text.to_owned())),
        }
    }

    pub(super) fn required(&self, name: &str, shape: &Shape) -> Result<String, Refusal> {
        self.optional(name, shape)?.ok_or_else(|| invalid(name, Constraint::Required))
    }

    /// The items `NAME.member.1`, `NAME.member.2` and so on, up to the first that is not there.
    pub(super) fn list(&self, name: &str, shape: &Shape) -> Result<Vec<String>, Refusal> {
        (1..)
            .map_while(|n| self.optional(&format!("{name}.member.{n}"), shape).transpose())
            .collect()
    }

    pub(super) fn required_list(&self, name: &str, shape: &Shape) -> Result<Vec<String>, Refusal> {
        let list = self.list(name, shape)?;
        if list.is_empty() { Err(invalid(name, Constraint::Required)) } else { Ok(list) }
    }

    /// The account that the parameter `AccessKeyId` tells by its form.
    pub(crate) fn access_key_account(&self) -> Result<AccountId, Refusal> {
        let id = self.required("AccessKeyId", &shapes::ACCESS_KEY_ID)?;
        AccountId::of_access_key(&id)
            .ok_or_else(|| invalid("AccessKeyId", Constraint::Pattern("AKIA[A-Z2-7]+")))
    }

    pub(super) fn user_name(&self) -> Result<String, Refusal> {
        self.required("UserName", &shapes::EXISTING_USER_NAME)
    }

    /// The user that is named, or else who asks.
    pub(super) fn user_or(&self, caller: &Principal) -> Result<Principal, Refusal> {
        let name = self.optional("UserName", &shapes::EXISTING_USER_NAME)?;
        Ok(name.map_or_else(|| caller.clone(), Principal::User))
    }

    pub(super) fn path(&self, shape: &Shape) -> Result<String, Refusal> {
        Ok(self.optional("Path", shape)?.unwrap_or_else(|| "/".into()))
    }

    pub(super) fn path_prefix(&self) -> Result<String, Refusal> {
        Ok(self.optional("PathPrefix", &shapes::PATH_PREFIX)?.unwrap_or_else(|| "/".into()))
    }

    pub(super) fn page(&self) -> Result<Page, Refusal> {
        let mut page = Page { marker: self.get("Marker").map(str::to_owned), ..Page::default() };
        if let Some(text) = self.get("MaxItems") {
            page.max_items = match text.parse() {
                Ok(0) | Err(_) => return Err(invalid("MaxItems", Constraint::AtLeast(1))),
                Ok(1001..) => return Err(invalid("MaxItems", Constraint::AtMost(1000))),
                Ok(max_items) => max_items,
            };
        }
        Ok(page)
    }

    pub(super) fn tags(&self) -> Result<Vec<Tag>, Refusal> {
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

    pub(super) fn required_tags(&self) -> Result<Vec<Tag>, Refusal> {
        let tags = self.tags()?;
        if tags.is_empty() { Err(invalid("Tags", Constraint::Required)) } else { Ok(tags) }
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        self.one_of(name, "true, false", |text| text.parse().ok()).map(Option::unwrap_or_default)
    }

    /// One of the words of an enumeration.
    pub(super) fn one_of<T>(
        &self,
        name: &str,
        words: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let parse = |text| parse(text).ok_or_else(|| invalid(name, Constraint::OneOf(words)));
        self.get(name).map(parse).transpose()
    }
}

/// A refused parameter. AWS writes its name with a small first letter.
pub(super) fn invalid(name: &str, constraint: Constraint) -> Refusal {
    let mut member = name.to_owned();
    if let Some(first) = member.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    Refusal::ValidationError { member, constraint }
}

/// Source: botocore 1.44.5, shape `tagListType`.
const MOST_TAGS: usize = 50;
