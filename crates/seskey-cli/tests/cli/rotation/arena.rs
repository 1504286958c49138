//! A local SES, a user in it, and the program that rotates its key.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    thread,
    time::Duration,
};

use jiff::SignedDuration;
use serde_json::Value;
use seskey::{AccessKeyId, SecretAccessKey, SmtpCredential, user::SENDING_POLICY};
use seskey_local::{
    account::{Action, Answer, Holder, Page, Principal, Status},
    faults::Plan,
    server::{Config, Server},
};
use tempfile::TempDir;
use testkit::{
    mail::Endpoint,
    users::{self, MAY_SEND},
};
use tokio::runtime::Runtime;

use super::{
    proxy::{Moment, Proxy},
    watcher::{TEN_TIMES_A_SECOND, Watcher, logins, send},
};

pub(crate) const USER: &str = "app";

pub(crate) struct Arena {
    // dropped first: its tasks run on the runtime
    pub(crate) server: Server,
    runtime: Runtime,
    pub(crate) home: TempDir,
    pub(crate) proxy: Proxy,
    ahead: SignedDuration,
}

impl Arena {
    pub(crate) fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(Server::start(Config::ephemeral())).unwrap();
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("ca.pem"), &server.authority_pem).unwrap();
        let arena = Self {
            proxy: Proxy::start(server.http),
            server,
            runtime,
            home,
            ahead: SignedDuration::ZERO,
        };
        arena.add_user(USER);
        arena
    }

    /// Adds a user that may send and has no key.
    pub(crate) fn add_user(&self, name: &str) {
        users::create_user(&self.server, name, "/", Some("us-east-1"));
        self.apply(permission(name));
    }

    pub(crate) fn apply(&self, action: Action) -> Answer {
        self.server.apply(action).unwrap()
    }

    pub(crate) fn add_key(&self, name: &str) -> (AccessKeyId, SecretAccessKey) {
        users::create_access_key(&self.server, name)
    }

    /// Returns the keys of the user, and whether they are active.
    pub(crate) fn keys(&self, name: &str) -> Vec<(String, bool)> {
        let principal = Principal::User(name.to_owned());
        match self.apply(Action::ListAccessKeys { principal, page: Page::default() }) {
            Answer::AccessKeys(listed) => listed
                .items
                .into_iter()
                .map(|key| (key.access_key_id, key.status == Status::Active))
                .collect(),
            other => panic!("an answer to another action: {other:?}"),
        }
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.home.path().join("smtp.json")
    }

    /// Returns the user name in the store.
    pub(crate) fn held(&self) -> String {
        let text = fs::read_to_string(self.store()).unwrap();
        SmtpCredential::read(&text).unwrap()[0].user_name.to_string()
    }

    pub(crate) fn watch(&self) -> Watcher {
        let (endpoint, file) = (self.endpoint(), self.store());
        let send = move || logins(&file).iter().map(|login| send(&endpoint, login)).collect();
        Watcher::start(TEN_TIMES_A_SECOND, Box::new(send))
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::new(self.server.smtp.port(), self.server.authority_pem.as_bytes())
    }

    pub(crate) fn pass(&mut self, time: SignedDuration) {
        self.ahead += time;
        self.runtime.block_on(self.server.move_clock(self.ahead)).unwrap();
    }

    pub(crate) fn days(&mut self, days: i64) {
        self.pass(SignedDuration::from_hours(24 * days));
    }

    pub(crate) fn faults(&self, plan: &str) {
        self.server.set_faults(Plan::parse(plan).unwrap());
    }

    /// Returns a command of the program, as root of the account, through the proxy.
    pub(crate) fn seskey(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seskey"));
        command
            .current_dir(self.home.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.home.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", format!("http://{}", self.proxy.address))
            .env("AWS_ACCESS_KEY_ID", self.server.root.0.as_str())
            .env("AWS_SECRET_ACCESS_KEY", self.server.root.1.expose())
            .env("SESKEY_SMTP_ENDPOINT", self.server.smtp.to_string())
            .env("SESKEY_CA_FILE", "ca.pem")
            .stdin(Stdio::null());
        command
    }

    /// Returns a command that rotates the key of the user, with more options.
    pub(crate) fn rotate(&self, more: &[&str]) -> Command {
        let mut command = self.seskey();
        command
            .args(["rotate", USER, "--json", "--quiet", "--to", "file:smtp.json"])
            .args(["--calls-per-second", "1000", "--wait-unused", "--wait", "2s"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a rotation, and returns its outcome.
    pub(crate) fn outcome(&self, more: &[&str]) -> Value {
        let output = self.rotate(more).output().unwrap();
        row(&output)
    }

    /// Starts a run that the proxy may kill.
    pub(crate) fn spawn(&self, more: &[&str]) -> Child {
        let child = self.rotate(more).spawn().unwrap();
        self.proxy.watch(child.id());
        child
    }

    /// Runs as from cron, with days between the runs, until only a later rotation has anything to do.
    pub(crate) fn converge(&mut self) {
        for _ in 0..12 {
            let child = self.spawn(&[]);
            let output = child.wait_with_output().unwrap();
            if output.status.code().is_none() {
                // killed: the lease of a lost key ends before the next run begins
                self.pass(SignedDuration::from_mins(20));
                continue;
            }
            let row = row(&output);
            match row["outcome"].as_str().unwrap() {
                "done" => return,
                "waiting" => self.days(8),
                _ => panic!("{row:#}: {}", String::from_utf8_lossy(&output.stderr)),
            }
        }
        panic!("it does not end: {:?}", self.keys(USER));
    }

    /// Checks that there is one key, that it is active, and that the store holds it.
    pub(crate) fn assert_whole(&self) {
        assert_eq!(self.keys(USER), [(self.held(), true)]);
    }

    /// Rotates, and is killed at the call of this number. Returns whether a whole rotation has so many calls.
    pub(crate) fn survives_a_kill(&mut self, number: usize, moment: Moment) -> bool {
        self.days(91);
        self.proxy.kill_at(number, moment);
        self.converge();
        self.assert_whole();
        self.proxy.has_killed()
    }
}

/// Runs a function in so many arenas at a time, since a rotation mostly waits, and returns the sum of its results. No
/// login fails meanwhile in any of them.
pub(crate) fn in_arenas(arenas: usize, many: impl Fn(usize, &mut Arena) -> usize + Sync) -> usize {
    let one = |number| {
        let mut arena = Arena::new();
        arena.converge();
        let watcher = arena.watch();
        let times = many(number, &mut arena);
        watcher.judge();
        times
    };
    let one = &one;
    thread::scope(|scope| {
        let arenas: Vec<_> = (0..arenas).map(|number| scope.spawn(move || one(number))).collect();
        arenas.into_iter().map(|arena| arena.join().unwrap()).sum()
    })
}

/// Returns the action that lets the user send, as the SES console did before there was a group.
pub(crate) fn permission(user: &str) -> Action {
    Action::PutPolicy {
        holder: Holder::User(user.to_owned()),
        policy_name: SENDING_POLICY.to_owned(),
        document: MAY_SEND.to_owned(),
    }
}

/// Returns the answer of the program about its one user.
pub(crate) fn row(output: &Output) -> Value {
    let answer: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    answer["users"][0].clone()
}

/// Waits long enough for a watcher to look.
pub(crate) fn breathe() {
    thread::sleep(Duration::from_millis(400));
}
