//! The limits of one client on the HTTP side: time, bytes, connections.

use std::time::Duration;

use seskey_local::server::{Config, Limits, Server};
use testkit::wire::{Wire, exchange};

/// A limit short enough for a test to wait for it.
const SOON: Duration = Duration::from_millis(200);

async fn server(limits: Limits) -> Server {
    Server::start(Config { limits, ..Config::ephemeral() }).await.unwrap()
}

#[tokio::test]
async fn a_slow_header_is_not_waited_for() {
    let server = server(Limits { header: SOON, ..Limits::default() }).await;
    // the last is the beginning of a TLS handshake
    for begin in ["", "GET", "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", "\u{16}\u{3}\u{1}"] {
        let mut wire = Wire::to(server.http).await;
        wire.send(begin).await;
        assert_eq!(wire.rest().await, "", "{begin:?}");
    }
    // a client that keeps sending is too slow as well
    let mut wire = Wire::to(server.http).await;
    wire.send("GET / HTTP/1.1\r\n").await;
    while tokio::io::AsyncWriteExt::write_all(&mut wire.0, b"X: y\r\n").await.is_ok() {
        tokio::time::sleep(SOON / 4).await;
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = server(Limits { header: SOON * 10, ..Limits::default() }).await;
    let mut wire = Wire::to(server.http).await;
    assert!(wire.is_served().await && wire.is_served().await, "it is kept for a while");
    assert_eq!(wire.rest().await, "");
}

#[tokio::test]
async fn a_slow_body_is_not_waited_for() {
    let server = server(Limits { body: SOON, ..Limits::default() }).await;
    for body in
        ["Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"]
    {
        let mut wire = Wire::to(server.http).await;
        wire.send(format!("POST / HTTP/1.1\r\nHost: localhost\r\n{body}")).await;
        let answer = wire.rest().await.to_lowercase();
        assert!(answer.starts_with("http/1.1 408 "), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    }
}

#[tokio::test]
async fn headers_have_a_size() {
    let server = server(Limits::default()).await;
    for (fields, status) in [
        (vec![format!("X-Long: {}", "x".repeat(30_000))], 200),
        (vec![format!("X-Long: {}", "x".repeat(40_000))], 431),
        ((0..90).map(|n| format!("X-{n}: x")).collect(), 200),
        ((0..110).map(|n| format!("X-{n}: x")).collect(), 431),
    ] {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let answer = exchange(server.http, "GET /_seskey/health", &fields, "").await;
        assert_eq!(answer.status(), status, "{} fields", fields.len());
    }
    let target = format!("GET /_seskey/health?{}", "x".repeat(40_000));
    assert!([414, 431].contains(&exchange(server.http, &target, &[], "").await.status()));
}

#[tokio::test]
async fn bodies_have_a_size() {
    const LARGE: usize = 256 * 1024;
    let server = server(Limits::default()).await;
    let ses = "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260301/us-east-1/ses/aws4_request, \
               SignedHeaders=host, Signature=0000000000000000000000000000000000000000000000000000000000000000";
    for (request, fields, length, too_long) in [
        ("POST /", &[][..], LARGE, false),
        ("POST /", &[], LARGE + 1, true),
        ("POST /_seskey/clock", &[], LARGE + 1, true),
        ("POST /nowhere", &[], LARGE + 1, true),
        ("POST /_seskey/faults", &[ses], LARGE + 1, true),
        ("POST /", &[ses], LARGE + 1, false),
        ("POST /v2/email/outbound-emails", &[], LARGE + 1, false),
    ] {
        let answer = exchange(server.http, request, fields, &"x".repeat(length)).await;
        assert_eq!(answer.status() == 413, too_long, "{request} {length}: {}", answer.head);
    }
    // a client that does not say how much it will send
    let mut wire = Wire::to(server.http).await;
    wire.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    while tokio::io::AsyncWriteExt::write_all(&mut wire.0, chunk.as_bytes()).await.is_ok() {}
}

#[tokio::test]
async fn connections_are_counted() {
    let limits = Limits { connections_of_address: 2, ..Limits::default() };
    let server = server(limits).await;
    let (mut first, mut second) = (Wire::to(server.http).await, Wire::to(server.http).await);
    assert!(first.is_served().await && second.is_served().await);
    let mut third = Wire::to(server.http).await;
    let answer = third.rest().await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(first.is_served().await && second.is_served().await, "the others are not disturbed");
    drop(first);
    // the free place is noticed soon
    while !Wire::to(server.http).await.is_served().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn answers_that_nobody_reads_have_a_size() {
    let server = server(Limits { answers: 300_000, ..Limits::default() }).await;
    let plan = format!("# {}", "x".repeat(200_000));
    assert_eq!(exchange(server.http, "POST /_seskey/faults", &[], &plan).await.status(), 204);
    let ask = async || exchange(server.http, "GET /_seskey/faults", &[], "").await.status();
    assert_eq!(ask().await, 200);
    let mut deaf = Wire::to(server.http).await;
    // more answers than the socket buffers hold
    deaf.send("GET /_seskey/faults HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100)).await;
    let until = async |status| {
        while ask().await != status {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let soon = Duration::from_secs(20);
    tokio::time::timeout(soon, until(503)).await.expect("one long answer waits to be read");
    assert!(Wire::to(server.http).await.is_served().await, "short ones are given");
    drop(deaf);
    tokio::time::timeout(soon, until(200)).await.expect("nothing waits any more");
}

#[tokio::test]
async fn connections_end_with_the_server() {
    let server = server(Limits::default()).await;
    let mut wire = Wire::to(server.http).await;
    assert!(wire.is_served().await);
    drop(server);
    assert_eq!(wire.rest().await, "");
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let server = server(Limits::default()).await;
    for bytes in ["EHLO client.example.com\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\0\0\0\0\r\n\r\n"] {
        let mut wire = Wire::to(server.http).await;
        wire.send(bytes).await;
        let answer = wire.rest().await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{bytes:?}: {answer}");
    }
    assert!(Wire::to(server.http).await.is_served().await);
}
