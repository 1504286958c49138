//! The sockets: HTTP, SMTP, and how many connections there may be.

mod connections;
pub(crate) mod http;
pub mod smtp;
