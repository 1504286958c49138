//! What the JSON of a request may have of short texts and of lists: a text or an item of a few bytes takes many times as
//! many in memory, and one that is far too long is copied more than once before it is refused.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};

/// A text that is short if it is right: an address, a name, an ARN. One that is longer is cut, and is wrong.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Short::deserialize(deserializer).map(|short| short.0)
}

/// The same where there may be none.
pub(super) fn optional_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    Ok(Option::<Short>::deserialize(deserializer)?.map(|short| short.0))
}

/// Several of them.
pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(list::<Short, D>(deserializer)?.into_iter().map(|short| short.0).collect())
}

/// A list; one with too many items is refused.
pub(super) fn list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    List::deserialize(deserializer).map(|list| list.0)
}

/// Ours, in bytes: an address with its display name is shorter, and so is an ARN.
const LONGEST: usize = 2048;

/// Ours: more than any list of the API may have.
const MOST: usize = 1000;

struct Short(String);

struct List<T>(Vec<T>);

impl<'de> Deserialize<'de> for Short {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Short;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E>(self, text: &str) -> Result<Short, E> {
                let short = &text[..text.floor_char_boundary(LONGEST)];
                // no address, name or ARN has the ellipsis
                let cut = if short.len() < text.len() { "…" } else { "" };
                Ok(Short([short, cut].concat()))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<T>, A::Error> {
                let mut list = vec![];
                while let Some(item) = items.next_element()? {
                    if list.len() == MOST {
                        return Err(A::Error::custom(format_args!("more than {MOST} items")));
                    }
                    list.push(item);
                }
                Ok(List(list))
            }
        }

        deserializer.deserialize_seq(Items(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_is_too_long_is_cut_or_refused() {
        for (text, expected) in [
            ("x".repeat(LONGEST), "x".repeat(LONGEST)),
            ("x".repeat(LONGEST + 1), format!("{}…", "x".repeat(LONGEST))),
            ("ä".repeat(LONGEST), format!("{}…", "ä".repeat(LONGEST / 2))),
        ] {
            assert_eq!(super::text(Value::from(text)).unwrap(), expected);
        }
        let read = |items| list::<u8, _>(Value::from(vec![7; items]));
        assert_eq!(read(MOST).unwrap().len(), MOST);
        assert!(read(MOST + 1).unwrap_err().to_string().starts_with("more than 1000 items"));
    }
}
