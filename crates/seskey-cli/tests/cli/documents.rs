//! Every command of README.md and docs/*.md is run as it stands there, inside a local SES.
//!
//! An HTML comment before a code block, which no reader sees, says how the block is used:
//!
//! * `<!-- run -->`: it is run; in a `console` block a command is followed by its output, and `…` stands for anything.
//! * `<!-- run, needs PROGRAM PROGRAM/LIBRARY -->`: it is run where these are installed, and always in CI.
//! * `<!-- file: NAME -->`: it is that file when the commands of its page are run.
//! * `<!-- not run: WHY -->`
//!
//! The blocks of a page are run one after another by one shell.

use std::{
    env,
    fmt::Write,
    fs, iter,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use regex::Regex;

/// A block of code of a page.
struct Block {
    line: usize,
    language: String,
    what: String,
    text: String,
}

#[test]
fn every_command_says_whether_it_runs() {
    for page in pages() {
        for block in blocks(&page) {
            let place = format!("{}:{}", page.display(), block.line);
            let says = ["run", "run, needs ", "file: ", "not run: "];
            let (exact, prefixes) = (says[0], &says[1..]);
            let is_said = block.what == exact
                || prefixes.iter().any(|prefix| {
                    block.what.len() > prefix.len() && block.what.starts_with(prefix)
                });
            let is_data = ["toml", "yaml", "json", "text", "rust"].contains(&&*block.language);
            assert!(
                is_said || is_data && block.what.is_empty(),
                "{place}: {:?} {:?}",
                block.language,
                block.what
            );
        }
        let text = fs::read_to_string(&page).unwrap();
        let lines: Vec<_> = text.lines().collect();
        let is_code = |pair: &[&str]| pair[0].is_empty() && pair[1].starts_with("    ");
        let is_fenced = |line| blocks(&page).iter().any(|block| block.text.contains(line));
        let bare = lines.windows(2).find(|pair| is_code(pair) && !is_fenced(pair[1]));
        assert!(bare.is_none(), "{}: {bare:?} is in no fence", page.display());
    }
}

#[test]
fn every_command_runs() {
    let pages = pages();
    assert!(pages.len() > 5);
    // the clients of other languages start slowly: many at once reach no end
    let rest = Mutex::new(pages.iter());
    let next = || rest.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| iter::from_fn(next).for_each(|page| run(page)));
        }
    });
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|it| it == "md"));
    pages.chain([root().join("README.md")]).collect()
}

fn blocks(page: &Path) -> Vec<Block> {
    let text = fs::read_to_string(page).unwrap();
    let (mut blocks, mut what) = (vec![], String::new());
    let mut lines = (1..).zip(text.lines());
    while let Some((line, text)) = lines.next() {
        if let Some(language) = text.strip_prefix("```") {
            let inside = lines.by_ref().map(|(_, text)| text).take_while(|text| *text != "```");
            let text = inside.fold(String::new(), |text, line| text + line + "\n");
            let language = language.to_owned();
            blocks.push(Block { line, language, what: std::mem::take(&mut what), text });
        } else if let Some(comment) =
            text.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"))
        {
            comment.clone_into(&mut what);
        } else {
            what.clear();
        }
    }
    blocks
}

/// Runs the commands of a page, and compares their output.
#[allow(clippy::print_stdout, reason = "what was not run is worth knowing")]
fn run(page: &Path) {
    let name = page.file_name().unwrap().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (mut script, mut expected) = (String::new(), vec![]);
    for block in blocks(page) {
        let Block { line, language, what, text } = block;
        if let Some(file) = what.strip_prefix("file: ") {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            continue;
        }
        let needs = what.strip_prefix("run, needs ").unwrap_or_default();
        if what != "run" && needs.is_empty() {
            continue;
        }
        if let Some(missing) = needs.split(' ').find(|need| !need.is_empty() && !is_installed(need))
        {
            assert!(env::var_os("CI").is_none(), "{name}:{line}: {missing} is not installed");
            println!("{name}:{line}: {missing} is not installed");
            continue;
        }
        let commands =
            if language == "console" { commands(&text) } else { vec![(text, String::new())] };
        for (command, output) in commands {
            writeln!(script, "printf '{MARK}%s\\n' {}\n{command}", expected.len()).unwrap();
            expected.push((line, command, output));
        }
    }
    if expected.is_empty() {
        return;
    }
    let script_file = folder.path().join(".script");
    fs::write(&script_file, script).unwrap();
    let [errors, printed] = [".errors", ".printed"].map(|name| folder.path().join(name));
    let mut child = Command::new(env!("CARGO_BIN_EXE_seskey"))
        .args(["local", "--region", REGION, "--", "sh", "-e"])
        .arg(&script_file)
        .current_dir(folder.path())
        .env_clear()
        .envs([("PATH", path()), ("NODE_PATH", node_path())])
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path())
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(fs::File::create(&printed).unwrap())
        .stderr(fs::File::create(&errors).unwrap())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status.to_string(),
            None if begun.elapsed() > LONGEST => break format!("no end after {LONGEST:?}"),
            None => thread::sleep(Duration::from_millis(20)),
        }
    };
    // the command may have ended already
    let _ = child.kill();
    let printed = fs::read_to_string(printed).unwrap();
    let printed: Vec<_> =
        printed.split(MARK).skip(1).map(|part| part.split_once('\n').unwrap().1).collect();
    let errors = fs::read_to_string(errors).unwrap();
    let (line, command, _) = &expected[printed.len().saturating_sub(1)];
    assert!(
        status == "exit status: 0",
        "{name}:{line}: {status}\n{command}\n{printed:?}\n{errors}"
    );
    for ((line, command, output), printed) in expected.iter().zip(printed) {
        let fits = output.is_empty() || pattern(output).is_match(printed);
        assert!(fits, "{name}:{line}: $ {command}\n{printed}\nis not\n{output}");
    }
}

const MARK: &str = "\u{1}";
const REGION: &str = "eu-west-1";
const LONGEST: Duration = Duration::from_secs(180);

/// Returns the commands of a console, each with its output.
fn commands(text: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = vec![];
    for line in text.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), String::new())),
            (None, Some((_, output))) => output.extend([line, "\n"]),
            (None, None) => panic!("a console begins with a command: {line}"),
        }
    }
    commands
}

fn pattern(output: &str) -> Regex {
    Regex::new(&format!("(?s)^{}$", regex::escape(output).replace('…', ".*"))).unwrap()
}

/// Whether a program, or a library of a program, is installed.
fn is_installed(need: &str) -> bool {
    let (program, library) = need.split_once('/').unwrap_or((need, ""));
    let code = match program {
        _ if library.is_empty() => return which(program).is_some(),
        "python3" => ["-c".to_owned(), format!("import {library}")],
        "ruby" => ["-e".to_owned(), format!("require '{library}'")],
        "php" => ["-r".to_owned(), format!("require '{library}';")],
        "node" => ["-e".to_owned(), format!("require('{library}')")],
        _ => panic!("{need}: which interpreter is that?"),
    };
    let mut command = Command::new(program);
    command.args(code).env("NODE_PATH", node_path()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn which(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

fn path() -> String {
    let seskey = Path::new(env!("CARGO_BIN_EXE_seskey")).parent().unwrap();
    format!("{}:{}", seskey.display(), env::var("PATH").unwrap())
}

/// Returns the folder of the packages that were installed beside Node.js.
fn node_path() -> String {
    let prefix = which("node").and_then(|node| Some(node.parent()?.parent()?.to_owned()));
    prefix.map_or(String::new(), |prefix| prefix.join("node_modules").display().to_string())
}
