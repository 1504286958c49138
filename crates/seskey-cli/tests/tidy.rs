//! The rules of the house that a machine can check.

#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use regex::Regex;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Returns the Rust files of all crates, of the testkit, and of the fuzz targets.
fn sources() -> Vec<PathBuf> {
    let mut folders = ["crates", "dev", "fuzz/fuzz_targets"].map(|name| root().join(name)).to_vec();
    let mut files = vec![];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|extension| extension == "rs") => {
                    files.push(path)
                }
                false => {}
            }
        }
    }
    assert!(files.len() > 100, "{} files", files.len());
    files
}

#[test]
fn files_are_short() {
    let mut lengths: Vec<usize> =
        sources().iter().map(|file| fs::read_to_string(file).unwrap().lines().count()).collect();
    lengths.sort_unstable();
    assert!(lengths[lengths.len() - 1] <= 500, "{lengths:?}");
    assert!(lengths[lengths.len() / 2] <= 150, "{lengths:?}");
}

/// A module stands beside the folder of its parts. Modules that tests share cannot: they would be tests.
#[test]
fn modules_have_one_style() {
    let of_tests = |file: &Path| file.components().any(|part| part.as_os_str() == "tests");
    let inside = |file: &PathBuf| file.ends_with("mod.rs") && !of_tests(file);
    assert_eq!(sources().into_iter().find(inside), None);
}

#[test]
fn no_drawers() {
    for file in sources() {
        let name = file.file_stem().unwrap().to_str().unwrap();
        assert!(
            !["util", "utils", "common", "helpers", "types", "manager"].contains(&name),
            "{}",
            file.display()
        );
    }
}

#[test]
fn imports_go_down_only() {
    let of = |name: &str| read(&format!("crates/{name}/Cargo.toml"));
    let dependencies = |text: &str| text.split("[dev-dependencies]").next().unwrap().to_owned();
    assert!(!dependencies(&of("seskey-aws")).contains("seskey-local.workspace"));
    assert!(!of("seskey-local").contains("seskey-aws"));
    for crate_above in ["seskey-aws", "seskey-local", "seskey-cli", "tokio"] {
        assert!(!of("seskey").contains(&format!("{crate_above}.workspace")), "{crate_above}");
    }
}

/// The modules of the local SES, from the top to the bottom. Each imports only from the floors below its own.
const FLOORS: &[&[&str]] = &[
    &["server"],
    &["wire"],
    &["service"],
    &["api"],
    &["journal", "sending"],
    &["account"],
    &["event"],
    &["mailbox", "message"],
    &["sigv4"],
    &["address", "clock", "lock", "refusal", "tls"],
];

#[test]
fn the_local_ses_has_floors() {
    assert_eq!(upwards("seskey-local", FLOORS), [""; 0]);
}

/// The modules of the command line, likewise. Only `explain` knows the meaning of the errors of the libraries.
const FLOORS_OF_THE_COMMAND_LINE: &[&[&str]] = &[
    &["cmd"],
    &["console"],
    &["rotations"],
    &["input"],
    &["connect", "output_file", "signals"],
    &["output"],
    &["explain"],
    &["guide"],
    &["args", "core_dumps", "environment", "exit", "metrics", "terminal"],
];

#[test]
fn the_command_line_has_floors() {
    assert_eq!(upwards("seskey-cli", FLOORS_OF_THE_COMMAND_LINE), [""; 0]);
}

/// Returns the imports of a crate that go to the same floor or up.
fn upwards(name: &str, floors: &[&[&str]]) -> Vec<String> {
    let floor = |module: &str| floors.iter().position(|floor| floor.contains(&module));
    let root = root().join("crates").join(name).join("src");
    let import = Regex::new(r"crate::(?s:(\w+)|\{(.*?)\};)").unwrap();
    // an item of a list over several lines, or in one
    let item = Regex::new(r"(?m)(?:^    |^|, )(\w+)").unwrap();
    let mut upwards = vec![];
    for file in sources() {
        let Ok(place) = file.strip_prefix(&root) else { continue };
        let module = place.with_extension("");
        let module = module.iter().next().unwrap().to_str().unwrap();
        if ["lib", "main"].contains(&module) {
            continue;
        }
        let own = floor(module).unwrap_or_else(|| panic!("{module} is on no floor"));
        let text = fs::read_to_string(&file).unwrap();
        for found in import.captures_iter(text.split("#[cfg(test)]").next().unwrap()) {
            let names: Vec<&str> = match found.get(2) {
                Some(list) => item
                    .captures_iter(list.as_str())
                    .map(|it| it.get(1).unwrap().as_str())
                    .collect(),
                None => vec![found.get(1).unwrap().as_str()],
            };
            let names = names.into_iter().filter(|name| *name != module);
            let names = names.filter(|name| floor(name).is_some_and(|floor| floor <= own));
            upwards.extend(names.map(|name| format!("{} imports {name}", place.display())));
        }
    }
    upwards
}

#[test]
fn every_dependency_is_used() {
    let workspace = read("Cargo.toml");
    let table =
        workspace.split("[workspace.dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let crates = ["crates/seskey", "crates/seskey-aws", "crates/seskey-local", "crates/seskey-cli"];
    let manifests: String = crates
        .into_iter()
        .chain(["dev/testkit"])
        .map(|name| read(&format!("{name}/Cargo.toml")))
        .collect();
    for name in table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name)
    {
        let used = manifests.contains(&format!("{name}.workspace"))
            || manifests.contains(&format!("{name} = {{ workspace"));
        assert!(used, "{name} is in no crate");
    }
}

/// The README shows the answer of the program to an offline verb.
#[test]
fn the_readme_tells_the_truth() {
    let readme = read("README.md");
    let mut lines = readme.lines();
    let mut shown = 0;
    while let Some(line) = lines.next() {
        let Some((secret, arguments)) =
            line.strip_prefix("$ echo ").and_then(|command| command.split_once(" | seskey "))
        else {
            continue;
        };
        let output = Command::new(env!("CARGO_BIN_EXE_seskey"))
            .args(arguments.split(' '))
            .env_clear()
            .env("AWS_SECRET_ACCESS_KEY", secret)
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), lines.next().unwrap());
        shown += 1;
    }
    assert_eq!(shown, 1);
}

/// The rest is in docs.
#[test]
fn each_topic_of_the_readme_is_one_screen() {
    let readme = read("README.md");
    for topic in readme.split("\n## ") {
        assert!(topic.lines().count() <= 24, "{topic}");
    }
}

/// A test that `docs/stories.md` names exists: a function of a Rust file, or a whole file of another kind.
#[test]
fn every_story_has_its_test() {
    let stories = read("docs/stories.md");
    let rows: Vec<Vec<&str>> = stories
        .lines()
        .map(|line| line.split(" | ").collect())
        .filter(|cells: &Vec<&str>| cells[0].trim_start_matches("| ").parse::<u32>().is_ok())
        .collect();
    assert!(rows.len() >= 34, "{}", rows.len());
    for row in rows {
        let [_, _, _, tests] = row[..] else { panic!("{row:?}") };
        assert!(has_tests(tests), "{row:?}");
    }
}

/// The test of each thing that a rotation never does exists.
#[test]
fn every_promise_of_a_rotation_has_its_test() {
    let rotation = read("docs/rotation.md");
    let rows = rotation
        .lines()
        .skip_while(|line| *line != "| never | test |")
        .skip(2)
        .map_while(|line| line.strip_prefix("| "));
    let untested: Vec<&str> = rows.clone().filter(|row| !has_tests(row)).collect();
    assert!(rows.count() >= 10 && untested.is_empty(), "{untested:?}");
}

/// Whether a cell names tests, each of which exists.
fn has_tests(cell: &str) -> bool {
    let tests: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
    let is_there = |test: &&str| {
        let (path, function) = match test.split_once("::") {
            Some((path, name)) => (path, format!("fn {name}(")),
            None => (*test, String::new()),
        };
        path.ends_with(".rs") != function.is_empty()
            && root().join(path).is_file()
            && read(path).contains(&function)
    };
    !tests.is_empty() && tests.iter().all(is_there)
}

/// A name in backticks that looks like a file or a folder is one, somewhere; a test binary exists too.
#[test]
fn what_pages_name_is_there() {
    let tracked = Command::new("git").args(["ls-files"]).current_dir(root()).output().unwrap();
    let tracked = String::from_utf8(tracked.stdout).unwrap();
    let file = Regex::new(r"^[\w.@-]+(/[\w.@-]+)*\.(rs|py|sh|js|toml|json|txt|md)$").unwrap();
    let binary = Regex::new(r"--test (\w+)").unwrap();
    // not a placeholder, nor a file of LocalStack
    let is_ours = |name: &str| !name.contains("VERB") && !name.contains("test_");
    for page in [
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "docs/benchmarks.md",
        "docs/fidelity.md",
    ] {
        let text = read(page);
        for said in text.split('`').skip(1).step_by(2) {
            let name = said.split("::").next().unwrap().trim_end_matches('/');
            if (file.is_match(name) || said.ends_with('/') && !said.starts_with('/'))
                && is_ours(name)
            {
                let (whole, below) = (format!("{name}/"), format!("/{name}/"));
                let is_there = |path: &str| {
                    let path = format!("{path}/");
                    path.starts_with(&whole) || path.contains(&below)
                };
                assert!(tracked.lines().any(is_there), "{page}: {said}");
            }
        }
        for name in binary.captures_iter(&text).map(|found| found[1].to_owned()) {
            let places = [format!("/tests/{name}.rs"), format!("/tests/{name}/main.rs")];
            let is_there = |path: &str| places.iter().any(|place| path.ends_with(place));
            assert!(tracked.lines().any(is_there), "{page}: --test {name}");
        }
    }
}

/// Every variable that is read is in a manual page; `AWS_...` there stands for the others that the SDK reads.
#[test]
fn every_variable_is_in_a_manual_page() {
    let man = Command::new(env!("CARGO_BIN_EXE_seskey")).arg("man").output().unwrap();
    let page = String::from_utf8(man.stdout).unwrap();
    let variable = Regex::new(r#""\$?((?:AWS|SESKEY)_[A-Z_]+)""#).unwrap();
    let crates = ["crates/seskey-cli/src", "crates/seskey-aws/src"].map(|name| root().join(name));
    let of_them = |file: &PathBuf| crates.iter().any(|folder| file.starts_with(folder));
    // these set variables for other programs
    let not_read = ["local/environment.rs", "rotate/hook.rs"];
    let mut found = 0;
    for file in sources().iter().filter(|file| of_them(file)) {
        if not_read.iter().any(|other| file.ends_with(other)) {
            continue;
        }
        for name in variable.captures_iter(&fs::read_to_string(file).unwrap()) {
            assert!(page.contains(&name[1]), "{} of {}", &name[1], file.display());
            found += 1;
        }
    }
    assert!(found > 10, "{found}");
}

/// A target without seeds would begin with nothing, and a target that is not in the manifest would never run.
#[test]
fn every_fuzz_target_has_seeds() {
    let manifest = read("fuzz/Cargo.toml");
    let targets = fs::read_dir(root().join("fuzz/fuzz_targets")).unwrap();
    let names: Vec<_> = targets.map(|file| file.unwrap().path()).collect();
    assert!(names.len() >= 8, "{names:?}");
    for name in names.iter().map(|path| path.file_stem().unwrap().to_str().unwrap()) {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        let seeds = fs::read_dir(root().join("fuzz/corpus").join(name));
        assert!(seeds.is_ok_and(|seeds| seeds.count() > 0), "{name}");
    }
}
