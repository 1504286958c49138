//! A single run of the program in a storm, and its end.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    process::{Child, Command, ExitStatus},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};

use super::{
    arena::Arena,
    proxy::{Moment, Proxy},
};

/// A user whose stores are read all the time.
pub(crate) struct User {
    pub(crate) name: &'static str,
    /// The stores as they are typed, each with the file that it is read from.
    pub(crate) stores: &'static [(&'static str, &'static str)],
}

/// The users; the first three are in the fleet.
pub(crate) const USERS: [User; 5] = [
    User { name: "plain", stores: &[("file:plain.json", "plain.json")] },
    User {
        name: "news",
        stores: &[("file:news.env", "news.env"), ("file:sasl_passwd", "sasl_passwd")],
    },
    User {
        name: "relay",
        stores: &[("file:.msmtprc", ".msmtprc"), ("exec:sh relay.sh", "relay.json")],
    },
    User { name: "mover", stores: &[("file:mover.json", "mover.json")] },
    User { name: LEAKY, stores: &[("file:leaky.json", "leaky.json")] },
];

/// The user whose keys leak again and again.
pub(crate) const LEAKY: &str = "leaky";

/// The number of users that come and go, without a reader.
pub(crate) const PASSING: usize = 4;

/// A command to run.
#[derive(Debug)]
pub(crate) enum Deed {
    Rotate {
        user: usize,
        more: &'static [&'static str],
    },
    /// Names only the first of several stores.
    RotateInPart {
        user: usize,
    },
    Undo {
        user: usize,
    },
    Apply,
    Revoke,
    Migrate,
    Create {
        passing: usize,
    },
    Delete {
        passing: usize,
    },
}

impl Deed {
    fn any(rng: &mut StdRng) -> Self {
        let user = rng.random_range(0..USERS.len());
        let passing = rng.random_range(0..PASSING);
        match rng.random_range(0..24) {
            0..7 => Self::Rotate { user, more: &["--max-age", "30d"] },
            7 => Self::RotateInPart { user: rng.random_range(1..3) },
            8..13 => Self::Rotate { user, more: &["--now"] },
            13..15 => Self::Undo { user },
            15..18 => Self::Apply,
            18 => Self::Revoke,
            19..21 => Self::Migrate,
            21..23 => Self::Create { passing },
            _ => Self::Delete { passing },
        }
    }

    pub(crate) fn command(&self, arena: &Arena) -> Command {
        let mut command = arena.seskey();
        match self {
            Self::Rotate { user, more } => {
                let User { name, stores } = &USERS[*user];
                rotate(&mut command, name, stores).args(*more);
            }
            Self::RotateInPart { user } => {
                let User { name, stores } = &USERS[*user];
                rotate(&mut command, name, &stores[..1]).arg("--now");
            }
            Self::Undo { user } => drop(command.args(["rotate", USERS[*user].name, "--undo"])),
            Self::Apply => drop(command.args(["apply", "--wait", "2s"])),
            Self::Revoke => {
                command.args(["revoke", LEAKY, "--replace", "--make-room", "--wait", "2s"]);
                command.args(["--to", USERS[4].stores[0].0]);
            }
            Self::Migrate => drop(command.args(["migrate", "mover", "--settle", "1s"])),
            Self::Create { passing } => {
                let [user, store] = [name(*passing), format!("file:{}.json", name(*passing))];
                command.args(["create", &user, "--to", &store]);
            }
            Self::Delete { passing } => drop(command.args(["delete", &name(*passing), "--yes"])),
        }
        if !matches!(self, Self::Migrate | Self::Create { .. } | Self::Delete { .. }) {
            command.args(["--log-json", LOG]);
        }
        command.env("AWS_REGION", "us-east-1");
        command
    }
}

fn rotate<'a>(command: &'a mut Command, user: &str, stores: &[(&str, &str)]) -> &'a mut Command {
    command.args(["rotate", user, "--wait-unused", "--wait", "2s", "--calls-per-second", "1000"]);
    command.args(stores.iter().flat_map(|(store, _)| ["--to", store]))
}

/// Returns the name of a user that comes and goes.
pub(crate) fn name(passing: usize) -> String {
    format!("passing-{passing}")
}

/// The record of the runs of a storm.
#[derive(Default)]
pub(crate) struct Tally {
    /// The number of runs, and the number of killed runs.
    pub(crate) runs: usize,
    pub(crate) killed: usize,
    /// The keys that a revocation was to end: all keys that existed when it began.
    pub(crate) revoked: BTreeSet<String>,
    /// The runs with an unexpected exit status.
    pub(crate) strange: Vec<String>,
}

/// Runs one command, and perhaps kills it, at the latest when `over` returns true.
pub(crate) fn do_one(
    arena: &Arena,
    proxy: &Proxy,
    rng: &mut StdRng,
    tally: &Mutex<Tally>,
    over: impl Fn() -> bool,
) {
    let deed = Deed::any(rng);
    // a run that is not killed takes ten seconds and more for the proof
    let dies_after = [1_000, 5_000, 20_000].choose(rng).map(|&most| rng.random_range(0..most));
    let dies_after = Duration::from_millis(dies_after.unwrap());
    let dies_in = match rng.random_range(0..9) {
        0..4 => None,
        4..7 => Some(dies_after),
        _ => {
            let moment = *[Moment::Before, Moment::After].choose(rng).unwrap();
            proxy.kill_at(rng.random_range(1..25), moment);
            None
        }
    };
    note_leak(arena, &deed, tally);
    let begun = Instant::now();
    let mut child = deed
        .command(arena)
        .env("AWS_ENDPOINT_URL", format!("http://{}", proxy.address))
        .stderr(log(arena))
        .stdout(log(arena))
        .spawn()
        .unwrap();
    proxy.watch(child.id());
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if over() || dies_in.is_some_and(|after| begun.elapsed() > after) {
            break kill(&mut child);
        }
        if begun.elapsed() < LOOKS {
            note_leak(arena, &deed, tally);
        }
        thread::sleep(Duration::from_millis(20));
    };
    proxy.watch(0);
    let mut tally = tally.lock().unwrap();
    tally.runs += 1;
    match status.code() {
        None => tally.killed += 1,
        Some(0 | 1 | 3) => {}
        Some(_) => tally.strange.push(format!("{deed:?}: {status}")),
    }
}

/// Records the keys that a revocation may end. A key that is created while it looks is one; its replacement is not.
pub(crate) fn note_leak(arena: &Arena, deed: &Deed, tally: &Mutex<Tally>) {
    if matches!(deed, Deed::Revoke) {
        let keys = arena.keys(LEAKY).into_iter().map(|(key, _)| key);
        tally.lock().unwrap().revoked.extend(keys);
    }
}

/// Kills a run, which may have ended by itself, and returns its exit status.
fn kill(child: &mut Child) -> ExitStatus {
    let _ = child.kill();
    child.wait().unwrap()
}

fn log(arena: &Arena) -> File {
    File::options().append(true).create(true).open(arena.home.path().join(LOG)).unwrap()
}

/// Returns the lines of the log that contain a text.
pub(crate) fn logged(arena: &Arena, of: &str) -> String {
    let text = fs::read_to_string(arena.home.path().join(LOG)).unwrap_or_default();
    text.lines().filter(|line| line.contains(of)).map(|line| format!("{line}\n")).collect()
}

const LOG: &str = "storm.log";

/// The time in which a revocation has looked up the keys. It waits longer than that before it creates one.
const LOOKS: Duration = Duration::from_secs(10);
