//! What one client, or all of them, may take of the SMTP endpoint.

use std::time::Duration;

/// The limits of the SMTP endpoint. AWS documents only the time of silence, and that there is one for connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time from one address.
    pub connections_per_address: usize,
    /// Connections at a time from all addresses.
    pub connections: usize,
    /// For TLS to be negotiated.
    pub handshake: Duration,
    /// For a command line to be there whole, for a byte of a message, and for a reply to be taken.
    pub idle: Duration,
    /// For a message to be there whole, from DATA on.
    pub message: Duration,
    /// Bytes of messages that are coming in at a time, on all connections together.
    pub message_bytes: usize,
    /// Failed logins on a connection; the last one ends it.
    pub failed_logins: u32,
    /// Commands in vain on a connection since its last message; one more ends it.
    pub errors: u32,
    /// Commands on a connection since its last message; one more ends it.
    pub commands: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_per_address: 10_000,
            connections: 20_000,
            handshake: Duration::from_secs(10),
            // SES Developer Guide, "Using the command line to send email using the Amazon SES SMTP interface": "after
            // about 10 seconds of inactivity"
            idle: Duration::from_secs(10),
            // the largest message at 70 kB/s; RFC 5321, section 4.5.3.2.6, has a server wait as long
            message: Duration::from_secs(10 * 60),
            // a dozen of the largest messages
            message_bytes: 512 * 1024 * 1024,
            failed_logins: 3,
            errors: 20,
            commands: 10_000,
        }
    }
}
