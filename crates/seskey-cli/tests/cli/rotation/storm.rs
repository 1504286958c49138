//! A storm: many runs of every verb at once, killed at any moment, with IAM at its worst, while every store is read and
//! its credentials are used. Then the faults end, and everything must be in order within three runs.
//!
//! `SESKEY_STORM_KILLS` sets its length, and `SESKEY_STORM_SEED` its seed.

use std::{
    collections::BTreeSet,
    env, fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    str::FromStr,
    sync::{Arc, Mutex, RwLock},
    thread,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use seskey::{
    rotation::INTENT_TAG,
    user::{SENDING_GROUP, SENDING_POLICY},
};
use seskey_local::account::{Action, Answer, Holder, Page, Principal, Tag, Tagged};
use testkit::mail::Endpoint;

use super::{
    arena::{Arena, permission},
    deeds::{Deed, PASSING, Tally, USERS, User, do_one, logged, name, note_leak},
    proxy::Proxy,
    watcher::{Login, TEN_TIMES_A_SECOND, Watcher, logins, send},
};

#[test]
#[allow(clippy::print_stderr, reason = "how much was sent is worth knowing")]
fn it_clears_up() {
    let (kills, seed) = (variable("SESKEY_STORM_KILLS", 20), variable("SESKEY_STORM_SEED", 1));
    let mut storm = Storm::new(seed);
    let watchers = storm.watch();
    // until enough runs were killed, and something was rotated
    while storm.tally.lock().unwrap().killed < kills || storm.count(HANDED_OVER) <= USERS.len() {
        storm.blow();
        storm.pass_some_time();
    }
    let done = STEPS.map(|step| (step, storm.count(step)));
    storm.clear_up();
    // a user whose keys are revoked again and again can hardly send before
    let ends = Instant::now() + Duration::from_secs(60);
    while watchers.iter().any(|(_, watcher)| watcher.sent() <= ENOUGH) && Instant::now() < ends {
        thread::sleep(Duration::from_millis(100));
    }
    let tally = storm.tally.lock().unwrap();
    assert_eq!(tally.strange, [""; 0]);
    for (of, watcher) in watchers {
        let (sent, failures) = watcher.end();
        eprintln!("{of}: {sent} messages, {} failures", failures.len());
        let log: String =
            failures.iter().take(3).map(|it| logged(&storm.arena, &it[..20])).collect();
        assert_eq!(failures, [""; 0], "{of}\n{log}");
        assert!(sent > ENOUGH, "hardly anything was sent with {of}");
    }
    eprintln!("{} runs, {} of them killed", tally.runs, tally.killed);
    eprintln!("{done:?}");
}

fn variable<T: FromStr>(name: &str, usual: T) -> T {
    match env::var(name) {
        Ok(text) => text.parse().ok().unwrap_or_else(|| panic!("{name} is no number: {text}")),
        Err(_) => usual,
    }
}

struct Storm {
    arena: Arena,
    rng: StdRng,
    /// The proxies, each of which leads one run at a time to IAM.
    proxies: Vec<Proxy>,
    tally: Arc<Mutex<Tally>>,
    /// How far the clock is ahead. It is moved only while nobody sends.
    clock: Arc<RwLock<SignedDuration>>,
}

impl Storm {
    /// Starts a storm in which every user has a credential in every store.
    fn new(seed: u64) -> Self {
        let arena = Arena::new();
        let proxies = (0..RUNS_AT_ONCE).map(|_| Proxy::start(arena.server.http)).collect();
        let file = |name: &str, text: &str| {
            let path = arena.home.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        };
        file("sasl_passwd", "[smtp.example.org]:587 somebody:else\n");
        file("news.env", "NAME=news\n");
        file("relay.sh", RELAY);
        file("seskey.toml", &fleet());
        for User { name, .. } in &USERS {
            arena.add_user(name);
        }
        let storm = Self {
            arena,
            rng: StdRng::seed_from_u64(seed),
            proxies,
            tally: Arc::default(),
            clock: Arc::default(),
        };
        storm.rotate_all(&[]);
        // the same credential under another name
        let sasl = storm.arena.home.path().join("sasl_passwd");
        let (user_name, password) = logins(&sasl).pop_first().unwrap();
        let text = fs::read_to_string(&sasl).unwrap();
        let more = format!("{text}app@example.com {user_name}:{password}\n");
        fs::write(sasl, more).unwrap();
        storm
    }

    /// Starts two watchers for each file: one reads it before each message, the other every five days.
    fn watch(&self) -> Vec<(String, Watcher)> {
        let files = USERS.iter().flat_map(|user| user.stores).map(|(_, file)| file);
        let watch = |file: &&str| {
            let watcher = |every, patience| {
                let mut sender = Sender {
                    endpoint: self.arena.endpoint(),
                    file: self.arena.home.path().join(file),
                    patience,
                    read: None,
                    clock: self.clock.clone(),
                    tally: self.tally.clone(),
                };
                Watcher::start(every, Box::new(move || sender.send()))
            };
            let five_days = SignedDuration::from_hours(24 * 5);
            [
                (file.to_string(), watcher(TEN_TIMES_A_SECOND, SignedDuration::ZERO)),
                (
                    format!("{file}, read every five days"),
                    watcher(Duration::from_secs(1), five_days),
                ),
            ]
        };
        files.flat_map(watch).collect()
    }

    /// Runs commands for some seconds under one plan of faults, without a move of the clock.
    fn blow(&mut self) {
        let weather = weather(&mut self.rng);
        self.arena.faults(&weather);
        let ends = Instant::now() + Duration::from_secs(self.rng.random_range(12..25));
        // then every run is killed, or only those that take very long
        let patience = *[Duration::ZERO, Duration::from_secs(15)].choose(&mut self.rng).unwrap();
        thread::scope(|scope| {
            for proxy in &self.proxies {
                let mut rng = StdRng::seed_from_u64(self.rng.random());
                let (arena, tally) = (&self.arena, &*self.tally);
                scope.spawn(move || {
                    while Instant::now() < ends {
                        do_one(arena, proxy, &mut rng, tally, || Instant::now() > ends + patience);
                    }
                });
            }
        });
        // the requests of killed runs arrive
        thread::sleep(Duration::from_millis(300));
    }

    /// Moves the clock while no run is under way, since no time may pass that a run does not notice.
    fn pass_some_time(&mut self) {
        // two times in three longer than grace and quarantine
        let hours = *[1, 4 * 24, 8 * 24, 8 * 24, 8 * 24, 31 * 24].choose(&mut self.rng).unwrap();
        self.pass(SignedDuration::from_hours(hours));
        if self.rng.random() {
            self.back_to_the_old_style();
        }
    }

    fn pass(&mut self, time: SignedDuration) {
        let mut ahead = self.clock.write().unwrap();
        self.arena.pass(time);
        *ahead += time;
    }

    /// Restores the style from before September 2024, so that users are migrated again, and the group is created anew.
    fn back_to_the_old_style(&self) {
        let (server, group_name) = (&self.arena.server, SENDING_GROUP.to_owned());
        for User { name, .. } in &USERS {
            self.arena.apply(permission(name));
            let (group_name, user_name) = (group_name.clone(), (*name).to_owned());
            // the user may not be in the group
            let _ = server.apply(Action::RemoveUserFromGroup { group_name, user_name });
        }
        let page = Page::default();
        let group = server.apply(Action::GetGroup { group_name: group_name.clone(), page });
        if matches!(group, Ok(Answer::GroupUsers { users, .. }) if users.items.is_empty()) {
            let (holder, policy_name) =
                (Holder::Group(group_name.clone()), SENDING_POLICY.to_owned());
            let _ = server.apply(Action::DeleteInlinePolicy { holder, policy_name });
            self.arena.apply(Action::DeleteGroup { group_name });
        }
    }

    /// Ends the faults, and checks that everything is in order.
    fn clear_up(&mut self) {
        self.arena.faults("");
        // before that, a run that was killed elsewhere may count as alive
        self.pass(SignedDuration::from_mins(20));
        self.within_three_runs(&Deed::Revoke);
        self.rotate_all(&[]);
        for User { name, .. } in &USERS {
            let tags = self.tags(name);
            assert!(tags.iter().all(|tag| tag.key != INTENT_TAG), "{tags:?}");
        }
        self.within_three_runs(&Deed::Apply);
        self.within_three_runs(&Deed::Migrate);
        for passing in (0..PASSING).filter(|&passing| self.exists(&name(passing))) {
            self.within_three_runs(&Deed::Delete { passing });
            assert!(!self.exists(&name(passing)));
        }
        for _ in 0..6 {
            self.rotate_all(&["--max-age", "1000d"]);
            self.pass(SignedDuration::from_hours(24 * 8));
        }
        for User { name, stores } in &USERS {
            let keys = self.arena.keys(name);
            for login in stores.iter().flat_map(|(_, file)| self.held(file)) {
                assert_eq!(send(&self.arena.endpoint(), &login), Ok(()), "{name}");
                assert_eq!(keys, [(login.0, true)], "{name}: {}", logged(&self.arena, name));
            }
            assert!(self.tags(name).iter().all(|tag| tag.value.len() < 100));
        }
        self.see_the_files();
    }

    /// Checks that no entry of others is lost, and that no temporary file is left behind.
    fn see_the_files(&self) {
        let sasl = fs::read_to_string(self.arena.home.path().join("sasl_passwd")).unwrap();
        assert!(sasl.starts_with("[smtp.example.org]:587 somebody:else\n"), "{sasl}");
        let (user_name, password) = self.held("sasl_passwd").pop_first().unwrap();
        assert_eq!(sasl.matches(&format!("{user_name}:{password}\n")).count(), 2, "{sasl}");
        let files = fs::read_dir(self.arena.home.path()).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let left: Vec<_> = names.filter(|name| name.ends_with(".tmp")).collect();
        assert_eq!(left, [""; 0]);
    }

    /// Runs a command until it succeeds, three times at most. Success means that nothing is due now.
    fn within_three_runs(&self, deed: &Deed) {
        let mut said = vec![];
        for _ in 0..3 {
            note_leak(&self.arena, deed, &self.tally);
            let output = deed.command(&self.arena).output().unwrap();
            if output.status.success() {
                return;
            }
            said.push(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let log = logged(&self.arena, "");
        let last: Vec<_> = log.lines().rev().take(60).collect();
        let last: Vec<_> = last.into_iter().rev().collect();
        panic!("{deed:?}: {said:#?}\n{}", last.join("\n"));
    }

    /// Rotates each user by itself, at the same time: a rotation mostly waits.
    fn rotate_all(&self, more: &'static [&'static str]) {
        thread::scope(|scope| {
            for user in 0..USERS.len() {
                scope.spawn(move || self.within_three_runs(&Deed::Rotate { user, more }));
            }
        });
    }

    /// Returns how often the runs have done a step.
    fn count(&self, step: &str) -> usize {
        logged(&self.arena, "\"event\":\"step\"").matches(&format!("\"step\":\"{step}\"")).count()
    }

    fn held(&self, file: &str) -> BTreeSet<Login> {
        logins(&self.arena.home.path().join(file))
    }

    fn exists(&self, user: &str) -> bool {
        let principal = Principal::User(user.to_owned());
        self.arena.server.apply(Action::GetUser { principal }).is_ok()
    }

    fn tags(&self, user: &str) -> Vec<Tag> {
        let tagged = Tagged::User(user.to_owned());
        match self.arena.apply(Action::ListTags { tagged, page: Page::default() }) {
            Answer::Tags(listed) => listed.items,
            other => panic!("an answer to another action: {other:?}"),
        }
    }
}

/// A sender that uses the credentials in a file.
struct Sender {
    endpoint: Endpoint,
    file: PathBuf,
    /// How long a credential is used after it was read: less than the grace time.
    patience: SignedDuration,
    read: Option<(Timestamp, BTreeSet<Login>)>,
    clock: Arc<RwLock<SignedDuration>>,
    tally: Arc<Mutex<Tally>>,
}

impl Sender {
    /// Sends with each credential. The failure of a key that a revocation was to end does not count.
    fn send(&mut self) -> Vec<Result<(), String>> {
        let ahead = self.clock.read().unwrap();
        let now = Timestamp::now() + *ahead;
        let is_good = |(at, _): &(Timestamp, _)| now.duration_since(*at) < self.patience;
        let (_, logins) = match self.read.take().filter(is_good) {
            Some(read) => self.read.insert(read),
            None => self.read.insert((now, logins(&self.file))),
        };
        let sent = logins.iter().map(|login| (login, send(&self.endpoint, login)));
        let revoked =
            |(user_name, _): &Login| self.tally.lock().unwrap().revoked.contains(user_name);
        let counts = sent.filter(|(login, sent)| sent.is_ok() || !revoked(login));
        counts.map(|(_, sent)| sent.map_err(|error| format!("{error} at {now}"))).collect()
    }
}

/// Returns a random plan of faults of IAM.
fn weather(rng: &mut StdRng) -> String {
    let mut seconds = |most: u32| rng.random_range(0..=most);
    let keys = [
        ("created", seconds(6)),
        ("flaps", seconds(6)),
        ("listed", seconds(2)),
        ("deactivated", seconds(4)),
        ("deleted", seconds(4)),
    ];
    let keys: String = keys.map(|(what, seconds)| format!("{what} = \"{seconds}s\"\n")).concat();
    let calls = rng.random_range(10..60);
    let rate = format!("[[rate]]\nper-second = {calls}\nburst = {calls}\n");
    let faults = ["cut = \"before\"", "cut = \"after\"", "refuse = \"ServiceFailure\""];
    let faults = faults.map(|fault| {
        let probability = rng.random_range(0.0..0.04);
        format!("[[api]]\nprobability = {probability}\n{fault}\n")
    });
    format!("seed = {}\n[keys]\n{keys}{rate}{}", rng.random::<u32>(), faults.concat())
}

/// Returns the declaration of the first three users, with the stores of their rotations.
fn fleet() -> String {
    let credential = |user: &User| {
        let stores: Vec<_> = user.stores.iter().map(|(store, _)| store).collect();
        format!("[[credential]]\nuser = \"{}\"\nto = {stores:?}\ncreate = true\n", user.name)
    };
    let credentials: String = USERS[..3].iter().map(credential).collect();
    format!(
        "max-age = \"30d\"\nwait-unused = true\nregion = \"us-east-1\"\ncalls-per-second = 1000\n{credentials}"
    )
}

/// A store that is a command.
const RELAY: &str = "[ \"$1\" = --read ] && { cat relay.json 2>/dev/null; exit 0; }
cat > relay.$$ && mv relay.$$ relay.json
";

const RUNS_AT_ONCE: usize = 8;
/// The number of messages that shows that a watcher sends.
const ENOUGH: usize = 10;

const HANDED_OVER: &str = "mark-hand-over";
const STEPS: [&str; 5] = ["create-key", HANDED_OVER, "discard-key", "deactivate-key", "delete-key"];
