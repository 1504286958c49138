//! Eventual consistency: for a while after a change of an access key, services still see it as it was before.

use std::{collections::BTreeMap, time::Duration};

use jiff::{Timestamp, fmt::serde::unsigned_duration::required as duration};
use serde::Deserialize;

use super::{AccessKey, Account, Status};

/// The delays after which changes of access keys take effect, as IAM is eventually consistent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Lag {
    /// The time for which a new key is unknown, and a key that was activated again stays inactive.
    #[serde(with = "duration")]
    pub created: Duration,
    /// The time after that for which services see the change or not, at random.
    #[serde(with = "duration")]
    pub flaps: Duration,
    /// The time for which `ListAccessKeys` does not show a new key.
    #[serde(with = "duration")]
    pub listed: Duration,
    /// The time for which a deactivated key still works.
    #[serde(with = "duration")]
    pub deactivated: Duration,
    /// The time for which a deleted key still works.
    #[serde(with = "duration")]
    pub deleted: Duration,
}

/// The changes that some services may not have seen yet.
#[derive(Default)]
pub(super) struct EventualVisibility {
    lag: Lag,
    /// The earlier states, by the ID of the access key.
    past: BTreeMap<String, Before>,
}

/// The state of an access key before its last change; `was` is absent if the key did not exist.
struct Before {
    was: Option<AccessKey>,
    seen_until: Timestamp,
    flaps_until: Timestamp,
    unlisted_until: Timestamp,
}

impl Account {
    /// Restores the stored account. Earlier changes are seen at once.
    pub(crate) fn put_back(&mut self, kept: Self) {
        let (lag, has_sns_beside_it) = (self.visibility.lag, self.has_sns_beside_it);
        *self = Self { has_sns_beside_it, ..kept };
        self.set_lag(lag);
    }

    /// Sets the delays of changes. Earlier changes are seen at once.
    pub fn set_lag(&mut self, lag: Lag) {
        self.visibility = EventualVisibility { lag, past: BTreeMap::new() };
    }

    /// Returns the access key as a service sees it. While the key flaps, `coin` tells whether the service sees the
    /// change.
    pub fn seen_access_key(
        &self,
        access_key_id: &str,
        now: Timestamp,
        coin: impl FnOnce() -> bool,
    ) -> Option<&AccessKey> {
        let is = self.access_key(access_key_id);
        match self.visibility.past.get(access_key_id) {
            Some(past) if now < past.seen_until => past.was.as_ref(),
            Some(past) if now < past.flaps_until && !coin() => past.was.as_ref(),
            _ => is,
        }
    }

    /// Returns the deleted access key, if some services may not have seen the deletion yet.
    pub(super) fn bygone_access_key(&self, access_key_id: &str) -> Option<&AccessKey> {
        self.visibility.past.get(access_key_id)?.was.as_ref()
    }

    /// Whether `ListAccessKeys` shows the key yet.
    pub(super) fn is_listed(&self, access_key_id: &str, now: Timestamp) -> bool {
        self.visibility.past.get(access_key_id).is_none_or(|past| now >= past.unlisted_until)
    }

    /// Records a change that was made to an access key, with the earlier state.
    pub(super) fn changed(&mut self, access_key_id: &str, was: Option<AccessKey>, now: Timestamp) {
        let lag = self.visibility.lag;
        if lag == Lag::default() {
            return;
        }
        let active =
            |key: Option<&AccessKey>| key.is_some_and(|key| key.status() == Status::Active);
        let is = self.access_key(access_key_id);
        let (seen, flaps, unlisted) = match (&was, is) {
            (None, _) => (lag.created, lag.flaps, lag.listed),
            (_, None) => (lag.deleted, Duration::ZERO, Duration::ZERO),
            _ if active(is) => (lag.created, lag.flaps, Duration::ZERO),
            _ => (lag.deactivated, Duration::ZERO, Duration::ZERO),
        };
        let after = |start: Timestamp, time: Duration| start.checked_add(time).unwrap_or(start);
        let seen_until = after(now, seen);
        let past = Before {
            was,
            seen_until,
            flaps_until: after(seen_until, flaps),
            unlisted_until: after(now, unlisted),
        };
        self.visibility.past.retain(|_, past| now < past.flaps_until.max(past.unlisted_until));
        self.visibility.past.insert(access_key_id.to_owned(), past);
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};
    use seskey::Partition;

    use super::*;
    use crate::account::{AccountId, Action, Answer, Page, Principal, fresh_access_key};

    struct Stage(Account, StdRng);

    impl Stage {
        fn new(lag: Lag) -> Self {
            let mut rng = StdRng::seed_from_u64(1);
            let id = AccountId::parse("111122223333").unwrap();
            let root = fresh_access_key(&id, &mut rng);
            let mut account = Account::new(id, Partition::Aws, root, at(0));
            account.set_lag(lag);
            Self(account, rng)
        }

        fn done(&mut self, action: Action, second: i64) -> Answer {
            self.0.apply(action, at(second), &mut self.1).unwrap()
        }

        fn create(&mut self, second: i64) -> String {
            match self.done(Action::CreateAccessKey { principal: Principal::Root }, second) {
                Answer::NewAccessKey { access_key, .. } => access_key.access_key_id,
                other => panic!("{other:?}"),
            }
        }

        fn update(&mut self, id: &str, status: Status, second: i64) {
            let (principal, access_key_id) = (Principal::Root, id.to_owned());
            self.done(Action::UpdateAccessKey { principal, access_key_id, status }, second);
        }

        /// Whether the key works; for a flapping key `coin` decides.
        fn works(&self, id: &str, second: i64, coin: bool) -> bool {
            let key = self.0.seen_access_key(id, at(second), || coin);
            key.is_some_and(|key| key.status() == Status::Active)
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn lag() -> Lag {
        let seconds = Duration::from_secs;
        Lag {
            created: seconds(10),
            flaps: seconds(5),
            listed: seconds(3),
            deactivated: seconds(4),
            deleted: seconds(6),
        }
    }

    #[test]
    fn a_new_key_takes_effect_late_and_flaps() {
        let mut stage = Stage::new(lag());
        let id = stage.create(0);
        assert!(!stage.works(&id, 9, true));
        assert!(stage.works(&id, 10, true) && !stage.works(&id, 14, false));
        assert!(stage.works(&id, 15, false));
    }

    #[test]
    fn a_new_key_is_listed_late() {
        let mut stage = Stage::new(lag());
        stage.create(0);
        let mut listed = |second| {
            let (principal, page) = (Principal::Root, Page::default());
            match stage.done(Action::ListAccessKeys { principal, page }, second) {
                Answer::AccessKeys(keys) => keys.items.len(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!((listed(2), listed(3)), (1, 2), "the root user has one of before");
    }

    #[test]
    fn a_key_that_was_deactivated_or_deleted_works_on_for_a_while() {
        let mut stage = Stage::new(lag());
        let id = stage.create(0);
        stage.update(&id, Status::Inactive, 100);
        assert!(stage.works(&id, 103, false) && !stage.works(&id, 104, true));
        stage.update(&id, Status::Active, 200);
        assert!(!stage.works(&id, 209, true) && stage.works(&id, 215, false));
        let (principal, access_key_id) = (Principal::Root, id.clone());
        stage.done(Action::DeleteAccessKey { principal, access_key_id }, 300);
        assert!(stage.works(&id, 305, false) && !stage.works(&id, 306, true));
    }

    #[test]
    fn without_a_lag_everything_is_seen_at_once() {
        let mut stage = Stage::new(Lag::default());
        let id = stage.create(0);
        assert!(stage.works(&id, 0, false));
        stage.update(&id, Status::Inactive, 0);
        assert!(!stage.works(&id, 0, true));
    }
}
