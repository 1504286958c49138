//! HTTP as bytes on a socket.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// A time longer than any step takes on a machine that works.
const PATIENCE: Duration = Duration::from_secs(60);

/// The connection of a client.
pub struct Wire(pub TcpStream);

impl Wire {
    /// Connects to an address.
    pub async fn to(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads up to the end of the connection, which may be a reset.
    pub async fn rest(&mut self) -> String {
        let mut bytes = vec![];
        let _ = timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await.expect("it stays open");
        String::from_utf8(bytes).unwrap()
    }

    /// Whether the server answers a health check; the connection stays open.
    pub async fn is_served(&mut self) -> bool {
        let request = "GET /_seskey/health HTTP/1.1\r\nHost: localhost\r\n\r\n";
        if self.0.write_all(request.as_bytes()).await.is_err() {
            return false;
        }
        let mut answer = vec![];
        while !answer.ends_with(b"{\"status\":\"ok\"}") {
            match timeout(PATIENCE, self.0.read_buf(&mut answer)).await.expect("it stays open") {
                Ok(length) if length > 0 => {}
                _ => return false,
            }
        }
        true
    }
}

/// The answer to a request: its first line and fields, and its body.
pub struct Answer {
    /// The status line and the fields.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Returns the status.
    pub fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Returns the value of a field.
    pub fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }
}

/// Sends one request, in a version in which the answer comes in one piece, with a `Host` unless one is given.
pub async fn exchange(address: SocketAddr, request: &str, fields: &[&str], body: &str) -> Answer {
    let mut head = format!("{request} HTTP/1.0\r\n");
    let has_host = fields.iter().any(|field| field.starts_with("Host"));
    let host = format!("Host: {address}");
    for field in fields.iter().copied().chain((!has_host).then_some(host.as_str())) {
        head += &format!("{field}\r\n");
    }
    let mut wire = Wire::to(address).await;
    wire.send(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).await;
    let answer = wire.rest().await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    Answer { head: head.to_owned(), body: body.to_owned() }
}
