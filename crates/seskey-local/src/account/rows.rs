//! The account as rows of text for a store: changed rows go out, stored rows come in.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use seskey::{Partition, Secret, SecretAccessKey};

use super::{Account, AccountId, table::Rows};

/// A row of a table. The value may hold a secret access key, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// The name of the table, such as `user`.
    pub table: String,
    /// The key, unique in its table.
    pub key: String,
    /// The value as JSON; absent if the row is to be deleted.
    pub value: Option<String>,
}

/// The table of the last uses of access keys.
pub(super) const LAST_USED: &str = "last-used";

/// The reason why rows do not make an account.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// There is no row about the account itself.
    #[error("there is no account in it")]
    NoAccount,
    /// The table is unknown.
    #[error("the table {0} is not known")]
    UnknownTable(String),
    /// The value cannot be read.
    #[error("the row {key} of the table {table} cannot be read")]
    BadRow {
        /// The name of the table.
        table: String,
        /// The key of the row.
        key: String,
        /// The error in the JSON, with its position.
        source: serde_json::Error,
    },
}

/// The one row of its table: the account itself and its root user.
#[derive(Serialize, Deserialize)]
pub(super) struct Root {
    pub(super) account_id: AccountId,
    pub(super) partition: Partition,
    pub(super) create_date: Timestamp,
    pub(super) access_keys: Vec<String>,
    /// The regions in which the account has paused its sending.
    #[serde(default)]
    pub(super) sending_paused: BTreeSet<String>,
    /// The reasons that put an address on the suppression list, by region, where they were chosen.
    #[serde(default)]
    pub(super) suppressed_reasons: BTreeMap<String, Vec<String>>,
}

impl Account {
    /// Starts to record changes for [`Self::take_changes`]. Its first call returns every row.
    pub fn record_changes(&mut self) {
        for table in self.tables() {
            table.record();
        }
    }

    /// Returns the rows that were changed since the last call.
    pub fn take_changes(&mut self) -> Vec<Row> {
        let mut rows = Vec::new();
        for table in self.tables() {
            table.take_changes(&mut rows);
        }
        rows
    }

    /// Builds the account from its rows, in any order. It records changes from then on.
    ///
    /// # Errors
    /// The rows are not from [`Self::take_changes`], or are from another version of it.
    pub fn restore(rows: impl IntoIterator<Item = Row>) -> Result<Self, RestoreError> {
        let mut account = Self::empty();
        account.record_changes();
        for Row { table, key, value } in rows {
            let (mut tables, Some(value)) = (account.tables(), value) else { continue };
            let Some(rows) = tables.iter_mut().find(|rows| rows.name() == table) else {
                return Err(RestoreError::UnknownTable(table));
            };
            if let Err(source) = rows.restore(&key, &value) {
                return Err(RestoreError::BadRow { table, key, source });
            }
        }
        let root = account.root.values().next().ok_or(RestoreError::NoAccount)?;
        (account.id, account.partition) = (root.account_id.clone(), root.partition);
        Ok(account)
    }

    /// Returns all tables that are stored.
    fn tables(&mut self) -> [&mut dyn Rows; 13] {
        [
            &mut self.root,
            &mut self.users,
            &mut self.groups,
            &mut self.roles,
            &mut self.policies,
            &mut self.access_keys,
            &mut self.temporary_credentials,
            &mut self.credential_report,
            &mut self.identities,
            &mut self.ses_resources,
            &mut self.topics,
            &mut self.subscriptions,
            &mut self.last_used,
        ]
    }
}

impl Row {
    /// Whether the change is acknowledged to a client. The use of an access key is not.
    pub(crate) fn is_acknowledged(&self) -> bool {
        self.table != LAST_USED
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("table", &self.table)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// The serialization of a session token.
pub(super) mod token {
    use super::*;

    pub(in crate::account) fn serialize<S: Serializer>(
        token: &Secret,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(token.expose())
    }

    pub(in crate::account) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

/// The serialization of a secret access key: the only place where it is written out.
pub(super) mod secret {
    use super::*;

    pub(in crate::account) fn serialize<S: Serializer>(
        secret: &SecretAccessKey,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    pub(in crate::account) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SecretAccessKey, D::Error> {
        let text = zeroize::Zeroizing::new(String::deserialize(deserializer)?);
        SecretAccessKey::parse(&text).map_err(|_| D::Error::custom("no secret access key"))
    }
}
