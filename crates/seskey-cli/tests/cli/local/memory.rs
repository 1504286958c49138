//! No message and no request crashes `seskey local`, or costs it more than three times its bytes.

#![cfg(target_os = "linux")]
use std::{fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use lettre::{Transport, address::Envelope};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use testkit::process::LocalSes;
use testkit::{
    apis::{FORM, Iam, mailbox},
    mail,
};

const SIZE: usize = 8 * 1024 * 1024;

/// The memory that is allocated once for all messages.
const SLACK: usize = 6 * 1024 * 1024;

/// The beginning of a hostile message, its repeated text, and a text of the reply.
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
    let messages = MESSAGES.iter().flat_map(|message| [(false, message), (true, message)]);
    for (on_disk, (begin, repeated, expected)) in messages {
        let local = start(folder.path(), on_disk);
        let sender = mail::client(&local, &Iam::of(&local).sender("mailer"));
        let message = [from, begin, &repeated.repeat(SIZE / repeated.len()), "\r\n"].concat();
        let before = resident(&local, "VmRSS");
        let told = match sender.send_raw(&envelope, message.as_bytes()) {
            Ok(reply) => reply.message().collect::<String>(),
            Err(error) => error.to_string(),
        };
        let cost = resident(&local, "VmHWM").saturating_sub(before);
        let case = format!("{begin:?} {repeated:?}, on disk: {on_disk}");
        assert!(told.contains(expected), "{case}: {told}");
        assert!(cost <= 3 * SIZE + SLACK, "{case}: {cost} bytes");
        assert_eq!(mailbox(&local).len(), usize::from(*expected == "Ok "));
    }
}

/// Raw messages: their beginning, their repeated text, and their end.
const RAW: &[[&str; 3]] = &[
    ["From: a@example.com\r\n\r\n", "x", "\r\n"],
    ["From: a@example.com\r\n\r\n", "\n", ""],
    ["From: a@example.com\n\n", "a\n", ""],
    // the author of this message is its source
    ["\n", "\n", ""],
];

/// Forms for version 1, and a text of the answer.
const FORMS: &[([&str; 3], &str)] = &[
    ([SIMPLE_FORM, "x", ""], "MessageId"),
    ([SIMPLE_FORM, "%0A", ""], "MessageId"),
    ([SIMPLE_FORM, "+", "%0A"], "MessageId"),
    ([SIMPLE_FORM, "\u{e4}", ""], "Message length is more"),
    ([SIMPLE_FORM, "\n", ""], "Message length is more"),
    ([SIMPLE_FORM, "x", "&Message.Subject.Data=again"], "malformed"),
    (["SendEmail&Message.Body.Text.Data=", "%FF", "&Source=a@example.com"], "malformed"),
    (["SendEmail&", "+", "=x"], "Parameter is too long"),
    (["SendEmail&", "a&", ""], "malformed"),
    (["CreateTemplate&Template.TemplateName=t&Template.TextPart=", "\n", ""], "LimitExceeded"),
];

const SIMPLE_FORM: &str = "SendEmail&Source=a@example.com\
    &Destination.ToAddresses.member.1=b@example.com&Message.Subject.Data=s&Message.Body.Text.Data=";

/// JSON for version 2: the path below `/v2/email/`, the body, and a text of the answer.
const JSON: &[(&str, [&str; 3], &str)] = &[
    ("outbound-emails", [SIMPLE_JSON, "x", "\"}}}}}"], "MessageId"),
    ("outbound-emails", [SIMPLE_JSON, "x", "\\n\"}}}}}"], "MessageId"),
    ("outbound-emails", [SIMPLE_JSON, "\\n", "\"}}}}}"], "MessageId"),
    ("outbound-emails", [SIMPLE_JSON, "\u{e4}", "\"}}}}}"], "MessageId"),
    ("outbound-emails", [SIMPLE_JSON, "\\u00e4", "\"}}}}}"], "MessageId"),
    ("outbound-emails", ["\"", "\u{7f}", "\""], "invalid type: string"),
    ("outbound-emails", ["{\"Content\":\"", "\u{7f}", "\"}"], "invalid type: string"),
    ("outbound-emails", ["{\"EmailTags\":\"", "\u{7f}", "\"}"], "invalid type: string"),
    ("outbound-emails", ["{\"EmailTags\":[\"", "\u{7f}", "\"]}"], "invalid type: string"),
    ("list-identities", ["{\"PageSize\":\"", "\u{7f}", "\"}"], "invalid type: string"),
    (
        "templates",
        ["{\"TemplateName\":\"t\",\"TemplateContent\":{\"Text\":\"", "\\n", "\"}}"],
        "Template is more",
    ),
];

const SIMPLE_JSON: &str = r#"{"FromEmailAddress":"a@example.com","Destination":{"ToAddresses":["b@example.com"]},"Content":{"Simple":{"Subject":{"Data":"s"},"Body":{"Text":{"Data":""#;

#[test]
fn no_request_costs_more_than_three_times_its_bytes() {
    for [begin, repeated, end] in RAW {
        let data = BASE64_STANDARD.encode(filled(begin, repeated, end, SIZE / 4 * 3));
        let of_v1 = [
            "SendRawEmail&Source=a@example.com&Destinations.member.1=b@example.com&RawMessage.Data=",
            &utf8_percent_encode(&data, NON_ALPHANUMERIC).to_string(),
        ];
        check_form(&of_v1.concat(), "MessageId");
        let of_v2 = [
            r#"{"FromEmailAddress":"a@example.com","Destination":{"ToAddresses":["b@example.com"]},"Content":{"Raw":{"Data":""#,
            &data,
            "\"}}}",
        ];
        check("/v2/email/outbound-emails", "application/json", &of_v2.concat(), "MessageId");
    }
    for ([begin, repeated, end], expected) in FORMS {
        check_form(&filled(begin, repeated, end, SIZE), expected);
    }
    for (path, [begin, repeated, end], expected) in JSON {
        let body = filled(begin, repeated, end, SIZE);
        check(&format!("/v2/email/{path}"), "application/json", &body, expected);
    }
}

fn filled(begin: &str, repeated: &str, end: &str, size: usize) -> String {
    [begin, &repeated.repeat(size / repeated.len()), end].concat()
}

fn check_form(action: &str, expected: &str) {
    check("/", FORM, &format!("Version=2010-12-01&Action={action}"), expected);
}

fn check(path: &str, content_type: &str, body: &str, expected: &str) {
    for on_disk in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let local = start(folder.path(), on_disk);
        let before = resident(&local, "VmRSS");
        let (status, told) = Iam::of(&local).post("ses", path, content_type, body).unwrap();
        let cost = resident(&local, "VmHWM").saturating_sub(before);
        let [begin, end] = [&body[..body.floor_char_boundary(300)], &body[body.len() - 20..]];
        let case = format!("{begin} … {end}, on disk: {on_disk}");
        assert!(told.contains(expected), "{case}: {status} {told}");
        assert!(cost <= 3 * body.len() + SLACK, "{case}: {cost} bytes");
    }
}

fn start(folder: &Path, on_disk: bool) -> LocalSes {
    let data = tempfile::tempdir_in(folder).unwrap().keep();
    let data = ["--data", data.to_str().unwrap()];
    LocalSes::start(folder, if on_disk { &data } else { &[] }, &[])
}

/// Returns a line of `/proc/PID/status`, in bytes.
fn resident(local: &LocalSes, name: &str) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", local.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let kilobytes: usize = line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes * 1024
}
