//! Causes staged on a local SES and on listeners of this test, alone and in pairs: `seskey diagnose` lists the true one
//! first, and refutes none that is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    sync::Mutex,
    thread,
};

use serde_json::Value;
use testkit::scripted::Certificates;
use tokio::{net::TcpSocket, runtime::Runtime};

use crate::stage::{Inhabitants, Stage};

/// The wrong settings of an application, as options; two causes with different options form a pair.
type Options = &'static [(&'static str, &'static str)];

/// The right settings, where a cause has no others.
const RIGHT: Options = &[("--user-name", "$MAILER_ID"), ("--password-file", "right")];

const DENIED: &str = "554 Access denied: User `arn:aws:iam::123456789012:user/mailer' is not authorized to perform `ses:SendRawEmail' on resource `arn:aws:ses:us-east-1:123456789012:identity/ann@example.net'";

#[rustfmt::skip]
const CASES: &[(&str, Options)] = &[
    ("raw-secret-as-password", &[("--password-file", "raw")]),
    ("other-region", &[("--password-file", "elsewhere"), ("--secret-file", "raw")]),
    ("other-region", &[("--password-file", "elsewhere"), ("--try-regions", "")]),
    ("v2-password", &[("--password-file", "legacy"), ("--secret-file", "raw")]),
    ("wrong-recipe", &[("--password-file", "mistaken"), ("--secret-file", "raw")]),
    ("other-key", &[("--password-file", "right"), ("--secret-file", "other-raw")]),
    ("iam-user-name", &[("--user-name", "mailer")]),
    ("email-as-user-name", &[("--user-name", "mailer@example.com")]),
    ("temporary-key", &[("--user-name", "ASIAI44QH8DHBABCDEFG")]),
    ("other-unique-id", &[("--user-name", "AIDAI44QH8DHBABCDEFG")]),
    ("mistyped-user-name", &[("--user-name", "AKIAI44QH8DHBABCDEF")]),
    ("swapped", &[("--user-name", "$(cat right)"), ("--password-file", "id")]),
    ("white-space", &[("--password-file", "blank")]),
    ("quoted", &[("--password-file", "quoted")]),
    ("percent-encoded", &[("--password-file", "encoded")]),
    ("cut-off", &[("--password-file", "cut")]),
    ("base64-of-password", &[("--password-file", "base64")]),
    ("not-a-password", &[("--password-file", "chosen")]),
    ("empty", &[("--password-file", "empty")]),
    ("placeholder", &[("--password-file", "placeholder")]),
    ("mail-manager-credential", &[("--user-name", "inp-3q4cpdgvz5l2mvd7kxrj9a0b"), ("--host", "email-smtp.us-east-1.amazonaws.com")]),
    ("derived-for-mail-manager", &[("--user-name", "inp-3q4cpdgvz5l2mvd7kxrj9a0b"), ("--password-file", "right"), ("--offline", "")]),
    ("mail-manager-host", &[("--file", "ingress.env")]),
    ("wrapper-at-mail-manager", &[("--user-name", "inp-3q4cpdgvz5l2mvd7kxrj9a0b"), ("--password-file", "chosen"), ("--host", "a1.b2.mail-manager-smtp.amazonaws.com"), ("--port", "465")]),
    ("api-host", &[("--host", "email.us-east-1.amazonaws.com")]),
    ("region-without-smtp", &[("--host", "email-smtp.eu-south-1.amazonaws.com")]),
    ("misspelled-host", &[("--host", "email-smtp.us-west2.amazonaws.com"), ("--offline", "")]),
    ("other-port", &[("--host", "email-smtp.us-east-1.amazonaws.com"), ("--port", "586")]),
    ("dns-failure", &[("--smtp-endpoint", "nowhere.invalid:587")]),
    ("all-ports-blocked", &[("--smtp-endpoint", "$CLOSED")]),
    ("foreign-server", &[("--smtp-endpoint", "$FOREIGN")]),
    ("wrong-vpc-endpoint", &[("--smtp-endpoint", "$HTTP")]),
    ("starttls-stripped", &[("--smtp-endpoint", "$STRIPPED")]),
    ("starttls-on-wrapper-port", &[("--smtp-endpoint", "$SMTPS_ENDPOINT"), ("--starttls", "")]),
    ("tls-wrapper-on-starttls-port", &[("--smtp-endpoint", "$SESKEY_SMTP_ENDPOINT"), ("--tls-wrapper", "")]),
    ("untrusted-certificate", &[("--ca-file", "other.pem")]),
    ("clock-off", &[("--smtp-endpoint", "$EXPIRED"), ("--ca-file", "expired.pem")]),
    ("host-name-mismatch", &[("--smtp-endpoint", "$IRELAND"), ("--ca-file", "other.pem")]),
    ("mechanism-not-offered", &[("--smtp-endpoint", "$IRELAND_WITHOUT_LOGIN"), ("--ca-file", "without.pem"), ("--region", "eu-west-1")]),
    ("key-inactive", &[("--user-name", "$INACTIVE_ID"), ("--password-file", "inactive")]),
    ("key-unknown", &[("--user-name", "AKIAI44QH8DHBABCDEFG")]),
    ("not-permitted", &[("--user-name", "$OPERATOR_ID"), ("--password-file", "operator"), ("--from", "news@example.com")]),
    ("not-permitted", &[("--user-name", "$OPERATOR_ID"), ("--password-file", "operator")]),
    ("condition-not-met", &[("--user-name", "$BILLING_ID"), ("--password-file", "billing"), ("--from", "news@example.com")]),
    ("explicit-deny", &[("--user-name", "$BILLING_ID"), ("--password-file", "billing"), ("--from", "billing@example.com"), ("--to", "ann@example.org")]),
    ("stale-password", &[("--error", "535 Authentication Credentials Invalid")]),
    ("other-mechanism", &[("--error", "504 The requested authentication mechanism is not supported")]),
    ("no-mechanism", &[("--error", "SASL authentication failed; no mechanism available")]),
    ("old-tls", &[("--error", "sslv3 alert handshake failure"), ("--offline", "")]),
    ("not-subscribed", &[("--error", "535 Account not subscribed to SES")]),
    ("too-many-connections", &[("--error", "421 Too many concurrent SMTP connections")]),
    ("service-trouble", &[("--error", "454 Temporary authentication failure")]),
    ("idle-timeout", &[("--error", "451 4.4.2 Timeout waiting for data from client.")]),
    ("v2-password", &[("--error", "454 Throttling failure: Maximum SigV2 SMTP sending rate exceeded.")]),
    ("other-resource", &[("--error", DENIED), ("--offline", "")]),
    ("mail-from-domain", &[("--error", "554 MAIL FROM domain not verified: DNS setup for MAIL FROM domain is invalid.")]),
];

/// The script that makes the files of the cases, in their folder.
const FILES: &str = r#"
: >empty
echo SMTP_HOST=a1.b2.mail-manager-smtp.amazonaws.com >ingress.env
printf %s "$MAILER_SECRET" >raw
printf %s "$BILLING_SECRET" >other-raw
printf %s "$MAILER_ID" >id
seskey derive us-east-1 --secret-file raw >right
seskey derive eu-west-1 --secret-file raw >elsewhere
seskey derive --algorithm v2 --secret-file raw >legacy
seskey derive us-east-1 --secret-file other-raw >billing
printf %s "$INACTIVE_SECRET" | seskey derive us-east-1 >inactive
seskey derive us-east-1 --profile operator >operator
# the version byte of v4 before the signature of v2: 0x02 and 0x04 differ in the first letter alone, but for two bits
{ printf '\004'; base64 -d <legacy | tail -c +2; } | base64 -w0 >mistaken
printf '%s \n' "$(cat right)" >blank
printf '"%s"\n' "$(cat right)" >quoted
sed 's/^B/%42/' right >encoded
head -c 30 right >cut
base64 -w0 right >base64
printf 'your-smtp-password' >placeholder
printf 'Choose-me.2026' >chosen
"#;

struct Scene {
    home: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
    _closed: TcpSocket,
    _stage: Stage,
    _runtime: Runtime,
}

impl Scene {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let stage = Stage::new(home.path(), Inhabitants::SmtpUsers);
        let runtime = Runtime::new().unwrap();
        let mut environment = stage.environment.clone();
        let foreign = speak(|stream| {
            let _ = stream.write_all(b"220 mail.example.com ESMTP Postfix\r\n");
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(b"250-mail.example.com\r\n250 STARTTLS\r\n");
            let _ = stream.read(&mut [0; 512]);
        });
        let stripped = speak(|stream| {
            let greeting =
                b"220 email-smtp.amazonaws.com ESMTP SimpleEmailService-d-ABCDEFGHI a\r\n";
            let _ = stream.write_all(greeting);
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(b"250-email-smtp.amazonaws.com\r\n250-XXXXXXXA\r\n250 Ok\r\n");
            let _ = stream.read(&mut [0; 512]);
        });
        let http = speak(|stream| {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        });
        // bound, so that no other process opens it, and never listened at
        let closed = TcpSocket::new_v4().unwrap();
        closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let play = |certificates: &Certificates, file: &str, dialogue: &str| {
            fs::write(home.path().join(file), &certificates.ca_pem).unwrap();
            let (port, said) = runtime.block_on(certificates.play_each(&vec![dialogue; 400]));
            runtime.spawn(async move {
                let mut said = said;
                while said.recv().await.is_some() {}
            });
            format!("127.0.0.1:{port}")
        };
        let expired = play(&Certificates::expired(), "expired.pem", TO_TLS);
        let ireland = play(&Certificates::valid(), "other.pem", TO_TLS);
        let without = format!("{TO_TLS}< 250-email-smtp.amazonaws.com\n< 250 AUTH XOAUTH2\n> QUIT");
        let without = play(&Certificates::valid(), "without.pem", &without);
        environment.extend([
            ("FOREIGN", foreign),
            ("STRIPPED", stripped),
            ("HTTP", http),
            ("CLOSED", closed.local_addr().unwrap().to_string()),
            ("EXPIRED", expired),
            ("IRELAND", ireland),
            ("IRELAND_WITHOUT_LOGIN", without),
        ]);
        let scene = Self { home, environment, _closed: closed, _stage: stage, _runtime: runtime };
        let output = scene.run(FILES);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        scene
    }

    fn run(&self, script: &str) -> std::process::Output {
        let folder = Path::new(env!("CARGO_BIN_EXE_seskey")).parent().unwrap();
        let operator = fs::read_to_string(self.home.path().join(".aws/credentials")).unwrap();
        let operator = operator.split("[operator]").nth(1).unwrap();
        let id = operator.split("aws_access_key_id = ").nth(1).unwrap().lines().next().unwrap();
        Command::new("/bin/sh")
            .args(["-ec", script])
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("OPERATOR_ID", id)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Returns the causes that are found, likeliest first, and the refuted causes.
    fn diagnose(&self, options: &BTreeMap<&str, &str>) -> (Vec<String>, Vec<String>) {
        let option = |(name, value): (&&str, &&str)| match value.is_empty() {
            true => format!(" {name}"),
            false => format!(" {name} \"{}\"", value.replace('`', "\\`")),
        };
        let line: String = options.iter().map(option).collect();
        let output = self.run(&format!("seskey diagnose --json{line}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {said}");
        for secret in ["raw", "right"] {
            let secret = fs::read_to_string(self.home.path().join(secret)).unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned() + &said;
            assert!(!text.contains(secret.trim()), "{line}: {text}");
        }
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        check_form(&answer);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let causes = answer["causes"].as_array().unwrap();
        let refuted = answer["refuted"].as_array().unwrap();
        (causes.iter().map(|it| text(&it["id"])).collect(), refuted.iter().map(text).collect())
    }
}

const TO_TLS: &str = "\
    < 220 email-smtp.amazonaws.com ESMTP SimpleEmailService-d-VCSHDP1YZ A1b2C3d4E5f6G7h8I9j0
    > EHLO
    < 250-email-smtp.amazonaws.com
    < 250-STARTTLS
    < 250 Ok
    > STARTTLS
    < 220 Ready to start TLS
    tls
    > EHLO
";

/// Checks that an answer has the members that docs/diagnose.schema.json requires, and no others.
fn check_form(answer: &Value) {
    let schema: Value =
        serde_json::from_str(include_str!("../../../../docs/diagnose.schema.json")).unwrap();
    let has = |object: &Value, schema: &Value| {
        let members: BTreeSet<_> = object.as_object().unwrap().keys().map(String::as_str).collect();
        let required = schema["required"].as_array().unwrap();
        assert_eq!(members, required.iter().map(|name| name.as_str().unwrap()).collect());
    };
    has(answer, &schema);
    let of_cause = &schema["properties"]["causes"]["items"];
    for cause in answer["causes"].as_array().unwrap() {
        has(cause, of_cause);
        for member in ["certainty", "phase"] {
            let values = of_cause["properties"][member]["enum"].as_array().unwrap();
            assert!(values.contains(&cause[member]), "{cause}");
        }
    }
}

/// Starts a server that says the same to every client, and returns its address.
fn speak(say: fn(&mut std::net::TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || say(&mut stream));
        }
    });
    address
}

fn options(of: &[Options]) -> BTreeMap<&'static str, &'static str> {
    [RIGHT].iter().chain(of).flat_map(|options| options.iter().copied()).collect()
}

/// Checks several cases at a time: most of them wait.
fn each<T: Sync>(cases: &[T], check: impl Fn(&T) -> Option<String> + Sync) {
    let left = Mutex::new(cases.iter());
    let next = || left.lock().unwrap().next();
    let failures: Vec<String> = thread::scope(|scope| {
        let some = || std::iter::from_fn(next).filter_map(&check).collect::<Vec<_>>();
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(some)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

#[test]
fn the_true_cause_is_first() {
    let scene = Scene::new();
    each(CASES, |(id, wrong)| {
        let (found, refuted) = scene.diagnose(&options(&[wrong]));
        let is_right =
            found.first().is_some_and(|first| first == id) && !refuted.contains(&(*id).to_owned());
        (!is_right).then(|| format!("{id} {wrong:?}: {found:?}"))
    });
    let (found, _) = scene.diagnose(&options(&[]));
    assert!(found.is_empty(), "{found:?}");
}

/// If two independent causes are there at once, one is first, and neither is refuted.
#[test]
fn of_two_causes_one_is_first() {
    let scene = Scene::new();
    let is_of =
        |options: Options, names: &[&str]| options.iter().all(|(name, _)| names.contains(name));
    let of = |names: &[&'static str]| -> Vec<_> {
        CASES.iter().filter(|(_, options)| is_of(options, names)).collect()
    };
    let users = of(&["--user-name"]);
    let passwords = of(&["--password-file", "--secret-file"]);
    let hosts =
        of(&["--file", "--host", "--port", "--smtp-endpoint", "--starttls", "--tls-wrapper"]);
    let mut pairs = vec![];
    for (some, others) in [(&users, &passwords), (&users, &hosts), (&passwords, &hosts)] {
        for one in some {
            pairs.extend(others.iter().map(|other| (*one, *other)));
        }
    }
    assert!(pairs.len() >= 30, "{}", pairs.len());
    each(&pairs, |((one, wrong), (other, also))| {
        let (found, refuted) = scene.diagnose(&options(&[wrong, also]));
        let is_one = |id: &String| id == one || id == other;
        let is_right = found.first().is_some_and(is_one) && !refuted.iter().any(is_one);
        (!is_right).then(|| {
            format!(
                "{one} and {other}: {found:?}, refuted {:?}",
                refuted.iter().filter(|id| is_one(id)).collect::<Vec<_>>()
            )
        })
    });
}
