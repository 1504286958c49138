//! An SMTP client that waits for each reply and accepts none but the right one.

use std::{net::SocketAddr, time::Instant};

use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    Result,
    rounds::{Round, race},
    servers::Server,
};

/// The address, the kind of TLS and the credentials of a login.
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    pub(crate) kind: Kind,
    pub(crate) tls: TlsConnector,
    /// The command with the credentials: `AUTH PLAIN` and an initial response (RFC 4616).
    pub(crate) auth: String,
}

/// The moment of the TLS negotiation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    StartTls,
    TlsWrapper,
}

/// A logged-in session.
pub(crate) struct Session(Wire<TlsStream<TcpStream>>);

struct Wire<S> {
    stream: S,
    buffer: Vec<u8>,
}

/// Runs so many whole sessions by `clients`, with so many messages in each. The latency is that of the login, from the
/// connection to the reply to AUTH.
pub(crate) async fn sessions(
    server: &Server,
    kind: Kind,
    clients: usize,
    sessions: usize,
    messages: usize,
) -> Result<Round> {
    race(server, vec![(); sessions], clients, |jobs| {
        let endpoint = server.endpoint(kind);
        async move {
            let mut latencies = vec![];
            while jobs.next().is_some() {
                let start = Instant::now();
                let mut session = endpoint.log_in().await?;
                latencies.push(start.elapsed());
                for _ in 0..messages {
                    session.send().await?;
                }
                session.quit().await?;
            }
            Ok(latencies)
        }
    })
    .await
}

impl Endpoint {
    /// Connects, negotiates TLS and logs in.
    pub(crate) async fn log_in(&self) -> Result<Session> {
        let tcp = TcpStream::connect(self.address).await?;
        tcp.set_nodelay(true)?;
        let mut clear = Wire { stream: tcp, buffer: vec![] };
        if self.kind == Kind::StartTls {
            clear.reply("220").await?;
            clear.command(EHLO, "250").await?;
            clear.command(b"STARTTLS\r\n", "220").await?;
        }
        let name = ServerName::try_from("localhost")?;
        let stream = self.tls.connect(name, clear.stream).await?;
        let mut wire = Wire { stream, buffer: clear.buffer };
        if self.kind == Kind::TlsWrapper {
            wire.reply("220").await?;
        }
        wire.command(EHLO, "250").await?;
        wire.command(self.auth.as_bytes(), "235").await?;
        Ok(Session(wire))
    }
}

impl Session {
    pub(crate) async fn send(&mut self) -> Result<()> {
        self.0.command(b"MAIL FROM:<sender@example.com>\r\n", "250").await?;
        self.0.command(b"RCPT TO:<recipient@example.com>\r\n", "250").await?;
        self.0.command(b"DATA\r\n", "354").await?;
        self.0.command(MESSAGE.as_bytes(), "250").await
    }

    pub(crate) async fn noop(&mut self) -> Result<()> {
        self.0.command(b"NOOP\r\n", "250").await
    }

    pub(crate) async fn quit(mut self) -> Result<()> {
        self.0.command(b"QUIT\r\n", "221").await?;
        // the server may have closed already
        self.0.stream.shutdown().await.ok();
        Ok(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    async fn command(&mut self, command: &[u8], code: &str) -> Result<()> {
        self.stream.write_all(command).await?;
        self.stream.flush().await?;
        self.reply(code).await
    }

    /// Reads one reply, of one line or several (RFC 5321, section 4.2).
    async fn reply(&mut self, code: &str) -> Result<()> {
        self.buffer.clear();
        while !ends_with_last_line(&self.buffer) {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(format!("closed where {code} was awaited").into());
            }
        }
        if !self.buffer.starts_with(code.as_bytes()) {
            let reply = String::from_utf8_lossy(&self.buffer);
            return Err(format!("{:?} where {code} was awaited", reply.trim_end()).into());
        }
        Ok(())
    }
}

fn ends_with_last_line(reply: &[u8]) -> bool {
    let Some(lines) = reply.strip_suffix(b"\r\n") else { return false };
    let start = lines.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    lines.get(start + 3) != Some(&b'-')
}

const EHLO: &[u8] = b"EHLO localhost\r\n";

/// A message of 1 kB with its header.
const MESSAGE: &str = concat!(
    "From: sender@example.com\r\n",
    "To: recipient@example.com\r\n",
    "Subject: A message to measure with\r\n",
    "Date: Sun, 01 Mar 2026 12:00:00 +0000\r\n",
    "Message-ID: <load@example.com>\r\n",
    "\r\n",
    "0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
    "0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
    "0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
    "0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
    "0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
    "0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
    "0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
    "0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
    "0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
    "0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
    "0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
    "0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
    ".\r\n",
);
