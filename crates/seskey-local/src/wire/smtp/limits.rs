//! The limits on the use of the SMTP endpoint, by one client and by all of them.

use std::time::Duration;

/// The limits of the SMTP endpoint. AWS documents only the time of inactivity, and that connections have a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The connections at a time from one address.
    pub connections_per_address: usize,
    /// The connections at a time from all addresses.
    pub connections: usize,
    /// The time for the TLS negotiation.
    pub handshake: Duration,
    /// The time for a whole command line, for the next bytes of a message, and for the client to take a reply.
    pub idle: Duration,
    /// The time for a whole message, from DATA on.
    pub message: Duration,
    /// The bytes of incoming messages at a time, on all connections together.
    pub message_bytes: usize,
    /// The failed logins on a connection; the last one ends it.
    pub failed_logins: u32,
    /// The refused commands (5xx) on a connection since its last message; one more ends it.
    pub errors: u32,
    /// The commands on a connection since its last message; one more ends it.
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
            // the largest message at 70 kB/s; RFC 5321, section 4.5.3.2.6, has a client wait as long for the last reply
            message: Duration::from_secs(10 * 60),
            // a dozen of the largest messages
            message_bytes: 512 * 1024 * 1024,
            failed_logins: 3,
            errors: 20,
            commands: 10_000,
        }
    }
}
