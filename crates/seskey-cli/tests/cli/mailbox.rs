//! The pages of the mailbox, over the socket: their contents, their changes, and the harmlessness of a stranger's mail.

use std::{fs, net::SocketAddr, path::Path};

use lettre::{Address, Transport, address::Envelope};
use testkit::{
    mail::{Endpoint, client},
    process::LocalSes,
    wire::{Answer, exchange},
};
use tokio::runtime::Runtime;

/// A local SES, and a visitor who opened the address that it printed.
struct Visit {
    local: LocalSes,
    runtime: Runtime,
    cookie: String,
    _folder: tempfile::TempDir,
}

impl Visit {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let local = LocalSes::start(folder.path(), &[], &[]);
        let mut visit = Self {
            local,
            runtime: Runtime::new().unwrap(),
            cookie: String::new(),
            _folder: folder,
        };
        let url = visit.local.at("/console");
        let path = url.split_once("//").unwrap().1.split_once('/').unwrap().1.to_owned();
        let opened = visit.ask(&format!("GET /{path}"), "");
        assert_eq!(opened.status(), 303);
        let cookie = opened.header("set-cookie").unwrap().split(';').next().unwrap();
        visit.cookie = format!("Cookie: {cookie}");
        visit
    }

    fn ask(&self, request: &str, body: &str) -> Answer {
        let address: SocketAddr = self.local.at("/http").parse().unwrap();
        let form = "Content-Type: application/x-www-form-urlencoded";
        let cookie = if self.cookie.is_empty() { "Accept: */*" } else { &self.cookie };
        self.runtime.block_on(exchange(address, request, &[form, cookie], body))
    }

    fn get(&self, path: &str) -> Answer {
        let answer = self.ask(&format!("GET {path}"), "");
        assert_eq!(answer.status(), 200, "{path}: {}", answer.body);
        answer
    }

    /// Posts a form of the list with its token.
    fn post(&self, path: &str, fields: &str) -> Answer {
        let page = self.get("/mailbox/delete").body;
        let token = page.split("name=\"form_token\" value=\"").nth(1).unwrap();
        let token = token.split('"').next().unwrap();
        self.ask(&format!("POST {path}"), &format!("form_token={token}&{fields}"))
    }

    /// Sends a message as the root user, and returns its ID, or the refusal.
    fn send(&self, message: &[u8]) -> Result<String, String> {
        self.send_to("bob@example.org", message)
    }

    fn send_to(&self, to: &str, message: &[u8]) -> Result<String, String> {
        let root = ["access_key_id", "secret_access_key"]
            .map(|name| self.local.at(&format!("/root/{name}")).to_owned());
        let address = |text: &str| text.parse::<Address>().unwrap();
        let envelope = Envelope::new(Some(address("news@example.com")), vec![address(to)]);
        let sent = client(&self.local, &root).send_raw(&envelope.unwrap(), message);
        let reply = sent.map_err(|error| error.to_string())?;
        Ok(reply.message().next().unwrap().strip_prefix("Ok ").unwrap().to_owned())
    }
}

fn hostile() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/hostile");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())
    };
    files.map(read).collect()
}

const TABS: [&str; 7] = ["text", "headers", "source", "parts", "links", "dialogue", "events"];

/// A stranger's mail is text in our pages, and has no rights in its own frame.
#[test]
fn what_a_stranger_wrote_does_nothing() {
    let visit = Visit::new();
    let corpus = hostile();
    assert!(corpus.len() >= 12, "{}", corpus.len());
    for (name, message) in corpus {
        let id = visit.send(&message).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        let views = TABS.map(|tab| format!("/mailbox/{id}/{tab}"));
        for path in views.iter().map(String::as_str).chain(["/mailbox"]) {
            let page = visit.get(path);
            let policy = page.header("content-security-policy").unwrap();
            assert!(policy.contains("default-src 'none'; style-src 'self'; script-src 'self';"));
            let ours = "<script src=\"/console/app.js\" defer></script>";
            let rest = page.body.replacen(ours, "", 1).to_lowercase();
            for element in [
                "<script",
                "<img",
                "<svg",
                "<form action=\"https",
                "<b>",
                "<meta http",
                "<link rel=\"pre",
            ] {
                assert!(!rest.contains(element), "{name}: {element} in {path}");
            }
            for scheme in ["javascript:", "data:", "vbscript:"] {
                let href = format!("href=\"{scheme}");
                let icon = "<link rel=\"icon\" href=\"data:,\">";
                assert!(!rest.replace(icon, "").contains(&href), "{name}: {href} in {path}");
            }
            for turning in ['\u{202e}', '\u{2066}'] {
                assert!(!page.body.contains(turning), "{name}: {path}");
            }
        }
        let frame = visit.ask(&format!("GET /mailbox/{id}/frame"), "");
        if frame.status() == 404 {
            assert!(["subject", "right-to-left", "file-names"].contains(&&*name), "{name}");
        } else {
            let policy = frame.header("content-security-policy").unwrap();
            assert!(
                policy.starts_with(
                    "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline';"
                ),
                "{policy}"
            );
            assert!(!policy.contains("'self';") && !policy.contains("http"), "{policy}");
            let html = frame.body.to_lowercase();
            for element in ["<link", "<meta", "<base"] {
                assert!(!html.contains(element), "{name}: {element}");
            }
            let shown = visit.get(&format!("/mailbox/{id}")).body;
            assert!(
                shown.contains("<iframe class=\"letter\" sandbox referrerpolicy=\"no-referrer\"")
            );
        }
    }
}

#[test]
fn the_list_says_what_bounced() {
    let visit = Visit::new();
    let message = b"From: news@example.com\r\nSubject: Hello\r\n\r\nHello\r\n";
    visit.send(message).unwrap();
    let bounced = visit.send_to("bounce@simulator.amazonses.com", message).unwrap();
    let list = visit.get("/mailbox").body;
    let row = list.split("data-row=").find(|row| row.contains(&bounced)).unwrap();
    assert!(row.contains("Unread, <strong>Bounce</strong></td>"), "{row}");
    assert_eq!(list.matches("<strong>Bounce").count(), 1);
}

#[test]
fn a_part_is_a_file_and_no_page() {
    let visit = Visit::new();
    let corpus = hostile();
    let (_, message) = corpus.iter().find(|(name, _)| name == "file-names").unwrap();
    let id = visit.send(message).unwrap();
    for number in 0..8 {
        let answer = visit.ask(&format!("GET /mailbox/{id}/parts/{number}"), "");
        if answer.status() == 404 {
            assert_eq!(number, 8, "there are so many");
        }
        let disposition = answer.header("content-disposition").unwrap();
        let name = disposition.strip_prefix("attachment; filename=\"").unwrap();
        let (name, encoded) = name.split_once("\"; filename*=UTF-8''").unwrap();
        for c in ['<', '>', '"', '/', '\\', '\r', '\n', ';'] {
            assert!(!encoded.contains(c) && (!name.contains(c) || c == ';'), "{disposition}");
        }
        assert_eq!(answer.header("set-cookie"), None, "{}", answer.head);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
        assert!(answer.header("content-security-policy").unwrap().starts_with("sandbox;"));
    }
    let file = visit.get(&format!("/mailbox/{id}/message.eml"));
    assert!(
        file.header("content-disposition").unwrap().contains(&format!("filename=\"{id}.eml\""))
    );
    assert!(file.body.contains("Subject: File names"));
}

#[test]
fn messages_and_refusals_are_listed_read_and_deleted() {
    let visit = Visit::new();
    assert!(visit.get("/mailbox").body.contains("Nothing has come yet"));
    let message = "From: News <news@example.com>\r\nTo: bob@example.org\r\nSubject: Your code\r\n\r\n\
        It is 482913: https://example.com/verify?a=1&b=2\r\n";
    let id = visit.send(message.as_bytes()).unwrap();
    let key = visit.local.at("/root/access_key_id").to_owned();
    let wrong = Endpoint::of(&visit.local).client(&key, "wrong-password");
    assert!(wrong.test_connection().is_err());

    let list = visit.get("/mailbox").body;
    assert!(list.contains("1 message, 1 unread; 1 refused attempt."), "{list}");
    assert!(list.find("535 Authentication") < list.find("Your code"), "the newest first: {list}");
    for (query, has_message, has_attempt) in [
        ("query=code", true, false),
        ("query=from:news", true, false),
        ("query=authentication", false, true),
        ("show=refused", false, true),
        ("show=accepted", true, false),
        ("query=nothing", false, false),
    ] {
        let list = visit.get(&format!("/mailbox?{query}")).body;
        let has = |row: &str| list.contains(&format!("data-row=\"{row}\""));
        assert_eq!((has(&id), has("attempt-2")), (has_message, has_attempt), "{query}");
    }
    assert_eq!(visit.ask("GET /mailbox?query=tag:x", "").status(), 422);

    // a visitor who may only look does not mark it as read
    let address: SocketAddr = visit.local.at("/http").parse().unwrap();
    let page = format!("GET /mailbox/{id}");
    let looked = visit.runtime.block_on(exchange(address, &page, &[], ""));
    assert_eq!(looked.status(), 200);
    assert!(visit.get("/mailbox").body.contains("1 message, 1 unread"));

    let attempt = visit.get("/mailbox/attempts/2").body;
    assert!(attempt.contains(&format!("AUTH PLAIN (user name {key}) (password)")), "{attempt}");
    assert!(attempt.contains(&format!("seskey diagnose --user-name={key}")), "{attempt}");
    assert!(!attempt.contains("wrong-password"));
    let dialogue = visit.get(&format!("/mailbox/{id}/dialogue")).body;
    assert!(dialogue.contains(&format!("250 Ok {id}")) && dialogue.contains(":root"), "{dialogue}");
    let events = visit.get(&format!("/mailbox/{id}/events")).body;
    assert!(events.contains("<dd>Send, Delivery</dd>"), "{events}");
    assert!(events.contains("&#34;eventType&#34;: &#34;Delivery&#34;"), "{events}");
    let links = visit.get(&format!("/mailbox/{id}/links")).body;
    assert!(links.contains("<code>482913</code>"));
    assert!(links.contains("rel=\"noopener noreferrer nofollow\""), "{links}");
    assert!(visit.get("/mailbox").body.contains("1 message, 0 unread"), "it was read");

    // a form without the token or without the cookie changes nothing
    assert_eq!(visit.ask("POST /mailbox/delete", "form_token=x").status(), 403);
    let stranger = Visit { cookie: String::new(), ..visit };
    assert_eq!(stranger.ask("POST /mailbox/delete", "").status(), 403);
    assert!(!stranger.get("/mailbox").body.contains("<form method=\"post\""));
    assert!(stranger.get("/mailbox").body.contains("1 message"));
}

#[test]
fn one_is_deleted_or_all() {
    let visit = Visit::new();
    let message = b"From: news@example.com\r\nTo: bob@example.org\r\nSubject: hi\r\n\r\nhi\r\n";
    let ids = [(); 2].map(|()| visit.send(message).unwrap());
    visit.get(&format!("/mailbox/{}", ids[0]));
    let marked = visit
        .post("/mailbox/change", &format!("do=unread&id={}&back=query%3Dhi%26start%3D0", ids[0]));
    assert_eq!(
        (marked.status(), marked.header("location")),
        (303, Some("/mailbox?query=hi&start=0"))
    );
    assert!(visit.get("/mailbox").body.contains("2 messages, 2 unread"));
    assert_eq!(visit.post("/mailbox/change", &format!("do=delete&id={}", ids[0])).status(), 303);
    assert!(visit.get("/mailbox").body.contains("1 message, 1 unread"));
    assert_eq!(visit.ask(&format!("GET /mailbox/{}", ids[0]), "").status(), 404);
    assert!(visit.get("/mailbox/delete").body.contains("1 message and 0 refused attempts"));
    assert_eq!(visit.post("/mailbox/delete", "").status(), 303);
    assert!(visit.get("/mailbox").body.contains("Nothing has come yet"));
}
