//! An HTTP endpoint that SNS sends to.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
    time::timeout,
};

/// A time longer than any step takes on a machine that works.
const PATIENCE: Duration = Duration::from_secs(60);

/// An endpoint, and the requests that it received.
pub(crate) struct Subscriber {
    pub(crate) address: SocketAddr,
    received: mpsc::UnboundedReceiver<Posted>,
    _listening: JoinSet<()>,
}

/// A received request.
#[derive(Debug)]
pub(crate) struct Posted {
    /// The request line, such as `POST /hook HTTP/1.1`.
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// The answer to the n-th request; `None` is no answer.
type Answers = fn(usize, &Posted) -> Option<&'static str>;

pub(crate) const OK: &str = "200 OK";

impl Subscriber {
    pub(crate) async fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = mpsc::unbounded_channel();
        let mut listening = JoinSet::new();
        listening.spawn(async move {
            // connections that are not answered stay open
            let mut held = JoinSet::new();
            for n in 0.. {
                let (tcp, _) = listener.accept().await.unwrap();
                let sender = sender.clone();
                held.spawn(async move { converse(tcp, n, answers, &sender).await });
            }
        });
        Self { address, received, _listening: listening }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Waits for the next request.
    pub(crate) async fn next(&mut self) -> Posted {
        timeout(PATIENCE, self.received.recv()).await.expect("nothing comes").unwrap()
    }
}

async fn converse(
    mut stream: TcpStream,
    n: usize,
    answers: Answers,
    sender: &mpsc::UnboundedSender<Posted>,
) {
    let Some(posted) = Posted::read(&mut stream).await else { return };
    let answer = answers(n, &posted);
    sender.send(posted).unwrap();
    match answer {
        Some(answer) => {
            let answer =
                format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        None => std::future::pending().await,
    }
}

impl Posted {
    async fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = vec![];
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let (line, fields) = head.split_once("\r\n").unwrap();
                let headers: BTreeMap<String, String> = fields
                    .split("\r\n")
                    .filter_map(|field| field.split_once(": "))
                    .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                    .collect();
                if body.len() >= headers["content-length"].parse().unwrap() {
                    return Some(Self { line: line.to_owned(), headers, body: body.to_owned() });
                }
            }
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub(crate) fn kind(&self) -> &str {
        &self.headers["x-amz-sns-message-type"]
    }
}
