//! The condition operators, as one table.
//!
//! Source: IAM User Guide, "IAM JSON policy elements: Condition operators".

use std::{cmp::Ordering, fmt};

use super::pattern::{exact, ignoring_case};

/// One row of the table.
pub(super) struct Operator {
    pub(super) name: &'static str,
    pub(super) comparison: Comparison,
    /// Whether it holds if the comparison does not, and so also for an absent key.
    pub(super) negated: bool,
}

/// The way to read a value of the policy and to compare it with a value of the request.
#[derive(Clone, Copy)]
pub(super) enum Comparison {
    Text {
        wildcards: bool,
        same: fn(char, char) -> bool,
    },
    Arn,
    Number(fn(Ordering) -> bool),
    Date(fn(Ordering) -> bool),
    Bool,
    Binary,
    IpAddress,
    /// Asks only whether the key is present.
    Null,
}

impl Operator {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        OPERATORS.iter().find(|operator| operator.name == name)
    }
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

const fn plain(name: &'static str, comparison: Comparison) -> Operator {
    Operator { name, comparison, negated: false }
}

const fn negated(name: &'static str, comparison: Comparison) -> Operator {
    Operator { name, comparison, negated: true }
}

const EQUALS: Comparison = Comparison::Text { wildcards: false, same: exact };
const EQUALS_IGNORE_CASE: Comparison = Comparison::Text { wildcards: false, same: ignoring_case };
const LIKE: Comparison = Comparison::Text { wildcards: true, same: exact };

static OPERATORS: [Operator; 27] = [
    plain("StringEquals", EQUALS),
    negated("StringNotEquals", EQUALS),
    plain("StringEqualsIgnoreCase", EQUALS_IGNORE_CASE),
    negated("StringNotEqualsIgnoreCase", EQUALS_IGNORE_CASE),
    plain("StringLike", LIKE),
    negated("StringNotLike", LIKE),
    plain("NumericEquals", Comparison::Number(Ordering::is_eq)),
    negated("NumericNotEquals", Comparison::Number(Ordering::is_eq)),
    plain("NumericLessThan", Comparison::Number(Ordering::is_lt)),
    plain("NumericLessThanEquals", Comparison::Number(Ordering::is_le)),
    plain("NumericGreaterThan", Comparison::Number(Ordering::is_gt)),
    plain("NumericGreaterThanEquals", Comparison::Number(Ordering::is_ge)),
    plain("DateEquals", Comparison::Date(Ordering::is_eq)),
    negated("DateNotEquals", Comparison::Date(Ordering::is_eq)),
    plain("DateLessThan", Comparison::Date(Ordering::is_lt)),
    plain("DateLessThanEquals", Comparison::Date(Ordering::is_le)),
    plain("DateGreaterThan", Comparison::Date(Ordering::is_gt)),
    plain("DateGreaterThanEquals", Comparison::Date(Ordering::is_ge)),
    plain("Bool", Comparison::Bool),
    plain("BinaryEquals", Comparison::Binary),
    plain("IpAddress", Comparison::IpAddress),
    negated("NotIpAddress", Comparison::IpAddress),
    // "ArnEquals and ArnLike behave identically", and so do their negations
    plain("ArnEquals", Comparison::Arn),
    plain("ArnLike", Comparison::Arn),
    negated("ArnNotEquals", Comparison::Arn),
    negated("ArnNotLike", Comparison::Arn),
    plain("Null", Comparison::Null),
];
