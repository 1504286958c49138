//! `seskey demo`: the whole life of a credential on a local SES in this process. Everything goes over the wire: the AWS
//! SDK for IAM, TLS sockets for SMTP, HTTP for the mailbox.

mod rotation;

use std::{
    future::Future,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde_json::{Value, json};
use seskey::{
    Region, SecretAccessKey, SmtpCredential, SmtpPassword,
    policy::{Reach, SendingPolicy},
    user::{UserName, UserPath},
};
use seskey_aws::{
    Account, Options,
    lifecycle::{
        Interrupt,
        create::{CreateRequest, Event, Style, create},
        delete::{delete, plan},
        undo::Thing,
    },
    smtp::{Address, Client, Security, Server, SmtpError, Timeouts, Transcript},
};
use seskey_local::server::{self, Config};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    args::Global,
    connect::aws,
    exit::Exit,
    explain::{Failure, Result},
    output::Output,
};

const SENDER: &str = "news@example.com";
const STRANGER: &str = "boss@example.net";
const RECIPIENT: &str = "reader@example.org";

pub(crate) fn run(_: &Global, output: &Output) -> Result<Exit> {
    aws::block_on(async {
        let mut steps = Steps { output: output.clone(), done: vec![] };
        let outcome = life(&mut steps).await;
        if output.json {
            output.answer_json(&json!({"held": outcome.is_ok(), "steps": steps.done}))?;
        }
        outcome.map_err(|what| {
            Failure::new(
                format!("this step did not hold: {what}"),
                "this is a fault of seskey: please report it",
            )
        })?;
        if !output.json {
            output.answer("\nEvery step held. The same verbs work on AWS: seskey create, verify, rotate, list, delete.\n")?;
        }
        Ok(Exit::Done)
    })?
}

async fn life(steps: &mut Steps) -> std::result::Result<(), String> {
    let local = steps.hold("start a local Amazon SES", async {
        let server = server::Server::start(Config::ephemeral()).await.map_err(text)?;
        Ok((
            format!("IAM on {}, SMTP on {} and {}", server.http, server.smtp, server.smtps),
            server,
        ))
    });
    let local = local.await?;
    let region = Region::parse("us-east-1").map_err(text)?;
    let account = Account::connect(&Options {
        region: Some(region.clone()),
        endpoint_url: Some(local.endpoint_url()),
        access_key: Some(local.root.clone()),
        ..Options::default()
    })
    .await;
    let smtp = Smtp::new(&local, &region)?;

    let credential = create_credential(steps, &account, &region).await?;
    let user = credential.iam_user.clone().unwrap_or_default();
    let (id, password) = (credential.user_name.as_str(), credential.password.expose());
    steps.accepted("log in over STARTTLS", smtp.log_in(&smtp.starttls, id, password)).await?;
    steps
        .accepted("log in over the TLS wrapper", smtp.log_in(&smtp.tls_wrapper, id, password))
        .await?;
    steps
        .accepted(&format!("send a message from {SENDER}"), smtp.send(&credential, SENDER))
        .await?;
    let mailbox = async {
        let answer = mailbox(&local).await?;
        match answer["messages"].as_array().map(Vec::as_slice) {
            Some([message]) if message["Source"] == SENDER => {
                Ok((message["Id"].as_str().unwrap_or_default().to_owned(), ()))
            }
            _ => Err(format!("the mailbox holds {answer}")),
        }
    };
    steps.hold("find it in the mailbox", mailbox).await?;
    let denied = smtp.send(&credential, STRANGER);
    steps.refused(&format!("a message from {STRANGER}, not in the policy"), 554, denied).await?;

    let credential =
        rotation::rotated(steps, &local, &account, &smtp, &region, &credential).await?;
    let (id, password) = (credential.user_name.as_str(), credential.password.expose());

    let key = steps.hold("create a second access key", async {
        let key = account.create_access_key(&user).await.map_err(text)?;
        Ok((key.id.clone(), key))
    });
    let key = key.await?;
    let secret = SecretAccessKey::parse(key.secret.expose()).map_err(text)?;
    let derived = steps.hold("derive its SMTP password", async {
        let password = SmtpPassword::derive(&secret, &region);
        Ok((format!("{} characters", password.expose().len()), password))
    });
    let derived = derived.await?;
    let other = Region::parse("eu-west-1").map_err(text)?;
    let login = |password: String| {
        let (smtp, id) = (&smtp, &key.id);
        async move { smtp.log_in(&smtp.starttls, id, &password).await }
    };
    steps.accepted("log in with it", login(derived.expose().to_owned())).await?;
    steps
        .refused(
            "the raw secret access key as the password",
            535,
            login(secret.expose().to_owned()),
        )
        .await?;
    steps
        .refused(
            &format!("the password for another region, {other}"),
            535,
            login(SmtpPassword::derive(&secret, &other).expose().to_owned()),
        )
        .await?;
    let legacy = SmtpPassword::derive_v2(&secret).expose().to_owned();
    steps.refused("a password of the legacy algorithm, v2", 535, login(legacy)).await?;
    account.update_access_key(&user, &key.id, false).await.map_err(text)?;
    let right = login(derived.expose().to_owned());
    steps.refused("the right password, now that the key is inactive", 535, right).await?;

    let deleted = async {
        let plan = plan(&account, &user).await.map_err(text)?.ok_or("the user is gone")?;
        delete(&account, &plan, &mut |_| {}).await.map_err(text)?;
        Ok((format!("{} things", plan.removals.len()), ()))
    };
    steps.hold("delete the user with its keys and its policy", deleted).await?;
    steps
        .refused(
            "the delivered password, now that its key is deleted",
            535,
            smtp.log_in(&smtp.starttls, id, password),
        )
        .await
}

async fn create_credential(
    steps: &mut Steps,
    account: &Account,
    region: &Region,
) -> std::result::Result<SmtpCredential, String> {
    let policy = SendingPolicy {
        reach: Reach::Region(region.clone()),
        from_addresses: vec!["*@example.com".to_owned()],
        ..SendingPolicy::default()
    };
    let request = CreateRequest {
        user_name: UserName::proposed(Timestamp::now()),
        path: UserPath::parse("/").map_err(text)?,
        tags: vec![],
        permissions_boundary: None,
        style: Style::Inline { policy: policy.to_json().map_err(text)? },
        region: region.clone(),
        proof: None,
    };
    let (start, mut made) = (Instant::now(), vec![]);
    let mut report = |event| {
        if let Event::Made(thing) = event {
            made.push((thing, start.elapsed()));
        }
    };
    let created = create(account, &request, Interrupt::never(), &mut report).await.map_err(text)?;
    // the key is made last; the time after it is the derivation
    if let Some((_, until)) = made.last_mut() {
        *until = start.elapsed();
    }
    let mut before = Duration::ZERO;
    for (thing, until) in made {
        let took = until - before;
        before = until;
        match thing {
            Thing::User { user } => steps.done("create an IAM user", took, &user),
            Thing::UserPolicy { .. } => {
                steps.done("give it a policy: ses:SendRawEmail from *@example.com", took, "")
            }
            Thing::AccessKey { .. } => {
                let id = created.credential.user_name.as_str();
                steps.done("create an access key, and derive the SMTP password", took, id)
            }
            _ => {}
        }
    }
    Ok(created.credential)
}

/// The steps so far; each is printed when it has held.
struct Steps {
    output: Output,
    done: Vec<Value>,
}

type Held<T> = std::result::Result<T, String>;

impl Steps {
    fn done(&mut self, step: &str, took: Duration, detail: &str) {
        let milliseconds = took.as_secs_f64() * 1000.0;
        self.done.push(json!({"step": step, "milliseconds": milliseconds, "detail": detail}));
        if !self.output.json {
            let mut text = format!("{:>2}  {step:<62} {milliseconds:>6.1} ms\n", self.done.len());
            if !detail.is_empty() {
                text.push_str(&format!("    {detail}\n"));
            }
            // the verdict is the exit code; a reader that has gone does not change it
            let _ = self.output.answer(&text);
        }
    }

    async fn hold<T>(
        &mut self,
        step: &str,
        doing: impl Future<Output = Held<(String, T)>>,
    ) -> Held<T> {
        let start = Instant::now();
        let (detail, value) = doing.await.map_err(|what| format!("{step}: {what}"))?;
        self.done(step, start.elapsed(), &detail);
        Ok(value)
    }

    async fn accepted(
        &mut self,
        step: &str,
        doing: impl Future<Output = std::result::Result<String, SmtpError>>,
    ) -> Held<()> {
        self.hold(step, async { Ok((doing.await.map_err(text)?, ())) }).await
    }

    /// Runs a step that holds if the server refuses with this code.
    async fn refused(
        &mut self,
        step: &str,
        code: u16,
        doing: impl Future<Output = std::result::Result<String, SmtpError>>,
    ) -> Held<()> {
        let step = format!("refused: {step}");
        let refusal = async {
            match doing.await {
                Err(SmtpError::Refused { reply, .. }) if reply.code == code => {
                    Ok((format!("{} {}", reply.code, reply.text()), ()))
                }
                Err(other) => Err(other.to_string()),
                Ok(reply) => Err(format!("it was accepted: {reply}")),
            }
        };
        self.hold(&step, refusal).await
    }
}

struct Smtp {
    client: Client,
    starttls: Server,
    tls_wrapper: Server,
}

impl Smtp {
    fn new(local: &server::Server, region: &Region) -> Held<Self> {
        let client =
            Client::new(Some(local.authority_pem.as_bytes()), Timeouts::default()).map_err(text)?;
        let server = |address: std::net::SocketAddr, security| Server {
            server_name: region.smtp_endpoint(),
            ..Server::new(&address.ip().to_string(), address.port(), security)
        };
        Ok(Self {
            client,
            starttls: server(local.smtp, Security::Starttls),
            tls_wrapper: server(local.smtps, Security::TlsWrapper),
        })
    }

    async fn log_in(
        &self,
        server: &Server,
        id: &str,
        password: &str,
    ) -> std::result::Result<String, SmtpError> {
        let mut transcript = Transcript::default();
        self.client.prove(server, id, password, &mut transcript).await?;
        let version = transcript.tls.map(|tls| tls.version).unwrap_or_default();
        Ok(format!("235 Authentication successful. ({version})"))
    }

    async fn send(
        &self,
        credential: &SmtpCredential,
        from: &str,
    ) -> std::result::Result<String, SmtpError> {
        let mut transcript = Transcript::default();
        let mut session = self.client.connect(&self.starttls, &mut transcript).await?;
        session.log_in(credential.user_name.as_str(), credential.password.expose()).await?;
        let address = |text| Address::parse(text).expect("an address that is a constant");
        let message =
            format!("From: {from}\r\nTo: {RECIPIENT}\r\nSubject: demo\r\n\r\nIt works.\r\n");
        let reply = session.send(&address(from), &[address(RECIPIENT)], message.as_bytes()).await?;
        session.quit().await;
        Ok(format!("{} {}", reply.code, reply.text()))
    }
}

/// Returns the answer of `GET /_aws/ses`.
async fn mailbox(local: &server::Server) -> Held<Value> {
    let mut stream = TcpStream::connect(local.http).await.map_err(text)?;
    // an answer of HTTP/1.0 comes in one piece
    let request = format!("GET /_aws/ses HTTP/1.0\r\nHost: {}\r\n\r\n", local.http);
    stream.write_all(request.as_bytes()).await.map_err(text)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.map_err(text)?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("no HTTP answer")?;
    serde_json::from_str(body).map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
