//! Hostile messages: nothing in them runs, loads, or leads away.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use fantoccini::Locator;
use lettre::{Address, SmtpTransport, Transport, address::Envelope};
use testkit::{
    apis::{Iam, mailbox},
    mail::client,
    process::LocalSes,
};

use super::browser::{Browser, Scripts};

/// The hostile messages, each of which tries one thing.
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/hostile");

/// The host in their links.
const HOST: &str = "remote.invalid";

/// A server that records its requests.
struct Canary {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Canary {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(vec![]));
        let all = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map(Result::unwrap) {
                let mut line = String::new();
                // the client may have closed the connection
                let _ = BufReader::new(&stream).read_line(&mut line);
                all.lock().unwrap().push(line);
                let _ = (&stream).write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            }
        });
        Self { address, asked }
    }

    /// Returns the message with links to this server.
    fn lured(&self, message: &str) -> String {
        let here = self.address.to_string();
        message.replace(&format!("https://{HOST}"), &format!("http://{here}")).replace(HOST, &here)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Sends a message unchanged.
fn send(client: &SmtpTransport, message: &str) {
    let address = |text: &str| text.parse::<Address>().unwrap();
    let (from, to) = (address("news@example.com"), address("bob@example.org"));
    let envelope = Envelope::new(Some(from), vec![to]).unwrap();
    client.send_raw(&envelope, message.as_bytes()).unwrap();
}

async fn nothing_of_a_message_acts(scripts: Scripts) {
    let Some(browser) = Browser::start(scripts).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let local = LocalSes::start(folder.path(), &[], &[]);
    let (canary, other) = (Canary::new(), Canary::new());
    browser.goto(&format!("http://{}", other.address)).await;
    assert!(!other.asked().is_empty(), "a canary takes nothing down");
    let client = client(&local, &Iam::of(&local).sender("app"));
    let files = fs::read_dir(CORPUS).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    for file in &files {
        let message = fs::read_to_string(file).unwrap().replace("\r\n", "\n");
        send(&client, &canary.lured(&message).replace('\n', "\r\n"));
    }
    let ids = mailbox(&local);
    assert_eq!(ids.len(), files.len());
    // with the session, so that a message could use its rights
    browser.goto(local.at("/console")).await;
    for id in &ids {
        let page = format!("{}/mailbox/{id}/html", local.at("/endpoint_url"));
        browser.goto(&page).await;
        let title = browser.title().await;
        touch_all(&browser).await;
        assert_eq!((browser.title().await, browser.url().await), (title, page.clone()));
        assert_eq!(browser.client.windows().await.unwrap().len(), 1, "{page}");
        for view in ["text", "source", "headers", "parts", "links", "dialogue"] {
            browser.goto(&page.replace("/html", &format!("/{view}"))).await;
            assert!(browser.title().await.ends_with("seskey"), "{page} {view}");
        }
    }
    browser.goto(&format!("{}/mailbox", local.at("/endpoint_url"))).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(canary.asked(), Vec::<String>::new());
    assert_eq!(mailbox(&local), ids);
}

/// Presses all that can be pressed in the HTML of a message, if there is any.
async fn touch_all(browser: &Browser) {
    let Ok(frame) = browser.client.find(Locator::Css("iframe")).await else { return };
    frame.enter_frame().await.unwrap();
    let all = browser.client.find_all(Locator::Css("a, button, input, summary, area, p")).await;
    for element in all.unwrap().into_iter().take(40) {
        // an invisible element cannot be pressed
        let _ = element.click().await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    browser.client.enter_parent_frame().await.unwrap();
}

#[tokio::test]
async fn nothing_of_a_message_acts_with_scripts() {
    nothing_of_a_message_acts(Scripts::Run).await;
}

#[tokio::test]
async fn nothing_of_a_message_acts_without_scripts() {
    nothing_of_a_message_acts(Scripts::Off).await;
}

/// A new message appears without a reload, and a key deletes it.
#[tokio::test]
async fn the_list_is_live_and_has_keys() {
    let Some(browser) = Browser::start(Scripts::Run).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let local = LocalSes::start(folder.path(), &[], &[]);
    let client = client(&local, &Iam::of(&local).sender("app"));
    browser.goto(local.at("/console")).await;
    browser.goto(&format!("{}/mailbox", local.at("/endpoint_url"))).await;
    browser.says("Nothing has come yet").await;
    for subject in ["First", "Second"] {
        let message = format!(
            "From: news@example.com\r\nTo: bob@example.org\r\nSubject: {subject}\r\n\r\nHello\r\n"
        );
        send(&client, &message);
        browser.says(subject).await;
    }
    browser.key("j").await;
    // Delete, by WebDriver
    browser.key("\u{e017}").await;
    browser.says("1 message").await;
    assert_eq!(mailbox(&local).len(), 1);
    browser.key("j").await;
    // Enter, where the focus is now
    let link = browser.client.active_element().await.unwrap();
    link.send_keys("\u{e007}").await.unwrap();
    browser.says("Hello").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}
