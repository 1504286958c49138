//! The exchange of commands and replies: one command in one write, then one reply, bounded in size and time.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use super::{Malformed, Phase, Reply, SmtpError, Transcript};

pub(super) struct Connection<'t, S> {
    stream: S,
    received: Vec<u8>,
    patience: Duration,
    transcript: &'t mut Transcript,
}

impl<'t, S: AsyncRead + AsyncWrite + Unpin> Connection<'t, S> {
    pub(super) fn new(stream: S, patience: Duration, transcript: &'t mut Transcript) -> Self {
        Self { stream, received: Vec::new(), patience, transcript }
    }

    /// Sends a command, which includes its line end, and reads the reply.
    pub(super) async fn say(
        &mut self,
        phase: Phase,
        command: &str,
        expected: &[u16],
    ) -> Result<Reply, SmtpError> {
        self.send(phase, command.as_bytes()).await?;
        self.expect(phase, expected, &[]).await
    }

    /// Sends bytes that already end a line.
    pub(super) async fn send(&mut self, phase: Phase, bytes: &[u8]) -> Result<(), SmtpError> {
        let sent = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match timeout(self.patience, sent).await {
            Err(_) => Err(SmtpError::Timeout { phase }),
            Ok(sent) => sent.map_err(|error| SmtpError::of_io(phase, &error)),
        }
    }

    /// Reads a reply. A secret that the server repeats is removed before anything else sees the reply.
    pub(super) async fn expect(
        &mut self,
        phase: Phase,
        expected: &[u16],
        secrets: &[&str],
    ) -> Result<Reply, SmtpError> {
        let received = timeout(self.patience, self.receive(phase)).await;
        let mut reply = received.unwrap_or(Err(SmtpError::Timeout { phase }))?;
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            for line in reply.lines.iter_mut().filter(|line| line.contains(secret)) {
                *line = line.replace(secret, "[redacted]");
            }
        }
        tracing::debug!(?phase, code = reply.code, "reply");
        self.transcript.replies.push((phase, reply.clone()));
        if expected.contains(&reply.code) {
            Ok(reply)
        } else {
            Err(SmtpError::Refused { phase, reply })
        }
    }

    /// Returns the stream.
    ///
    /// # Errors
    /// Bytes were received that belong to no reply: they would be taken for the server's reply once the stream is
    /// encrypted (RFC 3207 section 6).
    pub(super) fn into_stream(self, phase: Phase) -> Result<(S, &'t mut Transcript), SmtpError> {
        if self.received.is_empty() {
            Ok((self.stream, self.transcript))
        } else {
            Err(SmtpError::Malformed { phase, problem: Malformed::Surplus })
        }
    }

    /// Ends the stream; for TLS this sends close_notify.
    pub(super) async fn close(&mut self) {
        // the session is over either way
        let _ = timeout(self.patience, self.stream.shutdown()).await;
    }

    async fn receive(&mut self, phase: Phase) -> Result<Reply, SmtpError> {
        loop {
            let parsed = Reply::parse(&self.received);
            if let Some((reply, length)) =
                parsed.map_err(|problem| SmtpError::Malformed { phase, problem })?
            {
                self.received.drain(..length);
                return Ok(reply);
            }
            let read = self.stream.read_buf(&mut self.received).await;
            if read.map_err(|error| SmtpError::of_io(phase, &error))? == 0 {
                return Err(SmtpError::Closed { phase });
            }
        }
    }
}
