//! Whole processes: `seskey derive` beside the documented script in Python and beside a program that does nothing; and
//! how soon `seskey local` answers on all its ports, and how much memory it takes.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SESKEY: &str = env!("CARGO_BIN_EXE_seskey");

fn processes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("derive as a process");
    let nothing = nothing();
    group.bench_function("a program that does nothing", |bench| {
        bench.iter(|| run(&mut Command::new(&nothing)));
    });
    group.bench_function("seskey derive us-east-1", |bench| {
        bench.iter(|| {
            run(Command::new(SESKEY)
                .args(["derive", "us-east-1"])
                .env("AWS_SECRET_ACCESS_KEY", SECRET))
        });
    });
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../seskey/benches/derive.py");
    let python = python();
    group.sample_size(20).bench_function("the documented script in Python", |bench| {
        bench.iter(|| run(Command::new(&python).args([script, SECRET, "us-east-1"])));
    });
    group.finish();

    let mut group = criterion.benchmark_group("seskey local");
    group.sample_size(20).bench_function("answers on all ports", |bench| {
        bench.iter_custom(|times| (0..times).map(|_| ready(|_| ())).sum());
    });
    group.finish();
    ready(|local| {
        let status = fs::read_to_string(format!("/proc/{}/status", local.id())).unwrap();
        let resident = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        eprintln!("seskey local: {resident}");
    });
}

fn run(command: &mut Command) {
    assert!(command.stdout(Stdio::null()).stdin(Stdio::null()).status().unwrap().success());
}

/// Starts a local SES, looks at it, and ends it; returns the time until each of its ports took a connection.
fn ready(look: impl Fn(&Child)) -> Duration {
    let start = Instant::now();
    let mut local = Command::new(SESKEY)
        .args([
            "local",
            "--quiet",
            "--http",
            "127.0.0.1:0",
            "--smtp",
            "127.0.0.1:0",
            "--smtps",
            "127.0.0.1:0",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(local.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    for port in ["http", "smtp", "smtps"] {
        TcpStream::connect(ready[port].as_str().unwrap()).unwrap();
    }
    let took = start.elapsed();
    look(&local);
    // asked to end, it removes its certificate file
    assert!(Command::new("kill").arg(local.id().to_string()).status().unwrap().success());
    local.wait().unwrap();
    took
}

/// The smallest Rust program, compiled as it comes.
fn nothing() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (source, program) = (folder.join("nothing.rs"), folder.join("nothing"));
    fs::write(&source, "fn main() {}").unwrap();
    assert!(
        Command::new("rustc")
            .arg("-O")
            .arg("-o")
            .args([&program, &source])
            .status()
            .unwrap()
            .success()
    );
    program
}

/// The interpreter itself: a shim in its place would be measured too.
fn python() -> String {
    let output =
        Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

criterion_group!(benches, processes);
criterion_main!(benches);
