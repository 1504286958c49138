//! Every example of every `--help` is run as it stands there, each in a folder and a local SES of its own.

use std::{
    env, fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
    sync::Mutex,
    thread,
};

#[test]
fn every_example_runs() {
    let examples: Vec<String> = commands().iter().flat_map(|command| examples(command)).collect();
    assert!(examples.len() > 40, "{examples:?}");
    let named =
        NOT_RUN.map(|(example, _)| example).into_iter().chain(CODES.map(|(example, _)| example));
    named.for_each(|named| assert!(examples.iter().any(|example| example == named), "{named}"));
    let runs = |example: &String| !NOT_RUN.iter().any(|(not_run, _)| example == not_run);
    let left = Mutex::new(examples.into_iter().filter(runs));
    let next = || left.lock().unwrap().next();
    let failures: Vec<String> = thread::scope(|scope| {
        let some = || std::iter::from_fn(next).filter_map(|example| run(&example)).collect();
        let threads: Vec<_> = (0..AT_A_TIME).map(|_| scope.spawn(some)).collect();
        threads.into_iter().flat_map(|thread| -> Vec<String> { thread.join().unwrap() }).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The number of examples that run at a time; a rotation mostly waits.
const AT_A_TIME: usize = 8;

/// The examples that cannot be run here, with the reasons.
const NOT_RUN: [(&str, &str); 7] = [
    ("seskey local", "it serves until it is stopped, at ports that others may have"),
    ("seskey local --data ./ses --identity example.com --sandbox", "as the one before"),
    ("seskey console", "as the first"),
    ("seskey console --listen [::1]:8080 --region eu-west-1", "as the first"),
    ("seskey create my-app --to secretsmanager:prod/smtp", "the local SES has no Secrets Manager"),
    ("seskey lambda", "AWS Lambda starts it"),
    ("seskey verify --user-name AKIAIOSFODNN7EXAMPLE --region us-east-1", "it asks at a terminal"),
];

/// The examples with an exit code other than 0.
const CODES: [(&str, i32); 1] = [("seskey plan --file fleet.toml --exit-code", 4)];

/// Returns all commands as they are typed, such as `policy check`: each has a manual page.
fn commands() -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut man = seskey();
    assert!(man.args(["man", "--dir"]).arg(folder.path()).status().unwrap().success());
    let page = |entry: fs::DirEntry| entry.path().file_stem().unwrap().to_str().unwrap().to_owned();
    let pages = fs::read_dir(folder.path()).unwrap().map(|entry| page(entry.unwrap()));
    pages
        .map(|page| page.replace('-', " ").trim_start_matches("seskey").trim().to_owned())
        .collect()
}

fn examples(command: &str) -> Vec<String> {
    let help = seskey().args(command.split_whitespace()).arg("--help").output().unwrap().stdout;
    let help = String::from_utf8(help).unwrap();
    let (_, examples) = help.split_once("\nExamples:\n").unwrap();
    let lines = examples.lines().take_while(|line| !line.is_empty());
    lines.filter_map(|line| Some(format!("seskey{}", line.strip_prefix("  seskey")?))).collect()
}

/// Runs an example, and returns its failure, if any.
fn run(example: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in FILES {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    for program in PROGRAMS {
        let path = folder.path().join("bin").join(program);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(TAKES_ALL, path).unwrap();
    }
    let is_created = example.starts_with("seskey create my-app ");
    let users = if is_created { "" } else { MY_APP };
    // the files that an example writes stay in the folder
    let line = example.replace("/etc/postfix/", "postfix/");
    let script = format!("{{ {APP}\n{users}\n}} >setup 2>&1 || exit 99\n{line}\n");
    let output = seskey()
        .args(["local", "--region", "eu-west-1", "--", "sh", "-c", &script])
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .env("PATH", path(folder.path()))
        .output()
        .unwrap();
    let usual = CODES.iter().find(|(other, _)| *other == example).map_or(0, |(_, code)| *code);
    let said = String::from_utf8_lossy(&output.stderr);
    (output.status.code() != Some(usual)).then(|| format!("{example}: {}\n{said}", output.status))
}

/// Programs that examples run beside seskey.
const PROGRAMS: [&str; 5] = ["kubectl", "man", "npm", "systemctl", "../tell-us"];

/// The stand-in for each of them. It is not a file of this run: a file that a test has just written may still be open
/// in a child that another test forked, and cannot be executed then.
const TAKES_ALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/takes_all.sh");

const FILES: [(&str, &str); 11] = [
    ("secret.txt", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n"),
    ("password.txt", "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9\n"),
    (
        "accessKeys.csv",
        "Access key ID,Secret access key\nAKIAIOSFODNN7EXAMPLE,wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
    ),
    (
        ".aws/credentials",
        "[smtp]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
    ),
    (
        "policy.json",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ses:SendRawEmail","Resource":"*"}]}"#,
    ),
    (
        "seskey.toml",
        "[[credential]]\nuser = \"app\"\nregion = \"eu-west-1\"\nto = [\"file:app.env\"]\n",
    ),
    (
        "fleet.toml",
        "[[credential]]\nuser = \"app\"\nregion = \"eu-west-1\"\nto = [\"file:other.env\"]\n",
    ),
    ("postfix/main.cf", ""),
    (".zfunc/_others", ""),
    (".config/fish/completions/others.fish", ""),
    (".local/share/bash-completion/completions/others", ""),
];

const APP: &str = "seskey create app --format env --output app.env";
const MY_APP: &str = "seskey create my-app --format csv --output my-app.csv
seskey render env --credentials my-app.csv >my-app.env";

fn seskey() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seskey"));
    command.env_clear().env("PATH", env::var("PATH").unwrap()).stdin(Stdio::null());
    command
}

fn path(folder: &Path) -> String {
    let seskey = Path::new(env!("CARGO_BIN_EXE_seskey")).parent().unwrap();
    format!("{}/bin:{}:{}", folder.display(), seskey.display(), env::var("PATH").unwrap())
}
