//! `seskey diagnose` of servers that are not SES: a failure is always named, with the answer of the server.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    thread,
};

type Behaviour = fn(TcpStream);

fn silent(mut stream: TcpStream) {
    stream.read_to_end(&mut Vec::new()).ok();
}

fn closing(_: TcpStream) {}

fn http(mut stream: TcpStream) {
    let _ = stream.read(&mut [0; 1024]).unwrap_or_default();
    stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").ok();
}

fn smtp(mut stream: TcpStream) {
    stream.write_all(b"220 mail.example.com ESMTP\r\n").ok();
    stream.read_to_end(&mut Vec::new()).ok();
}

/// The behaviour of the server, whether the application begins in TLS, the first cause, its certainty, a word of the
/// evidence.
const CASES: [(Behaviour, bool, &str, &str, &str); 7] = [
    (silent, false, "foreign-server", "possible", "nothing comes"),
    (silent, true, "foreign-server", "possible", "nothing comes"),
    (closing, false, "foreign-server", "possible", "closed before anything comes"),
    (closing, true, "foreign-server", "possible", "closed before anything comes"),
    (http, false, "wrong-vpc-endpoint", "possible", "neither SMTP nor TLS"),
    (http, true, "wrong-vpc-endpoint", "possible", "neither SMTP nor TLS"),
    (smtp, true, "foreign-server", "certain", "in clear first"),
];

#[test]
fn every_failure_is_named_with_what_came() {
    let running = CASES.map(|case| thread::spawn(move || (case, diagnosed(case.0, case.1))));
    for thread in running {
        let ((_, _, cause, certainty, evidence), (code, said)) = thread.join().unwrap();
        let first = said.lines().next().unwrap();
        assert!(first.starts_with(&format!("1. {cause} ({certainty}, ")), "{said}");
        assert!(said.contains(evidence), "{said}");
        assert_eq!(code, Some(4), "{said}");
    }
}

fn diagnosed(behave: Behaviour, in_tls: bool) -> (Option<i32>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || behave(stream));
        }
    });
    let mut command = Command::new(env!("CARGO_BIN_EXE_seskey"));
    command.args(["diagnose", "--host", "127.0.0.1", "--port", &port, "--exit-code", "--quiet"]);
    command.args(in_tls.then_some("--tls-wrapper"));
    let output = command.env_clear().output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}
