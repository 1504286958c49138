//! The hosts and origins that the HTTP side answers, and its paths and methods.

use seskey_local::server::{Config, Server};
use testkit::{
    tls,
    wire::{Wire, exchange},
};
use tokio::task::spawn_blocking;

#[tokio::test]
async fn only_its_own_host_names_are_answered() {
    let config = Config { hosts: vec!["ses.internal".into()], ..Config::ephemeral() };
    let server = Server::start(config).await.unwrap();
    let port = server.http.port();
    for (host, status) in [
        (format!("Host: 127.0.0.1:{port}"), 200),
        ("Host: localhost".into(), 200),
        (format!("Host: LOCALHOST:{port}"), 200),
        ("Host: [::1]:1".into(), 200),
        ("Host: ses.internal:4566".into(), 200),
        ("Host: iam.amazonaws.com".into(), 200),
        ("Host: email.eu-west-1.amazonaws.com".into(), 200),
        (format!("Host: evil.example:{port}"), 421),
        ("Host: localhost.evil.example".into(), 421),
        ("Host: 192.0.2.1".into(), 421),
        ("Host: localhost@evil.example".into(), 421),
        ("Host: evil example".into(), 400),
        ("Host:".into(), 400),
        ("Host: localhost\r\nHost: localhost".into(), 400),
    ] {
        for path in ["/_aws/ses", "/_seskey/health", "/_seskey/clock", "/_seskey/metrics"] {
            let answer = exchange(server.http, &format!("GET {path}"), &[&host], "").await;
            assert_eq!(answer.status(), status, "{host:?} {path}: {}", answer.body);
            assert!(!answer.body.contains("evil"), "{}", answer.body);
        }
        if status != 200 {
            for request in ["POST /", "GET /", "GET /nowhere", "DELETE /_aws/ses"] {
                let answer = exchange(server.http, request, &[&host], "").await;
                assert_eq!(answer.status(), status, "{host:?} {request}");
            }
        }
    }
}

#[tokio::test]
async fn the_host_in_the_request_line_counts_too() {
    let server = Server::start(Config::ephemeral()).await.unwrap();
    for (target, status) in [
        ("http://localhost/_seskey/health", 200),
        ("http://evil.example/_seskey/health", 421),
        ("http://localhost@evil.example/_seskey/health", 421),
    ] {
        let answer =
            exchange(server.http, &format!("GET {target}"), &["Host: localhost"], "").await;
        assert_eq!(answer.status(), status, "{target}");
    }
    let mut wire = Wire::to(server.http).await;
    wire.send("GET / HTTP/1.1\r\n\r\n").await;
    assert!(wire.rest().await.starts_with("HTTP/1.1 400"), "a request without Host");
}

#[tokio::test]
async fn no_page_of_another_site_is_answered() {
    let server = Server::start(Config::ephemeral()).await.unwrap();
    for (fields, good) in [
        (&["Host: localhost:4566", "Origin: http://localhost:4566"][..], true),
        (&["Host: localhost:4566", "Origin: HTTP://LocalHost:4566"], true),
        (&["Host: localhost:4566", "Origin: http://localhost:8080"], false),
        (&["Host: localhost:4566", "Origin: https://localhost:4566"], false),
        (&["Host: localhost", "Origin: http://evil.example"], false),
        (&["Host: localhost", "Origin: null"], false),
        (&["Host: localhost", "Origin: http://localhost", "Origin: http://evil.example"], false),
        (&["Sec-Fetch-Site: none"], true),
        (&["Sec-Fetch-Site: same-origin"], true),
        (&["Sec-Fetch-Site: same-site"], false),
        (&["Sec-Fetch-Site: cross-site"], false),
        (&["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"], false),
    ] {
        for request in [
            "GET /",
            "POST /",
            "GET /_aws/ses",
            "DELETE /_aws/ses",
            "GET /_seskey/health",
            "POST /_seskey/clock",
            "GET /_seskey/metrics",
            "GET /nowhere",
            "OPTIONS /",
        ] {
            let answer = exchange(server.http, request, fields, "").await;
            let refused = answer.status() == 403 && answer.body.contains("another site");
            assert_eq!(refused, !good, "{fields:?} {request}: {}", answer.body);
            let head = answer.head.to_lowercase();
            assert!(!head.contains("access-control"), "{request}: {head}");
        }
    }
}

#[tokio::test]
async fn paths_and_methods() {
    let server = Server::start(Config::ephemeral()).await.unwrap();
    for (request, status) in [
        ("GET /_seskey/health", 200),
        ("HEAD /_seskey/health", 200),
        ("POST /_seskey/health", 405),
        ("OPTIONS /_seskey/health", 405),
        ("OPTIONS /", 405),
        ("PUT /", 405),
        ("DELETE /", 405),
        ("TRACE /", 405),
        ("PUT /_aws/ses", 405),
        ("DELETE /_aws/ses", 204),
        ("GET /_aws/ses?limit=x", 400),
        ("GET /_aws/ses/", 404),
        ("GET /nowhere", 404),
        ("OPTIONS /nowhere", 404),
        ("GET /_seskey/", 404),
        ("GET //", 404),
    ] {
        let answer = exchange(server.http, request, &[], "").await;
        assert_eq!(answer.status(), status, "{request}: {}", answer.body);
        assert_eq!(answer.header("allow").is_some(), status == 405, "{request}: {}", answer.head);
        if status >= 400 {
            assert!(answer.body.starts_with(&status.to_string()), "{request}: {}", answer.body);
        }
    }
}

/// The same port accepts TLS and plain HTTP, and the origin of a request must have the scheme of its connection.
#[tokio::test]
async fn the_port_speaks_https_too() {
    let server = Server::start(Config::ephemeral()).await.unwrap();
    let (address, ca) = (server.http, server.authority_pem.clone());
    let ask = move |fields: &str| {
        let request = format!("GET /_seskey/health HTTP/1.0\r\nHost: {address}\r\n{fields}\r\n");
        tls::ask(address, "127.0.0.1", &ca, &request).unwrap()
    };
    let answers = spawn_blocking(move || {
        [
            ask(""),
            ask(&format!("Origin: https://{address}\r\n")),
            ask(&format!("Origin: http://{address}\r\n")),
        ]
    });
    let answers = answers.await.unwrap();
    let statuses = answers.each_ref().map(|answer| answer.split(' ').nth(1).unwrap());
    assert_eq!(statuses, ["200", "200", "403"]);
    assert_eq!(exchange(address, "GET /_seskey/health", &[], "").await.status(), 200);
}
