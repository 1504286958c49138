//! A table of the account that records which of its rows have changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    ops::Deref,
};

use serde::{Serialize, de::DeserializeOwned};

use super::rows::Row;

/// The operations that all tables of an account have in common.
pub(super) trait Rows {
    fn name(&self) -> &'static str;

    /// Starts to mark changes. The existing rows count as changed.
    fn record(&mut self);

    /// Appends the rows that were changed since the last call, as they are now.
    fn take_changes(&mut self, into: &mut Vec<Row>);

    /// Inserts a stored row, without a mark.
    fn restore(&mut self, key: &str, value: &str) -> Result<(), serde_json::Error>;
}

/// Rows by their keys. It is read like a map; every write marks the row.
pub(super) struct Table<K, V> {
    name: &'static str,
    rows: BTreeMap<K, V>,
    /// The keys of the changed rows; absent if changes are not recorded.
    changed: Option<BTreeSet<K>>,
}

impl<K: Ord + Clone + AsRef<str> + From<String>, V> Table<K, V> {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, rows: BTreeMap::new(), changed: None }
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.mark(key);
        self.rows.get_mut(key)
    }

    pub(super) fn insert(&mut self, key: K, row: V) {
        self.mark(&key);
        self.rows.insert(key, row);
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.mark(key);
        self.rows.remove(key)
    }

    fn mark(&mut self, key: &K) {
        if let Some(changed) = &mut self.changed {
            changed.insert(key.clone());
        }
    }
}

impl<K, V> Rows for Table<K, V>
where
    K: Ord + Clone + AsRef<str> + From<String>,
    V: Serialize + DeserializeOwned,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn record(&mut self) {
        self.changed = Some(self.rows.keys().cloned().collect());
    }

    fn take_changes(&mut self, into: &mut Vec<Row>) {
        let changed = self.changed.as_mut().map(mem::take).unwrap_or_default();
        into.extend(changed.into_iter().map(|key| Row {
            table: self.name.to_owned(),
            value: self.rows.get(&key).map(|row| {
                serde_json::to_string(row).expect("the keys of all maps in a row are texts")
            }),
            key: key.as_ref().to_owned(),
        }));
    }

    fn restore(&mut self, key: &str, value: &str) -> Result<(), serde_json::Error> {
        self.rows.insert(K::from(key.to_owned()), serde_json::from_str(value)?);
        Ok(())
    }
}

impl<K, V> Deref for Table<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &Self::Target {
        &self.rows
    }
}
