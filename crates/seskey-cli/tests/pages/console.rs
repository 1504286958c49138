//! The console beside a local SES.

use std::{fs, path::Path, time::Instant};

use tempfile::TempDir;
use testkit::{
    apis::{Iam, advance},
    process::{Console, LocalSes, seskey},
};
use tokio::time::sleep;

use super::browser::{Browser, PATIENCE, PAUSE, Scripts};

/// A local SES, and a browser that has opened its pages.
struct Scene {
    folder: TempDir,
    local: LocalSes,
    browser: Browser,
}

impl Scene {
    /// Starts a scene; `None` if there is no browser.
    async fn new(scripts: Scripts) -> Option<Self> {
        Self::with_faults(scripts, "").await
    }

    /// Starts a scene with a plan of faults.
    async fn with_faults(scripts: Scripts, plan: &str) -> Option<Self> {
        let browser = Browser::start(scripts).await?;
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("faults.toml"), plan).unwrap();
        let options = ["--region", "eu-west-1", "--faults", "faults.toml"];
        let local = LocalSes::start(folder.path(), &options, &[]);
        let scene = Self { folder, local, browser };
        scene.browser.goto(scene.local.at("/console")).await;
        Some(scene)
    }

    /// Returns the URL of a path.
    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.local.at("/endpoint_url"))
    }

    /// Creates a credential that sends from one domain, and waits for the end.
    async fn create(&self, user: &str) {
        let browser = &self.browser;
        browser.goto(&self.at("/credentials/new")).await;
        browser.fill("User name", user).await;
        browser.fill("May send from", "*@example.com").await;
        browser.press("Review what will be made").await;
        browser.press("Create").await;
        browser.says("Done.").await;
    }

    /// Whether the credential logs in.
    fn logs_in(&self, user_name: &str, password: &str) -> bool {
        let file = self.folder.path().join("password");
        fs::write(&file, password).unwrap();
        let mut verify = seskey(self.folder.path());
        verify.args(["verify", "--region", "eu-west-1", "--user-name", user_name]);
        verify.args(["--smtp-endpoint", self.local.at("/smtp"), "--password-file"]).arg(file);
        verify.args(["--ca-file", self.local.at("/ca_file")]).output().unwrap().status.success()
    }

    /// Checks that no page had an error or requested anything that its policy forbids.
    async fn end(&self) {
        assert_eq!(self.browser.complaints().await, Vec::<String>::new());
    }
}

async fn a_credential_is_made_and_shown_once(scripts: Scripts) {
    let Some(scene) = Scene::new(scripts).await else { return };
    let Scene { browser, local, .. } = &scene;
    assert_eq!(browser.title().await, "SMTP settings · seskey");
    assert!(!browser.url().await.contains("token"), "{}", browser.url().await);

    browser.press("Credentials").await;
    browser.press("Create SMTP credentials").await;
    browser.fill("User name", "=1+1@app").await;
    browser.fill("May send from", "*@example.com").await;
    browser.press("Review what will be made").await;
    browser.says("Nothing has been changed yet").await;
    browser.says("ses:FromAddress").await;
    assert_eq!(Iam::of(local).users(), Vec::<String>::new());
    browser.press("Create").await;
    browser.says("Done.").await;
    let before = browser.source().await;
    let job = browser.url().await;

    browser.press("Show the password once").await;
    let shown = browser.text_of("#smtp-password").await;
    let user_name = browser.text_of("#smtp-user-name").await;
    assert!(!before.contains(&shown));
    assert!(scene.logs_in(&user_name, &shown));

    browser.press("Download .csv").await;
    let csv = scene.downloaded("csv").await;
    assert!(csv.contains(&shown) && csv.contains(&user_name), "{csv}");
    // a spreadsheet would evaluate the name
    assert!(!csv.lines().any(|line| line.starts_with('=')), "{csv}");

    let page = browser.url().await;
    for again in [&job, &page, &job] {
        browser.goto(again).await;
        assert!(!browser.source().await.contains(&shown), "{again} shows it again");
    }
    browser.says("not shown again").await;
    if scripts == Scripts::Run {
        for _ in 0..3 {
            browser.client.back().await.unwrap();
            assert!(!browser.source().await.contains(&shown), "Back shows it again");
        }
    }
    browser.goto(&scene.at("/credentials")).await;
    browser.says("=1+1@app").await;
    scene.end().await;
}

impl Scene {
    /// Returns the text of the one downloaded file of this kind. Chromium holds its name by an empty file until the
    /// download is complete.
    async fn downloaded(&self, extension: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let files = fs::read_dir(self.browser.downloads.path()).unwrap();
            let mut paths = files.map(|entry| entry.unwrap().path());
            let path = paths.find(|path| path.extension().is_some_and(|e| e == extension));
            let text = path.map(|path| fs::read_to_string(path).unwrap()).unwrap_or_default();
            if !text.is_empty() {
                return text;
            }
            assert!(Instant::now() < until, "nothing was downloaded");
            sleep(PAUSE).await;
        }
    }
}

#[tokio::test]
async fn a_credential_is_made_and_shown_once_with_scripts() {
    a_credential_is_made_and_shown_once(Scripts::Run).await;
}

#[tokio::test]
async fn a_credential_is_made_and_shown_once_without_scripts() {
    a_credential_is_made_and_shown_once(Scripts::Off).await;
}

/// An impossible name of a user is refused before anything is made, and shown as it was typed.
#[tokio::test]
async fn names_are_text() {
    let Some(scene) = Scene::new(Scripts::Run).await else { return };
    let Scene { browser, local, .. } = &scene;
    for name in [
        "<script>document.title='run'</script>",
        "\"><img src=x onerror=\"document.title='run'\">",
        "o'brien",
        "\u{202e}ppa",
        "a/b",
    ] {
        browser.goto(&scene.at("/credentials/new")).await;
        browser.fill("User name", name).await;
        browser.press("Review what will be made").await;
        browser.has("[role=alert]").await;
        assert_eq!(browser.value("User name").await.as_deref(), Some(name));
        assert!(browser.title().await.ends_with("seskey"), "{name}");
        // the summary of the errors has the focus
        browser.becomes("return document.activeElement.getAttribute('role')", "alert").await;
    }
    assert_eq!(Iam::of(local).users(), Vec::<String>::new());
    scene.end().await;
}

/// Each action is reviewed, then done: a rotation into a file, a revocation, its undoing, and the deletion of the user.
async fn a_user_is_managed(scripts: Scripts) {
    let Some(scene) = Scene::new(scripts).await else { return };
    let Scene { browser, local, folder } = &scene;
    let iam = Iam::of(local);
    scene.create("app").await;
    let user = scene.at("/credentials/app");
    browser.goto(&user).await;
    for (from, verdict) in
        [("news@example.com", "It may send"), ("eve@example.org", "It may not send")]
    {
        browser.fill("From", from).await;
        browser.fill("To", "ann@example.net").await;
        browser.press("Ask its policies").await;
        browser.says(verdict).await;
    }

    let store = folder.path().join("app.env");
    browser.fill("Stores", &format!("file:{}", store.display())).await;
    browser.choose("Now").await;
    browser.press("Review the rotation").await;
    browser.says("Nothing has been changed yet").await;
    assert!(!store.exists());
    browser.press("Rotate").await;
    browser.says("the old access key").await;
    browser.says("Done.").await;
    let written = fs::read_to_string(&store).unwrap();
    let value = |name: &str| {
        let line = written.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim_start_matches('=').to_owned()
    };
    let (user_name, password) = (value("SMTP_USERNAME"), value("SMTP_PASSWORD"));
    assert!(scene.logs_in(&user_name, &password));

    browser.goto(&user).await;
    browser.press("Review the revocation").await;
    browser.press("Deactivate every key").await;
    // the revocation was not confirmed
    browser.has("[role=alert]").await;
    assert!(scene.logs_in(&user_name, &password));
    browser.choose("Mail that is sent").await;
    browser.press("Deactivate every key").await;
    browser.says("Done.").await;
    assert!(!scene.logs_in(&user_name, &password));

    browser.goto(&user).await;
    browser.press("Review what is undone").await;
    browser.press("Activate the old key").await;
    browser.says("Done.").await;

    browser.goto(&user).await;
    browser.press("Review what is deleted").await;
    browser.fill("Type the name", "ap").await;
    browser.press("Delete the user").await;
    browser.has("[role=alert]").await;
    assert_eq!(iam.users(), ["app"]);
    browser.fill("Type the name", "app").await;
    browser.press("Delete the user").await;
    browser.says("Done.").await;
    assert_eq!(iam.users(), Vec::<String>::new());
    scene.end().await;
}

#[tokio::test]
async fn a_user_is_managed_with_scripts() {
    a_user_is_managed(Scripts::Run).await;
}

#[tokio::test]
async fn a_user_is_managed_without_scripts() {
    a_user_is_managed(Scripts::Off).await;
}

/// The verb goes on, and a tab that lost its session, a second tab and the first tab all find its end.
#[tokio::test]
async fn what_is_under_way_is_found_again() {
    // the proof waits for the clock, which is moved once all tabs have looked
    let plan = "[keys]\ncreated = \"50s\"\n";
    let Some(scene) = Scene::with_faults(Scripts::Run, plan).await else { return };
    let Scene { browser, local, .. } = &scene;
    browser.goto(&scene.at("/credentials/new")).await;
    browser.fill("User name", "app").await;
    browser.press("Review what will be made").await;
    browser.press("Create").await;
    browser.says("Under way").await;
    let job = browser.url().await;
    browser.client.delete_all_cookies().await.unwrap();
    browser.goto(&scene.at("/credentials/new")).await;
    browser.says("You may look").await;

    let first = browser.client.window().await.unwrap();
    let second = browser.client.new_window(true).await.unwrap();
    browser.client.switch_to_window(second.handle).await.unwrap();
    browser.goto(local.at("/console")).await;
    browser.goto(&job).await;
    browser.says("Under way").await;
    advance(local, "1m");
    browser.says("Done.").await;
    browser.client.switch_to_window(first).await.unwrap();
    browser.goto(&job).await;
    browser.says("Done.").await;
    scene.end().await;
}

/// A denial that cannot be known beforehand is reported like on the command line, and nothing is left.
#[tokio::test]
async fn a_denied_step_is_taken_back() {
    let Some(scene) = Scene::new(Scripts::Run).await else { return };
    let Scene { browser, local, folder } = &scene;
    let iam = Iam::of(local);
    for action in ["iam:CreateUser", "iam:PutUserPolicy", "iam:CreateAccessKey"] {
        let caller = action.split_once(':').unwrap().1;
        iam.done("CreateUser", &[("UserName", caller)]);
        let document = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},{{"Effect":"Deny","Action":["{action}","iam:SimulatePrincipalPolicy"],"Resource":"*"}}]}}"#
        );
        let policy = [("UserName", caller), ("PolicyName", "p"), ("PolicyDocument", &document)];
        iam.done("PutUserPolicy", &policy);
        let [id, secret] = iam.key(caller).unwrap().unwrap();
        let users = iam.users();
        let console = console(local, folder.path(), &id, &secret);
        browser.goto(&console.url).await;
        browser.press("Credentials").await;
        browser.press("Create SMTP credentials").await;
        browser.fill("User name", "app").await;
        browser.fill("May send from", "*@example.com").await;
        browser.press("Review what will be made").await;
        browser.press("Create").await;
        let alert = browser.text_of("[role=alert]").await;
        assert!(alert.contains(action), "{alert}");
        assert_eq!(iam.users(), users, "{action}");
    }
    scene.end().await;
}

/// Starts `seskey console` for a caller of the local SES.
fn console(local: &LocalSes, folder: &Path, id: &str, secret: &str) -> Console {
    let mut command = seskey(folder);
    command
        .env("AWS_ACCESS_KEY_ID", id)
        .env("AWS_SECRET_ACCESS_KEY", secret)
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ENDPOINT_URL", local.at("/endpoint_url"))
        .env("SESKEY_SMTP_ENDPOINT", local.at("/smtp"))
        .env("SESKEY_CA_FILE", local.at("/ca_file"));
    Console::start(command, &[])
}
