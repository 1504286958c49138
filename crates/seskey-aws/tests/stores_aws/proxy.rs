//! A proxy in front of moto that puts a fault in the way of requests whose secret is named after it.

use std::{
    collections::HashMap,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// Each write is answered by a cut connection the first time, after its effect.
pub(crate) const LOST: &str = "lost-answer";
/// The first request of each kind is throttled.
pub(crate) const THROTTLED: &str = "throttled";
/// Nothing is permitted.
pub(crate) const DENIED: &str = "denied";
/// The first three readings after a write give what was there before.
pub(crate) const STALE: &str = "stale";
/// Readings give for ever what the first gave.
pub(crate) const STUCK: &str = "stuck";

/// The requests and the last answer to a reading, for each secret.
type Seen = HashMap<String, (Vec<String>, Vec<u8>)>;

/// Starts a proxy; returns its URL.
pub(crate) fn start(upstream: SocketAddr) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Seen::new()));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let seen = Arc::clone(&seen);
            thread::spawn(move || serve(stream.unwrap(), upstream, &seen));
        }
    });
    url
}

/// One connection, one request after the other.
fn serve(mut client: TcpStream, upstream: SocketAddr, seen: &Mutex<Seen>) {
    while let Some(request) = message(&mut client) {
        let text = String::from_utf8_lossy(&request);
        let target = value(&text, "x-amz-target: ", "\r\n");
        let (service, action) = target.split_once('.').unwrap();
        let name = ["\"SecretId\":\"", "\"Name\":\""].map(|key| value(&text, key, "\""));
        let name = name.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
        let is = |fault: &str| name.contains(fault);
        let reading = action.starts_with("Get");

        let mut seen = seen.lock().unwrap();
        let (before, read) = seen.entry(format!("{service} {name}")).or_default();
        let first = !before.iter().any(|before| before == action);
        let since_write =
            before.iter().rev().take_while(|action| action.starts_with("Get")).count();
        let written = since_write < before.len();
        before.push(action.to_owned());
        let answer = if is(DENIED) {
            Some(refusal("AccessDeniedException", DENIED_MESSAGE))
        } else if is(THROTTLED) && first {
            Some(refusal("ThrottlingException", "Rate exceeded"))
        } else if reading && written && (is(STUCK) || is(STALE) && since_write < 3) {
            Some(read.clone())
        } else {
            None
        };
        let answer = answer.unwrap_or_else(|| {
            let mut server = TcpStream::connect(upstream).unwrap();
            server.write_all(&request).unwrap();
            message(&mut server).unwrap()
        });
        if reading {
            read.clone_from(&answer);
        } else if is(LOST) && first {
            return;
        }
        if client.write_all(&answer).is_err() {
            return;
        }
    }
}

/// What stands between.
fn value(text: &str, before: &str, after: &str) -> String {
    let at = text.find(before).map(|at| at + before.len());
    at.and_then(|at| text[at..].split(after).next()).unwrap_or_default().to_owned()
}

fn refusal(code: &str, message: &str) -> Vec<u8> {
    let body = format!("{{\"__type\":\"{code}\",\"message\":\"{message}\"}}");
    let length = body.len();
    format!(
        "HTTP/1.1 400 x\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// One HTTP message with a `Content-Length`, none at the end of the connection.
fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return Some(bytes);
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) => return None,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
            read => bytes.extend_from_slice(&chunk[..read.unwrap()]),
        }
    }
}

const DENIED_MESSAGE: &str = "User: arn:aws:iam::123456789012:user/u is not authorized to perform: kms:Decrypt on \
                              resource: x because no identity-based policy allows the kms:Decrypt action";
