//! IAM applies changes late, throttles, or fails; stores fail.

use std::fs;

use super::arena::{Arena, USER, breathe, in_arenas};

/// Runs one whole rotation under a plan of faults.
fn rotation_under(plan: &str) {
    let mut arena = Arena::new();
    arena.converge();
    let watcher = arena.watch();
    arena.days(91);
    let before = arena.held();
    arena.faults(plan);
    arena.converge();
    breathe();
    arena.assert_whole();
    assert_ne!(arena.held(), before);
    watcher.judge();
}

#[test]
fn a_new_key_takes_effect_late_and_flaps() {
    rotation_under(
        "seed = 1\n[keys]\ncreated = \"9s\"\nflaps = \"6s\"\nlisted = \"2s\"\ndeactivated = \"4s\"\ndeleted = \"4s\"",
    );
}

#[test]
fn a_new_key_flaps_from_the_start() {
    rotation_under("seed = 5\n[keys]\nflaps = \"10s\"");
}

#[test]
fn iam_throttles() {
    rotation_under("[[rate]]\nper-second = 4\nburst = 4");
}

/// The old key is checked until it no longer logs in, if the run still knows its password.
#[test]
fn thirty_rotations_ten_in_a_row() {
    let rotations = in_arenas(3, |_, arena| {
        arena.proxy.age_keys();
        let mut seen = vec![arena.held()];
        for _ in 0..10 {
            arena.days(90);
            arena.converge();
            arena.assert_whole();
            assert!(!seen.contains(&arena.held()), "it is an old key again");
            seen.push(arena.held());
        }
        10
    });
    assert_eq!(rotations, 30);
}

/// If the second store fails, before or after its effect, the first still has a good login, and the next run finishes.
#[test]
fn one_of_two_stores_fails() {
    for script in ["exit 1", "cat > second.json; exit 1"] {
        let mut arena = Arena::new();
        let command = arena.home.path().join("store.sh");
        let store = |script: &str| {
            let read = "if [ \"$1\" = --read ]; then cat second.json 2>/dev/null; exit 0; fi";
            fs::write(&command, format!("{read}\n{script}\n")).unwrap();
        };
        let both = ["--to", "exec:sh store.sh"];
        store("cat > second.json");
        assert_eq!(arena.outcome(&both)["outcome"], "done");
        let watcher = arena.watch();
        store(script);
        arena.days(91);
        let failed = arena.outcome(&both);
        assert_eq!(failed["outcome"], "unfinished", "{failed:#}");
        assert_eq!(arena.keys(USER).len(), 2);
        store("cat > second.json");
        let finished = arena.outcome(&both);
        assert_eq!(finished["why"], "grace", "{finished:#}");
        let second = fs::read_to_string(arena.home.path().join("second.json")).unwrap();
        assert!(second.contains(&arena.held()));
        for outcome in ["quarantine", "null"] {
            arena.days(8);
            assert_eq!(arena.outcome(&both)["why"].as_str().unwrap_or("null"), outcome);
        }
        arena.assert_whole();
        watcher.judge();
    }
}

/// If the command after the delivery fails, nothing is handed over, and no sender is without a credential.
#[test]
fn the_command_after_the_delivery_fails() {
    let mut arena = Arena::new();
    arena.converge();
    let watcher = arena.watch();
    arena.days(91);
    let failed = arena.outcome(&["--after", "echo no postfix >&2; exit 7"]);
    assert_eq!(failed["outcome"], "unfinished", "{failed:#}");
    assert!(failed["error"].as_str().unwrap().contains("no postfix"), "{failed:#}");
    let next = arena.outcome(&["--after", "echo $SESKEY_SMTP_USER_NAME > told"]);
    assert_eq!(next["why"], "grace", "{next:#}");
    let told = fs::read_to_string(arena.home.path().join("told")).unwrap();
    assert_eq!(told.trim(), arena.held());
    arena.converge();
    watcher.judge();
}
