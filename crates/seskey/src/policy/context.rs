//! The request and its context.

use std::{borrow::Borrow, collections::BTreeMap};

/// A request to do an action on a resource, in a context.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The action, such as `ses:SendRawEmail`; case does not matter.
    pub action: &'a str,
    /// The ARN of the resource, or `*` for an action that has none.
    pub resource: &'a str,
    /// The condition keys that the service gives to the request.
    pub context: Known<'a>,
}

/// A context, or a value that makes one when a policy first asks for it: most never do.
pub type Known<'a> = &'a (dyn Borrow<Context> + 'a);

/// Condition keys with their values. Case does not matter in a key, but it does in a value.
///
/// A key without values counts as absent.
/// Source: IAM User Guide, "IAM JSON policy elements: Condition", the request context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    /// Makes a context without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the context with these values added to the key.
    #[must_use]
    pub fn with<V: Into<String>>(mut self, key: &str, values: impl IntoIterator<Item = V>) -> Self {
        self.insert(key, values);
        self
    }

    /// Adds these values to the key.
    pub fn insert<V: Into<String>>(&mut self, key: &str, values: impl IntoIterator<Item = V>) {
        self.0
            .entry(key.to_ascii_lowercase())
            .or_default()
            .extend(values.into_iter().map(Into::into));
    }
}

/// Returns the values of a lower-case key; none if it is absent.
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
