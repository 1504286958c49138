//! The sockets: HTTP, SMTP, and the limits on the number of connections.

mod connections;
pub mod http;
pub mod smtp;
