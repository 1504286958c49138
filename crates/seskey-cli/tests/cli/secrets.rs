//! Secrets are planted in every place where one can come in; then every verb runs with its most verbose log, also
//! against endpoints that fail. No secret may appear outside an answer.

mod rotate;

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Output, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use seskey::{Region, SecretAccessKey, SmtpPassword};
use tempfile::TempDir;
use testkit::process::{LocalSes, seskey};

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "Pl4ntedSecretAccessKey/0123456789+abcdEF";
const SESSION_TOKEN: &str = "Pl4ntedSessionToken/AbCdEf0123456789+Gh==";

/// The permitted content of the stdout of a command.
#[derive(Clone, Copy, PartialEq)]
enum Stdout {
    /// The answer, which is a secret.
    Secret,
    /// Nothing secret.
    Plain,
}

use Stdout::{Plain, Secret};

#[test]
fn no_secret_is_seen() {
    let scene = Scene::new(&[]);
    watch_command_lines(&forms(&scene.secrets), || {
        derive_and_inspect(&scene);
        run_in_account(&scene);
        run_against_failing_endpoints(&scene);
    });
    let Scene { home, mut local, mut secrets, said } = scene;
    local.stop("-TERM");
    let created = fs::read_to_string(home.path().join("answer.env")).unwrap();
    let password = created.lines().find_map(|line| line.strip_prefix("SMTP_PASSWORD="));
    secrets.push(password.unwrap().to_owned());
    let forms = forms(&secrets);
    assert_clean("what was said", &said.take(), &forms);
    assert_clean("the log of the local SES", &local.log(), &forms);
    assert!(local.log().lines().count() > 10, "it logged nothing: {}", local.log());
    for file in files(home.path()) {
        let name = file.strip_prefix(home.path()).unwrap().display().to_string();
        if !PLANTED.contains(&name.as_str()) && !name.starts_with("answer.") {
            let bytes = fs::read(&file).unwrap();
            assert_clean(&name, &String::from_utf8_lossy(&bytes), &forms);
        }
        if name.starts_with("answer.") {
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        }
    }
}

#[test]
fn no_secret_is_in_a_log_in_json() {
    let scene = Scene::new(&["--log-format", "json"]);
    run_in_account(&scene);
    let Scene { home: _home, mut local, secrets, .. } = scene;
    local.stop("-TERM");
    let log = local.log();
    assert_clean("the log of the local SES", &log, &forms(&secrets));
    assert!(log.lines().count() > 10, "it logged nothing: {log}");
    for line in log.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(event["level"].is_string() && event["message"].is_string(), "{line}");
    }
}

/// A secret that is typed in a wrong place is on the command line, but in no message.
#[test]
fn no_message_repeats_what_was_typed() {
    let home = tempfile::tempdir().unwrap();
    // not the secrets that the command lines are searched for at the same time
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned();
    let password = "BF2PynzbSCAjX08zhZZnP/kW+T9P5zs/1Er0pi5vTEmd".to_owned();
    let secrets = [secret, password];
    let forms = forms(&secrets);
    for secret in &secrets {
        for words in [
            "SECRET",
            "derive SECRET",
            "derive --region SECRET",
            "derive --region=SECRET",
            "derive --SECRET",
            "derive --json=SECRET us-east-1",
            "derive --algorithm SECRET",
            "derive --secret-file SECRET us-east-1",
            "derive --secret-access-key us-east-1 SECRET",
            "derive --batch SECRET",
            "inspect SECRET",
            "inspect --value-file SECRET",
            "render SECRET",
            "render env --credentials SECRET",
            "render env --smtp-user-name SECRET --password-file SECRET",
            "render env --smtp-user-name AKIAIOSFODNN7EXAMPLE --name SECRET",
            "render env --smtp-user-name AKIAIOSFODNN7EXAMPLE --key SECRET",
            "verify --user-name SECRET",
            "verify --credentials SECRET",
            "verify --password-file SECRET",
            "verify --user-name AKIAIOSFODNN7EXAMPLE --from SECRET",
            "create SECRET --region us-east-1 --no-verify",
            "create mailer --region SECRET",
            "create mailer --region us-east-1 --tag SECRET",
            "create mailer --region us-east-1 --path SECRET",
            "create mailer --region us-east-1 --smtp-endpoint SECRET",
            "create mailer --region us-east-1 --ca-file SECRET",
            "create mailer --region us-east-1 --no-verify --output SECRET",
            "create mailer --region us-east-1 --no-verify --from SECRET --source-ip SECRET",
            "create mailer --region us-east-1 --no-verify --profile SECRET",
            "list --endpoint-url SECRET",
            "list --profile=SECRET",
            "delete SECRET --yes",
            "policy --account SECRET",
            "policy check SECRET --from SECRET",
            "policy operator --for SECRET",
            "local --account SECRET",
            "local --http SECRET",
            "local --region SECRET",
            "local --root-access-key-id SECRET",
            "local --log-format SECRET",
            "local --host-name SECRET",
            "completions SECRET",
            "man SECRET",
        ] {
            let output = seskey(home.path())
                .env("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
                .args(words.split(' ').map(|word| word.replace("SECRET", secret)))
                .output()
                .unwrap();
            assert!(!output.status.success(), "{words}");
            let said = [output.stdout, output.stderr].concat();
            assert_clean(words, &String::from_utf8_lossy(&said), &forms);
        }
    }
}

/// The files with planted secrets.
const PLANTED: [&str; 8] = [
    ".aws/credentials",
    "secret",
    "password",
    "batch.csv",
    "batch.jsonl",
    "two.lines",
    "credentials.csv",
    "credentials.env",
];

struct Scene {
    home: TempDir,
    local: LocalSes,
    secrets: Vec<String>,
    /// All output other than answers.
    said: RefCell<String>,
}

impl Scene {
    fn new(local_options: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let password = password();
        let v2 = SmtpPassword::derive_v2(&SecretAccessKey::parse(SECRET).unwrap());
        let write = |name: &str, text: String| fs::write(home.path().join(name), text).unwrap();
        fs::create_dir(home.path().join(".aws")).unwrap();
        let profile = format!("aws_access_key_id={ID}\naws_secret_access_key={SECRET}\n");
        write(
            ".aws/credentials",
            format!("[mail]\n{profile}[session]\n{profile}aws_session_token={SESSION_TOKEN}\n"),
        );
        write("secret", format!("{SECRET}\n"));
        write("password", format!("{password}\n"));
        let header = "access_key_id,secret_access_key,region";
        write(
            "batch.csv",
            format!(
                "{header}\n{ID},{SECRET},us-east-1\n{ID},{SECRET}\n{SECRET},{ID},us-east-1\n{ID},us-east-1,{SECRET}\n"
            ),
        );
        write(
            "batch.jsonl",
            format!(
                "{{\"access_key_id\":\"{ID}\",\"secret_access_key\":\"{SECRET}\",\"region\":\"us-east-1\"}}\n{{\"secret_access_key\":\"{SECRET}\"}}\n{{{SECRET}\n"
            ),
        );
        write("two.lines", format!("{SECRET}\n{SECRET}\n"));
        let header = "IAM user name,SMTP user name,SMTP password";
        write("credentials.csv", format!("{header}\nmailer,{ID},{SECRET}\n"));
        write("credentials.env", format!("SMTP_USERNAME={ID}\nSMTP_PASSWORD={password}\n"));
        let local = LocalSes::start(
            home.path(),
            &[&["--root-access-key-id", ID, "-v", "-v"], local_options].concat(),
            &[("SESKEY_LOCAL_ROOT_SECRET_ACCESS_KEY", SECRET)],
        );
        let secrets =
            vec![SECRET.to_owned(), SESSION_TOKEN.to_owned(), password, v2.expose().to_owned()];
        Self { home, local, secrets, said: RefCell::default() }
    }

    /// Runs a verb, and checks that no secret is in its output but in its answer.
    fn run(
        &self,
        stdout: Stdout,
        words: &str,
        stdin: &str,
        environment: &[(&str, &str)],
    ) -> Output {
        let mut child = seskey(self.home.path())
            .args(words.split_whitespace())
            .args(["-v", "-v"])
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // a verb that does not read stdin has closed it
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        let forms = forms(&self.secrets);
        let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
        if stdout == Plain {
            said.push_str(&String::from_utf8_lossy(&output.stdout));
        }
        assert_clean(words, &said, &forms);
        self.said.borrow_mut().push_str(&said);
        output
    }

    /// Returns the environment of a caller of the local SES.
    fn account(&self) -> Vec<(&str, &str)> {
        vec![
            ("AWS_ACCESS_KEY_ID", ID),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", self.local.at("/endpoint_url")),
            ("SESKEY_SMTP_ENDPOINT", self.local.at("/smtp")),
            ("SESKEY_CA_FILE", self.local.at("/ca_file")),
        ]
    }
}

fn derive_and_inspect(scene: &Scene) {
    let password = password();
    let secret = ("AWS_SECRET_ACCESS_KEY", SECRET);
    let done = |stdout, words: &str, stdin: &str, environment: &[(&str, &str)]| {
        let output = scene.run(stdout, words, stdin, environment);
        assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
    };
    done(Secret, "derive us-east-1", SECRET, &[]);
    done(Secret, "derive us-east-1 --json", "", &[secret]);
    done(Secret, "derive us-east-1 --secret-file secret", "", &[]);
    done(Secret, "derive us-east-1 --profile mail", "", &[]);
    done(Secret, "derive --algorithm v2", SECRET, &[]);
    for value in [SECRET, &password, SESSION_TOKEN] {
        done(Plain, "inspect", value, &[]);
        done(Plain, "inspect --json", value, &[secret]);
        done(Plain, "inspect --secret-file secret --value-file -", value, &[]);
    }
    done(Secret, "render env --credentials credentials.env --host localhost", "", &[]);
    let failed = |stdout, words: &str, stdin: &str, environment: &[(&str, &str)]| {
        let output = scene.run(stdout, words, stdin, environment);
        assert!(!output.status.success(), "{words}");
    };
    failed(Plain, "render env --credentials credentials.csv --host localhost", "", &[]);
    let keep = "render env --credentials credentials.env --host localhost --keep two.lines";
    failed(Plain, keep, "", &[]);
    failed(Secret, "derive --batch batch.csv", "", &[]);
    failed(Secret, "derive --batch batch.jsonl", "", &[]);
    failed(Plain, "derive us-east-1 --batch batch.csv", "", &[]);
    failed(Plain, "derive us-east-1 --secret-file two.lines", "", &[]);
    failed(Plain, "derive us-east-1", &format!("{SECRET}\u{7}"), &[]);
    failed(Plain, "derive us-east-1", &format!("{SECRET} {SECRET}"), &[]);
    failed(Plain, "derive us-east-1", &format!("{SECRET}ü"), &[]);
    failed(Plain, "derive us-east-1 --profile session", "", &[]);
    failed(Plain, "derive us-east-1", "", &[secret, ("AWS_SESSION_TOKEN", SESSION_TOKEN)]);
    failed(Plain, "derive us-east-7", "", &[secret]);
    failed(
        Plain,
        "policy check --request -",
        &format!("{{\"policies\":[{{\"via\":\"{SECRET}"),
        &[],
    );
}

fn run_in_account(scene: &Scene) {
    let account = scene.account();
    let done = |stdout, words: &str| {
        let output = scene.run(stdout, words, "", &account);
        assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
    };
    for format in ["text", "json", "csv", "env"] {
        done(Secret, &format!("create mailer-{format} --format {format}"));
        done(Plain, &format!("create file-{format} --format {format} --output answer.{format}"));
    }
    done(Plain, "create another --dry-run");
    for format in ["json", "csv", "env"] {
        done(
            Plain,
            &format!("verify --credentials answer.{format} --from news@example.com --send"),
        );
        done(Plain, &format!("diagnose --file answer.{format} --from news@example.com --json"));
    }
    done(Plain, &format!("verify --user-name {ID} --password-file password --json"));
    done(Plain, "list --all --json");
    done(Plain, "list");
    done(Plain, "delete file-text --yes --json");
    // the environment of the root user, by its profile
    done(Plain, "list --profile mail");
    rotate::run(scene);

    let failed = |words: &str, stdin: &str, more: &[(&str, &str)]| {
        let environment = [&account, more].concat();
        assert!(!scene.run(Plain, words, stdin, &environment).status.success(), "{words}");
    };
    failed("list", "", &[("AWS_SESSION_TOKEN", SESSION_TOKEN)]);
    failed("list --profile session", "", &[]);
    failed("create mailer-text", "", &[]);
    failed("verify --credentials credentials.csv", "", &[]);
    failed(&format!("verify --user-name {ID}"), SECRET, &[]);
    failed(
        &format!("verify --user-name {ID} --region eu-west-1 --password-file password"),
        "",
        &[],
    );
    let v2 = scene.secrets.last().unwrap();
    failed(&format!("verify --user-name {ID}"), v2, &[]);
}

fn run_against_failing_endpoints(scene: &Scene) {
    let garbled = garbled_iam();
    for (name, value) in [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_ENDPOINT_URL", &garbled),
        ("SESKEY_SMTP_ENDPOINT", "127.0.0.1:1"),
        ("SESKEY_CA_FILE", "secret"),
    ] {
        let environment = [scene.account(), vec![(name, value)]].concat();
        for words in [
            "create postfix",
            "list",
            "delete mailer-csv --yes",
            "verify --credentials credentials.env --from news@example.com",
        ] {
            let output = scene.run(Plain, words, "", &environment);
            let is_of_iam = name == "AWS_ENDPOINT_URL";
            let may_succeed = !is_of_iam && (words == "list" || words.starts_with("delete"));
            assert!(may_succeed || !output.status.success(), "{name}={value} {words}");
        }
    }

    // without TLS no secret is sent
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"220 smtp.example.com ESMTP\r\n").unwrap();
        let mut received = String::new();
        BufReader::new(&stream).read_line(&mut received).unwrap();
        stream.write_all(b"250-smtp.example.com\r\n250 AUTH PLAIN LOGIN\r\n").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        stream.read_to_string(&mut received).unwrap();
        received
    });
    let environment = [scene.account(), vec![("SESKEY_SMTP_ENDPOINT", &*endpoint)]].concat();
    let words = "verify --credentials credentials.env --starttls";
    assert!(!scene.run(Plain, words, "", &environment).status.success());
    let received = server.join().unwrap();
    assert!(received.starts_with("EHLO"), "{received}");
    assert_clean("what was sent in clear", &received, &forms(&scene.secrets));
}

/// Starts an endpoint whose answers to IAM calls break off after a secret, and returns its URL.
fn garbled_iam() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().map(Result::unwrap) {
            let _ = stream.read(&mut [0; 65536]);
            let body =
                format!("<CreateAccessKeyResponse><SecretAccessKey>{SECRET}</SecretAccessKey>");
            let length = body.len();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close";
            let _ = write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{body}");
        }
    });
    url
}

/// Searches the command line of every process that begins while a function runs.
fn watch_command_lines(forms: &[String], run: impl FnOnce()) {
    let processes = || fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let before: BTreeSet<_> = processes().collect();
    let (over, seen) = (AtomicBool::new(false), Mutex::new(BTreeSet::new()));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                for process in processes().filter(|process| !before.contains(process)) {
                    // the process may have ended meanwhile
                    let line = fs::read(process.join("cmdline")).unwrap_or_default();
                    let line = String::from_utf8_lossy(&line).to_lowercase();
                    if forms.iter().any(|form| line.contains(form)) {
                        seen.lock().unwrap().insert(line);
                    }
                }
                // our processes live longer than that, and must not wait for this search
                thread::sleep(Duration::from_millis(1));
            }
        });
        // a panic must end the search too
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        over.store(true, Ordering::Relaxed);
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    assert_eq!(seen.into_inner().unwrap(), BTreeSet::new());
}

/// Returns the SMTP password of the planted secret.
fn password() -> String {
    let secret = SecretAccessKey::parse(SECRET).unwrap();
    SmtpPassword::derive(&secret, &Region::parse("us-east-1").unwrap()).expose().to_owned()
}

/// Returns each secret as it may be written, in lower case: plain, percent-encoded, as bytes, in Base64 at any offset.
fn forms(secrets: &[String]) -> Vec<String> {
    let forms = secrets.iter().flat_map(|secret| {
        let bytes = format!("{:?}", secret.as_bytes());
        let mut forms = vec![
            secret.clone(),
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
            bytes.trim_matches(['[', ']']).to_owned(),
        ];
        forms.extend((0..3).map(|shift| {
            let encoded = BASE64_STANDARD.encode([&[0; 2][..shift], secret.as_bytes()].concat());
            // the groups of four characters that depend on the secret alone
            let (from, to) = (if shift == 0 { 0 } else { 4 }, encoded.len() - 4);
            encoded[from..to].to_owned()
        }));
        forms
    });
    forms.map(|form| form.to_lowercase()).collect()
}

fn assert_clean(what: &str, text: &str, forms: &[String]) {
    let lower = text.to_lowercase();
    let found: Vec<_> = forms.iter().filter(|form| lower.contains(*form)).collect();
    assert!(found.is_empty(), "{what}: {found:?} in\n{text}");
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn the_search_finds_every_form() {
    let forms = forms(&[SECRET.to_owned()]);
    let plain = BASE64_STANDARD.encode(format!("\0{ID}\0{SECRET}"));
    let percent = SECRET.replace('/', "%2f").replace('+', "%2B");
    for text in [SECRET, &SECRET.to_lowercase(), &plain, &percent, &BASE64_STANDARD.encode(SECRET)]
    {
        let lower = format!("before {text} behind").to_lowercase();
        assert!(forms.iter().any(|form| lower.contains(form)), "{text}");
    }
}
