//! A server that plays a dialogue once, a step a line: `< text` sends the text, in which `\r\n` is a line end; `> text`
//! waits for a line that begins with the text; `tls` starts TLS; `hold` sends nothing more; `raw text` sends the text
//! without a line end. The server closes the connection at the end, or when the client says something else.

use std::sync::Arc;

use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::tls::{Issued, issue};

/// The name in the certificate.
pub const NAME: &str = "email-smtp.eu-west-1.amazonaws.com";

/// An authority, and the configuration of a server that has its certificate.
pub struct Certificates {
    /// The authority that a client must trust.
    pub ca_pem: String,
    server: Arc<ServerConfig>,
}

impl Certificates {
    /// Returns certificates that are valid for long.
    pub fn valid() -> Self {
        Self::until(4000)
    }

    /// Returns expired certificates.
    pub fn expired() -> Self {
        Self::until(2001)
    }

    fn until(year: i32) -> Self {
        let Issued { ca_pem, certificate, key } = issue(NAME, year);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )
            .unwrap();
        Self { ca_pem, server: Arc::new(server) }
    }

    /// Plays the dialogue to the first client. Returns the port, and at the end the lines of the client.
    pub async fn play(&self, dialogue: &str) -> (u16, JoinHandle<Said>) {
        let (port, mut played) = self.play_each(&[dialogue]).await;
        (port, tokio::spawn(async move { played.recv().await.unwrap() }))
    }

    /// Plays one dialogue to each client, in order.
    pub async fn play_each(&self, dialogues: &[&str]) -> (u16, UnboundedReceiver<Said>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let dialogues: Vec<String> =
            dialogues.iter().map(|&dialogue| dialogue.to_owned()).collect();
        let acceptor = TlsAcceptor::from(Arc::clone(&self.server));
        let (sender, played) = unbounded_channel();
        tokio::spawn(async move {
            for dialogue in dialogues {
                let (stream, _) = listener.accept().await.unwrap();
                let _ = sender.send(converse(stream, &acceptor, &dialogue).await);
            }
        });
        (port, played)
    }
}

/// The lines of a client.
pub struct Said {
    /// The lines before TLS.
    pub clear: Vec<String>,
    /// The lines in TLS.
    pub encrypted: Vec<String>,
}

async fn converse(stream: TcpStream, acceptor: &TlsAcceptor, dialogue: &str) -> Said {
    let steps: Vec<&str> = dialogue.lines().map(str::trim_start).collect();
    let mut parts = steps.split(|&step| step == "tls");
    let mut said = Said { clear: Vec::new(), encrypted: Vec::new() };
    let mut stream = BufReader::new(stream);
    let goes_on = talk(&mut stream, parts.next().unwrap_or_default(), &mut said.clear).await;
    if let (true, Some(steps)) = (goes_on, parts.next())
        && let Ok(stream) = acceptor.accept(stream.into_inner()).await
    {
        talk(&mut BufReader::new(stream), steps, &mut said.encrypted).await;
    }
    said
}

async fn talk(
    stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>,
    steps: &[&str],
    said: &mut Vec<String>,
) -> bool {
    for step in steps {
        if let Some(text) = step.strip_prefix("< ") {
            stream
                .write_all(format!("{text}\r\n").replace("\\r\\n", "\r\n").as_bytes())
                .await
                .unwrap();
            stream.flush().await.unwrap();
        } else if let Some(text) = step.strip_prefix("raw ") {
            stream.write_all(text.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
        } else if let Some(text) = step.strip_prefix("> ") {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return false;
            }
            said.push(line.trim_end().to_owned());
            if !line.starts_with(text) {
                return false;
            }
        } else if *step == "hold" {
            // until the client closes the connection
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            said.extend(String::from_utf8_lossy(&rest).lines().map(str::to_owned));
        }
    }
    true
}
