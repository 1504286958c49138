//! A proxy in front of the local SES that puts a fault in the way of one action of the API.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is cut each time, before the request has an effect.
    CutBefore,
    /// The connection is cut each time, after the effect and before the answer.
    CutAfter,
    /// The same, but only the first time.
    CutAfterOnce,
    /// The first request is throttled.
    ThrottledOnce,
    /// The answer cannot be parsed, though the secret in it can be read.
    Garbled,
}

/// A secret that no error may show.
pub(crate) const GARBLED_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// Starts a proxy; returns its URL.
pub(crate) async fn fault_at(upstream: SocketAddr, action: &'static str, fault: Fault) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let first = Arc::new(AtomicBool::new(true));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, upstream, action, fault, Arc::clone(&first)));
        }
    });
    url
}

async fn serve(
    mut client: TcpStream,
    upstream: SocketAddr,
    action: &str,
    fault: Fault,
    first: Arc<AtomicBool>,
) {
    let mut server = TcpStream::connect(upstream).await.unwrap();
    while let Some(request) = message(&mut client).await {
        let at_action = String::from_utf8_lossy(&request).contains(&format!("Action={action}&"));
        let fault = Some(fault).filter(|_| at_action);
        if fault == Some(Fault::CutBefore) {
            return;
        }
        if fault == Some(Fault::ThrottledOnce) && first.swap(false, Ordering::Relaxed) {
            let error = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code>\
                <Message>Rate exceeded</Message></Error><RequestId>1</RequestId></ErrorResponse>";
            client.write_all(&answer(400, error)).await.unwrap();
            continue;
        }
        server.write_all(&request).await.unwrap();
        let Some(answered) = message(&mut server).await else { return };
        match fault {
            Some(Fault::CutAfter) => return,
            Some(Fault::CutAfterOnce) if first.swap(false, Ordering::Relaxed) => return,
            Some(Fault::Garbled) => {
                let garbled = format!(
                    "<CreateAccessKeyResponse><SecretAccessKey>{GARBLED_SECRET}</SecretAccess"
                );
                client.write_all(&answer(200, &garbled)).await.unwrap();
            }
            _ => client.write_all(&answered).await.unwrap(),
        }
    }
}

fn answer(status: u16, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} x\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// One HTTP message with a `Content-Length`.
async fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return Some(bytes);
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}
