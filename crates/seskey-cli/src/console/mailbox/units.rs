//! Times, sizes and numbers, as the pages of the mailbox show them.

use jiff::{Timestamp, tz::TimeZone};

/// A time in UTC, to the second.
pub(super) fn time(at: &Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

pub(super) fn size(bytes: &usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{:.1} MiB", *bytes as f64 / 1_048_576.0),
    }
}

pub(super) fn messages(count: &usize) -> String {
    format!("{count} {}", if *count == 1 { "message" } else { "messages" })
}

pub(super) fn attempts(count: &usize) -> String {
    format!("{count} refused {}", if *count == 1 { "attempt" } else { "attempts" })
}
