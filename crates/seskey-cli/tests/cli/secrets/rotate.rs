//! The verbs that rotate put passwords into stores, and nowhere else. No record, no notice and no output of a command
//! that fails has one.

use std::fs;

use seskey::recognise::{Recognised, recognise};

use super::{
    Scene,
    Stdout::{Plain, Secret},
};

pub(crate) fn run(scene: &Scene) {
    let account = scene.account();
    let home = scene.home.path();
    let run = |stdout, words: &str| {
        let output = scene.run(stdout, words, "", &account);
        let text = [&output.stderr[..], &output.stdout[..]].concat();
        let text = String::from_utf8_lossy(&text);
        if stdout == Plain {
            assert_no_password(words, &text);
        }
        (output.status.code(), text.into_owned())
    };
    let done = |stdout, words: &str| {
        let (code, text) = run(stdout, words);
        assert_eq!(code, Some(0), "{words}: {text}");
    };
    let records = "--log-json log.jsonl --notify exec:cat>>told.jsonl";
    let to = "--to file:answer.rotated.env";
    done(Plain, &format!("rotate mailer-env --now {records} {to}"));
    done(Plain, &format!("rotate mailer-env {records} {to} --json"));
    done(Plain, "revoke mailer-csv --json");
    done(Plain, &format!("revoke mailer-env --replace --make-room {records} {to}"));
    done(Secret, &format!("rotate file-env --stage create {records} --to file:answer.none.env"));
    // a command that prints its input
    fs::write(home.join("leak.sh"), "[ \"$1\" = --read ] || { cat >&2; exit 1; }").unwrap();
    fs::write(
        home.join("seskey.toml"),
        "[[credential]]\nuser = \"mailer-text\"\nto = [\"file:answer.text.json\"]\n\
         [[credential]]\nuser = \"fleet\"\nto = [\"file:answer.fleet.json\"]\ncreate = true\n\
         [[credential]]\nuser = \"file-json\"\nto = [\"exec:sh leak.sh\"]\n",
    )
    .unwrap();
    done(Plain, "plan --json");
    let (code, text) = run(Plain, &format!("apply {records} --json"));
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("[redacted]"), "{text}");
    for name in ["log.jsonl", "told.jsonl"] {
        let text = fs::read_to_string(home.join(name)).unwrap();
        assert_no_password(name, &text);
        assert!(text.lines().count() > 4, "{name}: {text}");
    }
}

/// Checks that a text has no word in the form of an SMTP password. The passwords are new, so the words are unknown.
fn assert_no_password(what: &str, text: &str) {
    let is_of_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let found: Vec<&str> = text
        .split(|c| !is_of_base64(c))
        .filter(|word| matches!(recognise(word), Recognised::SmtpPassword(_)))
        .collect();
    assert!(found.is_empty(), "{what}: {found:?} in\n{text}");
}
