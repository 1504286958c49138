//! A proxy in front of an HTTP server, and a rule that makes requests fail.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

/// Starts a proxy, and returns its address. The rule gets each request and a function that asks the server; it returns
/// the answer, or `None` to cut the connection.
pub fn start<R>(upstream: SocketAddr, rule: R) -> SocketAddr
where
    R: Fn(&[u8], &dyn Fn() -> Option<Vec<u8>>) -> Option<Vec<u8>> + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let rule = Arc::new(rule);
    thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, rule) = (client.unwrap(), Arc::clone(&rule));
            thread::spawn(move || {
                while let Some(request) = message(&mut client) {
                    let ask = || send(upstream, &request);
                    let Some(answer) = rule(&request, &ask) else { return };
                    if client.write_all(&answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// Sends a request unchanged, and returns the answer.
pub fn send(server: SocketAddr, request: &[u8]) -> Option<Vec<u8>> {
    let mut server = TcpStream::connect(server).ok()?;
    server.write_all(request).ok()?;
    message(&mut server)
}

/// Returns an answer that the server did not give.
pub fn answer(status: u16, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} x\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// Reads one HTTP message with a `Content-Length`; `None` at the end of the connection.
fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let (mut bytes, mut piece) = (vec![], [0; 16_384]);
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return Some(bytes);
            }
        }
        match stream.read(&mut piece) {
            Ok(length @ 1..) => bytes.extend_from_slice(&piece[..length]),
            _ => return None,
        }
    }
}
