//! Conversations as text files (`tests/conversations/*.txt`), held with a local SES over real sockets.
//!
//! `C:` is a line of the client, `RAW:` bytes of it, `S:` a line of the server, in which `*` stands for anything.
//! `TIMES n C => S` repeats an exchange n times. `{n x}` is x repeated n times, another word in braces is a credential.
//!
//! `TLS` negotiates TLS after STARTTLS, `BEGIN TLS [NAME]` right after a new connection (with the greeting and EHLO).
//! `LOGIN` logs in, `MESSAGE` sends MAIL, RCPT and DATA, `CLOSED` expects the end, `MAILBOX` expects a text in the
//! mailbox, `MESSAGES` the number of messages in it, `METRICS` a line of the metrics. Before the start, `IDENTITY`
//! verifies one, `SANDBOX` enters the sandbox, `QUOTA` and `RATE` set the quotas, and `LISTENER` chooses the listeners
//! of a region.

use std::{fs, net::SocketAddr, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use seskey::{Region, SmtpPassword};
use seskey_local::{
    account::{Action, Identity, Principal, Status},
    sending::Quota,
    server::{Config, Server},
    smtp::{ListenOn, Listener, Tls},
};
use testkit::smtp_client::{Client, create_access_key, create_mailer, get, plain, tls_connector};

#[tokio::test]
async fn conversations() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conversations");
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 40, "{}", files.len());
    for file in files {
        let script = fs::read_to_string(&file).unwrap();
        hold(file.file_stem().unwrap().to_str().unwrap(), &script).await;
    }
}

async fn hold(name: &str, script: &str) {
    let server = Server::start(config(script)).await.unwrap();
    let words = words(&server);
    let connector = tls_connector(&server);
    let region =
        script.lines().find_map(|line| line.strip_prefix("LISTENER ")).unwrap_or("us-east-1");
    let address = |tls| {
        let is = |listener: &&Listener| listener.tls == tls && listener.region.as_str() == region;
        server.listeners.iter().find(is).unwrap().address
    };
    let mut client = Client::connect(name, address(Tls::Starttls)).await;
    for line in script.lines() {
        let filled =
            words.iter().fold(line.to_owned(), |line, (word, value)| line.replace(word, value));
        let filled = repeated(&filled);
        let (keyword, rest) = filled.split_once([':', ' ']).unwrap_or((&filled, ""));
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        match keyword {
            "#" | "IDENTITY" | "SANDBOX" | "QUOTA" | "RATE" | "LISTENER" => {}
            "C" => client.send(format!("{rest}\r\n")).await,
            "RAW" => client.send(unescaped(rest)).await,
            "S" => client.expect_line(rest).await,
            "TIMES" => {
                let (times, exchange) = rest.split_once(' ').unwrap();
                let (command, reply) = exchange.split_once(" => ").unwrap();
                for _ in 0..times.parse().unwrap() {
                    client.send(format!("{command}\r\n")).await;
                    client.expect_line(reply).await;
                }
            }
            "TLS" => client.start_tls(&connector, "localhost").await,
            "BEGIN" => {
                let server_name = rest.strip_prefix("TLS ").unwrap_or("localhost");
                client = Client::connect(name, address(Tls::Wrapper)).await;
                client.start_tls(&connector, server_name).await;
                client.expect_line("220 *").await;
                client.send("EHLO client.example.com\r\n").await;
                client.expect("250 Ok").await;
            }
            "LOGIN" => {
                client.send(format!("AUTH PLAIN {}\r\n", words[0].1)).await;
                client.expect_line("235 *").await;
            }
            "MESSAGE" => client.begin_message().await,
            "CLOSED" => client.expect_closed().await,
            "MAILBOX" => {
                let mailbox = get(&server, "/_aws/ses").await;
                assert!(mailbox.contains(rest), "{name}: {rest} is not in {mailbox}");
            }
            "METRICS" => {
                let metrics = get(&server, "/_seskey/metrics").await;
                let line = format!("\n{rest}\n");
                assert!(metrics.contains(&line), "{name}: {rest} is not in {metrics}");
            }
            "MESSAGES" => {
                let mailbox = get(&server, "/_aws/ses").await;
                let messages = mailbox.matches("\"RawData\":").count();
                assert_eq!(messages.to_string(), rest, "{name}: {mailbox}");
            }
            other => panic!("{name}: {other} is no keyword"),
        }
    }
}

fn config(script: &str) -> Config {
    let mut config = Config::ephemeral();
    let identities = script.lines().filter_map(|line| line.strip_prefix("IDENTITY "));
    config.identities = identities.map(|name| Identity::parse(name).unwrap()).collect();
    config.sending.sandbox = script.lines().any(|line| line == "SANDBOX");
    let number = |keyword: &str| {
        script.lines().find_map(|line| line.strip_prefix(keyword)).map(|n| n.parse().unwrap())
    };
    config.sending.quota =
        Quota { max_24_hour_send: number("QUOTA "), max_send_rate: number("RATE ") };
    for region in ["us-east-1", "eu-west-1"] {
        for tls in [Tls::Starttls, Tls::Wrapper] {
            let region = Region::parse(region).unwrap();
            config.smtp.push(ListenOn {
                address: SocketAddr::from(([127, 0, 0, 1], 0)),
                region: Some(region),
                tls,
            });
        }
    }
    config
}

/// Returns the words in braces with their values: credentials of one user in every right and wrong form.
fn words(server: &Server) -> Vec<(&'static str, String)> {
    create_mailer(server);
    let (key, inactive) = (create_access_key(server), create_access_key(server));
    let deactivate = Action::UpdateAccessKey {
        principal: Principal::User("mailer".to_owned()),
        access_key_id: inactive.id.clone(),
        status: Status::Inactive,
    };
    server.apply(deactivate).unwrap();
    let (root_id, root_secret) = &server.root;
    let region = Region::parse("us-east-1").unwrap();
    let right = key.password("us-east-1");
    let nobodys = SmtpPassword::derive(root_secret, &region).expose().to_owned();
    vec![
        ("{plain}", key.plain("us-east-1")),
        ("{plain raw secret}", plain("", &key.id, key.secret.expose())),
        ("{plain other region}", key.plain("eu-west-1")),
        ("{plain v2}", plain("", &key.id, SmtpPassword::derive_v2(&key.secret).expose())),
        ("{plain inactive}", inactive.plain("us-east-1")),
        ("{plain unknown user}", plain("", "AKIAIOSFODNN7EXAMPLE", &right)),
        ("{plain unknown user, root's password}", plain("", "AKIAIOSFODNN7EXAMPLE", &nobodys)),
        ("{plain user name}", plain("", "mailer", &right)),
        ("{plain no password}", plain("", &key.id, "")),
        ("{plain nothing}", plain("", "", "")),
        ("{plain long password}", plain("", &key.id, &right.repeat(100))),
        ("{plain password and more}", plain("", &key.id, &format!("{right}\0"))),
        ("{plain with identity}", plain(root_id.as_str(), &key.id, &right)),
        ("{login user}", BASE64_STANDARD.encode(&key.id)),
        ("{login password}", BASE64_STANDARD.encode(&right)),
    ]
}

/// Replaces `{3 x}` by `xxx`; another brace stands for itself.
fn repeated(line: &str) -> String {
    let Some((before, rest)) = line.split_once('{') else { return line.to_owned() };
    let counted = rest.split_once('}').and_then(|(inside, after)| {
        let (times, text) = inside.split_once(' ')?;
        Some((text.repeat(times.parse().ok()?), after))
    });
    match counted {
        Some((text, after)) => format!("{before}{text}{}", repeated(after)),
        None => format!("{before}{{{}", repeated(rest)),
    }
}

/// Replaces `\r`, `\n`, `\0`, and `\xff`, which stands for a byte that no text has.
fn unescaped(text: &str) -> Vec<u8> {
    let text = text.replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0");
    let pieces: Vec<&[u8]> = text.split("\\xff").map(str::as_bytes).collect();
    pieces.join(&0xff)
}
