//! Findings about access keys.

use jiff::Timestamp;

use super::{Found, Judge, Key, Kind, LastUse, Severity, Subject, date, days, found};
use crate::rotation::{HandOver, LEASE, Notes};

const KEYS: &str = "https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html";
const CREDENTIALS: &str = "https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html";
const CLOUDTRAIL: &str = "https://docs.aws.amazon.com/ses/latest/dg/logging-using-cloudtrail.html";
const ROTATION: &str = "docs/rotation.md";

#[rustfmt::skip]
pub(super) const KINDS: &[Kind] = &[
    Kind { id: "key-old", severity: Severity::Medium, sentence: "an active key is older than it may be",
        controls: &["IAM.3", "CIS 5.0.0/1.13", "CIS 3.0.0/1.14", "CIS 1.4.0/1.14", "PCI 4.0.1/8.3.9", "PCI 4.0.1/8.6.3"],
        remedy: "{ROTATE}", source: KEYS,
        judge: Judge::Key(|s, key| (key.is_active && s.age(key) > s.limits.max_age).then(|| found(format!(
            "it was made {} ago, on {}, and {} is the limit", days(s.age(key)), date(key.created), days(s.limits.max_age))))?) },
    Kind { id: "key-unused", severity: Severity::Medium, sentence: "an active key has not been used for long",
        controls: &["IAM.22", "IAM.8", "CIS 5.0.0/1.11", "CIS 3.0.0/1.12", "CIS 1.4.0/1.12"],
        remedy: "{DEACTIVATE}", source: KEYS,
        judge: Judge::Key(|s, key| {
            let used = key.last_use.as_ref().filter(|used| key.is_active && s.ago(used.at) > s.limits.unused)?;
            found(format!("its last use was {} ago, {}, and {} is the limit",
                days(s.ago(used.at)), described(used), days(s.limits.unused)))
        }) },
    Kind { id: "key-never-used", severity: Severity::Medium, sentence: "an active key was never used",
        controls: &["IAM.22", "IAM.8", "CIS 5.0.0/1.11", "CIS 3.0.0/1.12", "CIS 1.4.0/1.12"],
        remedy: "{DEACTIVATE}", source: KEYS,
        judge: Judge::Key(|s, key| (key.is_active && key.last_use.is_none() && s.age(key) > s.limits.unused).then(|| found(format!(
            "it was made {} ago, on {}, and IAM knows no use of it", days(s.age(key)), date(key.created))))?) },
    Kind { id: "two-active-keys", severity: Severity::Low, sentence: "two keys are active, and no rotation is under way",
        controls: &[], remedy: "{ROTATE}", source: ROTATION, judge: Judge::User(two_active) },
    Kind { id: "inactive-key", severity: Severity::Low, sentence: "an inactive key was left behind",
        controls: &[], remedy: "{DELETE}",
        source: KEYS, judge: Judge::Key(inactive) },
    Kind { id: "v2-age-key", severity: Severity::Medium, sentence: "an active key is from the time of passwords without a region",
        controls: &[], remedy: "{ROTATE}", source: CREDENTIALS,
        judge: Judge::Key(|s, key| (key.is_active && key.created < V4_SINCE).then(|| found(format!(
            "it was made {} ago, on {}: a password from before 10 January 2019 still logs in, with a lower sending rate",
            days(s.age(key)), date(key.created))))?) },
    Kind { id: "stuck-note", severity: Severity::Medium, sentence: "a rotation was begun, and not finished",
        controls: &[], remedy: "{FINISH}", source: ROTATION, judge: Judge::User(stuck) },
    Kind { id: "not-in-cloudtrail", severity: Severity::Informational,
        sentence: "an active key sends mail, and a tool that reads CloudTrail alone sees it as unused",
        controls: &[], remedy: "seskey audit --explain IAM.22 {THAT_USER}", source: CLOUDTRAIL,
        judge: Judge::Key(|_, key| {
            let used = key.last_use.as_ref().filter(|used| key.is_active && used.is_mail())?;
            found(format!("its last use was {}", described(used)))
        }) },
];

/// The time since which SMTP passwords are for one region. Source: SES Developer Guide, "Amazon SES SMTP issues": older
/// ones were made before 10 January 2019.
const V4_SINCE: Timestamp = Timestamp::constant(1_547_078_400, 0);

/// Formats a use: `ses-smtp in us-east-1 on 2026-08-20`.
pub(super) fn described(used: &LastUse) -> String {
    format!("{} in {} on {}", used.service, used.region, date(used.at))
}

fn two_active(s: &Subject<'_>) -> Option<Found> {
    let mut keys: Vec<&Key> = s.user.active_keys().collect();
    keys.sort_by_key(|key| key.created);
    let [old, new] = keys[..] else { return None };
    if s.notes.as_ref().is_ok_and(|notes| is_under_way(s, notes, new)) {
        return None;
    }
    let use_of = |key: &Key| {
        key.last_use.as_ref().map_or_else(
            || "never used".to_owned(),
            |used| format!("last used for {}", described(used)),
        )
    };
    found(format!(
        "one was made on {} and {}; the other one was made on {} and {}",
        date(old.created),
        use_of(old),
        date(new.created),
        use_of(new)
    ))
}

/// Whether the grace time of the older key runs, or the newer one is about to be handed over.
fn is_under_way(s: &Subject<'_>, notes: &Notes, new: &Key) -> bool {
    let begun = notes.intent.is_some() && s.age(new) <= LEASE;
    let in_grace = |note: &HandOver| !s.is_overdue(note.at, s.goal().grace());
    begun || notes.hand_over.as_ref().is_some_and(in_grace)
}

fn inactive(s: &Subject<'_>, key: &Key) -> Option<Found> {
    if key.is_active {
        return None;
    }
    let since = s.retired_at(key);
    if since.is_some_and(|since| !s.is_overdue(since, s.goal().quarantine())) {
        return None;
    }
    let since = since.map_or_else(String::new, |since| {
        format!(", has been inactive since {}, and its quarantine is over", date(since))
    });
    let used = key.last_use.as_ref().map_or_else(
        || "IAM knows no use of it".to_owned(),
        |used| format!("its last use was {}", described(used)),
    );
    found(format!("it was made on {}{since}; {used}", date(key.created)))
}

fn stuck(s: &Subject<'_>) -> Option<Found> {
    let notes = match &s.notes {
        Ok(notes) => notes,
        Err(error) => return found(format!("the tag {} cannot be read", error.tag)),
    };
    let newest = s.user.keys.iter().map(|key| key.created).max();
    if notes.intent.is_some() && newest.is_none_or(|newest| s.ago(newest) > LEASE) {
        return found(match newest {
            None => "a key was about to be made, and there is none".to_owned(),
            Some(newest) => {
                format!("a key was about to be made, and the newest is of {}", date(newest))
            }
        });
    }
    // the report has no IDs: a key made before the note may be the one
    let is_it = |key: &Key, note: &HandOver| match &key.id {
        Some(id) => id == note.key.as_str(),
        None => key.created <= note.at,
    };
    let is_gone = |note: &&HandOver| !s.user.keys.iter().any(|key| is_it(key, note));
    let lost = notes.hand_over.as_ref().filter(is_gone)?;
    found(format!("{} was handed over on {}, and is gone", lost.key, date(lost.at)))
}
