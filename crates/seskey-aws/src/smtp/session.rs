//! One session: the commands in order. A [`Session`] is encrypted, so AUTH cannot be sent in clear.

use std::{net::IpAddr, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use super::{
    Address, Client, Phase, Reply, Security, Server, SmtpError, Transcript, connection::Connection,
    message::to_data,
};

/// A session over TLS that has sent EHLO.
pub struct Session<'t> {
    connection: Connection<'t, TlsStream<TcpStream>>,
    /// The server's reply to EHLO over TLS.
    ehlo: Reply,
}

impl<'t> Session<'t> {
    pub(super) async fn open(
        client: &Client,
        server: &Server,
        mut transcript: &'t mut Transcript,
    ) -> Result<Self, SmtpError> {
        let patience = client.timeouts.reply;
        let mut stream = dial(server, client.timeouts.connect).await?;
        transcript.address = stream.peer_addr().ok();
        // without it each exchange over TLS waits for the peer's delayed acknowledgement
        let _ = stream.set_nodelay(true);
        let ehlo = format!("EHLO {}\r\n", client_name(&stream));

        if server.security == Security::Starttls {
            let mut connection = Connection::new(stream, patience, transcript);
            connection.expect(Phase::Greeting, &[220], &[]).await?;
            let offer = connection.say(Phase::Ehlo, &ehlo, &[250]).await?;
            offer.offers("STARTTLS").ok_or(SmtpError::StarttlsNotOffered)?;
            connection.say(Phase::Starttls, "STARTTLS\r\n", &[220]).await?;
            (stream, transcript) = connection.into_stream(Phase::Starttls)?;
        }

        let handshake = timeout(patience, client.tls.handshake(&server.server_name, stream)).await;
        let (stream, facts) =
            handshake.map_err(|_| SmtpError::Timeout { phase: Phase::Handshake })??;
        tracing::debug!(version = facts.version, cipher_suite = facts.cipher_suite, "encrypted");
        transcript.tls = Some(facts);

        let mut connection = Connection::new(stream, patience, transcript);
        if server.security == Security::TlsWrapper {
            connection.expect(Phase::Greeting, &[220], &[]).await?;
        }
        let ehlo = connection.say(Phase::EhloOverTls, &ehlo, &[250]).await?;
        Ok(Self { connection, ehlo })
    }

    /// Logs in, by AUTH PLAIN if the server offers it, else by AUTH LOGIN.
    ///
    /// # Errors
    /// The server's refusal, or the failure that kept it from answering.
    #[tracing::instrument(level = "debug", skip_all)]
    pub async fn log_in(&mut self, user_name: &str, password: &str) -> Result<(), SmtpError> {
        let mechanisms = self.ehlo.offers("AUTH").unwrap_or_default();
        let offered =
            |name: &str| mechanisms.iter().any(|mechanism| mechanism.eq_ignore_ascii_case(name));
        if offered("PLAIN") {
            let message = Zeroizing::new(format!("\0{user_name}\0{password}"));
            self.say_secret("AUTH PLAIN ", &message, password, &[235]).await?;
        } else if offered("LOGIN") {
            self.connection.say(Phase::Auth, "AUTH LOGIN\r\n", &[334]).await?;
            self.say_secret("", user_name, password, &[334]).await?;
            self.say_secret("", password, password, &[235]).await?;
        } else {
            let mechanisms = mechanisms.into_iter().map(str::to_owned).collect();
            return Err(SmtpError::AuthNotOffered { mechanisms });
        }
        Ok(())
    }

    /// Sends one message and returns the reply that accepted it, in which SES puts the message ID. Line ends and dots
    /// are corrected on the way.
    ///
    /// # Errors
    /// The server's refusal of the sender, of the first refused recipient or of the message.
    #[tracing::instrument(level = "debug", skip_all)]
    pub async fn send(
        &mut self,
        from: &Address,
        to: &[Address],
        message: &[u8],
    ) -> Result<Reply, SmtpError> {
        self.connection.say(Phase::MailFrom, &format!("MAIL FROM:<{from}>\r\n"), &[250]).await?;
        for to in to {
            self.connection.say(Phase::RcptTo, &format!("RCPT TO:<{to}>\r\n"), &[250, 251]).await?;
        }
        self.connection.say(Phase::Data, "DATA\r\n", &[354]).await?;
        self.connection.send(Phase::Message, &to_data(message)).await?;
        self.connection.expect(Phase::Message, &[250], &[]).await
    }

    /// Sends QUIT, then close_notify. Failures are ignored.
    pub async fn quit(mut self) {
        let _ = self.connection.say(Phase::Quit, "QUIT\r\n", &[221]).await;
        self.connection.close().await;
    }

    /// Sends `secret` in Base64 after `command`, from a buffer that is wiped.
    async fn say_secret(
        &mut self,
        command: &str,
        secret: &str,
        password: &str,
        expected: &[u16],
    ) -> Result<(), SmtpError> {
        let encoded = Zeroizing::new(BASE64_STANDARD.encode(secret));
        let line = Zeroizing::new(format!("{command}{}\r\n", *encoded));
        self.connection.send(Phase::Auth, line.as_bytes()).await?;
        self.connection.expect(Phase::Auth, expected, &[&encoded, password]).await.map(drop)
    }
}

async fn dial(server: &Server, patience: Duration) -> Result<TcpStream, SmtpError> {
    let Server { host, port, .. } = server;
    let unresolved = |reason: String| SmtpError::Dns { host: host.clone(), reason };
    let unreached = |reason: String| SmtpError::Connect { host: host.clone(), port: *port, reason };
    let resolved = timeout(patience, lookup_host((host.as_str(), *port))).await;
    let addresses = resolved
        .map_err(|_| SmtpError::Timeout { phase: Phase::Connect })?
        .map_err(|error| unresolved(error.to_string()))?;
    let mut last = unresolved("no address".to_owned());
    for address in addresses.take(MAX_ADDRESSES) {
        match timeout(patience, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = unreached(error.to_string()),
            Err(_) => last = SmtpError::Timeout { phase: Phase::Connect },
        }
        tracing::debug!(%address, "not reached");
    }
    Err(last)
}

/// Returns an address literal, which a client without a name sends (RFC 5321 section 4.1.4).
fn client_name(stream: &TcpStream) -> String {
    match stream.local_addr().map(|address| address.ip()) {
        Ok(IpAddr::V6(ip)) => format!("[IPv6:{ip}]"),
        Ok(IpAddr::V4(ip)) => format!("[{ip}]"),
        Err(_) => "localhost".to_owned(),
    }
}

/// The most addresses of one host that are tried, so that the time to fail is bounded.
const MAX_ADDRESSES: usize = 4;
