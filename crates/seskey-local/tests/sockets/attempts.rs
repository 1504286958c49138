//! Refused attempts with their causes, the dialogues of sessions, and the stream of messages and attempts.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use seskey_local::server::{Config, Server};
use testkit::{
    smtp_client::{AccessKey, Client, create_access_key, create_mailer, plain, tls_connector},
    wire::{Wire, exchange},
};
use tokio::{io::AsyncReadExt, time::timeout};

async fn started() -> (Server, AccessKey) {
    let server = Server::start(Config::ephemeral()).await.unwrap();
    create_mailer(&server);
    let key = create_access_key(&server);
    (server, key)
}

async fn json_of(server: &Server, request: &str) -> Value {
    let answer = exchange(server.http, request, &[], "").await;
    assert_eq!(answer.status(), 200, "{request}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

async fn attempts(server: &Server, query: &str) -> Vec<Value> {
    let mut found = json_of(server, &format!("GET /_seskey/attempts{query}")).await;
    serde_json::from_value(found["attempts"].take()).unwrap()
}

/// Sends a message from an address, and returns the reply.
async fn send(client: &mut Client, from: &str, subject: &str) -> String {
    client.begin_message().await;
    let message =
        format!("From: {from}\r\nTo: bob@example.org\r\nSubject: {subject}\r\n\r\nhi\r\n.\r\n");
    client.send(message).await;
    client.line().await.unwrap()
}

#[tokio::test]
async fn a_refusal_names_the_statement() {
    let (server, key) = started().await;
    let mut client = Client::logged_in("attempts", &server, &key).await;
    let reply = send(&mut client, "ann@example.com", "not allowed").await;
    let denied = send(&mut client, "news@denied.example", "denied").await;
    let [first, second] = &attempts(&server, "").await[..] else { panic!("two are refused") };

    assert_eq!(first["Step"], "end-of-data");
    assert_eq!(first["Reply"], *reply);
    assert_eq!(first["User"], "arn:aws:iam::000000000000:user/app/mailer");
    assert_eq!(first["AccessKeyId"], *key.id);
    assert_eq!(first["Source"], "news@example.com");
    assert_eq!(first["Recipients"], json!(["bob@example.org"]));
    assert_eq!(first["Subject"], "not allowed");
    assert_eq!(
        first["Decision"],
        json!({"Kind": "ImplicitDeny", "Policies": ["inline policy AmazonSesSendingAccess"]})
    );
    assert_eq!(second["Reply"], *denied);
    let by = &second["Decision"]["By"];
    assert_eq!(second["Decision"]["Kind"], "ExplicitDeny");
    assert_eq!(
        (&by["Policy"], &by["Number"]),
        (&json!("inline policy AmazonSesSendingAccess"), &json!(2))
    );
    let text: Value = serde_json::from_str(by["Text"].as_str().unwrap()).unwrap();
    assert_eq!(text["Effect"], "Deny");

    for (query, found) in [
        ("?step=end-of-data", 2),
        ("?step=login", 0),
        ("?from=NEWS@example.com&to=bob@example.org", 2),
        ("?to=eve@example.org", 0),
        ("?user=mailer", 2),
        ("?user=other", 0),
        (&*format!("?access_key_id={}", key.id), 2),
        (&*format!("?since={}", first["Id"].as_str().unwrap()), 1),
        ("?since=2020-01-01T00:00:00Z&limit=1", 1),
    ] {
        assert_eq!(attempts(&server, query).await.len(), found, "{query}");
    }
    for query in ["?reply=554", "?step=quit", "?since=nonsense", "?limit=all"] {
        let answer = exchange(server.http, &format!("GET /_seskey/attempts{query}"), &[], "").await;
        assert_eq!(answer.status(), 400, "{query}");
    }
    let answer = exchange(server.http, "DELETE /_seskey/attempts", &[], "").await;
    assert_eq!(answer.status(), 204);
    assert_eq!(attempts(&server, "").await.len(), 0);
}

#[tokio::test]
async fn each_step_may_be_refused() {
    let (server, key) = started().await;
    let mut client = Client::logged_in("attempts", &server, &key).await;
    for (command, reply) in [
        ("DATA", "503 *"),
        ("MAIL FROM:<no address>", "501 *"),
        ("MAIL FROM:<news@example.com>", "250 *"),
        ("RCPT TO:<no address>", "553 *"),
        ("NOOP", "250 *"),
        ("VRFY x", "502 *"),
    ] {
        client.send(format!("{command}\r\n")).await;
        client.expect_line(reply).await;
    }
    let found = attempts(&server, "").await;
    let steps: Vec<_> = found.iter().map(|it| it["Step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["data", "mail", "rcpt"]);
    assert_eq!(found[2]["Source"], "news@example.com");
    let id = found[2]["Id"].as_str().unwrap();
    let said = json_of(&server, &format!("GET /_seskey/attempts/{id}/dialogue")).await;
    let last = said["dialogue"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["By"], &last["Line"]), (&json!("server"), &found[2]["Reply"]));
}

/// A password is in no list, no dialogue and no cause, right or wrong.
#[tokio::test]
async fn a_refused_login_is_kept_without_its_password() {
    let (server, key) = started().await;
    let passwords = ["wrong-password", key.secret.expose(), &key.password("eu-west-1")];
    for password in passwords {
        let mut client = Client::connect("attempts", server.smtps).await;
        client.start_tls(&tls_connector(&server), "localhost").await;
        client.expect_line("220 *").await;
        let (user_name, encoded) =
            (BASE64_STANDARD.encode(&key.id), BASE64_STANDARD.encode(password));
        for (line, reply) in [
            (&*format!("AUTH PLAIN {}", plain("", &key.id, password)), "535 *"),
            ("AUTH LOGIN", "334 *"),
            (&user_name, "334 *"),
            (&encoded, "535 *"),
        ] {
            client.send(format!("{line}\r\n")).await;
            client.expect_line(reply).await;
        }
    }
    let found = attempts(&server, "?step=login").await;
    assert!(found.len() == 6, "{found:?}");
    assert!(found.iter().all(|it| it["AccessKeyId"] == *key.id && it["User"].is_null()));
    assert_eq!(found[2]["Cause"]["Id"], "raw-secret-as-password", "{}", found[2]);
    let mut all = json!(found).to_string();
    for it in &found {
        let id = it["Id"].as_str().unwrap();
        all += &json_of(&server, &format!("GET /_seskey/attempts/{id}/dialogue")).await.to_string();
    }
    assert!(all.contains(&format!("AUTH PLAIN (user name {}) (password)", key.id)), "{all}");
    for password in passwords {
        let encoded = BASE64_STANDARD.encode(password);
        for secret in [password, &*encoded, &plain("", &key.id, password)] {
            assert!(!all.contains(secret), "{all}");
        }
    }
}

#[tokio::test]
async fn a_message_has_the_dialogue_of_its_session() {
    let (server, key) = started().await;
    let mut client = Client::logged_in("attempts", &server, &key).await;
    let mut replies = vec![];
    for _ in 0..2 {
        replies.push(send(&mut client, "news@example.com", "hi").await);
    }
    let id = replies[1].strip_prefix("250 Ok ").unwrap();
    let said = json_of(&server, &format!("GET /_seskey/messages/{id}/dialogue")).await;
    let lines = said["dialogue"].as_array().unwrap();
    let lines: Vec<_> = lines.iter().map(|it| it["Line"].as_str().unwrap()).collect();
    assert!(lines[1].starts_with("220 "), "{lines:?}");
    assert_eq!(lines[2], format!("AUTH PLAIN (user name {}) (password)", key.id));
    assert_eq!(
        lines[3..],
        [
            "235 Authentication successful.",
            "MAIL FROM:<news@example.com>",
            "250 Ok",
            "RCPT TO:<bob@example.org>",
            "250 Ok",
            "DATA",
            "354 End data with <CR><LF>.<CR><LF>",
            "(message, 64 bytes)",
            &replies[1],
        ]
    );
    let none = exchange(server.http, "GET /_seskey/messages/none/dialogue", &[], "").await;
    assert_eq!(none.status(), 404);
}

/// Reads a stream until it contains a text.
async fn read_until(wire: &mut Wire, read: &mut String, wanted: &str) {
    while !read.contains(wanted) {
        let mut buffer = [0; 4096];
        let came = timeout(Duration::from_secs(30), wire.0.read(&mut buffer)).await;
        let length = came.unwrap_or_else(|_| panic!("no {wanted} in {read}")).unwrap();
        assert!(length > 0, "it ended: {read}");
        read.push_str(str::from_utf8(&buffer[..length]).unwrap());
    }
}

#[tokio::test]
async fn the_stream_tells_what_comes_and_goes() {
    let (server, key) = started().await;
    let mut client = Client::logged_in("attempts", &server, &key).await;
    send(&mut client, "news@example.com", "before").await;
    let request = "GET /_seskey/messages/stream HTTP/1.1\r\nHost: localhost\r\n";
    let (mut wire, mut read) = (Wire::to(server.http).await, String::new());
    wire.send(format!("{request}\r\n")).await;
    read_until(&mut wire, &mut read, "retry: ").await;
    send(&mut client, "news@example.com", "first").await;
    send(&mut client, "ann@example.com", "second").await;
    read_until(&mut wire, &mut read, "event: attempt\nid: 3\n").await;
    exchange(server.http, "DELETE /_aws/ses", &[], "").await;
    read_until(&mut wire, &mut read, "event: deleted\n").await;
    assert!(read.contains("text/event-stream"), "{read}");
    assert!(read.contains("event: message\nid: 2\ndata: {") && !read.contains("before"), "{read}");

    // a browser that reconnects names the last event that it saw
    let (mut wire, mut read) = (Wire::to(server.http).await, String::new());
    send(&mut client, "news@example.com", "third").await;
    wire.send(format!("{request}Last-Event-ID: 2\r\n\r\n")).await;
    read_until(&mut wire, &mut read, "event: message\nid: 4\n").await;
    assert!(read.contains("event: attempt\nid: 3\n"), "{read}");
    drop(server);
    let mut rest = vec![];
    let ended = timeout(Duration::from_secs(30), wire.0.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "it ends with the local SES");
}

#[tokio::test]
async fn there_may_be_so_many_listeners() {
    let (server, _) = started().await;
    let mut all = vec![];
    for _ in 0..250 {
        let mut wire = Wire::to(server.http).await;
        wire.send("GET /_seskey/messages/stream HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        read_until(&mut wire, &mut String::new(), "retry: ").await;
        all.push(wire);
    }
    let refused = exchange(server.http, "GET /_seskey/messages/stream", &[], "").await;
    assert_eq!(refused.status(), 503);
    all.pop();
    for _ in 0..100 {
        let mut wire = Wire::to(server.http).await;
        wire.send("GET /_seskey/messages/stream HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        let mut status = [0; 12];
        wire.0.read_exact(&mut status).await.unwrap();
        if &status == b"HTTP/1.1 200" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the place of one that went is free for another");
}
