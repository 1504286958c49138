//! The clock and the metrics over HTTP, and a presigned URL as a browser or `curl` would send it.

use std::{net::SocketAddr, time::Duration};

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use serde_json::Value;
use seskey_local::server::{Config, Server};
use testkit::wire::{Wire, exchange};
use tokio::io::AsyncReadExt;

use crate::iam_client::{Client, Unsigned};

const DAY: i64 = 24 * 3600;

async fn put_clock(address: SocketAddr, body: &str) -> (u16, Value) {
    let answer = exchange(address, "POST /_seskey/clock", &[], body).await;
    (answer.status(), serde_json::from_str(&answer.body).unwrap_or_default())
}

/// Whether the `Date` of an answer is so many seconds ahead of this machine's clock, within 5 minutes.
async fn is_ahead(address: SocketAddr, seconds: i64) -> bool {
    let answer = exchange(address, "GET /nowhere", &[], "").await;
    let date = answer.header("date").unwrap();
    let date = rfc2822::parse(&date.replace("GMT", "+0000")).unwrap().timestamp();
    is_about(date, seconds)
}

fn is_about(time: Timestamp, ahead: i64) -> bool {
    let expected = Timestamp::now() + SignedDuration::from_secs(ahead);
    time.duration_since(expected).abs() < SignedDuration::from_mins(5)
}

#[tokio::test]
async fn the_clock_is_moved() {
    let server = Server::start(Config::ephemeral()).await.unwrap();
    assert!(is_ahead(server.http, 0).await);
    for (body, ahead) in [
        (r#"{"advance":"90d"}"#, 90 * DAY),
        (r#"{"advance":"1h 30m"}"#, 90 * DAY + 5400),
        (r#"{"advance":"-90d"}"#, 5400),
        (r#"{"advance":"PT30M"}"#, 7200),
        (r#"{"advance":"-3d"}"#, 7200 - 3 * DAY),
        (r#"{"reset":true}"#, 0),
        (r#"{"advance":"1w"}"#, 7 * DAY),
    ] {
        let (status, answer) = put_clock(server.http, body).await;
        assert_eq!((status, &answer["ahead_seconds"]), (200, &ahead.into()), "{body}");
        let now: Timestamp = answer["now"].as_str().unwrap().parse().unwrap();
        assert!(is_about(now, ahead) && is_ahead(server.http, ahead).await, "{body} {now}");
    }
    let (_, answer) = put_clock(server.http, r#"{"now":"2037-01-01T00:00:00Z"}"#).await;
    assert!(answer["now"].as_str().unwrap().starts_with("2037-01-01T00:0"), "{answer}");
    let answer = exchange(server.http, "GET /_seskey/clock", &[], "").await;
    assert!(answer.body.starts_with(r#"{"now":"2037-01-01T00:0"#), "{}", answer.body);
    assert!(answer.header("date").unwrap().starts_with("Thu, 01 Jan 2037 00:0"), "{}", answer.head);
}

#[tokio::test]
async fn the_clock_is_not_moved_by_nonsense() {
    let server = Server::start(Config::ephemeral()).await.unwrap();
    for body in [
        "",
        "{}",
        "90d",
        r#"{"advance":90}"#,
        r#"{"advance":"1mo"}"#,
        r#"{"advance":"1y"}"#,
        r#"{"advance":"soon"}"#,
        r#"{"advance":"7000000d"}"#,
        r#"{"advance":"-7000000d"}"#,
        r#"{"now":"tomorrow"}"#,
        r#"{"now":"20000-01-01T00:00:00Z"}"#,
        r#"{"reset":false}"#,
        r#"{"reset":true,"advance":"1d"}"#,
        r#"{"other":true}"#,
    ] {
        assert_eq!(put_clock(server.http, body).await.0, 400, "{body}");
    }
    assert!(is_ahead(server.http, 0).await);
}

/// Returns a request presigned by the root user of a server at a time.
fn presigned(server: &Server, now: Timestamp) -> String {
    let mut client = Client::new();
    client.key = (server.root.0.as_str().to_owned(), server.root.1.expose().to_owned());
    client.now = now;
    let mut request = Unsigned::iam("ListUsers", &[]).by_get();
    request.headers[0].1 = server.http.to_string();
    format!("GET /?{}", client.presign(&request, Duration::from_secs(600)))
}

#[tokio::test]
async fn a_presigned_url_is_fetched() {
    let server = Server::start(Config::ephemeral()).await.unwrap();
    let request = presigned(&server, Timestamp::now());
    for (request, status) in [
        (request.clone(), 200),
        (request.clone(), 200),
        (request.replace("ListUsers", "ListGroups"), 403),
        (request.replace("X-Amz-Expires=600", "X-Amz-Expires=601"), 403),
        (request.replace("GET", "POST"), 403),
        (presigned(&server, Timestamp::now() - SignedDuration::from_secs(601)), 403),
    ] {
        let answer = exchange(server.http, &request, &[], "").await;
        assert_eq!(answer.status(), status, "{request}: {}", answer.body);
    }
    put_clock(server.http, r#"{"advance":"90d"}"#).await;
    let moved = Timestamp::now() + SignedDuration::from_hours(90 * 24);
    for (now, status) in
        [(moved, 200), (Timestamp::now(), 200), (moved - SignedDuration::from_hours(24), 403)]
    {
        let answer = exchange(server.http, &presigned(&server, now), &[], "").await;
        assert_eq!(answer.status(), status, "{now}: {}", answer.body);
    }
}

#[tokio::test]
async fn the_metrics_tell_what_was_done() {
    let server = Server::start(Config::ephemeral()).await.unwrap();
    let good = presigned(&server, Timestamp::now());
    exchange(server.http, &good, &[], "").await;
    exchange(server.http, &good.replace("ListUsers", "ListGroups"), &[], "").await;
    exchange(server.http, "GET /?Action=An0ther", &[], "").await;
    exchange(server.http, "GET /?Action=GetCallerIdentity", &[], "").await;
    let mut smtp = Wire::to(server.smtp).await;
    smtp.0.read_u8().await.unwrap();

    let answer = exchange(server.http, "GET /_seskey/metrics", &[], "").await;
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text;"));
    for line in [
        r#"seskey_api_requests_total{service="iam",action="ListUsers",status="200"} 1"#,
        r#"seskey_api_requests_total{service="iam",action="ListGroups",status="403"} 1"#,
        // an unsigned request counts as IAM's, which has no GetCallerIdentity
        r#"seskey_api_requests_total{service="iam",action="unknown",status="403"} 2"#,
        "seskey_smtp_connections_total 1",
        "seskey_smtp_connections_open 1",
        "seskey_mailbox_bytes 0",
        "# TYPE seskey_uptime_seconds gauge",
        "# EOF",
    ] {
        assert!(answer.body.lines().any(|found| found == line), "{line} is not in {}", answer.body);
    }
    let secret = server.root.1.expose();
    for word in ["An0ther", "AKIA", server.root.0.as_str(), secret] {
        assert!(!answer.body.contains(word), "{word} is in {}", answer.body);
    }
    drop(smtp);
    while !exchange(server.http, "GET /_seskey/metrics", &[], "")
        .await
        .body
        .contains("seskey_smtp_connections_open 0\n")
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
