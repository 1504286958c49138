//! The credentials in a JSON object, wherever it was read.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use seskey::{
    AccessKeyId,
    render::{Form, Names, RenderError},
};

use super::{Held, StoreError};

/// Returns the members with one of these access keys, whatever their names; if there are none, those of the form.
pub(super) fn held_of(
    form: &Form,
    text: &str,
    keys: &BTreeSet<AccessKeyId>,
) -> Result<Held, StoreError> {
    // the region is checked when the text is written
    match form.entries(text, "", keys) {
        Ok(entries) if !entries.is_empty() => Ok(Held::of(entries)),
        Ok(_) | Err(RenderError::Unreadable { .. }) => Ok(held(text, form.names())),
        Err(error) => Err(error.into()),
    }
}

/// Classifies an object. Without the two values, or with empty ones, it has room for them and holds nothing.
pub(super) fn held(text: &str, names: &Names) -> Held {
    if text.trim().is_empty() {
        return Held::Nothing;
    }
    let Ok(object) = serde_json::from_str::<Map<String, Value>>(text) else {
        return Held::Foreign;
    };
    let value = |name| match object.get(name) {
        None | Some(Value::Null) => Some(""),
        Some(value) => value.as_str(),
    };
    let values = value(&names.user_name).zip(value(&names.password));
    values.map_or(Held::Foreign, |(user_name, password)| Held::values(user_name, password))
}
