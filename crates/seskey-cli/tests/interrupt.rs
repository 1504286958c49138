//! A creation that is told to stop: whatever it made is taken back.

#![allow(clippy::unwrap_used)]

mod process;

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Command, Stdio},
};

use process::{LocalSes, seskey};

/// The login is made at another account's endpoint, which refuses it: the proof goes on trying until it is told to stop.
#[test]
fn a_signal_during_the_proof_takes_everything_back() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut account = LocalSes::start(folder.path(), &[], &[]);
    let other = LocalSes::start(elsewhere.path(), &[], &[]);
    for signal in ["-INT", "-TERM"] {
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
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
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

fn caller(local: &LocalSes, folder: &Path) -> Command {
    let mut command = seskey(folder);
    command
        .env("AWS_ACCESS_KEY_ID", local.at("/root/access_key_id"))
        .env("AWS_SECRET_ACCESS_KEY", local.at("/root/secret_access_key"))
        .env("AWS_ENDPOINT_URL", local.at("/endpoint_url"))
        .env("AWS_REGION", "us-east-1");
    command
}
