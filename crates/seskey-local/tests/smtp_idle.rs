//! Idle connections stay open while messages flow, and take little memory.

#![allow(clippy::unwrap_used)]

use std::{fs, time::Duration};

use seskey_local::{
    server::{Config, Server},
    smtp::Limits,
};
use testkit::smtp_client::{Client, create_access_key, create_mailer, get, tls_connector};

/// Both ends of so many fit below the usual limit of 1,024 descriptors. `SESKEY_IDLE_CONNECTIONS` sets another number.
const IDLE: usize = 400;

#[tokio::test]
async fn idle_connections_hold_while_messages_flow() {
    let idle =
        std::env::var("SESKEY_IDLE_CONNECTIONS").map_or(IDLE, |number| number.parse().unwrap());
    // longer than the test, however slow the machine
    let smtp_limits = Limits { idle: Duration::from_secs(600), ..Limits::default() };
    let server = Server::start(Config { smtp_limits, ..Config::ephemeral() }).await.unwrap();
    create_mailer(&server);
    let key = create_access_key(&server);
    let connector = tls_connector(&server);

    let before = resident();
    let mut clients = vec![];
    for _ in 0..idle {
        let mut client = Client::connect("idle", server.smtps).await;
        client.start_tls(&connector, "localhost").await;
        client.expect_line("220 *").await;
        clients.push(client);
    }
    let each = resident().saturating_sub(before) / idle;
    // both ends are in this process, with the TLS buffers of both
    assert!(each < 64 * 1024, "{each} bytes for each connection");

    let mut sender = Client::logged_in("sender", &server, &key).await;
    for _ in 0..100 {
        sender.begin_message().await;
        sender.send("From: news@example.com\r\n\r\nhi\r\n.\r\n").await;
        sender.expect_line("250 Ok 0100*").await;
    }
    assert_eq!(get(&server, "/_aws/ses").await.matches("\"RawData\":").count(), 100);
    for client in &mut clients {
        client.send("NOOP\r\n").await;
        client.expect_line("250 Ok").await;
    }
}

/// Returns the memory of this process in bytes, or 0 where the system does not report it.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or(0, |line| line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024)
}
