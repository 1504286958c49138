//! One value of a condition: read once for its operator, then compared with values of the request.

use std::net::IpAddr;

use base64::{Engine, prelude::BASE64_STANDARD};
use ipnet::IpNet;
use jiff::{Timestamp, civil, tz::TimeZone};

use super::{
    context::Context,
    operator::Comparison,
    pattern::{Pattern, Token, exact, ignoring_case, matches},
};

/// A value of a policy's condition, as its operator reads it.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Pattern(Pattern),
    Number(f64),
    Date(Timestamp),
    Bool(bool),
    Binary(Vec<u8>),
    Network(IpNet),
    /// IAM stores it, and it compares with nothing.
    Unreadable,
}

impl Value {
    pub(super) fn read(text: &str, comparison: Comparison, variables: bool) -> Self {
        let readable = match comparison {
            Comparison::Text { wildcards, .. } => {
                Some(Self::Pattern(Pattern::parse(text, wildcards, variables)))
            }
            Comparison::Arn => Some(Self::Pattern(Pattern::parse(text, true, variables))),
            Comparison::Bool => Some(Self::Pattern(Pattern::parse(text, false, variables))),
            Comparison::Number(_) => number(text).map(Self::Number),
            Comparison::Date(_) => date(text).map(Self::Date),
            Comparison::Binary => BASE64_STANDARD.decode(text).ok().map(Self::Binary),
            Comparison::IpAddress => network(text).map(Self::Network),
            Comparison::Null => boolean(text).map(Self::Bool),
        };
        readable.unwrap_or(Self::Unreadable)
    }

    /// Whether the request's value compares as wanted; `None` where the two cannot be compared.
    pub(super) fn compare(
        &self,
        comparison: Comparison,
        given: &str,
        context: &Context,
    ) -> Option<bool> {
        match (comparison, self) {
            (Comparison::Text { same, .. }, Self::Pattern(pattern)) => {
                pattern.matches(given, same, context)
            }
            (Comparison::Arn, Self::Pattern(pattern)) => {
                arn_matches(&pattern.resolve(context)?, given)
            }
            (Comparison::Bool, Self::Pattern(pattern)) => {
                let pattern = pattern.resolve(context)?;
                let mut booleans = BOOLEANS.iter();
                let (_, wanted) =
                    booleans.find(|(name, _)| matches(&pattern, name, ignoring_case))?;
                Some(boolean(given)? == *wanted)
            }
            (Comparison::Number(wanted), Self::Number(value)) => {
                Some(wanted(number(given)?.total_cmp(value)))
            }
            (Comparison::Date(wanted), Self::Date(value)) => Some(wanted(date(given)?.cmp(value))),
            (Comparison::Binary, Self::Binary(value)) => {
                Some(BASE64_STANDARD.decode(given).ok()? == *value)
            }
            (Comparison::IpAddress, Self::Network(value)) => {
                Some(value.contains(&given.parse::<IpAddr>().ok()?))
            }
            _ => None,
        }
    }
}

/// Each of the six fields of the ARN on its own, so that a `*` stays inside its field.
fn arn_matches(pattern: &[Token], given: &str) -> Option<bool> {
    let wanted: Vec<_> = pattern.splitn(ARN_FIELDS, |token| *token == Token::Char(':')).collect();
    let given: Vec<_> = given.splitn(ARN_FIELDS, ':').collect();
    let are_arns = wanted.len() == ARN_FIELDS && given.len() == ARN_FIELDS;
    are_arns.then(|| wanted.iter().zip(given).all(|(wanted, given)| matches(wanted, given, exact)))
}

/// An integer or a decimal; exact up to 2⁵³.
fn number(text: &str) -> Option<f64> {
    // the sum makes -0 the same as 0
    text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| number + 0.0)
}

/// ISO 8601 as the W3C's note on date formats has it (year and month, date, or date and time), or seconds since 1970.
/// Without an offset it is UTC. Digits alone are seconds, so a year alone cannot be written.
fn date(text: &str) -> Option<Timestamp> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return Timestamp::from_second(text.parse().ok()?).ok();
    }
    let of_month = || format!("{text}-01").parse::<civil::DateTime>();
    let without_offset = || text.parse::<civil::DateTime>().or_else(|_| of_month()).ok();
    text.parse().ok().or_else(|| TimeZone::UTC.to_timestamp(without_offset()?).ok())
}

fn boolean(text: &str) -> Option<bool> {
    BOOLEANS.iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
}

/// A CIDR block, or a bare address for a block of one.
fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

const ARN_FIELDS: usize = 6;

const BOOLEANS: [(&str, bool); 2] = [("true", true), ("false", false)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_iso_8601_or_seconds() {
        let noon = date("2026-01-31T12:00:00Z");
        assert!(noon.is_some());
        for same in
            ["2026-01-31T12:00Z", "2026-01-31T13:00:00+01:00", "2026-01-31T12:00:00", "1769860800"]
        {
            assert_eq!(date(same), noon, "{same}");
        }
        assert_eq!(date("2026-01-31"), date("2026-01-31T00:00:00Z"));
        assert_eq!(date("2026-02"), date("2026-02-01T00:00:00Z"));
        for text in ["", "yesterday", "2026-13-01", "2026-01-32", "-1", "12:00"] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_decimal() {
        assert_eq!(number("10"), number("10.0"));
        assert_eq!(number("-0"), number("0"));
        for text in ["", "ten", "NaN", "inf", "1e999", " 1", "0x10"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
