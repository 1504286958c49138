//! One value of a condition: read once for its operator, then compared with values of the request.

use std::net::IpAddr;

use base64::{Engine, prelude::BASE64_STANDARD};
use ipnet::IpNet;
use jiff::{Timestamp, civil, tz::TimeZone};

use super::{
    context::Known,
    operator::Comparison,
    pattern::{Pattern, Token, Unresolved, exact, ignoring_case, matches},
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
    /// A value that IAM stores, but that compares with nothing.
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

    /// Whether the request's value compares as required; `None` if the two cannot be compared. Nothing is equal to, or
    /// like, a variable without a value, so that a negated operator holds.
    /// Source: IAM User Guide, "IAM policy elements: Variables and tags", policy variables with no value.
    pub(super) fn compare(
        &self,
        comparison: Comparison,
        given: &str,
        context: Known<'_>,
    ) -> Option<bool> {
        match (comparison, self) {
            (_, Self::Pattern(pattern)) => match (comparison, pattern.resolve(context)) {
                (_, Err(Unresolved::NoValue)) => Some(false),
                (_, Err(Unresolved::Unusable)) => None,
                (Comparison::Text { same, .. }, Ok(pattern)) => {
                    Some(matches(&pattern, given, same))
                }
                (Comparison::Arn, Ok(pattern)) => arn_matches(&pattern, given),
                (_, Ok(pattern)) => {
                    let mut booleans = BOOLEANS.iter();
                    let (_, wanted) =
                        booleans.find(|(name, _)| matches(&pattern, name, ignoring_case))?;
                    Some(boolean(given)? == *wanted)
                }
            },
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

/// Compares each of the six fields of the ARN on its own, so that a `*` stays inside its field.
fn arn_matches(pattern: &[Token], given: &str) -> Option<bool> {
    let wanted: Vec<_> = pattern.splitn(ARN_FIELDS, |token| *token == Token::Char(':')).collect();
    let given: Vec<_> = given.splitn(ARN_FIELDS, ':').collect();
    let are_arns = wanted.len() == ARN_FIELDS && given.len() == ARN_FIELDS;
    are_arns.then(|| wanted.iter().zip(given).all(|(wanted, given)| matches(wanted, given, exact)))
}

/// Whether IAM stores the text as a date: ISO 8601 with each field in its range, even if there is no such day, or
/// seconds since 1970. Source: the dates that IAM was seen to store and to refuse.
pub(super) fn is_stored_date(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    if !text.contains(['t', '-']) {
        return text.parse::<i64>().is_ok_and(|seconds| seconds >= 0);
    }
    let (date, time) = text.split_once('t').unwrap_or((&text, ""));
    let (sign, date) = date.strip_prefix('-').map_or(("", date), |date| ("-", date));
    let mut fields = date.split('-');
    let year = fields.next().unwrap_or_default();
    is_in(&format!("{sign}{year}"), -292_275_054..=292_278_993)
        && fields.next().is_none_or(|month| is_in(month, 1..=12))
        && fields.next().is_none_or(|day| is_in(day, 1..=31))
        && fields.next().is_none()
        && (time.is_empty() || is_stored_time(time))
}

fn is_stored_time(time: &str) -> bool {
    let (time, offset) = match (time.strip_suffix('z'), time.split_once('+')) {
        (Some(time), _) => (time, ""),
        (None, Some((time, offset))) => (time, offset),
        (None, None) => (time, ""),
    };
    let of_two = |text: &str, most| text.len() == 2 && is_in(text, 0..=most);
    let (hours, minutes) = offset.split_once(':').unwrap_or((offset, "00"));
    let is_offset = offset.is_empty() || of_two(hours, 23) && of_two(minutes, 59);
    let mut fields = time.split(':');
    let (hour, minute, second) = (fields.next().unwrap_or_default(), fields.next(), fields.next());
    let (second, fraction) =
        second.map_or(("0", "0"), |second| second.split_once('.').unwrap_or((second, "0")));
    is_offset
        && fields.next().is_none()
        && is_in(hour, 0..=23)
        && minute.is_none_or(|minute| is_in(minute, 0..=59))
        && is_in(second, 0..=59)
        && is_in(fraction, 0..=999_999_999)
}

fn is_in(digits: &str, range: std::ops::RangeInclusive<i64>) -> bool {
    digits.parse().is_ok_and(|number| range.contains(&number))
}

/// Reads an integer or a decimal; exact up to 2⁵³.
fn number(text: &str) -> Option<f64> {
    // the sum makes -0 the same as 0
    text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| number + 0.0)
}

/// Reads ISO 8601 as in the W3C's note on date formats (year and month, date, or date and time), or seconds since 1970.
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

/// Reads a CIDR block, or a bare address as a block of one.
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
    fn iam_stores_more_dates_than_there_are() {
        for text in [
            "2019-07-01T13:20:15Z",
            "2016-12-13T21:20:37.593194+00:00",
            "2016-12-13t2:00:00.593194+23",
            "01T",
            "-292275054",
            "2026-02-31",
            "2026-02",
            "0",
            "1769860800",
            "2026-01-31T12:00Z",
        ] {
            assert!(is_stored_date(text), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "234-13",
            "2026-01-32",
            "2026-01-01-01",
            "9223372036854775808",
            "1.5",
            "2016-12-13t2:00:00.593194+1",
            "2016-12-13t2:00:00.1999999999+10:59",
            "2016-12-13t24:00:00Z",
            "2016-12-13t2:60",
            "2016-12-13t2:00:61",
            "-292275055",
        ] {
            assert!(!is_stored_date(text), "{text}");
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
