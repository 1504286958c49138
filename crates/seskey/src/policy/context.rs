//! What is asked: the request and its context.

use std::{borrow::Borrow, collections::BTreeMap};

/// May this action be done on this resource, in this context?
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Such as `ses:SendRawEmail`; upper and lower case are the same.
    pub action: &'a str,
    /// The ARN of the resource, or `*` for an action that has none.
    pub resource: &'a str,
    /// The condition keys that the service gives to the request.
    pub context: Known<'a>,
}

/// A context, or what makes one when a policy first asks for it: most never do.
pub type Known<'a> = &'a (dyn Borrow<Context> + 'a);

/// Condition keys with their values. Upper and lower case of a key are the same, those of a value are not.
///
/// A key that is given no value is a key that is not there.
/// Source: IAM User Guide, "IAM JSON policy elements: Condition", the request context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    /// A context without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// The context with these values more for the key.
    #[must_use]
    pub fn with<V: Into<String>>(mut self, key: &str, values: impl IntoIterator<Item = V>) -> Self {
        self.insert(key, values);
        self
    }

    /// Gives these values more to the key.
    pub fn insert<V: Into<String>>(&mut self, key: &str, values: impl IntoIterator<Item = V>) {
        self.0
            .entry(key.to_ascii_lowercase())
            .or_default()
            .extend(values.into_iter().map(Into::into));
    }
}

/// The values of a key in lower case; none where it is absent.
pub(super) fn values_of<'a>(known: Known<'a>, key: &str) -> &'a [String] {
    let Context(keys) = known.borrow();
    keys.get(key).map_or(&[], Vec::as_slice)
}

impl<K: AsRef<str>, V: Into<String>, I: IntoIterator<Item = V>> FromIterator<(K, I)> for Context {
    fn from_iter<T: IntoIterator<Item = (K, I)>>(keys: T) -> Self {
        keys.into_iter()
            .fold(Self::new(), |context, (key, values)| context.with(key.as_ref(), values))
    }
}
