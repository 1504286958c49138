//! A run that is interrupted once or twice, or killed, and the processes that it has started.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use testkit::process::{LocalSes, seskey};

/// The login is made at the endpoint of another account, which refuses it, so the proof goes on until a signal comes.
#[test]
fn a_signal_during_the_proof_takes_everything_back() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut account = LocalSes::start(folder.path(), &[], &[]);
    let other = LocalSes::start(elsewhere.path(), &[], &[]);
    for signal in ["-INT", "-TERM", "-HUP"] {
        let mut create = caller(&account, folder.path())
            .args(["create", "mailer", "--smtp-endpoint", other.at("/smtp")])
            .args(["--ca-file", other.at("/ca_file")])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(create.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("made the access key") {
            line.clear();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended before it made a key");
        }
        let id = create.id().to_string();
        assert!(Command::new("kill").args([signal, &*id]).status().unwrap().success());
        let mut said = String::new();
        stderr.read_to_string(&mut said).unwrap();
        let output = create.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{signal}: {said}");
        assert!(output.stdout.is_empty(), "{signal}");
        assert!(
            said.ends_with("seskey: interrupted\nseskey: hint: run it again\n"),
            "{signal}: {said}"
        );
        let users =
            caller(&account, folder.path()).args(["list", "--all", "--json"]).output().unwrap();
        let users = String::from_utf8(users.stdout).unwrap();
        assert_eq!(users, "[]\n", "{signal}: {}", account.log());
    }
    assert_eq!(account.stop("-TERM").0.code(), Some(0));
}

/// The same holds for a credential that was to be delivered like in a rotation.
#[test]
fn a_signal_before_the_delivery_takes_everything_back() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let account = LocalSes::start(folder.path(), &[], &[]);
    let other = LocalSes::start(elsewhere.path(), &[], &[]);
    let store = format!("file:{}/mail.json", folder.path().display());
    for signal in ["-INT", "-TERM", "-HUP"] {
        let mut create = caller(&account, folder.path())
            .args(["create", "mailer", "--to", &store, "--smtp-endpoint", other.at("/smtp")])
            .args(["--ca-file", other.at("/ca_file")])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(create.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("created an access key") {
            line.clear();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended before it made a key");
        }
        let id = create.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let mut said = String::new();
        stderr.read_to_string(&mut said).unwrap();
        assert_eq!(create.wait().unwrap().code(), Some(1), "{signal}: {said}");
        for thing in ["the access key", "the user mailer", "the group"] {
            assert!(said.contains(&format!("took back {thing}")), "{signal}: {said}");
        }
        let users =
            caller(&account, folder.path()).args(["list", "--all", "--json"]).output().unwrap();
        assert_eq!(String::from_utf8(users.stdout).unwrap(), "[]\n", "{signal}");
        assert!(!folder.path().join("mail.json").exists());
    }
}

/// A slow hook and all its processes end with the run, however the run ends.
#[test]
fn nothing_outlives_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let account = LocalSes::start(folder.path(), &[], &[]);
    let after = "sleep 1000 & echo $$ $! > started.new; mv started.new started; sleep 1000";
    for (signals, code) in
        [(&["-KILL"][..], None), (&["-TERM", "-TERM"], Some(3)), (&["-HUP", "-INT"], Some(3))]
    {
        let started = folder.path().join("started");
        let _ = fs::remove_file(&started);
        let user = format!("mailer{}", signals.concat());
        let store = format!("file:{}/{user}.json", folder.path().display());
        let mut run = caller(&account, folder.path())
            .args(["create", &user, "--to", &store, "--after", after])
            .args(["--smtp-endpoint", account.at("/smtp"), "--ca-file", account.at("/ca_file")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_for("the hook", || started.exists());
        let ids = fs::read_to_string(&started).unwrap();
        let ids: Vec<&str> = ids.split_whitespace().collect();
        assert!(ids.iter().all(|id| is_alive(id)), "{ids:?}");
        for (index, &signal) in signals.iter().enumerate() {
            if index > 0 {
                // the run has seen the first signal, and goes on
                thread::sleep(Duration::from_millis(300));
                assert_eq!(run.try_wait().unwrap(), None);
            }
            let id = run.id().to_string();
            assert!(Command::new("kill").args([signal, &*id]).status().unwrap().success());
        }
        let at = Instant::now();
        assert_eq!(run.wait().unwrap().code(), code, "{signals:?}");
        assert!(at.elapsed() < Duration::from_secs(1), "{:?}", at.elapsed());
        wait_for("their end", || !ids.iter().any(|id| is_alive(id)));
    }
}

/// A process that a hook leaves running on purpose stays, such as a restarted service.
#[test]
fn a_service_outlives_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let account = LocalSes::start(folder.path(), &[], &[]);
    let store = format!("file:{}/mail.json", folder.path().display());
    let run = caller(&account, folder.path())
        .args(["create", "mailer", "--to", &store])
        .args(["--after", "sleep 1000 >/dev/null 2>&1 & echo $! > started"])
        .args(["--smtp-endpoint", account.at("/smtp"), "--ca-file", account.at("/ca_file")])
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    let id = fs::read_to_string(folder.path().join("started")).unwrap();
    thread::sleep(Duration::from_millis(300));
    assert!(is_alive(id.trim()), "{id}");
    assert!(Command::new("kill").args(["-KILL", id.trim()]).status().unwrap().success());
}

/// Neither a run nor a command that it starts dumps core, so that no core file has a secret.
#[test]
fn no_core_is_dumped() {
    let folder = tempfile::tempdir().unwrap();
    let account = LocalSes::start(folder.path(), &[], &[]);
    let store = format!("file:{}/mail.json", folder.path().display());
    let after = "cat /proc/$PPID/limits /proc/$$/limits > limits";
    let script = "ulimit -c unlimited; exec \"$@\"";
    let seskey = env!("CARGO_BIN_EXE_seskey");
    let mut run = caller(&account, folder.path());
    let environment: Vec<_> = run
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    run = Command::new("/bin/sh");
    let run = run
        .args(["-c", script, "sh", seskey, "create", "mailer", "--to", &store, "--after", after])
        .args(["--smtp-endpoint", account.at("/smtp"), "--ca-file", account.at("/ca_file")])
        .current_dir(folder.path())
        .env_clear()
        .envs(environment)
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    let limits = fs::read_to_string(folder.path().join("limits")).unwrap();
    let cores: Vec<&str> = limits.lines().filter(|line| line.starts_with("Max core")).collect();
    assert_eq!(cores.len(), 2, "{limits}");
    // one byte: no core file is so small, and no program is given one
    assert!(cores.iter().all(|line| line.split_whitespace().nth(4) == Some("1")), "{cores:?}");
}

/// Waits for a condition, and fails if that takes too long.
fn wait_for(what: &str, is_there: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_there() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} did not come");
        thread::sleep(Duration::from_millis(10));
    }
}

fn is_alive(id: &str) -> bool {
    fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn caller(local: &LocalSes, folder: &Path) -> Command {
    let mut command = seskey(folder);
    command
        .env("AWS_ACCESS_KEY_ID", local.at("/root/access_key_id"))
        .env("AWS_SECRET_ACCESS_KEY", local.at("/root/secret_access_key"))
        .env("AWS_ENDPOINT_URL", local.at("/endpoint_url"))
        .env("AWS_REGION", "us-east-1");
    command
}

/// One line reports the signal, and users that were not begun have not failed.
#[test]
fn users_before_whom_a_signal_comes_are_not_begun() {
    let folder = tempfile::tempdir().unwrap();
    let account = LocalSes::start(folder.path(), &[], &[]);
    for user in ["a", "b", "c"] {
        let made = caller(&account, folder.path())
            .args(["create", user, "--no-verify", "--quiet"])
            .output()
            .unwrap();
        assert!(made.status.success());
    }
    let mut run = caller(&account, folder.path())
        .args(["rotate", "a", "b", "c", "--now", "--concurrency", "1"])
        .args(["--to", &format!("file:{}/{{user}}.env", folder.path().display())])
        .args(["--smtp-endpoint", account.at("/smtp"), "--ca-file", account.at("/ca_file")])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(run.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("created an access key") {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended before it made a key");
    }
    let id = run.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(3), "{said}");
    assert!(said.contains("1 unfinished, 0 failed, 2 not begun\n"), "{said}");
    assert_eq!(said.matches("interrupted").count(), 1, "{said}");
}
