//! The sending quotas: recipients in 24 hours and in a second, counted for each region on its own.
//!
//! Source: SES Developer Guide, "Managing your Amazon SES sending limits" and "Service quotas in Amazon SES".

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use seskey::Region;

use super::SendingRefusal;
use crate::event::{Fate, is_simulator};

/// The sending quotas of an account; an absent one is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quota {
    /// Recipients in any 24 hours.
    pub max_24_hour_send: Option<u64>,
    /// Recipients in any second.
    pub max_send_rate: Option<u64>,
}

/// The counts of sent messages that the quotas need. They are lost when the process ends.
#[derive(Debug, Default)]
pub struct Sent(BTreeMap<String, History>);

/// The counts of one region.
#[derive(Debug, Default)]
struct History {
    /// Recipients of the last 24 hours by the second, without the mailbox simulator.
    day: VecDeque<(i64, u64)>,
    /// Recipients of the last second.
    second: VecDeque<(Timestamp, u64)>,
    /// The failures of the last 24 hours by the second: bounces, complaints, rejects.
    failures: VecDeque<(i64, [u64; 3])>,
}

/// The counts of a quarter of an hour. Source: SES API Reference, `SendDataPoint`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)] // the members of the data type
pub struct SendDataPoint {
    pub delivery_attempts: u64,
    pub bounces: u64,
    pub complaints: u64,
    pub rejects: u64,
}

impl Quota {
    /// The quota of the sandbox.
    pub const SANDBOX: Self = Self { max_24_hour_send: Some(200), max_send_rate: Some(1) };
}

impl Sent {
    /// Counts a message, with all its recipients and those of them that the daily quota counts; or refuses it and
    /// counts nothing. A message to several recipients may exceed the rate, then the next one must wait.
    ///
    /// # Errors
    /// `SendingRate` or `DailyQuota`.
    pub fn count(
        &mut self,
        region: &Region,
        quota: &Quota,
        recipients: u64,
        counted: u64,
        now: Timestamp,
    ) -> Result<(), SendingRefusal> {
        let history = self.0.entry(region.to_string()).or_default();
        history.forget(now);
        let this_second: u64 = history.second.iter().map(|(_, recipients)| recipients).sum();
        if quota.max_send_rate.is_some_and(|max| this_second >= max) {
            return Err(SendingRefusal::SendingRate);
        }
        if quota.max_24_hour_send.is_some_and(|max| history.last_24_hours() + counted > max) {
            return Err(SendingRefusal::DailyQuota);
        }
        if quota.max_send_rate.is_some() {
            history.second.push_back((now, recipients));
        }
        match history.day.back_mut() {
            Some((second, sent)) if *second == now.as_second() => *sent += counted,
            _ => history.day.push_back((now.as_second(), counted)),
        }
        Ok(())
    }

    /// Returns the recipients of the last 24 hours that count.
    pub fn last_24_hours(&mut self, region: &Region, now: Timestamp) -> u64 {
        self.0.get_mut(region.as_str()).map_or(0, |history| {
            history.forget(now);
            history.last_24_hours()
        })
    }

    /// Counts the failures of a message. Neither the mailbox simulator counts nor mail that the suppression list held
    /// back (SES Developer Guide, "Using the mailbox simulator manually", "Using the Amazon SES account-level
    /// suppression list").
    pub(crate) fn count_failures(
        &mut self,
        region: &Region,
        fates: &[(String, Fate)],
        now: Timestamp,
    ) {
        let mut failures = [0; 3];
        for (address, fate) in fates {
            let place = match fate {
                _ if is_simulator(address) => continue,
                Fate::Bounced(_) if !fate.goes_out() => continue,
                Fate::Bounced(_) => 0,
                Fate::Complained => 1,
                Fate::Rejected => 2,
                Fate::Delivered | Fate::Answered | Fate::Suppressed | Fate::Delayed(_) => continue,
            };
            failures[place] += 1;
        }
        if failures != [0; 3] {
            let history = self.0.entry(region.to_string()).or_default();
            history.failures.push_back((now.as_second(), failures));
        }
    }

    /// Returns the counts of the last 24 hours by the quarter of an hour, with the time at which it began.
    pub fn by_quarter(&mut self, region: &Region, now: Timestamp) -> BTreeMap<i64, SendDataPoint> {
        let mut quarters = BTreeMap::<i64, SendDataPoint>::new();
        let Some(history) = self.0.get_mut(region.as_str()) else { return quarters };
        history.forget(now);
        let quarter = |second: &i64| second - second.rem_euclid(QUARTER);
        for (second, sent) in &history.day {
            quarters.entry(quarter(second)).or_default().delivery_attempts += sent;
        }
        for (second, [bounces, complaints, rejects]) in &history.failures {
            let point = quarters.entry(quarter(second)).or_default();
            point.bounces += bounces;
            point.complaints += complaints;
            point.rejects += rejects;
        }
        quarters
    }
}

impl History {
    /// Forgets entries at the front that are older than the quotas look back, and entries at the back that are in the
    /// future, since the clock was put back after them.
    fn forget(&mut self, now: Timestamp) {
        let second = now.as_second();
        forget(&mut self.day, |at| *at < second - DAY, |at| *at > second);
        forget(&mut self.failures, |at| *at < second - DAY, |at| *at > second);
        let a_second_ago = now.saturating_sub(SignedDuration::from_secs(1)).unwrap_or(now);
        forget(&mut self.second, |at| *at <= a_second_ago, |at| *at > now);
    }

    fn last_24_hours(&self) -> u64 {
        self.day.iter().map(|(_, sent)| sent).sum()
    }
}

/// Removes entries from a list in the order of time: the old ones, and those in the future.
fn forget<T, N>(
    sent: &mut VecDeque<(T, N)>,
    is_old: impl Fn(&T) -> bool,
    is_to_come: impl Fn(&T) -> bool,
) {
    while sent.pop_front_if(|(at, _)| is_old(at)).is_some() {}
    while sent.pop_back_if(|(at, _)| is_to_come(at)).is_some() {}
}

const DAY: i64 = 24 * 60 * 60;
const QUARTER: i64 = 15 * 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Bounce;

    fn at(seconds: f64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs_f64(100_000.0 + seconds)
    }

    fn region(name: &str) -> Region {
        Region::parse(name).unwrap()
    }

    #[test]
    fn the_rate_counts_recipients_of_any_second() {
        let (mut sent, quota) = (Sent::default(), Quota::SANDBOX);
        let mut send = |name, seconds| sent.count(&region(name), &quota, 2, 2, at(seconds));
        assert_eq!(send("us-east-1", 0.6), Ok(()));
        assert_eq!(send("us-east-1", 1.5), Err(SendingRefusal::SendingRate));
        assert_eq!(send("eu-west-1", 1.5), Ok(()), "each region counts by itself");
        assert_eq!(send("us-east-1", 1.6), Ok(()));
        assert_eq!(send("us-east-1", 0.0), Ok(()), "the clock was put back");
    }

    #[test]
    fn what_failed_is_counted_but_for_the_simulator() {
        let (mut sent, here) = (Sent::default(), region("us-east-1"));
        let bounced = Fate::Bounced(Bounce::named("Permanent/General").unwrap());
        let fates = |fates: &[(&str, Fate)]| {
            fates.iter().map(|(to, fate)| ((*to).to_owned(), *fate)).collect::<Vec<_>>()
        };
        for uncounted in [
            ("complaint@simulator.amazonses.com", Fate::Complained),
            ("a@b.c", Fate::suppressed("BOUNCE")),
            ("a@b.c", Fate::suppressed("COMPLAINT")),
        ] {
            sent.count_failures(&here, &fates(&[uncounted]), at(1.0));
        }
        assert!(sent.by_quarter(&here, at(1.0)).is_empty());
        let failed = fates(&[("a@b.c", bounced), ("d@e.f", bounced), ("g@h.i", Fate::Rejected)]);
        sent.count_failures(&here, &failed, at(1.0));
        let points = sent.by_quarter(&here, at(2.0));
        let expected = SendDataPoint { bounces: 2, rejects: 1, ..SendDataPoint::default() };
        assert_eq!(points.into_values().collect::<Vec<_>>(), [expected]);
        assert!(sent.by_quarter(&here, at(90_000.0)).is_empty());
    }

    #[test]
    fn the_quota_counts_recipients_of_any_24_hours() {
        let quota = Quota { max_24_hour_send: Some(200), max_send_rate: None };
        let (mut sent, here) = (Sent::default(), region("us-east-1"));
        let day = 86_400.0;
        for (seconds, recipients, expected) in [
            (0.0, 50, Ok(())),
            (1.0, 149, Ok(())),
            (2.0, 2, Err(SendingRefusal::DailyQuota)),
            (2.0, 1, Ok(())),
            (3.0, 1, Err(SendingRefusal::DailyQuota)),
            (day, 1, Err(SendingRefusal::DailyQuota)),
            (day + 1.0, 51, Err(SendingRefusal::DailyQuota)),
            (day + 1.0, 50, Ok(())),
            (day + 1.5, 0, Ok(())),
        ] {
            let counted = sent.count(&here, &quota, recipients.max(1), recipients, at(seconds));
            assert_eq!(counted, expected, "{seconds} {recipients}");
        }
        assert_eq!(sent.last_24_hours(&here, at(day + 2.0)), 51);
        let attempts = sent.by_quarter(&here, at(day + 2.0));
        assert_eq!(attempts.values().map(|it| it.delivery_attempts).sum::<u64>(), 51);
        assert_eq!(sent.last_24_hours(&here, at(3.0 * day)), 0);
    }
}
