//! No message brings `seskey local` down, or costs it more than three times its bytes.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
mod clients;
#[allow(dead_code)]
mod process;

use std::fs;

use clients::{Iam, mailbox, smtp};
use lettre::{Transport, address::Envelope};
use process::LocalSes;

const SIZE: usize = 8 * 1024 * 1024;

/// For what is once there for all messages.
const SLACK: usize = 6 * 1024 * 1024;

/// What a hostile message begins with, what it repeats, and what the reply has.
const MESSAGES: &[(&str, &str, &str)] = &[
    ("\r\n", "x", "Ok "),
    ("\r\n", "\u{e4}\r\n", "Ok "),
    ("", "Content-Type: message/rfc822; boundary=x\r\n\r\n", "MIME parts"),
    ("", "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n", "MIME parts"),
    ("Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--b\r\n\r\n", "MIME parts"),
    ("Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--c\r\n", "start boundary"),
    ("Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--b\r\na:b\r\n", "MIME parts"),
    ("Content-Type: multipart/mixed; boundary=b", ";a=b", "Header section too long"),
    ("To: ", "a@b,", "Header section too long"),
    ("To: ", "a:;", "Header section too long"),
    ("To: ", "(", "Header section too long"),
    ("Subject: ", "=?utf-8?q?a?= ", "Header section too long"),
    ("X: ", "\r\n ", "Header section too long"),
    ("", "a:\r\n", "Header section too long"),
];

#[test]
fn no_message_costs_more_than_three_times_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (address, from) =
        ("a@example.com".parse::<lettre::Address>().unwrap(), "From: a@example.com\r\n");
    let envelope = Envelope::new(Some(address.clone()), vec![address]).unwrap();
    for (begin, repeated, expected) in MESSAGES {
        let local = LocalSes::start(folder.path(), &[], &[]);
        let sender = smtp(&local, &Iam::of(&local).sender("mailer"));
        let message = [from, begin, &repeated.repeat(SIZE / repeated.len()), "\r\n"].concat();
        let before = resident(&local, "VmRSS");
        let told = match sender.send_raw(&envelope, message.as_bytes()) {
            Ok(reply) => reply.message().collect::<String>(),
            Err(error) => error.to_string(),
        };
        let cost = resident(&local, "VmHWM").saturating_sub(before);
        assert!(told.contains(expected), "{begin:?} {repeated:?}: {told}");
        assert!(cost <= 3 * SIZE + SLACK, "{begin:?} {repeated:?}: {cost} bytes");
        assert_eq!(mailbox(&local).len(), usize::from(*expected == "Ok "));
    }
}

/// A line of `/proc/PID/status`, in bytes.
fn resident(local: &LocalSes, name: &str) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", local.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let kilobytes: usize = line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes * 1024
}
