//! Several rotators of one user, and several users of one run.

use std::{fs, process::Stdio};

use serde_json::Value;

use super::arena::{Arena, USER, breathe};

/// Eight rotators race in five rotations: there are never more than two keys, and one is left.
#[test]
fn eight_rotators_race() {
    let mut arena = Arena::new();
    arena.converge();
    let watcher = arena.watch();
    for _ in 0..5 {
        arena.days(91);
        let racers: Vec<_> = (0..8).map(|_| arena.rotate(&[]).spawn().unwrap()).collect();
        for racer in racers {
            let output = racer.wait_with_output().unwrap();
            assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{output:?}");
        }
        assert!(arena.keys(USER).len() <= 2);
        breathe();
        arena.pass(jiff::SignedDuration::from_mins(20));
        arena.converge();
        arena.assert_whole();
    }
    watcher.judge();
}

/// The plan lists the steps that apply takes, the failure of one user stops no other, and no secret is recorded.
#[test]
fn a_fleet_is_planned_and_applied() {
    let mut arena = Arena::new();
    for n in 0..4 {
        arena.add_user(&format!("mailer-{n}"));
    }
    arena.add_key("mailer-1");
    arena.add_key("mailer-2");
    arena.add_key("mailer-2");
    let stores: String = (0..5)
        .map(|n| {
            format!("[[credential]]\nuser = \"mailer-{n}\"\nto = [\"file:out/{n}.json\"]\ncreate = {}\n", n == 4)
        })
        .collect();
    let broken = "[[credential]]\nuser = \"nobody\"\nto = [\"file:out/none.json\"]\n";
    let fleet = format!(
        "wait-unused = true\nregion = \"us-east-1\"\ncalls-per-second = 1000\n{stores}{broken}"
    );
    fs::write(arena.home.path().join("seskey.toml"), fleet).unwrap();
    fs::create_dir(arena.home.path().join("out")).unwrap();
    // mailer-2 has two keys, and it is not known which one is in use
    for _ in 0..7 {
        let planned = answer(&arena, &["plan"]);
        let applied =
            answer(&arena, &["apply", "--log-json", "log", "--notify", "exec:cat >> news"]);
        for n in 0..5 {
            let user = format!("mailer-{n}");
            let [planned, applied] = [&planned, &applied].map(|answer| steps(answer, &user));
            let changes: Vec<&String> =
                planned.iter().filter(|step| step.as_str() != "end").collect();
            assert_eq!(changes, applied.iter().collect::<Vec<_>>(), "{user}");
        }
        let nobody = &row(&applied, "nobody");
        assert_eq!(nobody["outcome"], "failed", "{nobody:#}");
        arena.days(8);
    }
    assert!(arena.keys("mailer-2").iter().all(|(_, active)| *active));
    for n in [0, 1, 3, 4] {
        assert_eq!(arena.keys(&format!("mailer-{n}")).len(), 1);
    }
    let log = fs::read_to_string(arena.home.path().join("log")).unwrap();
    let news = fs::read_to_string(arena.home.path().join("news")).unwrap();
    assert!(log.lines().count() > 40 && news.lines().count() > 5, "{log}\n{news}");
    for n in [0, 1, 3, 4] {
        let held: Value = serde_json::from_slice(
            &fs::read(arena.home.path().join(format!("out/{n}.json"))).unwrap(),
        )
        .unwrap();
        let password = held["smtp_password"].as_str().unwrap();
        assert!(!log.contains(password) && !news.contains(password));
    }
    for line in log.lines().chain(news.lines()) {
        serde_json::from_str::<Value>(line).unwrap();
    }
}

fn answer(arena: &Arena, arguments: &[&str]) -> Value {
    let output = arena
        .seskey()
        .args(arguments)
        .args(["--json", "--quiet"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn row(answer: &Value, user: &str) -> Value {
    let rows = answer["users"].as_array().unwrap();
    rows.iter().find(|row| row["user_name"] == user).unwrap().clone()
}

/// Returns the names of the steps; a step that ends a run is called `end`.
fn steps(answer: &Value, user: &str) -> Vec<String> {
    let row = row(answer, user);
    let steps = row["steps"].as_array().unwrap_or_else(|| panic!("{row:#}"));
    let name = |step: &Value| match step["step"].as_str().unwrap() {
        "wait" | "done" | "stop" => "end".to_owned(),
        name => name.to_owned(),
    };
    steps.iter().map(name).collect()
}
