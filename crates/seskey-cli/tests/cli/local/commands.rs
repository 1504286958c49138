//! `seskey local` from its ready line to its end.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
};

use testkit::process::{LocalSes, seskey};

#[test]
fn the_ready_line_leads_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalSes::start(folder.path(), &["--region", "eu-west-1"], &[]);
    let keys: Vec<_> = local.ready.as_object().unwrap().keys().collect();
    let expected = [
        "ready",
        "http",
        "endpoint_url",
        "console",
        "smtp",
        "smtps",
        "listeners",
        "region",
        "account",
        "root",
        "ca_file",
    ];
    assert_eq!(keys, expected);
    assert_eq!(local.ready["ready"], true);
    assert_eq!(local.at("/region"), "eu-west-1");
    assert_eq!(local.at("/account"), "000000000000");
    let created = seskey(folder.path())
        .args(["create", "mailer", "--region", "eu-west-1", "--json"])
        .args(["--endpoint-url", local.at("/endpoint_url"), "--ca-file", local.at("/ca_file")])
        .args(["--smtp-endpoint", local.at("/smtp")])
        .env("AWS_ACCESS_KEY_ID", local.at("/root/access_key_id"))
        .env("AWS_SECRET_ACCESS_KEY", local.at("/root/secret_access_key"))
        .output()
        .unwrap();
    assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
}

#[test]
fn each_listener_has_a_region() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--smtp", "eu-west-1=localhost:0", "--smtps", "ap-south-1=127.0.0.1:0"];
    let local = LocalSes::start(folder.path(), &more, &[]);
    let listeners: Vec<_> = (0..4)
        .map(|i| {
            let at = |name: &str| local.at(&format!("/listeners/{i}/{name}"));
            (at("tls"), at("region"), at("address").rsplit_once(':').unwrap().0)
        })
        .collect();
    let expected = [
        ("starttls", "us-east-1", "127.0.0.1"),
        ("starttls", "eu-west-1", "127.0.0.1"),
        ("wrapper", "us-east-1", "127.0.0.1"),
        ("wrapper", "ap-south-1", "127.0.0.1"),
    ];
    assert_eq!(listeners, expected);
    assert_eq!(local.at("/smtp"), local.at("/listeners/0/address"));
    assert_eq!(local.at("/smtps"), local.at("/listeners/2/address"));
}

#[test]
fn connections_are_limited() {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalSes::start(folder.path(), &["--max-connections", "1"], &[]);
    let connect = || BufReader::new(TcpStream::connect(local.at("/smtp")).unwrap());
    let (mut first, mut second, mut lines) = (connect(), connect(), [String::new(), String::new()]);
    first.read_line(&mut lines[0]).unwrap();
    second.read_line(&mut lines[1]).unwrap();
    assert!(lines[0].starts_with("220 "), "{lines:?}");
    assert_eq!(lines[1], "421 Too many concurrent SMTP connections\r\n");
}

#[test]
fn a_signal_ends_it_cleanly() {
    for signal in ["-TERM", "-INT"] {
        let folder = tempfile::tempdir().unwrap();
        let mut local = LocalSes::start(folder.path(), &[], &[]);
        let authority = local.at("/ca_file").to_owned();
        assert!(fs::read_to_string(&authority).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
        let (status, rest) = local.stop(signal);
        assert_eq!(status.code(), Some(0), "{signal}: {}", local.log());
        assert_eq!(rest, "", "{signal}: only the ready line is the answer");
        assert!(!Path::new(&authority).exists(), "{signal}: {authority} is left");
    }
}

#[test]
fn a_port_in_use_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalSes::start(folder.path(), &[], &[]);
    for (option, address) in [
        ("--http", local.at("/http")),
        ("--smtp", local.at("/smtp")),
        ("--smtps", local.at("/smtps")),
    ] {
        let mut addresses =
            vec!["--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0", "--smtps", "127.0.0.1:0"];
        let place = addresses.iter().position(|word| *word == option).unwrap();
        addresses[place + 1] = address;
        let second = seskey(folder.path()).arg("local").args(addresses).output().unwrap();
        let expected = format!(
            "seskey: cannot listen on {address}: address already in use\n\
             seskey: hint: another process may listen there; --http, --smtp and --smtps take other addresses, and port 0 any free one\n"
        );
        assert_eq!(String::from_utf8(second.stderr).unwrap(), expected);
        assert_eq!((second.status.code(), &second.stdout[..]), (Some(1), &b""[..]));
    }
}

#[test]
fn the_root_key_is_the_one_that_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let local = LocalSes::start(
        folder.path(),
        &["--root-access-key-id", "AKIAIOSFODNN7EXAMPLE", "--account", "123456789012"],
        &[("SESKEY_LOCAL_ROOT_SECRET_ACCESS_KEY", secret)],
    );
    assert_eq!(local.at("/root/access_key_id"), "AKIAIOSFODNN7EXAMPLE");
    assert_eq!(local.at("/root/secret_access_key"), secret);
    assert_eq!(local.at("/account"), "123456789012");
}

#[test]
fn it_answers_to_the_host_names_that_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalSes::start(folder.path(), &["--host-name", "ses.internal"], &[]);
    for (host, status) in
        [("ses.internal:4566", "200"), ("localhost", "200"), ("ses.example", "421")]
    {
        let mut stream = TcpStream::connect(local.at("/http")).unwrap();
        write!(stream, "GET /_seskey/health HTTP/1.0\r\nHost: {host}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.0 {status} ")), "{host}: {answer}");
    }
}

#[test]
fn a_command_runs_inside_and_its_end_is_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let around = |script: &str| {
        let mut command = seskey(folder.path());
        command.env("AWS_PROFILE", "production").env("AWS_SESSION_TOKEN", "a session");
        command.args(["local", "--region", "eu-west-1", "--", "sh", "-c", script]);
        command.output().unwrap()
    };
    let seskey = env!("CARGO_BIN_EXE_seskey");
    let made = around(&format!(
        "{seskey} create app --json && test -z \"$AWS_PROFILE$AWS_SESSION_TOKEN\""
    ));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!((&made["verified"], &made["region"]), (&true.into(), &"eu-west-1".into()));
    let code = |script| around(script).status.code();
    assert_eq!(code("exit 7"), Some(7));
    assert_eq!(code("kill -9 $$"), Some(128 + 9));
}

#[test]
fn a_command_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = seskey(folder.path()).args(["local", "--", "no-such-program"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("seskey: cannot run no-such-program: "), "{said}");
}

#[test]
fn a_signal_is_passed_on_to_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let script = "trap 'exit 5' TERM; echo here; while :; do sleep 0.1; done";
    let mut child = seskey(folder.path())
        .args(["local", "--", "sh", "-c", script])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "here\n");
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(5));
}

/// The values of the variables are used by clients that take nothing else.
#[test]
fn a_command_finds_all_that_an_application_reads() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"
        test "$SMTP_URL" = "smtp://$SMTP_USERNAME:$(printf %s "$SMTP_PASSWORD" | sed 's|+|%2B|g; s|/|%2F|g')@$SMTP_HOST:$SMTP_PORT"
        test "${SMTPS_URL#smtps://*@}" = "$SMTP_HOST:$SMTPS_PORT"
        test "$SESKEY_SMTP_ENDPOINT" = "$SMTP_HOST:$SMTP_PORT"
        for file in "$SSL_CERT_FILE" "$REQUESTS_CA_BUNDLE" "$AWS_CA_BUNDLE" "$CURL_CA_BUNDLE"; do
            tail -n 3 "$SESKEY_CA_FILE" | while read line; do grep -qF -e "$line" "$file"; done
        done
        cmp "$NODE_EXTRA_CA_CERTS" "$SESKEY_CA_FILE"
        env | grep ^SMTP_ | seskey verify --region "$REGION" --credentials - --from "$SMTP_FROM" --send --json --quiet
        echo "$SMTP_FROM"
        seskey list --json
    "#;
    let path = format!(
        "{}:{}",
        Path::new(env!("CARGO_BIN_EXE_seskey")).parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let run = |options: &[&str], region: &str| {
        let mut command = seskey(folder.path());
        command
            .env("PATH", &path)
            .env("REGION", region)
            .arg("local")
            .args(options)
            .args(["--", "sh", "-ec", script]);
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{options:?}: {stderr}");
        assert_eq!(stderr, "", "{options:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let said = run(&[], "us-east-1");
    assert!(said.contains("\napp@example.com\n"), "{said}");
    assert!(said.contains("\"user_name\": \"ses-smtp-user.local\""), "{said}");
    let said = run(&["--identity", "example.org", "--user", "shop"], "us-east-1");
    assert!(said.contains("\napp@example.org\n") && said.contains("\"shop\""), "{said}");
    let said = run(&["--from", "News <news@Example.com>"], "us-east-1");
    assert!(said.contains("\nnews@example.com\n"), "{said}");
    let said = run(&["--smtp", "eu-west-1=127.0.0.1:0", "--smtp", "127.0.0.1:0"], "eu-west-1");
    assert!(said.contains("\"region\": \"eu-west-1\""), "{said}");
    // the data directory does not keep the user of the command
    for _ in 0..3 {
        run(&["--data", "ses"], "us-east-1");
    }
}

#[test]
fn the_log_says_why_a_login_was_refused() {
    let folder = tempfile::tempdir().unwrap();
    let script = "seskey create app --json --quiet --region us-east-1 >app.json
        ! seskey verify --credentials app.json --region eu-west-1
        seskey verify --credentials app.json --region us-east-1";
    let path = format!(
        "{}:{}",
        Path::new(env!("CARGO_BIN_EXE_seskey")).parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let mut command = seskey(folder.path());
    command.env("PATH", &path).args(["local", "-v", "--", "sh", "-ec", script]);
    let output = command.output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(
        log.contains("login refused: other-region: the SMTP password is for another region"),
        "{log}"
    );
    assert!(log.contains("the TLS client named the endpoint of a region"), "{log}");
}
