//! The output of the program, golden: `tests/cmd/VERB/OUTCOME.txt`, one file for each outcome of each verb.
//!
//! A case reads like a terminal: after `$ ` a command for `sh`, then its stdout, its stderr with `! ` before each line,
//! and `? N`, its exit code, unless that is 0. `+ 8d` lets days pass on the local SES. The text before the first
//! command describes the case. The commands of one case share a new folder, which is their `$HOME`. The verbs that need
//! an account get a local SES of their own (`stage`), and a line `account: …` chooses its users. Only values that vary
//! are redacted: [`REDACTIONS`].
//!
//! `SNAPSHOTS=overwrite cargo test --workspace --test cli` writes the current output into the files.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::Mutex,
    thread,
};

use jiff::SignedDuration;
use regex::Regex;
use snapbox::{Assert, Data, IntoData};

use crate::stage::{Inhabitants, Stage};

macro_rules! folders {
    ($($folder:ident)*) => {
        $(#[test] fn $folder() { hold_cases(stringify!($folder)); })*
        const FOLDERS: &[&str] = &[$(stringify!($folder)),*];
    };
}

folders! {
    apply audit completions console create delete derive diagnose general inspect list local man migrate plan policy regions render revoke
    rotate verify
}

#[test]
fn every_folder_is_run() {
    let mut folders: Vec<_> = entries(&cases()).iter().map(|path| stem(path)).collect();
    folders.sort();
    assert_eq!(folders, FOLDERS);
}

/// The values that vary from run to run, and their placeholders.
const REDACTIONS: [(&str, &str); 15] = [
    // IDs of account 123456789012, so the key of AWS's documentation stays
    ("AKIARZPUZDI[A-Z2-7]{9}", "AKIAXXXXXXXXXXXXXXXX"),
    // IDs of the accounts 222222222222 and 333333333333
    ("AKIA(THPL2AO|U3HBXAV)[A-Z2-7]{9}", "AKIAXXXXXXXXXXXXXXXX"),
    ("ACCA[A-Z2-7]{17}", "ACCAXXXXXXXXXXXXXXXXX"),
    (r"\bB[A-Za-z0-9+/]{43}", "[SMTP_PASSWORD]"),
    // ports of the dynamic range
    (r"((?:127\.0\.0\.1|localhost):)\d{5}\b", "$1[PORT]"),
    (
        r#"(SMTP_PORT=|EMAIL_PORT = |Ports: +|\[127\.0\.0\.1\]:|"starttls": \[\s+|"smtp_port": )\d{5}\b"#,
        "$1[PORT]",
    ),
    ("0100[0-9a-f]{12}-[0-9a-f-]+-000000", "[MESSAGE_ID]"),
    ("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "[REQUEST_ID]"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]"),
    (r"\b(on|of|since) \d{4}-\d\d-\d\d\b", "$1 [DATE]"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "[TIME]"),
    (r"\bin \d+\.\d s\b", "in [SECONDS] s"),
    (r"\bIAM made it \d+ seconds ago", "IAM made it [N] seconds ago"),
    (r"\bafter \d+ logins in \d+ s\b", "after [N] logins in [SECONDS] s"),
    (r"(ses-smtp-user)\.\d{8}-\d{6}", "$1.[TIME]"),
];

/// Plays the cases of a folder, several at a time: the proof of a new key mostly waits.
fn hold_cases(folder: &str) {
    let cases = Mutex::new(entries(&cases().join(folder)).into_iter());
    let next = || cases.lock().unwrap().next();
    let hold_some = || std::iter::from_fn(next).filter_map(|path| hold(folder, &path)).collect();
    let failures: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_A_TIME).map(|_| scope.spawn(hold_some)).collect();
        threads.into_iter().flat_map(|thread| -> Vec<String> { thread.join().unwrap() }).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

const AT_A_TIME: usize = 6;

/// Plays a case, and returns the differences from the expected output, if any.
fn hold(folder: &str, path: &Path) -> Option<String> {
    let said = play(folder, &fs::read_to_string(path).unwrap());
    let name = format!("{folder}/{}", stem(path));
    let expected = Data::read_from(path, None).raw();
    let assert = Assert::new().action_env("SNAPSHOTS");
    let error = assert.try_eq(Some(&name), said.into_data(), expected).err()?;
    Some(format!("{name}\n{error}"))
}

/// Runs the commands of a case, and returns the case with their output.
fn play(folder: &str, case: &str) -> String {
    let home = tempfile::tempdir().unwrap();
    let in_account = [
        "apply", "audit", "create", "delete", "diagnose", "list", "migrate", "plan", "revoke",
        "rotate", "verify",
    ]
    .contains(&folder);
    let stage = in_account.then(|| Stage::new(home.path(), inhabitants(case)));
    let environment = stage.as_ref().map(|stage| &stage.environment[..]).unwrap_or_default();
    let is_acted = |line: &&str| line.starts_with("$ ") || line.starts_with("+ ");
    let mut ahead = SignedDuration::ZERO;
    let mut said: String =
        case.lines().take_while(|line| !is_acted(line)).map(|line| format!("{line}\n")).collect();
    for (index, line) in case.lines().filter(is_acted).enumerate() {
        let separator = if index == 0 { "" } else { "\n" };
        let (act, command) = line.split_at(2);
        if act == "+ " {
            ahead += seskey::duration::parse(command).unwrap();
            stage.as_ref().unwrap().set_ahead(ahead);
            writeln!(said, "{separator}{line}").unwrap();
            continue;
        }
        let transcript = transcript(&run(command, home.path(), environment));
        // offline output does not vary
        let transcript = if in_account { redact(transcript) } else { transcript };
        write!(said, "{separator}$ {command}\n{transcript}").unwrap();
    }
    said
}

fn inhabitants(case: &str) -> Inhabitants {
    match case.lines().find_map(|line| line.strip_prefix("account: ")) {
        None => Inhabitants::SmtpUsers,
        Some("empty") => Inhabitants::None,
        Some("a console password") => Inhabitants::WithConsolePassword,
        Some("an organization") => Inhabitants::Organization,
        Some("the group cannot send") => Inhabitants::GroupThatCannotSend,
        Some(other) => panic!("{other} is no account"),
    }
}

/// Runs a command in the given environment, with nothing of the environment of the test.
fn run(command: &str, home: &Path, environment: &[(&'static str, String)]) -> Output {
    let folder = Path::new(env!("CARGO_BIN_EXE_seskey")).parent().unwrap();
    // a whole path: a program that is looked up in another PATH would be forked, and a fork of many threads is slow
    Command::new("/bin/sh")
        .args(["-c", command])
        .current_dir(home)
        .env_clear()
        .env("HOME", home)
        .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn transcript(output: &Output) -> String {
    let mut text = String::from_utf8(output.stdout.clone()).unwrap();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push_str("\n\\ no newline at the end\n");
    }
    for line in str::from_utf8(&output.stderr).unwrap().lines() {
        writeln!(text, "! {line}").unwrap();
    }
    match output.status.code() {
        Some(0) => {}
        Some(code) => writeln!(text, "? {code}").unwrap(),
        None => panic!("ended by a signal: {}", output.status),
    }
    text
}

fn redact(transcript: String) -> String {
    REDACTIONS.iter().fold(transcript, |text, (pattern, placeholder)| {
        Regex::new(pattern).unwrap().replace_all(&text, *placeholder).into_owned()
    })
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}
