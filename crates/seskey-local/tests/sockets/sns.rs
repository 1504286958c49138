//! Deliveries to the HTTP subscribers of SNS, and to another SNS.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, UnixTime, pem::PemObject};
use serde_json::Value;
use seskey_local::server::{Config, DeliveryPolicy, Server};
use testkit::{
    apis::{FORM, Iam, texts},
    smtp_client::{Client, create_access_key, create_mailer},
    tls,
    wire::{Answer, exchange},
};
use tokio::task::spawn_blocking;
use webpki::{EndEntityCert, KeyUsage, aws_lc_rs::RSA_PKCS1_2048_8192_SHA256};

use crate::sns_subscriber::{OK, Posted, Subscriber};

const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:events";

/// Returns a policy without waits between attempts, whose timeout no test reaches.
fn policy() -> DeliveryPolicy {
    DeliveryPolicy { timeout: Duration::from_secs(3600), waits: vec![Duration::ZERO; 3] }
}

async fn started() -> Server {
    let server = Server::start(Config { delivery: policy(), ..Config::ephemeral() }).await.unwrap();
    sns(&server, &format!("Action=CreateTopic&Name={}", TOPIC.rsplit(':').next().unwrap())).await;
    server
}

/// Calls SNS as the root user.
async fn sns(server: &Server, form: &str) -> String {
    call(server, "sns", format!("{form}&Version=2010-03-31")).await
}

/// Calls SES as the root user.
async fn ses(server: &Server, form: &str) -> String {
    call(server, "ses", format!("{form}&Version=2010-12-01")).await
}

async fn call(server: &Server, service: &'static str, form: String) -> String {
    let (id, secret) = &server.root;
    let key = [id.as_str().to_owned(), secret.expose().to_owned()];
    let address = server.http.to_string();
    let call = move || Iam::by(&address, key).post(service, "/", FORM, &form).unwrap();
    let (status, body) = spawn_blocking(call).await.unwrap();
    assert_eq!(status, 200, "{body}");
    body
}

/// Follows a URL in a message.
async fn follow(server: &Server, url: &str) -> Answer {
    let path = url.strip_prefix(&server.endpoint_url()).unwrap_or_else(|| panic!("{url}"));
    exchange(server.http, &format!("GET {path}"), &[], "").await
}

/// Subscribes to the topic, confirms that, and returns the ARN of the subscription.
async fn subscribe(server: &Server, subscriber: &mut Subscriber, url: &str) -> String {
    let protocol = url.split(':').next().unwrap();
    let url: String = form_urlencoded::byte_serialize(url.as_bytes()).collect();
    sns(server, &format!("Action=Subscribe&TopicArn={TOPIC}&Protocol={protocol}&Endpoint={url}"))
        .await;
    let mut asked = subscriber.next().await;
    if !asked.headers.contains_key("authorization") && url.contains("%40") {
        asked = subscriber.next().await;
    }
    assert_eq!(asked.kind(), "SubscriptionConfirmation");
    let confirmed = follow(server, asked.json()["SubscribeURL"].as_str().unwrap()).await;
    assert_eq!(confirmed.status(), 200, "{}", confirmed.body);
    texts(&confirmed.body, "SubscriptionArn").remove(0)
}

/// Returns the string to sign, of the members that the documentation of SNS names.
fn string_to_sign(message: &Value) -> String {
    let names = match message["Type"].as_str().unwrap() {
        "Notification" => &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"][..],
        _ => &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
    };
    let value = |name: &&str| Some(format!("{name}\n{}\n", message.get(name)?.as_str()?));
    names.iter().filter_map(value).collect()
}

/// Verifies a message with the certificate that it names, which the local authority has signed.
async fn verify(server: &Server, message: &Value) {
    assert_eq!(message["SignatureVersion"], "2");
    let url = message["SigningCertURL"].as_str().unwrap();
    let path =
        url.strip_prefix(&format!("https://{}", server.http)).unwrap_or_else(|| panic!("{url}"));
    assert!(path.ends_with(".pem"), "{path}");
    let (address, ca) = (server.http, server.authority_pem.clone());
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    let answer = spawn_blocking(move || tls::ask(address, "127.0.0.1", &ca, &request).unwrap());
    let answer = answer.await.unwrap();
    let pem = answer.split_once("\r\n\r\n").unwrap().1;
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let authority = CertificateDer::from_pem_slice(server.authority_pem.as_bytes()).unwrap();
    let anchor = webpki::anchor_from_trusted_cert(&authority).unwrap();
    let certificate = EndEntityCert::try_from(&certificate).unwrap();
    let algorithms = webpki::ALL_VERIFICATION_ALGS;
    certificate
        .verify_for_usage(
            algorithms,
            &[anchor],
            &[],
            UnixTime::now(),
            KeyUsage::client_auth(),
            None,
            None,
        )
        .unwrap();
    let signature = BASE64_STANDARD.decode(message["Signature"].as_str().unwrap()).unwrap();
    let signed = string_to_sign(message);
    certificate
        .verify_signature(RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
        .unwrap();
    let other = certificate.verify_signature(RSA_PKCS1_2048_8192_SHA256, b"another", &signature);
    assert!(other.is_err());
}

#[tokio::test]
async fn a_subscriber_confirms_gets_what_is_published_and_leaves() {
    let server = started().await;
    let mut subscriber = Subscriber::start(|_, _| Some(OK)).await;
    let url: String = form_urlencoded::byte_serialize(subscriber.url().as_bytes()).collect();
    sns(&server, &format!("Action=Subscribe&TopicArn={TOPIC}&Protocol=http&Endpoint={url}")).await;
    let asked = subscriber.next().await;
    assert_eq!(asked.line, "POST /hook HTTP/1.1");
    for (name, value) in [
        ("x-amz-sns-message-type", "SubscriptionConfirmation"),
        ("x-amz-sns-topic-arn", TOPIC),
        ("content-type", "text/plain; charset=UTF-8"),
        ("user-agent", "Amazon Simple Notification Service Agent"),
    ] {
        assert_eq!(asked.headers[name], value, "{name}");
    }
    assert!(!asked.headers.contains_key("x-amz-sns-subscription-arn"));
    let message = asked.json();
    assert_eq!(message["MessageId"], asked.headers["x-amz-sns-message-id"].as_str());
    verify(&server, &message).await;

    let confirmed = follow(&server, message["SubscribeURL"].as_str().unwrap()).await;
    let arn = texts(&confirmed.body, "SubscriptionArn").remove(0);
    let published = sns(
        &server,
        &format!(
            "Action=Publish&TopicArn={TOPIC}&Subject=a+line&Message=Gr%C3%BC%C3%9Fe%0A%22x%22"
        ),
    )
    .await;
    let posted = subscriber.next().await;
    let message = posted.json();
    assert_eq!(posted.kind(), "Notification");
    assert_eq!(posted.headers["x-amz-sns-subscription-arn"], arn);
    assert_eq!(message["MessageId"], texts(&published, "MessageId").remove(0));
    assert_eq!(
        (&message["Subject"], &message["Message"]),
        (&"a line".into(), &"Grüße\n\"x\"".into())
    );
    let time: Timestamp = message["Timestamp"].as_str().unwrap().parse().unwrap();
    assert!(time <= Timestamp::now() && message["Timestamp"].as_str().unwrap().len() == 24);
    verify(&server, &message).await;

    let raw = format!(
        "Action=SetSubscriptionAttributes&SubscriptionArn={arn}&AttributeName=RawMessageDelivery&AttributeValue=true"
    );
    sns(&server, &raw).await;
    server.publish(TOPIC, Some("Amazon SES Email Event Notification"), "raw".into());
    let posted = subscriber.next().await;
    assert_eq!(
        (posted.body.as_str(), posted.headers["x-amz-sns-rawdelivery"].as_str()),
        ("raw", "true")
    );

    let left = follow(&server, message["UnsubscribeURL"].as_str().unwrap()).await;
    assert_eq!(left.status(), 200);
    let posted = subscriber.next().await;
    assert_eq!(posted.kind(), "UnsubscribeConfirmation");
    verify(&server, &posted.json()).await;
    let again = follow(&server, posted.json()["SubscribeURL"].as_str().unwrap()).await;
    assert_eq!(texts(&again.body, "SubscriptionArn"), [arn]);
}

#[tokio::test]
async fn who_fails_is_asked_again_and_who_refuses_is_not() {
    let server = started().await;
    let mut subscriber = Subscriber::start(|n, _| {
        // the first request asks for the confirmation
        Some(match n {
            0 | 4 => OK,
            1 => "500 Internal Server Error",
            2 => "429 Too Many Requests",
            3 => "503 Service Unavailable",
            5 => "404 Not Found",
            6 => "302 Found\r\nLocation: /elsewhere",
            _ => "500 Internal Server Error",
        })
    })
    .await;
    let url = subscriber.url();
    subscribe(&server, &mut subscriber, &url).await;
    let mut next = async |text: &str| {
        let posted = subscriber.next().await;
        assert_eq!(
            (posted.line.as_str(), &posted.json()["Message"]),
            ("POST /hook HTTP/1.1", &text.into())
        );
        posted.headers["x-amz-sns-message-id"].clone()
    };
    server.publish(TOPIC, None, "first".into());
    let id = next("first").await;
    for _ in 0..3 {
        assert_eq!(next("first").await, id);
    }
    for text in ["a 404", "a 302"] {
        server.publish(TOPIC, None, text.into());
        next(text).await;
    }
    server.publish(TOPIC, None, "last".into());
    for _ in 0..4 {
        next("last").await;
    }
}

#[tokio::test]
async fn who_does_not_answer_holds_up_nobody() {
    let server = started().await;
    let confirms = |_, posted: &Posted| (posted.kind() == "SubscriptionConfirmation").then_some(OK);
    let mut slow = Subscriber::start(confirms).await;
    let mut other = Subscriber::start(|_, _| Some(OK)).await;
    let (slow_url, url) = (slow.url(), other.url());
    subscribe(&server, &mut slow, &slow_url).await;
    subscribe(&server, &mut other, &url).await;
    for n in 0..50 {
        server.publish(TOPIC, None, n.to_string());
    }
    let mut texts = vec![];
    for _ in 0..50 {
        texts.push(other.next().await.json()["Message"].as_str().unwrap().parse::<u32>().unwrap());
    }
    texts.sort_unstable();
    assert_eq!(texts, (0..50).collect::<Vec<_>>());
    // as many at once as one subscriber may get
    for _ in 0..10 {
        slow.next().await;
    }
    drop(server);
}

#[tokio::test]
async fn a_password_is_given_to_who_asks_for_it() {
    let server = started().await;
    let mut subscriber = Subscriber::start(|_, posted| {
        Some(match posted.headers.get("authorization").map(String::as_str) {
            // user:pass@word
            Some("Basic dXNlcjpwYXNzQHdvcmQ=") => OK,
            _ => "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"hook\"",
        })
    })
    .await;
    let url = subscriber.url().replace("://", "://user:pass%40word@");
    subscribe(&server, &mut subscriber, &url).await;
    server.publish(TOPIC, None, "text".into());
    assert!(!subscriber.next().await.headers.contains_key("authorization"));
    assert_eq!(subscriber.next().await.json()["Message"], "text");
}

/// The subscribed HTTPS endpoint is the local SES itself, whose certificate is from its own authority.
#[tokio::test]
async fn an_https_endpoint_is_trusted_by_the_authority() {
    let server = started().await;
    let own = format!("https://localhost:{}/?Action=Nothing", server.http.port());
    let own: String = form_urlencoded::byte_serialize(own.as_bytes()).collect();
    sns(&server, &format!("Action=Subscribe&TopicArn={TOPIC}&Protocol=https&Endpoint={own}")).await;
    // the local SES refuses the request, because it is not signed
    let refused = r#"action="unknown",status="403""#;
    for _ in 0..6_000 {
        let metrics = exchange(server.http, "GET /_seskey/metrics", &[], "").await.body;
        if metrics.contains(refused) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing was sent");
}

#[tokio::test]
async fn subscriptions_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config {
        delivery: policy(),
        data: Some(folder.path().join("data")),
        ..Config::ephemeral()
    };
    let mut subscriber = Subscriber::start(|_, _| Some(OK)).await;
    let server = Server::start(config()).await.unwrap();
    sns(&server, "Action=CreateTopic&Name=events").await;
    let url = subscriber.url();
    subscribe(&server, &mut subscriber, &url).await;
    drop(server);
    let server = Server::start(config()).await.unwrap();
    server.publish(TOPIC, None, "after".into());
    let message = subscriber.next().await.json();
    assert_eq!(message["Message"], "after");
    verify(&server, &message).await;
}

#[tokio::test]
async fn what_ses_publishes_is_published_in_the_sns_beside_it() {
    let mut beside = Subscriber::start(|n, _| Some(if n == 0 { "500 Internal" } else { OK })).await;
    let config = Config {
        delivery: policy(),
        sns_endpoint: Some(format!("http://{}", beside.address)),
        ..Config::ephemeral()
    };
    let server = Server::start(config).await.unwrap();
    let topic = "arn:aws:sns:eu-west-1:000000000000:elsewhere";
    server.publish(topic, Some("a line"), "Grüße & more".into());
    for _ in 0..2 {
        let posted = beside.next().await;
        assert_eq!(posted.line, "POST / HTTP/1.1");
        let form: Vec<(String, String)> =
            form_urlencoded::parse(posted.body.as_bytes()).into_owned().collect();
        let expected = [
            ("Action", "Publish"),
            ("Version", "2010-03-31"),
            ("TopicArn", topic),
            ("Message", "Grüße & more"),
            ("Subject", "a line"),
        ];
        assert_eq!(form, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let scope = posted.headers["authorization"].split('/').nth(2).map(str::to_owned);
        assert_eq!(scope.as_deref(), Some("eu-west-1"));
    }
    // a message that is published by the API is not passed on
    sns(&server, "Action=CreateTopic&Name=events").await;
    sns(&server, &format!("Action=Publish&TopicArn={TOPIC}&Message=api")).await;
    server.publish(topic, None, "last".into());
    assert!(beside.next().await.body.contains("Message=last"));
}

#[tokio::test]
async fn an_endpoint_that_is_no_url_is_refused() {
    let config = Config { sns_endpoint: Some("localhost:4566".into()), ..Config::ephemeral() };
    assert!(Server::start(config).await.is_err());
}

#[tokio::test]
async fn a_bounce_reaches_a_subscriber() {
    let server = started().await;
    let mut subscriber = Subscriber::start(|_, _| Some(OK)).await;
    let url = subscriber.url();
    subscribe(&server, &mut subscriber, &url).await;
    ses(&server, "Action=CreateConfigurationSet&ConfigurationSet.Name=allowed").await;
    let destination = format!(
        "Action=CreateConfigurationSetEventDestination&ConfigurationSetName=allowed&EventDestination.Name=sns\
         &EventDestination.Enabled=true&EventDestination.MatchingEventTypes.member.1=bounce\
         &EventDestination.SNSDestination.TopicARN={TOPIC}"
    );
    ses(&server, &destination).await;
    let validated = subscriber.next().await.json();
    let text = "Successfully validated SNS topic for Amazon SES event publishing.";
    assert_eq!((&validated["Message"], validated.get("Subject")), (&text.into(), None));

    create_mailer(&server);
    let key = create_access_key(&server);
    let mut client = Client::logged_in("bounce", &server, &key).await;
    client.send("MAIL FROM:<news@example.com>\r\n").await;
    client.expect("250 Ok").await;
    client.send("RCPT TO:<bounce@simulator.amazonses.com>\r\nDATA\r\n").await;
    client.expect("250 Ok").await;
    client.expect("354 End data with <CR><LF>.<CR><LF>").await;
    let message = "From: news@example.com\r\nX-SES-CONFIGURATION-SET: allowed\r\nSubject: hi\r\n\r\nhi\r\n.\r\n";
    client.send(message).await;
    client.expect_line("250 Ok *").await;
    let posted = subscriber.next().await.json();
    assert_eq!(posted["Subject"], "Amazon SES Email Event Notification");
    verify(&server, &posted).await;
    let event: Value = serde_json::from_str(posted["Message"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&event["eventType"], &event["bounce"]["bounceType"]),
        (&"Bounce".into(), &"Permanent".into())
    );
}
