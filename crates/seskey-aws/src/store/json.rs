//! What a JSON object holds, wherever it was read.

use serde_json::{Map, Value};
use seskey::render::Names;

use super::Held;

/// An object without the two values, or with empty ones, has room for them and holds nothing.
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
