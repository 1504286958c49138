//! The record of a leak, and mistakes of a person that do no harm.

use std::fs;

use serde_json::Value;

use super::arena::{Arena, USER};

/// Runs the program, and returns the exit code.
fn seskey(arena: &Arena, arguments: &[&str]) -> i32 {
    let output = arena.seskey().args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("panicked"), "{said}");
    output.status.code().unwrap()
}

fn log(arena: &Arena) -> Vec<Value> {
    let log = fs::read_to_string(arena.home.path().join("log")).unwrap();
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn active(arena: &Arena) -> usize {
    arena.keys(USER).iter().filter(|(_, active)| *active).count()
}

/// If the first key cannot be deactivated, the other one is, and the log has both, and the caller.
#[test]
fn a_leak_is_on_record() {
    let arena = Arena::new();
    arena.add_key(USER);
    arena.add_key(USER);
    let revoke = ["revoke", USER, "--log-json", "log"];
    arena.faults(
        "[[api]]\naction = \"UpdateAccessKey\"\ncalls = [1, 2, 3, 4, 5]\nrefuse = \"ServiceFailure\"",
    );
    assert_eq!((seskey(&arena, &revoke), active(&arena)), (3, 1));
    assert_eq!((seskey(&arena, &revoke), active(&arena)), (0, 0));
    let [begin, first, _, second] = &log(&arena)[..] else { panic!("{:?}", log(&arena)) };
    assert_eq!(begin["event"], "begin");
    assert!(begin["caller"].as_str().unwrap().ends_with(":root"), "{begin}");
    for (line, failed) in [(first, true), (second, false)] {
        assert_eq!(line["event"], "revoke");
        assert_eq!(line["deactivated"].as_array().unwrap().len(), 1, "{line}");
        assert_eq!(line["error"].is_string(), failed, "{line}");
    }
}

/// A mistyped option is found before the first key is deactivated.
#[test]
fn a_replacement_that_cannot_be() {
    let arena = Arena::new();
    arena.add_key(USER);
    let replace = ["revoke", USER, "--replace", "--to", "file:smtp.json", "--ca-file", "none.pem"];
    assert_eq!((seskey(&arena, &replace), active(&arena)), (1, 1));
}

/// If the keys are deactivated and the replacement fails, the run is unfinished.
#[test]
fn a_replacement_that_fails() {
    let arena = Arena::new();
    arena.add_key(USER);
    let replace = ["revoke", USER, "--replace", "--to", "file:missing/smtp.json"];
    assert_eq!((seskey(&arena, &replace), active(&arena)), (3, 0));
}

#[test]
fn a_user_who_is_named_twice() {
    let arena = Arena::new();
    assert_eq!(seskey(&arena, &["rotate", USER, USER, "--to", "file:{user}.json"]), 0);
    assert_eq!(arena.keys(USER).len(), 1);
}

/// If the log cannot be written, everything is done, and the exit code shows the failure.
#[test]
fn a_full_disk() {
    let arena = Arena::new();
    let rotate = ["rotate", USER, "--to", "file:smtp.json", "--log-json", "/dev/full"];
    assert_eq!((seskey(&arena, &rotate), active(&arena)), (3, 1));
}

#[test]
fn a_file_of_a_fleet_is_beside_its_stores() {
    let arena = Arena::new();
    let folder = arena.home.path().join("fleet");
    fs::create_dir(&folder).unwrap();
    let fleet = format!(
        "region = \"us-east-1\"\n[[credential]]\nuser = \"{USER}\"\nto = [\"file:smtp.json\"]\n"
    );
    fs::write(folder.join("seskey.toml"), fleet).unwrap();
    assert_eq!(seskey(&arena, &["apply", "--file", "fleet/seskey.toml"]), 0);
    assert!(folder.join("smtp.json").exists() && !arena.store().exists());
}
