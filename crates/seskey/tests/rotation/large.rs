//! A year of an organization of 1,000 accounts with 100 credentials each, by the real plan: a function for each account
//! every day, calls that fail, and accounts that cannot be reached on a day, some of which have all keys due on it.

use std::thread;

use jiff::{SignedDuration, Timestamp};
use seskey::{
    Region,
    rotation::{Goal, Key, Notes, RunId, Seen, Sending, Step, Store, StoreId, next},
};

use crate::world::{DAY, SECOND, id, start};

const ACCOUNTS: usize = 1_000;
const USERS: usize = 100;
const DAYS: usize = 365;

/// The accounts that cannot be reached on one day; in the first of them all keys are due on it.
const UNREACHED: usize = 50;
const HERDS: usize = 10;
const OUTAGE: usize = 200;

/// One of so many calls fails, after all retries of the client.
const FAILS: u64 = 100;

/// `max-age` of the file: five days less than the promised age.
const MAX_AGE: i32 = 85;
const PROMISED: i32 = 90;

/// Calls per second to the IAM of an account, the default of `calls-per-second`.
const PACE: f64 = 10.0;
/// The number of credentials in work at the same time, and the time to prove a new one.
const AT_A_TIME: usize = 32;
const PROOF: f64 = 13.0;

/// The limits of a function. Source: AWS Lambda Developer Guide, "Lambda quotas". It stops by itself five seconds
/// before the end.
const TIMEOUT: f64 = 900.0;
const RESERVE: f64 = 5.0;
const CONCURRENT: usize = 1_000;
/// The seconds after which a failed event comes again. Source: AWS Lambda Developer Guide, "How Lambda handles errors
/// and retries with asynchronous invocation".
const AGAIN: [f64; 3] = [0.0, 60.0, 120.0];

struct User {
    seen: Seen,
    keys_ever: usize,
}

struct Account {
    number: usize,
    users: Vec<User>,
    random: Random,
}

/// The record of an account over a year.
#[derive(Default)]
struct Year {
    calls: Vec<usize>,
    failed_calls: usize,
    rotations: usize,
    /// The beginning and end of each event, in seconds since the beginning of the year.
    events: Vec<(f64, f64)>,
    /// The greatest age of a key that a store held.
    oldest: SignedDuration,
}

/// The cost of an event, and whether nothing is left to do.
struct Spent {
    seconds: f64,
    calls: usize,
    failed: usize,
    is_done: bool,
}

/// A failed call.
struct Failed;

/// The calls of an event, and the time that they take.
struct Event<'a> {
    begins: Timestamp,
    calls: usize,
    made: usize,
    failed: usize,
    random: &'a mut Random,
}

#[test]
#[expect(clippy::print_stdout, reason = "they are the figures of docs/benchmarks.md")]
fn a_year_of_a_hundred_thousand_credentials() {
    let half = |from: usize| {
        (from..ACCOUNTS).step_by(2).map(|number| Account::new(number).year()).collect::<Vec<_>>()
    };
    let (odd, even) = thread::scope(|scope| {
        let odd = scope.spawn(|| half(1));
        let even = half(0);
        (odd.join().unwrap(), even)
    });
    let years: Vec<Year> = even.into_iter().zip(odd).flat_map(|(even, odd)| [even, odd]).collect();

    let by_day = |day: usize| years.iter().map(|year| year.calls[day]).sum::<usize>();
    let calls: usize = (0..DAYS).map(by_day).sum();
    let (busiest, day) = (0..DAYS).map(|day| (by_day(day), day)).max().unwrap();
    let of_account = years.iter().flat_map(|year| &year.calls).max().unwrap();
    let rotations: usize = years.iter().map(|year| year.rotations).sum();
    let failed: usize = years.iter().map(|year| year.failed_calls).sum();
    let events: Vec<_> = years.iter().flat_map(|year| year.events.iter().copied()).collect();
    let longest = events.iter().map(|(begins, ends)| ends - begins).fold(0.0, f64::max);
    let concurrent = peak(&events);
    let oldest = |years: &[Year]| years.iter().map(|year| year.oldest).max().unwrap();
    let (unreached, reached) = years.split_at(UNREACHED);
    let (unreached, reached) = (oldest(unreached), oldest(reached));
    let days = |time: SignedDuration| time.as_secs_f64() / DAY.as_secs_f64();
    println!(
        "{} events, {rotations} rotations, {calls} calls, {failed} of them failed\n\
         calls a day: {} in the mean, {busiest} at most, on day {day}; of an account {of_account} at most\n\
         the longest event: {longest:.0} s; {concurrent} at the same time at most\n\
         the oldest key that a store held: {:.2} days; in the accounts of the outage {:.2} days",
        events.len(),
        calls / DAYS,
        days(reached),
        days(unreached),
    );
    assert!(reached <= DAY * PROMISED, "{reached:?}");
    assert!(unreached <= DAY * (PROMISED + 1), "{unreached:?}");
    assert!(longest <= TIMEOUT, "{longest}");
    assert!(concurrent <= CONCURRENT, "{concurrent}");
    assert!(rotations >= ACCOUNTS * USERS * 3, "{rotations}");
}

/// Returns the most events at the same time.
fn peak(events: &[(f64, f64)]) -> usize {
    let begins = events.iter().map(|(begins, _)| (*begins, 1));
    let mut changes: Vec<(f64, isize)> =
        begins.chain(events.iter().map(|(_, ends)| (*ends, -1))).collect();
    changes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut now = 0;
    let counts = changes.into_iter().map(|(_, change)| {
        now += change;
        now
    });
    counts.max().unwrap().unsigned_abs()
}

impl Account {
    fn new(number: usize) -> Self {
        let mut random = Random(number as u64);
        let users = (0..USERS).map(|_| {
            // the second rotation after this one is due on the day of the outage: a key is a day older than `max-age`
            // when the daily event finds it due
            let herd = DAY * (MAX_AGE - (OUTAGE as i32 - 2 * (MAX_AGE + 1))) + SECOND * 3_600;
            let any = SECOND * i32::try_from(random.below(MAX_AGE as u64 * 86_400)).unwrap();
            User::new(if number < HERDS { herd } else { any })
        });
        let users = users.collect();
        Self { number, users, random }
    }

    fn year(mut self) -> Year {
        let mut year = Year::default();
        let goal = Goal::new(DAY * MAX_AGE, DAY * 7, DAY * 7).unwrap();
        for day in 0..DAYS {
            // the schedules of all accounts are spread over an hour
            let mut at = (day * 86_400) as f64 + self.number as f64 * 3_600.0 / ACCOUNTS as f64;
            let mut calls = 0;
            if day != OUTAGE || self.number >= UNREACHED {
                for pause in AGAIN {
                    at += pause;
                    let spent = self.event(at, &goal);
                    year.events.push((at, at + spent.seconds));
                    year.failed_calls += spent.failed;
                    calls += spent.calls;
                    at += spent.seconds;
                    if spent.is_done {
                        break;
                    }
                }
            }
            year.calls.push(calls);
            let now = start() + SignedDuration::from_secs_f64(at);
            year.oldest =
                self.users.iter().map(|user| user.age(now)).chain([year.oldest]).max().unwrap();
        }
        year.rotations = self.users.iter().map(|user| user.keys_ever - 1).sum();
        assert!(self.users.iter().all(|user| user.seen.keys.iter().any(|key| key.active)));
        year
    }

    fn event(&mut self, at: f64, goal: &Goal) -> Spent {
        let begins = start() + SignedDuration::from_secs_f64(at);
        let mut event = Event { begins, calls: 0, made: 0, failed: 0, random: &mut self.random };
        // the list of all users
        let mut is_done = event.call().is_ok();
        if is_done {
            for user in &mut self.users {
                is_done &= event.time() < TIMEOUT - RESERVE && user.run(goal, &mut event).is_ok();
            }
        }
        Spent { seconds: event.time(), calls: event.calls, failed: event.failed, is_done }
    }
}

impl User {
    /// Returns a user with a key that was never rotated.
    fn new(age: SignedDuration) -> Self {
        let created = start() - age;
        let region = Region::parse("us-east-1").unwrap();
        let store = Store::new(StoreId::of("secretsmanager:smtp us-east-1"), region);
        let key = Key { id: id(1), active: true, created, last_used: None };
        let seen = Seen {
            keys: vec![key],
            stores: vec![store.holding(id(1))],
            sending: Sending::Allowed,
            notes: Notes::default(),
            ..Seen::at(start(), RunId::of("lambda", "0"))
        };
        Self { seen, keys_ever: 1 }
    }

    /// Returns the age of the key in the store.
    fn age(&self, now: Timestamp) -> SignedDuration {
        let is_read = |key: &&Key| self.seen.stores[0].holds.contains(&key.id);
        let key = self.seen.keys.iter().find(is_read).expect("the store holds a key that there is");
        assert!(key.active, "the store holds a dead key");
        now.duration_since(key.created)
    }

    /// Runs the plan for this user. Any failure ends the run.
    fn run(&mut self, goal: &Goal, event: &mut Event) -> Result<(), Failed> {
        self.forget(event.now());
        // the call for its keys; its tags came with the list
        event.call()?;
        for _ in 0..60 {
            self.seen.now = event.now();
            let step = next(&self.seen, goal);
            for _ in self.seen.uses_behind(&step) {
                event.call()?;
            }
            match step {
                Step::Done { .. } => return Ok(()),
                Step::WaitUntil { .. } if step.ends_a_run() => return Ok(()),
                // a function does not wait for other runs
                Step::WaitUntil { .. } => return Err(Failed),
                Step::Stop(reason) => panic!("nobody is there to decide: {reason:?}"),
                step => self.carry_out(step, event)?,
            }
        }
        panic!("no end: {:?}", self.seen);
    }

    /// Forgets what only the process before knew.
    fn forget(&mut self, now: Timestamp) {
        let seen = &mut self.seen;
        for known in [&mut seen.at_hand, &mut seen.proven, &mut seen.unconfirmed, &mut seen.refused]
        {
            known.clear();
        }
        seen.hooked = None;
        seen.stores[0].before = None;
        // the readers of the store send mail with its key
        let held = &seen.stores[0].holds;
        if let Some(key) = seen.keys.iter_mut().find(|key| held.contains(&key.id)) {
            key.last_used = Some(now);
        }
    }

    fn carry_out(&mut self, step: Step, event: &mut Event) -> Result<(), Failed> {
        let Self { seen, keys_ever, .. } = self;
        match step {
            // logins, and writes to a store
            Step::Prove(key) => drop(seen.proven.insert(key)),
            Step::Confirm(key) => drop(seen.unconfirmed.remove(&key)),
            Step::Deliver { store, key } => {
                seen.stores[store] = seen.stores[store].clone().holding(key.clone());
                seen.unconfirmed.insert(key);
                seen.hooked = None;
            }
            Step::RunHook(key) => {
                seen.hooked = Some(key);
                return event.calls(2);
            }
            Step::CreateKey(intent) => {
                let made = event.call();
                if made.is_err() && event.random.below(2) == 0 {
                    return Err(Failed);
                }
                *keys_ever += 1;
                let (id, created) = (id(*keys_ever), event.now());
                seen.keys.push(Key { id: id.clone(), active: true, created, last_used: None });
                // otherwise it was made, and the answer was lost
                made?;
                event.made += 1;
                event.call()?;
                seen.notes.intent = Some(intent.with_made(&id, seen.run));
                seen.at_hand.insert(id);
                return event.calls(2);
            }
            Step::Discard(key) => {
                event.call()?;
                seen.keys.iter_mut().find(|it| it.id == key).unwrap().active = false;
                event.call()?;
                seen.keys.retain(|it| it.id != key);
                return event.calls(2);
            }
            step => {
                event.call()?;
                match step {
                    Step::WriteIntent(intent) | Step::RecordKey(intent) => {
                        seen.notes.intent = Some(intent);
                    }
                    Step::ClearIntent => seen.notes.intent = None,
                    Step::MarkHandOver(note) => seen.notes.hand_over = Some(note),
                    Step::MarkRetired(retired) => seen.notes.retired = retired,
                    Step::Deactivate(key) => {
                        seen.keys.iter_mut().find(|it| it.id == key).unwrap().active = false;
                    }
                    Step::Delete(key) => seen.keys.retain(|it| it.id != key),
                    step => panic!("nobody has asked for it: {step:?}"),
                }
                // keys and tags are read anew
                return event.calls(2);
            }
        }
        Ok(())
    }
}

impl Event<'_> {
    fn call(&mut self) -> Result<(), Failed> {
        self.calls += 1;
        let has_failed = self.random.below(FAILS) == 0;
        self.failed += usize::from(has_failed);
        if has_failed { Err(Failed) } else { Ok(()) }
    }

    fn calls(&mut self, count: usize) -> Result<(), Failed> {
        (0..count).try_for_each(|_| self.call())
    }

    /// Returns the most seconds that it has taken: while some credentials wait for their proofs, the calls of others go
    /// on.
    fn time(&self) -> f64 {
        self.calls as f64 / PACE + self.made.div_ceil(AT_A_TIME) as f64 * PROOF
    }

    /// Returns the time in whole seconds, as IAM gives it.
    fn now(&self) -> Timestamp {
        self.begins + SECOND * self.time() as i32
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}
