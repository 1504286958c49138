//! A Chromium for one test, by WebDriver.

use std::{
    env,
    fmt::Debug,
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fantoccini::{
    Client, ClientBuilder, Locator,
    elements::Element,
    error::CmdError,
    wd::{Capabilities, WebDriverCompatibleCommand},
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::sleep,
};

/// Whether the browser runs scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scripts {
    Run,
    /// A person has turned them off.
    Off,
}

/// A window; chromedriver and Chromium end with it.
pub(crate) struct Browser {
    pub(crate) client: Client,
    _driver: Driver,
    /// The folder of the downloads.
    pub(crate) downloads: TempDir,
    _place: SemaphorePermit<'static>,
}

/// A browser is many processes, so that only few run at a time.
static PLACES: Semaphore = Semaphore::const_new(2);

struct Driver {
    process: Child,
    port: u16,
}

impl Drop for Driver {
    /// Asks chromedriver to end, and its Chromium with it; a killed chromedriver leaves Chromium behind.
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
    /// Starts a browser; `None` if there is no chromedriver, which CI must have.
    pub(crate) async fn start(scripts: Scripts) -> Option<Self> {
        let place = PLACES.acquire().await.unwrap();
        let started = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut child) = started else {
            assert!(env::var_os("CI").is_none(), "no chromedriver, and CI must have it");
            // straight to the terminal: the output of a test that passes is not shown
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

    /// Asks the page until it answers. A page may be replaced at any moment, and chromedriver has many errors for that:
    /// the next page is asked.
    async fn asked<T>(
        &self,
        ask: impl AsyncFn(&Client) -> Result<T, CmdError>,
    ) -> Result<T, CmdError> {
        let until = Instant::now() + PATIENCE;
        loop {
            match ask(&self.client).await {
                Err(_) if Instant::now() < until => sleep(PAUSE).await,
                answer => return answer,
            }
        }
    }

    /// Does something with an element.
    async fn with<T>(
        &self,
        locator: Locator<'_>,
        act: impl AsyncFn(Element) -> Result<T, CmdError>,
    ) -> T {
        match self.asked(async |client| act(client.find(locator).await?).await).await {
            Ok(done) => done,
            Err(error) => {
                panic!("{locator:?}: {error} at {}\n{}", self.url().await, self.source().await)
            }
        }
    }

    /// Returns the text that a person sees.
    pub(crate) async fn text(&self) -> String {
        self.text_of("body").await
    }

    /// Returns the text of the element that this selector finds.
    pub(crate) async fn text_of(&self, selector: &str) -> String {
        self.with(Locator::Css(selector), async |element| element.text().await).await
    }

    pub(crate) async fn title(&self) -> String {
        self.asked(Client::title).await.unwrap()
    }

    pub(crate) async fn url(&self) -> String {
        self.asked(Client::current_url).await.unwrap().to_string()
    }

    /// Returns the page as it is now, after its scripts.
    pub(crate) async fn source(&self) -> String {
        self.asked(Client::source).await.unwrap()
    }

    /// Types into the field that has this label, after emptying it.
    pub(crate) async fn fill(&self, label: &str, text: &str) {
        let path = labelled(label);
        let fill = async |field: Element| {
            field.clear().await?;
            field.send_keys(text).await
        };
        self.with(Locator::XPath(&path), fill).await;
    }

    /// Returns the value of the field that has this label.
    pub(crate) async fn value(&self, label: &str) -> Option<String> {
        let path = labelled(label);
        self.with(Locator::XPath(&path), async |field| field.prop("value").await).await
    }

    /// Ticks the box that has this label, or chooses it.
    pub(crate) async fn choose(&self, label: &str) {
        let path = labelled(label);
        self.with(Locator::XPath(&path), async |field| field.click().await).await;
    }

    /// Presses a button or follows a link by the words on it.
    pub(crate) async fn press(&self, words: &str) {
        let path = format!(
            "//*[self::button or self::a or self::summary][starts-with(normalize-space(.), '{words}')]"
        );
        self.with(Locator::XPath(&path), async |button| button.click().await).await;
    }

    /// Types a key into the body of the page.
    pub(crate) async fn key(&self, key: &str) {
        self.with(Locator::Css("body"), async |body| body.send_keys(key).await).await;
    }

    /// Waits for an element.
    pub(crate) async fn has(&self, selector: &str) {
        self.with(Locator::Css(selector), async |_| Ok(())).await;
    }

    /// Waits until a text is seen.
    pub(crate) async fn says(&self, words: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            let text = self.text().await;
            if text.contains(words) {
                return;
            }
            assert!(
                Instant::now() < until,
                "{words:?} is not seen at {}\n{text}",
                self.url().await
            );
            sleep(PAUSE).await;
        }
    }

    /// Waits until a script of the test returns a value.
    pub(crate) async fn becomes(&self, script: &str, value: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            let now = self.evaluate(script).await;
            if now == value {
                return;
            }
            assert!(Instant::now() < until, "{script} gives {now}, not {value}");
            sleep(PAUSE).await;
        }
    }

    /// Returns the result of a script of the test; Chromium runs it even if the scripts of the page are off.
    pub(crate) async fn evaluate(&self, script: &str) -> Value {
        self.asked(async |client| client.execute(script, vec![]).await).await.unwrap()
    }

    /// Returns Chromium's complaints about the pages: errors of scripts, blocked requests, missing resources.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.client.issue_cmd(Log).await.unwrap();
        let entries = log.as_array().cloned().unwrap_or_default();
        let messages = entries.iter().map(|entry| entry["message"].as_str().unwrap().to_owned());
        messages.filter(|text| !EXPECTED.iter().any(|usual| text.contains(usual))).collect()
    }
}

/// A refused form has a status of its own; the script of the pages sets the focus before the attribute does.
const EXPECTED: [&str; 3] = ["status of 422", "status of 502", "Autofocus processing was blocked"];

/// The longest wait for anything that a person would wait for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The time between two looks at a page.
pub(crate) const PAUSE: Duration = Duration::from_millis(100);

/// Returns the path to the field that has this label.
fn labelled(label: &str) -> String {
    format!(
        "//*[@id = //label[starts-with(normalize-space(.), '{label}')]/@for] | \
         //label[starts-with(normalize-space(.), '{label}')]//*[self::input or self::select or self::textarea]"
    )
}

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

/// A command of chromedriver's own: the messages in the console of the browser, each line once.
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
