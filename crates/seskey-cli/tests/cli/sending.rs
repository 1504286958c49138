//! Causes that keep a message from being sent or delivered, staged on a local SES that has identities, a sandbox, a
//! quota and a suppression list: `seskey diagnose` asks SES, and reads the error of a mail library.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use aws_sdk_sesv2::{
    config::{BehaviorVersion, Credentials, Region},
    types::SuppressionListReason,
};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::header::{Header, HeaderName, HeaderValue},
    transport::smtp::{
        authentication,
        client::{Certificate, Tls, TlsParameters, TlsParametersBuilder},
    },
};
use serde_json::Value;
use seskey::{SecretAccessKey, SmtpPassword};
use seskey_local::{
    sending::{Quota, Settings},
    server::Config,
};
use tokio::runtime::Runtime;

use crate::stage::{Inhabitants, ROOT, Stage};

/// A message, and the cause that stops it.
struct Case {
    cause: &'static str,
    region: &'static str,
    from: &'static str,
    to: &'static str,
    configuration_set: &'static str,
    /// Whether the server accepts it nevertheless.
    is_taken: bool,
}

const RIGHT: Case = Case {
    cause: "",
    region: "us-east-1",
    from: "news@example.com",
    to: "ann@example.com",
    configuration_set: "news",
    is_taken: true,
};

const CASES: [Case; 7] = [
    RIGHT,
    Case { cause: "sender-not-verified", from: "news@example.net", is_taken: false, ..RIGHT },
    Case { cause: "sandbox", to: "ann@example.net", is_taken: false, ..RIGHT },
    Case {
        cause: "configuration-set-missing",
        configuration_set: "olds",
        is_taken: false,
        ..RIGHT
    },
    Case { cause: "paused", region: "eu-west-1", is_taken: false, ..RIGHT },
    Case { cause: "quota", region: "us-west-2", is_taken: false, ..RIGHT },
    Case { cause: "suppressed-recipient", to: "gone@example.com", ..RIGHT },
];

struct Scene {
    home: tempfile::TempDir,
    stage: Stage,
    runtime: Runtime,
}

impl Scene {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let quota = Quota { max_24_hour_send: Some(2), max_send_rate: None };
        let sending = Settings { sandbox: true, quota };
        let config = Config { sending, ..Config::ephemeral() };
        let stage = Stage::of(home.path(), Inhabitants::SmtpUsers, config);
        let scene = Self { home, stage, runtime: Runtime::new().unwrap() };
        scene.runtime.block_on(scene.furnish());
        scene
    }

    /// Verifies the domain and creates the configuration set in each region, and stages the causes.
    async fn furnish(&self) {
        for region in ["us-east-1", "eu-west-1", "us-west-2"] {
            let [id, secret] = ROOT;
            let config = aws_sdk_sesv2::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(region))
                .endpoint_url(self.variable("AWS_ENDPOINT_URL"))
                .credentials_provider(Credentials::new(id, secret, None, None, "test"));
            let ses = aws_sdk_sesv2::Client::from_conf(config.build());
            ses.create_email_identity().email_identity("example.com").send().await.unwrap();
            let set = ses.create_configuration_set().configuration_set_name("news");
            set.send().await.unwrap();
            let list = ses.put_suppressed_destination().email_address("gone@example.com");
            list.reason(SuppressionListReason::Bounce).send().await.unwrap();
            if region == "eu-west-1" {
                ses.put_account_sending_attributes().sending_enabled(false).send().await.unwrap();
            }
        }
        for _ in 0..2 {
            self.send(&Case { region: "us-west-2", ..RIGHT }).await.unwrap();
        }
    }

    fn variable(&self, name: &str) -> &str {
        &self.stage.environment.iter().find(|(known, _)| *known == name).unwrap().1
    }

    /// Returns the password of the mailer for a region.
    fn password(&self, region: &str) -> String {
        let secret = SecretAccessKey::parse(self.variable("MAILER_SECRET")).unwrap();
        let region = seskey::Region::parse(region).unwrap();
        SmtpPassword::derive(&secret, &region).expose().to_owned()
    }

    /// Returns the error of the library for a message that this client sends.
    async fn refusal(
        &self,
        client: lettre::transport::smtp::AsyncSmtpTransportBuilder,
        recipients: usize,
    ) -> String {
        let mut message = Message::builder().from(RIGHT.from.parse().unwrap());
        for number in 0..recipients {
            message = message.to(format!("a{number}@example.com").parse().unwrap());
        }
        let message = message.body("hi".to_owned()).unwrap();
        client
            .timeout(Some(Duration::from_secs(5)))
            .build()
            .send(message)
            .await
            .unwrap_err()
            .to_string()
    }

    fn credentials(&self, password: &str) -> authentication::Credentials {
        authentication::Credentials::new(self.variable("MAILER_ID").to_owned(), password.to_owned())
    }

    /// Sends a message as an application does; the error is that of its library if the server refuses it.
    async fn send(&self, case: &Case) -> Result<(), String> {
        let name = format!("email-smtp.{}.amazonaws.com", case.region);
        let client =
            self.client(&name, |it| it.add_root_certificate(self.authority()), Tls::Required);
        let login = self.credentials(&self.password(case.region));
        let message = Message::builder()
            .from(case.from.parse().unwrap())
            .to(case.to.parse().unwrap())
            .header(ConfigurationSet(case.configuration_set.to_owned()))
            .body("hi".to_owned())
            .unwrap();
        client.credentials(login).build().send(message).await.map(drop).map_err(|it| it.to_string())
    }

    fn authority(&self) -> Certificate {
        let pem = fs::read(self.variable("SESKEY_CA_FILE")).unwrap();
        Certificate::from_pem(&pem).unwrap()
    }

    fn client(
        &self,
        name: &str,
        trust: impl FnOnce(TlsParametersBuilder) -> TlsParametersBuilder,
        tls: fn(TlsParameters) -> Tls,
    ) -> lettre::transport::smtp::AsyncSmtpTransportBuilder {
        let (host, port) = self.variable("SESKEY_SMTP_ENDPOINT").split_once(':').unwrap();
        let parameters = trust(TlsParameters::builder(name.to_owned())).build_rustls().unwrap();
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port.parse().unwrap())
            .tls(tls(parameters))
    }

    fn diagnose(&self, arguments: &[&str]) -> Value {
        let Output { stdout, stderr, .. } = Command::new(env!("CARGO_BIN_EXE_seskey"))
            .args(["diagnose", "--json"])
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(self.stage.environment.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&stderr).into_owned();
        serde_json::from_slice(&stdout).map_err(|error| format!("{error}: {said}")).unwrap()
    }
}

#[derive(Clone)]
struct ConfigurationSet(String);

impl Header for ConfigurationSet {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("X-SES-CONFIGURATION-SET")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.clone())
    }
}

/// Returns the first cause and its certainty.
fn first(answer: &Value) -> (&str, &str) {
    let first = &answer["causes"][0];
    (first["id"].as_str().unwrap_or_default(), first["certainty"].as_str().unwrap_or_default())
}

#[test]
fn ses_shows_the_cause_before_anything_is_sent() {
    let scene = Scene::new();
    for case in &CASES {
        let file = scene.home.path().join("password");
        fs::write(&file, scene.password(case.region)).unwrap();
        let answer = scene.diagnose(&[
            "--user-name",
            scene.variable("MAILER_ID"),
            "--password-file",
            Path::new(&file).to_str().unwrap(),
            "--region",
            case.region,
            "--from",
            case.from,
            "--to",
            case.to,
            "--configuration-set",
            case.configuration_set,
        ]);
        let certainty = if case.cause.is_empty() { "" } else { "certain" };
        assert_eq!(first(&answer), (case.cause, certainty), "{answer}");
        let refuted: Vec<&str> =
            answer["refuted"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let others = CASES.iter().map(|case| case.cause).filter(|cause| !cause.is_empty());
        // if nothing is wrong, SES excludes each of them
        let excluded: Vec<_> = others.filter(|cause| refuted.contains(cause)).collect();
        assert!(!excluded.contains(&case.cause), "{answer}");
        assert!(!case.cause.is_empty() || excluded.len() + 1 == CASES.len(), "{answer}");
        assert!(answer["asked"].as_array().unwrap().contains(&"SES".into()), "{answer}");
    }
}

#[test]
fn the_words_of_the_refusal_show_it_too() {
    let scene = Scene::new();
    for case in &CASES {
        let said = scene.runtime.block_on(scene.send(case));
        assert_eq!(said.is_ok(), case.is_taken, "{}: {said:?}", case.cause);
        let Err(said) = said else { continue };
        let arguments = ["--error", &said, "--from", case.from, "--to", case.to, "--offline"];
        let answer = scene.diagnose(&arguments);
        assert_eq!(first(&answer), (case.cause, "certain"), "{said}: {answer}");
    }
}

/// The error of an application that connects or logs in the wrong way shows the cause.
#[test]
fn the_words_of_a_wrong_way_show_its_cause() {
    const NAME: &str = "email-smtp.us-east-1.amazonaws.com";
    let scene = Scene::new();
    let right = scene.credentials(&scene.password("us-east-1"));
    let raw = scene.credentials(scene.variable("MAILER_SECRET"));
    let trusting =
        |name, tls| scene.client(name, |it| it.add_root_certificate(scene.authority()), tls);
    let clear = |_| Tls::None;
    for (cause, client, recipients) in [
        ("no-tls", trusting(NAME, clear).credentials(right.clone()), 1),
        ("auth-not-tried", trusting(NAME, Tls::Required), 1),
        ("raw-secret-as-password", trusting(NAME, Tls::Required).credentials(raw), 1),
        (
            "tls-wrapper-on-starttls-port",
            trusting(NAME, Tls::Wrapper).credentials(right.clone()),
            1,
        ),
        ("untrusted-certificate", scene.client(NAME, |it| it, Tls::Required), 1),
        ("host-name-mismatch", trusting("mail.example.net", Tls::Required), 1),
        ("message-refused", trusting(NAME, Tls::Required).credentials(right.clone()), 51),
    ] {
        let said = scene.runtime.block_on(scene.refusal(client, recipients));
        let answer = scene.diagnose(&["--error", &said, "--offline"]);
        assert_eq!(first(&answer).0, cause, "{said}: {answer}");
    }
}
