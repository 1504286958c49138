//! Lists in pages. Source: IAM API Reference, the parameters `Marker` and `MaxItems`.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::refusal::{ApiRefusal, Constraint};

/// The requested part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The marker of the previous answer; absent for the first part.
    pub marker: Option<String>,
    /// The most items, 1 to 1000.
    pub max_items: usize,
}

/// A part of a list, and the marker of the next part if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The items, in the order of their keys.
    pub items: Vec<T>,
    /// The marker of the next part; present exactly if there is one.
    pub marker: Option<String>,
}

impl<T> Listed<T> {
    /// Converts each item of the part.
    pub(super) fn map<U>(self, f: impl FnMut(T) -> U) -> Listed<U> {
        Listed { items: self.items.into_iter().map(f).collect(), marker: self.marker }
    }
}

impl Default for Page {
    fn default() -> Self {
        Self { marker: None, max_items: 100 }
    }
}

impl Page {
    /// Returns the part of a list that is in the order of its keys. A marker is the key of the last item of the
    /// previous part, so items that are added or removed between two pages neither repeat nor hide others.
    pub(crate) fn of<K: AsRef<str>, T>(
        &self,
        items: impl IntoIterator<Item = (K, T)>,
    ) -> Result<Listed<T>, ApiRefusal> {
        let after = self.marker.as_deref().map(read).transpose()?;
        let seen = |key: &str| after.as_deref().is_some_and(|after| key <= after);
        let mut rest = items.into_iter().skip_while(|(key, _)| seen(key.as_ref())).peekable();
        let mut listed = Listed { items: Vec::new(), marker: None };
        while let Some((key, item)) = rest.next() {
            listed.items.push(item);
            if listed.items.len() >= self.max_items {
                listed.marker = rest.peek().map(|_| BASE64_URL_SAFE_NO_PAD.encode(key.as_ref()));
                break;
            }
        }
        Ok(listed)
    }
}

fn read(marker: &str) -> Result<String, ApiRefusal> {
    let key =
        BASE64_URL_SAFE_NO_PAD.decode(marker).ok().and_then(|key| String::from_utf8(key).ok());
    key.ok_or_else(|| ApiRefusal::ValidationError {
        member: "marker".into(),
        value: None,
        constraint: Constraint::Marker,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_join_to_the_list() {
        let keys: Vec<String> = (0..25).map(|n| format!("{n:02}")).collect();
        for max_items in [1, 2, 7, 24, 25, 26, 1000] {
            let (mut all, mut page) = (Vec::new(), Page { marker: None, max_items });
            loop {
                let listed =
                    page.of(keys.iter().map(|key| (key, key.clone()))).expect("own markers");
                assert!(listed.items.len() <= max_items);
                all.extend(listed.items);
                page.marker = listed.marker;
                if page.marker.is_none() {
                    break;
                }
            }
            assert_eq!(all, keys, "{max_items}");
        }
    }

    #[test]
    fn a_marker_survives_what_it_names() {
        let page = Page { marker: None, max_items: 2 };
        let first = page.of([("a", 1), ("b", 2), ("c", 3)]).expect("no marker");
        let page = Page { marker: first.marker, max_items: 2 };
        assert_eq!(
            page.of([("a", 1), ("c", 3)]).expect("own marker"),
            Listed { items: vec![3], marker: None }
        );
    }

    #[test]
    fn a_strange_marker_is_refused() {
        let page = Page { marker: Some("no marker!".into()), max_items: 2 };
        assert_eq!(page.of([("a", 1)]).expect_err("not ours").code(), "ValidationError");
    }
}
