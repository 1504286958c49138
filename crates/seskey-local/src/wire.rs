//! The sockets: HTTP, SMTP, and how many connections there may be.

mod connections;
pub mod http;
pub mod smtp;
