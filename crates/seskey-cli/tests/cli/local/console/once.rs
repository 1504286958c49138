//! A credential is handed out once, whatever is done with its page.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Command, Stdio},
};

use regex::Regex;
use testkit::process::Console;

use super::{Browser, client, opened};

const APP: [(&str, &str); 3] =
    [("user", "app"), ("region", "us-east-1"), ("from", "*@example.com")];

/// Returns the password on a page, if there is one.
fn password(text: &str) -> Option<String> {
    let password = Regex::new("\\bB[A-Za-z0-9+/]{43}").unwrap();
    password.find(text).map(|found| found.as_str().to_owned())
}

fn ticket(body: &str) -> String {
    let ticket = Regex::new(r#"name="ticket" value="([0-9a-f]{32})""#).unwrap();
    ticket.captures(body).unwrap()[1].to_owned()
}

/// A credential is kept until it is taken, whatever comes after, and the end of the console reports that it is lost.
#[test]
fn it_is_not_forgotten_for_what_comes_after() {
    let folder = tempfile::tempdir().unwrap();
    let (local, _) = opened(folder.path(), &[]);
    let mut command = client(folder.path(), &local);
    command.stderr(Stdio::piped());
    let mut console = Console::start(command, &[]);
    let browser = Browser::open(&console.url);
    let (job, _) = browser.done("/credentials/new", &APP);
    let (shown, made) = browser.done("/credentials/new", &[("user", "second"), APP[1], APP[2]]);
    assert!(made.text().contains("Retrieve SMTP credentials"), "{}", made.text());
    let taken = browser.post(&format!("{shown}/show"), &[]);
    assert!(password(&taken.body).is_some());
    for _ in 0..210 {
        browser.post("/credentials/new", &[("user", "no name"), ("step", "begin")]);
    }
    assert!(browser.get(&job).text().contains("Retrieve SMTP credentials"));
    let id = console.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let mut said = String::new();
    console.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("nobody has taken the SMTP password of app, and it is lost"), "{said}");
    assert!(!said.contains("second"), "{said}");
}

/// A file that names the sender takes it from its form, and a job that made no password has none to show.
#[test]
fn a_file_may_name_the_sender() {
    let folder = tempfile::tempdir().unwrap();
    let (_local, browser) = opened(folder.path(), &[]);
    let (job, _) = browser.done("/credentials/new", &APP);
    let file = |from| {
        let fields = [("target", "postfix-sender"), ("from", from)];
        browser.post(&format!("{job}/file"), &fields)
    };
    assert_eq!(file("").status, 422, "it is nothing without a sender, and is not taken");
    let taken = file("news@example.com");
    assert_eq!(taken.status, 200, "{}", taken.body);
    assert!(taken.body.starts_with("news@example.com AKIA"), "{}", taken.body);
    assert_eq!(file("news@example.com").status, 410);

    let (failed, _) = browser.done("/credentials/new", &APP);
    let none = browser.post(&format!("{failed}/show"), &[]);
    assert_eq!(none.status, 404);
    assert!(none.text().contains("this made no SMTP password"), "{}", none.text());
}

#[test]
fn one_page_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let (local, browser) = opened(folder.path(), &[]);
    let review = browser.post("/credentials/new", &[&APP[..], &[("step", "review")]].concat());
    assert!(
        review.text().contains("give it the policy AmazonSesSendingAccess"),
        "{}",
        review.text()
    );
    let (job, made) = browser.done("/credentials/new", &APP);
    for line in ["made the user app", "login 3 succeeded", "Retrieve SMTP credentials"] {
        assert!(made.text().contains(line), "{}", made.text());
    }
    assert_eq!(password(&made.body), None, "there is none before Show");
    let shown = browser.post(&format!("{job}/show"), &[]);
    let own = password(&shown.body).unwrap();
    assert!(!shown.head.contains(&own));
    // reload, Back, another tab, another way
    let again = [
        browser.post(&format!("{job}/show"), &[]),
        browser.get(&job),
        Browser::open(local.at("/console")).post(&format!("{job}/show"), &[]),
        browser.post(&format!("{job}/file"), &[("target", "csv")]),
        browser.post(&format!("{job}/file"), &[("target", "csv"), ("ticket", &"0".repeat(32))]),
        browser.get(&format!("{job}/show")),
    ];
    assert_eq!(again.each_ref().map(|page| page.status), [410, 200, 410, 410, 410, 303]);
    assert!(again.iter().all(|page| password(&page.body).is_none()));
    assert!(again[1].text().contains("it is not shown again"), "{}", again[1].text());
    // the buttons of its own page write files until the page is left
    let ticket = ticket(&shown.body);
    for (target, head) in
        [("csv", "IAM user name,SMTP user name,SMTP password"), ("env", "SMTP_HOST=")]
    {
        let file = browser.post(&format!("{job}/file"), &[("target", target), ("ticket", &ticket)]);
        assert!(file.body.contains(head) && file.body.contains(&own), "{}", file.body);
        let saved = file.header("content-disposition").unwrap();
        assert!(saved.starts_with("attachment; filename=\"app."), "{saved}");
    }
    assert_eq!(browser.post(&format!("{job}/leave"), &[("ticket", &ticket)]).status, 303);
    let file = browser.post(&format!("{job}/file"), &[("target", "csv"), ("ticket", &ticket)]);
    assert_eq!((file.status, password(&file.body)), (410, None));
    assert!(!local.log().contains(&own));
}

#[test]
fn a_download_takes_it() {
    let folder = tempfile::tempdir().unwrap();
    let (local, browser) = opened(folder.path(), &[]);
    let (job, _) = browser.done("/credentials/new", &APP);
    // a refused request does not take it
    for (target, status) in [("nonsense", 422), ("postfix-sender", 422)] {
        let file = browser.post(&format!("{job}/file"), &[("target", target)]);
        assert_eq!(file.status, status, "{target}: {}", file.text());
    }
    let file = browser.post(&format!("{job}/file"), &[("target", "env")]);
    let path = folder.path().join("app.env");
    std::fs::write(&path, &file.body).unwrap();
    let verified = client(folder.path(), &local)
        .args(["verify", "--credentials", "app.env"])
        .output()
        .unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    for again in ["show", "file"] {
        let page = browser.post(&format!("{job}/{again}"), &[("target", "csv")]);
        assert_eq!((page.status, password(&page.body)), (410, None), "{again}");
    }
}

#[test]
fn the_steps_come_as_they_happen_and_go_on_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (local, browser) = opened(folder.path(), &[]);
    let begun = browser.post("/credentials/new", &[&APP[..], &[("step", "begin")]].concat());
    let job = begun.header("location").unwrap().to_owned();
    let address = local.at("/http");
    let events = |head: &str, last: &str| -> Vec<String> {
        let mut socket = TcpStream::connect(address).unwrap();
        write!(socket, "GET {job}/events HTTP/1.0\r\nHost: {address}\r\n{head}\r\n").unwrap();
        let lines = BufReader::new(socket).lines().map(Result::unwrap);
        let mut lines =
            lines.filter(|line| line.starts_with("data: ") || line.starts_with("event: "));
        let mut seen = vec![];
        while seen.last().is_none_or(|line: &String| line != last) {
            seen.push(lines.next().expect("it lasts until the end"));
        }
        seen
    };
    // this page is left after the first step
    assert_eq!(events("", "data: made the user app").len(), 2);
    let all = events("", "event: reload");
    let steps: Vec<&str> = all.iter().filter_map(|line| line.strip_prefix("data: ")).collect();
    assert!(steps[0] == "made the user app" && steps.contains(&"login 3 succeeded"), "{steps:?}");
    // a browser that reconnects gets the rest
    let rest = events("Last-Event-ID: 2\r\n", "event: reload");
    assert_eq!(rest.len(), all.len() - 4, "{rest:?}");
    assert!(browser.end(&job).body.contains("Retrieve SMTP credentials"));
    assert!(browser.get("/credentials/app").body.contains(&format!("href=\"{job}\"")));
}

#[test]
fn what_is_under_way_at_the_end_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let faults = folder.path().join("faults.toml");
    // no login succeeds for a while, so the proof goes on
    std::fs::write(&faults, "[keys]\ncreated = \"60s\"\n").unwrap();
    let (local, _) = opened(folder.path(), &["--faults", faults.to_str().unwrap()]);
    let mut console = Console::start(client(folder.path(), &local), &[]);
    let browser = Browser::open(&console.url);
    let begun = browser.post("/credentials/new", &[&APP[..], &[("step", "begin")]].concat());
    let job = begun.header("location").unwrap();
    while !browser.get(job).body.contains("made the access key") {
        assert!(browser.get(job).body.contains("Under way"), "{}", browser.get(job).text());
    }
    let id = console.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(console.child.wait().unwrap().success());
    let listed = client(folder.path(), &local).args(["list", "--all", "--json"]).output().unwrap();
    assert_eq!(String::from_utf8(listed.stdout).unwrap().trim(), "[]");
}
