//! The time of a signature, and its validity.

use jiff::{SignedDuration, Timestamp, civil::DateTime, fmt::rfc2822, tz::TimeZone};

use super::HttpRequest;
use crate::refusal::Mismatch;

/// Returns the time of a request: `x-amz-date`, or `date` if there is none. `None` if it is absent, repeated or
/// malformed.
pub(super) fn of(request: &HttpRequest<'_>) -> Option<Timestamp> {
    let name = if request.header("x-amz-date").is_some() { "x-amz-date" } else { "date" };
    let mut values = request.header_values(name);
    match (values.next(), values.next()) {
        (Some(value), None) if name == "date" => {
            parse(value).or_else(|| rfc2822::parse(value).ok().map(|date| date.timestamp()))
        }
        (Some(value), None) => parse(value),
        _ => None,
    }
}

/// Formats a time as in `x-amz-date`: `20150830T123600Z`.
pub(super) fn format(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime(FORMAT).to_string()
}

/// Checks that a signature is valid now: for its lifetime, and for a signer's clock that is fast by 15 minutes.
pub(super) fn check(
    signed_at: Timestamp,
    good_for: SignedDuration,
    now: Timestamp,
) -> Result<(), Mismatch> {
    // the time of a request has no fractions of a second
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let (earliest, latest) = (now.saturating_sub(good_for), now.saturating_add(TOLERANCE));
    let signed = format(signed_at);
    match (earliest, latest) {
        (Ok(earliest), _) if signed_at < earliest => Err(Mismatch::Expired {
            signed,
            earliest: format(earliest),
            now: format(now),
            good_for: in_words(good_for),
        }),
        (_, Ok(latest)) if signed_at > latest => {
            Err(Mismatch::NotYetCurrent { signed, latest: format(latest), now: format(now) })
        }
        _ => Ok(()),
    }
}

/// Formats a duration, such as `15 min.`
fn in_words(time: SignedDuration) -> String {
    match time.as_secs() {
        seconds if seconds % 60 == 0 => format!("{} min.", seconds / 60),
        seconds => format!("{seconds} s."),
    }
}

/// Parses `20150830T123600Z`.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    // the parser accepts shorter forms as well
    let digits = |range: std::ops::Range<usize>| {
        text.get(range).is_some_and(|d| d.bytes().all(|b| b.is_ascii_digit()))
    };
    if text.len() != 16 || !digits(0..8) || !digits(9..15) {
        return None;
    }
    DateTime::strptime(FORMAT, text).ok()?.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp())
}

const FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// The lifetime of a signature in the header, and the most by which the clock of any signer may be fast.
pub(super) const TOLERANCE: SignedDuration = SignedDuration::from_mins(15);
