//! Lengths of time as they are typed: `90d`, `12h`, `2w`.

use jiff::{SignedDuration, SpanRelativeTo, fmt::friendly::SpanParser};

/// The reason why a text is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DurationError {
    /// The text is not a number with a unit.
    #[error("{given:?} is no length of time")]
    Malformed {
        /// The given text.
        given: String,
    },
    /// A month or a year, whose length varies.
    #[error("{given:?} is not always equally long")]
    Calendar {
        /// The given text.
        given: String,
    },
    /// A negative length.
    #[error("{given:?} is less than nothing")]
    Negative {
        /// The given text.
        given: String,
    },
}

/// Parses a length of time: numbers with the units `w`, `d`, `h`, `m` and `s`, or these in words, such as `90d`,
/// `1d 12h` and `2 weeks`. A day has 24 hours.
///
/// # Errors
/// Fails for a text without a unit, for a unit whose length varies, and for a negative length.
pub fn parse(text: &str) -> Result<SignedDuration, DurationError> {
    let given = || text.to_owned();
    let span = SpanParser::new()
        .parse_span(text.trim())
        .map_err(|_| DurationError::Malformed { given: given() })?;
    let duration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| DurationError::Calendar { given: given() })?;
    match duration.is_negative() {
        true => Err(DurationError::Negative { given: given() }),
        false => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        for (text, hours) in [
            ("90d", 2160),
            ("12h", 12),
            ("2w", 336),
            ("1d 12h", 36),
            ("120m", 2),
            ("0d", 0),
            (" 1 day ", 24),
        ] {
            assert_eq!(parse(text), Ok(SignedDuration::from_hours(hours)), "{text}");
        }
        assert_eq!(parse("1m 30s"), Ok(SignedDuration::from_secs(90)));
    }

    #[test]
    fn what_is_no_length_of_time() {
        use DurationError as E;
        for text in ["", "90", "d", "90x", "-", "9999999999999999999d"] {
            assert_eq!(parse(text), Err(E::Malformed { given: text.to_owned() }));
        }
        for text in ["3mo", "1y", "1 month 2 days"] {
            assert_eq!(parse(text), Err(E::Calendar { given: text.to_owned() }));
        }
        for text in ["-90d", "7d ago"] {
            assert_eq!(parse(text), Err(E::Negative { given: text.to_owned() }));
        }
    }
}
