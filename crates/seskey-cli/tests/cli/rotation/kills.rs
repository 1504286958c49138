//! The program is killed at every call to IAM and between calls, and interrupted. Only between calls are there logins
//! with a young key, so only those kills wait for them.

use std::{process::Command, thread, time::Duration};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use rustix::process::{Pid, Signal, kill_process};

use super::{
    arena::{Arena, USER, breathe, in_arenas, row},
    proxy::Moment,
};

const ARENAS: usize = 10;

fn at_every_call(moment: Moment) {
    let calls = in_arenas(ARENAS, |first, arena| {
        arena.proxy.age_keys();
        let mut numbers = (1 + first..).step_by(ARENAS);
        numbers.by_ref().take_while(|&number| arena.survives_a_kill(number, moment)).count()
    });
    // a rotation has calls that observe and calls that change
    assert!(calls > 30, "{calls} calls");
}

#[test]
fn before_every_call() {
    at_every_call(Moment::Before);
}

#[test]
fn after_every_call() {
    at_every_call(Moment::After);
}

#[test]
fn between_calls() {
    in_arenas(ARENAS, |first, arena| {
        let mut rng = StdRng::seed_from_u64(first as u64);
        for _ in 0..2 {
            arena.days(91);
            let child = arena.spawn(&[]);
            thread::sleep(Duration::from_millis(rng.random_range(0..14_000)));
            let id = Pid::from_child(&child);
            let _ = kill_process(id, Signal::KILL);
            let _ = child.wait_with_output();
            arena.pass(jiff::SignedDuration::from_mins(20));
            arena.converge();
            arena.assert_whole();
        }
        2
    });
}

/// An interrupted run finishes its step and reports that, and the next run continues.
#[test]
fn a_signal_stops_it_after_the_step() {
    let mut arena = Arena::new();
    arena.converge();
    let watcher = arena.watch();
    arena.days(91);
    // a new key logs in late, so that the run is interrupted during the proof
    arena.faults("[keys]\ncreated = \"20s\"");
    let child = arena.spawn(&[]);
    while arena.keys(USER).len() < 2 {
        thread::sleep(Duration::from_millis(20));
    }
    breathe();
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(row(&output)["outcome"], "interrupted");
    arena.faults("");
    arena.pass(jiff::SignedDuration::from_mins(20));
    arena.converge();
    arena.assert_whole();
    watcher.judge();
}
