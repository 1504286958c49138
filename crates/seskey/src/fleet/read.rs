//! The reader of the values of a file. It collects the errors; a wrong value counts as missing.

use std::num::NonZeroU32;

use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

use super::{
    error::{Fault, FleetError, place},
    key::{KEYS, Kind, Table},
};

/// A file and the errors found in it.
pub(super) struct Reader<'a> {
    text: &'a str,
    errors: Vec<FleetError>,
}

/// A table and its offset.
pub(super) struct Section<'a> {
    table: Table,
    pub(super) at: usize,
    entries: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    pub(super) fn new(table: Table, at: usize, entries: &'a DeTable<'a>) -> Self {
        Self { table, at, entries }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Returns the offset of the value, or else of the table.
    pub(super) fn at_value(&self, key: &str) -> usize {
        self.entries.get(key).map_or(self.at, |value| value.span().start)
    }

    pub(super) fn boolean(&self, key: &str) -> Option<bool> {
        self.value(key)?.get_ref().as_bool()
    }

    pub(super) fn number(&self, key: &str) -> Option<NonZeroU32> {
        number(self.value(key)?.get_ref())
    }

    pub(super) fn is_empty_list(&self, key: &str) -> bool {
        self.list(key).is_some_and(|list| list.is_empty())
    }

    /// Returns the tables `[KEY.NAME]`, with their names.
    pub(super) fn named(&self, key: &str, table: Table) -> Vec<(String, Self)> {
        let tables = self.value(key).and_then(|value| value.get_ref().as_table());
        let named = tables.into_iter().flatten().filter_map(|(name, value)| {
            let entries = value.get_ref().as_table()?;
            let section = Self::new(table, name.span().start, entries);
            Some((name.get_ref().clone().into_owned(), section))
        });
        named.collect()
    }

    /// Returns the table `[KEY]`.
    pub(super) fn inner(&self, key: &str, table: Table) -> Option<Self> {
        let entries = self.value(key)?.get_ref().as_table()?;
        Some(Self::new(table, self.at_value(key), entries))
    }

    /// Returns the tables `[[KEY]]`.
    pub(super) fn listed(&self, key: &str, table: Table) -> Vec<Self> {
        let values = self.list(key).into_iter().flat_map(|list| list.iter());
        let listed = values.filter_map(|value| {
            Some(Self::new(table, value.span().start, value.get_ref().as_table()?))
        });
        listed.collect()
    }

    fn list(&self, key: &str) -> Option<&'a DeArray<'a>> {
        self.value(key)?.get_ref().as_array()
    }

    fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.entries.get(key)
    }
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, errors: vec![] }
    }

    /// Checks that each key is one of its table, with a value of its kind.
    pub(super) fn check(&mut self, section: &Section) {
        for (name, value) in section.entries {
            let known = KEYS
                .iter()
                .find(|key| key.table == section.table && key.name == name.get_ref().as_ref());
            match known {
                None => {
                    let given = name.get_ref().clone().into_owned();
                    let fault = Fault::UnknownKey { table: section.table, given };
                    self.push(name.span().start, None, fault);
                }
                Some(key) => {
                    if let Some(wrong) = misfit(key.kind, value) {
                        let found = wrong.get_ref().type_str();
                        let fault = Fault::Type { expected: key.kind, found };
                        self.fault(wrong.span().start, key.name, fault);
                    }
                }
            }
        }
    }

    pub(super) fn text<T>(
        &mut self,
        section: &Section,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        self.parsed(section.value(key)?, key, parse).map(|(_, value)| value)
    }

    /// Parses the strings of a list; returns each with its offset.
    pub(super) fn texts<T>(
        &mut self,
        section: &Section,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Vec<(usize, T)> {
        let values = section.list(key).into_iter().flat_map(|list| list.iter());
        values.filter_map(|value| self.parsed(value, key, &parse)).collect()
    }

    pub(super) fn fault(&mut self, at: usize, key: &'static str, fault: Fault) {
        self.push(at, Some(key), fault);
    }

    pub(super) fn missing(&mut self, section: &Section, key: &'static str) {
        self.fault(section.at, key, Fault::Missing);
    }

    /// Refuses the key if it is present.
    pub(super) fn refuse(&mut self, section: &Section, key: &'static str, fault: Fault) {
        if section.has(key) {
            self.fault(section.at_value(key), key, fault);
        }
    }

    pub(super) fn line(&self, at: usize) -> usize {
        place(self.text, at).0
    }

    /// Sorts the errors by place.
    pub(super) fn into_errors(mut self) -> Vec<FleetError> {
        self.errors.sort_by_key(|error| (error.line, error.column));
        self.errors
    }

    fn push(&mut self, at: usize, key: Option<&'static str>, fault: Fault) {
        self.errors.push(FleetError::at(self.text, at, key, fault));
    }

    fn parsed<T>(
        &mut self,
        value: &Spanned<DeValue>,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Option<(usize, T)> {
        let at = value.span().start;
        match parse(value.get_ref().as_str()?) {
            Ok(value) => Some((at, value)),
            Err(fault) => {
                self.fault(at, key, fault);
                None
            }
        }
    }
}

/// Returns the value of a wrong kind: the whole, or one in it.
fn misfit<'a>(kind: Kind, value: &'a Spanned<DeValue<'a>>) -> Option<&'a Spanned<DeValue<'a>>> {
    let whole = |fits: bool| (!fits).then_some(value);
    let list = |fits: fn(&DeValue<'a>) -> bool| match value.get_ref() {
        DeValue::Array(list) => list.iter().find(|value| !fits(value.get_ref())),
        _ => Some(value),
    };
    match kind {
        Kind::String => whole(value.get_ref().is_str()),
        Kind::Boolean => whole(value.get_ref().is_bool()),
        Kind::Table => whole(value.get_ref().is_table()),
        Kind::Number => whole(number(value.get_ref()).is_some()),
        Kind::Strings => list(DeValue::is_str),
        Kind::ListOfTables => list(DeValue::is_table),
        Kind::NamedTables => match value.get_ref() {
            DeValue::Table(tables) => tables.values().find(|table| !table.get_ref().is_table()),
            _ => Some(value),
        },
    }
}

fn number(value: &DeValue) -> Option<NonZeroU32> {
    let number = value.as_integer()?;
    NonZeroU32::new(u32::from_str_radix(number.as_str(), number.radix()).ok()?)
}

/// Checks that the text is not blank.
pub(super) fn filled(text: &str) -> Result<String, Fault> {
    if text.trim().is_empty() { Err(Fault::Empty) } else { Ok(text.to_owned()) }
}

/// Checks that the text can be given to the shell: no argument of a process has a null character.
pub(super) fn command(text: &str) -> Result<String, Fault> {
    if text.contains('\0') { Err(Fault::Null) } else { filled(text) }
}
