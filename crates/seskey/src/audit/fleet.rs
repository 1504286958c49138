//! Findings about differences between `seskey.toml` and the account.

use super::{Found, Judge, Kind, Severity, Subject, found};
use crate::user::REGION_TAG;

const FLEET: &str = "docs/fleet.md";

#[rustfmt::skip]
pub(super) const KINDS: &[Kind] = &[
    Kind { id: "not-in-fleet", severity: Severity::Low, sentence: "the file declares no such user: nobody rotates its key",
        controls: &[], remedy: "{DECLARE}", source: FLEET,
        judge: Judge::User(|s| match (s.has_fleet, s.declared, s.sign) {
            (true, None, Some(sign)) => found(sign.sentence()),
            _ => None,
        }) },
    Kind { id: "not-in-account", severity: Severity::Medium, sentence: "the file declares a user that is not in the account",
        controls: &[], remedy: "{CREATE}", source: FLEET,
        judge: Judge::Absent(|row| found(format!("line {} declares it", row.line))) },
    Kind { id: "region-differs", severity: Severity::Low, sentence: "the regions of a credential are not the same",
        controls: &[], remedy: "{ROTATE}", source: FLEET, judge: Judge::User(regions) },
];

/// Compares the regions of the row, of the tag, and of the last login by SMTP, as far as they are known.
fn regions(s: &Subject<'_>) -> Option<Found> {
    let declared = s.declared.and_then(|row| row.region.as_ref()).map(ToString::to_string);
    let tag = s.user.tag(REGION_TAG).map(str::to_owned);
    let logins = s.user.active_keys().filter_map(|key| key.last_use.as_ref());
    let login = logins.filter(|used| used.is_smtp()).max_by_key(|used| used.at);
    // a store may name a region of its own
    let elsewhere = |region: &str| {
        let mut stores = s.declared.into_iter().flat_map(|row| &row.stores);
        stores
            .any(|store| store.region.as_ref().is_some_and(|of_store| of_store.as_str() == region))
    };
    let login = login.map(|used| used.region.clone()).filter(|region| !elsewhere(region));
    let known =
        [("seskey.toml", declared), ("the tag seskey:region", tag), ("the last login", login)];
    let known: Vec<(&str, String)> =
        known.into_iter().filter_map(|(place, region)| Some((place, region?))).collect();
    let differ = known.iter().any(|(_, region)| *region != known[0].1);
    let said: Vec<String> =
        known.iter().map(|(place, region)| format!("{region} by {place}")).collect();
    differ.then(|| found(said.join(", ")))?
}
