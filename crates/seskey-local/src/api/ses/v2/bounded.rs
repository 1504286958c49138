//! Limits of short texts and lists in the JSON of a request. A text or an item of a few bytes takes many times as many
//! in memory, and a text that is far too long, or in the wrong place, is copied more than once before it is refused.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        Error, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

/// Reads a text that is short if valid: an address, a name, an ARN. A longer text is cut, and is then invalid.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Short::deserialize(deserializer).map(|short| short.0)
}

/// Reads the same if it is present.
pub(super) fn optional_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    Ok(Option::<Short>::deserialize(deserializer)?.map(|short| short.0))
}

/// Reads a list of such texts.
pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(list::<Short, D>(deserializer)?.into_iter().map(|short| short.0).collect())
}

/// Reads a list, and refuses too many items.
pub(super) fn list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    List::deserialize(deserializer).map(|list| list.0)
}

/// Reads a value other than a text: an object, a number, a boolean.
pub(super) fn no_text<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    NoText::deserialize(deserializer).map(|value| value.0)
}

/// Reads the same if it is present.
pub(super) fn optional_no_text<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::<NoText<T>>::deserialize(deserializer)?.map(|value| value.0))
}

/// Our own limit, in bytes: an address with its display name is shorter, and so is an ARN.
const LONGEST: usize = 2048;

/// Our own limit: more than any list of the API may have.
const MOST: usize = 1000;

/// The length of a cut text that is still too long to be valid.
const TOO_LONG: usize = LONGEST + 4;

/// A value other than a text. A text in its place is cut: the refusal quotes it, and each of its bytes may take six
/// when it is escaped.
pub(super) struct NoText<T>(pub(super) T);

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
                // no address, name or ARN contains an ellipsis
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

            fn visit_str<E: Error>(self, text: &str) -> Result<List<T>, E> {
                Err(E::invalid_type(Unexpected::Str(cut(text)), &self))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<T>, A::Error> {
                let mut list = vec![];
                while let Some(NoText(item)) = items.next_element()? {
                    if list.len() == MOST {
                        return Err(A::Error::custom(format_args!("more than {MOST} items")));
                    }
                    list.push(item);
                }
                Ok(List(list))
            }
        }

        // asked for a sequence, the deserializer would refuse a text before it is seen here
        deserializer.deserialize_any(Items(PhantomData))
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TOO_LONG)]
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for NoText<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything(PhantomData)).map(NoText)
    }
}

/// A visitor that passes on any value, with texts cut.
struct Anything<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Anything<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::deserialize(cut(text).into_deserializer())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<T, E> {
        T::deserialize(value.into_deserializer())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        T::deserialize(value.into_deserializer())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        T::deserialize(value.into_deserializer())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<T, E> {
        T::deserialize(value.into_deserializer())
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        T::deserialize(().into_deserializer())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<T, A::Error> {
        T::deserialize(SeqAccessDeserializer::new(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
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
