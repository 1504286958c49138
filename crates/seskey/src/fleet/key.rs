//! The keys of `seskey.toml`. Their meanings are in `docs/fleet.md`.

use std::fmt;

/// A table of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// The top: the settings of the whole run, and the defaults of the credentials.
    Root,
    /// `[account.NAME]`
    Account,
    /// `[organization]`
    Organization,
    /// `[[credential]]`
    Credential,
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // TOML's own words
pub enum Kind {
    String,
    Strings,
    Boolean,
    /// A whole number above 0.
    Number,
    /// `[KEY]`
    Table,
    /// `[KEY.NAME]`
    NamedTables,
    /// `[[KEY]]`
    ListOfTables,
}

/// A key that a table may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The table that it may stand in.
    pub table: Table,
    /// Its name.
    pub name: &'static str,
    /// The type of its value.
    pub kind: Kind,
}

/// Every key.
pub const KEYS: [Key; 33] = [
    key(Table::Root, "region", Kind::String),
    key(Table::Root, "max-age", Kind::String),
    key(Table::Root, "grace", Kind::String),
    key(Table::Root, "quarantine", Kind::String),
    key(Table::Root, "wait-unused", Kind::Boolean),
    key(Table::Root, "concurrency", Kind::Number),
    key(Table::Root, "calls-per-second", Kind::Number),
    key(Table::Root, "account", Kind::NamedTables),
    key(Table::Root, "organization", Kind::Table),
    key(Table::Root, "credential", Kind::ListOfTables),
    key(Table::Account, "profile", Kind::String),
    key(Table::Account, "role-arn", Kind::String),
    key(Table::Account, "external-id", Kind::String),
    key(Table::Account, "endpoint-url", Kind::String),
    key(Table::Account, "smtp-endpoint", Kind::String),
    key(Table::Account, "ca-file", Kind::String),
    key(Table::Organization, "role-name", Kind::String),
    key(Table::Organization, "external-id", Kind::String),
    key(Table::Organization, "account", Kind::String),
    key(Table::Organization, "ou", Kind::Strings),
    key(Table::Organization, "exclude", Kind::Strings),
    key(Table::Credential, "user", Kind::String),
    key(Table::Credential, "account", Kind::String),
    key(Table::Credential, "region", Kind::String),
    key(Table::Credential, "path", Kind::String),
    key(Table::Credential, "to", Kind::Strings),
    key(Table::Credential, "after", Kind::String),
    key(Table::Credential, "max-age", Kind::String),
    key(Table::Credential, "grace", Kind::String),
    key(Table::Credential, "quarantine", Kind::String),
    key(Table::Credential, "wait-unused", Kind::Boolean),
    key(Table::Credential, "create", Kind::Boolean),
    key(Table::Credential, "from", Kind::Strings),
];

const fn key(table: Table, name: &'static str, kind: Kind) -> Key {
    Key { table, name, kind }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Root => "the top of the file",
            Self::Account => "an account",
            Self::Organization => "the organization",
            Self::Credential => "a credential",
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "a string",
            Self::Strings => "a list of strings",
            Self::Boolean => "true or false",
            Self::Number => "a whole number above 0",
            Self::Table => "a table, [organization]",
            Self::NamedTables => "tables, [account.NAME]",
            Self::ListOfTables => "a list of tables, [[credential]]",
        })
    }
}
