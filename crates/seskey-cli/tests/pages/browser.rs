//! A Chromium of its own for a test, by WebDriver.

use std::{
    env,
    fmt::Debug,
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use fantoccini::{
    Client, ClientBuilder, Locator,
    wd::{Capabilities, WebDriverCompatibleCommand},
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};

/// What the browser does with scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scripts {
    Run,
    /// As for somebody who has turned them off.
    Off,
}

/// A window; chromedriver and Chromium end with it.
pub(crate) struct Browser {
    pub(crate) client: Client,
    _driver: Driver,
    /// What is downloaded.
    pub(crate) downloads: TempDir,
    _place: SemaphorePermit<'static>,
}

/// A browser is many processes, so there are few at a time.
static PLACES: Semaphore = Semaphore::const_new(2);

struct Driver {
    process: Child,
    port: u16,
}

impl Drop for Driver {
    /// Its Chromium ends with it, as long as it is asked to; one that is killed leaves it behind.
    fn drop(&mut self) {
        let shutdown = || {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            stream.write_all(b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
            stream.read_exact(&mut [0; "HTTP/1.1 200".len()])
        };
        if shutdown().is_err() {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

impl Browser {
    /// Starts one, where there is one. In CI there is.
    pub(crate) async fn start(scripts: Scripts) -> Option<Self> {
        let place = PLACES.acquire().await.unwrap();
        let started = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut child) = started else {
            assert!(env::var_os("CI").is_none(), "no chromedriver, and CI must have it");
            // straight to the terminal: what a test that passes prints is not shown
            let mut terminal = io::stderr();
            writeln!(terminal, "SKIPPED: no chromedriver, so no page was seen").unwrap();
            return None;
        };
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.map(Result::unwrap).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        let driver = Driver { process: child, port: port.unwrap() };
        let downloads = tempfile::tempdir().unwrap();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(scripts, &downloads))
            .connect(&format!("http://127.0.0.1:{}", driver.port))
            .await
            .unwrap();
        Some(Self { client, _driver: driver, downloads, _place: place })
    }

    pub(crate) async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// The text that a person sees.
    pub(crate) async fn text(&self) -> String {
        self.client.find(Locator::Css("body")).await.unwrap().text().await.unwrap()
    }

    pub(crate) async fn title(&self) -> String {
        self.client.title().await.unwrap()
    }

    pub(crate) async fn url(&self) -> String {
        self.client.current_url().await.unwrap().to_string()
    }

    /// The page as it is now, scripts run.
    pub(crate) async fn source(&self) -> String {
        self.client.source().await.unwrap()
    }

    /// Types into the field that has this label, after emptying it.
    pub(crate) async fn fill(&self, label: &str, text: &str) {
        let field = self.labelled(label).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// The field that has this label.
    pub(crate) async fn labelled(&self, label: &str) -> fantoccini::elements::Element {
        let path = format!(
            "//*[@id = //label[starts-with(normalize-space(.), '{label}')]/@for] | \
             //label[starts-with(normalize-space(.), '{label}')]//*[self::input or self::select or self::textarea]"
        );
        self.seen(Locator::XPath(&path)).await
    }

    /// Presses a button or follows a link by the words on it.
    pub(crate) async fn press(&self, words: &str) {
        let path = format!(
            "//*[self::button or self::a or self::summary][starts-with(normalize-space(.), '{words}')]"
        );
        for _ in 0..PATIENCE.as_millis() / 100 {
            match self.seen(Locator::XPath(&path)).await.click().await {
                // the page was replaced meanwhile
                Err(error) if error.is_stale_element_reference() => {}
                pressed => return pressed.unwrap(),
            }
        }
        panic!("{words:?} cannot be pressed at {}", self.url().await);
    }

    /// Waits until it is there.
    pub(crate) async fn seen(&self, locator: Locator<'_>) -> fantoccini::elements::Element {
        let found = self.client.wait().at_most(PATIENCE).for_element(locator).await;
        match found {
            Ok(element) => element,
            Err(error) => {
                panic!("{locator:?}: {error} at {}\n{}", self.url().await, self.text().await)
            }
        }
    }

    /// Waits until a text is seen.
    pub(crate) async fn says(&self, words: &str) {
        let tries = PATIENCE.as_millis() / 100;
        for _ in 0..tries {
            // the page may be another one just now
            let body = self.client.find(Locator::Css("body")).await;
            if let Ok(body) = body
                && body.text().await.is_ok_and(|text| text.contains(words))
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{words:?} is not seen at {}\n{}", self.url().await, self.text().await);
    }

    /// Waits until a script of the test's own gives this.
    pub(crate) async fn becomes(&self, script: &str, value: &str) {
        let mut now = Value::Null;
        for _ in 0..PATIENCE.as_millis() / 100 {
            now = self.evaluate(script).await;
            if now == value {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{script} gives {now}, not {value}");
    }

    /// What a script of the test's own gives; Chromium runs it where those of the page are off too.
    pub(crate) async fn evaluate(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap()
    }

    /// What Chromium has to say of the pages: errors of scripts, what a policy kept from them, what was not found.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.client.issue_cmd(Log).await.unwrap();
        let entries = log.as_array().cloned().unwrap_or_default();
        let messages = entries.iter().map(|entry| entry["message"].as_str().unwrap().to_owned());
        messages.filter(|text| !EXPECTED.iter().any(|usual| text.contains(usual))).collect()
    }
}

/// A form that is refused has a status of its own; the script of the pages is quicker than the attribute.
const EXPECTED: [&str; 3] = ["status of 422", "status of 502", "Autofocus processing was blocked"];

/// How long something may take that a person would wait for.
const PATIENCE: Duration = Duration::from_secs(60);

fn capabilities(scripts: Scripts, downloads: &TempDir) -> Capabilities {
    let scripts = match scripts {
        Scripts::Run => 1,
        Scripts::Off => 2,
    };
    let options = json!({
        "args": [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--window-size=1200,900",
        ],
        "prefs": {
            "profile.managed_default_content_settings.javascript": scripts,
            "download.default_directory": downloads.path(),
        },
    });
    let all = json!({
        "goog:chromeOptions": options,
        "goog:loggingPrefs": {"browser": "ALL"},
    });
    all.as_object().unwrap().clone()
}

/// chromedriver's own: what the console of the browser says, each line once.
#[derive(Debug)]
struct Log;

impl WebDriverCompatibleCommand for Log {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({"type": "browser"}).to_string()))
    }
}
