//! Each limit of the SMTP endpoint, made small, and the reply to a client that reaches it.
//!
//! No test waits for a limit that must not be reached, so a slow machine makes no test fail.

use std::{io::ErrorKind, time::Duration};

use seskey_local::{
    server::{Config, Server},
    smtp::Limits,
};
use testkit::smtp_client::{
    AccessKey, Client, create_access_key, create_mailer, get, tls_connector,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    time::{sleep, timeout},
};

const SHORT: Duration = Duration::from_millis(300);
const TIMEOUT: &str = "451 4.4.2 Timeout waiting for data from client.";

async fn start(smtp_limits: Limits) -> (Server, AccessKey) {
    let server = Server::start(Config { smtp_limits, ..Config::ephemeral() }).await.unwrap();
    create_mailer(&server);
    let key = create_access_key(&server);
    (server, key)
}

#[tokio::test]
async fn silence() {
    let (server, _) = start(Limits { idle: SHORT, ..Limits::default() }).await;
    let mut client = Client::connect("silence", server.smtp).await;
    client.expect_line("220 *").await;
    client.expect_line(TIMEOUT).await;
    client.expect_closed().await;
}

#[tokio::test]
async fn a_command_that_drips() {
    let (server, _) = start(Limits { idle: SHORT, ..Limits::default() }).await;
    let mut client = Client::connect("a command that drips", server.smtp).await;
    client.expect_line("220 *").await;
    drip(client, b"x").await;
}

#[tokio::test]
async fn a_message_that_drips() {
    let (server, key) = start(Limits { message: SHORT, ..Limits::default() }).await;
    let mut client = Client::logged_in("a message that drips", &server, &key).await;
    client.begin_message().await;
    drip(client, b"x\r\n").await;
    assert!(get(&server, "/_aws/ses").await.contains("{\"messages\":[]}"));
}

/// Sends without end, and expects the reply that it is too slow.
async fn drip(client: Client, drop: &[u8]) {
    let (mut reader, mut writer) = tokio::io::split(client.stream);
    let read = async {
        let mut told = String::new();
        // the connection may end with a reset, since the writes go on
        let _ = reader.read_to_string(&mut told).await;
        told
    };
    let write = async {
        while writer.write_all(drop).await.is_ok() && writer.flush().await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
        std::future::pending().await
    };
    let told = tokio::select! {
        told = timeout(Duration::from_secs(60), read) => told.expect("no end"),
        () = write => unreachable!("it waits for ever"),
    };
    assert_eq!(told, format!("{TIMEOUT}\r\n"));
}

#[tokio::test]
async fn a_handshake_that_does_not_come() {
    let (server, _) = start(Limits { handshake: SHORT, ..Limits::default() }).await;
    let mut wrapper = Client::connect("no handshake", server.smtps).await;
    wrapper.expect_closed().await;
    let mut client = Client::connect("no handshake after STARTTLS", server.smtp).await;
    client.expect_line("220 *").await;
    client.send("STARTTLS\r\n").await;
    client.expect_line("220 *").await;
    client.expect_closed().await;
}

#[tokio::test]
async fn a_client_that_does_not_read() {
    let limits = Limits { idle: SHORT, errors: u32::MAX, commands: u32::MAX, ..Limits::default() };
    let (server, _) = start(limits).await;
    let tcp = TcpSocket::new_v4().unwrap();
    tcp.set_recv_buffer_size(4096).unwrap();
    tcp.set_send_buffer_size(4096).unwrap();
    let mut tcp = tcp.connect(server.smtp).await.unwrap();
    // the replies fill the buffers of both sockets, then the commands do
    let write = async {
        loop {
            if let Err(error) = tcp.write_all(&b"EHLO a\r\n".repeat(1000)).await {
                return error.kind();
            }
        }
    };
    let kind = timeout(Duration::from_secs(300), write).await.expect("it is still served");
    assert!(matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{kind}");
}

#[tokio::test]
async fn connections_of_an_address() {
    let (server, _) = start(Limits { connections_per_address: 2, ..Limits::default() }).await;
    // connections count before their TLS begins, too; one listener accepts connections in order
    let first = Client::connect("first", server.smtps).await;
    let _second = Client::connect("second", server.smtps).await;
    let mut third = Client::connect("third", server.smtps).await;
    third.start_tls(&tls_connector(&server), "localhost").await;
    third.expect_line("421 Too many concurrent SMTP connections").await;
    third.expect_closed().await;
    // the other listener counts the same connections
    let mut other = Client::connect("other", server.smtp).await;
    other.expect_line("421 Too many concurrent SMTP connections").await;
    other.expect_closed().await;
    drop(first);
    // its place is free some time after it has closed
    loop {
        let mut next = Client::connect("next", server.smtp).await;
        if next.line().await.unwrap().starts_with("220 ") {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn room_for_messages() {
    // one step of room
    let (server, key) = start(Limits { message_bytes: 64 * 1024, ..Limits::default() }).await;
    let mut first = Client::logged_in("first", &server, &key).await;
    let mut second = Client::logged_in("second", &server, &key).await;
    first.begin_message().await;
    first.send("From: news@example.com\r\n\r\n").await;

    // the second message is read to its end nevertheless, and its text is not taken for commands
    second.begin_message().await;
    second.send("From: news@example.com\r\n\r\nQUIT\r\n").await;
    second.send("x".repeat(100_000)).await;
    second.send("\r\n.\r\nNOOP\r\n").await;
    second.expect_line("451 Temporary service failure").await;
    second.expect_line("250 Ok").await;

    first.send(".\r\n").await;
    first.expect_line("250 Ok 0100*").await;
    second.begin_message().await;
    second.send("From: news@example.com\r\n\r\n.\r\n").await;
    second.expect_line("250 Ok 0100*").await;

    // a message that outgrows the room is refused, and gives back its share
    second.begin_message().await;
    second.send("x".repeat(100_000)).await;
    first.begin_message().await;
    first.send("From: news@example.com\r\n\r\n.\r\n").await;
    let taken = first.line().await.unwrap();
    second.send("\r\n.\r\n").await;
    second.expect_line("451 Temporary service failure").await;
    first.begin_message().await;
    first.send("From: news@example.com\r\n\r\n.\r\n").await;
    first.expect_line("250 Ok 0100*").await;
    assert!(taken.starts_with("250 ") || taken.starts_with("451 "), "{taken}");
}

#[tokio::test]
async fn the_longest_message() {
    const MIB: usize = 1024 * 1024;
    let (server, key) = start(Limits::default()).await;
    let mut client = Client::logged_in("the longest message", &server, &key).await;
    let header = "From: news@example.com\r\n\r\n";
    for (length, reply) in [(40 * MIB, "250 Ok 0100*"), (40 * MIB + 1, "552 Message is too long.")]
    {
        client.begin_message().await;
        client.send(header).await;
        client.send("x".repeat(length - header.len() - 2)).await;
        client.send("\r\n.\r\n").await;
        client.expect_line(reply).await;
    }
    client.send("NOOP\r\n").await;
    client.expect_line("250 Ok").await;
}
